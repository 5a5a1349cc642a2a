/* Two endpoints over loopback: what is accepted, what is dropped and why (protocol 01 section 10).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "loop.h"
#include "node/endpoint.h"

struct side {
	struct node_list *nodes;
	struct endpoint *ep;
	struct node *other; /* how this side knows the other */
	unsigned received, mismatches;
	uint8_t payload[100000];
	size_t payload_len;
	int handler_result;
};

struct pair {
	sd_event *event;
	struct side a, b;
};

static int on_packet(void *userdata, const struct received *rx)
{
	struct side *side = userdata;

	side->received++;
	side->payload_len = MIN(rx->payload.len, sizeof(side->payload));
	if (side->payload_len > 0)
		memcpy(side->payload, rx->payload.data, side->payload_len);
	return side->handler_result;
}

static void on_mismatch(void *userdata, const struct hifi_addr *from, const struct packet *packet)
{
	struct side *side = userdata;

	side->mismatches++;
}

static const struct endpoint_ops ops = {.version_mismatch = on_mismatch};

static void open_side(struct pair *p, struct side *side, bool is_domain_server)
{
	const struct endpoint_options options = {
		.fd = -1,
		.loopback_only = true,
		.is_domain_server = is_domain_server,
	};

	assert_int_equal(node_list_new(&side->nodes), 0);
	assert_int_equal(endpoint_new(p->event, &options, side->nodes, &ops, side, &side->ep), 0);
	endpoint_handle(side->ep, PACKET_MESSAGES_DATA, on_packet, side);
	endpoint_handle(side->ep, PACKET_AVATAR_QUERY, on_packet, side);
	endpoint_handle(side->ep, PACKET_ENTITY_QUERY, on_packet, side);
	endpoint_handle(side->ep, PACKET_DOMAIN_SERVER_PATH_QUERY, on_packet, side);
}

static struct hifi_addr addr_of(const struct side *side)
{
	return hifi_addr_from_ipv4(SOCKET_TYPE_UDP, INADDR_LOOPBACK, endpoint_port(side->ep));
}

static void introduce(struct side *to, const struct side *whom, uint16_t local_id,
		      const struct uuid *secret)
{
	struct hifi_addr addr = addr_of(whom);
	struct uuid id = uuid_random();

	assert_int_equal(node_list_add(to->nodes, &id, local_id, 'I', 1, &to->other), 0);
	node_list_set_addresses(to->nodes, to->other, &addr, &addr);
	node_list_activate(to->nodes, to->other, &addr);
	if (secret)
		node_list_set_secret(to->nodes, to->other, secret);
}

static void pair_open(struct pair *p, bool is_domain_server)
{
	*p = (struct pair){0};
	assert_int_equal(sd_event_new(&p->event), 0);
	open_side(p, &p->a, false);
	open_side(p, &p->b, is_domain_server);
	endpoint_set_local_id(p->a.ep, 0x1111);
	endpoint_set_local_id(p->b.ep, 0x2222);
}

/* Both know each other, with one secret. */
static void pair_open_introduced(struct pair *p)
{
	struct uuid secret = uuid_random();

	pair_open(p, false);
	introduce(&p->a, &p->b, 0x2222, &secret);
	introduce(&p->b, &p->a, 0x1111, &secret);
}

static void pair_close(struct pair *p)
{
	endpoint_free(p->a.ep);
	endpoint_free(p->b.ep);
	node_list_free(p->a.nodes);
	node_list_free(p->b.nodes);
	sd_event_unref(p->event);
}

static json_int_t drops(const struct side *side, enum drop_reason reason)
{
	json_t *stats = endpoint_stats(side->ep);
	json_int_t n = json_integer_value(
		json_object_get(json_object_get(stats, "drops"), drop_reason_name(reason)));

	json_decref(stats);
	return n;
}

static bool run_until_dropped(struct pair *p, const struct side *side, enum drop_reason reason)
{
	uint64_t deadline = clock_now_usec() + 30 * USEC_PER_SEC;

	while (drops(side, reason) == 0 && clock_now_usec() < deadline)
		(void) sd_event_run(p->event, 5 * USEC_PER_MSEC);
	return drops(side, reason) > 0;
}

