/* The life of a node in this domain: entering, being told to others, telling it of others, leaving.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "domain-server/server-internal.h"

/* Looked at every SILENCE_TICK (server.c): upstream removes after 10 to 20 s. */
#define SILENCE_USEC (12 * USEC_PER_SEC)
/* Whoever has not shown within this that our packets reach it is dropped, and only so many may be
 * in that state: they cost memory, and anybody can make them with invented addresses. */
#define UNPROVEN_USEC (5 * USEC_PER_SEC)
#define UNPROVEN_MAX  256
/* Hardly more than a rounding below the number of local ids. */
#define RESIDENTS_MAX 60000

char *resident_format(const struct resident *r, char buf[static RESIDENT_TEXT_MAX])
{
	const char *name = r->username ? r->username : r->claimed_username;

	if (r->assignment)
		(void) snprintf(buf, RESIDENT_TEXT_MAX, "%s at %s", node_type_name(r->node->type),
				HIFI_ADDR_TEXT(&r->node->active));
	else
		(void) snprintf(buf, RESIDENT_TEXT_MAX, "%.60s at %s",
				name[0] ? name : "somebody without a name",
				HIFI_ADDR_TEXT(&r->node->active));
	return buf;
}

#define log_resident(level, r, ...)                                       \
	(void) log_at(level, 0,                                           \
		      (&(struct log_fields){                              \
			      .node = &(r)->node->uuid,                   \
			      .peer = HIFI_ADDR_TEXT(&(r)->node->active), \
		      }),                                                 \
		      __VA_ARGS__)

static bool wants(const struct resident *listener, char type)
{
	return type && strchr(listener->interests, type);
}

/* Whether listener may know of r at this time. */
static bool knows(const struct resident *listener, const struct resident *r)
{
	return listener != r && listener->is_proven && r->is_proven &&
	       wants(listener, r->node->type) &&
	       (!node_is_web(listener->node) || !r->assignment || r->can_signal);
}

static enum domain_listener listener_kind(const struct resident *r)
{
	return node_is_web(r->node) ? DOMAIN_LISTENER_WEB : DOMAIN_LISTENER_NATIVE;
}

static struct domain_node_record record_for(const struct resident *listener,
					    const struct resident *r)
{
	const struct node *node = r->node;
	struct domain_node_record record = {
		.type = node->type,
		.id = node->uuid,
		.public_addr = node->public_addr,
		.local_addr = node->local_addr,
		.permissions = node->permissions,
		.is_replicated = node->is_replicated,
		.local_id = node->local_id,
		.secret = pair_secrets_get(r->server->secrets, &listener->node->uuid, &node->uuid),
	};

	/* A web client reaches mixers by signalling and does not use these, but one that sees them
	 * change drops the mixer for good (protocol 02 section 5.2). */
	if (node_is_web(listener->node))
		record.public_addr = record.local_addr = hifi_addr_from_ipv4(SOCKET_TYPE_UDP, 0, 0);
	return record;
}

/* --- telling --- */

static void send_added(struct resident *listener, struct resident *r)
{
	struct domain_node_record record = record_for(listener, r);
	uint8_t data[128];
	struct writer wr = writer_over(data, sizeof(data));

	domain_node_record_encode(&wr, &record, listener_kind(listener));
	if (writer_finish(&wr) > 0)
		(void) endpoint_send_node(r->server->ep, listener->node,
					  PACKET_DOMAIN_SERVER_ADDED_NODE, span_of(data, wr.len));
}

static void send_removed(struct resident *listener, struct resident *r)
{
	const struct uuid *id = &r->node->uuid;

	(void) endpoint_send_node_reliable(listener->server->ep, listener->node,
					   PACKET_DOMAIN_SERVER_REMOVED_NODE,
					   span_of(id->b, sizeof(id->b)));
}

/* Calls tell for each resident that knows of r. People know of mixers only. */
static void tell_listeners(struct resident *r,
			   void (*tell)(struct resident *listener, struct resident *r))
{
	struct resident *listener;

	list_for_each (listener, &r->server->mixers, link)
		if (knows(listener, r))
			tell(listener, r);
	if (!r->assignment)
		return;
	list_for_each (listener, &r->server->agents, link)
		if (knows(listener, r))
			tell(listener, r);
}

void resident_announce(struct resident *r)
{
	tell_listeners(r, send_added);
}

void resident_set_can_signal(struct resident *r)
{
	struct resident *listener;

	if (!r->assignment || r->can_signal)
		return;
	r->can_signal = true;
	resident_touch(r);
	list_for_each (listener, &r->server->agents, link)
		if (node_is_web(listener->node) && knows(listener, r))
			send_added(listener, r);
}

