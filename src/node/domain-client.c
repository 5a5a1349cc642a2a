#include "node/domain-client-internal.h"

#include <errno.h>

#include "base/clock.h"
#include "base/event.h"
#include "base/hats.h"
#include "base/log.h"
#include "base/qt-stream.h"
#include "node/activation.h"
#include "node/domain-packets.h"
#include "node/session-records.h"
#include "node/session-store.h"
#include "webrtc/signalling.h"

/* Protocol 02 section 1. */
#define TICK_USEC             USEC_PER_SEC
#define UNANSWERED_MAX        5
#define SETTINGS_TIMEOUT_USEC (5 * USEC_PER_SEC)
#define SILENCE_USEC          (15 * USEC_PER_SEC) /* upstream: 10 to 20 s */
#define PING_TICK_USEC        (50 * USEC_PER_MSEC)
/* How long a web client may take to open its channel: with a fifth of all packets lost each way
 * most take 1 to 5 s. */
#define DIAL_USEC (10 * USEC_PER_SEC)

/* --- redialling --- */

static void send_signal(struct domain_client *dc, const char *json)
{
	struct writer wr = writer_growing(DOMAIN_SIGNALING_MAX + 4);

	domain_signaling_encode(&wr, span_of(json, strlen(json)));
	if (writer_finish(&wr) > 0)
		(void) endpoint_send_message(dc->ep, &dc->domain, PACKET_WEB_RTC_SIGNALING,
					     span_of(wr.data, wr.len));
	writer_done(&wr);
}

/* A web client never offers again by itself (protocol 02 section 15): the domain-server must take
 * us from its list and add us again. This message is between this assignment client and this
 * domain-server only, which says in the settings that it knows it. */
static void request_redial(struct domain_client *dc, const struct hifi_addr *label)
{
	char json[HIFI_ADDR_TEXT_MAX + 64], ip[HIFI_ADDR_TEXT_MAX];

	(void) snprintf(json, sizeof(json), "{\"from\":\"%c\",\"to\":\"%s:%u\",\"redial\":true}",
			dc->node_type, hifi_addr_format_ip(label, ip), label->port);
	send_signal(dc, json);
}

/* A client that dials again starts its mixer state from nothing, so we forget ours; the next
 * DomainList brings the node back if it still is in the domain. What is left of a channel goes: one
 * that is open at the client would keep it from dialling. */
static void redial(struct domain_client *dc, struct node *node)
{
	struct hifi_addr label = node->public_addr;

	node_list_remove(dc->nodes, node);
	endpoint_close_channel(dc->ep, &label);
	if (dc->can_redial)
		request_redial(dc, &label);
}

/* The channels of all web clients died with the predecessor. They, and who knows of them, start
 * over. */
static void redial_all(struct domain_client *dc)
{
	dc->is_restored = false;
	node_list_for_each (dc->nodes, node)
		if (node_is_web(node))
			redial(dc, node);
}

/* --- the node list --- */

static bool serves_nodes(const struct domain_client *dc)
{
	return dc->state == DOMAIN_CLIENT_RUNNING;
}

static void on_node_killed(void *userdata, struct node *node)
{
	struct domain_client *dc = userdata;

	if (serves_nodes(dc) && dc->ops->node_killed)
		dc->ops->node_killed(dc->userdata, node);
}

static void run_activation(struct domain_client *dc, struct node *node, uint64_t now_usec)
{
	if (activation_run(dc->ep, dc->nodes, node, now_usec) && dc->ops->node_activated)
		dc->ops->node_activated(dc->userdata, node);
}

static void introduce_node(struct domain_client *dc, struct node *node, uint64_t now_usec)
{
	if (dc->ops->node_added)
		dc->ops->node_added(dc->userdata, node);
	run_activation(dc, node, now_usec);
}

/* What the record says, with "the domain-server's own address" made real. */
static struct hifi_addr resolved(const struct domain_client *dc, const struct hifi_addr *addr)
{
	struct hifi_addr a = *addr;

