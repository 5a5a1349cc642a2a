/* An assignment client's life against a domain-server that the test plays (protocol 02
 * section 11.3). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/hats.h"
#include "loop.h"
#include "node/domain-client.h"
#include "node/domain-packets.h"
#include "node/session-records.h"
#include "node/session-store.h"

static const char settings_text[] =
	"{\"version\":2.6,\"redial\":true,\"messages_mixer\":{\"max_node_messages_per_second\":7}}";

struct world {
	sd_event *event;

	/* The domain-server. */
	struct node_list *ds_nodes;
	struct endpoint *ds;
	struct uuid assignment, session;
	struct hifi_addr client_addr;
	unsigned n_assignment_requests, n_connects, n_lists, n_settings_requests, n_goodbyes,
		n_stats;
	unsigned n_signals;
	char signal[128]; /* the last */
	bool is_mute;     /* answers nothing */
	bool withhold_settings;
	char last_interests[DOMAIN_INTEREST_MAX + 1];

	/* The assignment client. */
	struct node_list *nodes;
	struct endpoint *ep;
	struct domain_client *dc;
	unsigned n_assigned, n_settings, n_connected, n_ended, n_added, n_killed, n_activated,
		n_denied;
	int settings_limit;
	int settings_result;
};

/* --- the domain-server's side --- */

static int ds_on_request_assignment(void *userdata, const struct received *rx)
{
	struct world *w = userdata;
	struct domain_assignment assignment = {.type = HAT_MESSAGES, .id = w->assignment};
	uint8_t data[256];
	struct writer wr = writer_over(data, sizeof(data));

	w->n_assignment_requests++;
	if (w->is_mute)
		return 0;
	domain_create_assignment_encode(&wr, &assignment);
	return endpoint_send(w->ds, rx->from, PACKET_CREATE_ASSIGNMENT, span_of(data, wr.len));
}

static void ds_emit(void *userdata, struct span payload)
{
	struct world *w = userdata;

	(void) endpoint_send(w->ds, &w->client_addr, PACKET_DOMAIN_LIST, payload);
}

static void ds_send_list(struct world *w, const struct domain_node_record *records, size_t n)
{
	const struct domain_list_header header = {
		.domain_id = w->assignment,
		.domain_local_id = 0x1111,
		.your_id = w->session,
		.your_local_id = 0x2222,
		.your_permissions = 0xf9f,
		.is_authenticated = true,
	};

	domain_list_encode(&header, records, n, DOMAIN_LISTENER_NATIVE, ds_emit, w);
}

static int ds_on_connect(void *userdata, const struct received *rx)
{
	struct world *w = userdata;
	struct domain_connect_request request;
	struct node *node;

	w->n_connects++;
	assert_int_equal(domain_connect_request_decode(rx->payload, &request), 0);
	assert_true(uuid_equal(&request.connect_uuid, &w->assignment));
	assert_int_equal(request.check_in.node_type, 'm');
	memcpy(w->last_interests, request.check_in.interests, request.check_in.n_interests);
	w->last_interests[request.check_in.n_interests] = 0;
	domain_connect_request_done(&request);
	if (w->is_mute)
		return 0;

	w->client_addr = *rx->from;
	if (!node_list_find(w->ds_nodes, &w->session)) {
		assert_int_equal(node_list_add(w->ds_nodes, &w->session, 0x2222, 'm', 1, &node), 0);
		node_list_set_addresses(w->ds_nodes, node, rx->from, rx->from);
		node_list_activate(w->ds_nodes, node, rx->from);
	}
	ds_send_list(w, NULL, 0);
	return 0;
}

static int ds_on_list(void *userdata, const struct received *rx)
{
	struct world *w = userdata;

	w->n_lists++;
	if (!w->is_mute)
		ds_send_list(w, NULL, 0);
	return 0;
}

static int ds_on_settings_request(void *userdata, const struct received *rx)
{
	struct world *w = userdata;
	uint8_t type;

	assert_int_equal(domain_settings_request_decode(rx->payload, &type), 0);
	assert_int_equal(type, HAT_MESSAGES);
	w->n_settings_requests++;
	if (w->withhold_settings)
		return 0;
	return endpoint_send_message(w->ds, rx->from, PACKET_DOMAIN_SETTINGS,
				     span_of(settings_text, sizeof(settings_text) - 1));
}

