#include "node/endpoint-internal.h"

#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>

#include "base/clock.h"
#include "base/event.h"
#include "base/log.h"

/* Batches of one turn of the loop: frame timers must not wait behind a flood. */
#define RECEIVE_BATCHES 8

/* Parts of messages held for all peers together. */
#define ASSEMBLY_MAX (256 * 1024 * 1024)
/* A wider gap between unreliable packets is no loss. */
#define SEQ_GAP_MAX         4096
#define SWEEP_INTERVAL_USEC (5 * USEC_PER_SEC)

void endpoint_schedule(struct endpoint *ep)
{
	if (ep->after)
		(void) sd_event_source_set_enabled(ep->after, SD_EVENT_ONESHOT);
}

int endpoint_carry(struct endpoint *ep, const struct hifi_addr *to, const struct iovec *iov,
		   unsigned n_iov, bool reliable)
{
	endpoint_schedule(ep);
	if (to->type == SOCKET_TYPE_WEBRTC)
		return ep->webrtc ? webrtc_send(ep->webrtc, to, iov, n_iov, reliable, ep->now_usec)
				  : -ENOTCONN;
	return udp_socket_send(ep->socket, to, iov, n_iov);
}

/* --- receiving --- */

void endpoint_count_drop(struct endpoint *ep, struct node *node, enum drop_reason reason)
{
	ep->drops.n[reason]++;
	if (node)
		node->drops.n[reason]++;
}

static bool node_has_addr(const struct node *node, const struct hifi_addr *addr)
{
	if (node_is_web(node))
		return hifi_addr_same_label(&node->public_addr, addr);
	return hifi_addr_equal(&node->active, addr) || hifi_addr_equal(&node->public_addr, addr) ||
	       hifi_addr_equal(&node->local_addr, addr) ||
	       hifi_addr_equal(&node->symmetric_addr, addr);
}

/* Protocol 01 section 10.1, after the version. Returns a drop reason, or -1 for a good packet. */
static int check_source(const struct endpoint *ep, const struct hifi_addr *from,
			const struct packet *packet, const struct node *node)
{
	unsigned flags = packet->info->flags;

	if (!packet_flags_sourced(flags))
		return -1;
	if (!node)
		return flags & PACKET_DOMAIN_SOURCED && hifi_addr_equal(from, &ep->domain_addr) &&
				       packet->source == ep->domain_local_id
			       ? -1
			       : DROP_SOURCE;
	if (ep->is_domain_server) {
		/* The domain-server shares no secret with anybody: the address is the proof. */
		if (!hifi_addr_equal(from, &node->active))
			return DROP_ADDRESS;
		return packet_flags_verified(flags) && !(flags & PACKET_DS_HASH_IGNORED) ? DROP_HASH
											 : -1;
	}
	if (!packet_flags_verified(flags) || !ep->authenticated)
		return node_has_addr(node, from) ? -1 : DROP_ADDRESS;
	if (!node->has_secret || !hmac_verify(&node->key, packet->payload, packet->hash))
		return DROP_HASH;
	return -1;
}

static void deliver(struct endpoint *ep, const struct hifi_addr *from, struct node *node,
		    const struct packet *packet, struct span payload, bool is_message)
{
	const struct handler *handler = &ep->handlers[packet->type];
	struct received rx = {
		.from = from,
		.node = node,
		.type = packet->type,
		.is_message = is_message,
		.payload = payload,
		.now_usec = ep->now_usec,
	};
	struct uuid uuid = node ? node->uuid : UUID_NULL;
	int r;

	if (!handler->fn) {
		endpoint_count_drop(ep, node, DROP_UNHANDLED);
		return;
	}

	r = handler->fn(handler->userdata, &rx);
	if (r < 0) {
		/* The handler may have removed the node. */
		node = node_list_find(ep->nodes, &uuid);
		endpoint_count_drop(ep, node, drop_reason_of(r));
		log_debug("%s from %s dropped: %s", packet_type_name(packet->type),
			  HIFI_ADDR_TEXT(from), drop_reason_name(drop_reason_of(r)));
	}
}

