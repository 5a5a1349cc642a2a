#include "node/activation.h"

#include <errno.h>

#include "base/clock.h"
#include "node/domain-packets.h"

static void ping(struct endpoint *ep, struct node *node, const struct hifi_addr *to,
		 enum ping_type type)
{
	struct domain_ping p = {.type = type, .time_usec = clock_wall_usec()};
	uint8_t data[32];
	struct writer wr = writer_over(data, sizeof(data));

	if (!hifi_addr_is_set(to) || hifi_addr_is_any(to))
		return;
	domain_ping_encode(&wr, &p);
	(void) endpoint_send_node_at(ep, node, to, PACKET_PING, span_of(data, wr.len));
}

static bool activate_web(struct endpoint *ep, struct node_list *nodes, struct node *node)
{
	struct hifi_addr channel = endpoint_find_channel(ep, &node->public_addr);

	if (!hifi_addr_is_set(&channel))
		return false;
	node_list_activate(nodes, node, &channel);
	return true;
}

bool activation_run(struct endpoint *ep, struct node_list *nodes, struct node *node,
		    uint64_t now_usec)
{
	bool activated = false;

	if (node->next_ping_usec > now_usec)
		return false;

	if (!node_is_active(node) && node_is_web(node))
		activated = activate_web(ep, nodes, node);

	if (node_is_active(node)) {
		ping(ep, node, &node->active, PING_AGNOSTIC);
		node->next_ping_usec = now_usec + ACTIVATION_KEEP_ALIVE_USEC;
	} else if (!node_is_web(node)) {
		ping(ep, node, &node->local_addr, PING_LOCAL);
		ping(ep, node, &node->public_addr, PING_PUBLIC);
		ping(ep, node, &node->symmetric_addr, PING_SYMMETRIC);
		node->next_ping_usec = now_usec + ACTIVATION_PUNCH_USEC;
	}
	return activated;
}

int activation_ping_received(struct endpoint *ep, struct node_list *nodes,
			     const struct received *rx)
{
	struct node *node = rx->node;
	struct domain_ping_reply reply;
	struct domain_ping p;
	uint8_t data[32];
	struct writer wr = writer_over(data, sizeof(data));
	int r;

	r = domain_ping_decode(rx->payload, &p);
	if (r < 0)
		return r;

	/* Neither of the addresses it told: a NAT gave it another one towards us. */
	if (!node_is_web(node) && !hifi_addr_equal(rx->from, &node->public_addr) &&
	    !hifi_addr_equal(rx->from, &node->local_addr) &&
	    !hifi_addr_is_set(&node->symmetric_addr))
		node_list_set_symmetric(nodes, node, rx->from);

	reply = (struct domain_ping_reply){
		.type = p.type,
		.ping_time_usec = p.time_usec,
		.reply_time = clock_wall_usec(),
	};
	domain_ping_reply_encode(&wr, &reply);
	return endpoint_send_node_at(ep, node, rx->from, PACKET_PING_REPLY, span_of(data, wr.len));
}

int activation_reply_received(struct node_list *nodes, const struct received *rx)
{
	struct domain_ping_reply reply;
	struct node *node = rx->node;
	bool was_active = node_is_active(node);
	int r;

	r = domain_ping_reply_decode(rx->payload, node_is_web(node), &reply);
	if (r < 0)
		return r;
	if (node_is_web(node) || reply.type == PING_AGNOSTIC)
		return 0;

	/* The local way is the shortest: it wins even over one that works. */
	if (!was_active || (reply.type == PING_LOCAL && !hifi_addr_equal(&node->active, rx->from)))
		node_list_activate(nodes, node, rx->from);
	return !was_active;
}
