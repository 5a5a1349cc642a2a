/* What the avatar-mixer sends, as a client reads it (protocol 04 sections 4 to 8): simulated
 * clients and tests. Pure; spans borrow from the payload.
 *
 * The _next functions take the next item of a list: 1; 0 at the end; -EBADMSG, and the rest of the
 * list is lost; -ENOMEM. */
#pragma once

#include "avatar/avatar-data.h"
#include "avatar/avatar-packets.h"
#include "avatar/traits.h"

/* A record of BulkAvatarData. */
int avatar_bulk_next(struct reader *rd, struct uuid *ret_session, struct avatar_data *ret);

/* A record of AvatarIdentity. */
struct avatar_identity_record {
	struct uuid session;
	uint32_t sequence;
	uint32_t flags;
	char *display_name, *session_name; /* "" when null */
};

void avatar_identity_record_done(struct avatar_identity_record *record);
int avatar_identity_next(struct reader *rd, struct avatar_identity_record *ret);

/* BulkAvatarTraits: its number, then for each avatar the traits of its block. */
struct avatar_bulk_trait {
	struct uuid session;
	int32_t version;
	struct avatar_trait trait;
	bool in_block; /* the avatar has more */
};

int64_t avatar_bulk_traits_begin(struct reader *rd);
/* *trait is zero-initialised before the first call and carries the avatar from one to the next. */
int avatar_bulk_trait_next(struct reader *rd, struct avatar_bulk_trait *trait);

/* KillAvatar: exactly a UUID and a reason. */
int avatar_kill_decode(struct span payload, struct uuid *ret_session,
		       enum avatar_kill_reason *ret_reason);
