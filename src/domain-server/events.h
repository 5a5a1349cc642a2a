/* One JSON document, told to everybody who watches as it changes: server-sent events (WHATWG HTML
 * section 9.2), "snapshot" with the whole document first, then each second "patch" with what
 * changed (RFC 7396).
 *
 * Without watchers nothing is computed. A watcher who is too slow for a patch is not queued for: it
 * gets a snapshot when it has taken what is under way. */
#pragma once

#include <jansson.h>
#include <systemd/sd-event.h>

#include "base/macros.h"
#include "domain-server/mhd-loop.h"

#define EVENTS_WATCHERS_MAX 16

struct events;

/* document: makes it; a new reference, NULL when out of memory. */
int events_new(sd_event *event, json_t *(*document)(void *userdata), void *userdata,
	       struct events **ret);
/* Ends what is open. Before the HTTP servers whose connections watch. */
struct events *events_free(struct events *e);
DEFINE_CLEANUP_FUNC(struct events *, events_free);

/* The response that makes this connection, one of the loop, watch. NULL when EVENTS_WATCHERS_MAX
 * do, or out of memory. */
struct MHD_Response *events_watch(struct events *e, struct mhd_loop *loop,
				  struct MHD_Connection *connection);
