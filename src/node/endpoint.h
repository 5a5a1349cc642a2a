/* The network side of one process: one UDP socket shared by native and WebRTC peers, reliable
 * connections, verification, and dispatch to handlers by packet type (protocol 01 sections 2, 8 and
 * 10). Above it nobody knows which transport a peer uses. Runs in an sd-event loop; one thread. */
#pragma once

#include <jansson.h>
#include <systemd/sd-event.h>

#include "net/packet.h"
#include "net/shared-bytes.h"
#include "net/udp-socket.h"
#include "node/node-list.h"
#include "webrtc/webrtc.h"

struct endpoint;
struct session_store;

struct endpoint_options {
	int fd;             /* a bound UDP socket (owned from here on), or -1: bind port */
	uint16_t port;      /* 0: any */
	uint16_t port_last; /* the first free one from port to here; 0: only port */
	bool loopback_only;
	bool is_domain_server; /* verification rules of the domain-server (01 section 10.1) */
	bool with_webrtc;
	/* Where to keep how far reliable traffic came; may be NULL. Outlives the endpoint. */
	struct session_store *store;
};

/* A verified packet or complete message. Everything borrows from the receive path. */
struct received {
	const struct hifi_addr *from;
	struct node *node; /* the source; for non-sourced types the node at that address, or NULL */
	uint8_t type;
	bool is_message; /* an ordered list, put together */
	struct span payload;
	uint64_t now_usec;
};

/* 0 = done; negative = dropped, counted for the reason (drop_reason_of()). May remove nodes,
 * rx->node included. */
typedef int (*packet_handler_fn)(void *userdata, const struct received *rx);

struct endpoint_ops {
	/* A packet whose version byte is not ours, from anyone (the domain-server's denial).
	 * Optional. */
	void (*version_mismatch)(void *userdata, const struct hifi_addr *from,
				 const struct packet *packet);
	/* A WebRTC data channel opened or went away. Optional. */
	void (*channel_opened)(void *userdata, const struct hifi_addr *addr);
	void (*channel_closed)(void *userdata, const struct hifi_addr *addr,
			       enum webrtc_close_reason reason);
};

/* Without a loop (event NULL, for hundreds of endpoints in one process) the caller drives it, see
 * below. */
int endpoint_new(sd_event *event, const struct endpoint_options *options, struct node_list *nodes,
		 const struct endpoint_ops *ops, void *userdata, struct endpoint **ret);
struct endpoint *endpoint_free(struct endpoint *ep);
DEFINE_CLEANUP_FUNC(struct endpoint *, endpoint_free);

/* Without a loop: what to wait for; reads what arrived; does what is due, every 10 ms or so. The
 * latter two send what is batched. */
int endpoint_fd(const struct endpoint *ep);
void endpoint_receive(struct endpoint *ep);
void endpoint_run(struct endpoint *ep);

/* One handler per type; NULL takes it away. */
void endpoint_handle(struct endpoint *ep, enum packet_type type, packet_handler_fn fn,
		     void *userdata);

/* Who we are, from the DomainList (0 before). */
void endpoint_set_local_id(struct endpoint *ep, uint16_t local_id);
/* Whether hashes are made and checked (DomainList's isAuthenticated); on at first. */
void endpoint_set_authenticated(struct endpoint *ep, bool authenticated);
/* The domain-server, as a peer that is not in the node list; NULL: none. Reliable traffic with it
 * is accepted, and domain-sourced types with its local id. */
void endpoint_set_domain_server(struct endpoint *ep, const struct hifi_addr *addr,
				uint16_t local_id);

/* --- sending --- */

/* Unreliable packet to an address, without a hash. */
int endpoint_send(struct endpoint *ep, const struct hifi_addr *to, enum packet_type type,
		  struct span payload);
/* Reliable packet or ordered message to an address that belongs to a node or is the domain-server.
 */
int endpoint_send_reliable(struct endpoint *ep, const struct hifi_addr *to, enum packet_type type,
			   struct span payload);
int endpoint_send_message(struct endpoint *ep, const struct hifi_addr *to, enum packet_type type,
			  struct span payload);

/* The same to a node's active address, signed with the pair's secret. -ENOTCONN without an active
 * address. */
int endpoint_send_node(struct endpoint *ep, struct node *node, enum packet_type type,
		       struct span payload);
/* The payload in pieces, for records shared by many receivers. */
int endpoint_send_node_pieces(struct endpoint *ep, struct node *node, enum packet_type type,
			      const struct span *pieces, size_t n_pieces);
int endpoint_send_node_reliable(struct endpoint *ep, struct node *node, enum packet_type type,
				struct span payload);
int endpoint_send_node_message(struct endpoint *ep, struct node *node, enum packet_type type,
			       struct shared_bytes *payload);
/* To one of the node's addresses that is not active (pings). */
int endpoint_send_node_at(struct endpoint *ep, struct node *node, const struct hifi_addr *to,
			  enum packet_type type, struct span payload);
/* Bytes of reliable payload to this node that were not acknowledged yet. */
size_t endpoint_queued_bytes(const struct endpoint *ep, const struct node *node);
/* Bytes of all kinds that the node's WebRTC channel has still to carry; 0 for a native node. */
size_t endpoint_channel_backlog(const struct endpoint *ep, const struct node *node);
/* Sends what is batched now (otherwise it leaves at the end of the loop's turn). */
void endpoint_flush(struct endpoint *ep);

/* --- peers --- */

/* Forgets all transport state with this address. */
void endpoint_forget(struct endpoint *ep, const struct hifi_addr *addr);
/* Takes over the predecessor's reliable traffic with everybody we know now: after their nodes and
 * the domain-server were restored. */
void endpoint_restore_peers(struct endpoint *ep);
/* Closes a WebRTC channel from our side. */
void endpoint_close_channel(struct endpoint *ep, const struct hifi_addr *addr);
/* The open channel with this label, or an unset address. */
struct hifi_addr endpoint_find_channel(const struct endpoint *ep, const struct hifi_addr *label);
/* Where packets of this peer really come from: the ICE-validated UDP address for a WebRTC peer,
 * addr itself for a native one. Use it for every check of an IP. */
struct hifi_addr endpoint_transport_addr(const struct endpoint *ep, const struct hifi_addr *addr);
/* Where answers to offers say that we are, in place of what this machine's interfaces have. */
void endpoint_set_addresses(struct endpoint *ep, const struct hifi_addr *addresses, size_t n);
/* An SDP offer from that label; *ret is the answer, caller frees. */
int endpoint_offer(struct endpoint *ep, const struct hifi_addr *label, const char *sdp, char **ret);

struct webrtc *endpoint_webrtc(const struct endpoint *ep); /* NULL without WebRTC */
uint16_t endpoint_port(const struct endpoint *ep);
/* Counts a drop that a caller above decided. node may be NULL. */
void endpoint_count_drop(struct endpoint *ep, struct node *node, enum drop_reason reason);
/* {"received": …, "drops": {…}, "kernel_drops": …, "webrtc": {…}}, new reference. */
json_t *endpoint_stats(const struct endpoint *ep);
const struct drop_counts *endpoint_drops(const struct endpoint *ep);
const struct udp_socket_stats *endpoint_udp_stats(const struct endpoint *ep);
