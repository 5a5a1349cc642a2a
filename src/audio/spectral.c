#include "audio/spectral.h"

#include <errno.h>
#include <string.h>

#include "audio/spectral-transform.h"
#include "audio/wide.h"

static_assert(RENDERER_TAPS <= STREAM_HISTORY_SAMPLES + 1, "what wraps around is the past");

struct spectral {
	struct transform transform;
	const float *fade; /* the renderer's */
	struct spectrum curves[RENDERER_CURVES];
	/* These make up for the way back, which is N times too large. */
	struct spectrum ears[HRTF_DIRECTIONS][HRTF_EARS];
};

/* --- tables --- */

static void transform_taps(const struct spectral *spectral, const float *taps, unsigned n,
			   float scale, struct spectrum *ret)
{
	float block[STREAM_BLOCK_SAMPLES] = {0};

	for (unsigned i = 0; i < n; i++)
		block[i] = taps[i] * scale;
	spectral_transform(spectral, block, ret);
}

int spectral_new(const struct renderer *renderer, struct spectral **ret)
{
	const struct hrtf *set = renderer_hrtf(renderer);
	struct spectral *spectral = calloc(1, sizeof(*spectral));

	if (!spectral)
		return -ENOMEM;

	transform_init(&spectral->transform);
	spectral->fade = renderer_fade(renderer);
	for (unsigned i = 0; i < RENDERER_CURVES; i++) {
		float taps[RENDERER_CURVE_TAPS];

		renderer_curve(renderer, i, taps);
		transform_taps(spectral, taps, RENDERER_CURVE_TAPS, 1, &spectral->curves[i]);
	}
	for (unsigned i = 0; i < HRTF_DIRECTIONS; i++)
		for (unsigned ear = 0; ear < HRTF_EARS; ear++)
			transform_taps(spectral, set->taps[i][ear], HRTF_TAPS, 1.0f / TRANSFORM_N,
				       &spectral->ears[i][ear]);
	*ret = spectral;
	return 0;
}

struct spectral *spectral_free(struct spectral *spectral)
{
	free(spectral);
	return NULL;
}

void spectral_transform(const struct spectral *spectral,
			const float block[static STREAM_BLOCK_SAMPLES], struct spectrum *ret)
{
	float re[TRANSFORM_N], im[TRANSFORM_N] = {0};

	memcpy(re, block, sizeof(re));
	transform_run(&spectral->transform, re, im);
	*ret = (struct spectrum){0};
	memcpy(ret->re, re, SPECTRAL_BINS * sizeof(*re));
	memcpy(ret->im, im, SPECTRAL_BINS * sizeof(*im));
}

/* --- pairs --- */

_wide_ static void multiply(const struct spectrum *restrict a, const struct spectrum *restrict b,
			    struct spectrum *restrict ret)
{
	for (unsigned i = 0; i < SPECTRAL_SIZE; i++) {
		ret->re[i] = a->re[i] * b->re[i] - a->im[i] * b->im[i];
		ret->im[i] = a->re[i] * b->im[i] + a->im[i] * b->re[i];
	}
}

_wide_ static void add_product(const struct spectrum *restrict a, const struct spectrum *restrict b,
			       float gain, struct spectrum *restrict sum)
{
	for (unsigned i = 0; i < SPECTRAL_SIZE; i++) {
		sum->re[i] += gain * (a->re[i] * b->re[i] - a->im[i] * b->im[i]);
		sum->im[i] += gain * (a->re[i] * b->im[i] + a->im[i] * b->re[i]);
	}
}

/* To two sums at once, which is what most pairs that move need. */
_wide_ static void add_product_twice(const struct spectrum *restrict a,
				     const struct spectrum *restrict b, float gain,
				     struct spectrum *restrict sum, float other_gain,
				     struct spectrum *restrict other)
{
	for (unsigned i = 0; i < SPECTRAL_SIZE; i++) {
		float re = a->re[i] * b->re[i] - a->im[i] * b->im[i];
		float im = a->re[i] * b->im[i] + a->im[i] * b->re[i];

		sum->re[i] += gain * re;
		sum->im[i] += gain * im;
		other->re[i] += other_gain * re;
		other->im[i] += other_gain * im;
	}
}

