/* Two of our stacks over a bad link: every item arrives exactly once and whole, in both directions,
 * and within a stated time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/macros.h"
#include "sim-node.h"

struct pair {
	struct sim *sim;
	struct sim_node *a, *b;
	struct sim_sink a_to_b, b_to_a;
};

static void pair_init(struct pair *p, uint64_t seed, const struct sim_link_options *link,
		      uint32_t isn_a, uint32_t isn_b)
{
	*p = (struct pair){.sim = sim_new(seed),
			   .a = sim_node_new(isn_a, false),
			   .b = sim_node_new(isn_b, false)};
	sim_connect(p->sim, &p->a->end, &p->b->end);
	p->a->end.link = p->b->end.link = *link;
	p->a->in = &p->b_to_a;
	p->b->in = &p->a_to_b;
}

static void pair_start(struct pair *p, const struct sim_stream *a_sends,
		       const struct sim_stream *b_sends)
{
	sim_stream_start(&p->a->out, a_sends, &p->a_to_b, sim_now_usec(p->sim));
	sim_stream_start(&p->b->out, b_sends, &p->b_to_a, sim_now_usec(p->sim));
}

static void pair_done(struct pair *p)
{
	p->a = sim_node_free(p->a);
	p->b = sim_node_free(p->b);
	sim_sink_done(&p->a_to_b);
	sim_sink_done(&p->b_to_a);
	p->sim = sim_free(p->sim);
}

static bool all_arrived(void *userdata)
{
	const struct pair *p = userdata;

	return sim_sink_is_complete(&p->a_to_b) && sim_sink_is_complete(&p->b_to_a) &&
	       reliable_connection_is_idle(p->a->connection) &&
	       reliable_connection_is_idle(p->b->connection);
}

static void assert_once_and_whole(const struct sim_sink *sink, const struct sim_node *from,
				  uint64_t delay_max_usec)
{
	assert_int_equal(sink->n_distinct, sink->stream->n_items);
	assert_int_equal(sim_sink_repeated(sink), 0);
	assert_int_equal(sink->n_damaged, 0);
	assert_int_equal(sim_node_stats(from).queued_bytes, 0);
	if (sink->longest_delay_usec > delay_max_usec)
		fail_msg("an item took %.3f s", (double) sink->longest_delay_usec / USEC_PER_SEC);
}

static void report(const char *name, const struct pair *p)
{
	struct reliable_connection_stats stats = sim_node_stats(p->a);

	print_message("%s: %u items in %.2f s, worst delay %.2f / %.2f s, %lu sent, %lu resent, "
		      "window %u\n",
		      name, p->a->out.n_items, (double) sim_now_usec(p->sim) / USEC_PER_SEC - 1,
		      (double) p->a_to_b.longest_delay_usec / USEC_PER_SEC,
		      (double) p->b_to_a.longest_delay_usec / USEC_PER_SEC,
		      (unsigned long) stats.sent, (unsigned long) stats.resent, stats.window);
}

/* --- loss, delay, jitter, reordering, duplication --- */

static const struct sim_stream talk = {
	.n_items = 600,
	.message_every = 5,
	.message_max = 12000,
	.packet_max = 1400,
	.interval_usec = 50 * USEC_PER_MSEC,
};
/* A fifth of everything lost, ACKs too, leaves room for less. */
static const struct sim_stream sparse_talk = {
	.n_items = 150,
	.message_every = 5,
	.message_max = 6000,
	.packet_max = 1400,
	.interval_usec = 300 * USEC_PER_MSEC,
};

