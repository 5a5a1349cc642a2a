/* Shared by crowd.c (who is there), crowd-frame.c (what they are sent), crowd-delivery.c (how), and
 * crowd-outbox.c (from the threads of a frame to the operations). */
#pragma once

#include <stdatomic.h>

#include "avatar/crowd.h"
#include "avatar/priority.h"
#include "base/worker-pool.h"

enum crowd_list {
	CROWD_LIST_FRESH, /* sources of which there is something new */
	CROWD_LIST_DUE,   /* those of them that must not wait much longer */
	CROWD_LIST_TOLD,  /* sources with identities or traits to be told of */
	CROWD_LISTS,
};

/* What one thread needs to serve one listener after the other. */
struct crowd_lane {
	struct record_arena arena;

	/* Of the listener being served; reused from one to the next. */
	float *weights; /* by slot */
	struct {
		unsigned n;
		struct choice *choices;
	} lists[CROWD_LISTS];
	struct writer identities, traits;
};

struct crowd {
	const struct crowd_ops *ops;
	uint32_t tick;
	struct avatar_sorting sorting;
	struct session_names *names;
	struct hashmap *by_session;
	unsigned n_slots; /* of members, and of every member's pairs: whole priority blocks */
	struct crowd_member **members; /* NULL where a slot is free */

	struct priority_block *places; /* by slot, of this frame */

	struct worker_pool *pool;
	unsigned n_lanes; /* one for each thread */
	struct crowd_lane *lanes;
	/* Whom the frame serves, and the first of them that no lane took yet. */
	unsigned n_listeners;
	struct crowd_member **listeners;
	atomic_uint next_listener;
};

/* All of source is new to the listener whose pair this is. */
void crowd_pair_reset(struct crowd_pair *pair);

/* What one listener is sent in one frame. */
struct delivery {
	const struct crowd *crowd; /* what is shared; only read */
	struct crowd_lane *lane;
	struct crowd_member *listener;
	struct vec3 here;     /* the listener */
	size_t budget, spent; /* avatar data, with its headers */
	unsigned n_due;       /* not yet sent anything */
	size_t len;
	uint8_t datagram[AVATAR_DATAGRAM_MAX];
};

/* What a listener is to be sent, in order; handed to the operations when all lanes are done. */
enum outbox_kind {
	OUTBOX_DATA,
	OUTBOX_IDENTITIES,
	OUTBOX_TRAITS,
	OUTBOX_KILL, /* the packet */
};

void outbox_done(struct crowd_outbox *outbox);
/* When memory runs out the outbox takes nothing more, and outbox_send() makes up for it. */
void outbox_add(struct crowd_outbox *outbox, enum outbox_kind kind, struct span payload);
void outbox_send(struct crowd *crowd, struct crowd_member *listener);

/* Identities and traits of the sources listed as CROWD_LIST_TOLD, those that matter most first, and
 * what remains of the budget. */
void delivery_tell(struct delivery *d);
void delivery_add_record(struct delivery *d, const struct avatar_record *record);
void delivery_flush(struct delivery *d);
