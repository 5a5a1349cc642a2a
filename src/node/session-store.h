/* What of a process's part in its domain outlives it: who it is, whom it knows, and how far the
 * reliable traffic of each native peer came. The successor goes on under the same identity and
 * nobody notices but by the moment of silence. Kept in a memfd (base/state-file.h) that the service
 * manager or our monitor holds.
 *
 * Nodes are written once per turn of the loop when they changed, peers at every packet. One thread,
 * that of the loop. */
#pragma once

#include <systemd/sd-event.h>

#include "net/reliable-connection.h"
#include "node/node-list.h"

/* A session that nobody worked on for this long is over: the domain-server forgets us, and we whom
 * we know. */
#define SESSION_AGE_MAX_USEC (10 * USEC_PER_SEC)
/* Whoever dies this often within this time of taking a session over dies of the session. */
#define SESSION_TRIES_MAX    3
#define SESSION_SETTLED_USEC (300 * USEC_PER_MSEC)

struct session_store;

struct session_store_options {
	const char *kind;     /* of program, and the version of all that its owner saves */
	unsigned nodes_max;   /* the others are not kept */
	size_t session_bytes; /* at most, of what save_session() */
	size_t node_bytes;    /* … and save_node() write */
};

struct session_ops {
	/* What the owner has to know again of itself. */
	void (*save_session)(void *userdata, struct writer *wr);
	/* … and of a node, beside what struct node says. */
	void (*save_node)(void *userdata, const struct node *node, struct writer *wr);
	/* The node was just added to the list and is active if it can be. Negative: it is not taken
	 * over. */
	int (*restore_node)(void *userdata, struct node *node, struct reader *rd);
};

/* fd: the predecessor's, owned from here on, or -1. When it cannot be used, a log line says why and
 * a new one is begun. options are borrowed for the store's life. 0 or -errno. */
int session_store_new(sd_event *event, int fd, const struct session_store_options *options,
		      struct session_store **ret);
/* What is stored stays. Before the node list goes. */
struct session_store *session_store_free(struct session_store *s);
DEFINE_CLEANUP_FUNC(struct session_store *, session_store_free);

/* For who holds it while we live. */
int session_store_fd(const struct session_store *s);
/* Whether this is another file than the one that was handed in. */
bool session_store_is_new(const struct session_store *s);

/* Whose nodes are kept. Nothing is stored before session_store_touch(). */
void session_store_attach(struct session_store *s, struct node_list *nodes,
			  const struct session_ops *ops, void *userdata);

/* --- taking over --- */

/* What the predecessor's save_session() wrote, if it is to be taken over. */
bool session_store_find(const struct session_store *s, struct span *ret);
/* It is not: forgets all that the predecessor left. */
void session_store_refuse(struct session_store *s);
/* Adds the predecessor's nodes to the list. */
void session_store_restore_nodes(struct session_store *s, uint64_t now_usec);

struct stored_peer {
	struct hifi_addr addr;
	struct span state; /* for reliable_connection_restore() */
	int slot;          /* owned by the caller */
};
/* The next stored peer from *position (0 at first) on. */
bool session_store_next_peer(struct session_store *s, unsigned *position, struct stored_peer *ret);

/* --- while it lasts --- */

/* The session, or the owner's part of a node, changed: it is written at the end of the loop's turn.
 */
void session_store_touch(struct session_store *s);
void session_store_touch_node(struct session_store *s, struct node *node);
/* The session is over; nothing is kept until session_store_touch(). */
void session_store_end(struct session_store *s);
/* Keeps what is stored now, whatever becomes of nodes and peers from here on. */
void session_store_leave(struct session_store *s);
/* Now instead of at the end of the turn. */
void session_store_flush(struct session_store *s);
/* Once a second while all is well. */
void session_store_beat(struct session_store *s, uint64_t now_usec);

/* *slot is -1 at first. */
void session_store_save_peer(struct session_store *s, int *slot, const struct hifi_addr *addr,
			     const struct reliable_connection *connection);
void session_store_forget_peer(struct session_store *s, int *slot);