static void test_signed_packet_arrives(void **state)
{
	struct pair p;

	pair_open_introduced(&p);
	assert_int_equal(
		endpoint_send_node(p.a.ep, p.a.other, PACKET_AVATAR_QUERY, span_of("hello", 5)), 0);
	assert_true(run_until(p.event, &p.b.received, 1));
	assert_int_equal(p.b.payload_len, 5);
	assert_memory_equal(p.b.payload, "hello", 5);
	assert_true(p.b.other->heard_usec > 1);
	assert_true(p.b.other->traffic.packets_in == 1);
	pair_close(&p);
}

static void test_large_message_arrives_whole(void **state)
{
	_cleanup_(shared_bytes_unrefp) struct shared_bytes *payload = NULL;
	static uint8_t data[60000];
	struct pair p;

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t) (i * 31 + i / 251);
	payload = shared_bytes_new(data, sizeof(data));
	pair_open_introduced(&p);
	assert_int_equal(
		endpoint_send_node_message(p.a.ep, p.a.other, PACKET_MESSAGES_DATA, payload), 0);
	assert_true(endpoint_queued_bytes(p.a.ep, p.a.other) > 0);
	assert_true(run_until(p.event, &p.b.received, 1));
	assert_int_equal(p.b.payload_len, sizeof(data));
	assert_memory_equal(p.b.payload, data, sizeof(data));
	run_for(p.event, 50 * USEC_PER_MSEC);
	assert_int_equal(p.b.received, 1);
	assert_int_equal(endpoint_queued_bytes(p.a.ep, p.a.other), 0);
	pair_close(&p);
}

static void test_wrong_secret_is_dropped_and_not_acknowledged(void **state)
{
	struct uuid good = uuid_random(), bad = uuid_random();
	struct pair p;

	pair_open(&p, false);
	introduce(&p.a, &p.b, 0x2222, &bad);
	introduce(&p.b, &p.a, 0x1111, &good);
	assert_int_equal(endpoint_send_node_reliable(p.a.ep, p.a.other, PACKET_AVATAR_QUERY,
						     span_of("x", 1)),
			 0);
	assert_true(run_until_dropped(&p, &p.b, DROP_HASH));
	assert_int_equal(p.b.received, 0);
	assert_int_equal(endpoint_queued_bytes(p.a.ep, p.a.other) > 0, 1);

	/* With the right secret the retransmission would still carry the old hash; a new packet
	 * passes. */
	node_list_set_secret(p.a.nodes, p.a.other, &good);
	assert_int_equal(
		endpoint_send_node(p.a.ep, p.a.other, PACKET_AVATAR_QUERY, span_of("x", 1)), 0);
	assert_true(run_until(p.event, &p.b.received, 1));
	pair_close(&p);
}

static void test_stranger_is_dropped(void **state)
{
	struct uuid secret = uuid_random();
	struct pair p;

	pair_open(&p, false);
	introduce(&p.a, &p.b, 0x2222, &secret);
	assert_int_equal(
		endpoint_send_node(p.a.ep, p.a.other, PACKET_AVATAR_QUERY, span_of("x", 1)), 0);
	assert_true(run_until_dropped(&p, &p.b, DROP_SOURCE));
	assert_int_equal(p.b.received, 0);
	/* Nor does a stranger get a handshake answered. */
	assert_int_equal(endpoint_send_node_reliable(p.a.ep, p.a.other, PACKET_AVATAR_QUERY,
						     span_of("x", 1)),
			 0);
	run_for(p.event, 250 * USEC_PER_MSEC);
	assert_true(endpoint_queued_bytes(p.a.ep, p.a.other) > 0);
	assert_int_equal(endpoint_udp_stats(p.b.ep)->sent_packets, 0);
	pair_close(&p);
}