static int ds_on_goodbye(void *userdata, const struct received *rx)
{
	struct world *w = userdata;

	w->n_goodbyes++;
	return 0;
}

static int ds_on_stats(void *userdata, const struct received *rx)
{
	struct world *w = userdata;

	w->n_stats++;
	return 0;
}

static int ds_on_signaling(void *userdata, const struct received *rx)
{
	struct world *w = userdata;
	struct span json;

	assert_int_equal(domain_signaling_decode(rx->payload, &json), 0);
	(void) snprintf(w->signal, sizeof(w->signal), "%.*s", (int) json.len,
			(const char *) json.data);
	w->n_signals++;
	return 0;
}

/* --- the client's side --- */

static const char *on_assigned(void *userdata, unsigned assignment_type, struct span payload)
{
	struct world *w = userdata;

	w->n_assigned++;
	return assignment_type == HAT_MESSAGES ? "IS" : NULL;
}

static int on_settings(void *userdata, const json_t *settings)
{
	struct world *w = userdata;

	w->n_settings++;
	w->settings_limit = (int) json_integer_value(json_object_get(
		json_object_get(settings, "messages_mixer"), "max_node_messages_per_second"));
	return w->settings_result;
}

static void on_connected(void *userdata)
{
	((struct world *) userdata)->n_connected++;
}

static void on_ended(void *userdata, const char *why)
{
	((struct world *) userdata)->n_ended++;
}

static void on_added(void *userdata, struct node *node)
{
	((struct world *) userdata)->n_added++;
}

static void on_activated(void *userdata, struct node *node)
{
	((struct world *) userdata)->n_activated++;
}

static void on_killed(void *userdata, struct node *node)
{
	((struct world *) userdata)->n_killed++;
}

static void on_denied(void *userdata, unsigned reason, const char *message)
{
	assert_int_equal(reason, DENIED_TOO_MANY_USERS);
	assert_string_equal(message, "full");
	((struct world *) userdata)->n_denied++;
}

static const struct domain_client_ops client_ops = {
	.assigned = on_assigned,
	.settings = on_settings,
	.connected = on_connected,
	.ended = on_ended,
	.node_added = on_added,
	.node_activated = on_activated,
	.node_killed = on_killed,
	.denied = on_denied,
};

static const struct endpoint_ops no_ops = {0};

static void world_open_domain(struct world *w)
{
	const struct endpoint_options ds_options = {
		.fd = -1,
		.loopback_only = true,
		.is_domain_server = true,
	};

	w->assignment = uuid_random();
	w->session = uuid_random();
	assert_int_equal(sd_event_new(&w->event), 0);
	assert_int_equal(node_list_new(&w->ds_nodes), 0);
	assert_int_equal(endpoint_new(w->event, &ds_options, w->ds_nodes, &no_ops, w, &w->ds), 0);
	endpoint_handle(w->ds, PACKET_REQUEST_ASSIGNMENT, ds_on_request_assignment, w);
	endpoint_handle(w->ds, PACKET_DOMAIN_CONNECT_REQUEST, ds_on_connect, w);
	endpoint_handle(w->ds, PACKET_DOMAIN_LIST_REQUEST, ds_on_list, w);
	endpoint_handle(w->ds, PACKET_DOMAIN_SETTINGS_REQUEST, ds_on_settings_request, w);
	endpoint_handle(w->ds, PACKET_DOMAIN_DISCONNECT_REQUEST, ds_on_goodbye, w);
	endpoint_handle(w->ds, PACKET_NODE_JSON_STATS, ds_on_stats, w);
	endpoint_handle(w->ds, PACKET_WEB_RTC_SIGNALING, ds_on_signaling, w);
}

static struct hifi_addr addr_of(const struct endpoint *ep)
{
	return hifi_addr_from_ipv4(SOCKET_TYPE_UDP, INADDR_LOOPBACK, endpoint_port(ep));
}

