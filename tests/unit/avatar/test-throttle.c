/* Protocol 04 section 11, and lines that carry less than the budget. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "avatar/avatar-state.h"
#include "avatar/throttle.h"

#define DECISION 60

static void run(struct throttle *t, double load, unsigned decisions)
{
	for (unsigned i = 0; i < decisions * DECISION; i++)
		throttle_update(t, load);
}

static void test_overload(void **state)
{
	struct throttle t = {.load = 1.15};

	run(&t, 1.15, 1);
	assert_true(fabs(t.ratio - 3 * 2.0 / 150) < 1e-9);
	run(&t, 1.15, 1);
	assert_true(fabs(t.ratio - 6 * 2.0 / 150) < 1e-9);
	assert_int_equal(throttle_budget(&t, 10000), 9200);
	/* between the limits it stays */
	t.load = 0.6;
	run(&t, 0.6, 10);
	assert_true(fabs(t.ratio - 6 * 2.0 / 150) < 1e-9);
	t.load = 0.25;
	run(&t, 0.25, 1);
	assert_true(fabs(t.ratio - (6 * 2.0 / 150 - 4 * 2.0 / 600)) < 1e-9);
	run(&t, 0, 100);
	assert_true(t.ratio == 0);
	assert_int_equal(throttle_budget(&t, 10000), 10000);
}

static void test_something_is_left(void **state)
{
	struct throttle t = {0};

	run(&t, 20, 30);
	assert_true(t.ratio == 1);
	assert_int_equal(throttle_budget(&t, 10000), 500);
	assert_true(t.load > 19 && t.load <= 20);
}

#define CHANNEL_MAX (48 * 1024)

struct line {
	double rate; /* bytes per frame */
	unsigned delay_frames;
	double queue;
	double sent[64];
	/* In the second half of the time it was used. */
	double carried;      /* bytes per frame */
	double longest_wait; /* in its queue, seconds */
};

static void use(struct line *line, struct backpressure *pressure, unsigned budget, unsigned frames)
{
	double flying = 0;

	line->carried = line->longest_wait = 0;
	memset(line->sent, 0, sizeof(line->sent));
	for (unsigned t = 0; t < frames; t++) {
		unsigned slot = t % line->delay_frames;
		double out;

		flying -= line->sent[slot];
		line->queue +=
			backpressure_budget(pressure, budget, (size_t) (line->queue + flying));
		line->queue = fmin(line->queue, CHANNEL_MAX - flying); /* the rest is lost */
		out = fmin(line->queue, line->rate);
		line->queue -= out;
		line->sent[slot] = out;
		flying += out;
		if (t > frames / 2) {
			line->carried += out;
			line->longest_wait =
				fmax(line->longest_wait,
				     line->queue / line->rate / AVATAR_TICKS_PER_SECOND);
		}
	}
	line->carried /= frames / 2.0;
}

/* 256 kbit/s under a budget of 5 Mbit/s: the queue stays short, and the line is used. */
static void test_slow_line(void **state)
{
	struct backpressure pressure = {0};
	struct line line = {.rate = 711, .delay_frames = 2};

	use(&line, &pressure, 13888, 45 * 60);
	assert_true(line.longest_wait < 0.5);
	assert_true(line.carried > 0.7 * line.rate);
}

static void test_good_line(void **state)
{
	struct backpressure pressure = {0};
	struct line line = {.rate = 100000, .delay_frames = 1};

	use(&line, &pressure, 13888, 45 * 20);
	assert_true(line.carried > 0.99 * 13888);

	/* it becomes slow, and well again */
	line.rate = 3000;
	use(&line, &pressure, 13888, 45 * 60);
	assert_true(line.longest_wait < 0.5);
	assert_true(line.carried > 0.6 * line.rate);
	line.rate = 100000;
	use(&line, &pressure, 13888, 45 * 60);
	assert_true(line.carried > 0.99 * 13888);
}

/* A few datagrams on their way are no queue, however small the budget. */
static void test_small_budget(void **state)
{
	struct backpressure pressure = {0};

	for (unsigned i = 0; i < 200; i++)
		assert_int_equal(backpressure_budget(&pressure, 100, 4000), 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_overload),     cmocka_unit_test(test_something_is_left),
		cmocka_unit_test(test_slow_line),    cmocka_unit_test(test_good_line),
		cmocka_unit_test(test_small_budget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
