/* The transport state of each address: reliable connection, message assembler, sequence numbers. */
#include <errno.h>
#include <sys/random.h>

#include "base/log.h"
#include "node/endpoint-internal.h"
#include "node/session-store.h"

/* Reliable payload that may wait for one peer (protocol 05 section 3 asks for 4 MiB of messages;
 * settings and entities share the connection). */
#define PEER_QUEUE_MAX (8 * 1024 * 1024)

struct peer *peer_free(struct peer *peer)
{
	if (!peer)
		return NULL;

	prioq_remove(&peer->ep->due, &peer->due);
	if (peer->ep->store)
		session_store_forget_peer(peer->ep->store, &peer->slot);
	reliable_connection_free(peer->connection);
	message_assembler_free(peer->assembler);
	free(peer);
	return NULL;
}

bool peer_is_known_addr(const struct endpoint *ep, const struct hifi_addr *addr)
{
	return hifi_addr_equal(addr, &ep->domain_addr) || node_list_find_by_addr(ep->nodes, addr);
}

struct peer *peer_get(struct endpoint *ep, const struct hifi_addr *addr)
{
	struct peer *peer = hashmap_find(ep->peers, addr);

	if (peer)
		return peer;
	if (!peer_is_known_addr(ep, addr))
		return NULL;

	peer = calloc(1, sizeof(*peer));
	if (!peer)
		return NULL;
	peer->ep = ep;
	peer->addr = *addr;
	peer->slot = -1;
	if (hashmap_insert(ep->peers, addr, peer) < 0) {
		free(peer);
		return NULL;
	}
	return peer;
}

void peers_bury(struct endpoint *ep)
{
	while (ep->dead) {
		struct peer *peer = ep->dead;

		ep->dead = peer->next_dead;
		(void) peer_free(peer);
	}
}

void peer_arm(struct peer *peer)
{
	uint64_t next = reliable_connection_next_usec(peer->connection);

	if (next == USEC_INFINITY)
		prioq_remove(&peer->ep->due, &peer->due);
	else if (peer->due.index == 0 || peer->due.key != next)
		(void) prioq_put(&peer->ep->due, &peer->due, next);
	endpoint_schedule(peer->ep);
}

static int on_connection_send(void *userdata, const struct iovec *iov, unsigned n_iov, bool control)
{
	struct peer *peer = userdata;

	return endpoint_carry(peer->ep, &peer->addr, iov, n_iov, true);
}

static void on_receive_reset(void *userdata)
{
	struct peer *peer = userdata;

	if (peer->assembler)
		message_assembler_reset(peer->assembler);
}

static void on_receive_changed(void *userdata)
{
	struct peer *peer = userdata;

	if (peer->ep->store)
		session_store_save_peer(peer->ep->store, &peer->slot, &peer->addr,
					peer->connection);
}

static const struct reliable_connection_ops connection_ops = {
	.send = on_connection_send,
	.receive_reset = on_receive_reset,
	.receive_changed = on_receive_changed,
};

int peer_connect(struct peer *peer)
{
	struct reliable_connection_options options = {
		.carrier_is_reliable = peer->addr.type == SOCKET_TYPE_WEBRTC,
		.queue_limit_bytes = PEER_QUEUE_MAX,
	};
	uint32_t isn;

	if (peer->connection)
		return 0;
	if (getrandom(&isn, sizeof(isn), 0) != sizeof(isn))
		return -EIO;
	return reliable_connection_new(&options, &connection_ops, peer, isn & SEQ_MAX,
				       &peer->connection);
}

void endpoint_forget(struct endpoint *ep, const struct hifi_addr *addr)
{
	struct peer *peer = hashmap_remove(ep->peers, addr);

	if (!peer)
		return;
	prioq_remove(&ep->due, &peer->due);
	if (ep->store)
		session_store_forget_peer(ep->store, &peer->slot);
	peer->next_dead = ep->dead;
	ep->dead = peer;
	endpoint_schedule(ep);
}

/* 0, or why the peer has to begin anew. */
static int restore(struct endpoint *ep, const struct stored_peer *stored)
{
	struct reader rd = reader_over(stored->state.data, stored->state.len);
	struct peer *peer;
	int r;

	peer = peer_get(ep, &stored->addr);
	if (!peer || peer->connection)
		return -ENOENT;
	r = peer_connect(peer);
	if (r < 0)
		return r;
	r = reliable_connection_restore(peer->connection, &rd);
	if (r < 0) {
		endpoint_forget(ep, &stored->addr);
		return r;
	}
	peer->slot = stored->slot;
	return 0;
}

void endpoint_restore_peers(struct endpoint *ep)
{
	struct stored_peer stored;
	unsigned position = 0;

	while (session_store_next_peer(ep->store, &position, &stored)) {
		int r = restore(ep, &stored);

		if (r >= 0)
			continue;
		(void) log_debug_errno(r, "%s has to begin anew: %m", HIFI_ADDR_TEXT(&stored.addr));
		session_store_forget_peer(ep->store, &stored.slot);
	}
}
