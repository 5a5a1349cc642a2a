/* What a hat (audio-mixer, avatar-mixer, …) is to the program that wears it. A hat is one object
 * made when an assignment starts and freed when it ends; it registers packet handlers at the
 * endpoint and owns its timers. Everything runs on the loop thread; a hat that uses workers hands
 * them work per frame and takes it back before it returns. */
#pragma once

#include <jansson.h>
#include <systemd/sd-event.h>

#include "base/hats.h"
#include "node/endpoint.h"
#include "node/session-store.h"

/* What a hat is given: copy it in start. What it points to lives as long as the hat. */
struct hat_context {
	sd_event *event;
	struct endpoint *endpoint;
	struct node_list *nodes;
	const char *data_dir;        /* writable state of the hat; created on demand by the hat */
	struct session_store *store; /* for hat_touch(); may be NULL */
};

/* What save_node() would write is not what it was. */
static inline void hat_touch(const struct hat_context *context, struct node *node)
{
	if (context->store)
		session_store_touch_node(context->store, node);
}

#define HAT_NODE_BYTES_MAX (640 * 1024)

struct hat_ops {
	enum hat hat;
	/* Node types it wants to hear of (protocol 02 section 11.3). */
	const char *interest;

	/* settings: the groups of protocol 02 section 10 for this type, borrowed for the call.
	 * Nothing is served before start returns. Negative: the assignment is given up. */
	int (*start)(const struct hat_context *context, const json_t *settings, void **ret);
	/* Takes the handlers away and frees everything; the killed callbacks of all nodes came
	 * before. */
	void (*stop)(void *hat);

	void (*node_added)(void *hat, struct node *node); /* optional */
	void (*node_activated)(void *hat,
			       struct node *node);         /* optional; may come again (redial) */
	void (*node_killed)(void *hat, struct node *node); /* optional; frees node->data */

	/* What a successor in this hat has to know of a node so that the node need not tell it
	 * again, at most HAT_NODE_BYTES_MAX. restore_node comes after node_added; node_activated
	 * does not come. -EBADMSG etc.: the node is forgotten, and comes anew. Optional, both or
	 * neither. A node may have no data. */
	void (*save_node)(void *hat, const struct node *node, struct writer *wr);
	int (*restore_node)(void *hat, struct node *node, struct reader *rd);

	/* The hat's part of NodeJsonStats, once a second; new reference. io_stats is added by the
	 * program. */
	json_t *(*stats)(void *hat);
	/* A few words for STATUS=, such as "42 people, mix p99 3.1 ms". */
	void (*status)(void *hat, char *buf, size_t size);
};

/* NULL when this program does not have the hat. */
const struct hat_ops *hat_ops_find(unsigned assignment_type);
