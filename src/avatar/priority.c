#include "avatar/priority.h"

#include <math.h>

#define DISTANCE_MIN 0.001f

void priority_weigh(const struct priority_block *blocks, unsigned n_blocks,
		    const struct avatar_view *view, const struct avatar_sorting *sorting,
		    float *weights)
{
	const struct vec3 at = view->position, towards = view->direction;
	float cos_half = cosf(view->half_angle), sin_half = sinf(view->half_angle);
	float far_clip = view->far_clip, keyhole = view->keyhole;
	float size = sorting->size, centre = sorting->centre;

	for (unsigned b = 0; b < n_blocks; b++) {
		const struct priority_block *restrict block = &blocks[b];
		float *restrict w = weights + b * PRIORITY_BLOCK;

		for (unsigned i = 0; i < PRIORITY_BLOCK; i++) {
			float x = block->x[i] - at.x, y = block->y[i] - at.y,
			      z = block->z[i] - at.z;
			float r = block->radius[i], squared = x * x + y * y + z * z;
			float d = sqrtf(squared) + DISTANCE_MIN;
			float along = x * towards.x + y * towards.y + z * towards.z;
			float tangent = sqrtf(MAX(squared - r * r, 0.0f));
			bool in_cone =
				(d <= far_clip + r) & (along > tangent * cos_half - r * sin_half);
			bool in_view = (d < keyhole + r) | in_cone;
			float weight = (size * r + centre * along) / d;

			weight = in_view ? weight : 0;
			w[i] = weight > w[i] ? weight : w[i];
		}
	}
}

void priority_weigh_around(const struct priority_block *blocks, unsigned n_blocks,
			   const struct vec3 *position, const struct avatar_sorting *sorting,
			   float *weights)
{
	const struct avatar_view view = {.position = *position, .keyhole = INFINITY};

	priority_weigh(blocks, n_blocks, &view, sorting, weights);
}

/* --- the first few of many --- */

static void sink(struct choice *choices, unsigned n, unsigned i)
{
	struct choice sinking = choices[i];
	unsigned child;

	while ((child = 2 * i + 1) < n) {
		if (child + 1 < n && choices[child + 1].score > choices[child].score)
			child++;
		if (choices[child].score <= sinking.score)
			break;
		choices[i] = choices[child];
		i = child;
	}
	choices[i] = sinking;
}

void choices_order(struct choice *choices, unsigned n)
{
	for (unsigned i = n / 2; i-- > 0;)
		sink(choices, n, i);
}

struct choice choices_pop(struct choice *choices, unsigned n)
{
	struct choice first = choices[0];

	choices[0] = choices[n - 1];
	sink(choices, n - 1, 0);
	return first;
}
