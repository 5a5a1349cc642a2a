#include "load/walker.h"

#include <math.h>

#include "base/macros.h"

#define WALK_METRES_PER_SECOND 1.4

static double angle(const struct walker *w, uint64_t now_usec)
{
	return w->phase + 2 * M_PI * fmod((double) now_usec / 1e6 * w->turns_per_second, 1.0);
}

struct walker walker_make(struct prng *prng, double spread_m, bool moves)
{
	struct walker w = {
		.home = {.x = (float) prng_range(prng, -spread_m / 2, spread_m / 2),
			 .z = (float) prng_range(prng, -spread_m / 2, spread_m / 2)},
		.phase = prng_range(prng, 0, 2 * M_PI),
	};

	if (moves) {
		w.radius_m = prng_range(prng, 1, 3);
		w.turns_per_second = WALK_METRES_PER_SECOND / (2 * M_PI * w.radius_m);
	}
	return w;
}

struct vec3 walker_position(const struct walker *w, uint64_t now_usec)
{
	double a = angle(w, now_usec);

	return (struct vec3){
		.x = w->home.x + (float) (w->radius_m * cos(a)),
		.z = w->home.z + (float) (w->radius_m * sin(a)),
	};
}

/* Along the circle's tangent; forward is -z, and a yaw of y turns it to (-sin y, -cos y). */
struct quat walker_orientation(const struct walker *w, uint64_t now_usec)
{
	double half = (M_PI - angle(w, now_usec)) / 2;

	return (struct quat){.y = (float) sin(half), .w = (float) cos(half)};
}
