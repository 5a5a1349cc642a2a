/* Inside of struct endpoint: endpoint.c (packets in and out) and peer.c (the transport state of
 * each address). */
#pragma once

#include "base/hashmap.h"
#include "base/prioq.h"
#include "net/message-assembler.h"
#include "net/reliable-connection.h"
#include "node/endpoint.h"

/* The transport state with one address. Exists only for addresses of known nodes and of the
 * domain-server, so strangers cost nothing. */
struct peer {
	struct endpoint *ep;
	struct hifi_addr addr;
	uint32_t unreliable_seq;                /* of the last packet sent */
	struct reliable_connection *connection; /* made by the first reliable packet either way */
	struct message_assembler *assembler;    /* made by the first part */
	struct prioq_item due;
	struct peer *next_dead;
	int slot; /* in the session store, or -1 */
};

struct handler {
	packet_handler_fn fn;
	void *userdata;
};

struct endpoint {
	struct udp_socket *socket;
	struct webrtc *webrtc;
	struct node_list *nodes;
	struct session_store *store; /* may be NULL */
	const struct endpoint_ops *ops;
	void *userdata;
	bool is_domain_server;
	bool authenticated;
	uint16_t local_id;
	struct hifi_addr domain_addr;
	uint16_t domain_local_id;

	struct handler handlers[PACKET_TYPE_COUNT];
	struct hashmap *peers; /* struct hifi_addr → struct peer */
	struct prioq due;      /* peers by reliable_connection_next_usec() */
	/* Forgotten peers, freed at the end of the loop's turn: a handler that makes us forget the
	 * sender still reads the payload that the sender's assembler holds. */
	struct peer *dead;
	struct message_budget budget;
	uint64_t next_sweep_usec; /* without a loop */
	uint32_t stray_seq;       /* unreliable packets to addresses that are no peers */
	struct drop_counts drops;
	uint64_t now_usec; /* of the batch or timer being handled */

	struct event_io *io;
	sd_event_source *after; /* on while there is something to flush or to arm */
	struct event_oneshot *timer;
	struct event_timer *sweep;
};

/* The peer at addr, made when the address belongs to somebody we know; NULL for a stranger (or out
 * of memory). */
struct peer *peer_get(struct endpoint *ep, const struct hifi_addr *addr);
/* Now it has a connection. 0, -EIO, -ENOMEM. */
int peer_connect(struct peer *peer);
/* After each input to the connection. */
void peer_arm(struct peer *peer);
/* Frees it for good. */
struct peer *peer_free(struct peer *peer);
/* Frees those that endpoint_forget() took away. */
void peers_bury(struct endpoint *ep);
bool peer_is_known_addr(const struct endpoint *ep, const struct hifi_addr *addr);

/* Something is batched, due or dead: look after it when the handlers that are due now are through.
 */
void endpoint_schedule(struct endpoint *ep);
/* One datagram to where the address says. reliable matters to WebRTC only: there SCTP does the work
 * (protocol 01 section 13.1). */
int endpoint_carry(struct endpoint *ep, const struct hifi_addr *to, const struct iovec *iov,
		   unsigned n_iov, bool reliable);
