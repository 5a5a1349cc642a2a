#include "avatar/record-cache.h"

#include <stdalign.h>
#include <stddef.h>

#define CHUNK_SIZE ((size_t) 64 * 1024)

static_assert(CHUNK_SIZE >= sizeof(struct avatar_record), "any record fits");

/* --- arenas --- */

struct record_chunk {
	struct record_chunk *next;
	size_t len;
	alignas(struct avatar_record) uint8_t bytes[CHUNK_SIZE];
};

void record_arena_clear(struct record_arena *arena)
{
	arena->current = arena->first;
	if (arena->first)
		arena->first->len = 0;
}

void record_arena_done(struct record_arena *arena)
{
	struct record_chunk *chunk = arena->first, *next;

	for (; chunk; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	*arena = (struct record_arena){0};
}

static struct record_chunk *next_chunk(struct record_arena *arena)
{
	struct record_chunk **at = arena->current ? &arena->current->next : &arena->first;

	if (!*at) {
		*at = malloc(sizeof(**at));
		if (!*at)
			return NULL;
		(*at)->next = NULL;
	}
	(*at)->len = 0;
	arena->current = *at;
	return *at;
}

/* Room for a record of any length; it is taken by adding to the chunk's len. */
static struct avatar_record *arena_room(struct record_arena *arena)
{
	struct record_chunk *chunk = arena->current;

	if (!chunk || CHUNK_SIZE - chunk->len < sizeof(struct avatar_record))
		chunk = next_chunk(arena);
	return chunk ? (struct avatar_record *) (void *) (chunk->bytes + chunk->len) : NULL;
}

static size_t stored_size(const struct avatar_record *record)
{
	size_t size = offsetof(struct avatar_record, data) + record->len;

	return (size + alignof(struct avatar_record) - 1) & ~(alignof(struct avatar_record) - 1);
}

/* --- the cache --- */

void record_cache_clear(struct record_cache *cache)
{
	for (unsigned i = 0; i < RECORD_VARIANTS; i++)
		atomic_store_explicit(&cache->records[i], NULL, memory_order_relaxed);
}

static unsigned place_of(const struct avatar_variant *variant, uint32_t tick)
{
	unsigned kind = variant->detail == AVATAR_DETAIL_CHANGED ? variant->detail + variant->tier
								 : variant->detail;
	uint32_t age = tick - variant->since;

	if (variant->since == 0)
		return kind * RECORD_AGES;
	assert(age > 0 && (age & (age - 1)) == 0 && age < AVATAR_KEY_TICKS);
	return kind * RECORD_AGES + 1 + (unsigned) __builtin_ctz(age);
}

const struct avatar_record *record_cache_get(struct record_cache *cache, struct record_arena *arena,
					     const struct avatar_state *state,
					     const struct uuid *session,
					     const struct avatar_variant *variant, uint32_t tick)
{
	_Atomic(const struct avatar_record *) *place = &cache->records[place_of(variant, tick)];
	const struct avatar_record *there = atomic_load_explicit(place, memory_order_acquire);
	struct avatar_record *record;

	if (there)
		return there;
	record = arena_room(arena);
	if (!record)
		return NULL;
	avatar_record_encode(state, session, variant, tick, record);
	if (!atomic_compare_exchange_strong_explicit(place, &there, record, memory_order_acq_rel,
						     memory_order_acquire))
		return there;
	arena->current->len += stored_size(record);
	return record;
}
