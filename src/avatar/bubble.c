#include "avatar/bubble.h"

#include <math.h>

static const struct vec3 size_min = {0.3f, 1.3f, 0.3f};

static struct bubble bubble_of(const struct avatar_state *state, float factor, bool has_min_size)
{
	struct vec3 dimensions, offset;
	bool known = avatar_state_bounding_box(state, &dimensions, &offset);
	struct vec3 position = avatar_state_position(state);
	struct bubble bubble = {
		.centre = {position.x + offset.x, position.y + offset.y, position.z + offset.z},
	};

	if (!known && !has_min_size)
		return bubble;
	bubble.half_size.x = fmaxf(dimensions.x * factor, size_min.x) / 2;
	bubble.half_size.y = fmaxf(dimensions.y * factor, size_min.y) / 2;
	bubble.half_size.z = fmaxf(dimensions.z * factor, size_min.z) / 2;
	return bubble;
}

struct bubble bubble_of_listener(const struct avatar_state *state)
{
	return bubble_of(state, BUBBLE_LISTENER_FACTOR, true);
}

struct bubble bubble_of_source(const struct avatar_state *state)
{
	return bubble_of(state, BUBBLE_SOURCE_FACTOR, false);
}

bool bubble_touches(const struct bubble *a, const struct bubble *b)
{
	return fabsf(a->centre.x - b->centre.x) <= a->half_size.x + b->half_size.x &&
	       fabsf(a->centre.y - b->centre.y) <= a->half_size.y + b->half_size.y &&
	       fabsf(a->centre.z - b->centre.z) <= a->half_size.z + b->half_size.z;
}