static void receive_part(struct endpoint *ep, struct peer *peer, struct node *node,
			 const struct packet *packet)
{
	struct hifi_addr from = peer->addr;
	struct packet first;
	struct span whole;
	int r;

	if (!peer->assembler && message_assembler_new(&ep->budget, &peer->assembler) < 0) {
		endpoint_count_drop(ep, node, DROP_MESSAGE);
		return;
	}

	r = message_assembler_add(peer->assembler, packet, ep->now_usec, &whole, &first);
	if (r < 0)
		endpoint_count_drop(ep, node, DROP_MESSAGE);
	else if (r > 0)
		deliver(ep, &from, node, &first, whole, true);
}

/* Unreliable packets of a peer are numbered without gaps (protocol 01 section 5). What comes late
 * was counted as lost before; a number that is far off is another beginning. */
static void count_lost(struct node_traffic *traffic, uint32_t seq)
{
	bool is_ahead = seq_less(traffic->last_seq, seq);
	uint32_t distance =
		is_ahead ? seq_sub(seq, traffic->last_seq) : seq_sub(traffic->last_seq, seq);

	if (!traffic->has_seq || distance > SEQ_GAP_MAX) {
		traffic->has_seq = true;
		traffic->last_seq = seq;
	} else if (is_ahead) {
		traffic->packets_lost += distance - 1;
		traffic->last_seq = seq;
	} else if (distance > 0 && traffic->packets_lost > 0) {
		traffic->packets_lost--;
	}
}

static void receive_data(struct endpoint *ep, const struct hifi_addr *from, struct packet *packet)
{
	struct node *node = packet_flags_sourced(packet->info->flags)
				    ? node_list_find_by_id(ep->nodes, packet->source)
				    : node_list_find_by_addr(ep->nodes, from);
	struct peer *peer;
	int reason;

	if (packet->version != packet->info->version[node ? node->dialect : DIALECT_VIRCADIA]) {
		endpoint_count_drop(ep, node, DROP_VERSION);
		if (ep->ops->version_mismatch)
			ep->ops->version_mismatch(ep->userdata, from, packet);
		return;
	}

	reason = check_source(ep, from, packet, node);
	if (reason >= 0) {
		/* Not charged to the node: anybody can write its id into a packet. */
		endpoint_count_drop(ep, NULL, (enum drop_reason) reason);
		return;
	}
	if (node) {
		node->heard_usec = ep->now_usec;
		node->traffic.packets_in++;
		node->traffic.bytes_in += packet->payload.len;
	}

	if (!packet->udt.reliable) {
		if (node)
			count_lost(&node->traffic, packet->udt.seq);
		deliver(ep, from, node, packet, packet->payload, false);
		return;
	}

	peer = peer_get(ep, from);
	if (!peer || peer_connect(peer) < 0) {
		endpoint_count_drop(ep, node, DROP_HANDSHAKE);
		return;
	}
	if (reliable_connection_receive_data(peer->connection, packet->udt.seq, ep->now_usec)) {
		peer_arm(peer);
		if (packet->udt.in_message)
			receive_part(ep, peer, node, packet);
		else
			deliver(ep, from, node, packet, packet->payload, false);
	} else {
		endpoint_count_drop(ep, node, DROP_DUPLICATE);
	}
}

static void receive_control(struct endpoint *ep, const struct hifi_addr *from, const uint8_t *data,
			    size_t len)
{
	struct control_packet control;
	struct peer *peer;

	if (control_decode(data, len, &control) < 0) {
		endpoint_count_drop(ep, NULL, DROP_HEADER);
		return;
	}
	peer = peer_get(ep, from);
	if (!peer || peer_connect(peer) < 0) {
		endpoint_count_drop(ep, NULL, DROP_SOURCE);
		return;
	}
	reliable_connection_receive_control(peer->connection, &control, ep->now_usec);
	peer_arm(peer);
}

