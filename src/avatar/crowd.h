/* Everybody's avatars, and who is told what of whom: the engine of the avatar-mixer (protocol 04
 * sections 6, 8.3, 9 and 12). The owner feeds what members send into their parts and calls
 * crowd_frame() for each broadcast; what has to be sent comes back through the operations. Pure: no
 * sockets, no clock.
 *
 * Called from one thread; crowd_frame() shares listeners out to threads of its own and is done with
 * them when it returns. Time is the frame's number (avatar-state.h).
 */
#pragma once

#include "avatar/avatar-packets.h"
#include "avatar/identity.h"
#include "avatar/record-cache.h"
#include "avatar/traits.h"
#include "base/hashmap.h"

#define CROWD_IGNORED_MAX 4096
/* What a frame may send to a listener unless its owner says otherwise: 5 Mbit/s, the default of
 * upstream's setting. */
#define CROWD_BUDGET_DEFAULT (5000 * 125 / AVATAR_TICKS_PER_SECOND)
/* Counted for each datagram: IP, UDP, the packet's header and its hash. */
#define CROWD_DATAGRAM_OVERHEAD 54
/* Upstream's own loop could not take more either; the excess is refused. */
#define CROWD_PACKETS_PER_FRAME_MAX 16

struct crowd;

enum crowd_sight {
	CROWD_SIGHT_NONE,
	CROWD_SIGHT_PAL, /* only because the list of people is open */
	CROWD_SIGHT_FULL,
};

/* What a listener knows of another member. */
struct crowd_pair {
	uint32_t sent_tick; /* avatar data; 0: nothing yet */
	uint32_t pose_tick; /* with joints; 0: not yet */
	uint8_t tier;       /* of those joints */
	uint32_t identity_tick;
	struct avatar_trait_listener traits;
	bool ignores, ignored_by;
	bool in_bubble;

	/* Of the frame being made. */
	bool is_due;
	enum crowd_sight sight;
};

/* Since the owner cleared them. */
struct crowd_counts {
	uint32_t data_packets, data_bytes; /* in */
	uint32_t out_of_order;
	uint32_t sent_records, sent_data_bytes, sent_identity_bytes, sent_traits_bytes;
	uint32_t starved; /* nothing new of a source in a frame */
	uint32_t skipped; /* something new, but the budget was spent */
	uint32_t reduced; /* records without joints for the same reason */
	uint32_t last_frame_records, last_frame_seen;
};

/* What the frame being made has for a listener (crowd-outbox.c). */
struct crowd_outbox {
	uint8_t *data;
	size_t len, allocated;
	bool failed;
};

struct crowd_member {
	/* Set when it joins. */
	struct uuid session;
	void *peer;
	bool is_source; /* has an avatar; others only listen */

	/* The owner's to change before each frame. */
	bool can_listen; /* somebody is there to send to */
	bool can_kick;
	unsigned budget_bytes; /* of a frame */

	/* Nothing is sent to who never spoke (protocol 04 section 11); reset by crowd_depart(). */
	bool present;
	bool bubble, pal; /* change pal by crowd_set_pal() */
	unsigned frame_packets;
	struct avatar_state state;
	struct avatar_identity identity;
	struct avatar_traits traits;
	struct avatar_query query;

	struct crowd_counts counts;

	/* The crowd's own. */
	unsigned index;
	struct hashmap *ignored;  /* UUIDs, known members or not */
	struct crowd_pair *pairs; /* what it is told of others, by index */
	int64_t traits_message;   /* number of the last */
	uint32_t identity_tick;   /* of the identity that others are told */
	unsigned identity_debt;   /* ticks, see show_identity() */
	/* Bytes sent that later budgets still have to pay. */
	size_t message_debt, data_debt;
	struct record_cache records; /* of it, in the frame being made */
	struct crowd_outbox outbox;
};

struct crowd_ops {
	/* One BulkAvatarData datagram; may be lost. */
	void (*send_data)(void *peer, struct span payload);
	/* AvatarIdentity and BulkAvatarTraits messages. Negative: was not sent and will be made
	 * again. */
	int (*send_identities)(void *peer, struct span message);
	int (*send_traits)(void *peer, struct span message);
	void (*send_kill)(void *peer, const struct uuid *session, enum avatar_kill_reason reason);
};

/* ops is borrowed; its functions are called by the caller's thread only. threads: that work on a
 * frame, the caller's included. 0, -ENOMEM, or why a thread cannot be started. */
int crowd_new(const struct crowd_ops *ops, unsigned threads, struct crowd **ret);
/* With all its members. */
struct crowd *crowd_free(struct crowd *crowd);
DEFINE_CLEANUP_FUNC(struct crowd *, crowd_free);

/* The number of the coming frame: what arrives now belongs to it. */
uint32_t crowd_tick(const struct crowd *crowd);
struct session_names *crowd_names(struct crowd *crowd);
/* What makes an avatar come first; upstream's values at first. */
void crowd_set_sorting(struct crowd *crowd, const struct avatar_sorting *sorting);

/* peer: what operations for this member are given. -EEXIST, -ENOMEM. */
int crowd_join(struct crowd *crowd, const struct uuid *session, void *peer, bool is_source,
	       struct crowd_member **ret);
/* Forgets and frees the member. Nobody is told: the owner also knows whom the crowd does not. */
void crowd_leave(struct crowd *crowd, struct crowd_member *member);
/* The member stops being an avatar, but stays and may start over; whom it ignores is kept. */
void crowd_depart(struct crowd *crowd, struct crowd_member *member);
/* The member lost all it was told, and is told again. */
void crowd_forget_told(struct crowd *crowd, struct crowd_member *member);

/* Merges an AvatarData packet. -EBADMSG, -ESTALE, -ENOBUFS when there are too many in this frame,
 * -ENOMEM. */
int crowd_receive_data(struct crowd *crowd, struct crowd_member *member, struct span packet);
/* Starts or ends ignoring one session. -EPERM for oneself and nobody, -ENOBUFS, -ENOMEM. */
int crowd_ignore(struct crowd *crowd, struct crowd_member *member, const struct uuid *session,
		 bool add);
/* Whether the list of people is open: then also those are shown who otherwise would not be. */
void crowd_set_pal(struct crowd *crowd, struct crowd_member *member, bool on);
/* BulkAvatarTraitsAck. */
void crowd_acknowledge_traits(struct crowd *crowd, struct crowd_member *member, int64_t message);

/* For a successor of the owner, and its reading of it, for a member that just joined and before the
 * next frame. -EBADMSG, -EPERM, -ENOBUFS, -ENOMEM: the member is to leave. */
void crowd_member_save(const struct crowd_member *member, struct writer *wr);
int crowd_member_restore(struct crowd *crowd, struct crowd_member *member, struct reader *rd);

/* Sends everybody what is new and fits into its budget, and counts the frame. Returns how many were
 * served.
 *
 * When not all fits, who matters most to a listener keeps its rate; the others take turns, with
 * records without joints in between, so that nobody is missing. */
unsigned crowd_frame(struct crowd *crowd);

/* Members in no particular order, from *position (0 at first) on; NULL at the end. */
struct crowd_member *crowd_next(const struct crowd *crowd, unsigned *position);
#define crowd_for_each(member, crowd) \
	for (unsigned _position = 0; ((member) = crowd_next((crowd), &_position));)
