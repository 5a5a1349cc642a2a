/* When there is less to give: to everybody because the machine is busy, or to one listener because
 * its line does not carry more. Pure; called once for each frame. Zero-initialise.
 */
#pragma once

#include <stddef.h>

/* A busy machine leaves everybody this part of the budget at the least. */
#define THROTTLE_SHARE_MIN 0.05

/* --- the machine (protocol 04 section 11) --- */

struct throttle {
	double load;  /* time of a frame over its period, smoothed */
	double ratio; /* 0 to 1: how much less everybody gets */
	unsigned frames;
};

/* load: of the frame just made. */
void throttle_update(struct throttle *throttle, double load);
unsigned throttle_budget(const struct throttle *throttle, unsigned budget_bytes);

/* --- one listener --- */

struct backpressure {
	float reduction; /* 0 to 1 */
	unsigned frames;
	size_t backlog; /* at the last decision */
};

/* What a frame may send when `backlog` bytes did not arrive yet, out of budget_bytes. */
unsigned backpressure_budget(struct backpressure *pressure, unsigned budget_bytes, size_t backlog);
