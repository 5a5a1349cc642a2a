/* One assignment client: a socket, its life with the domain-server, and the hat it wears at the
 * moment. */
#pragma once

#include <systemd/sd-event.h>

#include "base/macros.h"
#include "net/addr.h"

struct worker;

struct worker_options {
	struct hifi_addr domain;
	unsigned assignment_type; /* enum hat, or HAT_ANY */
	const char *pool;         /* may be NULL */
	int fd;                   /* bound UDP socket, or -1: bind port */
	uint16_t port;            /* 0: any */
	uint16_t port_last;       /* the first free one from port to here; 0: only port */
	int session_fd; /* what a predecessor left ("sessions"), or -1; owned from here on */
	const char *data_dir;
	/* Where the monitor wants to hear what we wear (one byte per change), or -1. */
	int status_fd;
};

/* A file like those that workers keep for their successors, for who wants to hold it: a new
 * descriptor, or -errno. */
int worker_session_fd_new(sd_event *event);

/* Strings are borrowed for the worker's life. */
int worker_new(sd_event *event, const struct worker_options *options, struct worker **ret);
/* Says goodbye to the domain-server. */
struct worker *worker_free(struct worker *w);
DEFINE_CLEANUP_FUNC(struct worker *, worker_free);

/* Whether a predecessor's assignment goes on. */
bool worker_is_assigned(const struct worker *w);
/* Ends the process at once, as a kill does, for a successor that takes the session over. */
_Noreturn void worker_hand_over(struct worker *w);
