/* The records of a session, by the first byte: what decodes is within its limits and encodes to the
 * same. */
#include <string.h>

#include "net/reliable-connection.h"
#include "node/session-records.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void need(bool condition)
{
	if (!condition)
		abort();
}

static void try_client(struct span data)
{
	static uint8_t again[STORED_CLIENT_MAX];
	struct writer wr = writer_over(again, sizeof(again));
	struct stored_client c;

	if (stored_client_decode(data, &c) < 0)
		return;
	need(hat_find(c.assignment_type) && c.domain.type == SOCKET_TYPE_UDP);
	stored_client_encode(&wr, &c);
	need(writer_finish(&wr) == (ssize_t) data.len && memcmp(again, data.data, data.len) == 0);
}

static void try_node(struct span data)
{
	uint8_t again[STORED_NODE_MAX];
	struct writer wr = writer_over(again, sizeof(again));
	struct stored_node n;
	struct node node;

	if (stored_node_decode(data, &n) < 0)
		return;
	node = (struct node){
		.uuid = n.uuid,
		.local_id = n.local_id,
		.type = n.type,
		.is_replicated = n.is_replicated,
		.has_secret = n.has_secret,
		.dialect = n.dialect,
		.permissions = n.permissions,
		.secret = n.secret,
		.public_addr = n.public_addr,
		.local_addr = n.local_addr,
		.symmetric_addr = n.symmetric_addr,
		.active = n.active,
	};
	stored_node_encode(&wr, &node);
	need(writer_finish(&wr) == STORED_NODE_MAX && data.len == STORED_NODE_MAX + n.owners.len);
	/* An unset address may have had other bytes. */
	if (hifi_addr_is_set(&n.active))
		need(memcmp(again, data.data, STORED_NODE_MAX) == 0);
}

static int drop(void *userdata, const struct iovec *iov, unsigned n_iov, bool control)
{
	return 0;
}

static void try_peer(struct span data)
{
	const struct reliable_connection_ops ops = {.send = drop};
	const struct reliable_connection_options options = {.queue_limit_bytes = 1000};
	uint8_t again[RELIABLE_STATE_LEN];
	struct writer wr = writer_over(again, sizeof(again));
	struct reliable_connection *c;
	struct hifi_addr addr;
	struct reader rd;
	struct span state;

	if (stored_peer_decode(data, &addr, &state) < 0)
		return;
	need(addr.type == SOCKET_TYPE_UDP);
	if (reliable_connection_new(&options, &ops, NULL, 1, &c) < 0)
		return;
	rd = reader_over(state.data, state.len);
	if (reliable_connection_restore(c, &rd) >= 0) {
		reliable_connection_save(c, &wr);
		need(writer_finish(&wr) == RELIABLE_STATE_LEN &&
		     memcmp(again, state.data, RELIABLE_STATE_LEN) == 0);
		(void) reliable_connection_receive_data(c, 7, 1);
	}
	reliable_connection_free(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader rd = reader_over(data, size);
	uint8_t kind = read_u8(&rd);
	struct span rest = read_rest(&rd);

	if (kind % 3 == 0)
		try_client(rest);
	else if (kind % 3 == 1)
		try_node(rest);
	else
		try_peer(rest);
	return 0;
}
