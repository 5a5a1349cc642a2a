/* The exact renderer: what it does to one source, and how it gets from one place to another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "audio/renderer.h"

#define FRAMES 20
#define N      (FRAMES * AUDIO_FRAME_SAMPLES)

static struct renderer *renderer;
static float sound[STREAM_HISTORY_SAMPLES + N];
static float left[N], right[N];

/* Renders the whole sound, placed anew for each frame. */
static void run(const struct render_params params[static FRAMES])
{
	memset(left, 0, sizeof(left));
	memset(right, 0, sizeof(right));
	for (unsigned i = 0; i < FRAMES; i++)
		renderer_add_mono(renderer, sound + i * AUDIO_FRAME_SAMPLES,
				  &params[i > 0 ? i - 1 : 0], &params[i],
				  left + i * AUDIO_FRAME_SAMPLES, right + i * AUDIO_FRAME_SAMPLES);
}

static void run_at(float x, float y, float z, float gain)
{
	struct render_params params[FRAMES];

	for (unsigned i = 0; i < FRAMES; i++)
		params[i] = renderer_place(&(struct vec3){x, y, z}, gain);
	run(params);
}

static double energy(const float *ear, unsigned from, unsigned to)
{
	double sum = 0;

	for (unsigned i = from; i < to; i++)
		sum += (double) ear[i] * ear[i];
	return sum;
}

static void fill_tone(double hz)
{
	for (unsigned i = 0; i < N; i++)
		sound[STREAM_HISTORY_SAMPLES + i] =
			(float) (0.5 * sin(i * 2 * M_PI * hz / AUDIO_RATE_HZ));
}

static int clear(void **state)
{
	memset(sound, 0, sizeof(sound));
	return 0;
}

static void test_silence_in_is_silence_out(void **state)
{
	run_at(1, 2, -3, 1);
	for (unsigned i = 0; i < N; i++)
		assert_true(left[i] == 0 && right[i] == 0);
}

/* An impulse brings out the filter, and nothing past its end. */
static void test_impulse_is_the_filter(void **state)
{
	struct render_params params = renderer_place(&(struct vec3){30, 0, -40}, 0.25f);
	float taps[RENDERER_TAPS];

	sound[STREAM_HISTORY_SAMPLES + 200] = 1;
	run_at(30, 0, -40, 0.25f);
	renderer_filter(renderer, &params, HRTF_LEFT, taps);
	for (unsigned i = 0; i < N; i++) {
		float wanted = i >= 200 && i < 200 + RENDERER_TAPS ? taps[i - 200] : 0;

		assert_true(fabsf(left[i] - wanted) < 2e-6f);
	}
}

static void test_pitch_stays(void **state)
{
	unsigned crossings = 0;

	fill_tone(1000);
	run_at(3, 0, -3, 1);
	for (unsigned i = 241; i < N; i++)
		crossings += (left[i - 1] < 0) != (left[i] < 0);
	/* Two per period of 24 samples. */
	assert_in_range(crossings, (N - 240) / 12 - 2, (N - 240) / 12 + 2);
}

static unsigned onset(const float *ear)
{
	float peak = 0;
	unsigned i = 0;

	for (unsigned k = 0; k < N; k++)
		peak = fmaxf(peak, fabsf(ear[k]));
	while (fabsf(ear[i]) < peak / 4)
		i++;
	return i;
}

static void test_the_facing_ear_hears_louder_and_earlier(void **state)
{
	sound[STREAM_HISTORY_SAMPLES + 10] = 1;
	run_at(4, 0, 0, 1);
	assert_true(energy(right, 0, N) > 6 * energy(left, 0, N));
	assert_in_range(onset(left) - onset(right), 10, 19);
	run_at(-4, 0, 0, 1);
	assert_true(energy(left, 0, N) > 6 * energy(right, 0, N));
	assert_in_range(onset(right) - onset(left), 10, 19);
}