/* One datagram of the protocol, whatever carried it. */
static void receive_datagram(struct endpoint *ep, const struct hifi_addr *from, uint8_t *data,
			     size_t len)
{
	struct packet packet;

	if (len < PACKET_UDT_LEN || len > PACKET_MAX) {
		endpoint_count_drop(ep, NULL, DROP_SHORT);
	} else if (datagram_is_control(data)) {
		receive_control(ep, from, data, len);
	} else if (packet_decode(data, len, from->type == SOCKET_TYPE_WEBRTC, &packet) < 0) {
		endpoint_count_drop(ep, NULL, DROP_HEADER);
	} else {
		receive_data(ep, from, &packet);
	}
}

static void on_udp(void *userdata, const struct hifi_addr *from, uint8_t *data, size_t len,
		   uint64_t now_usec)
{
	struct endpoint *ep = userdata;

	ep->now_usec = now_usec;
	if (ep->webrtc && webrtc_input(ep->webrtc, from, data, len, now_usec) != WEBRTC_NATIVE)
		return;
	receive_datagram(ep, from, data, len);
}

static void on_readable(uint32_t revents, void *userdata)
{
	struct endpoint *ep = userdata;

	(void) udp_socket_receive(ep->socket, RECEIVE_BATCHES, on_udp, ep);
	endpoint_schedule(ep);
}

int endpoint_fd(const struct endpoint *ep)
{
	return udp_socket_fd(ep->socket);
}

void endpoint_receive(struct endpoint *ep)
{
	on_readable(0, ep);
	peers_bury(ep);
	udp_socket_flush(ep->socket);
}

/* --- WebRTC --- */

static void on_webrtc_send(void *userdata, const struct hifi_addr *to, const void *data, size_t len)
{
	struct endpoint *ep = userdata;

	(void) udp_socket_send(ep->socket, to, &(struct iovec){(void *) data, len}, 1);
}

static void on_channel_open(void *userdata, const struct hifi_addr *addr,
			    const struct hifi_addr *udp_from)
{
	struct endpoint *ep = userdata;

	if (ep->ops->channel_opened)
		ep->ops->channel_opened(ep->userdata, addr);
}

static void on_channel_closed(void *userdata, const struct hifi_addr *addr,
			      enum webrtc_close_reason reason)
{
	struct endpoint *ep = userdata;

	log_debug("WebRTC channel %s closed: %s", HIFI_ADDR_TEXT(addr),
		  webrtc_close_reason_name(reason));
	endpoint_forget(ep, addr);
	if (ep->ops->channel_closed)
		ep->ops->channel_closed(ep->userdata, addr, reason);
}

static void on_webrtc_datagram(void *userdata, const struct hifi_addr *addr, uint8_t *data,
			       size_t len, uint64_t now_usec)
{
	struct endpoint *ep = userdata;

	ep->now_usec = now_usec;
	receive_datagram(ep, addr, data, len);
}

static void on_writable(void *userdata, const struct hifi_addr *addr)
{
	struct endpoint *ep = userdata;
	struct peer *peer = hashmap_find(ep->peers, addr);

	if (peer && peer->connection) {
		reliable_connection_run(peer->connection, ep->now_usec);
		peer_arm(peer);
	}
}

static const struct webrtc_ops webrtc_ops = {
	.send = on_webrtc_send,
	.channel_open = on_channel_open,
	.channel_closed = on_channel_closed,
	.datagram = on_webrtc_datagram,
	.writable = on_writable,
};

/* The addresses browsers are told: configured ones first, then this machine's. */
static int start_webrtc(struct endpoint *ep, const struct endpoint_options *options)
{
	struct webrtc_options webrtc_options = {.port = udp_socket_port(ep->socket)};
	struct hifi_addr addresses[WEBRTC_CANDIDATES_MAX];
	int r;

	r = webrtc_new(&webrtc_options, &webrtc_ops, ep, &ep->webrtc);
	if (r < 0)
		return r;

	/* In a sandbox without network nobody can tell; then offers bring them. */
	r = webrtc_local_addresses(true, addresses, ELEMENTSOF(addresses));
	webrtc_set_candidates(ep->webrtc, addresses, (size_t) MAX(r, 0));
	return 0;
}