/* A source behind a curve; the ears, and old and new place, mostly share one. */
struct dampened {
	const struct spectrum *source;
	unsigned curve; /* of what follows; 0: of nothing yet */
	struct spectrum spectrum;
};

static const struct spectrum *dampen(const struct spectral *spectral, struct dampened *dampened,
				     unsigned curve)
{
	if (curve == 0)
		return dampened->source;
	if (curve != dampened->curve) {
		multiply(dampened->source, &spectral->curves[curve], &dampened->spectrum);
		dampened->curve = curve;
	}
	return &dampened->spectrum;
}

static void add_ear(const struct spectral *spectral, struct dampened *dampened,
		    const struct render_params *params, enum hrtf_ear ear, float final_gain,
		    float fading_gain, struct spectral_sums *sums)
{
	const struct spectrum *filter = &spectral->ears[params->direction[ear]][ear], *source;

	if (final_gain == 0 && fading_gain == 0)
		return;
	source = dampen(spectral, dampened, params->curve[ear]);
	sums->any = true;
	sums->fading |= fading_gain != 0;
	if (fading_gain == 0)
		add_product(source, filter, final_gain, &sums->final[ear]);
	else if (final_gain == 0)
		add_product(source, filter, fading_gain, &sums->fading_out[ear]);
	else
		add_product_twice(source, filter, final_gain, &sums->final[ear], fading_gain,
				  &sums->fading_out[ear]);
}

/* With weight w of the old, old·w + new·(1 − w) is new + (old − new)·w. */
void spectral_add_mono(const struct spectral *spectral, const struct spectrum *source,
		       const struct render_params *from, const struct render_params *to,
		       struct spectral_sums *sums)
{
	struct dampened dampened;

	dampened.source = source;
	dampened.curve = 0;
	for (unsigned ear = 0; ear < HRTF_EARS; ear++) {
		float old = from->gain[ear], new = to->gain[ear];

		if (render_params_same_filter(from, to, ear)) {
			add_ear(spectral, &dampened, to, ear, new, old - new, sums);
		} else {
			add_ear(spectral, &dampened, to, ear, new, -new, sums);
			add_ear(spectral, &dampened, from, ear, 0, old, sums);
		}
	}
}

/* --- listeners --- */

/* Both ears at once: real signals go through one complex transform as its two parts. */
static void invert(const struct spectral *spectral, const struct spectrum ears[static HRTF_EARS],
		   float left[static TRANSFORM_N], float right[static TRANSFORM_N])
{
	const struct spectrum *l = &ears[HRTF_LEFT], *r = &ears[HRTF_RIGHT];

	for (unsigned i = 0; i < SPECTRAL_BINS; i++) {
		left[i] = l->re[i] - r->im[i];
		right[i] = l->im[i] + r->re[i];
	}
	for (unsigned i = 1; i < SPECTRAL_BINS - 1; i++) {
		left[TRANSFORM_N - i] = l->re[i] + r->im[i];
		right[TRANSFORM_N - i] = r->re[i] - l->im[i];
	}
	transform_run(&spectral->transform, right, left);
}

void spectral_finish(const struct spectral *spectral, const struct spectral_sums *sums,
		     float left[static AUDIO_FRAME_SAMPLES],
		     float right[static AUDIO_FRAME_SAMPLES])
{
	float l[TRANSFORM_N], r[TRANSFORM_N];

	if (!sums->any)
		return;
	invert(spectral, sums->final, l, r);
	for (unsigned i = 0; i < AUDIO_FRAME_SAMPLES; i++) {
		left[i] += l[STREAM_HISTORY_SAMPLES + i];
		right[i] += r[STREAM_HISTORY_SAMPLES + i];
	}
	if (!sums->fading)
		return;
	invert(spectral, sums->fading_out, l, r);
	for (unsigned i = 0; i < AUDIO_FRAME_SAMPLES; i++) {
		left[i] += l[STREAM_HISTORY_SAMPLES + i] * spectral->fade[i];
		right[i] += r[STREAM_HISTORY_SAMPLES + i] * spectral->fade[i];
	}
}
