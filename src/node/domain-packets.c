#include "node/domain-packets.h"

#include <errno.h>
#include <string.h>

#include "base/qt-stream.h"

/* --- pieces --- */

static struct hifi_addr read_socket(struct reader *rd)
{
	uint8_t type = read_u8(rd);

	if (type > SOCKET_TYPE_WEBRTC) {
		reader_fail(rd);
		return (struct hifi_addr){0};
	}
	return read_sockaddr(rd, type, NULL);
}

static void write_socket(struct writer *wr, const struct hifi_addr *a,
			 enum domain_listener listener)
{
	struct hifi_addr none = hifi_addr_from_ipv4(a->type, 0, a->port);
	bool is_null = !hifi_addr_is_set(a) || hifi_addr_is_any(a);

	write_u8(wr, a->type);
	if (listener == DOMAIN_LISTENER_NATIVE && is_null && a->type != SOCKET_TYPE_WEBRTC)
		write_sockaddr_null(wr, a->port);
	else if (is_null || (listener == DOMAIN_LISTENER_WEB && !hifi_addr_is_ipv4(a)))
		/* A web client replaces 0.0.0.0 by the address it knows us under. */
		write_sockaddr(wr, &none);
	else
		write_sockaddr(wr, a);
}

/* Strings at the end of a payload may be missing: an older sender does not know them. */
static int read_trailing_text(struct reader *rd, char **ret)
{
	if (!rd->failed && reader_left(rd) == 0) {
		*ret = strdup("");
		return *ret ? 0 : -ENOMEM;
	}
	return read_qstring(rd, DOMAIN_TEXT_MAX, ret);
}

static struct span read_trailing_bytes(struct reader *rd)
{
	return reader_left(rd) == 0 ? (struct span){0} : read_qbytes(rd, PACKET_MAX);
}

static int read_check_in(struct reader *rd, struct domain_check_in *ret)
{
	uint32_t n;

	ret->current_time = read_u64be(rd);
	ret->node_type = (char) read_u8(rd);
	ret->public_addr = read_socket(rd);
	ret->local_addr = read_socket(rd);

	n = read_u32be(rd);
	if (n > DOMAIN_INTEREST_MAX)
		reader_fail(rd);
	for (uint32_t i = 0; i < n && !rd->failed; i++)
		ret->interests[i] = (char) read_u8(rd);
	if (rd->failed)
		return -EBADMSG;
	ret->n_interests = (uint8_t) n;
	return read_trailing_text(rd, &ret->place_name);
}

static void write_check_in(struct writer *wr, const struct domain_check_in *c)
{
	write_u64be(wr, c->current_time);
	write_u8(wr, (uint8_t) c->node_type);
	write_socket(wr, &c->public_addr, DOMAIN_LISTENER_NATIVE);
	write_socket(wr, &c->local_addr, DOMAIN_LISTENER_NATIVE);
	write_u32be(wr, c->n_interests);
	write_bytes(wr, c->interests, c->n_interests);
	write_qstring(wr, c->place_name ? c->place_name : "");
}

/* --- checking in --- */

void domain_check_in_done(struct domain_check_in *c)
{
	free(TAKE_PTR(c->place_name));
}

int domain_list_request_decode(struct span payload, struct domain_check_in *ret)
{
	_cleanup_(domain_check_in_done) struct domain_check_in c = {0};
	struct reader rd = reader_over(payload.data, payload.len);
	int r;

	r = read_check_in(&rd, &c);
	if (r < 0)
		return r;
	r = reader_finish(&rd);
	if (r < 0)
		return r;

	*ret = c;
	c.place_name = NULL;
	return 0;
}

void domain_list_request_encode(struct writer *wr, const struct domain_check_in *c)
{
	write_check_in(wr, c);
}

void domain_connect_request_done(struct domain_connect_request *r)
{
	free(TAKE_PTR(r->hardware_address));
	domain_check_in_done(&r->check_in);
	free(TAKE_PTR(r->username));
	free(TAKE_PTR(r->domain_username));
	free(TAKE_PTR(r->domain_tokens));
}

int domain_connect_request_decode(struct span payload, struct domain_connect_request *ret)
{
	_cleanup_(domain_connect_request_done) struct domain_connect_request c = {0};
	struct reader rd = reader_over(payload.data, payload.len);
	int r;

	c.connect_uuid = read_uuid(&rd);
	c.protocol_signature = read_qbytes(&rd, PACKET_MAX);
	r = read_qstring(&rd, DOMAIN_TEXT_MAX, &c.hardware_address);
	if (r < 0)
		return r;
	c.machine_fingerprint = read_uuid(&rd);
	c.system_info = read_qbytes(&rd, PACKET_MAX);
	c.connect_reason = read_u32be(&rd);
	c.previous_uptime_usec = read_u64be(&rd);
	r = read_check_in(&rd, &c.check_in);
	if (r < 0)
		return r;
	r = read_trailing_text(&rd, &c.username);
	if (r < 0)
		return r;
	c.username_signature = read_trailing_bytes(&rd);
	r = read_trailing_text(&rd, &c.domain_username);
	if (r < 0)
		return r;
	r = read_trailing_text(&rd, &c.domain_tokens);
	if (r < 0)
		return r;
	r = reader_finish(&rd);
	if (r < 0)
		return r;

	*ret = c;
	c = (struct domain_connect_request){0};
	return 0;
}

