/* What a reliable connection has to send: single packets and ordered messages, and the queue that
 * decides whose turn it is (protocol 01 sections 6.6 and 8). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "net/packet.h"
#include "net/shared-bytes.h"

/* A packet is an outgoing of one part. It lives until it left the queue and no part is in flight.
 */
struct outgoing {
	struct list link; /* in the queue while is_queued */
	bool is_queued;
	bool in_message;
	uint32_t message; /* number, 30 bits */
	uint32_t n_parts;
	uint32_t next_part;   /* the first that was not taken yet */
	uint32_t n_in_flight; /* parts taken and not acknowledged; kept by the sender */
	struct shared_bytes *payload;
	struct packet_seal seal;
	struct hmac_key key[]; /* what seal.key points to, when it has one */
};

/* Copies seal and its key, takes a reference to payload. NULL when out of memory. */
struct outgoing *outgoing_new(const struct packet_seal *seal, struct shared_bytes *payload,
			      bool in_message);
struct outgoing *outgoing_free(struct outgoing *o);
/* What it weighs against the connection's limit: payload and bookkeeping. */
size_t outgoing_cost(const struct outgoing *o);
struct span outgoing_part(const struct outgoing *o, uint32_t part);
enum message_position outgoing_position(const struct outgoing *o, uint32_t part);

struct outgoing_queue {
	struct list packets;
	struct list messages;
	struct outgoing *turn; /* the message whose turn it is; NULL: the packets' */
	unsigned n_taken;      /* since the packets' turn */
};

void outgoing_queue_init(struct outgoing_queue *q);
bool outgoing_queue_is_empty(const struct outgoing_queue *q);
void outgoing_queue_add(struct outgoing_queue *q, struct outgoing *o);
/* The next part to send, or NULL. */
struct outgoing *outgoing_queue_take(struct outgoing_queue *q, uint32_t *ret_part);
/* Takes any packet or message out as a whole, or NULL. */
struct outgoing *outgoing_queue_remove(struct outgoing_queue *q);
/* Has all of o sent again, before what is queued. */
void outgoing_queue_put_back(struct outgoing_queue *q, struct outgoing *o);
