/* How the session store writes nodes and addresses. Pure. */
#pragma once

#include "node/domain-packets.h"
#include "node/node.h"

#define STORED_ADDR_LEN 19
#define STORED_NODE_MAX (16 + 2 + 1 + 1 + 1 + 4 + 16 + 4 * STORED_ADDR_LEN)

struct stored_node {
	struct uuid uuid;
	uint16_t local_id;
	char type;
	bool is_replicated, has_secret;
	enum dialect dialect;
	uint32_t permissions;
	struct uuid secret;
	struct hifi_addr public_addr, local_addr, symmetric_addr;
	struct hifi_addr active; /* unset for web clients: their channels end with the process */
	struct span owners;      /* what the owner of the session wrote behind it */
};

void stored_node_encode(struct writer *wr, const struct node *node);
/* Borrows from data. 0 or -EBADMSG. */
int stored_node_decode(struct span data, struct stored_node *ret);

/* Without the channel. */
void write_stored_addr(struct writer *wr, const struct hifi_addr *addr);
struct hifi_addr read_stored_addr(struct reader *rd);

/* The session of an assignment client. */
#define STORED_PAYLOAD_MAX  DOMAIN_ASSIGNMENT_PAYLOAD_MAX
#define STORED_SETTINGS_MAX (1024 * 1024)
#define STORED_CLIENT_MAX   (128 + STORED_PAYLOAD_MAX + STORED_SETTINGS_MAX)

struct stored_client {
	struct uuid connect_uuid, session;
	uint16_t local_id, domain_local_id;
	uint32_t permissions;
	bool is_authenticated;
	uint8_t assignment_type;
	struct hifi_addr domain;
	uint16_t port; /* our own */
	struct span payload, settings;
};

void stored_client_encode(struct writer *wr, const struct stored_client *c);
/* Borrows from data. 0 or -EBADMSG. */
int stored_client_decode(struct span data, struct stored_client *ret);

/* An address (UDP) and what follows. 0 or -EBADMSG. */
int stored_peer_decode(struct span data, struct hifi_addr *ret_addr, struct span *ret_state);
