/* Gain, directivity, bubbles and zones, protocol 03 sections 3.10, 8 and 10. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "audio/acoustics.h"
#include "audio/gain.h"
#include "audio/geometry.h"

#define assert_near(a, b) assert_true(fabs((double) (a) - (double) (b)) < 1e-4)

static double db(float gain)
{
	return 20 * log10(gain);
}

/* "0 dB at 2 m; −14 dB at 10 m, −34 dB at 100 m", and the loss per doubling in between. */
static void test_distance_with_the_usual_coefficient(void **state)
{
	assert_near(gain_distance(2, 0.5f), 1);
	assert_near(db(gain_distance(10, 0.5f)), -13.979400);
	assert_near(db(gain_distance(100, 0.5f)), -33.979400);
	for (float d = 0.25f; d < 1000; d *= 2)
		assert_near(gain_distance(2 * d, 0.5f), gain_distance(d, 0.5f) / 2);
	assert_near(gain_distance(0.125f, 0.5f), 16);
	assert_near(gain_distance(0, 0.5f), 16);
}

static void test_distance_at_the_ends_of_the_coefficient(void **state)
{
	/* No loss at all; silence; the least that is not silence. */
	assert_near(gain_distance(1000, 0), 1);
	assert_true(gain_distance(0.1f, 1) == 0);
	assert_true(gain_distance(4, 0.99999f) > 0);
	assert_near(gain_distance(4, 0.99999f), 0.001f);

	/* Linear to silence at 12 m; never within less than 3 m. */
	assert_near(gain_distance(2, -12), 1);
	assert_near(gain_distance(7, -12), 0.5f);
	assert_true(gain_distance(12, -12) == 0);
	assert_true(gain_distance(50, -12) == 0);
	assert_near(gain_distance(2.5f, -1), 0.5f);
}

static void test_directivity(void **state)
{
	const struct quat ahead = {0, 0, 0, 1};
	/* Turned left by a quarter: forward is now −x. */
	const struct quat left = {0, sqrtf(0.5f), 0, sqrtf(0.5f)};
	/* The source lies ahead (−z) of the listener. */
	const struct vec3 offset = {0, 0, -5};

	/* It looks the same way, away from the listener. */
	assert_near(gain_directivity(&ahead, &offset), 0.2f);
	assert_near(gain_directivity(&left, &offset), 0.6f);
	assert_near(gain_directivity(&ahead, &(struct vec3){0, 0, 5}), 1);
	assert_near(gain_directivity(&left, &(struct vec3){3, 0, 0}), 1);
	assert_true(isfinite(gain_directivity(&ahead, &(struct vec3){0, 0, 0})));
}

static void test_unrotate(void **state)
{
	const struct quat left = {0, sqrtf(0.5f), 0, sqrtf(0.5f)};
	struct vec3 v = quat_unrotate(&left, &(struct vec3){-1, 2, 0});

	/* What is to the west is ahead of one who looks west. */
	assert_near(v.x, 0);
	assert_near(v.y, 2);
	assert_near(v.z, -1);
}

static struct audio_pose pose_at(float x, float y, float z)
{
	return (struct audio_pose){
		.position = {x, y, z},
		.orientation = {0, 0, 0, 1},
		.box_corner = {x - 0.5f, y - 1, z - 0.5f},
		.box_size = {1, 2, 1},
	};
}

