/* Shared by crowd.c (who is there) and crowd-frame.c (what they are sent). */
#pragma once

#include "avatar/crowd.h"

struct crowd {
	const struct crowd_ops *ops;
	uint32_t tick;
	struct session_names *names;
	struct hashmap *by_session;
	unsigned n_slots; /* of members, and of every member's pairs */
	struct crowd_member **members; /* NULL where a slot is free */

	/* Reused from frame to frame. */
	struct writer identities, traits;
};

/* All of source is new to the listener whose pair this is. */
void crowd_pair_reset(struct crowd_pair *pair);