static void test_front_and_back_are_equally_early(void **state)
{
	unsigned front;

	sound[STREAM_HISTORY_SAMPLES + 10] = 1;
	run_at(3, 0, -3, 1);
	front = onset(left) - onset(right);
	run_at(3, 0, 3, 1);
	assert_in_range(onset(left) - onset(right) - front + 1, 0, 2);
}

static void test_gain_is_gain(void **state)
{
	double loud;

	fill_tone(500);
	run_at(1, 0, -4, 1);
	loud = energy(right, 240, N);
	run_at(1, 0, -4, 0.5f);
	assert_true(fabs(10 * log10(loud / energy(right, 240, N)) - 6.0206) < 0.01);
}

static void test_air_takes_the_highs_of_far_sources(void **state)
{
	double near_low, near_high;

	fill_tone(100);
	run_at(0, 0, -2, 1);
	near_low = energy(left, 240, N);
	run_at(0, 0, -256, 1);
	assert_true(10 * log10(near_low / energy(left, 240, N)) < 0.5);

	fill_tone(6000);
	run_at(0, 0, -2, 1);
	near_high = energy(left, 240, N);
	run_at(0, 0, -256, 1);
	assert_true(10 * log10(near_high / energy(left, 240, N)) > 10);
}

static void test_a_near_head_casts_a_shadow(void **state)
{
	double far_ear_1m, far_ear_near;

	fill_tone(500);
	run_at(1.5f, 0, 0, 1);
	far_ear_1m = energy(left, 240, N);
	run_at(0.2f, 0, 0, 1);
	far_ear_near = energy(left, 240, N);
	assert_true(10 * log10(far_ear_1m / far_ear_near) > 10);
	/* Nothing is lost on the near side, and straight ahead little and on both alike. */
	run_at(0, 0, -0.5f, 1);
	assert_true(fabs(10 * log10(energy(left, 240, N) / energy(right, 240, N))) < 0.01);
}

static void test_every_place_is_finite(void **state)
{
	static const float at[] = {0,     1e-8f, 0.01f, 0.0875f, 0.124f, 0.3f,
				   0.99f, 1.99f, 2,     1e3f,    1e6f};

	for (unsigned i = 0; i < ELEMENTSOF(at); i++)
		for (unsigned k = 0; k < ELEMENTSOF(at); k++) {
			struct vec3 offset = {at[i], -at[k], -at[i]};
			struct render_params p = renderer_place(&offset, 1);

			for (unsigned ear = 0; ear < HRTF_EARS; ear++) {
				assert_true(p.direction[ear] < HRTF_DIRECTIONS);
				assert_true(p.curve[ear] < RENDERER_CURVES);
				assert_true(p.gain[ear] >= 0 && p.gain[ear] <= 1);
			}
		}
}

/* Steps of the second difference: a click is a large one. */
static float roughness(const float *ear, unsigned from, unsigned to)
{
	float worst = 0;

	for (unsigned i = from + 2; i < to; i++)
		worst = fmaxf(worst, fabsf(ear[i] - 2 * ear[i - 1] + ear[i - 2]));
	return worst;
}

static void test_moving_makes_no_clicks(void **state)
{
	struct render_params params[FRAMES];
	float smooth;

	fill_tone(300);
	run_at(3, 0, 0, 1);
	smooth = roughness(right, 480, N);

	/* Once around the head and through it, each frame at another place and level. */
	for (unsigned i = 0; i < FRAMES; i++) {
		float a = (float) i * 2 * (float) M_PI / FRAMES;

		params[i] = renderer_place(&(struct vec3){3 * cosf(a), 0.2f, 2.5f * sinf(2 * a)},
					   i % 2 ? 1 : 0.3f);
	}
	run(params);
	assert_true(roughness(right, 480, N) < 3 * smooth);
	assert_true(roughness(left, 480, N) < 3 * smooth);

	/* From silence and back to it. */
	for (unsigned i = 0; i < FRAMES; i++)
		params[i] = renderer_place(&(struct vec3){3, 0, 0}, i % 4 == 2 ? 1 : 0);
	run(params);
	assert_true(roughness(right, 480, N) < 3 * smooth);
}

