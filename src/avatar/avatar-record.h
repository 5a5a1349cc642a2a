/* One avatar's part of BulkAvatarData (protocol 04 sections 4 and 12.6). A record is encoded once
 * and copied into the datagrams of every listener it suits; it is cut into pieces, none longer than
 * a datagram, because an avatar with many joints may need several. Each piece is a record by
 * itself.
 */
#pragma once

#include "avatar/avatar-state.h"
#include "base/uuid.h"

#define AVATAR_DATAGRAM_MAX 1440 /* payload of one BulkAvatarData */
/* 255 joints in full and every other section. */
#define AVATAR_PIECES_MAX 3

enum avatar_detail {
	AVATAR_DETAIL_PAL,     /* position and loudness: for the list of people */
	AVATAR_DETAIL_MINIMUM, /* position and all that changed, without joints and what grabs */
	AVATAR_DETAIL_CHANGED, /* position and all that changed */
};

/* Listeners for whom these are the same are sent the same bytes. */
struct avatar_variant {
	enum avatar_detail detail;
	unsigned tier;  /* for AVATAR_DETAIL_CHANGED */
	uint32_t since; /* what changed after this tick; 0: everything */
};

struct avatar_record {
	uint8_t n_pieces;
	uint16_t piece_len[AVATAR_PIECES_MAX];
	uint16_t len; /* of all pieces */
	uint8_t data[AVATAR_PIECES_MAX * AVATAR_DATAGRAM_MAX];
};

/* The state as it is to be shown in tick. */
void avatar_record_encode(const struct avatar_state *state, const struct uuid *session,
			  const struct avatar_variant *variant, uint32_t tick,
			  struct avatar_record *ret);

/* The records of one avatar made in the current tick. Zero-initialise. */
struct avatar_record_cache {
	uint32_t tick;
	unsigned n, variants_allocated;
	struct avatar_cached_variant {
		struct avatar_variant variant;
		size_t at; /* in records */
	} * variants;      /* apart, because they are looked through */
	size_t len, records_allocated;
	uint8_t *records; /* one after the other, only as long as each needs to be */
};

void avatar_record_cache_done(struct avatar_record_cache *cache);
/* The record, from the cache when it was made in this tick before. It stays as it is until the
 * cache is used again; only its first `len` bytes of data exist. NULL when out of memory. */
const struct avatar_record *avatar_record_cache_get(struct avatar_record_cache *cache,
						    const struct avatar_state *state,
						    const struct uuid *session,
						    const struct avatar_variant *variant,
						    uint32_t tick);
