/* The space bubble (protocol 04 section 12.2): axis-aligned boxes around two avatars, and whether
 * they touch. */
#pragma once

#include <stdbool.h>

#include "avatar/avatar-state.h"

#define BUBBLE_LISTENER_FACTOR 4.0f
#define BUBBLE_SOURCE_FACTOR   2.4f

struct bubble {
	struct vec3 centre, half_size;
};

/* The bubble around the one who must not be approached. */
struct bubble bubble_of_listener(const struct avatar_state *state);
/* The one who approaches; a point when its client never sent a bounding box. */
struct bubble bubble_of_source(const struct avatar_state *state);
bool bubble_touches(const struct bubble *a, const struct bubble *b);