/* The sum of a fade equals fading the two renderings: what a fast engine does for a whole
 * listener. */
static void test_fade_is_linear(void **state)
{
	struct render_params a = renderer_place(&(struct vec3){5, 0, -1}, 1);
	struct render_params b = renderer_place(&(struct vec3){-2, 1, 3}, 0.5f), none = b;
	float l[AUDIO_FRAME_SAMPLES] = {0}, r[AUDIO_FRAME_SAMPLES] = {0};
	float l2[AUDIO_FRAME_SAMPLES] = {0}, r2[AUDIO_FRAME_SAMPLES] = {0};

	fill_tone(1234);
	none.gain[0] = none.gain[1] = 0;
	renderer_add_mono(renderer, sound + 1000, &a, &b, l, r);
	renderer_add_mono(renderer, sound + 1000, &none, &b, l2, r2);
	none = a;
	none.gain[0] = none.gain[1] = 0;
	renderer_add_mono(renderer, sound + 1000, &a, &none, l2, r2);
	for (unsigned i = 0; i < AUDIO_FRAME_SAMPLES; i++)
		assert_true(fabsf(l[i] - l2[i]) < 1e-6f && fabsf(r[i] - r2[i]) < 1e-6f);
}

static void test_same_in_same_out(void **state)
{
	static float first[N];

	fill_tone(777);
	run_at(-1, 0, -0.5f, 0.7f);
	memcpy(first, left, sizeof(first));
	run_at(-1, 0, -0.5f, 0.7f);
	assert_memory_equal(first, left, sizeof(first));
}

static void test_direct_sound_is_only_faded(void **state)
{
	float out[AUDIO_FRAME_SAMPLES] = {0};

	for (unsigned i = 0; i < STREAM_BLOCK_SAMPLES; i++)
		sound[i] = 0.5f;
	renderer_add_direct(renderer, sound, 1, 1, out);
	for (unsigned i = 0; i < AUDIO_FRAME_SAMPLES; i++)
		assert_true(out[i] == 0.5f);
	renderer_add_direct(renderer, sound, 1, 0, out);
	assert_true(out[0] == 1);
	assert_true(fabsf(out[AUDIO_FRAME_SAMPLES - 1] - 0.5f) < 1e-4f);
	for (unsigned i = 1; i < AUDIO_FRAME_SAMPLES; i++)
		assert_true(out[i] <= out[i - 1]);
}

static int setup(void **state)
{
	struct hrtf *set;

	return hrtf_synthesise(&set) < 0 ? -1 : renderer_new(set, &renderer);
}

static int teardown(void **state)
{
	renderer = renderer_free(renderer);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_silence_in_is_silence_out, clear),
		cmocka_unit_test_setup(test_impulse_is_the_filter, clear),
		cmocka_unit_test_setup(test_pitch_stays, clear),
		cmocka_unit_test_setup(test_the_facing_ear_hears_louder_and_earlier, clear),
		cmocka_unit_test_setup(test_front_and_back_are_equally_early, clear),
		cmocka_unit_test_setup(test_gain_is_gain, clear),
		cmocka_unit_test_setup(test_air_takes_the_highs_of_far_sources, clear),
		cmocka_unit_test_setup(test_a_near_head_casts_a_shadow, clear),
		cmocka_unit_test_setup(test_every_place_is_finite, clear),
		cmocka_unit_test_setup(test_moving_makes_no_clicks, clear),
		cmocka_unit_test_setup(test_fade_is_linear, clear),
		cmocka_unit_test_setup(test_same_in_same_out, clear),
		cmocka_unit_test_setup(test_direct_sound_is_only_faded, clear),
	};

	return cmocka_run_group_tests_name("renderer", tests, setup, teardown);
}
