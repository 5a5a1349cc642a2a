/* The entity-server of an empty world with real clients around it: protocol 06a section 6.4. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "assignment-client/hats.h"
#include "entity/entity-query.h"
#include "mixer-fixture.h"

static void ask(struct fixture_client *c, uint16_t connection_id, uint16_t flags)
{
	const struct entity_query query = {
		.connection_id = connection_id,
		.max_packets_per_second = 600,
		.flags = flags,
	};
	uint8_t data[64];
	struct writer wr = writer_over(data, sizeof(data));

	entity_query_encode(&wr, &query);
	fixture_send(c, PACKET_ENTITY_QUERY, data, wr.len);
}

static void test_completion_once_for_each_connection(void **state)
{
	static struct fixture f;
	struct fixture_client *c;

	fixture_open(&f, &entity_server_ops, NULL);
	c = fixture_add(&f, 'I', 0);
	ask(c, 1, 0);
	assert_true(fixture_wait(c, PACKET_OCTREE_STATS, 1));
	assert_int_equal(fixture_count(c, PACKET_ENTITY_QUERY_INITIAL_RESULTS_COMPLETE), 0);
	ask(c, 1, ENTITY_QUERY_WANT_COMPLETION);
	assert_true(fixture_wait(c, PACKET_ENTITY_QUERY_INITIAL_RESULTS_COMPLETE, 1));
	ask(c, 1, ENTITY_QUERY_WANT_COMPLETION);
	ask(c, 2, ENTITY_QUERY_WANT_COMPLETION);
	assert_true(fixture_wait(c, PACKET_ENTITY_QUERY_INITIAL_RESULTS_COMPLETE, 2));
	fixture_run(&f, 50000);
	assert_int_equal(fixture_count(c, PACKET_ENTITY_QUERY_INITIAL_RESULTS_COMPLETE), 2);
	fixture_close(&f);
}

/* A query can overtake the reply that proves the viewer's address. */
static void test_completion_waits_for_an_active_viewer(void **state)
{
	static struct fixture f;
	struct fixture_client *c;
	struct hifi_addr addr;

	fixture_open(&f, &entity_server_ops, NULL);
	c = fixture_add(&f, 'I', 0);
	addr = c->node->active;
	node_list_activate(f.nodes, c->node, NULL);
	ask(c, 1, ENTITY_QUERY_WANT_COMPLETION);
	fixture_run(&f, 100000);
	assert_int_equal(c->n_packets, 0);

	node_list_activate(f.nodes, c->node, &addr);
	ask(c, 1, ENTITY_QUERY_WANT_COMPLETION);
	assert_true(fixture_wait(c, PACKET_ENTITY_QUERY_INITIAL_RESULTS_COMPLETE, 1));
	fixture_close(&f);
}

static void test_edits_are_refused_and_counted(void **state)
{
	static struct fixture f;
	struct fixture_client *c;
	json_t *stats;

	fixture_open(&f, &entity_server_ops, NULL);
	c = fixture_add(&f, 'I', 0xfff);
	fixture_send_reliable(c, PACKET_ENTITY_ADD, "x", 1);
	fixture_send_reliable(c, PACKET_ENTITY_ERASE, "x", 1);
	for (unsigned i = 0; i < 100 && c->node->drops.n[DROP_REFUSED] < 2; i++)
		fixture_run(&f, 10000);
	assert_int_equal(c->node->drops.n[DROP_REFUSED], 2);
	stats = f.ops->stats(f.hat);
	assert_int_equal(json_integer_value(json_object_get(stats, "refused_edits")), 2);
	json_decref(stats);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_completion_once_for_each_connection),
		cmocka_unit_test(test_completion_waits_for_an_active_viewer),
		cmocka_unit_test(test_edits_are_refused_and_counted),
	};

	return cmocka_run_group_tests_name("entity-server", tests, NULL, NULL);
}