void resident_set_proven(struct resident *r)
{
	if (r->is_proven)
		return;
	r->is_proven = true;
	r->server->n_unproven--;
	resident_touch(r);
	resident_announce(r);
}

void resident_redial(struct resident *client, struct resident *mixer)
{
	if (!knows(client, mixer))
		return;
	/* Should the second overtake the first, then the next DomainList does its work. */
	send_removed(client, mixer);
	send_added(client, mixer);
}

static void send_list_packet(void *userdata, struct span payload)
{
	struct resident *r = userdata;

	(void) endpoint_send_node(r->server->ep, r->node, PACKET_DOMAIN_LIST, payload);
}

static size_t collect_records(struct resident *r, size_t n, struct list *residents)
{
	struct server *s = r->server;
	struct resident *other;

	list_for_each (other, residents, link)
		if (n < s->n_records && knows(r, other))
			s->records[n++] = record_for(r, other);
	return n;
}

static int reserve_records(struct server *s)
{
	size_t n = node_list_size(s->nodes);
	struct domain_node_record *records;

	if (n <= s->n_records)
		return 0;
	n += n / 2 + 64;
	records = reallocarray(s->records, n, sizeof(*records));
	if (!records)
		return -ENOMEM;
	s->records = records;
	s->n_records = n;
	return 0;
}

void resident_send_list(struct resident *r, uint64_t request_time, uint64_t received_usec,
			bool is_new_connection, size_t max_len)
{
	struct server *s = r->server;
	struct domain_list_header header = {
		.domain_id = s->id,
		.domain_local_id = s->local_id,
		.your_id = r->node->uuid,
		.your_local_id = r->node->local_id,
		.your_permissions = r->node->permissions,
		.is_authenticated = s->is_authenticated,
		.request_time = request_time,
		.sent_usec = clock_wall_usec(),
		.processing_usec = clock_now_usec() - received_usec,
		.is_new_connection = is_new_connection,
	};
	size_t n = 0, most;

	if (reserve_records(s) >= 0) {
		n = collect_records(r, n, &s->mixers);
		if (wants(r, NODE_TYPE_AGENT))
			n = collect_records(r, n, &s->agents);
	}
	/* What is left out comes with the next check-in. */
	most = max_len > DOMAIN_LIST_HEADER_LEN
		       ? (max_len - DOMAIN_LIST_HEADER_LEN) / DOMAIN_RECORD_MAX
		       : 0;
	domain_list_encode(&header, s->records, MIN(n, most), listener_kind(r), send_list_packet,
			   r);
}

/* --- entering --- */

struct resident *resident_free(struct resident *r)
{
	if (!r)
		return NULL;
	list_remove(&r->link);
	free(r->username);
	free(r->claimed_username);
	free(r->place_name);
	free(r->hardware_address);
	json_decref(r->stats);
	free(r);
	return NULL;
}

static void take_interests(struct resident *r, const struct domain_check_in *check_in)
{
	size_t n = 0;

	for (size_t i = 0; i < check_in->n_interests; i++) {
		char type = check_in->interests[i];

		/* People are never told of each other. */
		if (type && !(type == NODE_TYPE_AGENT && !r->assignment))
			r->interests[n++] = type;
	}
	r->interests[n] = 0;
}

static int take_texts(struct resident *r, const struct domain_connect_request *connect)
{
	const char *name = connect->username, *mac = connect->hardware_address;
	const char *place = connect->check_in.place_name;

	r->claimed_username = utf8_sanitise(name, strlen(name));
	r->hardware_address = utf8_sanitise(mac, strlen(mac));
	r->place_name = utf8_sanitise(place, strlen(place));
	return r->claimed_username && r->hardware_address && r->place_name ? 0 : -ENOMEM;
}

static int node_new(struct server *s, const struct resident_request *request, uint64_t now_usec,
		    struct node **ret)
{
	struct uuid id = uuid_random();
	uint16_t local_id = local_ids_take(&s->local_ids);
	struct node *node;
	int r;

	if (local_id == 0)
		return -ENOBUFS;
	r = node_list_add(s->nodes, &id, local_id, request->type, now_usec, &node);
	if (r < 0) {
		local_ids_give_back(&s->local_ids, local_id);
		return r;
	}
	node->dialect = request->dialect;
	node->permissions = request->permissions;
	node->heard_usec = now_usec;
	node_list_set_addresses(s->nodes, node, &request->public_addr, &request->local_addr);
	if (request->from.type == SOCKET_TYPE_UDP &&
	    !hifi_addr_equal(&request->from, &request->public_addr) &&
	    !hifi_addr_equal(&request->from, &request->local_addr))
		node_list_set_symmetric(s->nodes, node, &request->from);
	node_list_activate(s->nodes, node, &request->from);
	*ret = node;
	return 0;
}

