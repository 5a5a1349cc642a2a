/* Avatar traits: what changes slowly and is sent reliably (protocol 04 section 8), and who was told
 * what.
 *
 * Deleted instances leave nothing behind in an avatar's traits: a listener's own record of what it
 * was sent tells what it must be told to delete.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "avatar/model-whitelist.h"
#include "base/bytes.h"

#define AVATAR_TRAITS_BYTES_MAX   (512 * 1024) /* of all values of one avatar */
#define AVATAR_TRAIT_VERSION_MAX  (INT32_MAX / 2)
#define AVATAR_TRAIT_ENTITIES_MAX 42
#define AVATAR_TRAIT_GRABS_MAX    6
#define AVATAR_TRAIT_VALUES_MAX   (2 + AVATAR_TRAIT_ENTITIES_MAX + AVATAR_TRAIT_GRABS_MAX)
/* Per listener and avatar, roughly: what it has, and deletions it did not acknowledge. */
#define AVATAR_TRAIT_SENT_MAX (2 * AVATAR_TRAIT_VALUES_MAX)

enum avatar_trait_type {
	AVATAR_TRAIT_END = -1,
	AVATAR_TRAIT_SKELETON_URL = 0,
	AVATAR_TRAIT_SKELETON_DATA = 1,
	AVATAR_TRAIT_ENTITY = 2,
	AVATAR_TRAIT_GRAB = 3,
	AVATAR_TRAIT_TYPES,
};

/* The two last types have instances. */
static inline bool avatar_trait_is_instanced(enum avatar_trait_type type)
{
	return type >= AVATAR_TRAIT_ENTITY;
}

struct avatar_trait_id {
	enum avatar_trait_type type;
	struct uuid instance; /* null for simple traits */
};

/* --- SetAvatarTraits --- */

struct avatar_trait {
	struct avatar_trait_id id;
	bool deleted;
	struct span value;
};

/* The next trait of a message whose version was read. 1; 0 at the end; -EBADMSG, and the rest of
 * the message is lost. */
int avatar_trait_decode(struct reader *rd, struct avatar_trait *ret);
/* What follows the type, in these messages and in those of the mixer. 1 or -EBADMSG. */
int avatar_trait_read(struct reader *rd, int8_t type, struct avatar_trait *ret);
/* The packet that tells a client which model it has instead of the one it chose in that version. */
void avatar_trait_override_write(struct writer *wr, int32_t version, struct span url);

/* --- what an avatar has --- */

struct avatar_trait_value {
	struct avatar_trait_id id;
	int32_t version;
	uint16_t len;
	uint8_t *data;
};

struct avatar_traits {
	int32_t in_version; /* of the client's newest message */
	int32_t version;    /* what listeners are told: the same, but never going back */
	uint32_t changed_tick;
	size_t bytes;
	unsigned n;
	struct avatar_trait_value *values;
};

void avatar_traits_done(struct avatar_traits *traits);

struct avatar_trait_rules {
	bool may_have_entities;                  /* may rez avatar entities */
	const struct model_whitelist *whitelist; /* NULL: every model */
	const char *replacement;                 /* URL of the model instead; "": the default one */
};

/* Takes what is new from a SetAvatarTraits message. Traits before a malformed one stay; those over
 * a limit are left out. *ret_replaced: the model was replaced, and the client should be told. 0,
 * -EBADMSG, -ENOMEM. */
int avatar_traits_apply(struct avatar_traits *traits, const void *data, size_t len,
			const struct avatar_trait_rules *rules, uint32_t tick, bool *ret_replaced);
/* For a successor, and its reading of it: everybody is told again, which means nothing to who has
 * these versions already. 0, -EBADMSG, -ENOBUFS, -ENOMEM. */
void avatar_traits_save(const struct avatar_traits *traits, struct writer *wr);
int avatar_traits_restore(struct avatar_traits *traits, struct reader *rd, uint32_t tick);
/* When the permission was lost. */
void avatar_traits_drop_entities(struct avatar_traits *traits, uint32_t tick);

/* --- what one listener was told about one avatar --- */

struct avatar_trait_sent {
	struct avatar_trait_id id;
	int32_t version;
	bool deleted;
	int64_t message; /* in flight in this one; 0: acknowledged */
};

/* Zero-initialise: nothing was sent. */
struct avatar_trait_listener {
	uint32_t seen_tick; /* changes up to here are sent */
	uint8_t n, allocated;
	struct avatar_trait_sent *sent;
};

/* Forgets everything, so that all is sent again. */
void avatar_trait_listener_reset(struct avatar_trait_listener *listener);

/* Appends the avatar's block to BulkAvatarTraits message number `message` when there is something
 * the listener has to be told and nothing about the same trait is in flight. Returns whether it
 * did. */
bool avatar_traits_write(const struct avatar_traits *traits, const struct uuid *session,
			 struct avatar_trait_listener *listener, int64_t message, uint32_t tick,
			 struct writer *wr);
/* The listener has the message. */
void avatar_trait_listener_acknowledge(struct avatar_trait_listener *listener, int64_t message);
/* The message was never sent. */
void avatar_trait_listener_lost(struct avatar_trait_listener *listener, int64_t message);
