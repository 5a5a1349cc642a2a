#include "net/reliable-connection.h"

#include <errno.h>

#include "net/reliable-internal.h"

int reliable_connection_new(const struct reliable_connection_options *options,
			    const struct reliable_connection_ops *ops, void *userdata, uint32_t isn,
			    struct reliable_connection **ret)
{
	struct reliable_connection *c;

	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	c->options = *options;
	c->ops = *ops;
	c->userdata = userdata;
	reliable_sender_init(&c->sender, isn & SEQ_MAX);

	*ret = c;
	return 0;
}

struct reliable_connection *reliable_connection_free(struct reliable_connection *c)
{
	if (c) {
		reliable_sender_done(c);
		reliable_receiver_done(&c->receiver);
		free(c);
	}
	return NULL;
}

/* A refused control packet is not kept: the peer asks again in its own time. */
void reliable_send_control(struct reliable_connection *c, enum control_type type, uint32_t seq)
{
	struct control_packet control = {.type = type, .seq = seq};
	uint8_t data[CONTROL_MAX];
	struct iovec iov = {.iov_base = data, .iov_len = control_encode(&control, data)};

	(void) c->ops.send(c->userdata, &iov, 1, true);
}

int reliable_connection_send(struct reliable_connection *c, const struct packet_seal *seal,
			     struct span payload, uint64_t now_usec)
{
	_cleanup_(shared_bytes_unrefp) struct shared_bytes *copy = NULL;
	size_t header_len =
		PACKET_UDT_LEN + packet_flags_header_len(packet_info_find(seal->type)->flags);

	if (payload.len > PACKET_MAX - header_len)
		return -EMSGSIZE;
	copy = shared_bytes_new(payload.data, payload.len);
	if (!copy)
		return -ENOMEM;
	return reliable_sender_add(c, seal, copy, false, now_usec);
}

int reliable_connection_send_message(struct reliable_connection *c, const struct packet_seal *seal,
				     struct shared_bytes *payload, uint64_t now_usec)
{
	return reliable_sender_add(c, seal, payload, true, now_usec);
}

void reliable_connection_receive_control(struct reliable_connection *c,
					 const struct control_packet *control, uint64_t now_usec)
{
	switch (control->type) {
	case CONTROL_ACK:
		reliable_sender_on_ack(c, control->seq, now_usec);
		break;
	case CONTROL_HANDSHAKE:
		reliable_receiver_on_handshake(c, control->seq);
		break;
	case CONTROL_HANDSHAKE_ACK:
		reliable_sender_on_handshake_ack(c, control->seq, now_usec);
		break;
	case CONTROL_HANDSHAKE_REQUEST:
		reliable_sender_on_handshake_request(c);
		break;
	}
}

bool reliable_connection_receive_data(struct reliable_connection *c, uint32_t seq,
				      uint64_t now_usec)
{
	(void) now_usec;
	return reliable_receiver_on_data(c, seq);
}

uint64_t reliable_connection_next_usec(const struct reliable_connection *c)
{
	return reliable_sender_next_usec(c);
}

void reliable_connection_run(struct reliable_connection *c, uint64_t now_usec)
{
	reliable_sender_run(c, now_usec);
}

bool reliable_connection_is_idle(const struct reliable_connection *c)
{
	return c->sender.n_in_flight == 0 && outgoing_queue_is_empty(&c->sender.queue);
}

void reliable_connection_get_stats(const struct reliable_connection *c,
				   struct reliable_connection_stats *ret)
{
	*ret = c->stats;
	ret->window = c->sender.vegas.window;
	ret->in_flight = c->sender.n_in_flight;
	ret->rtt_usec = c->sender.vegas.rtt_usec;
	ret->queued_bytes = c->sender.held_bytes;
}