int resident_new(struct server *s, const struct resident_request *request, uint64_t now_usec,
		 struct resident **ret)
{
	_cleanup_(resident_freep) struct resident *resident = NULL;
	int r;

	if (node_list_size(s->nodes) >= RESIDENTS_MAX ||
	    (!request->is_proven && s->n_unproven >= UNPROVEN_MAX))
		return -ENOBUFS;
	resident = calloc(1, sizeof(*resident));
	if (!resident)
		return -ENOMEM;
	list_init(&resident->link);
	resident->server = s;
	resident->machine_fingerprint = request->connect->machine_fingerprint;
	resident->connect_uuid = request->connect->connect_uuid;
	resident->assignment = request->assignment;
	resident->is_proven = request->is_proven;
	(void) snprintf(resident->version, sizeof(resident->version), "%s",
			request->version ? request->version : "");
	take_interests(resident, &request->connect->check_in);
	r = take_texts(resident, request->connect);
	if (r < 0)
		return r;
	r = node_new(s, request, now_usec, &resident->node);
	if (r < 0)
		return r;

	resident->node->data = resident;
	list_append(request->assignment ? &s->mixers : &s->agents, &resident->link);
	s->n_unproven += !request->is_proven;
	succession_touch(s); /* the local ids */
	log_resident(LOG_INFO, resident, "%s is here", RESIDENT_TEXT(resident));
	*ret = TAKE_PTR(resident);
	return 0;
}

int resident_update(struct resident *r, const struct domain_check_in *check_in)
{
	char *place = utf8_sanitise(check_in->place_name, strlen(check_in->place_name));

	if (!place)
		return -ENOMEM;
	free(r->place_name);
	r->place_name = place;
	take_interests(r, check_in);
	resident_touch(r);
	return 0;
}

/* --- leaving --- */

void resident_kill(struct resident *r, const char *why)
{
	struct server *s = r->server;
	struct node *node = r->node;

	log_resident(r->assignment ? LOG_NOTICE : LOG_INFO, r, "%s has left: %s", RESIDENT_TEXT(r),
		     why);
	tell_listeners(r, send_removed);
	s->n_unproven -= !r->is_proven;
	local_ids_give_back(&s->local_ids, node->local_id);
	if (r->assignment)
		assignments_release(s->assignments, r->assignment);
	(void) resident_free(r);
	node->data = NULL;
	node_list_remove(s->nodes, node);
}

static void expire(struct list *residents, uint64_t now_usec)
{
	struct resident *r;

	list_for_each (r, residents, link) {
		uint64_t silent_usec = now_usec - MIN(r->node->heard_usec, now_usec);

		if (silent_usec > SILENCE_USEC)
			resident_kill(r, "nothing heard any more");
		else if (!r->is_proven && now_usec > r->node->added_usec + UNPROVEN_USEC)
			resident_kill(r, "never answered from its address");
	}
}

void residents_expire(struct server *s, uint64_t now_usec)
{
	expire(&s->agents, now_usec);
	expire(&s->mixers, now_usec);
}

void residents_free(struct server *s)
{
	struct resident *r;

	list_for_each (r, &s->agents, link)
		(void) resident_free(r);
	list_for_each (r, &s->mixers, link)
		(void) resident_free(r);
}

/* --- rights --- */

struct gatekeeper_subject resident_subject(const struct resident *r)
{
	return (struct gatekeeper_subject){
		.username = r->username,
		.hardware_address = r->hardware_address,
		.machine_fingerprint = r->machine_fingerprint,
		.transport = endpoint_transport_addr(r->server->ep, &r->node->active),
	};
}

void residents_recheck(struct server *s)
{
	struct resident *r;

	list_for_each (r, &s->agents, link) {
		struct gatekeeper_subject subject = resident_subject(r);

		r->node->permissions = gatekeeper_permissions(s->gatekeeper, &subject);
		resident_touch(r);
		if (!permissions_has(r->node->permissions, PERMISSION_CONNECT))
			resident_kill(r, "no longer allowed to be here");
	}
}

unsigned residents_count_people(const struct server *s)
{
	unsigned n = 0;

	for (const struct list *l = s->agents.next; l != &s->agents; l = l->next)
		n++;
	return n;
}
