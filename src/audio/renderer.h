/* The exact renderer: one source for one listener, in the time domain, straight from the
 * definition. It is what faster engines are tested against.
 *
 * A source's past is the same for everybody, so it is passed in with the frame; what a pair has of
 * its own is how it was rendered last, and the cross-fade from there. */
#pragma once

#include "audio/hrtf.h"
#include "audio/inbound-stream.h"

/* Taps of the filter for distance that goes before the ears' filters. */
#define RENDERER_CURVE_TAPS 32
#define RENDERER_TAPS       (HRTF_TAPS + RENDERER_CURVE_TAPS - 1)
/* Curve 0 changes nothing; then come 36 steps of a quarter doubling of the distance that air
 * dampens, then 24 of 0.75 dB by which a near head dampens the far ear. */
#define RENDERER_CURVES_AIR    36
#define RENDERER_CURVES_SHADOW 24
#define RENDERER_CURVES        (1 + RENDERER_CURVES_AIR + RENDERER_CURVES_SHADOW)

/* How one source is heard, all that a frame needs to know. Per ear, since to a near source the ears
 * look in different directions. */
struct render_params {
	uint16_t direction[HRTF_EARS];
	uint8_t curve[HRTF_EARS];
	float gain[HRTF_EARS];
};

static inline bool render_params_same_filter(const struct render_params *a,
					     const struct render_params *b, enum hrtf_ear ear)
{
	return a->direction[ear] == b->direction[ear] && a->curve[ear] == b->curve[ear];
}

/* What the renderer needs besides the source: built once per HRTF set. */
struct renderer;

/* Takes the set over. -ENOMEM, and then the set is still the caller's. */
int renderer_new(struct hrtf *set, struct renderer **ret);
struct renderer *renderer_free(struct renderer *renderer);
DEFINE_CLEANUP_FUNC(struct renderer *, renderer_free);
const struct hrtf *renderer_hrtf(const struct renderer *renderer);
/* The weights of the old in a cross-fade of one frame. */
const float *renderer_fade(const struct renderer *renderer);
/* The taps of a curve that count. */
void renderer_curve(const struct renderer *renderer, unsigned curve,
		    float ret[static RENDERER_CURVE_TAPS]);
/* The taps of one ear under params, gain and all. */
void renderer_filter(const struct renderer *renderer, const struct render_params *params,
		     enum hrtf_ear ear, float ret[static RENDERER_TAPS]);

/* Where a source is heard that lies at offset in the listener's frame (+x right, +y up, −z ahead),
 * gain being the factor for both ears. */
struct render_params renderer_place(const struct vec3 *offset, float gain);

/* Adds one frame of a mono source to both ears, fading from one way of rendering to another. block
 * is the source's past and present. Silence in adds exact zeros. */
void renderer_add_mono(const struct renderer *renderer,
		       const float block[static STREAM_BLOCK_SAMPLES],
		       const struct render_params *from, const struct render_params *to,
		       float left[static AUDIO_FRAME_SAMPLES],
		       float right[static AUDIO_FRAME_SAMPLES]);
/* Adds one channel to one ear as it is, fading between two gains: stereo sources, one's own
 * echo. */
void renderer_add_direct(const struct renderer *renderer,
			 const float block[static STREAM_BLOCK_SAMPLES], float gain_from,
			 float gain_to, float out[static AUDIO_FRAME_SAMPLES]);
