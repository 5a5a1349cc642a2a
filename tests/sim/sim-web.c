/* Our stack against the model of the Web SDK: what the client's faults cost, and that nothing is
 * lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "../unit/net/hex.h"
#include "base/macros.h"
#include "sim-node.h"
#include "sim-web-client.h"

struct web {
	struct sim *sim;
	struct sim_node *server;
	struct sim_web_client *client;
	struct sim_sink to_client, to_server;
};

static const struct sim_stream talk = {
	.n_items = 400,
	.message_every = 5,
	.message_max = 12000,
	.packet_max = 1400,
	.interval_usec = 50 * USEC_PER_MSEC,
};
static const struct sim_stream client_talk = {
	.n_items = 300,
	.message_every = 10,
	.message_max = 4000,
	.packet_max = 1000,
	.interval_usec = 100 * USEC_PER_MSEC,
};

/* The server's reliable and control packets are ordered SCTP messages; what the client sends may be
 * lost. */
static void web_init(struct web *w, uint64_t seed, const struct sim_link_options *from_client)
{
	struct sim_link_options to_client = {.delay_usec = 30000, .jitter_usec = 20000};

	*w = (struct web){.sim = sim_new(seed),
			  .server = sim_node_new((uint32_t) seed * 0x1234567, true),
			  .client = sim_web_client_new(SEQ_MAX - 20)};
	sim_connect(w->sim, &w->server->end, sim_web_client_end(w->client));
	w->server->end.link = to_client;
	sim_web_client_end(w->client)->link = *from_client;
	sim_stream_start(&w->server->out, &talk, &w->to_client, sim_now_usec(w->sim));
	sim_stream_start(sim_web_client_stream(w->client), &client_talk, &w->to_server,
			 sim_now_usec(w->sim));
	w->server->in = &w->to_server;
	sim_web_client_set_sink(w->client, &w->to_client);
}

static void web_done(struct web *w)
{
	w->server = sim_node_free(w->server);
	w->client = sim_web_client_free(w->client);
	sim_sink_done(&w->to_client);
	sim_sink_done(&w->to_server);
	w->sim = sim_free(w->sim);
}

static bool all_arrived(void *userdata)
{
	const struct web *w = userdata;

	return sim_sink_is_complete(&w->to_client) && sim_sink_is_complete(&w->to_server) &&
	       sim_web_client_is_idle(w->client) &&
	       reliable_connection_is_idle(w->server->connection);
}

static void assert_whole(const struct web *w)
{
	assert_true(sim_sink_is_complete(&w->to_client));
	assert_true(sim_sink_is_complete(&w->to_server));
	assert_int_equal(w->to_client.n_damaged + w->to_server.n_damaged, 0);
	assert_int_equal(sim_sink_repeated(&w->to_server), 0);
	assert_int_equal(sim_web_client_errors(w->client), 0);
}

static void report(const char *name, const struct web *w)
{
	print_message("%s: to client %.2f s at worst, %u repeated, %u new ISNs; to server %.2f s "
		      "at worst\n",
		      name, (double) w->to_client.longest_delay_usec / USEC_PER_SEC,
		      sim_sink_repeated(&w->to_client), sim_web_client_resets(w->client),
		      (double) w->to_server.longest_delay_usec / USEC_PER_SEC);
}

/* The model resends as the captured client did (01 section 14.6). */
static void test_model_resends_like_the_sdk(void **state)
{
	static const char *const captured[] = {
		"172fe841131601002f", "172fe841131601002f", "172fe841131601002f",
		"172fe8496773727346", "172fe8510617001234", "172fe85968766d7452",
		"172fe85968766d7452", "172fe8491c131e073b", "172fe8517d776c6649",
		"172fe859131601002f", "172fe859131601002f", "172fe8496773727346",
	};
	_cleanup_free_ uint8_t *datagram = hex_bytes(captured[0], NULL);

	for (unsigned k = 1; k < ELEMENTSOF(captured); k++) {
		sim_web_client_obfuscate(datagram, 9, k);
		assert_bytes_hex(datagram, 9, captured[k]);
	}
}

/* Lost ACKs are all that can happen to the server's packets: nothing is resent, nothing comes
 * twice. */
static void test_ordered_carrier(void **state)
{
	for (uint64_t seed = 1; seed <= 3; seed++) {
		struct sim_link_options from_client = {.delay_usec = 30000, .jitter_usec = 40000};
		struct web w;

		web_init(&w, seed, &from_client);
		assert_true(sim_run_until(w.sim, 120 * USEC_PER_SEC, all_arrived, &w));
		report("ordered carrier", &w);
		assert_whole(&w);
		assert_int_equal(sim_sink_repeated(&w.to_client), 0);
		assert_int_equal(sim_web_client_resets(w.client), 0);
		assert_int_equal(sim_node_stats(w.server).resent, 0);
		assert_in_range(w.to_client.longest_delay_usec, 0, 500 * USEC_PER_MSEC);
		web_done(&w);
	}
}

/* A loss from the client costs its ten seconds, and its garbled resends are read at the first
 * sight. */
static void test_client_loses_packets(void **state)
{
	for (uint64_t seed = 1; seed <= 3; seed++) {
		struct sim_link_options from_client = {
			.delay_usec = 30000, .jitter_usec = 5000, .loss_permille = 20};
		struct web w;

		web_init(&w, seed, &from_client);
		assert_true(sim_run_until(w.sim, 600 * USEC_PER_SEC, all_arrived, &w));
		report("client loses 2 %", &w);
		assert_whole(&w);
		assert_int_equal(w.server->n_unverified, 0);
		assert_int_equal(sim_sink_repeated(&w.to_client), 0);
		assert_in_range(w.to_server.longest_delay_usec, 10 * USEC_PER_SEC,
				120 * USEC_PER_SEC);
		web_done(&w);
	}
}

/* For a while the client drops what the server sends (it does not know the node yet). Its loss list
 * then never lets it acknowledge again, until it gets a new ISN; messages begin anew, so that none
 * stays half. */
static void test_stuck_receiver_is_revived(void **state)
{
	for (uint64_t seed = 1; seed <= 3; seed++) {
		struct sim_link_options from_client = {
			.delay_usec = 30000, .jitter_usec = 5000, .loss_permille = 10};
		struct web w;

		web_init(&w, seed, &from_client);
		sim_run(w.sim, 5 * USEC_PER_SEC);
		sim_web_client_set_deaf(w.client, true);
		sim_run(w.sim, 5 * USEC_PER_SEC + 120 * USEC_PER_MSEC);
		sim_web_client_set_deaf(w.client, false);
		assert_true(sim_run_until(w.sim, 600 * USEC_PER_SEC, all_arrived, &w));
		report("stuck receiver", &w);
		assert_whole(&w);
		assert_in_range(sim_web_client_resets(w.client), 1, 2);
		assert_in_range(w.to_client.longest_delay_usec, 0, 10 * USEC_PER_SEC);
		web_done(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_model_resends_like_the_sdk),
		cmocka_unit_test(test_ordered_carrier),
		cmocka_unit_test(test_client_loses_packets),
		cmocka_unit_test(test_stuck_receiver_is_revived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
