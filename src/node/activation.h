/* Finding the way to a node and keeping it open: hole punching for native nodes, the first ping
 * that a web client waits for, keep-alive (protocol 02 section 12). */
#pragma once

#include "node/endpoint.h"

#define ACTIVATION_PUNCH_USEC      (250 * USEC_PER_MSEC)
#define ACTIVATION_KEEP_ALIVE_USEC USEC_PER_SEC

/* Sends what is due to this node: punching pings until it is active, then one keep-alive a second.
 * A web node becomes active as soon as its channel is open. Returns true when that happened now. */
bool activation_run(struct endpoint *ep, struct node_list *nodes, struct node *node,
		    uint64_t now_usec);

/* Answers a ping to where it came from, and notes that address. For the endpoint's PACKET_PING
 * handler. */
int activation_ping_received(struct endpoint *ep, struct node_list *nodes,
			     const struct received *rx);
/* Takes the address that a reply proved as the active one. 1 when the node became active by it. */
int activation_reply_received(struct node_list *nodes, const struct received *rx);
