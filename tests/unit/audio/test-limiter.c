/* The output stage, protocol 03 section 10. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "audio/limiter.h"

#define FRAMES 100
#define N      (FRAMES * AUDIO_FRAME_SAMPLES)

static float left[N], right[N];
static int16_t out[2 * N];

static void run(void)
{
	struct limiter limiter;

	limiter_init(&limiter);
	for (unsigned i = 0; i < FRAMES; i++)
		limiter_run(&limiter, left + i * AUDIO_FRAME_SAMPLES,
			    right + i * AUDIO_FRAME_SAMPLES, out + i * AUDIO_FRAME_SAMPLES_MAX);
}

static int setup(void **state)
{
	memset(left, 0, sizeof(left));
	memset(right, 0, sizeof(right));
	return 0;
}

static void test_below_the_ceiling_only_the_delay_is_heard(void **state)
{
	double error = 0;

	for (unsigned i = 0; i < N; i++) {
		left[i] = 0.96f * sinf((float) i * 0.07f);
		right[i] = 0.5f * sinf((float) i * 0.11f);
	}
	run();
	for (unsigned i = LIMITER_DELAY_SAMPLES; i < N; i++) {
		float l = left[i - LIMITER_DELAY_SAMPLES] * 32768;
		float r = right[i - LIMITER_DELAY_SAMPLES] * 32768;

		/* One step of dither, and half of one of rounding. */
		assert_true(fabsf((float) out[2 * i] - l) <= 1.51f);
		assert_true(fabsf((float) out[2 * i + 1] - r) <= 1.51f);
		error += (double) out[2 * i] - l;
	}
	assert_true(fabs(error / N) < 0.05);
	/* What is exactly silent stays that. */
	for (unsigned i = 0; i < 2 * LIMITER_DELAY_SAMPLES; i++)
		assert_int_equal(out[i], 0);
}

static void test_no_peak_gets_through(void **state)
{
	unsigned random = 1;

	for (unsigned i = 0; i < N; i++) {
		random = random * 1664525 + 1013904223;
		left[i] = ((float) (random >> 8) / (1 << 24) - 0.5f) * (float) (i % 1000) / 50;
		random = random * 1664525 + 1013904223;
		right[i] = ((float) (random >> 8) / (1 << 24) - 0.5f) * (float) (i % 777) / 20;
	}
	left[5000] = 1000;
	right[9000] = -16;
	run();
	for (unsigned i = 0; i < 2 * N; i++)
		assert_true(abs(out[i]) <= (int) (LIMITER_CEILING * 32768) + 2);
	/* The loudest peak comes out at the ceiling, not below. */
	assert_true(out[2 * (5000 + LIMITER_DELAY_SAMPLES)] > LIMITER_CEILING * 32768 - 40);
}

static void test_both_ears_keep_their_balance(void **state)
{
	for (unsigned i = 0; i < N; i++) {
		left[i] = 4 * sinf((float) i * 0.07f);
		right[i] = 0.1f * left[i];
	}
	run();
	for (unsigned i = 1000; i < N; i++)
		assert_true(fabsf((float) out[2 * i + 1] - 0.1f * (float) out[2 * i]) <= 3);
}

static double level(unsigned from)
{
	double sum = 0;

	for (unsigned i = from; i < from + 240; i++)
		sum += (double) out[2 * i] * out[2 * i];
	return sqrt(sum / 240);
}

/* After one click the level is back within a tenth of a second; after a long roar it takes
 * longer. */
static void test_release_depends_on_how_long_it_was_loud(void **state)
{
	double quiet, after_click, after_roar;

	for (unsigned i = 0; i < N; i++)
		left[i] = 0.1f * sinf((float) i * 0.07f);
	left[2400] = 8;
	run();
	quiet = level(1200);
	after_click = level(2400 + 1200);
	assert_true(after_click > 0.9 * quiet);

	for (unsigned i = 2400; i < 12000; i++)
		left[i] = 8 * sinf((float) i * 0.07f);
	run();
	after_roar = level(12000 + 1200);
	assert_true(after_roar < 0.7 * quiet);
	assert_true(level(N - 480) > 0.6 * quiet);
	assert_true(level(N - 480) > after_roar);
}

static void test_gain_moves_smoothly(void **state)
{
	/* A constant, so that the output is the gain. */
	for (unsigned i = 0; i < N; i++)
		left[i] = 0.5f;
	left[4000] = 5;
	run();
	for (unsigned i = 3800; i < 4000 + LIMITER_DELAY_SAMPLES - 1; i++)
		assert_true(abs(out[2 * i + 2] - out[2 * i]) < 16384 / 8);
}

static void test_same_in_same_out(void **state)
{
	static int16_t first[2 * N];

	for (unsigned i = 0; i < N; i++)
		left[i] = right[i] = 1.5f * sinf((float) i * 0.05f);
	run();
	memcpy(first, out, sizeof(first));
	run();
	assert_memory_equal(first, out, sizeof(first));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_below_the_ceiling_only_the_delay_is_heard, setup),
		cmocka_unit_test_setup(test_no_peak_gets_through, setup),
		cmocka_unit_test_setup(test_both_ears_keep_their_balance, setup),
		cmocka_unit_test_setup(test_release_depends_on_how_long_it_was_loud, setup),
		cmocka_unit_test_setup(test_gain_moves_smoothly, setup),
		cmocka_unit_test_setup(test_same_in_same_out, setup),
	};

	return cmocka_run_group_tests_name("limiter", tests, NULL, NULL);
}
