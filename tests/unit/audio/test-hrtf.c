/* The grid of directions, the synthetic set, a measured one, and its cache. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "audio/hrtf.h"

#define SOFA_FILE "/usr/share/libmysofa/default.sofa"

static struct hrtf *sphere;

static unsigned towards(float azimuth_deg, float elevation_deg)
{
	float a = azimuth_deg * (float) M_PI / 180, e = elevation_deg * (float) M_PI / 180;

	return hrtf_direction(&(struct vec3){sinf(a) * cosf(e), sinf(e), -cosf(a) * cosf(e)});
}

static double energy_db(const struct hrtf *set, unsigned direction, enum hrtf_ear ear)
{
	double sum = 0;

	for (unsigned k = 0; k < HRTF_TAPS; k++)
		sum += (double) set->taps[direction][ear][k] * set->taps[direction][ear][k];
	return 10 * log10(sum);
}

/* By how many samples the left ear hears later: where the two responses' correlation peaks. */
static int left_lag(const struct hrtf *set, unsigned direction)
{
	const float *l = set->taps[direction][HRTF_LEFT], *r = set->taps[direction][HRTF_RIGHT];
	double best = -1;
	int lag = 0;

	for (int d = -30; d <= 30; d++) {
		double sum = 0;

		for (int k = 0; k < HRTF_TAPS; k++)
			if (k + d >= 0 && k + d < HRTF_TAPS)
				sum += (double) l[k + d] * r[k];
		if (sum > best) {
			best = sum;
			lag = d;
		}
	}
	return lag;
}

static void test_grid_directions_find_themselves(void **state)
{
	for (unsigned i = 0; i < HRTF_DIRECTIONS; i++) {
		struct vec3 v = hrtf_direction_vector(i);

		assert_int_equal(hrtf_direction(&v), i);
		v = (struct vec3){v.x * 1e5f, v.y * 1e5f, v.z * 1e5f};
		assert_int_equal(hrtf_direction(&v), i);
	}
}

static void test_nearest_is_near(void **state)
{
	unsigned random = 7;

	for (unsigned i = 0; i < 10000; i++) {
		float c[3], length, dot;
		struct vec3 g;

		for (unsigned k = 0; k < 3; k++) {
			random = random * 1664525 + 1013904223;
			c[k] = (float) (int) random / 2147483648.0f;
		}
		length = sqrtf(c[0] * c[0] + c[1] * c[1] + c[2] * c[2]);
		g = hrtf_direction_vector(hrtf_direction(&(struct vec3){c[0], c[1], c[2]}));
		dot = (c[0] * g.x + c[1] * g.y + c[2] * g.z) / length;
		/* Half of a step in elevation and half of one in azimuth. */
		assert_true(acosf(fminf(dot, 1)) * 180 / (float) M_PI < 5.6f);
	}
}

static void test_no_direction_is_ahead(void **state)
{
	assert_int_equal(hrtf_direction(&(struct vec3){0, 0, 0}), towards(0, 0));
	assert_int_equal(hrtf_direction(&(struct vec3){0, 5, 0}), HRTF_DIRECTIONS - 1);
	assert_int_equal(hrtf_direction(&(struct vec3){0, -5, 0}), 0);
	assert_int_equal(hrtf_direction(&(struct vec3){-1e-20f, 0, 1}), towards(180, 0));
}

static void check_set(const struct hrtf *set)
{
	/* The facing ear hears more, and earlier. */
	assert_true(energy_db(set, towards(90, 0), HRTF_RIGHT) >
		    energy_db(set, towards(90, 0), HRTF_LEFT) + 8);
	assert_in_range(left_lag(set, towards(90, 0)), 13, 19);
	assert_in_range(-left_lag(set, towards(-90, 0)), 13, 19);
	assert_int_equal(left_lag(set, towards(0, 0)), 0);

	for (int a = 0; a <= 180; a += 15) {
		/* Left mirrors right. */
		assert_true(fabs(energy_db(set, towards((float) a, 0), HRTF_LEFT) -
				 energy_db(set, towards((float) -a, 0), HRTF_RIGHT)) < 1.5);
		assert_in_range(left_lag(set, towards((float) a, 0)) +
					left_lag(set, towards((float) -a, 0)) + 1,
				0, 2);
		/* The delay says nothing about front and back. */
		assert_in_range(left_lag(set, towards((float) a, 0)) -
					left_lag(set, towards((float) (180 - a), 0)) + 2,
				0, 4);
	}
}

