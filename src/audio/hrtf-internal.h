/* Shared by the makers of HRTF sets. */
#pragma once

#include "audio/hrtf.h"

/* The minimum-phase part of a response. */
#define HRTF_MINIMUM_TAPS 64

/* Zeroed; NULL when out of memory. */
struct hrtf *hrtf_new(void);
/* Fills one direction from minimum-phase responses and the time by which the left ear hears later
 * than the right, in samples (clamped to what a head can do). */
void hrtf_set_direction(struct hrtf *set, unsigned direction,
			float minimum[static HRTF_EARS][HRTF_MINIMUM_TAPS], double left_lag);