	if (a.type == SOCKET_TYPE_UDP && hifi_addr_is_any(&a))
		memcpy(a.ip, dc->domain.ip, sizeof(a.ip));
	return a;
}

static int update_node(struct domain_client *dc, struct node *node,
		       const struct domain_node_record *record)
{
	struct hifi_addr public_addr = resolved(dc, &record->public_addr);
	struct hifi_addr local_addr = resolved(dc, &record->local_addr);

	if (!hifi_addr_equal(&public_addr, &node->public_addr) ||
	    !hifi_addr_equal(&local_addr, &node->local_addr)) {
		node_list_activate(dc->nodes, node, NULL);
		node_list_set_addresses(dc->nodes, node, &public_addr, &local_addr);
	}
	if (node->permissions != record->permissions ||
	    node->is_replicated != record->is_replicated) {
		node->permissions = record->permissions;
		node->is_replicated = record->is_replicated;
		if (dc->options.store)
			session_store_touch_node(dc->options.store, node);
	}
	node_list_set_secret(dc->nodes, node, &record->secret);
	return node_list_set_local_id(dc->nodes, node, record->local_id);
}

static int take_record(struct domain_client *dc, const struct domain_node_record *record,
		       uint64_t now_usec)
{
	struct node *node = node_list_find(dc->nodes, &record->id);
	struct node *other;
	int r;

	if (uuid_equal(&record->id, &dc->session))
		return -EPROTO;
	if (node)
		return update_node(dc, node, record);

	/* A successor evicts what it replaces: by type where there is one of a kind, by local id
	 * always. */
	other = node_list_find_solo(dc->nodes, record->type);
	if (other)
		node_list_remove(dc->nodes, other);
	other = node_list_find_by_id(dc->nodes, record->local_id);
	if (other)
		node_list_remove(dc->nodes, other);

	r = node_list_add(dc->nodes, &record->id, record->local_id, record->type, now_usec, &node);
	if (r < 0)
		return r;
	(void) update_node(dc, node, record);
	if (serves_nodes(dc))
		introduce_node(dc, node, now_usec);
	return 0;
}

/* Nothing came of a web client's one offer, or the answer was lost with its connection. */
static bool never_came(const struct domain_client *dc, const struct node *node, uint64_t now_usec)
{
	return dc->can_redial && serves_nodes(dc) && node_is_web(node) && !node_is_active(node) &&
	       now_usec > node->added_usec + DIAL_USEC;
}

static void remove_silent_nodes(struct domain_client *dc, uint64_t now_usec)
{
	node_list_for_each (dc->nodes, node) {
		bool is_silent = now_usec > node->heard_usec + SILENCE_USEC;

		if (!is_silent && !never_came(dc, node, now_usec))
			continue;
		log_debug("Node %s (%s) %s", UUID_TEXT(&node->uuid), node_type_name(node->type),
			  node_is_active(node) ? "is silent" : "has not come");
		if (node_is_web(node))
			redial(dc, node);
		else
			node_list_remove(dc->nodes, node);
	}
}

/* --- checking in --- */

static void fill_check_in(const struct domain_client *dc, struct domain_check_in *c)
{
	*c = (struct domain_check_in){
		.current_time = clock_wall_usec(),
		.node_type = dc->node_type,
		/* Null: the domain-server knows us as it sees us. */
		.public_addr = hifi_addr_from_ipv4(SOCKET_TYPE_UDP, 0, endpoint_port(dc->ep)),
		.local_addr = dc->local_addr,
		.n_interests = (uint8_t) strnlen(dc->interest, DOMAIN_INTEREST_MAX),
	};
	memcpy(c->interests, dc->interest, c->n_interests);
}

static void send_connect_request(struct domain_client *dc)
{
	uint8_t data[PACKET_MAX - PACKET_UDT_LEN - 2], signature[16];
	struct writer wr = writer_over(data, sizeof(data));
	struct domain_connect_request request = {
		.connect_uuid = dc->connect_uuid,
		.protocol_signature = span_of(signature, sizeof(signature)),
		.machine_fingerprint = dc->options.fingerprint,
		.username = (char *) dc->options.username,
	};

	packet_signature(DIALECT_VIRCADIA, signature);
	fill_check_in(dc, &request.check_in);
	domain_connect_request_encode(&wr, &request);
	if (writer_finish(&wr) > 0)
		(void) endpoint_send(dc->ep, &dc->domain, PACKET_DOMAIN_CONNECT_REQUEST,
				     span_of(data, wr.len));
}