static void world_open(struct world *w)
{
	const struct endpoint_options options = {.fd = -1, .loopback_only = true};
	struct domain_client_options client_options = {.assignment_type = HAT_MESSAGES,
						       .version = "1"};

	world_open_domain(w);
	assert_int_equal(node_list_new(&w->nodes), 0);
	assert_int_equal(endpoint_new(w->event, &options, w->nodes, &no_ops, w, &w->ep), 0);
	client_options.domain = addr_of(w->ds);
	assert_int_equal(domain_client_new(w->event, w->ep, w->nodes, &client_options, &client_ops,
					   w, &w->dc),
			 0);
}

static void world_close(struct world *w)
{
	domain_client_free(w->dc);
	endpoint_free(w->ep);
	node_list_free(w->nodes);
	endpoint_free(w->ds);
	node_list_free(w->ds_nodes);
	sd_event_unref(w->event);
}

/* A node of type I that the client is told of, played by an endpoint of its own. */
struct visitor {
	struct node_list *nodes;
	struct endpoint *ep;
	struct node *mixer;
	struct domain_node_record record;
	unsigned n_pings, n_answers;
	char answer[64]; /* the last */
};

static int visitor_on_ping(void *userdata, const struct received *rx)
{
	struct visitor *v = userdata;
	struct domain_ping ping;
	struct domain_ping_reply reply = {0};
	uint8_t data[32];
	struct writer wr = writer_over(data, sizeof(data));

	assert_int_equal(domain_ping_decode(rx->payload, &ping), 0);
	v->n_pings++;
	reply.type = ping.type;
	reply.ping_time_usec = ping.time_usec;
	domain_ping_reply_encode(&wr, &reply);
	return endpoint_send_node_at(v->ep, rx->node, rx->from, PACKET_PING_REPLY,
				     span_of(data, wr.len));
}

static int visitor_on_answer(void *userdata, const struct received *rx)
{
	struct visitor *v = userdata;

	(void) snprintf(v->answer, sizeof(v->answer), "%.*s", (int) rx->payload.len,
			(const char *) rx->payload.data);
	v->n_answers++;
	return 0;
}

static void visitor_open(struct world *w, struct visitor *v, struct hifi_addr mixer)
{
	const struct endpoint_options options = {.fd = -1, .loopback_only = true};
	struct uuid secret = uuid_random(), id = uuid_random();

	*v = (struct visitor){0};
	assert_int_equal(node_list_new(&v->nodes), 0);
	assert_int_equal(endpoint_new(w->event, &options, v->nodes, &no_ops, v, &v->ep), 0);
	endpoint_handle(v->ep, PACKET_PING, visitor_on_ping, v);
	endpoint_handle(v->ep, PACKET_MESSAGES_DATA, visitor_on_answer, v);
	endpoint_set_local_id(v->ep, 0x3333);
	assert_int_equal(node_list_add(v->nodes, &w->session, 0x2222, 'm', 1, &v->mixer), 0);
	node_list_set_addresses(v->nodes, v->mixer, &mixer, &mixer);
	node_list_set_secret(v->nodes, v->mixer, &secret);

	v->record = (struct domain_node_record){
		.type = 'I',
		.id = id,
		/* Null: at the domain-server's own address. */
		.public_addr = hifi_addr_from_ipv4(SOCKET_TYPE_UDP, 0, endpoint_port(v->ep)),
		.local_addr = hifi_addr_from_ipv4(SOCKET_TYPE_UDP, 0, endpoint_port(v->ep)),
		.permissions = 1,
		.local_id = 0x3333,
		.secret = secret,
	};
}

static void visitor_close(struct visitor *v)
{
	endpoint_free(v->ep);
	node_list_free(v->nodes);
}

/* --- tests --- */

