/* The one audio format of the protocol (03 section 1): 16-bit, 24 kHz, frames of 10 ms. */
#pragma once

#define AUDIO_RATE_HZ 24000
/* Samples per channel in one frame. */
#define AUDIO_FRAME_SAMPLES 240
#define AUDIO_FRAME_USEC    10000
#define AUDIO_CHANNELS_MAX  2
/* The largest frame: interleaved stereo. */
#define AUDIO_FRAME_SAMPLES_MAX (AUDIO_FRAME_SAMPLES * AUDIO_CHANNELS_MAX)
#define AUDIO_FRAME_BYTES_MAX   (AUDIO_FRAME_SAMPLES_MAX * 2)
