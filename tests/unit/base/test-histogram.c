/* Percentiles of many samples in little memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "base/histogram.h"
#include "base/macros.h"
#include "base/prng.h"
#include "base/recent-times.h"

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *) a, y = *(const uint64_t *) b;

	return x < y ? -1 : x > y;
}

static void test_empty(void **state)
{
	struct histogram h = {0};
	json_t *json = histogram_json(&h);

	assert_int_equal(histogram_percentile(&h, 50), 0);
	assert_true(histogram_mean_usec(&h) == 0);
	assert_int_equal(json_object_size(json), 1);
	assert_int_equal(json_integer_value(json_object_get(json, "count")), 0);
	json_decref(json);
}

static void test_small_values_are_exact(void **state)
{
	struct histogram h = {0};

	for (unsigned i = 1; i <= 50; i++)
		histogram_add(&h, i);
	assert_int_equal(histogram_percentile(&h, 0), 1);
	assert_int_equal(histogram_percentile(&h, 2), 1);
	assert_int_equal(histogram_percentile(&h, 50), 25);
	assert_int_equal(histogram_percentile(&h, 99), 50);
	assert_int_equal(histogram_percentile(&h, 100), 50);
	assert_true(histogram_mean_usec(&h) == 25.5);
}

static void test_merge(void **state)
{
	struct histogram a = {0}, b = {0};

	histogram_add(&a, 10);
	histogram_add(&b, 30);
	histogram_add(&b, 20);
	histogram_merge(&a, &b);
	assert_int_equal(a.count, 3);
	assert_int_equal(a.max_usec, 30);
	assert_true(histogram_mean_usec(&a) == 20);
	assert_int_equal(histogram_percentile(&a, 50), 20);
}

static double recent(const struct recent_times *times, const char *key)
{
	json_t *json = recent_times_json(times);
	double ms = json_real_value(json_object_get(json, key));

	json_decref(json);
	return ms;
}

static void test_recent_times_forget(void **state)
{
	static struct recent_times times;

	assert_true(recent(&times, "max") == 0);
	recent_times_add(&times, 50);
	for (unsigned i = 1; i < RECENT_TIMES_TURN; i++)
		recent_times_add(&times, 20);
	assert_true(recent(&times, "max") == 0.05 && recent(&times, "p99.9") == 0.02);
	for (unsigned i = 0; i < RECENT_TIMES_TURN; i++)
		recent_times_add(&times, 30);
	assert_true(recent(&times, "max") == 0.05 && recent(&times, "p99.9") == 0.03);
	recent_times_add(&times, 30);
	assert_true(recent(&times, "max") == 0.03 && recent(&times, "p50") == 0.03);
}

static void test_percentiles_against_sorted_samples(void **state)
{
	enum { N = 20000 };
	static const double percents[] = {1, 10, 50, 90, 95, 99, 99.9, 100};
	static uint64_t samples[N];
	struct prng prng = {.state = 7};
	struct histogram h = {0};

	for (unsigned i = 0; i < N; i++) {
		/* From a microsecond to hours. */
		samples[i] = prng_next(&prng) >> (63 - prng_next(&prng) % 34);
		histogram_add(&h, samples[i]);
	}
	qsort(samples, N, sizeof(samples[0]), compare);
	for (size_t i = 0; i < ELEMENTSOF(percents); i++) {
		uint64_t exact = samples[(size_t) (N * percents[i] / 100) - 1];
		uint64_t found = histogram_percentile(&h, percents[i]);

		assert_true(found >= exact);
		assert_true(found - exact <= exact / 32);
	}
	assert_int_equal(histogram_percentile(&h, 100), samples[N - 1]);
}

static void test_more_than_it_can_hold(void **state)
{
	struct histogram h = {0};

	histogram_add(&h, UINT64_MAX / 2);
	histogram_add(&h, 5);
	assert_int_equal(h.count, 2);
	assert_int_equal(histogram_percentile(&h, 50), 5);
	assert_true(histogram_percentile(&h, 100) >= (UINT64_C(1) << 36) - 1);
}

static void test_json_is_in_milliseconds(void **state)
{
	struct histogram h = {0};
	json_t *json;

	for (unsigned i = 0; i < 100; i++)
		histogram_add(&h, 2000);
	json = histogram_json(&h);
	assert_int_equal(json_integer_value(json_object_get(json, "count")), 100);
	assert_true(json_real_value(json_object_get(json, "mean")) == 2);
	assert_true(json_real_value(json_object_get(json, "p50")) == 2);
	assert_true(json_real_value(json_object_get(json, "p99")) == 2);
	assert_true(json_real_value(json_object_get(json, "max")) == 2);
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_small_values_are_exact),
		cmocka_unit_test(test_merge),
		cmocka_unit_test(test_recent_times_forget),
		cmocka_unit_test(test_percentiles_against_sorted_samples),
		cmocka_unit_test(test_more_than_it_can_hold),
		cmocka_unit_test(test_json_is_in_milliseconds),
	};

	return cmocka_run_group_tests_name("histogram", tests, NULL, NULL);
}