static void send_list_request(struct domain_client *dc)
{
	uint8_t data[PACKET_MAX];
	struct writer wr = writer_over(data, sizeof(data));
	struct domain_check_in check_in;

	fill_check_in(dc, &check_in);
	domain_list_request_encode(&wr, &check_in);
	(void) endpoint_send(dc->ep, &dc->domain, PACKET_DOMAIN_LIST_REQUEST,
			     span_of(data, wr.len));
}

static void send_assignment_request(struct domain_client *dc)
{
	uint8_t data[1024];
	struct writer wr = writer_over(data, sizeof(data));
	struct domain_assignment request = {
		.type = (uint8_t) dc->options.assignment_type,
		.pool = (char *) dc->options.pool,
		.version = (char *) dc->options.version,
	};

	domain_request_assignment_encode(&wr, &request);
	if (writer_finish(&wr) > 0)
		(void) endpoint_send(dc->ep, &dc->domain, PACKET_REQUEST_ASSIGNMENT,
				     span_of(data, wr.len));
}

static void check_in(struct domain_client *dc)
{
	dc->unanswered++;
	if (dc->state == DOMAIN_CLIENT_CONNECTING)
		send_connect_request(dc);
	else
		send_list_request(dc);
}

static void start_over(struct domain_client *dc)
{
	dc->session = UUID_NULL;
	dc->connect_uuid = UUID_NULL;
	dc->local_id = 0;
	dc->is_authenticated = true;
	dc->permissions = 0;
	dc->unanswered = 0;
	dc->can_redial = dc->is_restored = false;
	dc->payload = shared_bytes_unref(dc->payload);
	dc->settings = shared_bytes_unref(dc->settings);
	endpoint_set_local_id(dc->ep, dc->local_id);
	endpoint_set_authenticated(dc->ep, dc->is_authenticated);
	endpoint_set_domain_server(dc->ep, NULL, 0);
	dc->domain = dc->options.domain;

	if (dc->options.as_agent) {
		dc->node_type = NODE_TYPE_AGENT;
		dc->interest = dc->options.interest;
		dc->state = DOMAIN_CLIENT_CONNECTING;
		endpoint_set_domain_server(dc->ep, &dc->domain, 0);
	} else {
		dc->node_type = NODE_TYPE_UNASSIGNED;
		dc->state = DOMAIN_CLIENT_REQUESTING;
	}
}

void domain_client_end(struct domain_client *dc, const char *why)
{
	bool was_told = dc->state == DOMAIN_CLIENT_SETTINGS || dc->state == DOMAIN_CLIENT_RUNNING;

	if (dc->state == DOMAIN_CLIENT_STOPPED)
		return;
	if (dc->options.store)
		session_store_end(dc->options.store);
	/* The nodes go while the hat still lives: it frees what it keeps for them. */
	node_list_clear(dc->nodes);
	if (was_told)
		(void) endpoint_send(dc->ep, &dc->domain, PACKET_DOMAIN_DISCONNECT_REQUEST,
				     span_of(NULL, 0));
	if (dc->state != DOMAIN_CLIENT_REQUESTING && dc->ops->ended)
		dc->ops->ended(dc->userdata, why);
	start_over(dc);
}

static void on_tick(void *userdata)
{
	struct domain_client *dc = userdata;
	uint64_t now = clock_now_usec();

	switch (dc->state) {
	case DOMAIN_CLIENT_REQUESTING:
		send_assignment_request(dc);
		return;
	case DOMAIN_CLIENT_STOPPED:
		return;
	case DOMAIN_CLIENT_SETTINGS:
		if (now > dc->settings_deadline_usec) {
			domain_client_end(dc, "the domain-server sent no settings");
			return;
		}
		break;
	default:
		break;
	}

	if (dc->unanswered >= UNANSWERED_MAX) {
		domain_client_end(dc, "the domain-server is silent");
		return;
	}
	remove_silent_nodes(dc, now);
	check_in(dc);
}