void endpoint_set_addresses(struct endpoint *ep, const struct hifi_addr *addresses, size_t n)
{
	if (ep->webrtc)
		webrtc_set_candidates(ep->webrtc, addresses, n);
}

int endpoint_offer(struct endpoint *ep, const struct hifi_addr *label, const char *sdp, char **ret)
{
	if (!ep->webrtc)
		return -EOPNOTSUPP;
	ep->now_usec = clock_now_usec();
	endpoint_schedule(ep);
	return webrtc_offer(ep->webrtc, label, sdp, ep->now_usec, ret);
}

struct hifi_addr endpoint_find_channel(const struct endpoint *ep, const struct hifi_addr *label)
{
	struct hifi_addr addr;

	if (!ep->webrtc || !webrtc_find(ep->webrtc, label, &addr))
		return (struct hifi_addr){0};
	return addr;
}

struct hifi_addr endpoint_transport_addr(const struct endpoint *ep, const struct hifi_addr *addr)
{
	struct hifi_addr udp;

	if (addr->type != SOCKET_TYPE_WEBRTC)
		return *addr;
	if (!ep->webrtc || !webrtc_udp_addr(ep->webrtc, addr, &udp))
		return (struct hifi_addr){0};
	return udp;
}

void endpoint_close_channel(struct endpoint *ep, const struct hifi_addr *addr)
{
	if (ep->webrtc && addr->type == SOCKET_TYPE_WEBRTC)
		webrtc_close(ep->webrtc, addr, clock_now_usec());
	endpoint_schedule(ep);
}

struct webrtc *endpoint_webrtc(const struct endpoint *ep)
{
	return ep->webrtc;
}

/* --- time --- */

static void run_due(struct endpoint *ep)
{
	struct prioq_item *item;

	while ((item = prioq_first(&ep->due)) && item->key <= ep->now_usec) {
		struct peer *peer = CONTAINER_OF(item, struct peer, due);

		reliable_connection_run(peer->connection, ep->now_usec);
		/* Never due again within this turn, whatever the connection says. */
		if (reliable_connection_next_usec(peer->connection) <= ep->now_usec)
			(void) prioq_put(&ep->due, &peer->due, ep->now_usec + 1);
		else
			peer_arm(peer);
	}
}

static void on_timer(void *userdata)
{
	struct endpoint *ep = userdata;

	ep->now_usec = clock_now_usec();
	run_due(ep);
	if (ep->webrtc && webrtc_next_usec(ep->webrtc) <= ep->now_usec)
		webrtc_run(ep->webrtc, ep->now_usec);
	endpoint_schedule(ep);
}

static void on_sweep(void *userdata)
{
	struct endpoint *ep = userdata;
	struct peer *peer;

	ep->now_usec = clock_now_usec();
	hashmap_for_each (peer, ep->peers)
		if (peer->assembler)
			ep->drops.n[DROP_MESSAGE] +=
				message_assembler_expire(peer->assembler, ep->now_usec);
}

void endpoint_run(struct endpoint *ep)
{
	on_timer(ep);
	if (ep->now_usec >= ep->next_sweep_usec) {
		ep->next_sweep_usec = ep->now_usec + SWEEP_INTERVAL_USEC;
		on_sweep(ep);
	}
	peers_bury(ep);
	udp_socket_flush(ep->socket);
}

/* After the handlers that are due now: sends what they batched, and notes when to wake up. */
static int on_after(sd_event_source *s, void *userdata)
{
	struct endpoint *ep = userdata;
	struct prioq_item *first = prioq_first(&ep->due);
	uint64_t next = first ? first->key : USEC_INFINITY;

	if (ep->webrtc)
		next = MIN(next, webrtc_next_usec(ep->webrtc));
	if (next == USEC_INFINITY)
		event_oneshot_disarm(ep->timer);
	else
		event_oneshot_arm(ep->timer, next);
	peers_bury(ep);
	udp_socket_flush(ep->socket);
	return 0;
}

