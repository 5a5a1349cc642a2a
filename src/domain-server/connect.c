/* Connect requests, check-ins, denials and goodbyes: protocol 02 sections 4 to 7. */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "domain-server/server-internal.h"

#define VERSION_MISMATCH "Protocol version mismatch - Domain version: hifi-domain " PACKAGE_VERSION

/* A node that checked in within this is alive: it does so every second. */
#define ALIVE_USEC (3 * USEC_PER_SEC)

static void deny(struct server *s, const struct hifi_addr *to, uint8_t reason, const char *message,
		 const char *extra)
{
	uint8_t data[PACKET_MAX];
	struct writer wr = writer_over(data, sizeof(data));
	struct domain_denied denied = {
		.reason = reason,
		.message = span_of(message, strlen(message)),
		.extra = span_of(extra, strlen(extra)),
	};

	domain_denied_encode(&wr, &denied);
	if (writer_finish(&wr) > 0)
		(void) endpoint_send(s->ep, to, PACKET_DOMAIN_CONNECTION_DENIED,
				     span_of(data, wr.len));
}

static bool is_connect_request(unsigned type)
{
	return type == PACKET_DOMAIN_CONNECT_REQUEST ||
	       type == PACKET_DOMAIN_CONNECT_REQUEST_PENDING;
}

void connect_version_mismatch(struct server *s, const struct hifi_addr *from,
			      const struct packet *packet)
{
	/* Never more than we were sent: the sender may not be where it says. */
	if (is_connect_request(packet->type) && packet->payload.len > sizeof(VERSION_MISMATCH) + 8)
		deny(s, from, DENIED_PROTOCOL_MISMATCH, VERSION_MISMATCH, "");
}

/* --- addresses --- */

static bool is_null(const struct hifi_addr *a)
{
	return !hifi_addr_is_set(a) || (hifi_addr_is_any(a) && a->port == 0);
}

/* Where a node says it is, completed by where it is seen (02 section 4.0 step 2). False when that
 * yields nothing. */
static bool find_addresses(const struct domain_check_in *check_in, const struct hifi_addr *from,
			   struct hifi_addr *ret_public, struct hifi_addr *ret_local)
{
	struct hifi_addr public_addr = check_in->public_addr, local_addr = check_in->local_addr;

	if (from->type == SOCKET_TYPE_WEBRTC) {
		/* The label, which is not tied to a channel. */
		public_addr = *from;
		public_addr.channel = 0;
		*ret_public = *ret_local = public_addr;
		return true;
	}
	if (public_addr.type != SOCKET_TYPE_UDP || local_addr.type != SOCKET_TYPE_UDP)
		return false;
	/* Null stays null on this machine: "the same host as the domain-server". */
	if (hifi_addr_is_any(&public_addr) && !hifi_addr_is_loopback(from))
		memcpy(public_addr.ip, from->ip, sizeof(public_addr.ip));
	if (is_null(&public_addr) || is_null(&local_addr))
		return false;
	*ret_public = public_addr;
	*ret_local = local_addr;
	return true;
}

/* --- connecting --- */

/* Clients send up to 20 identical copies of a request while they wait; only the first makes a node.
 */
static struct resident *find_copy(struct server *s, const struct received *rx,
				  const struct domain_connect_request *c)
{
	struct node *node = node_list_find_by_addr(s->nodes, rx->from);
	struct resident *r = node ? resident_of(node) : NULL;

	if (!r || r->checked_in_usec > 0 || node->type != c->check_in.node_type ||
	    !hifi_addr_equal(&node->active, rx->from) ||
	    !uuid_equal(&r->connect_uuid, &c->connect_uuid) ||
	    !uuid_equal(&r->machine_fingerprint, &c->machine_fingerprint) ||
	    strcmp(r->claimed_username, c->username) != 0)
		return NULL;
	return r;
}

/* Whether the newcomer may end an older node with its address. Whoever has not shown that the
 * address is its own must wait until the other is silent: one forged datagram shall not throw
 * anybody out. */
static bool may_replace(const struct resident *old, const struct resident_request *request,
			uint64_t now_usec)
{
	return request->is_proven ||
	       (!old->assignment && now_usec > old->checked_in_usec + ALIVE_USEC);
}

/* A node with these addresses is the newcomer before it lost us. */
static int replace_predecessors(struct server *s, const struct resident_request *request,
				uint64_t now_usec)
{
	struct node *node = node_list_find_by_addr(s->nodes, &request->from);

	if (node && hifi_addr_same_label(&node->active, &request->from)) {
		if (!may_replace(resident_of(node), request, now_usec))
			return -EPERM;
		resident_kill(resident_of(node), "connected anew");
	}
	node = node_list_find_by_addr(s->nodes, &request->public_addr);
	if (node && hifi_addr_equal(&node->public_addr, &request->public_addr) &&
	    hifi_addr_equal(&node->local_addr, &request->local_addr) &&
	    may_replace(resident_of(node), request, now_usec))
		resident_kill(resident_of(node), "connected anew");
	return 0;
}

static void welcome(struct server *s, struct resident *r, const struct received *rx,
		    const struct domain_connect_request *c)
{
	/* Before an address is proven, no answer is longer than the request. */
	resident_send_list(r, c->check_in.current_time, rx->now_usec, true,
			   r->is_proven ? SIZE_MAX : rx->payload.len);
}

static int admit_mixer(struct server *s, const struct received *rx,
		       struct resident_request *request)
{
	struct resident *r;
	int result;

