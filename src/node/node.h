/* One other participant of the domain, as this process knows it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/uuid.h"
#include "net/addr.h"
#include "net/hmac.h"
#include "net/packet-table.h"
#include "node/drop-reasons.h"

struct node_traffic {
	uint64_t packets_in, bytes_in, packets_out, bytes_out; /* bytes of payload */
	uint64_t packets_lost; /* gaps in the numbers of unreliable packets from it */
	uint32_t last_seq;
	bool has_seq;
};

struct node {
	struct uuid uuid;
	uint16_t local_id;
	char type; /* protocol 02 section 2 */
	bool is_replicated;
	uint32_t permissions; /* node/permissions.h */
	enum dialect dialect;

	/* Where it says it can be reached, and where it really is. Outgoing traffic goes to active
	 * only; it is unset until a ping proved one of the others. Change them with
	 * node_list_set_addresses() and node_list_activate(), which keep the look-up by address
	 * true. */
	struct hifi_addr public_addr, local_addr, symmetric_addr, active;

	/* The secret of this pair; the key is only valid with has_secret. */
	bool has_secret;
	struct uuid secret;
	struct hmac_key key;

	uint64_t added_usec, heard_usec;
	uint64_t next_ping_usec; /* node/activation.c */
	struct node_traffic traffic;
	struct drop_counts drops;

	void *data;          /* belongs to the hat or the domain-server */
	struct list list;    /* node_list */
	struct list changed; /* node/session-store.c, like the next */
	int slot;            /* where it is stored, or -1 */
};

static inline bool node_is_active(const struct node *node)
{
	return hifi_addr_is_set(&node->active);
}

static inline bool node_is_web(const struct node *node)
{
	return node->public_addr.type == SOCKET_TYPE_WEBRTC;
}

static inline bool node_may(const struct node *node, uint32_t permission)
{
	return (node->permissions & permission) == permission;
}
