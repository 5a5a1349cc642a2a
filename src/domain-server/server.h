/* The domain-server as one object: gatekeeper, node list, assignments, settings, signalling and
 * status, wired to one event loop. One thread. */
#pragma once

#include <systemd/sd-event.h>

#include "base/macros.h"

struct server;

/* Sockets handed in are owned by the server from server_new() on; -1 = none. */
struct server_options {
	const char *config_path; /* borrowed, like all strings here */
	const char *domain_id;   /* a UUID, or NULL: configured or random */
	const char *admin_path;  /* unix socket to make, or NULL */
	int udp_fd, signalling_fd, http_fd, https_fd, admin_fd;
	int session_fd;                                /* what a predecessor left ("sessions") */
	uint16_t udp_port, signalling_port, http_port; /* 0: as configured, or of the port table */
};

/* Reads the configuration and starts to serve. Logs what is wrong and returns a negative errno. */
int server_new(sd_event *event, const struct server_options *options, struct server **ret);
/* Says goodbye to nobody: nodes notice by silence, as after a crash. */
struct server *server_free(struct server *s);
DEFINE_CLEANUP_FUNC(struct server *, server_free);

/* Reads the configuration again; on an error the running one stays. 0 or -errno. */
int server_reload(struct server *s);
