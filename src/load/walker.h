/* Where a client's avatar is: at home in the square, or walking round it. Pure. */
#pragma once

#include <stdint.h>

#include "base/packed.h"
#include "base/prng.h"

struct walker {
	struct vec3 home;
	double radius_m, phase;
	double turns_per_second; /* 0: stands still */
};

struct walker walker_make(struct prng *prng, double spread_m, bool moves);
/* On the ground: y is 0. */
struct vec3 walker_position(const struct walker *w, uint64_t now_usec);
/* Facing where it goes. */
struct quat walker_orientation(const struct walker *w, uint64_t now_usec);
