/* Protocol 04 sections 7 and 12.3. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>

#include "avatar/priority.h"

static const struct avatar_sorting usual = {.size = 8, .centre = 0.25f, .age = 1};
static const struct avatar_view view = {
	.direction = {0, 0, -1}, .half_angle = 0.7f, .far_clip = 100, .keyhole = 3};

static float weigh_one(const struct avatar_view *v, float x, float z)
{
	struct priority_block block = {.x[3] = x, .z[3] = z, .radius[3] = 1};
	float weights[PRIORITY_BLOCK] = {0};

	priority_weigh(&block, 1, v, &usual, weights);
	return weights[3];
}

static void assert_about(float a, float b)
{
	assert_true(fabsf(a - b) < 0.001f * (1 + fabsf(b)));
}

static void test_formula(void **state)
{
	/* straight ahead, ten metres away: 8·1/10 + 0.25 */
	assert_about(weigh_one(&view, 0, -10), 1.05f);
	/* outside of the cone's 40°, but its side is inside */
	assert_about(weigh_one(&view, 9.2f, -10), (8 + 0.25f * 10) / sqrtf(184.64f));
	assert_true(weigh_one(&view, 10, -10) == 0);
	assert_true(weigh_one(&view, 20, -10) == 0);
	assert_true(weigh_one(&view, 0, 10) == 0);
	assert_true(weigh_one(&view, 0, -102) == 0);
	assert_true(weigh_one(&view, 0, -100.5f) > 0);
	/* within the keyhole, behind the viewer */
	assert_about(weigh_one(&view, 0, 3.5f), 8 / 3.5f - 0.25f);
}

/* Each place is the largest of what the views make of it, whatever its block. */
static void test_many_blocks_and_views(void **state)
{
	enum { BLOCKS = 5 };
	struct priority_block blocks[BLOCKS];
	float weights[BLOCKS * PRIORITY_BLOCK] = {0};
	struct avatar_view other = view;

	other.direction = (struct vec3){0, 0, 1};
	srandom(4);
	for (unsigned i = 0; i < BLOCKS * PRIORITY_BLOCK; i++) {
		struct priority_block *block = &blocks[i / PRIORITY_BLOCK];

		block->x[i % PRIORITY_BLOCK] = (float) (random() % 60) - 30;
		block->y[i % PRIORITY_BLOCK] = 0;
		block->z[i % PRIORITY_BLOCK] = (float) (random() % 60) - 30;
		block->radius[i % PRIORITY_BLOCK] = 1;
	}
	priority_weigh(blocks, BLOCKS, &view, &usual, weights);
	priority_weigh(blocks, BLOCKS, &other, &usual, weights);
	for (unsigned i = 0; i < BLOCKS * PRIORITY_BLOCK; i++) {
		float x = blocks[i / PRIORITY_BLOCK].x[i % PRIORITY_BLOCK];
		float z = blocks[i / PRIORITY_BLOCK].z[i % PRIORITY_BLOCK];

		assert_about(weights[i], fmaxf(weigh_one(&view, x, z), weigh_one(&other, x, z)));
	}
}

static void test_without_a_view(void **state)
{
	struct priority_block block = {.x = {1, 2, -4}, .radius = {1, 1, 1}};
	float weights[PRIORITY_BLOCK] = {0};

	priority_weigh_around(&block, 1, &(struct vec3){0}, &usual, weights);
	assert_about(weights[0], 8);
	assert_about(weights[1], 4);
	assert_about(weights[2], 2);
}

/* Directions need not be sensible; weights always are. */
static void test_absurd_views(void **state)
{
	struct avatar_view absurd = view;
	float weight;

	absurd.direction = (struct vec3){3e38f, -3e38f, 3e38f};
	absurd.position = (struct vec3){-3e38f, 3e38f, 3e38f};
	weight = weigh_one(&absurd, 1, 1);
	assert_false(isnan(weight));
	assert_true(weight >= 0);
}

static void test_age(void **state)
{
	assert_about(priority_aged(2, 0, &usual), 2);
	assert_about(priority_aged(2, 3, &usual), 2 * 4 + 3);
	assert_about(priority_aged(0, 3, &usual), 3);
}

static void test_order(void **state)
{
	struct choice choices[100];

	srandom(4);
	for (unsigned n = 1; n <= ELEMENTSOF(choices); n++) {
		float last = INFINITY;
		bool seen[ELEMENTSOF(choices)] = {0};

		for (unsigned i = 0; i < n; i++)
			choices[i] = (struct choice){.score = (float) (random() % 30), .index = i};
		choices_order(choices, n);
		for (unsigned left = n; left > 0; left--) {
			struct choice c = choices_pop(choices, left);

			assert_true(c.score <= last);
			assert_false(seen[c.index]);
			seen[c.index] = true;
			last = c.score;
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_formula),
		cmocka_unit_test(test_many_blocks_and_views),
		cmocka_unit_test(test_without_a_view),
		cmocka_unit_test(test_absurd_views),
		cmocka_unit_test(test_age),
		cmocka_unit_test(test_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
