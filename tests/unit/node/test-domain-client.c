/* An assignment client's life against a domain-server that the test plays (protocol 02 section 11.3). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>

#include "base/hats.h"
#include "loop.h"
#include "node/domain-client.h"
#include "node/domain-packets.h"

static const char settings_text[] =
	"{\"version\":2.6,\"messages_mixer\":{\"max_node_messages_per_second\":7}}";

struct world {
	sd_event *event;

	/* The domain-server. */
	struct node_list *ds_nodes;
	struct endpoint *ds;
	struct uuid assignment, session;
	struct hifi_addr client_addr;
	unsigned n_assignment_requests, n_connects, n_lists, n_settings_requests, n_goodbyes, n_stats;
	bool is_mute; /* answers nothing */
	bool withhold_settings;
	char last_interests[DOMAIN_INTEREST_MAX + 1];

	/* The assignment client. */
	struct node_list *nodes;
	struct endpoint *ep;
	struct domain_client *dc;
	unsigned n_assigned, n_settings, n_connected, n_ended, n_added, n_killed, n_activated, n_denied;
	int settings_limit;
	int settings_result;
};

/* --- the domain-server's side --- */

static int ds_on_request_assignment(void *userdata, const struct received *rx)
{
	struct world *w = userdata;
	struct domain_assignment assignment = { .type = HAT_MESSAGES, .id = w->assignment };
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
	w->settings_limit = (int) json_integer_value(
		json_object_get(json_object_get(settings, "messages_mixer"), "max_node_messages_per_second"));
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

static const struct endpoint_ops no_ops = { 0 };

static void world_open(struct world *w)
{
	const struct endpoint_options ds_options = {
		.fd = -1,
		.loopback_only = true,
		.is_domain_server = true,
	};
	const struct endpoint_options options = { .fd = -1, .loopback_only = true };
	struct domain_client_options client_options = { .assignment_type = HAT_MESSAGES, .version = "1" };

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

	assert_int_equal(node_list_new(&w->nodes), 0);
	assert_int_equal(endpoint_new(w->event, &options, w->nodes, &no_ops, w, &w->ep), 0);
	client_options.domain =
		hifi_addr_from_ipv4(SOCKET_TYPE_UDP, INADDR_LOOPBACK, endpoint_port(w->ds));
	assert_int_equal(domain_client_new(w->event, w->ep, w->nodes, &client_options, &client_ops, w, &w->dc),
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
	unsigned n_pings;
};

static int visitor_on_ping(void *userdata, const struct received *rx)
{
	struct visitor *v = userdata;
	struct domain_ping ping;
	struct domain_ping_reply reply = { 0 };
	uint8_t data[32];
	struct writer wr = writer_over(data, sizeof(data));

	assert_int_equal(domain_ping_decode(rx->payload, &ping), 0);
	v->n_pings++;
	reply.type = ping.type;
	reply.ping_time_usec = ping.time_usec;
	domain_ping_reply_encode(&wr, &reply);
	return endpoint_send_node_at(v->ep, rx->node, rx->from, PACKET_PING_REPLY, span_of(data, wr.len));
}

static void visitor_open(struct world *w, struct visitor *v)
{
	const struct endpoint_options options = { .fd = -1, .loopback_only = true };
	struct uuid secret = uuid_random(), id = uuid_random();
	struct hifi_addr mixer =
		hifi_addr_from_ipv4(SOCKET_TYPE_UDP, INADDR_LOOPBACK, endpoint_port(w->ep));

	*v = (struct visitor){ 0 };
	assert_int_equal(node_list_new(&v->nodes), 0);
	assert_int_equal(endpoint_new(w->event, &options, v->nodes, &no_ops, v, &v->ep), 0);
	endpoint_handle(v->ep, PACKET_PING, visitor_on_ping, v);
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
	struct world w = { 0 };

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
	struct world w = { 0 };

	world_open(&w);
	assert_true(run_until(w.event, &w.n_connected, 1));
	w.dc = domain_client_free(w.dc);
	assert_true(run_until(w.event, &w.n_goodbyes, 1));
	world_close(&w);
}

static void test_visitor_is_found_and_lost(void **state)
{
	struct world w = { 0 };
	struct visitor v;
	uint8_t data[64];
	struct writer wr = writer_over(data, sizeof(data));

	world_open(&w);
	assert_true(run_until(w.event, &w.n_connected, 1));
	visitor_open(&w, &v);
	domain_node_record_encode(&wr, &v.record, DOMAIN_LISTENER_NATIVE);
	assert_int_equal(endpoint_send(w.ds, &w.client_addr, PACKET_DOMAIN_SERVER_ADDED_NODE,
				       span_of(data, wr.len)),
			 0);
	assert_true(run_until(w.event, &w.n_activated, 1));
	assert_int_equal(w.n_added, 1);
	/* Punching stops, keep-alive goes on. */
	v.n_pings = 0;
	assert_true(run_until(w.event, &v.n_pings, 2));

	assert_int_equal(endpoint_send_reliable(w.ds, &w.client_addr, PACKET_DOMAIN_SERVER_REMOVED_NODE,
						span_of(v.record.id.b, 16)),
			 0);
	assert_true(run_until(w.event, &w.n_killed, 1));
	assert_int_equal(node_list_size(w.nodes), 0);
	visitor_close(&v);
	world_close(&w);
}

static void test_only_the_domain_server_is_obeyed(void **state)
{
	struct world w = { 0 };
	struct visitor v;
	uint8_t data[64];
	struct writer wr = writer_over(data, sizeof(data));
	struct hifi_addr client;

	world_open(&w);
	assert_true(run_until(w.event, &w.n_connected, 1));
	visitor_open(&w, &v);
	client = hifi_addr_from_ipv4(SOCKET_TYPE_UDP, INADDR_LOOPBACK, endpoint_port(w.ep));
	domain_node_record_encode(&wr, &v.record, DOMAIN_LISTENER_NATIVE);
	/* The right packet from the wrong address. */
	assert_int_equal(endpoint_send(v.ep, &client, PACKET_DOMAIN_SERVER_ADDED_NODE, span_of(data, wr.len)),
			 0);
	run_for(w.event, 100 * USEC_PER_MSEC);
	assert_int_equal(w.n_added, 0);
	visitor_close(&v);
	world_close(&w);
}

static void test_no_settings_end_the_assignment(void **state)
{
	struct world w = { .withhold_settings = true };

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
	struct world w = { .settings_result = -EIO };

	world_open(&w);
	assert_true(run_until(w.event, &w.n_ended, 1));
	assert_int_equal(w.n_connected, 0);
	world_close(&w);
}

static void test_denial_is_told(void **state)
{
	struct world w = { .is_mute = true };
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
	client = hifi_addr_from_ipv4(SOCKET_TYPE_UDP, INADDR_LOOPBACK, endpoint_port(w.ep));
	domain_denied_encode(&wr, &denied);
	assert_int_equal(endpoint_send(w.ds, &client, PACKET_DOMAIN_CONNECTION_DENIED, span_of(data, wr.len)),
			 0);
	assert_true(run_until(w.event, &w.n_denied, 1));
	world_close(&w);
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
	};

	return cmocka_run_group_tests_name("domain-client", tests, NULL, NULL);
}
