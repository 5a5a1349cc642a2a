/* Who matters most to a listener (protocol 04 section 12.3): a weight for every avatar from its
 * angular size and how near it is to the middle of a view. Positions are kept in blocks of one
 * array per coordinate, so that weighing them all is a pass that compilers vectorise. Pure.
 */
#pragma once

#include "avatar/avatar-packets.h"

#define PRIORITY_BLOCK 16

struct priority_block {
	float x[PRIORITY_BLOCK], y[PRIORITY_BLOCK], z[PRIORITY_BLOCK];
	float radius[PRIORITY_BLOCK]; /* metres, above 0 */
};

/* Raises each weight (one for each place of the blocks, 0 at first) to what the view makes of it.
 * Out of view weighs nothing. */
void priority_weigh(const struct priority_block *blocks, unsigned n_blocks,
		    const struct avatar_view *view, const struct avatar_sorting *sorting,
		    float *weights);
/* The same for who looks from a place in all directions. */
void priority_weigh_around(const struct priority_block *blocks, unsigned n_blocks,
			   const struct vec3 *position, const struct avatar_sorting *sorting,
			   float *weights);

/* The weight of who was not heard of for that long. */
static inline float priority_aged(float weight, float age_seconds,
				  const struct avatar_sorting *sorting)
{
	return weight * (age_seconds + 1) + sorting->age * age_seconds;
}

/* --- the first few of many --- */

struct choice {
	float score;
	unsigned index;
};

/* Orders just enough that choices_pop() finds the highest score. */
void choices_order(struct choice *choices, unsigned n);
/* Takes the highest score away from n > 0 ordered choices, leaving n - 1 ordered ones. */
struct choice choices_pop(struct choice *choices, unsigned n);
