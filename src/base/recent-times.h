/* How long something took lately: percentiles over the last 3000 to 6000 times. Held by value;
 * zero-initialised is empty. */
#pragma once

#include "base/histogram.h"

#define RECENT_TIMES_TURN 3000

struct recent_times {
	struct histogram now, before;
};

void recent_times_add(struct recent_times *times, uint64_t usec);
/* {"p50", "p99", "p99.9", "max"}, in milliseconds; {} without times. New reference, or NULL when
 * out of memory. */
json_t *recent_times_json(const struct recent_times *times);
