/* A hash map from keys of a fixed number of bytes to pointers: open addressing, and a hash with a
 * random seed per map, so that peers who choose the keys cannot make them collide.
 *
 * The map copies keys and borrows values. A struct used as a key must have no padding, or have it
 * zeroed. Thread: one at a time. */
#pragma once

#include <stddef.h>

#include "base/macros.h"

struct hashmap;

/* NULL when out of memory. */
struct hashmap *hashmap_new(size_t key_size);
/* Frees the map, not the values. Accepts NULL, returns NULL. */
struct hashmap *hashmap_free(struct hashmap *map);
DEFINE_CLEANUP_FUNC(struct hashmap *, hashmap_free)

/* NULL when there is no such key. */
void *hashmap_find(const struct hashmap *map, const void *key);
/* value is not NULL. 0, -EEXIST (nothing changed) or -ENOMEM. */
int hashmap_insert(struct hashmap *map, const void *key, void *value);
/* Returns the value that was there, or NULL. */
void *hashmap_remove(struct hashmap *map, const void *key);
size_t hashmap_size(const struct hashmap *map);

/* The next value from *position (0 at first) on, in no particular order; NULL at the end. */
void *hashmap_next(const struct hashmap *map, size_t *position);

/* The same for the keys, which are the map's. */
const void *hashmap_next_key(const struct hashmap *map, size_t *position);

/* The body may remove any entry, also the current one, but insert none. */
#define hashmap_for_each(value, map) \
	for (size_t _position = 0; ((value) = hashmap_next(map, &_position));)
