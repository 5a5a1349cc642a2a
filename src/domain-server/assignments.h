/* What the domain wants run: a queue of assignments nobody works on yet, and those that some node
 * does (protocol 02 section 11.2). The static ones come from the configuration and return to the
 * queue when their node dies. Pure; it learns the senders' right to ask from elsewhere. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/hats.h"
#include "base/list.h"
#include "base/macros.h"
#include "base/uuid.h"

#define ASSIGNMENTS_MAX        256 /* static ones of a configuration */
#define ASSIGNMENT_VERSION_MAX 64
#define ASSIGNMENT_PAYLOAD_MAX 1024

struct assignment {
	struct uuid id;
	enum hat type;
	char *pool;     /* "" for none */
	char *payload;  /* "--key value" words, or a script's URL; never NULL */
	bool is_static; /* wanted by the present configuration */
	bool is_taken;  /* some node works on it */
	struct list link;
};

/* An assignment offered to one client, under an id of its own. */
struct assignment_offer {
	struct uuid id;
	const struct assignment *assignment;
};

struct assignments;

int assignments_new(struct assignments **ret);
struct assignments *assignments_free(struct assignments *a);
DEFINE_CLEANUP_FUNC(struct assignments *, assignments_free);

/* Makes the static set that of the configuration (its root object): config-<type> lists, or one of
 * each default hat, and scripts.persistent_scripts. What is running and still wanted goes on; what
 * is running and not wanted is not started again; the rest of the queue is replaced. 0, -ENOBUFS
 * (over ASSIGNMENTS_MAX; nothing changed), -ENOMEM. */
int assignments_configure(struct assignments *a, const json_t *config);

/* The first in the queue of that type (or HAT_ANY) and pool ("" = only those without one); it goes
 * to the back and stays on offer. -ENOENT when there is none. */
int assignments_offer(struct assignments *a, unsigned type, const char *pool, const char *version,
		      struct assignment_offer *ret);
/* Was this id given out by an offer (of the last few hundred)? */
bool assignments_was_offered(const struct assignments *a, const struct uuid *offer);
/* A node takes up an offer: the first assignment of the queue with the offered id and that type. It
 * is the node's until assignments_release(). *ret_version is what the client said in its request;
 * valid until the next offer. -ENOENT when it is gone or the type differs. */
int assignments_take(struct assignments *a, const struct uuid *offer, char node_type,
		     struct assignment **ret, const char **ret_version);
/* Its node is gone: a static assignment returns to the queue under a fresh id, another is freed. */
void assignments_release(struct assignments *a, struct assignment *assignment);

/* One that a node works on already, from before this process. It goes on being wanted or not with
 * the next assignments_configure(). 0 or -ENOMEM. */
int assignments_restore(struct assignments *a, const struct uuid *id, enum hat type,
			const char *pool, const char *payload, struct assignment **ret);

/* How many wait for somebody. */
unsigned assignments_queued(const struct assignments *a);
/* {"<uuid>": {"type": "audio-mixer", "pool"?: …}, …} of the queue, new reference. */
json_t *assignments_queue_to_json(const struct assignments *a);