/* --- sending --- */

static uint32_t next_unreliable_seq(struct endpoint *ep, const struct hifi_addr *to)
{
	struct peer *peer = peer_get(ep, to);
	uint32_t *seq = peer ? &peer->unreliable_seq : &ep->stray_seq;

	*seq = seq_add(*seq, 1);
	return *seq;
}

#define PIECES_MAX 64

static int send_unreliable(struct endpoint *ep, const struct hifi_addr *to,
			   const struct packet_seal *seal, const struct span *pieces,
			   size_t n_pieces)
{
	struct udt_header udt = {.seq = next_unreliable_seq(ep, to)};
	uint8_t header[PACKET_HEADER_MAX];
	struct iovec iov[1 + PIECES_MAX];
	size_t len;

	assert(n_pieces <= PIECES_MAX);
	len = udt_header_encode(&udt, header);
	len += packet_seal_encode(seal, pieces, n_pieces, header + len);
	iov[0] = (struct iovec){header, len};
	for (size_t i = 0; i < n_pieces; i++) {
		iov[i + 1] = (struct iovec){(void *) pieces[i].data, pieces[i].len};
		len += pieces[i].len;
	}
	if (len > PACKET_MAX)
		return -EMSGSIZE;

	ep->now_usec = clock_now_usec();
	return endpoint_carry(ep, to, iov, (unsigned) n_pieces + 1, false);
}

static struct packet_seal seal_for(const struct endpoint *ep, const struct node *node,
				   enum packet_type type)
{
	return (struct packet_seal){
		.type = type,
		.dialect = node ? node->dialect : DIALECT_VIRCADIA,
		.source = ep->local_id,
		.key = node && node->has_secret && ep->authenticated ? &node->key : NULL,
	};
}

int endpoint_send(struct endpoint *ep, const struct hifi_addr *to, enum packet_type type,
		  struct span payload)
{
	struct packet_seal seal = seal_for(ep, NULL, type);

	return send_unreliable(ep, to, &seal, &payload, 1);
}

int endpoint_send_node_at(struct endpoint *ep, struct node *node, const struct hifi_addr *to,
			  enum packet_type type, struct span payload)
{
	struct packet_seal seal = seal_for(ep, node, type);

	node->traffic.packets_out++;
	node->traffic.bytes_out += payload.len;
	return send_unreliable(ep, to, &seal, &payload, 1);
}

int endpoint_send_node_pieces(struct endpoint *ep, struct node *node, enum packet_type type,
			      const struct span *pieces, size_t n_pieces)
{
	struct packet_seal seal = seal_for(ep, node, type);

	if (!node_is_active(node))
		return -ENOTCONN;
	node->traffic.packets_out++;
	for (size_t i = 0; i < n_pieces; i++)
		node->traffic.bytes_out += pieces[i].len;
	return send_unreliable(ep, &node->active, &seal, pieces, n_pieces);
}

int endpoint_send_node(struct endpoint *ep, struct node *node, enum packet_type type,
		       struct span payload)
{
	return endpoint_send_node_pieces(ep, node, type, &payload, 1);
}

/* The connected peer for reliable traffic, or NULL with the reason. */
static struct peer *reliable_peer(struct endpoint *ep, const struct hifi_addr *to, int *ret_error)
{
	struct peer *peer = peer_get(ep, to);
	int r = peer ? peer_connect(peer) : -ENOTCONN;

	*ret_error = r;
	return r < 0 ? NULL : peer;
}

static int send_reliable(struct endpoint *ep, const struct hifi_addr *to,
			 const struct packet_seal *seal, struct span payload)
{
	struct peer *peer;
	int r;

	peer = reliable_peer(ep, to, &r);
	if (!peer)
		return r;
	ep->now_usec = clock_now_usec();
	r = reliable_connection_send(peer->connection, seal, payload, ep->now_usec);
	peer_arm(peer);
	return r;
}