	/* First, so that a late copy of an old request does no harm. */
	result = assignments_take(s->assignments, &request->connect->connect_uuid, request->type,
				  &request->assignment, &request->version);
	if (result < 0)
		return -ESTALE;
	request->is_proven = true;
	request->permissions = PERMISSIONS_ASSIGNED;
	result = replace_predecessors(s, request, rx->now_usec);
	if (result >= 0)
		result = resident_new(s, request, rx->now_usec, &r);
	if (result < 0) {
		assignments_release(s->assignments, request->assignment);
		return result;
	}
	welcome(s, r, rx, request->connect);
	resident_announce(r);
	return 0;
}

static int admit_person(struct server *s, const struct received *rx,
			struct resident_request *request)
{
	const struct domain_connect_request *c = request->connect;
	struct gatekeeper_subject subject = {
		/* No directory service can vouch for the name: whoever gives one is as good as
		 * anonymous, and not kept waiting (02 section 6.2). */
		.hardware_address = c->hardware_address,
		.machine_fingerprint = c->machine_fingerprint,
		.transport = endpoint_transport_addr(s->ep, rx->from),
	};
	struct gatekeeper_verdict verdict;
	struct resident *r;
	int result;

	request->is_proven = rx->from->type == SOCKET_TYPE_WEBRTC;
	result = replace_predecessors(s, request, rx->now_usec);
	if (result < 0)
		return result;
	if (gatekeeper_admit(s->gatekeeper, &subject, residents_count_people(s), &verdict) < 0) {
		/* It asks again every second, for ever. */
		if (log_ratelimit_allows(&s->denied_log, NULL))
			log_info("Denied entry to %s: %s", HIFI_ADDR_TEXT(rx->from),
				 verdict.message);
		deny(s, rx->from, verdict.reason, verdict.message, verdict.extra);
		return -EPERM;
	}
	request->permissions = verdict.permissions;
	result = resident_new(s, request, rx->now_usec, &r);
	if (result < 0)
		return result;
	welcome(s, r, rx, c);
	if (r->is_proven)
		resident_announce(r);
	return 0;
}

static int connect_decoded(struct server *s, const struct received *rx,
			   const struct domain_connect_request *c)
{
	struct resident_request request = {
		.type = c->check_in.node_type,
		.connect = c,
		.from = *rx->from,
		.dialect = DIALECT_VIRCADIA,
	};
	const struct hat_info *hat = hat_find_by_node_type(c->check_in.node_type);
	struct resident *copy;

	if (c->protocol_signature.len != 16 ||
	    packet_signature_dialect(c->protocol_signature.data) != DIALECT_VIRCADIA) {
		if (rx->payload.len > sizeof(VERSION_MISMATCH) + 8)
			deny(s, rx->from, DENIED_PROTOCOL_MISMATCH, VERSION_MISMATCH, "");
		return -EPROTO;
	}
	if (!hat ||
	    !find_addresses(&c->check_in, rx->from, &request.public_addr, &request.local_addr))
		return -EPERM;

	copy = find_copy(s, rx, c);
	if (copy) {
		welcome(s, copy, rx, c);
		return 0;
	}
	if (assignments_was_offered(s->assignments, &c->connect_uuid))
		return admit_mixer(s, rx, &request);
	/* An assignment client that we do not know gives up by itself. */
	return hat->hat == HAT_AGENT ? admit_person(s, rx, &request) : -EPERM;
}

static int on_connect_request(void *userdata, const struct received *rx)
{
	struct domain_connect_request c;
	int r;

	r = domain_connect_request_decode(rx->payload, &c);
	if (r < 0)
		return r;
	r = connect_decoded(userdata, rx, &c);
	domain_connect_request_done(&c);
	return r;
}

/* --- staying and leaving --- */

static int on_list_request(void *userdata, const struct received *rx)
{
	struct server *s = userdata;
	struct resident *r = resident_of(rx->node);
	struct domain_check_in check_in;
	struct hifi_addr public_addr, local_addr;
	int result;

	result = domain_list_request_decode(rx->payload, &check_in);
	if (result < 0)
		return result;
	if (rx->from->type == SOCKET_TYPE_UDP &&
	    find_addresses(&check_in, rx->from, &public_addr, &local_addr))
		node_list_set_addresses(s->nodes, rx->node, &public_addr, &local_addr);
	result = resident_update(r, &check_in);
	if (result >= 0) {
		r->checked_in_usec = rx->now_usec;
		resident_set_proven(r);
		resident_set_can_signal(r);
		resident_send_list(r, check_in.current_time, rx->now_usec, false, SIZE_MAX);
	}
	domain_check_in_done(&check_in);
	return result;
}

static int on_disconnect_request(void *userdata, const struct received *rx)
{
	resident_kill(resident_of(rx->node), "said goodbye");
	return 0;
}

void connect_register(struct server *s)
{
	/* Nobody sends type 1 today; it was the same request (02 section 4.1). */
	endpoint_handle(s->ep, PACKET_DOMAIN_CONNECT_REQUEST, on_connect_request, s);
	endpoint_handle(s->ep, PACKET_DOMAIN_CONNECT_REQUEST_PENDING, on_connect_request, s);
	endpoint_handle(s->ep, PACKET_DOMAIN_LIST_REQUEST, on_list_request, s);
	endpoint_handle(s->ep, PACKET_DOMAIN_DISCONNECT_REQUEST, on_disconnect_request, s);
}
