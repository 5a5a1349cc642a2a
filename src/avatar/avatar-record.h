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