static void test_assignment_settings_stats(void **state)
{
	struct world w = {0};

	world_open(&w);
	assert_true(run_until(w.event, &w.n_connected, 1));
	assert_int_equal(w.n_assigned, 1);
	assert_int_equal(w.settings_limit, 7);
	assert_string_equal(w.last_interests, "IS");
	assert_int_equal(domain_client_state(w.dc), DOMAIN_CLIENT_RUNNING);
	assert_int_equal(domain_client_permissions(w.dc), 0xf9f);

	assert_int_equal(domain_client_send_stats(w.dc, json_pack("{s:i}", "a", 1)), 0);
	assert_true(run_until(w.event, &w.n_stats, 1));
	assert_true(run_until(w.event, &w.n_lists, 2));
	world_close(&w);
}

static void test_goodbye(void **state)
{
	struct world w = {0};

	world_open(&w);
	assert_true(run_until(w.event, &w.n_connected, 1));
	w.dc = domain_client_free(w.dc);
	assert_true(run_until(w.event, &w.n_goodbyes, 1));
	world_close(&w);
}

static void test_visitor_is_found_and_lost(void **state)
{
	struct world w = {0};
	struct visitor v;
	uint8_t data[64];
	struct writer wr = writer_over(data, sizeof(data));

	world_open(&w);
	assert_true(run_until(w.event, &w.n_connected, 1));
	visitor_open(&w, &v, addr_of(w.ep));
	domain_node_record_encode(&wr, &v.record, DOMAIN_LISTENER_NATIVE);
	assert_int_equal(endpoint_send(w.ds, &w.client_addr, PACKET_DOMAIN_SERVER_ADDED_NODE,
				       span_of(data, wr.len)),
			 0);
	assert_true(run_until(w.event, &w.n_activated, 1));
	assert_int_equal(w.n_added, 1);
	/* Punching stops, keep-alive goes on. */
	v.n_pings = 0;
	assert_true(run_until(w.event, &v.n_pings, 2));

	assert_int_equal(endpoint_send_reliable(w.ds, &w.client_addr,
						PACKET_DOMAIN_SERVER_REMOVED_NODE,
						span_of(v.record.id.b, 16)),
			 0);
	assert_true(run_until(w.event, &w.n_killed, 1));
	assert_int_equal(node_list_size(w.nodes), 0);
	visitor_close(&v);
	world_close(&w);
}

static void test_only_the_domain_server_is_obeyed(void **state)
{
	struct world w = {0};
	struct visitor v;
	uint8_t data[64];
	struct writer wr = writer_over(data, sizeof(data));
	struct hifi_addr client;

	world_open(&w);
	assert_true(run_until(w.event, &w.n_connected, 1));
	visitor_open(&w, &v, addr_of(w.ep));
	client = addr_of(w.ep);
	domain_node_record_encode(&wr, &v.record, DOMAIN_LISTENER_NATIVE);
	/* The right packet from the wrong address. */
	assert_int_equal(endpoint_send(v.ep, &client, PACKET_DOMAIN_SERVER_ADDED_NODE,
				       span_of(data, wr.len)),
			 0);
	run_for(w.event, 100 * USEC_PER_MSEC);
	assert_int_equal(w.n_added, 0);
	visitor_close(&v);
	world_close(&w);
}

static void test_no_settings_end_the_assignment(void **state)
{
	struct world w = {.withhold_settings = true};

	world_open(&w);
	assert_true(run_until(w.event, &w.n_settings_requests, 1));
	run_for(w.event, 2 * USEC_PER_SEC);
	/* Five seconds after the list; a new request follows. */
	assert_int_equal(w.n_ended, 0);
	assert_true(run_until(w.event, &w.n_ended, 1));
	w.n_assignment_requests = 0;
	assert_true(run_until(w.event, &w.n_assignment_requests, 1));
	assert_int_equal(w.n_connected, 0);
	world_close(&w);
}

static void test_a_hat_that_cannot_start(void **state)
{
	struct world w = {.settings_result = -EIO};

	world_open(&w);
	assert_true(run_until(w.event, &w.n_ended, 1));
	assert_int_equal(w.n_connected, 0);
	world_close(&w);
}

