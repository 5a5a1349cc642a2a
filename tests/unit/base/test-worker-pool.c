/* The pool of base/worker-pool: each item once, and everything back before the call returns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <string.h>

#include "base/worker-pool.h"

#define ITEMS 1000

struct job {
	unsigned calls[ITEMS]; /* not atomic: each belongs to one thread at a time */
	pthread_t threads[ITEMS];
};

static void count(void *userdata, size_t i)
{
	struct job *job = userdata;

	job->calls[i]++;
	job->threads[i] = pthread_self();
}

static void check(unsigned threads, size_t n, unsigned rounds)
{
	_cleanup_(worker_pool_freep) struct worker_pool *pool = NULL;
	struct job job = {.calls = {0}};

	assert_int_equal(worker_pool_new(threads, &pool), 0);
	assert_int_equal(worker_pool_threads(pool), threads);
	for (unsigned i = 1; i <= rounds; i++) {
		worker_pool_run(pool, n, count, &job);
		for (size_t k = 0; k < ITEMS; k++)
			assert_int_equal(job.calls[k], k < n ? i : 0);
	}
}

static void test_every_item_once_in_every_round(void **state)
{
	check(1, ITEMS, 10);
	check(2, ITEMS, 200);
	check(7, ITEMS, 200);
	check(4, 3, 200);
	check(4, 1, 10);
	check(4, 0, 10);
}

static void test_without_threads_the_caller_does_it_all(void **state)
{
	_cleanup_(worker_pool_freep) struct worker_pool *pool = NULL;
	struct job job = {.calls = {0}};

	assert_int_equal(worker_pool_new(1, &pool), 0);
	worker_pool_run(pool, ITEMS, count, &job);
	for (unsigned i = 0; i < ITEMS; i++)
		assert_true(pthread_equal(job.threads[i], pthread_self()));
}

static void rendezvous(void *userdata, size_t i)
{
	(void) pthread_barrier_wait(userdata);
}

static void test_threads_work_at_the_same_time(void **state)
{
	_cleanup_(worker_pool_freep) struct worker_pool *pool = NULL;
	pthread_barrier_t barrier;

	/* Would never return if one thread did them all. */
	assert_int_equal(pthread_barrier_init(&barrier, NULL, 3), 0);
	assert_int_equal(worker_pool_new(3, &pool), 0);
	worker_pool_run(pool, 3, rendezvous, &barrier);
	(void) pthread_barrier_destroy(&barrier);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_item_once_in_every_round),
		cmocka_unit_test(test_without_threads_the_caller_does_it_all),
		cmocka_unit_test(test_threads_work_at_the_same_time),
	};

	return cmocka_run_group_tests_name("worker-pool", tests, NULL, NULL);
}
