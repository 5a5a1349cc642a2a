/* Keeps a number of assignment clients running where no service manager does (protocol 02
 * section 11.4): spawns, restarts with back-off, stops. The children are this program again; each
 * tells over a pipe what it wears. Like a service manager it holds each child's UDP socket and what
 * it keeps for a successor, and passes both to that ($LISTEN_FDS, sd_listen_fds(3)). */
#pragma once

#include <stdbool.h>

#include <systemd/sd-event.h>

#include "base/macros.h"

struct monitor;

struct monitor_options {
	unsigned n;               /* children at the start, kept alive */
	unsigned min;             /* elastic: at least this many … */
	unsigned max;             /* … and at most this many; 0: no limit */
	uint16_t port, port_last; /* for the children's sockets; port 0: any */
	bool is_elastic;          /* --min or --max was given: keep one idle child in reserve */
	char **argv; /* the children's command line, NULL-terminated; "--status-fd=N" is added */
};

int monitor_new(sd_event *event, const struct monitor_options *options, struct monitor **ret);
/* Asks the children to stop and waits for them, five seconds at most. */
struct monitor *monitor_free(struct monitor *m);
DEFINE_CLEANUP_FUNC(struct monitor *, monitor_free);
