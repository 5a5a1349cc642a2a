/* WebRTC signalling messages: the JSON objects that clients and the domain-server exchange over the
 * WebSocket, and the domain-server and assignment clients over WebRTCSignaling packets (protocol 02
 * sections 14.3 and 14.4). Decoding is pure; nothing here keeps state.
 */
#pragma once

#include <jansson.h>
#include <stddef.h>

#include "base/macros.h"
#include "net/addr.h"

#define SIGNALLING_MESSAGE_MAX   65536
#define SIGNALLING_ADDRESSES_MAX 16

enum signalling_kind {
	SIGNALLING_OFFER,
	SIGNALLING_ANSWER,
	SIGNALLING_CANDIDATE, /* ICE-lite has no use for it */
	SIGNALLING_ECHO,
	SIGNALLING_REDIAL, /* from an assignment client of ours: its channel to that client is gone
			    */
};

enum signalling_direction {
	SIGNALLING_FROM_CLIENT, /* client → domain-server: "to" is a node type, "from" is ignored */
	SIGNALLING_TO_NODE, /* domain-server → assignment client: the same plus "from", a label */
	SIGNALLING_FROM_NODE, /* assignment client → domain-server (→ client): "from" a type, "to" a
				 label */
};

struct signalling {
	enum signalling_kind kind;
	char node_type;         /* the server end's: 'D', 'M', … */
	struct hifi_addr label; /* the client's, type SOCKET_TYPE_WEBRTC; unset when
				   SIGNALLING_FROM_CLIENT */
	const char
		*text; /* SDP, candidate line or echo text ("" for a redial); borrowed from json */
	json_t *json;  /* the object as it came */
	/* SIGNALLING_TO_NODE, an offer: this machine's addresses, for a node that may not list them
	 * itself. */
	struct hifi_addr addresses[SIGNALLING_ADDRESSES_MAX];
	size_t n_addresses;
};

/* data need not be terminated. -EBADMSG for what is not such a message, -ENOMEM. */
int signalling_decode(const char *data, size_t len, enum signalling_direction direction,
		      struct signalling **ret);
struct signalling *signalling_free(struct signalling *s);
DEFINE_CLEANUP_FUNC(struct signalling *, signalling_free);

/* The message of a client as the domain-server relays it: the object with "from" set to the
 * client's label, and "addresses" to those given, if any. Compact JSON on the heap. 0 or
 * -ENOMEM. */
int signalling_format_relay(const struct signalling *s, const struct hifi_addr *label,
			    const struct hifi_addr *addresses, size_t n_addresses, char **ret);
/* A server's answer to an offer, and its reply to an echo. */
int signalling_format_answer(char node_type, const struct hifi_addr *label, const char *sdp,
			     char **ret);
int signalling_format_echo(char node_type, const struct hifi_addr *label, const char *text,
			   char **ret);

/* "a.b.c.d:port" as the protocol writes labels (IPv4 only, 02 section 14.2). -EBADMSG otherwise. */
int signalling_label_parse(const char *text, struct hifi_addr *ret);
