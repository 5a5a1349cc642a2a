/* A TCP port for TLS, or for TLS and plain text at once: the first byte tells which. What is
 * accepted reads as plain text either way. */
#pragma once

#include <stdbool.h>
#include <sys/socket.h>

#include <jansson.h>
#include <systemd/sd-event.h>

#include "base/macros.h"
#include "domain-server/certificate.h"

struct tls_listener;

/* Connections that have not come as far as to be accepted. */
#define TLS_ARRIVALS_MAX            512
#define TLS_ARRIVALS_PER_SOURCE_MAX 64 /* an IPv4 address, or an IPv6 network of /64 */

/* A connected, non-blocking socket, to be closed by the callee. */
typedef void (*tls_accept_fn)(void *userdata, int fd, const struct sockaddr *peer,
			      socklen_t peer_len);

struct tls_listener_options {
	int fd;                                /* listening; taken, also on failure */
	const struct certificate *certificate; /* borrowed; NULL: no TLS here */
	bool takes_plain;                      /* else it is told to use https */
	tls_accept_fn accept;
	void *userdata;
	const char *description;
};

int tls_listener_new(sd_event *event, const struct tls_listener_options *options,
		     struct tls_listener **ret);
/* Ends the connections over TLS, too. */
struct tls_listener *tls_listener_free(struct tls_listener *l);
DEFINE_CLEANUP_FUNC(struct tls_listener *, tls_listener_free);

/* Whether TLS is spoken, from the next connection on. */
void tls_listener_set_certificate(struct tls_listener *l, const struct certificate *certificate);

/* {"handshakes": …, "failed": …, "refused": …}, new reference. */
json_t *tls_listener_stats(const struct tls_listener *l);
