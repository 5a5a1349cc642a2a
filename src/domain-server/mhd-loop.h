/* A libmicrohttpd daemon in our event loop: no thread of its own, its epoll descriptor and its
 * timeout as event sources. */
#pragma once

#include <microhttpd.h>
#include <systemd/sd-event.h>

#include "base/macros.h"

struct mhd_loop;

struct mhd_loop_options {
	int fd; /* a listening socket; owned from here on, also on failure; -1: none */
	unsigned max_connections;
	unsigned max_per_ip; /* 0: no limit */
	unsigned timeout_sec;
	MHD_AccessHandlerCallback handler;
	MHD_RequestCompletedCallback completed; /* may be NULL */
	void *userdata;                         /* of both */
	const char *description;
};

int mhd_loop_new(sd_event *event, const struct mhd_loop_options *options, struct mhd_loop **ret);
/* Takes a connected, non-blocking socket. peer is what limits per address go by. */
void mhd_loop_add(struct mhd_loop *m, int fd, const struct sockaddr *peer, socklen_t peer_len);
/* Every upgraded connection must have been closed before. */
struct mhd_loop *mhd_loop_free(struct mhd_loop *m);
DEFINE_CLEANUP_FUNC(struct mhd_loop *, mhd_loop_free);

/* Lets the daemon work at the next turn of the loop: after something was done to a connection from
 * outside its callbacks. */
void mhd_loop_wake(struct mhd_loop *m);