static void test_synthetic_set(void **state)
{
	check_set(sphere);
	/* A sphere is as a sphere does: front is back. */
	for (int a = 0; a <= 90; a += 10)
		assert_true(fabs(energy_db(sphere, towards((float) a, 0), HRTF_LEFT) -
				 energy_db(sphere, towards((float) (180 - a), 0), HRTF_LEFT)) <
			    0.1);
}

static double set_mean_db(const struct hrtf *set)
{
	double sum = 0;

	for (unsigned d = 0; d < HRTF_DIRECTIONS; d++)
		for (unsigned ear = 0; ear < HRTF_EARS; ear++)
			sum += pow(10, energy_db(set, d, ear) / 10);
	return 10 * log10(sum / (HRTF_DIRECTIONS * HRTF_EARS));
}

static void test_measured_set_and_its_cache(void **state)
{
	_cleanup_(hrtf_freep) struct hrtf *prepared = NULL, *loaded = NULL;
	char path[] = "/tmp/hifi-hrtf-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	(void) close(fd);
	if (access(SOFA_FILE, R_OK) < 0) {
		(void) unlink(path);
		skip();
	}

	/* An empty cache file is no cache. */
	assert_int_equal(hrtf_load_cached(SOFA_FILE, path, &prepared), -EBADMSG);
	assert_int_equal(hrtf_load(SOFA_FILE, path, &prepared), 0);
	check_set(prepared);
	assert_true(fabs(set_mean_db(prepared)) < 1.5);
	/* A measured head has a face: highs from behind are weaker. */
	assert_true(energy_db(prepared, towards(30, 0), HRTF_RIGHT) >
		    energy_db(prepared, towards(150, 0), HRTF_RIGHT) + 2);

	assert_int_equal(hrtf_load_cached(SOFA_FILE, path, &loaded), 0);
	assert_memory_equal(prepared, loaded, sizeof(*prepared));
	(void) unlink(path);
}

static void test_what_is_no_set(void **state)
{
	struct hrtf *set = NULL;
	char path[] = "/tmp/hifi-hrtf-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, "\x89HDF\r\n\x1a\nnothing", 15), 15);
	(void) close(fd);
	assert_int_equal(hrtf_load(path, "/nowhere/cache", &set), -EBADMSG);
	(void) unlink(path);
	assert_int_equal(hrtf_load(path, "/nowhere/cache", &set), -ENOENT);
	assert_null(set);
}

static void test_cache_refuses_what_it_did_not_write(void **state)
{
	const struct hrtf_origin origin = {1173158, 1664892000, 5};
	struct hrtf_origin other = origin;
	_cleanup_free_ uint8_t *cache = NULL;
	ssize_t len = hrtf_cache_encode(sphere, &origin, &cache);
	struct hrtf *set = NULL;
	static const size_t at[] = {0, 4, 8, 12, 20, 28, 32, 1000, 500000};

	assert_true(len > 0);
	for (unsigned i = 0; i < ELEMENTSOF(at); i++) {
		cache[at[i]] ^= 0x40;
		assert_true(hrtf_cache_decode(cache, (size_t) len, &origin, &set) < 0);
		cache[at[i]] ^= 0x40;
	}
	assert_int_equal(hrtf_cache_decode(cache, (size_t) len - 1, &origin, &set), -EBADMSG);
	assert_int_equal(hrtf_cache_decode(cache, 20, &origin, &set), -EBADMSG);
	assert_int_equal(hrtf_cache_decode(NULL, 0, &origin, &set), -EBADMSG);
	other.mtime_nsec++;
	assert_int_equal(hrtf_cache_decode(cache, (size_t) len, &other, &set), -ESTALE);
	other = origin;
	other.size_bytes++;
	assert_int_equal(hrtf_cache_decode(cache, (size_t) len, &other, &set), -ESTALE);
	assert_null(set);

	assert_int_equal(hrtf_cache_decode(cache, (size_t) len, &origin, &set), 0);
	assert_memory_equal(set, sphere, sizeof(*set));
	hrtf_free(set);
}

static int setup(void **state)
{
	return hrtf_synthesise(&sphere);
}

static int teardown(void **state)
{
	sphere = hrtf_free(sphere);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grid_directions_find_themselves),
		cmocka_unit_test(test_nearest_is_near),
		cmocka_unit_test(test_no_direction_is_ahead),
		cmocka_unit_test(test_synthetic_set),
		cmocka_unit_test(test_measured_set_and_its_cache),
		cmocka_unit_test(test_what_is_no_set),
		cmocka_unit_test(test_cache_refuses_what_it_did_not_write),
	};

	return cmocka_run_group_tests_name("hrtf", tests, setup, teardown);
}
