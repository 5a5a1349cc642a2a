/* Jobs beside the loop: in order, off the loop's thread, called back in it, all of them, also at
 * the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/background.h"

struct item {
	unsigned worked, done; /* in which order, from 1; 0: not */
	pthread_t worker;
};

static unsigned n_worked, n_done;

static void work(void *userdata)
{
	struct item *item = userdata;

	item->worked = ++n_worked;
	item->worker = pthread_self();
}

static void done(void *userdata)
{
	struct item *item = userdata;

	item->done = ++n_done;
}

static int reset(void **state)
{
	n_worked = n_done = 0;
	return sd_event_new((sd_event **) state);
}

static int unref(void **state)
{
	sd_event_unref(*state);
	return 0;
}

static void test_jobs_come_back_in_order(void **state)
{
	struct item items[3 * BACKGROUND_JOBS_MAX] = {0};
	struct background *b = NULL;

	assert_int_equal(background_new(*state, &b), 0);
	for (unsigned i = 0; i < ELEMENTSOF(items); i++) {
		assert_int_equal(background_run(b, work, done, &items[i]), 0);
		if (i % 3 == 2) /* three at a time */
			while (n_done <= i)
				assert_true(sd_event_run(*state, 5 * USEC_PER_SEC) > 0);
	}
	for (unsigned i = 0; i < ELEMENTSOF(items); i++) {
		assert_int_equal(items[i].worked, i + 1);
		assert_int_equal(items[i].done, i + 1);
		assert_false(pthread_equal(items[i].worker, pthread_self()));
	}
	background_free(b);
}

static void test_the_end_calls_all_back(void **state)
{
	struct item items[BACKGROUND_JOBS_MAX + 1] = {0};
	struct background *b = NULL;

	assert_int_equal(background_new(*state, &b), 0);
	for (unsigned i = 0; i < BACKGROUND_JOBS_MAX; i++)
		assert_int_equal(background_run(b, work, done, &items[i]), 0);
	/* None was called back yet, so there is no room. */
	assert_int_equal(background_run(b, work, done, &items[BACKGROUND_JOBS_MAX]), -EBUSY);
	background_free(b);
	assert_int_equal(n_done, BACKGROUND_JOBS_MAX);
	assert_int_equal(items[BACKGROUND_JOBS_MAX].done, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_jobs_come_back_in_order, reset, unref),
		cmocka_unit_test_setup_teardown(test_the_end_calls_all_back, reset, unref),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