static void on_pings(void *userdata)
{
	struct domain_client *dc = userdata;
	uint64_t now = clock_now_usec();

	if (!serves_nodes(dc))
		return;
	node_list_for_each (dc->nodes, node)
		run_activation(dc, node, now);
}

void domain_client_run(struct domain_client *dc, uint64_t now_usec)
{
	if (now_usec >= dc->next_tick_usec) {
		dc->next_tick_usec = now_usec + TICK_USEC;
		on_tick(dc);
	}
	if (now_usec >= dc->next_pings_usec) {
		dc->next_pings_usec = now_usec + PING_TICK_USEC;
		on_pings(dc);
	}
}

/* --- packets of the domain-server --- */

static bool is_from_domain(const struct domain_client *dc, const struct received *rx)
{
	return dc->state != DOMAIN_CLIENT_REQUESTING && hifi_addr_equal(rx->from, &dc->domain);
}

static int on_create_assignment(void *userdata, const struct received *rx)
{
	struct domain_client *dc = userdata;
	struct domain_assignment assignment;
	const char *interest;
	int r;

	if (dc->state != DOMAIN_CLIENT_REQUESTING)
		return -ESTALE;
	if (!hifi_addr_same_ip(rx->from, &dc->options.domain))
		return -EPERM;
	r = domain_create_assignment_decode(rx->payload, &assignment);
	if (r < 0)
		return r;

	interest = dc->ops->assigned(dc->userdata, assignment.type, assignment.payload);
	if (interest && hat_find(assignment.type)) {
		dc->domain = *rx->from;
		dc->connect_uuid = assignment.id;
		dc->assignment_type = assignment.type;
		dc->node_type = hat_find(assignment.type)->node_type;
		dc->payload = shared_bytes_new(assignment.payload.data, assignment.payload.len);
		dc->interest = interest;
		dc->state = DOMAIN_CLIENT_CONNECTING;
		endpoint_set_domain_server(dc->ep, &dc->domain, 0);
		check_in(dc);
	}
	domain_assignment_done(&assignment);
	return interest ? 0 : -EPERM;
}

static void first_list(struct domain_client *dc, const struct domain_list_header *header,
		       uint64_t now_usec)
{
	uint8_t type = (uint8_t) dc->assignment_type;

	dc->session = header->your_id;
	dc->connected_usec = now_usec;
	dc->domain_local_id = header->domain_local_id;
	endpoint_set_domain_server(dc->ep, &dc->domain, dc->domain_local_id);

	if (dc->options.as_agent) {
		dc->state = DOMAIN_CLIENT_RUNNING;
		if (dc->ops->connected)
			dc->ops->connected(dc->userdata);
		return;
	}
	dc->state = DOMAIN_CLIENT_SETTINGS;
	dc->settings_deadline_usec = now_usec + SETTINGS_TIMEOUT_USEC;
	(void) endpoint_send_reliable(dc->ep, &dc->domain, PACKET_DOMAIN_SETTINGS_REQUEST,
				      span_of(&type, 1));
}

static void take_header(struct domain_client *dc, const struct domain_list_header *header)
{
	if (dc->local_id == header->your_local_id &&
	    dc->is_authenticated == header->is_authenticated &&
	    dc->permissions == header->your_permissions)
		return;
	dc->local_id = header->your_local_id;
	dc->is_authenticated = header->is_authenticated;
	dc->permissions = header->your_permissions;
	endpoint_set_local_id(dc->ep, dc->local_id);
	endpoint_set_authenticated(dc->ep, dc->is_authenticated);
	if (dc->options.store && dc->state == DOMAIN_CLIENT_RUNNING)
		session_store_touch(dc->options.store);
}

