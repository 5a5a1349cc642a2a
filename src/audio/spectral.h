/* The fast renderer: the same as renderer.h to within rounding, in the frequency domain.
 *
 * What depends on the source alone, its transform, is made once per frame; what depends on the
 * listener alone, the cross-fade and the way back, once per listener. A pair costs one product of
 * spectra, two when it moved, and keeps nothing. */
#pragma once

#include "audio/renderer.h"

/* Of the transform of one block, rounded up to whole vectors; the rest is zero. */
#define SPECTRAL_BINS (STREAM_BLOCK_SAMPLES / 2 + 1)
#define SPECTRAL_SIZE ((SPECTRAL_BINS + 15) / 16 * 16)

struct spectrum {
	float re[SPECTRAL_SIZE], im[SPECTRAL_SIZE];
};

/* One listener's frame in the making; begins as zeros. */
struct spectral_sums {
	bool any, fading;
	struct spectrum final[HRTF_EARS];      /* as the frame ends */
	struct spectrum fading_out[HRTF_EARS]; /* what it began with besides */
};

/* What renders a renderer's set. */
struct spectral;

/* -ENOMEM. */
int spectral_new(const struct renderer *renderer, struct spectral **ret);
struct spectral *spectral_free(struct spectral *spectral);
DEFINE_CLEANUP_FUNC(struct spectral *, spectral_free);

/* A source's past and present. */
void spectral_transform(const struct spectral *spectral,
			const float block[static STREAM_BLOCK_SAMPLES], struct spectrum *ret);
/* Like renderer_add_mono(). */
void spectral_add_mono(const struct spectral *spectral, const struct spectrum *source,
		       const struct render_params *from, const struct render_params *to,
		       struct spectral_sums *sums);
/* Adds all of it to the ears. */
void spectral_finish(const struct spectral *spectral, const struct spectral_sums *sums,
		     float left[static AUDIO_FRAME_SAMPLES],
		     float right[static AUDIO_FRAME_SAMPLES]);
