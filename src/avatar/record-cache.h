/* The records of one avatar in the tick being broadcast: each is encoded once, however many
 * listeners it suits, by whichever thread needs it first. No locks: two threads that need the same
 * one at the same moment both encode it, and one's is kept. */
#pragma once

#include <stdatomic.h>

#include "avatar/avatar-record.h"

/* "Everything", or changes since one of avatar_state_since()'s ticks: 1, 2, 4, … ago. */
#define RECORD_AGES     7
#define RECORD_VARIANTS ((2 + AVATAR_TIERS) * RECORD_AGES)

static_assert(1 << (RECORD_AGES - 1) >= AVATAR_KEY_TICKS, "every age has a place");

/* Where one thread's records lie until the next tick. Zero-initialise. */
struct record_arena {
	struct record_chunk *first, *current;
};

void record_arena_clear(struct record_arena *arena);
void record_arena_done(struct record_arena *arena);

struct record_cache {
	_Atomic(const struct avatar_record *) records[RECORD_VARIANTS];
};

/* For a new tick, before any thread asks and before its arenas are cleared. */
void record_cache_clear(struct record_cache *cache);
/* The record, valid until the arenas are cleared; only its first `len` bytes of data exist. NULL
 * when out of memory. Any thread, with an arena of its own. */
const struct avatar_record *record_cache_get(struct record_cache *cache, struct record_arena *arena,
					     const struct avatar_state *state,
					     const struct uuid *session,
					     const struct avatar_variant *variant, uint32_t tick);
