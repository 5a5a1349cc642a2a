/* Voices that can be told apart in a mix: each a sine of its own frequency, and finding their
 * amplitudes again. Frequencies are multiples of 10 Hz, so a window of 100 ms holds whole periods
 * of each. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "audio/audio-format.h"

#define TONES_WINDOW_FRAMES  10
#define TONES_WINDOW_SAMPLES (TONES_WINDOW_FRAMES * AUDIO_FRAME_SAMPLES)
#define TONES_MAX            490 /* 20 Hz apart, 200 Hz to 10 kHz */

/* The frequency of the i-th of n tones, as far apart as n allows. */
unsigned tones_frequency(unsigned i, unsigned n);
/* The amplitude, in samples' units, at which n of them rarely add up to more than a sample can
 * hold. */
double tones_amplitude(unsigned n);

/* One window of the tone, from phase 0; what follows is the same again. */
void tones_make(unsigned hz, double amplitude, int16_t ret[static TONES_WINDOW_SAMPLES]);

/* Multiplies the interleaved stereo window by a Hann window, once, before tones_measure(): what
 * changes during the window, such as the gain of a walking source, then stays close to its own
 * frequency. */
void tones_prepare(const int16_t *stereo, float ret[static 2 * TONES_WINDOW_SAMPLES]);
/* The amplitude at that frequency, of the louder ear. */
double tones_measure(const float *prepared, unsigned hz);
/* Whether the i-th of n tones is there, at that amplitude at least. What other tones spread around
 * them when their streams are torn does not count. */
bool tones_is_heard(const float *prepared, unsigned i, unsigned n, double least);
