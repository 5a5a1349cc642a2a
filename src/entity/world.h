/* The entities of one world: found by id, by place in a dense array, and by parent. Owns them.
 * Pure; one thread. */
#pragma once

#include "base/list.h"
#include "entity/properties.h"

/* 06c section 3. */
#define WORLD_HALF_SIZE    16384.0f /* m */
#define WORLD_DEPTH_MAX    30       /* parents of parents */
#define WORLD_ENTITIES_MAX 1000000

struct cube {
	struct vec3 corner; /* the lowest */
	float scale;
};

/* Microseconds since 1970. */
struct entity_times {
	uint64_t created_usec, edited_usec, updated_usec, simulated_usec;
};

struct entity {
	struct uuid id;
	struct entity_times times;
	struct properties properties; /* what is not the default; the values are the world's */

	unsigned slot; /* its place in the array while it lives */
	/* Contains it wherever it turns; false while its parent is not known. */
	bool has_bounds;
	struct cube bounds;

	struct family *family; /* of its parent; NULL without one */
	struct list siblings;
};

struct world;

int world_new(struct world **ret);
struct world *world_free(struct world *world);
DEFINE_CLEANUP_FUNC(struct world *, world_free)

/* A new entity. Copies the properties, without defaults; Box, Sphere and Shape become what their
 * shape says. -EEXIST, -ENOBUFS when the world is full, -ENOMEM. */
int world_add(struct world *world, const struct uuid *id, const struct properties *properties,
	      const struct entity_times *times, struct entity **ret);

struct entity *world_find(const struct world *world, const struct uuid *id);
unsigned world_size(const struct world *world);
/* Slots in use are below this. */
unsigned world_slots(const struct world *world);
/* NULL for an empty slot. */
struct entity *world_at(const struct world *world, unsigned slot);
