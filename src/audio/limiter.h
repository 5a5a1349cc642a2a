/* The output stage of one listener: a look-ahead peak limiter, both ears as one, then dither and
 * rounding to 16 bits (03 section 10). What stays below the ceiling passes unchanged, silence to
 * the bit; everything comes out LIMITER_DELAY_SAMPLES later. */
#pragma once

#include <stdint.h>

#include "audio/audio-format.h"

#define LIMITER_DELAY_SAMPLES 31
/* −0.3 dB of full scale. */
#define LIMITER_CEILING 0.966051f

struct limiter {
	float delay[AUDIO_CHANNELS_MAX][LIMITER_DELAY_SAMPLES];
	float gains[2 * LIMITER_DELAY_SAMPLES]; /* asked for by the last samples */
	float sustained; /* mean loss of gain over the last tenth of a second */
	uint32_t dither;
};

void limiter_init(struct limiter *limiter);
/* left and right are full scale at ±1; ret is interleaved. */
void limiter_run(struct limiter *limiter, const float left[static AUDIO_FRAME_SAMPLES],
		 const float right[static AUDIO_FRAME_SAMPLES],
		 int16_t ret[static AUDIO_FRAME_SAMPLES_MAX]);