void domain_connect_request_encode(struct writer *wr, const struct domain_connect_request *r)
{
	write_uuid(wr, &r->connect_uuid);
	write_qbytes(wr, r->protocol_signature.data, r->protocol_signature.len);
	write_qstring(wr, r->hardware_address ? r->hardware_address : "");
	write_uuid(wr, &r->machine_fingerprint);
	write_qbytes(wr, r->system_info.data, r->system_info.len);
	write_u32be(wr, r->connect_reason);
	write_u64be(wr, r->previous_uptime_usec);
	write_check_in(wr, &r->check_in);
	write_qstring(wr, r->username ? r->username : "");
	write_qbytes(wr, r->username_signature.data, r->username_signature.len);
	if (r->domain_username && r->domain_username[0]) {
		write_qstring(wr, r->domain_username);
		write_qstring(wr, r->domain_tokens ? r->domain_tokens : "");
	}
}

/* --- lists of nodes --- */

static struct domain_node_record read_record(struct reader *rd)
{
	struct domain_node_record n = {.type = (char) read_u8(rd)};

	n.id = read_uuid(rd);
	n.public_addr = read_socket(rd);
	n.local_addr = read_socket(rd);
	n.permissions = read_u32be(rd);
	n.is_replicated = read_u8(rd) != 0;
	n.local_id = read_u16be(rd);
	n.secret = read_uuid(rd);
	return n;
}

void domain_node_record_encode(struct writer *wr, const struct domain_node_record *n,
			       enum domain_listener listener)
{
	write_u8(wr, (uint8_t) n->type);
	write_uuid(wr, &n->id);
	write_socket(wr, &n->public_addr, listener);
	write_socket(wr, &n->local_addr, listener);
	write_u32be(wr, n->permissions);
	write_u8(wr, n->is_replicated);
	write_u16be(wr, n->local_id);
	write_uuid(wr, &n->secret);
}

int domain_added_node_decode(struct span payload, struct domain_node_record *ret)
{
	struct reader rd = reader_over(payload.data, payload.len);
	struct domain_node_record n = read_record(&rd);
	int r = reader_finish(&rd);

	if (r < 0)
		return r;
	*ret = n;
	return 0;
}

static struct domain_list_header read_list_header(struct reader *rd)
{
	struct domain_list_header h = {.domain_id = read_uuid(rd)};

	h.domain_local_id = read_u16be(rd);
	h.your_id = read_uuid(rd);
	h.your_local_id = read_u16be(rd);
	h.your_permissions = read_u32be(rd);
	h.is_authenticated = read_u8(rd) != 0;
	h.request_time = read_u64be(rd);
	h.sent_usec = read_u64be(rd);
	h.processing_usec = read_u64be(rd);
	h.is_new_connection = read_u8(rd) != 0;
	return h;
}

static void write_list_header(struct writer *wr, const struct domain_list_header *h)
{
	write_uuid(wr, &h->domain_id);
	write_u16be(wr, h->domain_local_id);
	write_uuid(wr, &h->your_id);
	write_u16be(wr, h->your_local_id);
	write_u32be(wr, h->your_permissions);
	write_u8(wr, h->is_authenticated);
	write_u64be(wr, h->request_time);
	write_u64be(wr, h->sent_usec);
	write_u64be(wr, h->processing_usec);
	write_u8(wr, h->is_new_connection);
}

void domain_list_encode(const struct domain_list_header *header,
			const struct domain_node_record *nodes, size_t n_nodes,
			enum domain_listener listener, domain_list_emit_fn emit, void *userdata)
{
	uint8_t packet[DOMAIN_LIST_PAYLOAD_MAX];
	struct writer wr = writer_over(packet, sizeof(packet));

	write_list_header(&wr, header);
	for (size_t i = 0; i < n_nodes; i++) {
		struct writer before = wr;

		domain_node_record_encode(&wr, &nodes[i], listener);
		if (!wr.failed)
			continue;

		emit(userdata, span_of(packet, before.len));
		wr = writer_over(packet, sizeof(packet));
		write_list_header(&wr, header);
		domain_node_record_encode(&wr, &nodes[i], listener);
	}
	emit(userdata, span_of(packet, wr.len));
}

