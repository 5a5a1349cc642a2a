/* Who of ours is, or was, in the domain under which session id; what each sent. So that whoever
 * receives a position or sees an avatar can tell whose it is, when it was sent, and whether it
 * should still be there. */
#pragma once

#include <stdbool.h>

#include "base/hashmap.h"
#include "base/list.h"
#include "base/packed.h"
#include "base/uuid.h"

/* Positions that are remembered, 10 s at 50 Hz. */
#define SESSION_MARKS 512

/* A position that was sent. Its height is the mark's number in the ring: exact in a float, and
 * found again in what the mixer passes on. */
struct session_mark {
	float x, z;
	uint64_t sent_usec;
};

struct session {
	struct uuid id;
	uint32_t serial; /* 1, 2, … in order of joining */
	unsigned client;
	uint64_t left_usec; /* 0: still here */
	unsigned next_mark;
	struct session_mark marks[SESSION_MARKS];
	struct list list;
};

struct sessions {
	struct hashmap *by_id;
	struct list all; /* oldest first */
	uint32_t last_serial;
};

int sessions_init(struct sessions *s);
void sessions_done(struct sessions *s);

/* The client may come back to its own session. 0, -EEXIST for an id that another client has,
 * -ENOMEM. */
int sessions_join(struct sessions *s, const struct uuid *id, unsigned client, struct session **ret);
void sessions_leave(struct session *session, uint64_t now_usec);
/* NULL: none of ours. */
struct session *sessions_find(const struct sessions *s, const struct uuid *id);
/* Forgets those that left so long ago that nobody can have them any more. */
void sessions_sweep(struct sessions *s, uint64_t now_usec);

/* Puts a mark on the position about to be sent. */
struct vec3 session_mark(struct session *session, struct vec3 position, uint64_t now_usec);
/* When that position was sent; 0 when it never was (or too long ago). */
uint64_t session_mark_find(const struct session *session, const struct vec3 *position);
