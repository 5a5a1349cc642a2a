/* The congestion window's steps (protocol 01 section 7.2), by simulated round trips. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/macros.h"
#include "net/vegas.h"

#define RTT (100 * USEC_PER_MSEC)

/* One round trip with n samples of this length, the last of which adjusts the window. */
static void round_trip(struct vegas *v, unsigned n, uint64_t sample_usec, uint64_t *now_usec)
{
	for (unsigned i = 0; i < n - 1; i++)
		vegas_on_ack(v, false, sample_usec, *now_usec);
	*now_usec += 2 * sample_usec;
	vegas_on_ack(v, false, sample_usec, *now_usec);
}

/* Past the first sample, which adjusts at once, and out of slow start. */
static struct vegas steady_vegas(uint32_t window, uint64_t *now_usec)
{
	struct vegas v;

	vegas_init(&v);
	*now_usec = 10 * USEC_PER_SEC;
	vegas_on_ack(&v, false, RTT, *now_usec);
	v.slow_start = false;
	v.window = window;
	return v;
}

static void test_slow_start_doubles_every_other_time(void **state)
{
	static const uint32_t windows[] = {20, 20, 40, 40, 80};
	uint64_t now = USEC_PER_SEC;
	struct vegas v;

	vegas_init(&v);
	assert_int_equal(v.window, VEGAS_WINDOW_MIN);
	vegas_on_ack(&v, false, RTT, now);
	for (size_t i = 0; i < ELEMENTSOF(windows); i++) {
		vegas_set_limited(&v);
		round_trip(&v, 5, RTT, &now);
		assert_int_equal(v.window, windows[i]);
	}

	/* Packets queue up: it falls back to what fits, and is done. */
	round_trip(&v, 5, 2 * RTT, &now);
	assert_int_equal(v.window, 41);
	assert_false(v.slow_start);
}

static void test_an_idle_window_does_not_grow(void **state)
{
	uint64_t now;
	struct vegas v = steady_vegas(50, &now);

	for (unsigned i = 0; i < 20; i++)
		round_trip(&v, 5, RTT, &now);
	assert_int_equal(v.window, 50);
	vegas_set_limited(&v);
	round_trip(&v, 5, RTT, &now);
	assert_int_equal(v.window, 51);
}

static void test_backlog_decides(void **state)
{
	uint64_t now;
	struct vegas v = steady_vegas(100, &now);

	/* 100 packets: five percent of the RTT are five packets of queue. */
	vegas_set_limited(&v);
	round_trip(&v, 5, RTT * 105 / 100, &now);
	assert_int_equal(v.window, 100);
	vegas_set_limited(&v);
	round_trip(&v, 5, RTT * 108 / 100, &now);
	assert_int_equal(v.window, 99);
	vegas_set_limited(&v);
	round_trip(&v, 5, RTT * 102 / 100, &now);
	assert_int_equal(v.window, 100);

	/* The least of a period counts: one late packet says nothing. */
	vegas_set_limited(&v);
	vegas_on_ack(&v, false, RTT, now);
	round_trip(&v, 5, 3 * RTT, &now);
	assert_int_equal(v.window, 101);
}

static void test_limits(void **state)
{
	uint64_t now;
	struct vegas v = steady_vegas(VEGAS_WINDOW_MIN, &now);

	/* Half a window of queue is more than six packets only in a large window. */
	v.window = VEGAS_WINDOW_MIN;
	for (unsigned i = 0; i < 5; i++)
		round_trip(&v, 5, 2 * RTT, &now);
	assert_int_equal(v.window, VEGAS_WINDOW_MIN);

	v = steady_vegas(VEGAS_WINDOW_MAX, &now);
	vegas_set_limited(&v);
	round_trip(&v, 5, RTT, &now);
	assert_int_equal(v.window, VEGAS_WINDOW_MAX);
}

/* Few samples in a round trip: one packet more for a whole window of them. */
static void test_reno_step(void **state)
{
	uint64_t now;
	struct vegas v = steady_vegas(10, &now);

	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(v.window, 10);
		vegas_set_limited(&v);
		round_trip(&v, 2, RTT, &now);
	}
	assert_int_equal(v.window, 11);
}

static void test_timeout(void **state)
{
	struct vegas v;

	vegas_init(&v);
	assert_int_equal(vegas_timeout_usec(&v), 10000);
	vegas_set_handshake_time(&v, 300000);
	assert_int_equal(vegas_timeout_usec(&v), 900000);
	vegas_set_handshake_time(&v, 60 * USEC_PER_SEC);
	assert_int_equal(vegas_timeout_usec(&v), 1000000);
	vegas_on_ack(&v, false, 100000, USEC_PER_SEC);
	assert_int_equal(vegas_timeout_usec(&v), 300000);
	for (unsigned i = 0; i < 100; i++)
		vegas_on_ack(&v, false, 100000, USEC_PER_SEC);
	assert_in_range(vegas_timeout_usec(&v), 124000, 126000);
	vegas_on_ack(&v, false, 3600 * USEC_PER_SEC, USEC_PER_SEC);
	assert_in_range(v.rtt_usec, 1000000, 1400000); /* taken for ten seconds */
}

static void test_fast_retransmit(void **state)
{
	uint64_t now;
	struct vegas v = steady_vegas(10, &now);

	v.slow_start = true;
	for (unsigned i = 1; i <= 5; i++) {
		vegas_on_ack(&v, true, 0, now);
		assert_int_equal(vegas_wants_retransmit(&v, true, RTT), i == 3);
	}
	assert_false(v.slow_start);

	/* After one, the next two ACKs resend what is older than a timeout; later ones do not. */
	v = steady_vegas(10, &now);
	vegas_on_ack(&v, false, RTT, now);
	assert_false(vegas_wants_retransmit(&v, false, USEC_PER_SEC));
	vegas_on_ack(&v, true, 0, now);
	assert_true(vegas_wants_retransmit(&v, true, USEC_PER_SEC));
	for (unsigned i = 1; i <= 4; i++) {
		vegas_on_ack(&v, false, RTT, now);
		assert_int_equal(vegas_wants_retransmit(&v, false, i == 2 ? USEC_PER_SEC : 0),
				 i == 2);
	}
	vegas_on_ack(&v, false, RTT, now);
	assert_false(vegas_wants_retransmit(&v, false, USEC_PER_SEC));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slow_start_doubles_every_other_time),
		cmocka_unit_test(test_an_idle_window_does_not_grow),
		cmocka_unit_test(test_backlog_decides),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_reno_step),
		cmocka_unit_test(test_timeout),
		cmocka_unit_test(test_fast_retransmit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