static int send_message(struct endpoint *ep, const struct hifi_addr *to,
			const struct packet_seal *seal, struct shared_bytes *payload)
{
	struct peer *peer;
	int r;

	peer = reliable_peer(ep, to, &r);
	if (!peer)
		return r;
	ep->now_usec = clock_now_usec();
	r = reliable_connection_send_message(peer->connection, seal, payload, ep->now_usec);
	peer_arm(peer);
	return r;
}

int endpoint_send_reliable(struct endpoint *ep, const struct hifi_addr *to, enum packet_type type,
			   struct span payload)
{
	struct packet_seal seal = seal_for(ep, NULL, type);

	return send_reliable(ep, to, &seal, payload);
}

int endpoint_send_message(struct endpoint *ep, const struct hifi_addr *to, enum packet_type type,
			  struct span payload)
{
	_cleanup_(shared_bytes_unrefp) struct shared_bytes *shared = NULL;
	struct packet_seal seal = seal_for(ep, NULL, type);

	shared = shared_bytes_new(payload.data, payload.len);
	if (!shared)
		return -ENOMEM;
	return send_message(ep, to, &seal, shared);
}

int endpoint_send_node_reliable(struct endpoint *ep, struct node *node, enum packet_type type,
				struct span payload)
{
	struct packet_seal seal = seal_for(ep, node, type);

	if (!node_is_active(node))
		return -ENOTCONN;
	node->traffic.packets_out++;
	node->traffic.bytes_out += payload.len;
	return send_reliable(ep, &node->active, &seal, payload);
}

int endpoint_send_node_message(struct endpoint *ep, struct node *node, enum packet_type type,
			       struct shared_bytes *payload)
{
	struct packet_seal seal = seal_for(ep, node, type);

	if (!node_is_active(node))
		return -ENOTCONN;
	node->traffic.packets_out++;
	node->traffic.bytes_out += payload->len;
	return send_message(ep, &node->active, &seal, payload);
}

size_t endpoint_queued_bytes(const struct endpoint *ep, const struct node *node)
{
	struct peer *peer = hashmap_find(ep->peers, &node->active);
	struct reliable_connection_stats stats;

	if (!peer || !peer->connection)
		return 0;
	reliable_connection_get_stats(peer->connection, &stats);
	return stats.queued_bytes;
}

size_t endpoint_channel_backlog(const struct endpoint *ep, const struct node *node)
{
	if (!ep->webrtc || node->active.type != SOCKET_TYPE_WEBRTC)
		return 0;
	return webrtc_backlog(ep->webrtc, &node->active);
}

void endpoint_flush(struct endpoint *ep)
{
	udp_socket_flush(ep->socket);
}

/* --- life --- */

static void forget_unless_shared(struct endpoint *ep, const struct node *node,
				 const struct hifi_addr *addr)
{
	struct node *owner = node_list_find_by_addr(ep->nodes, addr);

	if (hifi_addr_is_set(addr) && (!owner || owner == node) &&
	    !hifi_addr_equal(addr, &ep->domain_addr))
		endpoint_forget(ep, addr);
}

static void on_node_killed(void *userdata, struct node *node)
{
	struct endpoint *ep = userdata;

	forget_unless_shared(ep, node, &node->active);
	forget_unless_shared(ep, node, &node->public_addr);
	forget_unless_shared(ep, node, &node->local_addr);
	forget_unless_shared(ep, node, &node->symmetric_addr);
}

void endpoint_handle(struct endpoint *ep, enum packet_type type, packet_handler_fn fn,
		     void *userdata)
{
	ep->handlers[type] = (struct handler){fn, userdata};
}

void endpoint_set_local_id(struct endpoint *ep, uint16_t local_id)
{
	ep->local_id = local_id;
}