static void test_unverified_type_needs_the_right_address(void **state)
{
	struct uuid secret = uuid_random();
	struct hifi_addr elsewhere = hifi_addr_from_ipv4(SOCKET_TYPE_UDP, INADDR_LOOPBACK, 9);
	struct pair p;

	pair_open_introduced(&p);
	assert_int_equal(
		endpoint_send_node(p.a.ep, p.a.other, PACKET_ENTITY_QUERY, span_of("x", 1)), 0);
	assert_true(run_until(p.event, &p.b.received, 1));

	node_list_set_addresses(p.b.nodes, p.b.other, &elsewhere, &elsewhere);
	node_list_activate(p.b.nodes, p.b.other, &elsewhere);
	assert_int_equal(
		endpoint_send_node(p.a.ep, p.a.other, PACKET_ENTITY_QUERY, span_of("x", 1)), 0);
	assert_true(run_until_dropped(&p, &p.b, DROP_ADDRESS));
	/* A hash is proof enough from anywhere. */
	assert_int_equal(
		endpoint_send_node(p.a.ep, p.a.other, PACKET_AVATAR_QUERY, span_of("x", 1)), 0);
	assert_true(run_until(p.event, &p.b.received, 2));
	(void) secret;
	pair_close(&p);
}

static void test_domain_server_takes_no_verified_types(void **state)
{
	struct pair p;

	pair_open(&p, true);
	introduce(&p.a, &p.b, 0x2222, NULL);
	introduce(&p.b, &p.a, 0x1111, NULL);
	assert_int_equal(
		endpoint_send_node(p.a.ep, p.a.other, PACKET_AVATAR_QUERY, span_of("x", 1)), 0);
	assert_true(run_until_dropped(&p, &p.b, DROP_HASH));
	assert_int_equal(endpoint_send_reliable(p.a.ep, &p.a.other->active,
						PACKET_DOMAIN_SERVER_PATH_QUERY,
						span_of("\1\0/", 3)),
			 0);
	assert_true(run_until(p.event, &p.b.received, 1));
	pair_close(&p);
}

static void test_other_version_is_reported(void **state)
{
	struct pair p;

	pair_open_introduced(&p);
	p.a.other->dialect = DIALECT_OVERTE;
	assert_int_equal(
		endpoint_send_node(p.a.ep, p.a.other, PACKET_AVATAR_QUERY, span_of("x", 1)), 0);
	assert_true(run_until(p.event, &p.b.received, 1)); /* 22 in both dialects */
	assert_int_equal(
		endpoint_send_node(p.a.ep, p.a.other, PACKET_ENTITY_QUERY, span_of("x", 1)), 0);
	assert_true(run_until(p.event, &p.b.mismatches, 1));
	assert_int_equal(drops(&p.b, DROP_VERSION), 1);
	pair_close(&p);
}

static void test_handler_errors_are_counted(void **state)
{
	struct pair p;

	pair_open_introduced(&p);
	p.b.handler_result = -EBADMSG;
	assert_int_equal(
		endpoint_send_node(p.a.ep, p.a.other, PACKET_AVATAR_QUERY, span_of("x", 1)), 0);
	assert_true(run_until_dropped(&p, &p.b, DROP_MALFORMED));
	assert_true(p.b.other->drops.n[DROP_MALFORMED] == 1);
	assert_int_equal(
		endpoint_send_node(p.a.ep, p.a.other, PACKET_MESSAGES_SUBSCRIBE, span_of("x", 1)),
		0);
	assert_true(run_until_dropped(&p, &p.b, DROP_UNHANDLED));
	pair_close(&p);
}