static void test_bubbles(void **state)
{
	struct audio_pose a = pose_at(0, 0, 0), b = pose_at(2.4f, 0, 0), c = pose_at(2.5f, 0, 0);
	struct ignore_box box = ignore_box_of(&a), near = ignore_box_of(&b),
			  far = ignore_box_of(&c);
	struct audio_pose sdk = pose_at(100, 0, 100), tiny = pose_at(0, 0, 0);

	/* Grown 2.4 times from the corner. */
	assert_near(box.size.x, 2.4f);
	assert_near(box.size.y, 4.8f);
	assert_near(box.corner.x, -0.5f);
	assert_true(ignore_box_touches(&box, &near));
	assert_false(ignore_box_touches(&box, &far));

	/* A box too small in one direction becomes the smallest in all. */
	tiny.box_size.x = 0.1f;
	box = ignore_box_of(&tiny);
	assert_near(box.size.x, 0.72f);
	assert_near(box.size.y, 3.12f);

	/* Section 4: the Web SDK's box stays at the origin whatever its user does. */
	sdk.box_corner = (struct vec3){-0.5f, 0, -0.5f};
	box = ignore_box_of(&sdk);
	assert_near(box.corner.x, 99.5f);
	assert_near(box.corner.z, 99.5f);
}

static const struct acoustics_zone zones[] = {
	{{-1, -1, -1}, {1, 1, 1}},
	{{0, 0, 0}, {10, 10, 10}},
	{{50, 0, 0}, {60, 10, 10}},
};
static const struct acoustics_coefficient coefficients[] = {
	{2, 1, 0.1f}, {0, 1, 0.2f}, {1, 1, 0.3f}};
static const struct acoustics_reverb reverbs[] = {{1, 1.5f, 25}, {0, 3, 50}};
static const struct acoustics space = {
	.coefficient_usual = 0.4f,
	.n_zones = 3,
	.zones = zones,
	.n_coefficients = 3,
	.coefficients = coefficients,
	.n_reverbs = 2,
	.reverbs = reverbs,
};

static uint64_t zones_at(float x, float y, float z)
{
	return acoustics_zones_at(&space, &(struct vec3){x, y, z});
}

static void test_zones_hold_both_of_their_faces(void **state)
{
	assert_int_equal(zones_at(1, 1, 1), 3);
	assert_int_equal(zones_at(-1, -1, -1), 1);
	assert_int_equal(zones_at(10, 10, 10), 2);
	assert_int_equal(zones_at(10.01f, 10, 10), 0);
	assert_int_equal(zones_at(55, 5, 5), 4);
}

static void test_the_first_pair_of_zones_decides(void **state)
{
	/* Source in both of the first two, listener in the second: the second pair comes first. */
	assert_near(acoustics_coefficient(&space, zones_at(0.5f, 0.5f, 0.5f), zones_at(5, 5, 5)),
		    0.2f);
	assert_near(acoustics_coefficient(&space, zones_at(55, 5, 5), zones_at(5, 5, 5)), 0.1f);
	/* Not the other way round. */
	assert_near(acoustics_coefficient(&space, zones_at(5, 5, 5), zones_at(55, 5, 5)), 0.4f);
	assert_near(acoustics_coefficient(&space, 0, zones_at(5, 5, 5)), 0.4f);
}

static void test_the_first_reverb_decides(void **state)
{
	struct audio_reverb reverb = acoustics_reverb_at(&space, zones_at(0.5f, 0.5f, 0.5f));

	assert_true(reverb.present && reverb.time_s == 1.5f && reverb.wet_percent == 25);
	reverb = acoustics_reverb_at(&space, zones_at(-0.5f, 0, 0));
	assert_true(reverb.present && reverb.time_s == 3);
	reverb = acoustics_reverb_at(&space, zones_at(55, 5, 5));
	assert_false(reverb.present);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_distance_with_the_usual_coefficient),
		cmocka_unit_test(test_distance_at_the_ends_of_the_coefficient),
		cmocka_unit_test(test_directivity),
		cmocka_unit_test(test_unrotate),
		cmocka_unit_test(test_bubbles),
		cmocka_unit_test(test_zones_hold_both_of_their_faces),
		cmocka_unit_test(test_the_first_pair_of_zones_decides),
		cmocka_unit_test(test_the_first_reverb_decides),
	};

	return cmocka_run_group_tests_name("gain", tests, NULL, NULL);
}
