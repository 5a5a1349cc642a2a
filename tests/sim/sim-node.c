#include "sim-node.h"

#include <stdlib.h>

#include "base/macros.h"

#define QUEUE_LIMIT (64 * 1024 * 1024)

static int node_send(void *userdata, const struct iovec *iov, unsigned n_iov, bool control)
{
	struct sim_node *n = userdata;

	sim_send(&n->end, iov, n_iov, n->to_web_client);
	return 0;
}

static void node_receive_reset(void *userdata)
{
	struct sim_node *n = userdata;

	n->n_resets++;
	message_assembler_reset(n->assembler);
}

static void deliver(struct sim_node *n, const struct packet *p, uint64_t now_usec)
{
	struct span payload = p->payload;
	struct packet first;

	if (p->udt.in_message &&
	    message_assembler_add(n->assembler, p, now_usec, &payload, &first) <= 0)
		return;
	sim_sink_take(n->in, payload.data, payload.len, now_usec);
}

static void node_receive_data(struct sim_node *n, uint8_t *data, size_t len, uint64_t now_usec)
{
	struct packet p;

	if (packet_decode(data, len, n->to_web_client, &p) < 0 ||
	    p.version != p.info->version[DIALECT_VIRCADIA] || !p.hash ||
	    !hmac_verify(&n->key, p.payload, p.hash)) {
		n->n_unverified++;
		return;
	}
	if (reliable_connection_receive_data(n->connection, p.udt.seq, now_usec))
		deliver(n, &p, now_usec);
}

static void node_receive(struct sim_end *end, uint8_t *data, size_t len)
{
	struct sim_node *n = (struct sim_node *) end;
	uint64_t now_usec = sim_now_usec(end->sim);
	struct control_packet control;

	if (len < PACKET_UDT_LEN)
		return;
	if (!datagram_is_control(data))
		node_receive_data(n, data, len, now_usec);
	else if (control_decode(data, len, &control) == 0)
		reliable_connection_receive_control(n->connection, &control, now_usec);
}

static void send_item(struct sim_node *n, uint64_t now_usec)
{
	struct packet_seal seal = {.type = PACKET_MESSAGES_DATA, .source = 0x1234, .key = &n->key};
	_cleanup_(shared_bytes_unrefp) struct shared_bytes *shared = NULL;
	_cleanup_free_ uint8_t *data = NULL;
	bool is_message;
	size_t len;
	int r;

	data = sim_stream_take(&n->out, &len, &is_message, now_usec);
	shared = shared_bytes_new(data, len);
	if (is_message)
		r = reliable_connection_send_message(n->connection, &seal, shared, now_usec);
	else
		r = reliable_connection_send(n->connection, &seal, span_of(data, len), now_usec);
	if (r < 0)
		abort();
}

static uint64_t node_next_usec(const struct sim_end *end)
{
	const struct sim_node *n = (const struct sim_node *) end;
	uint64_t next = reliable_connection_next_usec(n->connection);

	return sim_stream_has_more(&n->out) ? MIN(next, n->out.next_usec) : next;
}

static void node_run(struct sim_end *end)
{
	struct sim_node *n = (struct sim_node *) end;
	uint64_t now_usec = sim_now_usec(end->sim);

	while (sim_stream_has_more(&n->out) && n->out.next_usec <= now_usec)
		send_item(n, now_usec);
	reliable_connection_run(n->connection, now_usec);
}

static void open_transport(struct sim_node *n, uint32_t isn)
{
	struct reliable_connection_ops ops = {.send = node_send,
					      .receive_reset = node_receive_reset};
	struct reliable_connection_options options = {.carrier_is_reliable = n->to_web_client,
						      .queue_limit_bytes = QUEUE_LIMIT};

	if (reliable_connection_new(&options, &ops, n, isn, &n->connection) < 0 ||
	    message_assembler_new(&n->budget, &n->assembler) < 0)
		abort();
}

static void close_transport(struct sim_node *n)
{
	n->connection = reliable_connection_free(n->connection);
	n->assembler = message_assembler_free(n->assembler);
}

struct sim_node *sim_node_new(uint32_t isn, bool to_web_client)
{
	static const struct sim_end_ops end_ops = {node_receive, node_next_usec, node_run};
	struct uuid secret = {{0x11, 0x22, 0x33}};
	struct sim_node *n = calloc(1, sizeof(*n));

	if (!n)
		abort();
	n->end.ops = &end_ops;
	n->to_web_client = to_web_client;
	n->budget.limit_bytes = SIZE_MAX;
	hmac_key_init(&n->key, &secret);
	open_transport(n, isn);
	return n;
}

void sim_node_restart(struct sim_node *n, uint32_t isn)
{
	close_transport(n);
	open_transport(n, isn);
}

struct sim_node *sim_node_free(struct sim_node *n)
{
	close_transport(n);
	sim_stream_done(&n->out);
	free(n);
	return NULL;
}

struct reliable_connection_stats sim_node_stats(const struct sim_node *n)
{
	struct reliable_connection_stats stats;

	reliable_connection_get_stats(n->connection, &stats);
	return stats;
}