static int on_domain_list(void *userdata, const struct received *rx)
{
	struct domain_client *dc = userdata;
	struct domain_list list;
	int r;

	if (!is_from_domain(dc, rx))
		return -EPERM;
	r = domain_list_decode(rx->payload, &list);
	if (r < 0)
		return r;

	dc->unanswered = 0;
	if (dc->state != DOMAIN_CLIENT_CONNECTING &&
	    !uuid_equal(&list.header.your_id, &dc->session)) {
		domain_client_end(dc, "the domain-server knows us under another id");
		return 0;
	}

	take_header(dc, &list.header);
	if (dc->state == DOMAIN_CLIENT_CONNECTING)
		first_list(dc, &list.header, rx->now_usec);
	if (dc->is_restored)
		redial_all(dc);
	if (dc->options.store && dc->state == DOMAIN_CLIENT_RUNNING)
		session_store_beat(dc->options.store, rx->now_usec);

	for (size_t i = 0; i < list.n_nodes; i++)
		(void) take_record(dc, &list.nodes[i], rx->now_usec);
	return 0;
}

static int on_added_node(void *userdata, const struct received *rx)
{
	struct domain_client *dc = userdata;
	struct domain_node_record record;
	int r;

	if (!is_from_domain(dc, rx))
		return -EPERM;
	r = domain_added_node_decode(rx->payload, &record);
	if (r < 0)
		return r;
	if (dc->state == DOMAIN_CLIENT_CONNECTING)
		return -ESTALE;
	return take_record(dc, &record, rx->now_usec);
}

static int on_removed_node(void *userdata, const struct received *rx)
{
	struct domain_client *dc = userdata;
	struct node *node;
	struct uuid id;
	int r;

	if (!is_from_domain(dc, rx))
		return -EPERM;
	r = domain_uuid_decode(rx->payload, &id);
	if (r < 0)
		return r;

	/* A web client closes its channels itself. Were we first, what the SDK still sends before
	 * it has taken everything down would find them closed, and each time it says so in the
	 * page's console. */
	node = node_list_find(dc->nodes, &id);
	if (node)
		node_list_remove(dc->nodes, node);
	return 0;
}

static int on_denied(void *userdata, const struct received *rx)
{
	struct domain_client *dc = userdata;
	_cleanup_free_ char *message = NULL;
	struct domain_denied denied;
	int r;

	if (!is_from_domain(dc, rx))
		return -EPERM;
	r = domain_denied_decode(rx->payload, &denied);
	if (r < 0)
		return r;

	dc->unanswered = 0;
	message = utf8_sanitise(denied.message.data, denied.message.len);
	if (dc->ops->denied)
		dc->ops->denied(dc->userdata, denied.reason, message ? message : "");
	return 0;
}

void domain_client_run_hat(struct domain_client *dc)
{
	dc->state = DOMAIN_CLIENT_RUNNING;
	if (dc->options.store)
		session_store_touch(dc->options.store);
}

int domain_client_apply_settings(struct domain_client *dc, struct span text)
{
	json_t *settings =
		json_loadb((const char *) text.data, text.len, JSON_REJECT_DUPLICATES, NULL);
	int r;

	if (!json_is_object(settings)) {
		json_decref(settings);
		return -EBADMSG;
	}
	dc->settings = shared_bytes_new(text.data, text.len);
	dc->can_redial = json_is_true(json_object_get(settings, "redial"));
	r = dc->settings ? dc->ops->settings(dc->userdata, settings) : -ENOMEM;
	json_decref(settings);
	return r;
}

static int on_settings(void *userdata, const struct received *rx)
{
	struct domain_client *dc = userdata;
	int r;

	if (!is_from_domain(dc, rx))
		return -EPERM;
	if (dc->state != DOMAIN_CLIENT_SETTINGS)
		return -ESTALE;
	r = domain_client_apply_settings(dc, rx->payload);
	if (r == -EBADMSG)
		return r;
	if (r < 0) {
		domain_client_end(dc, "the hat could not start");
		return 0;
	}

	domain_client_run_hat(dc);
	if (dc->ops->connected)
		dc->ops->connected(dc->userdata);
	node_list_for_each (dc->nodes, node)
		introduce_node(dc, node, rx->now_usec);
	return 0;
}