static void test_gaps_are_counted_as_losses(void **state)
{
	struct pair p;

	pair_open_introduced(&p);
	assert_int_equal(
		endpoint_send_node(p.a.ep, p.a.other, PACKET_ENTITY_QUERY, span_of("1", 1)), 0);
	assert_true(run_until(p.event, &p.b.received, 1));
	/* Takes a number, but does not count as received. */
	p.a.other->dialect = DIALECT_OVERTE;
	assert_int_equal(
		endpoint_send_node(p.a.ep, p.a.other, PACKET_ENTITY_QUERY, span_of("2", 1)), 0);
	p.a.other->dialect = DIALECT_VIRCADIA;
	assert_int_equal(
		endpoint_send_node(p.a.ep, p.a.other, PACKET_ENTITY_QUERY, span_of("3", 1)), 0);
	assert_true(run_until(p.event, &p.b.received, 2));
	assert_int_equal(p.b.other->traffic.packets_lost, 1);

	/* The sender begins anew: late numbers are no loss. */
	endpoint_forget(p.a.ep, &p.a.other->active);
	assert_int_equal(
		endpoint_send_node(p.a.ep, p.a.other, PACKET_ENTITY_QUERY, span_of("1", 1)), 0);
	assert_true(run_until(p.event, &p.b.received, 3));
	assert_int_equal(p.b.other->traffic.packets_lost, 0);
	pair_close(&p);
}

static void test_without_a_loop(void **state)
{
	_cleanup_(shared_bytes_unrefp) struct shared_bytes *payload = NULL;
	uint64_t deadline = clock_now_usec() + 30 * USEC_PER_SEC;
	static uint8_t data[5000] = {7};
	struct uuid secret = uuid_random();
	struct pair p = {0};

	payload = shared_bytes_new(data, sizeof(data));
	open_side(&p, &p.a, false);
	open_side(&p, &p.b, false);
	endpoint_set_local_id(p.a.ep, 0x1111);
	introduce(&p.a, &p.b, 0x2222, &secret);
	introduce(&p.b, &p.a, 0x1111, &secret);
	assert_int_equal(
		endpoint_send_node_message(p.a.ep, p.a.other, PACKET_MESSAGES_DATA, payload), 0);
	while ((p.b.received == 0 || endpoint_queued_bytes(p.a.ep, p.a.other) > 0) &&
	       clock_now_usec() < deadline) {
		endpoint_run(p.a.ep);
		endpoint_receive(p.b.ep);
		endpoint_receive(p.a.ep);
	}
	assert_int_equal(p.b.received, 1);
	assert_int_equal(p.b.payload_len, sizeof(data));
	assert_int_equal(endpoint_queued_bytes(p.a.ep, p.a.other), 0);
	pair_close(&p);
}

static void remove_sender(struct side *side)
{
	node_list_remove(side->nodes, side->other);
	side->other = NULL;
}

static int on_packet_remove(void *userdata, const struct received *rx)
{
	struct side *side = userdata;

	remove_sender(side);
	/* The payload outlives the sender's transport state. */
	(void) on_packet(side, rx);
	return -EPERM;
}

static void test_handler_may_remove_the_sender(void **state)
{
	_cleanup_(shared_bytes_unrefp) struct shared_bytes *payload = NULL;
	static uint8_t data[5000] = {1};
	struct pair p;

	payload = shared_bytes_new(data, sizeof(data));
	pair_open_introduced(&p);
	endpoint_handle(p.b.ep, PACKET_MESSAGES_DATA, on_packet_remove, &p.b);
	assert_int_equal(
		endpoint_send_node_message(p.a.ep, p.a.other, PACKET_MESSAGES_DATA, payload), 0);
	assert_true(run_until(p.event, &p.b.received, 1));
	assert_int_equal(p.b.payload_len, sizeof(data));
	run_for(p.event, 20 * USEC_PER_MSEC);
	assert_int_equal(node_list_size(p.b.nodes), 0);
	pair_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signed_packet_arrives),
		cmocka_unit_test(test_large_message_arrives_whole),
		cmocka_unit_test(test_wrong_secret_is_dropped_and_not_acknowledged),
		cmocka_unit_test(test_stranger_is_dropped),
		cmocka_unit_test(test_unverified_type_needs_the_right_address),
		cmocka_unit_test(test_domain_server_takes_no_verified_types),
		cmocka_unit_test(test_other_version_is_reported),
		cmocka_unit_test(test_handler_errors_are_counted),
		cmocka_unit_test(test_gaps_are_counted_as_losses),
		cmocka_unit_test(test_without_a_loop),
		cmocka_unit_test(test_handler_may_remove_the_sender),
	};

	return cmocka_run_group_tests_name("endpoint", tests, NULL, NULL);
}
