#include "node/session-records.h"

#include <errno.h>
#include <string.h>

#include "base/hats.h"

enum {
	FLAG_REPLICATED = 1,
	FLAG_SECRET = 2,
	FLAGS_ALL = 3,
};

void write_stored_addr(struct writer *wr, const struct hifi_addr *addr)
{
	write_bytes(wr, addr->ip, sizeof(addr->ip));
	write_u16le(wr, addr->port);
	write_u8(wr, addr->type);
}

struct hifi_addr read_stored_addr(struct reader *rd)
{
	const uint8_t *ip = read_bytes(rd, 16);
	struct hifi_addr addr = {.port = read_u16le(rd), .type = read_u8(rd)};

	if (addr.type > SOCKET_TYPE_WEBRTC)
		reader_fail(rd);
	if (rd->failed)
		return (struct hifi_addr){0};
	memcpy(addr.ip, ip, sizeof(addr.ip));
	return addr;
}

void stored_node_encode(struct writer *wr, const struct node *node)
{
	static const struct hifi_addr unset;
	bool is_native = node->active.type == SOCKET_TYPE_UDP;

	write_uuid(wr, &node->uuid);
	write_u16le(wr, node->local_id);
	write_u8(wr, (uint8_t) node->type);
	write_u8(wr, (uint8_t) ((node->is_replicated ? FLAG_REPLICATED : 0) |
				(node->has_secret ? FLAG_SECRET : 0)));
	write_u8(wr, (uint8_t) node->dialect);
	write_u32le(wr, node->permissions);
	write_uuid(wr, &node->secret);
	write_stored_addr(wr, &node->public_addr);
	write_stored_addr(wr, &node->local_addr);
	write_stored_addr(wr, &node->symmetric_addr);
	write_stored_addr(wr, is_native ? &node->active : &unset);
}

int stored_node_decode(struct span data, struct stored_node *ret)
{
	struct reader rd = reader_over(data.data, data.len);
	struct stored_node n = {0};
	unsigned flags, dialect;

	n.uuid = read_uuid(&rd);
	n.local_id = read_u16le(&rd);
	n.type = (char) read_u8(&rd);
	flags = read_u8(&rd);
	dialect = read_u8(&rd);
	n.permissions = read_u32le(&rd);
	n.secret = read_uuid(&rd);
	n.public_addr = read_stored_addr(&rd);
	n.local_addr = read_stored_addr(&rd);
	n.symmetric_addr = read_stored_addr(&rd);
	n.active = read_stored_addr(&rd);
	if (uuid_is_null(&n.uuid) || flags & ~FLAGS_ALL || dialect >= DIALECT_COUNT ||
	    n.active.type == SOCKET_TYPE_WEBRTC)
		reader_fail(&rd);
	if (rd.failed)
		return -EBADMSG;

	n.is_replicated = flags & FLAG_REPLICATED;
	n.has_secret = flags & FLAG_SECRET;
	n.dialect = (enum dialect) dialect;
	n.owners = read_rest(&rd);
	*ret = n;
	return 0;
}

int stored_peer_decode(struct span data, struct hifi_addr *ret_addr, struct span *ret_state)
{
	struct reader rd = reader_over(data.data, data.len);
	struct hifi_addr addr = read_stored_addr(&rd);
	struct span state = read_rest(&rd);

	if (rd.failed || addr.type != SOCKET_TYPE_UDP)
		return -EBADMSG;
	*ret_addr = addr;
	*ret_state = state;
	return 0;
}

void stored_client_encode(struct writer *wr, const struct stored_client *c)
{
	write_uuid(wr, &c->connect_uuid);
	write_uuid(wr, &c->session);
	write_u16le(wr, c->local_id);
	write_u16le(wr, c->domain_local_id);
	write_u32le(wr, c->permissions);
	write_u8(wr, c->is_authenticated);
	write_u8(wr, c->assignment_type);
	write_stored_addr(wr, &c->domain);
	write_u16le(wr, c->port);
	write_string16(wr, c->payload.data, c->payload.len);
	write_string32(wr, c->settings.data, c->settings.len);
}

int stored_client_decode(struct span data, struct stored_client *ret)
{
	struct reader rd = reader_over(data.data, data.len);
	struct stored_client c = {0};
	uint8_t is_authenticated;
	int r;

	c.connect_uuid = read_uuid(&rd);
	c.session = read_uuid(&rd);
	c.local_id = read_u16le(&rd);
	c.domain_local_id = read_u16le(&rd);
	c.permissions = read_u32le(&rd);
	is_authenticated = read_u8(&rd);
	c.assignment_type = read_u8(&rd);
	c.domain = read_stored_addr(&rd);
	c.port = read_u16le(&rd);
	c.payload = read_string16(&rd, STORED_PAYLOAD_MAX);
	c.settings = read_string32(&rd, STORED_SETTINGS_MAX);
	if (uuid_is_null(&c.session) || is_authenticated > 1 || !hat_find(c.assignment_type) ||
	    c.domain.type != SOCKET_TYPE_UDP)
		reader_fail(&rd);
	r = reader_finish(&rd);
	if (r < 0)
		return r;
	c.is_authenticated = is_authenticated;
	*ret = c;
	return 0;
}
