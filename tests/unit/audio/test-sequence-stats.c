/* Arrival by sequence number, protocol 03 section 6. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "audio/sequence-stats.h"

static struct sequence_stats stats;
static unsigned skipped;

static int setup(void **state)
{
	stats = (struct sequence_stats){0};
	return 0;
}

static enum sequence_arrival receive(unsigned sequence)
{
	return sequence_stats_receive(&stats, (uint16_t) sequence, &skipped);
}

static void test_first_is_on_time_and_the_wrap_is_no_gap(void **state)
{
	assert_int_equal(receive(65534), SEQUENCE_ON_TIME);
	assert_int_equal(receive(65535), SEQUENCE_ON_TIME);
	assert_int_equal(receive(0), SEQUENCE_ON_TIME);
	assert_int_equal(receive(2), SEQUENCE_EARLY);
	assert_int_equal(skipped, 1);
	assert_int_equal(stats.counts.received, 4);
	assert_int_equal(stats.counts.expected, 5);
	assert_int_equal(stats.counts.lost, 1);
	assert_int_equal(stats.counts.early, 1);
}

static void test_lost_packets_are_recovered_once(void **state)
{
	(void) receive(65533);
	assert_int_equal(receive(3), SEQUENCE_EARLY);
	assert_int_equal(skipped, 5);
	assert_int_equal(receive(65535), SEQUENCE_RECOVERED);
	assert_int_equal(receive(0), SEQUENCE_RECOVERED);
	assert_int_equal(receive(0), SEQUENCE_UNREASONABLE);
	assert_int_equal(receive(3), SEQUENCE_UNREASONABLE);
	assert_int_equal(stats.counts.lost, 3);
	assert_int_equal(stats.counts.recovered, 2);
	assert_int_equal(stats.counts.late, 2);
	assert_int_equal(stats.counts.unreasonable, 2);
	assert_int_equal(receive(4), SEQUENCE_ON_TIME);
}

static void test_the_widest_gap(void **state)
{
	(void) receive(0);
	assert_int_equal(receive(1001), SEQUENCE_EARLY);
	assert_int_equal(skipped, 1000);
	assert_int_equal(receive(1001 + 1002), SEQUENCE_UNREASONABLE);
	assert_int_equal(skipped, 0);
	assert_int_equal(stats.last, 1001);
	/* All of the thousand are still known to be missing. */
	assert_int_equal(receive(2), SEQUENCE_RECOVERED);
	assert_int_equal(receive(1000), SEQUENCE_RECOVERED);
}

static void test_missing_numbers_are_forgotten_in_time(void **state)
{
	(void) receive(0);
	(void) receive(2);
	for (unsigned i = 3; i < 1010; i++)
		assert_int_equal(receive(i), SEQUENCE_ON_TIME);
	assert_int_equal(receive(1), SEQUENCE_UNREASONABLE);
	/* Neither does its bit come back 1024 numbers later. */
	for (unsigned i = 1010; i < 1030; i++)
		(void) receive(i);
	assert_int_equal(receive(1025), SEQUENCE_UNREASONABLE);
}

static void test_a_restarted_sender_is_believed_after_eight(void **state)
{
	for (unsigned i = 0; i < 100; i++)
		(void) receive(30000 + i);
	for (unsigned i = 0; i < 8; i++)
		assert_int_equal(receive(i), SEQUENCE_UNREASONABLE);
	assert_int_equal(receive(8), SEQUENCE_ON_TIME);
	assert_int_equal(stats.counts.received, 2);
	assert_int_equal(stats.counts.unreasonable, 0);
}

static void test_scattered_nonsense_is_never_believed(void **state)
{
	(void) receive(10);
	for (unsigned i = 0; i < 50; i++)
		assert_int_equal(receive(5000 + 2 * i), SEQUENCE_UNREASONABLE);
	for (unsigned i = 0; i < 50; i++) {
		assert_int_equal(receive(20000 + i), SEQUENCE_UNREASONABLE);
		assert_int_equal(receive(11 + i), SEQUENCE_ON_TIME);
	}
}

static void test_differences_never_go_below_nothing(void **state)
{
	struct sequence_counts now = {.received = 5, .lost = 1};
	struct sequence_counts then = {.received = 3, .lost = 2};
	struct sequence_counts since = sequence_counts_since(&now, &then);

	assert_int_equal(since.received, 2);
	assert_int_equal(since.lost, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_first_is_on_time_and_the_wrap_is_no_gap, setup),
		cmocka_unit_test_setup(test_lost_packets_are_recovered_once, setup),
		cmocka_unit_test_setup(test_the_widest_gap, setup),
		cmocka_unit_test_setup(test_missing_numbers_are_forgotten_in_time, setup),
		cmocka_unit_test_setup(test_a_restarted_sender_is_believed_after_eight, setup),
		cmocka_unit_test_setup(test_scattered_nonsense_is_never_believed, setup),
		cmocka_unit_test(test_differences_never_go_below_nothing),
	};

	return cmocka_run_group_tests_name("sequence-stats", tests, NULL, NULL);
}
