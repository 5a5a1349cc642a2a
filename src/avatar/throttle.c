#include "avatar/throttle.h"

#include "avatar/avatar-state.h"
#include "base/macros.h"

/* The share of one frame in the smoothed load, and the frames between two decisions. */
#define THROTTLE_FRAMES 60
#define OVERLOAD        0.9
#define RECOVERED       0.44
/* Of a decision, for each step of load beyond the limit. */
#define TIGHTEN      (2.0 / 150)
#define TIGHTEN_STEP 0.1
#define RELAX        (2.0 / 600)
#define RELAX_STEP   0.2

/* Several round trips of a good line, so that its answers are in. */
#define PRESSURE_FRAMES 9
/* A line is full when it holds what the listener gets in this time: longer than the round trips of
 * all but satellites, short enough that the nearest are not seen late. */
#define BACKLOG_FRAMES (3 * AVATAR_TICKS_PER_SECOND / 10)
/* But a burst of a few datagrams says nothing, and a channel that holds more begins to lose them
 * (webrtc_options.unreliable_backlog_bytes). */
#define BACKLOG_MIN        4096.0f
#define BACKLOG_MAX        24576.0f
#define PRESSURE_SHARE_MIN 0.01f
#define PRESSURE_TIGHTEN   0.8f
#define PRESSURE_RELAX     1.08f

void throttle_update(struct throttle *throttle, double load)
{
	double relaxed, tightened;

	throttle->load += (load - throttle->load) / THROTTLE_FRAMES;
	if (++throttle->frames < THROTTLE_FRAMES)
		return;
	throttle->frames = 0;

	if (throttle->load > OVERLOAD) {
		tightened = TIGHTEN * (1 + (int) ((throttle->load - OVERLOAD) / TIGHTEN_STEP));
		throttle->ratio = MIN(throttle->ratio + tightened, 1.0);
	} else if (throttle->load <= RECOVERED) {
		relaxed = RELAX * (1 + (int) ((OVERLOAD - throttle->load) / RELAX_STEP));
		throttle->ratio = MAX(throttle->ratio - relaxed, 0.0);
	}
}

unsigned throttle_budget(const struct throttle *throttle, unsigned budget_bytes)
{
	return (unsigned) (budget_bytes * MAX(1 - throttle->ratio, THROTTLE_SHARE_MIN));
}

unsigned backpressure_budget(struct backpressure *pressure, unsigned budget_bytes, size_t backlog)
{
	float share = 1 - pressure->reduction;
	float full = CLAMP((float) budget_bytes * share * BACKLOG_FRAMES, BACKLOG_MIN, BACKLOG_MAX);

	if (++pressure->frames >= PRESSURE_FRAMES) {
		/* While it drains it is given time. */
		if ((float) backlog > full && backlog >= pressure->backlog)
			share = MAX(share * PRESSURE_TIGHTEN, PRESSURE_SHARE_MIN);
		else if ((float) backlog < full * 3 / 4)
			share = MIN(share * PRESSURE_RELAX, 1.0f);
		pressure->reduction = 1 - share;
		pressure->backlog = backlog;
		pressure->frames = 0;
	}
	return (unsigned) ((float) budget_bytes * share);
}