void endpoint_set_authenticated(struct endpoint *ep, bool authenticated)
{
	ep->authenticated = authenticated;
}

void endpoint_set_domain_server(struct endpoint *ep, const struct hifi_addr *addr,
				uint16_t local_id)
{
	struct hifi_addr old = ep->domain_addr;

	ep->domain_addr = addr ? *addr : (struct hifi_addr){0};
	ep->domain_local_id = local_id;
	if (hifi_addr_is_set(&old) && !peer_is_known_addr(ep, &old))
		endpoint_forget(ep, &old);
}

uint16_t endpoint_port(const struct endpoint *ep)
{
	return udp_socket_port(ep->socket);
}

const struct drop_counts *endpoint_drops(const struct endpoint *ep)
{
	return &ep->drops;
}

const struct udp_socket_stats *endpoint_udp_stats(const struct endpoint *ep)
{
	return udp_socket_stats(ep->socket);
}

static int open_socket(struct endpoint *ep, const struct endpoint_options *options)
{
	unsigned port = options->port;
	int r;

	if (options->fd >= 0)
		return udp_socket_new_from_fd(options->fd, &ep->socket);
	do
		r = udp_socket_new((uint16_t) port, options->loopback_only, &ep->socket);
	while (r == -EADDRINUSE && ++port <= options->port_last);
	return r;
}

static int start_sources(struct endpoint *ep, sd_event *event)
{
	int r;

	r = event_io_new(event, udp_socket_fd(ep->socket), EPOLLIN, 0, on_readable, ep, "udp",
			 &ep->io);
	if (r < 0)
		return r;
	r = sd_event_add_defer(event, &ep->after, on_after, ep);
	if (r < 0)
		return r;
	r = event_oneshot_new(event, 0, on_timer, ep, "transport", &ep->timer);
	if (r < 0)
		return r;
	return event_timer_new(event, clock_now_usec() + SWEEP_INTERVAL_USEC, SWEEP_INTERVAL_USEC,
			       0, on_sweep, ep, "message-sweep", &ep->sweep);
}

int endpoint_new(sd_event *event, const struct endpoint_options *options, struct node_list *nodes,
		 const struct endpoint_ops *ops, void *userdata, struct endpoint **ret)
{
	_cleanup_(endpoint_freep) struct endpoint *ep = NULL;
	int r;

	ep = calloc(1, sizeof(*ep));
	if (!ep)
		return -ENOMEM;
	ep->nodes = nodes;
	ep->ops = ops;
	ep->userdata = userdata;
	ep->store = options->store;
	ep->is_domain_server = options->is_domain_server;
	ep->authenticated = true;
	ep->budget.limit_bytes = ASSEMBLY_MAX;
	ep->now_usec = clock_now_usec();

	ep->peers = hashmap_new(sizeof(struct hifi_addr));
	if (!ep->peers)
		return -ENOMEM;
	r = open_socket(ep, options);
	if (r < 0)
		return r;
	if (options->with_webrtc) {
		r = start_webrtc(ep, options);
		if (r < 0)
			return r;
	}
	if (event) {
		r = start_sources(ep, event);
		if (r < 0)
			return r;
	}
	node_list_on_killed(nodes, on_node_killed, ep);

	*ret = TAKE_PTR(ep);
	return 0;
}

struct endpoint *endpoint_free(struct endpoint *ep)
{
	struct peer *peer;

	if (!ep)
		return NULL;

	/* Channels first: closing them sends, and forgets peers. */
	webrtc_free(ep->webrtc);
	if (ep->peers)
		hashmap_for_each (peer, ep->peers)
			(void) peer_free(peer);
	peers_bury(ep);
	hashmap_free(ep->peers);
	prioq_done(&ep->due);
	event_io_free(ep->io);
	sd_event_source_disable_unref(ep->after);
	event_oneshot_free(ep->timer);
	event_timer_free(ep->sweep);
	udp_socket_free(ep->socket);
	free(ep);
	return NULL;
}