static void test_denial_is_told(void **state)
{
	struct world w = {.is_mute = true};
	const struct domain_denied denied = {
		.reason = DENIED_TOO_MANY_USERS,
		.message = span_of("full", 4),
	};
	uint8_t data[64];
	struct writer wr = writer_over(data, sizeof(data));
	struct hifi_addr client;

	world_open(&w);
	w.is_mute = false;
	assert_true(run_until(w.event, &w.n_connected, 1));
	client = addr_of(w.ep);
	domain_denied_encode(&wr, &denied);
	assert_int_equal(endpoint_send(w.ds, &client, PACKET_DOMAIN_CONNECTION_DENIED,
				       span_of(data, wr.len)),
			 0);
	assert_true(run_until(w.event, &w.n_denied, 1));
	world_close(&w);
}

/* --- clients that are killed --- */

/* The processes that are the same client one after the other, and what they pass on. */
struct line {
	int udp_fd, session_fd;
	struct hifi_addr addr;
	pid_t pid;
};

static const struct session_store_options store_options = {
	.kind = "test/1",
	.nodes_max = 16,
	.session_bytes = 4096,
	.node_bytes = 64,
};

/* A hat that remembers one text of each node and says it when asked. */
struct memory {
	struct session_store *store;
	struct endpoint *ep;
};

struct text {
	char chars[64];
};

static void memory_set(struct node *node, struct span text)
{
	struct text *t = node->data;

	(void) snprintf(t->chars, sizeof(t->chars), "%.*s", (int) text.len,
			(const char *) text.data);
}

static int memory_on_subscribe(void *userdata, const struct received *rx)
{
	struct memory *m = userdata;

	if (!rx->node || !rx->node->data)
		return -EPERM;
	memory_set(rx->node, rx->payload);
	session_store_touch_node(m->store, rx->node);
	return 0;
}

static int memory_on_question(void *userdata, const struct received *rx)
{
	struct memory *m = userdata;
	struct text *t;

	if (!rx->node || !rx->node->data)
		return -EPERM;
	t = rx->node->data;
	return endpoint_send_node_reliable(m->ep, rx->node, PACKET_MESSAGES_DATA,
					   span_of(t->chars, strlen(t->chars)));
}

static int memory_settings(void *userdata, const json_t *settings)
{
	return 0;
}

static void memory_added(void *userdata, struct node *node)
{
	node->data = calloc(1, sizeof(struct text));
}

static void memory_save(void *userdata, const struct node *node, struct writer *wr)
{
	const struct text *t = node->data;

	write_bytes(wr, t->chars, strlen(t->chars));
}

static int memory_restore(void *userdata, struct node *node, struct reader *rd)
{
	memory_set(node, read_rest(rd));
	return 0;
}

static const char *memory_assigned(void *userdata, unsigned assignment_type, struct span payload)
{
	return "IS";
}

static void memory_killed(void *userdata, struct node *node)
{
	free(node->data);
}

static const struct domain_client_ops memory_ops = {
	.assigned = memory_assigned,
	.settings = memory_settings,
	.node_added = memory_added,
	.node_killed = memory_killed,
	.save_node = memory_save,
	.restore_node = memory_restore,
};

/* In a process of its own there is no test to fail. */
static void need(bool condition)
{
	if (!condition)
		abort();
}

static _Noreturn void be_client(const struct line *l, struct hifi_addr domain)
{
	struct endpoint_options options = {.fd = dup(l->udp_fd)};
	struct domain_client_options client_options = {
		.domain = domain,
		.assignment_type = HAT_MESSAGES,
		.version = "1",
	};
	struct domain_client *dc = NULL;
	struct node_list *nodes = NULL;
	struct memory m = {0};
	sd_event *event = NULL;

	(void) prctl(PR_SET_PDEATHSIG, SIGKILL);
	need(sd_event_new(&event) >= 0);
	need(node_list_new(&nodes) >= 0);
	need(session_store_new(event, dup(l->session_fd), &store_options, &m.store) >= 0);
	options.store = client_options.store = m.store;
	need(endpoint_new(event, &options, nodes, &no_ops, &m, &m.ep) >= 0);
	need(domain_client_new(event, m.ep, nodes, &client_options, &memory_ops, &m, &dc) >= 0);
	endpoint_handle(m.ep, PACKET_MESSAGES_SUBSCRIBE, memory_on_subscribe, &m);
	endpoint_handle(m.ep, PACKET_MESSAGES_UNSUBSCRIBE, memory_on_question, &m);
	(void) domain_client_restore(dc);
	need(sd_event_loop(event) >= 0);
	abort();
}