int domain_list_decode(struct span payload, struct domain_list *ret)
{
	struct reader rd = reader_over(payload.data, payload.len);
	struct domain_list list = {.header = read_list_header(&rd)};
	int r;

	while (reader_left(&rd) > 0) {
		if (list.n_nodes == ELEMENTSOF(list.nodes))
			return -EBADMSG;
		list.nodes[list.n_nodes++] = read_record(&rd);
	}
	r = reader_finish(&rd);
	if (r < 0)
		return r;

	*ret = list;
	return 0;
}

int domain_uuid_decode(struct span payload, struct uuid *ret)
{
	struct reader rd = reader_over(payload.data, payload.len);
	struct uuid id = read_uuid(&rd);
	int r = reader_finish(&rd);

	if (r < 0)
		return r;
	*ret = id;
	return 0;
}

/* --- denial and paths --- */

int domain_denied_decode(struct span payload, struct domain_denied *ret)
{
	struct reader rd = reader_over(payload.data, payload.len);
	struct domain_denied d = {.reason = read_u8(&rd)};
	int r;

	d.message = read_string16(&rd, PACKET_MAX);
	d.extra = read_string16(&rd, PACKET_MAX);
	r = reader_finish(&rd);
	if (r < 0)
		return r;

	*ret = d;
	return 0;
}

void domain_denied_encode(struct writer *wr, const struct domain_denied *d)
{
	write_u8(wr, d->reason);
	write_string16(wr, d->message.data, d->message.len);
	write_string16(wr, d->extra.data, d->extra.len);
}

int domain_path_query_decode(struct span payload, struct span *ret)
{
	struct reader rd = reader_over(payload.data, payload.len);
	struct span path;
	int r;

	(void) read_u16le(&rd);
	path = read_rest(&rd);
	r = reader_finish(&rd);
	if (r < 0)
		return r;

	*ret = path;
	return 0;
}

void domain_path_query_encode(struct writer *wr, struct span path)
{
	write_string16(wr, path.data, path.len);
}

int domain_path_response_decode(struct span payload, struct domain_path_response *ret)
{
	struct reader rd = reader_over(payload.data, payload.len);
	struct domain_path_response p = {.path = read_string16(&rd, PACKET_MAX)};
	int r;

	p.viewpoint = read_string16(&rd, PACKET_MAX);
	r = reader_finish(&rd);
	if (r < 0)
		return r;

	*ret = p;
	return 0;
}

void domain_path_response_encode(struct writer *wr, const struct domain_path_response *p)
{
	write_string16(wr, p->path.data, p->path.len);
	write_string16(wr, p->viewpoint.data, p->viewpoint.len);
}

/* --- assignments --- */

void domain_assignment_done(struct domain_assignment *a)
{
	free(TAKE_PTR(a->pool));
	free(TAKE_PTR(a->version));
}

static int read_assignment(struct reader *rd, struct domain_assignment *ret)
{
	int r;

	ret->type = read_u8(rd);
	ret->id = read_uuid(rd);
	r = read_qstring(rd, DOMAIN_TEXT_MAX, &ret->pool);
	if (r < 0)
		return r;
	ret->payload = read_qbytes(rd, DOMAIN_ASSIGNMENT_PAYLOAD_MAX);
	return reader_check(rd);
}

static void write_assignment(struct writer *wr, const struct domain_assignment *a)
{
	write_u8(wr, a->type);
	write_uuid(wr, &a->id);
	write_qstring(wr, a->pool ? a->pool : "");
	if (a->payload.len > 0)
		write_qbytes(wr, a->payload.data, a->payload.len);
	else
		write_qbytes_null(wr);
}

int domain_request_assignment_decode(struct span payload, struct domain_assignment *ret)
{
	_cleanup_(domain_assignment_done) struct domain_assignment a = {0};
	struct reader rd = reader_over(payload.data, payload.len);
	int r;

	r = read_assignment(&rd, &a);
	if (r < 0)
		return r;
	r = read_qstring(&rd, DOMAIN_TEXT_MAX, &a.version);
	if (r < 0)
		return r;
	/* The wallet id that Vircadia appends and Overte does not. */
	if (reader_left(&rd) > 0)
		(void) read_uuid(&rd);
	r = reader_finish(&rd);
	if (r < 0)
		return r;

	*ret = a;
	a = (struct domain_assignment){0};
	return 0;
}

void domain_request_assignment_encode(struct writer *wr, const struct domain_assignment *a)
{
	write_assignment(wr, a);
	write_qstring(wr, a->version ? a->version : "");
}

