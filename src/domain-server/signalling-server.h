/* The WebSockets over which browsers negotiate their data channels (protocol 02 section 14.1
 * and 14.2): text messages to and from clients that are known by a label, "a.b.c.d:port". What the
 * messages mean is the owner's business. */
#pragma once

#include <jansson.h>
#include <systemd/sd-event.h>

#include "base/macros.h"
#include "domain-server/certificate.h"
#include "net/addr.h"

struct signalling_server;

/* A text message, not terminated, valid during the call. May send, also to the same client. */
typedef void (*signalling_message_fn)(void *userdata, const struct hifi_addr *label,
				      const char *text, size_t len);

/* Takes the listening socket, also on failure. */
int signalling_server_new(sd_event *event, int fd, signalling_message_fn message, void *userdata,
			  struct signalling_server **ret);
/* From the next connection on: TLS is taken beside plain text when there is a certificate
 * (borrowed, or NULL), and browsers only on pages of these origins ("https://example.org";
 * an empty list: all), which it takes a reference of. */
void signalling_server_configure(struct signalling_server *s, const struct certificate *certificate,
				 const json_t *origins);
struct signalling_server *signalling_server_free(struct signalling_server *s);
DEFINE_CLEANUP_FUNC(struct signalling_server *, signalling_server_free);

/* 0; -ENOTCONN when there is no such client, -ENOBUFS when it does not read what it is sent (it is
 * then disconnected), -ENOMEM. */
int signalling_server_send(struct signalling_server *s, const struct hifi_addr *label,
			   const char *text);

/* Whether its WebSocket is open. */
bool signalling_server_has(const struct signalling_server *s, const struct hifi_addr *label);

/* {"clients": …, "messages_in": …, "tls": {…}, …}, new reference. */
json_t *signalling_server_stats(const struct signalling_server *s);
