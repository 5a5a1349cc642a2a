/* The fast renderer against the exact one (03 section 15.2). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "audio/spectral-transform.h"
#include "audio/spectral.h"

#define FRAMES      12
#define SOURCES_MAX 300
/* −90 dB of the peak. */
#define ERROR_MAX 3.16e-5f

static struct renderer *renderer;
static struct spectral *spectral;
static uint32_t seed;

/* −1 … 1. */
static float noise(void)
{
	seed = seed * 1664525 + 1013904223;
	return (float) (int32_t) seed / 0x1p31f;
}

static void test_transform_is_the_definition(void **state)
{
	static float re[TRANSFORM_N], im[TRANSFORM_N], re_in[TRANSFORM_N], im_in[TRANSFORM_N];
	struct transform transform;

	transform_init(&transform);
	for (unsigned i = 0; i < TRANSFORM_N; i++) {
		re[i] = re_in[i] = noise();
		im[i] = im_in[i] = noise();
	}
	transform_run(&transform, re, im);
	for (unsigned k = 0; k < TRANSFORM_N; k++) {
		double sum_re = 0, sum_im = 0;

		for (unsigned i = 0; i < TRANSFORM_N; i++) {
			double angle = -2 * M_PI * (i * k % TRANSFORM_N) / TRANSFORM_N;

			sum_re += re_in[i] * cos(angle) - im_in[i] * sin(angle);
			sum_im += re_in[i] * sin(angle) + im_in[i] * cos(angle);
		}
		assert_true(fabs(re[k] - sum_re) < 5e-5 && fabs(im[k] - sum_im) < 5e-5);
	}
}

static void test_exchanged_parts_go_back(void **state)
{
	static float re[TRANSFORM_N], im[TRANSFORM_N], re_in[TRANSFORM_N];
	struct transform transform;

	transform_init(&transform);
	for (unsigned i = 0; i < TRANSFORM_N; i++)
		re[i] = re_in[i] = noise();
	memset(im, 0, sizeof(im));
	transform_run(&transform, re, im);
	transform_run(&transform, im, re);
	for (unsigned i = 0; i < TRANSFORM_N; i++) {
		assert_true(fabsf(re[i] / TRANSFORM_N - re_in[i]) < 1e-6f);
		assert_true(fabsf(im[i] / TRANSFORM_N) < 1e-6f);
	}
}

/* --- scenes --- */

struct voice {
	float block[STREAM_BLOCK_SAMPLES];
	struct vec3 offset;
	bool speaks, moves;
	struct render_params last;
};

static void start(struct voice *voice)
{
	/* From within the head to far away. */
	float reach = exp2f(3 + 5 * noise());

	voice->offset = (struct vec3){reach * noise(), reach * noise(), reach * noise()};
	voice->speaks = noise() > -0.5f;
	voice->moves = noise() > 0;
	voice->last = renderer_place(&voice->offset, 0);
	memset(voice->block, 0, sizeof(voice->block));
}

static struct render_params advance(struct voice *voice)
{
	memmove(voice->block, voice->block + AUDIO_FRAME_SAMPLES,
		STREAM_HISTORY_SAMPLES * sizeof(*voice->block));
	if (noise() > 0.8f)
		voice->speaks = !voice->speaks;
	for (unsigned i = STREAM_HISTORY_SAMPLES; i < STREAM_BLOCK_SAMPLES; i++)
		voice->block[i] = voice->speaks ? noise() : 0;
	if (voice->moves) {
		voice->offset.x += 0.3f * noise();
		voice->offset.z += 0.3f * noise();
	}
	/* Some are muted for a while, and some change their level. */
	return renderer_place(&voice->offset, noise() > 0.7f ? 0 : noise() > 0.5f ? 0.3f : 1);
}

static float worst_error(const float *a, const float *b, float *peak)
{
	float worst = 0;

	for (unsigned i = 0; i < AUDIO_FRAME_SAMPLES; i++) {
		worst = fmaxf(worst, fabsf(a[i] - b[i]));
		*peak = fmaxf(*peak, fabsf(a[i]));
	}
	return worst;
}

static void run_scene(unsigned n)
{
	static struct voice voices[SOURCES_MAX];
	float peak = 0, error = 0;

	for (unsigned i = 0; i < n; i++)
		start(&voices[i]);
	for (unsigned frame = 0; frame < FRAMES; frame++) {
		float exact[HRTF_EARS][AUDIO_FRAME_SAMPLES] = {0};
		float fast[HRTF_EARS][AUDIO_FRAME_SAMPLES] = {0};
		struct spectral_sums sums = {0};

		for (unsigned i = 0; i < n; i++) {
			struct render_params to = advance(&voices[i]);
			struct spectrum spectrum;

			renderer_add_mono(renderer, voices[i].block, &voices[i].last, &to, exact[0],
					  exact[1]);
			spectral_transform(spectral, voices[i].block, &spectrum);
			spectral_add_mono(spectral, &spectrum, &voices[i].last, &to, &sums);
			voices[i].last = to;
		}
		spectral_finish(spectral, &sums, fast[0], fast[1]);
		for (unsigned ear = 0; ear < HRTF_EARS; ear++)
			error = fmaxf(error, worst_error(exact[ear], fast[ear], &peak));
	}
	assert_true(error <= ERROR_MAX * peak);
}

static void test_scenes_sound_the_same(void **state)
{
	for (unsigned i = 0; i < 40; i++)
		run_scene(1 + i % 5);
	run_scene(40);
	run_scene(SOURCES_MAX);
}

static void test_silence_in_is_silence_out(void **state)
{
	static const float block[STREAM_BLOCK_SAMPLES];
	struct render_params from = renderer_place(&(struct vec3){1, 2, -30}, 1);
	struct render_params to = renderer_place(&(struct vec3){-1, 0, 0}, 0.5f);
	float left[AUDIO_FRAME_SAMPLES] = {0}, right[AUDIO_FRAME_SAMPLES] = {0};
	struct spectral_sums sums = {0};
	struct spectrum spectrum;

	spectral_transform(spectral, block, &spectrum);
	spectral_add_mono(spectral, &spectrum, &from, &to, &sums);
	spectral_finish(spectral, &sums, left, right);
	for (unsigned i = 0; i < AUDIO_FRAME_SAMPLES; i++)
		assert_true(left[i] == 0 && right[i] == 0);
}

static int setup(void **state)
{
	struct hrtf *set;

	if (hrtf_synthesise(&set) < 0 || renderer_new(set, &renderer) < 0)
		return -1;
	return spectral_new(renderer, &spectral) < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	spectral = spectral_free(spectral);
	renderer = renderer_free(renderer);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_transform_is_the_definition),
		cmocka_unit_test(test_exchanged_parts_go_back),
		cmocka_unit_test(test_scenes_sound_the_same),
		cmocka_unit_test(test_silence_in_is_silence_out),
	};

	return cmocka_run_group_tests_name("spectral", tests, setup, teardown);
}