static const struct weather {
	const char *name;
	const struct sim_stream *stream;
	struct sim_link_options link;
	uint64_t delay_max_usec; /* of any item */
} weathers[] = {
	{"no loss, 20 ms", &talk, {.delay_usec = 10000}, 60 * USEC_PER_MSEC},
	{"1 % loss, 20 ms", &talk, {.loss_permille = 10, .delay_usec = 10000}, 400 * USEC_PER_MSEC},
	{"no loss, 300 ms, jitter",
	 &talk,
	 {.delay_usec = 150000, .jitter_usec = 40000},
	 2 * USEC_PER_SEC},
	{"1 % loss, 300 ms", &talk, {.loss_permille = 10, .delay_usec = 150000}, 3 * USEC_PER_SEC},
	{"5 % loss, 300 ms, jitter",
	 &talk,
	 {.loss_permille = 50, .delay_usec = 150000, .jitter_usec = 40000},
	 10 * USEC_PER_SEC},
	{"20 % loss, 300 ms, jitter",
	 &sparse_talk,
	 {.loss_permille = 200, .delay_usec = 150000, .jitter_usec = 40000},
	 10 * USEC_PER_SEC},
	{"reordering",
	 &talk,
	 {.delay_usec = 20000, .jitter_usec = 30000, .late_permille = 50, .late_usec = 80000},
	 USEC_PER_SEC},
	{"duplication",
	 &talk,
	 {.duplicate_permille = 300, .delay_usec = 20000, .jitter_usec = 5000},
	 300 * USEC_PER_MSEC},
	{"all at once",
	 &talk,
	 {.loss_permille = 100,
	  .duplicate_permille = 100,
	  .late_permille = 100,
	  .late_usec = 200000,
	  .delay_usec = 60000,
	  .jitter_usec = 60000},
	 10 * USEC_PER_SEC},
};

static void check_weather(const struct weather *w, uint64_t seed)
{
	struct pair p;

	pair_init(&p, seed, &w->link, (uint32_t) seed * 0x1234567, SEQ_MAX - 100);
	pair_start(&p, w->stream, w->stream);
	(void) sim_run_until(p.sim, 600 * USEC_PER_SEC, all_arrived, &p);
	report(w->name, &p);
	assert_once_and_whole(&p.a_to_b, p.a, w->delay_max_usec);
	assert_once_and_whole(&p.b_to_a, p.b, w->delay_max_usec);
	assert_int_equal(p.a->n_unverified + p.b->n_unverified, 0);
	assert_int_equal(p.a->n_resets + p.b->n_resets, 0);
	pair_done(&p);
}

static void test_any_weather(void **state)
{
	for (size_t i = 0; i < ELEMENTSOF(weathers); i++)
		for (uint64_t seed = 1; seed <= 4; seed++)
			check_weather(&weathers[i], seed);
}

/* --- long runs --- */

/* Two hours, and the numbers wrap in the middle of both directions. */
static void test_hours_across_the_wrap(void **state)
{
	static const struct sim_stream stream = {
		.n_items = 72000, .packet_max = 200, .interval_usec = 100 * USEC_PER_MSEC};
	struct sim_link_options link = {
		.loss_permille = 10, .delay_usec = 30000, .jitter_usec = 30000};
	struct pair p;

	pair_init(&p, 7, &link, SEQ_MAX - 36000, SEQ_MAX);
	pair_start(&p, &stream, &stream);
	(void) sim_run_until(p.sim, 3 * 3600 * USEC_PER_SEC, all_arrived, &p);
	report("two hours", &p);
	assert_once_and_whole(&p.a_to_b, p.a, 2 * USEC_PER_SEC);
	assert_once_and_whole(&p.b_to_a, p.b, 2 * USEC_PER_SEC);
	pair_done(&p);
}

/* Eight megabytes in one direction, small packets in both: these must not wait for those. */
static void test_bulk_does_not_block(void **state)
{
	static const struct sim_stream bulk = {.n_items = 200,
					       .message_every = 100,
					       .message_max = 8 * 1024 * 1024,
					       .packet_max = 100,
					       .interval_usec = 20 * USEC_PER_MSEC};
	static const struct sim_stream small = {
		.n_items = 200, .packet_max = 100, .interval_usec = 20 * USEC_PER_MSEC};
	struct sim_link_options link = {.delay_usec = 20000, .loss_permille = 2};
	struct pair p;
	uint64_t longest = 0;

	pair_init(&p, 3, &link, SEQ_MAX - 1000, 77);
	pair_start(&p, &bulk, &small);
	(void) sim_run_until(p.sim, 600 * USEC_PER_SEC, all_arrived, &p);
	report("bulk", &p);
	for (uint32_t i = 0; i < bulk.n_items; i++)
		if (i % bulk.message_every != 0)
			longest = MAX(longest, p.a_to_b.delay_usec[i]);
	assert_in_range(longest, 20000, 500000);
	assert_once_and_whole(&p.a_to_b, p.a, 60 * USEC_PER_SEC);
	assert_once_and_whole(&p.b_to_a, p.b, 300 * USEC_PER_MSEC);
	pair_done(&p);
}

