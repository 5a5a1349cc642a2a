#include "base/hashmap.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/random.h>

#include "base/siphash.h"

#define SLOTS_MIN 16

struct hashmap {
	size_t key_size;
	size_t slots; /* a power of two, or 0 before the first insertion */
	size_t size;  /* entries */
	size_t used;  /* entries and tombstones: what ends no search */
	void **values;
	uint8_t *keys;
	uint8_t seed[16];
};

/* A removed entry. Nothing moves when one is removed, so iterations go on undisturbed. */
static char tombstone;
#define TOMBSTONE ((void *) &tombstone)

struct hashmap *hashmap_new(size_t key_size)
{
	struct hashmap *map = calloc(1, sizeof(*map));

	assert(key_size > 0);
	if (!map)
		return NULL;
	map->key_size = key_size;
	if (getrandom(map->seed, sizeof(map->seed), 0) != sizeof(map->seed))
		abort();
	return map;
}

struct hashmap *hashmap_free(struct hashmap *map)
{
	if (map) {
		free(map->values);
		free(map->keys);
		free(map);
	}
	return NULL;
}

static uint8_t *key_at(const struct hashmap *map, size_t slot)
{
	return map->keys + slot * map->key_size;
}

static bool is_entry(const struct hashmap *map, size_t slot)
{
	return map->values[slot] && map->values[slot] != TOMBSTONE;
}

/* The slot of the key, or of the first place where it could go. There is always an empty slot. */
static size_t search(const struct hashmap *map, const void *key)
{
	size_t mask = map->slots - 1;
	size_t slot = siphash13(key, map->key_size, map->seed) & mask, vacant = map->slots;

	for (; map->values[slot]; slot = (slot + 1) & mask) {
		if (is_entry(map, slot)) {
			if (memcmp(key_at(map, slot), key, map->key_size) == 0)
				return slot;
		} else if (vacant == map->slots) {
			vacant = slot;
		}
	}
	return vacant < map->slots ? vacant : slot;
}

static void put(struct hashmap *map, size_t slot, const void *key, void *value)
{
	map->used += !map->values[slot];
	map->size++;
	map->values[slot] = value;
	memcpy(key_at(map, slot), key, map->key_size);
}

/* Makes a table in which one more entry leaves a quarter empty, without the tombstones. */
static int grow(struct hashmap *map)
{
	struct hashmap old = *map;
	size_t slots = SLOTS_MIN;

	while (slots / 2 < map->size + 1)
		slots *= 2;
	map->values = calloc(slots, sizeof(*map->values));
	map->keys = reallocarray(NULL, slots, map->key_size);
	if (!map->values || !map->keys) {
		free(map->values);
		free(map->keys);
		*map = old;
		return -ENOMEM;
	}
	map->slots = slots;
	map->size = map->used = 0;

	for (size_t i = 0; i < old.slots; i++)
		if (is_entry(&old, i))
			put(map, search(map, key_at(&old, i)), key_at(&old, i), old.values[i]);
	free(old.values);
	free(old.keys);
	return 0;
}

void *hashmap_find(const struct hashmap *map, const void *key)
{
	size_t slot;

	if (map->size == 0)
		return NULL;
	slot = search(map, key);
	return is_entry(map, slot) ? map->values[slot] : NULL;
}

int hashmap_insert(struct hashmap *map, const void *key, void *value)
{
	size_t slot;
	int r;

	assert(value);
	if (hashmap_find(map, key))
		return -EEXIST;
	if (4 * (map->used + 1) > 3 * map->slots) {
		r = grow(map);
		if (r < 0)
			return r;
	}

	slot = search(map, key);
	put(map, slot, key, value);
	return 0;
}

void *hashmap_remove(struct hashmap *map, const void *key)
{
	size_t mask = map->slots - 1, slot;
	void *value;

	if (map->size == 0)
		return NULL;
	slot = search(map, key);
	if (!is_entry(map, slot))
		return NULL;

	value = map->values[slot];
	map->values[slot] = TOMBSTONE;
	map->size--;
	/* No search passes a tombstone that is followed by an empty slot. */
	while (!map->values[(slot + 1) & mask] && map->values[slot] == TOMBSTONE) {
		map->values[slot] = NULL;
		map->used--;
		slot = (slot - 1) & mask;
	}
	return value;
}

size_t hashmap_size(const struct hashmap *map)
{
	return map->size;
}

/* The next slot in use; the number of slots at the end. */
static size_t next_slot(const struct hashmap *map, size_t *position)
{
	while (*position < map->slots) {
		size_t slot = (*position)++;

		if (is_entry(map, slot))
			return slot;
	}
	return map->slots;
}

void *hashmap_next(const struct hashmap *map, size_t *position)
{
	size_t slot = next_slot(map, position);

	return slot < map->slots ? map->values[slot] : NULL;
}

const void *hashmap_next_key(const struct hashmap *map, size_t *position)
{
	size_t slot = next_slot(map, position);

	return slot < map->slots ? key_at(map, slot) : NULL;
}