static void line_new_socket(struct line *l)
{
	struct udp_socket *socket;

	assert_int_equal(udp_socket_new(0, true, &socket), 0);
	l->addr = hifi_addr_from_ipv4(SOCKET_TYPE_UDP, INADDR_LOOPBACK, udp_socket_port(socket));
	l->udp_fd = dup(udp_socket_fd(socket));
	udp_socket_free(socket);
}

static void line_open(struct world *w, struct line *l)
{
	struct session_store *store;

	line_new_socket(l);
	assert_int_equal(session_store_new(w->event, -1, &store_options, &store), 0);
	l->session_fd = dup(session_store_fd(store));
	session_store_free(store);
}

static void line_spawn(struct world *w, struct line *l)
{
	l->pid = fork();
	if (l->pid == 0)
		be_client(l, addr_of(w->ds));
	assert_true(l->pid > 0);
}

static void line_kill(struct line *l)
{
	assert_int_equal(kill(l->pid, SIGKILL), 0);
	assert_int_equal(waitpid(l->pid, NULL, 0), l->pid);
}

static void line_close(struct line *l)
{
	line_kill(l);
	(void) close(l->udp_fd);
	(void) close(l->session_fd);
}

static void introduce(struct world *w, const struct domain_node_record *record)
{
	uint8_t data[128];
	struct writer wr = writer_over(data, sizeof(data));

	domain_node_record_encode(&wr, record, DOMAIN_LISTENER_NATIVE);
	assert_int_equal(endpoint_send(w->ds, &w->client_addr, PACKET_DOMAIN_SERVER_ADDED_NODE,
				       span_of(data, wr.len)),
			 0);
}

/* A client that serves one visitor. */
static void open_with_visitor(struct world *w, struct line *l, struct visitor *v)
{
	*w = (struct world){0};
	world_open_domain(w);
	line_open(w, l);
	line_spawn(w, l);
	assert_true(run_until(w->event, &w->n_settings_requests, 1));
	assert_true(run_until(w->event, &w->n_lists, 1));
	visitor_open(w, v, l->addr);
	introduce(w, &v->record);
	assert_true(run_until(w->event, &v->n_pings, 1));
	node_list_activate(v->nodes, v->mixer, &l->addr);
}

static void close_with_visitor(struct world *w, struct line *l, struct visitor *v)
{
	line_close(l);
	visitor_close(v);
	endpoint_free(w->ds);
	node_list_free(w->ds_nodes);
	sd_event_unref(w->event);
}

static void say(struct visitor *v, enum packet_type type, const char *text)
{
	assert_int_equal(
		endpoint_send_node_reliable(v->ep, v->mixer, type, span_of(text, strlen(text))), 0);
}

/* Asks until it was answered as often as that in all. */
static void assert_remembers(struct world *w, struct visitor *v, const char *text,
			     unsigned n_answers)
{
	say(v, PACKET_MESSAGES_UNSUBSCRIBE, "?");
	assert_true(run_until(w->event, &v->n_answers, n_answers));
	assert_string_equal(v->answer, text);
}

/* Nobody asks for anything again: one reliable packet from the visitor is enough to be served. */
static void test_killed_and_nobody_notices(void **state)
{
	struct visitor v;
	struct line l;
	struct world w;
	unsigned n_lists;

	open_with_visitor(&w, &l, &v);
	say(&v, PACKET_MESSAGES_SUBSCRIBE, "Chat");
	assert_remembers(&w, &v, "Chat", 1);
	w.n_assignment_requests = w.n_connects = w.n_settings_requests = 0;

	for (unsigned i = 0; i < 5; i++) {
		char text[16];

		/* What is said to nobody waits in the socket. */
		line_kill(&l);
		(void) snprintf(text, sizeof(text), "Chat %u", i);
		say(&v, PACKET_MESSAGES_SUBSCRIBE, text);
		run_for(w.event, 20 * USEC_PER_MSEC);
		n_lists = w.n_lists;
		line_spawn(&w, &l);
		assert_remembers(&w, &v, text, 2 + i);
		assert_true(w.n_lists > n_lists);
		run_for(w.event, SESSION_SETTLED_USEC + 50 * USEC_PER_MSEC);
	}
	/* Exactly one answer each: no packet was taken twice. */
	run_for(w.event, 200 * USEC_PER_MSEC);
	assert_int_equal(v.n_answers, 6);
	assert_int_equal(w.n_assignment_requests + w.n_connects + w.n_settings_requests, 0);
	assert_int_equal(w.n_goodbyes, 0);
	close_with_visitor(&w, &l, &v);
}