/* A megabyte per second with a queue of a tenth of a second: the window finds the rate without
 * drowning it. */
static void test_bottleneck(void **state)
{
	static const struct sim_stream bulk = {
		.n_items = 4, .message_every = 1, .message_max = 4 * 1024 * 1024};
	static const struct sim_stream nothing = {.n_items = 1, .packet_max = 10};
	struct sim_link_options link = {.delay_usec = 25000, .rate = 1000000, .queue_usec = 100000};
	struct reliable_connection_stats stats;
	uint64_t ideal_usec;
	struct pair p;

	pair_init(&p, 9, &link, 1000, 2000);
	pair_start(&p, &bulk, &nothing);
	(void) sim_run_until(p.sim, 600 * USEC_PER_SEC, all_arrived, &p);
	report("bottleneck", &p);
	stats = sim_node_stats(p.a);
	ideal_usec = stats.sent * PACKET_MAX * USEC_PER_SEC / link.rate;
	assert_once_and_whole(&p.a_to_b, p.a, ideal_usec + ideal_usec / 2);
	assert_in_range(p.a->end.stats.lost, 0, stats.sent / 50);
	assert_in_range(stats.resent, 0, stats.sent / 20);
	pair_done(&p);
}

/* --- interruptions --- */

/* Nothing gets through for half a minute. Afterwards all does, soon, and the outage was not spent
 * shouting. */
static void test_outage(void **state)
{
	static const struct sim_stream stream = {
		.n_items = 1000, .packet_max = 500, .interval_usec = 50 * USEC_PER_MSEC};
	struct sim_link_options link = {.delay_usec = 40000}, dead = {.loss_permille = 1000};
	uint64_t before, end_usec;
	struct pair p;

	pair_init(&p, 5, &link, 1, 2);
	pair_start(&p, &stream, &stream);
	sim_run(p.sim, 6 * USEC_PER_SEC);
	p.a->end.link = p.b->end.link = dead;
	before = p.a->end.stats.sent;
	sim_run(p.sim, 36 * USEC_PER_SEC);
	assert_in_range(p.a->end.stats.sent - before, 10, 100);

	p.a->end.link = p.b->end.link = link;
	end_usec = sim_now_usec(p.sim) + 20 * USEC_PER_SEC;
	assert_true(sim_run_until(p.sim, end_usec, all_arrived, &p));
	report("outage", &p);
	assert_once_and_whole(&p.a_to_b, p.a, 40 * USEC_PER_SEC);
	assert_once_and_whole(&p.b_to_a, p.b, 40 * USEC_PER_SEC);
	pair_done(&p);
}

/* One end is killed and comes back empty. What was under way is lost, as the protocol has it; what
 * is sent from then on arrives. */
static void test_peer_restarts(void **state)
{
	static const struct sim_stream stream = {.n_items = 400,
						 .message_every = 10,
						 .message_max = 20000,
						 .packet_max = 1000,
						 .interval_usec = 50 * USEC_PER_MSEC};
	struct sim_link_options link = {.delay_usec = 50000, .loss_permille = 20};
	struct pair p;

	pair_init(&p, 11, &link, 100, 200);
	pair_start(&p, &stream, &stream);
	sim_run(p.sim, 11 * USEC_PER_SEC);
	sim_node_restart(p.b, 300);
	sim_run(p.sim, 60 * USEC_PER_SEC);
	report("restart", &p);

	assert_int_equal(p.a_to_b.n_damaged + p.b_to_a.n_damaged, 0);
	assert_int_equal(sim_sink_repeated(&p.a_to_b) + sim_sink_repeated(&p.b_to_a), 0);
	for (uint32_t i = 240; i < stream.n_items; i++) {
		assert_int_equal(p.a_to_b.n_received[i], 1);
		assert_int_equal(p.b_to_a.n_received[i], 1);
	}
	assert_in_range(p.a_to_b.n_distinct, 360, 400);
	assert_in_range(p.b_to_a.n_distinct, 360, 400);
	assert_int_equal(p.a->n_resets, 1);
	pair_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any_weather),
		cmocka_unit_test(test_hours_across_the_wrap),
		cmocka_unit_test(test_bulk_does_not_block),
		cmocka_unit_test(test_bottleneck),
		cmocka_unit_test(test_outage),
		cmocka_unit_test(test_peer_restarts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
