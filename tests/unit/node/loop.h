/* Runs an event loop until something became true, within a deadline. */
#pragma once

#include <stdbool.h>

#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/macros.h"

/* True when *flag (or *count >= want) came within the deadline. */
static inline bool run_until(sd_event *event, const unsigned *count, unsigned want)
{
	uint64_t deadline = clock_now_usec() + 30 * USEC_PER_SEC;

	while (*count < want && clock_now_usec() < deadline)
		if (sd_event_run(event, 20 * USEC_PER_MSEC) < 0)
			return false;
	return *count >= want;
}

/* Lets what is under way arrive: for showing that something does *not* happen. */
static inline void run_for(sd_event *event, uint64_t usec)
{
	uint64_t deadline = clock_now_usec() + usec;

	while (clock_now_usec() < deadline)
		(void) sd_event_run(event, 5 * USEC_PER_MSEC);
}