/* --- signalling of web clients --- */

static int answer_signal(struct domain_client *dc, const struct signalling *s, char **ret)
{
	_cleanup_free_ char *sdp = NULL;
	int r;

	switch (s->kind) {
	case SIGNALLING_ECHO:
		return signalling_format_echo(dc->node_type, &s->label, s->text, ret);
	case SIGNALLING_OFFER:
		if (s->n_addresses > 0)
			endpoint_set_addresses(dc->ep, s->addresses, s->n_addresses);
		r = endpoint_offer(dc->ep, &s->label, s->text, &sdp);
		if (r < 0)
			return r;
		return signalling_format_answer(dc->node_type, &s->label, sdp, ret);
	default:
		/* An ICE-lite server does not use candidates. */
		return 0;
	}
}

static int on_signaling(void *userdata, const struct received *rx)
{
	struct domain_client *dc = userdata;
	_cleanup_(signalling_freep) struct signalling *s = NULL;
	_cleanup_free_ char *reply = NULL;
	struct span json;
	int r;

	if (!is_from_domain(dc, rx))
		return -EPERM;
	r = domain_signaling_decode(rx->payload, &json);
	if (r < 0)
		return r;
	r = signalling_decode((const char *) json.data, json.len, SIGNALLING_TO_NODE, &s);
	if (r < 0)
		return r;
	r = answer_signal(dc, s, &reply);
	if (r < 0)
		return r;
	if (reply)
		send_signal(dc, reply);
	return 0;
}

void domain_client_channel_opened(struct domain_client *dc, const struct hifi_addr *addr)
{
	struct node *node = node_list_find_by_addr(dc->nodes, addr);

	if (node && serves_nodes(dc)) {
		node->next_ping_usec = 0;
		run_activation(dc, node, clock_now_usec());
	}
}

void domain_client_channel_closed(struct domain_client *dc, const struct hifi_addr *addr,
				  enum webrtc_close_reason reason)
{
	struct node *node = node_list_find_by_addr(dc->nodes, addr);

	if (!node || !node_is_web(node))
		return;
	node_list_remove(dc->nodes, node);
	if (serves_nodes(dc) && dc->can_redial && reason != WEBRTC_CLOSED_REPLACED &&
	    reason != WEBRTC_CLOSED_LOCAL)
		request_redial(dc, addr);
}

/* --- pings --- */

static int on_ping(void *userdata, const struct received *rx)
{
	struct domain_client *dc = userdata;

	if (!rx->node)
		return -EPERM;
	return activation_ping_received(dc->ep, dc->nodes, rx);
}

static int on_ping_reply(void *userdata, const struct received *rx)
{
	struct domain_client *dc = userdata;
	int r;

	if (!rx->node)
		return -EPERM;
	r = activation_reply_received(dc->nodes, rx);
	if (r > 0 && serves_nodes(dc) && dc->ops->node_activated)
		dc->ops->node_activated(dc->userdata, rx->node);
	return MIN(r, 0);
}

/* --- life --- */

static const struct {
	enum packet_type type;
	packet_handler_fn fn;
} handlers[] = {
	{PACKET_CREATE_ASSIGNMENT, on_create_assignment},
	{PACKET_DOMAIN_LIST, on_domain_list},
	{PACKET_DOMAIN_SERVER_ADDED_NODE, on_added_node},
	{PACKET_DOMAIN_SERVER_REMOVED_NODE, on_removed_node},
	{PACKET_DOMAIN_CONNECTION_DENIED, on_denied},
	{PACKET_DOMAIN_SETTINGS, on_settings},
	{PACKET_WEB_RTC_SIGNALING, on_signaling},
	{PACKET_PING, on_ping},
	{PACKET_PING_REPLY, on_ping_reply},
};

/* The address for our "local socket": loopback when the domain-server is there, else the best of
 * this machine. */