static void introduce_web(struct world *w)
{
	struct domain_node_record web = {.type = 'I', .local_id = 0x4444, .permissions = 1};

	web.id = uuid_random();
	web.secret = uuid_random();
	web.public_addr = web.local_addr =
		hifi_addr_from_ipv4(SOCKET_TYPE_WEBRTC, 0x7f000001, 5555);
	introduce(w, &web);
}

static void assert_redialled(struct world *w)
{
	assert_true(run_until(w->event, &w->n_signals, 1));
	assert_string_equal(w->signal,
			    "{\"from\":\"m\",\"to\":\"127.0.0.1:5555\",\"redial\":true}");
}

static void test_killed_web_clients_redial(void **state)
{
	struct visitor v;
	struct line l;
	struct world w;

	open_with_visitor(&w, &l, &v);
	introduce_web(&w);
	/* The visitor's answer shows that the client is past the introduction. */
	assert_remembers(&w, &v, "", 1);
	assert_int_equal(w.n_signals, 0);

	line_kill(&l);
	line_spawn(&w, &l);
	assert_redialled(&w);
	close_with_visitor(&w, &l, &v);
}

/* 02 section 15: an offer that leads to no channel is not repeated by the client. */
static void test_web_clients_that_do_not_come_redial(void **state)
{
	struct visitor v;
	struct line l;
	struct world w;

	open_with_visitor(&w, &l, &v);
	introduce_web(&w);
	assert_redialled(&w);
	close_with_visitor(&w, &l, &v);
}

static void test_killed_and_forgotten_by_the_domain(void **state)
{
	struct visitor v;
	struct line l;
	struct world w;

	open_with_visitor(&w, &l, &v);
	line_kill(&l);
	w.n_assignment_requests = 0;
	/* The domain-server was started anew, and this is who has our number now. */
	w.session = uuid_random();
	line_spawn(&w, &l);
	assert_true(run_until(w.event, &w.n_assignment_requests, 1));
	assert_int_equal(w.n_goodbyes, 1);
	close_with_visitor(&w, &l, &v);
}

static void test_killed_and_moved_to_another_port(void **state)
{
	struct visitor v;
	struct line l;
	struct world w;

	open_with_visitor(&w, &l, &v);
	line_kill(&l);
	(void) close(l.udp_fd);
	line_new_socket(&l);
	w.n_assignment_requests = 0;
	line_spawn(&w, &l);
	assert_true(run_until(w.event, &w.n_assignment_requests, 1));
	close_with_visitor(&w, &l, &v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_assignment_settings_stats),
		cmocka_unit_test(test_goodbye),
		cmocka_unit_test(test_visitor_is_found_and_lost),
		cmocka_unit_test(test_only_the_domain_server_is_obeyed),
		cmocka_unit_test(test_no_settings_end_the_assignment),
		cmocka_unit_test(test_a_hat_that_cannot_start),
		cmocka_unit_test(test_denial_is_told),
		cmocka_unit_test(test_killed_and_nobody_notices),
		cmocka_unit_test(test_killed_web_clients_redial),
		cmocka_unit_test(test_web_clients_that_do_not_come_redial),
		cmocka_unit_test(test_killed_and_forgotten_by_the_domain),
		cmocka_unit_test(test_killed_and_moved_to_another_port),
	};

	return cmocka_run_group_tests_name("domain-client", tests, NULL, NULL);
}