int domain_create_assignment_decode(struct span payload, struct domain_assignment *ret)
{
	_cleanup_(domain_assignment_done) struct domain_assignment a = {0};
	struct reader rd = reader_over(payload.data, payload.len);
	int r;

	r = read_assignment(&rd, &a);
	if (r < 0)
		return r;
	r = reader_finish(&rd);
	if (r < 0)
		return r;

	*ret = a;
	a = (struct domain_assignment){0};
	return 0;
}

void domain_create_assignment_encode(struct writer *wr, const struct domain_assignment *a)
{
	write_assignment(wr, a);
}

int domain_client_status_decode(struct span payload, struct domain_client_status *ret)
{
	struct reader rd = reader_over(payload.data, payload.len);
	struct domain_client_status s = {.id = read_uuid(&rd)};
	int r;

	s.type = read_u8(&rd);
	r = reader_finish(&rd);
	if (r < 0)
		return r;

	*ret = s;
	return 0;
}

void domain_client_status_encode(struct writer *wr, const struct domain_client_status *s)
{
	write_uuid(wr, &s->id);
	write_u8(wr, s->type);
}

int domain_settings_request_decode(struct span payload, uint8_t *ret_type)
{
	struct reader rd = reader_over(payload.data, payload.len);
	uint8_t type = read_u8(&rd);
	int r = reader_finish(&rd);

	if (r < 0)
		return r;
	*ret_type = type;
	return 0;
}

/* --- moderation --- */

int domain_kick_request_decode(struct span payload, struct domain_kick_request *ret)
{
	struct reader rd = reader_over(payload.data, payload.len);
	struct domain_kick_request k = {.node = read_uuid(&rd)};
	int r;

	if (reader_left(&rd) == sizeof(k.flags)) {
		k.has_flags = true;
		k.flags = read_u32le(&rd);
	}
	r = reader_check(&rd);
	if (r < 0)
		return r;

	*ret = k;
	return 0;
}

void domain_kick_request_encode(struct writer *wr, const struct domain_kick_request *k)
{
	write_uuid(wr, &k->node);
	if (k->has_flags)
		write_u32le(wr, k->flags);
}

int domain_username_reply_decode(struct span payload, struct domain_username_reply *ret)
{
	struct reader rd = reader_over(payload.data, payload.len);
	struct domain_username_reply u = {.node = read_uuid(&rd)};
	int r;

	u.username = read_string32(&rd, PACKET_MAX);
	u.machine_fingerprint = read_uuid(&rd);
	u.is_admin = read_u8(&rd) != 0;
	r = reader_finish(&rd);
	if (r < 0)
		return r;

	*ret = u;
	return 0;
}

void domain_username_reply_encode(struct writer *wr, const struct domain_username_reply *u)
{
	write_uuid(wr, &u->node);
	write_string32(wr, u->username.data, u->username.len);
	write_uuid(wr, &u->machine_fingerprint);
	write_u8(wr, u->is_admin);
}

/* --- pings and signalling --- */

int domain_ping_decode(struct span payload, struct domain_ping *ret)
{
	struct reader rd = reader_over(payload.data, payload.len);
	struct domain_ping p = {.type = read_u8(&rd)};
	int r;

	p.time_usec = read_u64le(&rd);
	p.connection_id = read_i64le(&rd);
	r = reader_finish(&rd);
	if (r < 0)
		return r;

	*ret = p;
	return 0;
}

void domain_ping_encode(struct writer *wr, const struct domain_ping *p)
{
	write_u8(wr, p->type);
	write_u64le(wr, p->time_usec);
	write_u64le(wr, (uint64_t) p->connection_id);
}

int domain_ping_reply_decode(struct span payload, bool from_web, struct domain_ping_reply *ret)
{
	struct reader rd = reader_over(payload.data, payload.len);
	struct domain_ping_reply p = {.type = read_u8(&rd)};
	int r;

	p.ping_time_usec = from_web ? read_u64be(&rd) : read_u64le(&rd);
	p.reply_time = from_web ? read_u64be(&rd) : read_u64le(&rd);
	r = reader_finish(&rd);
	if (r < 0)
		return r;

	*ret = p;
	return 0;
}

void domain_ping_reply_encode(struct writer *wr, const struct domain_ping_reply *p)
{
	write_u8(wr, p->type);
	write_u64le(wr, p->ping_time_usec);
	write_u64le(wr, p->reply_time);
}

int domain_signaling_decode(struct span payload, struct span *ret_json)
{
	struct reader rd = reader_over(payload.data, payload.len);
	struct span json = read_string32(&rd, DOMAIN_SIGNALING_MAX);
	int r = reader_finish(&rd);

	if (r < 0)
		return r;
	if (!utf8_is_valid(json.data, json.len))
		return -EBADMSG;
	*ret_json = json;
	return 0;
}

void domain_signaling_encode(struct writer *wr, struct span json)
{
	write_string32(wr, json.data, json.len);
}