static void find_local_addr(struct domain_client *dc)
{
	uint16_t port = endpoint_port(dc->ep);
	struct hifi_addr addr;

	dc->local_addr = hifi_addr_from_ipv4(SOCKET_TYPE_UDP, INADDR_LOOPBACK, port);
	if (hifi_addr_is_loopback(&dc->options.domain) && dc->options.as_agent)
		return;
	if (webrtc_local_addresses(false, &addr, 1) == 1 && hifi_addr_is_ipv4(&addr))
		dc->local_addr = hifi_addr_from_ipv4(SOCKET_TYPE_UDP, hifi_addr_ipv4(&addr), port);
}

/* The first check-in leaves with the first turn of the loop. */
static int start_timers(struct domain_client *dc, sd_event *event)
{
	uint64_t now = clock_now_usec();
	int r;

	r = event_timer_new(event, now, TICK_USEC, 0, on_tick, dc, "check-in", &dc->tick);
	if (r < 0)
		return r;
	return event_timer_new(event, now + PING_TICK_USEC, PING_TICK_USEC, 0, on_pings, dc,
			       "pings", &dc->pings);
}

int domain_client_new(sd_event *event, struct endpoint *ep, struct node_list *nodes,
		      const struct domain_client_options *options,
		      const struct domain_client_ops *ops, void *userdata,
		      struct domain_client **ret)
{
	_cleanup_(domain_client_freep) struct domain_client *dc = NULL;
	int r;

	dc = calloc(1, sizeof(*dc));
	if (!dc)
		return -ENOMEM;
	dc->ep = ep;
	dc->nodes = nodes;
	dc->options = *options;
	dc->ops = ops;
	dc->userdata = userdata;
	find_local_addr(dc);
	start_over(dc);
	if (options->store)
		session_store_attach(options->store, nodes, &domain_client_session_ops, dc);

	if (event) {
		r = start_timers(dc, event);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < ELEMENTSOF(handlers); i++)
		endpoint_handle(ep, handlers[i].type, handlers[i].fn, dc);
	node_list_on_killed(nodes, on_node_killed, dc);

	*ret = TAKE_PTR(dc);
	return 0;
}

struct domain_client *domain_client_free(struct domain_client *dc)
{
	if (!dc)
		return NULL;

	if (dc->tick || dc->next_tick_usec > 0)
		domain_client_end(dc, "stopping");
	dc->state = DOMAIN_CLIENT_STOPPED;
	for (size_t i = 0; i < ELEMENTSOF(handlers); i++)
		endpoint_handle(dc->ep, handlers[i].type, NULL, NULL);
	event_timer_free(dc->tick);
	event_timer_free(dc->pings);
	shared_bytes_unref(dc->payload);
	shared_bytes_unref(dc->settings);
	free(dc);
	return NULL;
}

enum domain_client_state domain_client_state(const struct domain_client *dc)
{
	return dc->state;
}

const char *domain_client_state_name(enum domain_client_state state)
{
	static const char *const names[] = {
		[DOMAIN_CLIENT_REQUESTING] = "waiting for an assignment",
		[DOMAIN_CLIENT_CONNECTING] = "connecting",
		[DOMAIN_CLIENT_SETTINGS] = "waiting for settings",
		[DOMAIN_CLIENT_RUNNING] = "running",
		[DOMAIN_CLIENT_STOPPED] = "stopped",
	};

	return names[state];
}

struct uuid domain_client_session(const struct domain_client *dc)
{
	return dc->session;
}

uint32_t domain_client_permissions(const struct domain_client *dc)
{
	return dc->permissions;
}

int domain_client_send_stats(struct domain_client *dc, json_t *stats)
{
	struct writer wr = writer_growing(4 * 1024 * 1024);
	int r;

	if (!stats)
		return -ENOMEM;
	r = qbjs_encode(stats, &wr);
	json_decref(stats);
	if (r >= 0 && dc->state == DOMAIN_CLIENT_RUNNING)
		r = endpoint_send_message(dc->ep, &dc->domain, PACKET_NODE_JSON_STATS,
					  span_of(wr.data, wr.len));
	writer_done(&wr);
	return r;
}
