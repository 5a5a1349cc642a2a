/* Shared by crowd.c (who is there), crowd-frame.c (what they are sent) and crowd-delivery.c (how).
 */
#pragma once

#include "avatar/crowd.h"
#include "avatar/priority.h"

enum crowd_list {
	CROWD_LIST_FRESH, /* sources of which there is something new */
	CROWD_LIST_DUE,   /* those of them that must not wait much longer */
	CROWD_LIST_TOLD,  /* sources with identities or traits to be told of */
	CROWD_LISTS,
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

	/* Of the listener being served; reused from frame to frame. */
	float *weights; /* by slot */
	struct {
		unsigned n;
		struct choice *choices;
	} lists[CROWD_LISTS];
	struct writer identities, traits;
};

/* All of source is new to the listener whose pair this is. */
void crowd_pair_reset(struct crowd_pair *pair);

/* What one listener is sent in one frame. */
struct delivery {
	struct crowd *crowd;
	struct crowd_member *listener;
	struct vec3 here;     /* the listener */
	size_t budget, spent; /* avatar data, with its headers */
	unsigned n_due;       /* not yet sent anything */
	size_t len;
	uint8_t datagram[AVATAR_DATAGRAM_MAX];
};

/* Identities and traits of the sources listed as CROWD_LIST_TOLD, those that matter most first, and
 * what remains of the budget. */
void delivery_tell(struct delivery *d);
void delivery_add_record(struct delivery *d, const struct avatar_record *record);
void delivery_flush(struct delivery *d);
