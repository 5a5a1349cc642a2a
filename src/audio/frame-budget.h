/* Load that bends: what a mixer does without while its frames take too long, dearest first, and
 * when it takes that back. Nobody is ever silenced.
 *
 * The codec's effort goes first, in the steps that make a difference to libopus (a stereo frame
 * takes 81, 59, 49, 36, 25 µs). Values as they are; zero-initialised holds nothing back. */
#pragma once

#include <stdint.h>

/* Past the first mark a frame is in danger of being late, below the second there is room for the
 * step above, which costs at most 1.45 times as much. */
#define FRAME_BUDGET_DANGER_USEC 7500
#define FRAME_BUDGET_ROOM_USEC   4500
/* Frames looked at together, and how many of them may be past a mark for no reason of ours. */
#define FRAME_BUDGET_WINDOW   100
#define FRAME_BUDGET_OUTLIERS 2
/* Windows with room before a step is taken back; twice as many each time that went wrong. */
#define FRAME_BUDGET_PATIENCE     5
#define FRAME_BUDGET_PATIENCE_MAX 80

struct frame_budget {
	unsigned level; /* steps given up */

	/* Private. */
	unsigned frames, in_danger, without_room; /* of this window */
	unsigned windows_with_room;
	unsigned windows_since_raise; /* 0: the last change was not a raise */
	unsigned patience_doubled;
};

/* After each frame: how long it took. */
void frame_budget_add(struct frame_budget *budget, uint64_t usec);
unsigned frame_budget_level_max(void);
int frame_budget_complexity(const struct frame_budget *budget);
