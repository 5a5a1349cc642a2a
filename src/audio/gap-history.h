/* Times between the packets of a stream: over its life, and per second over the last minute or so.
 * Only complete seconds count in a window. */
#pragma once

#include <stdint.h>

#include "audio/audio-packets.h"

#define GAP_HISTORY_SECONDS 50

struct gap_second {
	uint64_t min_usec, max_usec, sum_usec;
	uint32_t n;
};

struct gap_history {
	struct gap_second total, current;
	struct gap_second seconds[GAP_HISTORY_SECONDS];
	unsigned next;     /* where the current second goes when it ends */
	unsigned complete; /* seconds that are filled */
};

/* Zero-initialised is empty. */
void gap_history_add(struct gap_history *history, uint64_t gap_usec);
/* Ends the current second. */
void gap_history_tick(struct gap_history *history);
/* The widest gap of the last so many complete seconds; 0 without any. */
uint64_t gap_history_max(const struct gap_history *history, unsigned seconds);
/* As AudioStreamStats reports it; seconds 0 is the whole life. */
struct audio_gap gap_history_summary(const struct gap_history *history, unsigned seconds);
