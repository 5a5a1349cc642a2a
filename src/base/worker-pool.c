#include "base/worker-pool.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>

struct worker_pool {
	unsigned n; /* threads beside the caller */
	pthread_t *threads;

	pthread_mutex_t lock;
	pthread_cond_t start, done;
	/* Under the lock. */
	unsigned job; /* counts up */
	unsigned busy;
	bool stop;

	/* The job: constant while it runs, but for next. */
	size_t n_items;
	void (*f)(void *userdata, size_t i);
	void *userdata;
	atomic_size_t next;
};

static void work(struct worker_pool *pool)
{
	for (;;) {
		size_t i = atomic_fetch_add_explicit(&pool->next, 1, memory_order_relaxed);

		if (i >= pool->n_items)
			return;
		pool->f(pool->userdata, i);
	}
}

static void *thread_main(void *userdata)
{
	struct worker_pool *pool = userdata;
	unsigned seen = 0;

	(void) pthread_mutex_lock(&pool->lock);
	for (;;) {
		while (pool->job == seen && !pool->stop)
			(void) pthread_cond_wait(&pool->start, &pool->lock);
		if (pool->stop)
			break;
		seen = pool->job;
		(void) pthread_mutex_unlock(&pool->lock);

		work(pool);

		(void) pthread_mutex_lock(&pool->lock);
		if (--pool->busy == 0)
			(void) pthread_cond_signal(&pool->done);
	}
	(void) pthread_mutex_unlock(&pool->lock);
	return NULL;
}

static int start_threads(struct worker_pool *pool, unsigned n)
{
	sigset_t all, before;
	int r = 0;

	(void) sigfillset(&all);
	(void) pthread_sigmask(SIG_SETMASK, &all, &before);
	for (; pool->n < n && r == 0; pool->n += r == 0)
		r = pthread_create(&pool->threads[pool->n], NULL, thread_main, pool);
	(void) pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -r;
}

int worker_pool_new(unsigned threads, struct worker_pool **ret)
{
	_cleanup_(worker_pool_freep) struct worker_pool *pool = NULL;
	int r;

	assert(threads > 0);

	pool = calloc(1, sizeof(*pool));
	if (!pool)
		return -ENOMEM;
	(void) pthread_mutex_init(&pool->lock, NULL);
	(void) pthread_cond_init(&pool->start, NULL);
	(void) pthread_cond_init(&pool->done, NULL);
	pool->threads = calloc(threads, sizeof(*pool->threads));
	if (!pool->threads)
		return -ENOMEM;
	r = start_threads(pool, threads - 1);
	if (r < 0)
		return r;

	*ret = TAKE_PTR(pool);
	return 0;
}

struct worker_pool *worker_pool_free(struct worker_pool *pool)
{
	if (!pool)
		return NULL;

	(void) pthread_mutex_lock(&pool->lock);
	pool->stop = true;
	(void) pthread_cond_broadcast(&pool->start);
	(void) pthread_mutex_unlock(&pool->lock);
	for (unsigned i = 0; i < pool->n; i++)
		(void) pthread_join(pool->threads[i], NULL);

	(void) pthread_cond_destroy(&pool->done);
	(void) pthread_cond_destroy(&pool->start);
	(void) pthread_mutex_destroy(&pool->lock);
	free(pool->threads);
	free(pool);
	return NULL;
}

unsigned worker_pool_cpus(void)
{
	cpu_set_t cpus;

	/* Fails on machines with more CPUs than fit. */
	if (sched_getaffinity(0, sizeof(cpus), &cpus) < 0)
		return CPU_SETSIZE;
	return (unsigned) CPU_COUNT(&cpus);
}

unsigned worker_pool_threads(const struct worker_pool *pool)
{
	return pool->n + 1;
}

void worker_pool_run(struct worker_pool *pool, size_t n, void (*f)(void *userdata, size_t i),
		     void *userdata)
{
	pool->n_items = n;
	pool->f = f;
	pool->userdata = userdata;
	atomic_store_explicit(&pool->next, 0, memory_order_relaxed);
	if (pool->n == 0 || n < 2) {
		work(pool);
		return;
	}

	/* The lock makes the job visible to the threads, and what they did to us. */
	(void) pthread_mutex_lock(&pool->lock);
	pool->job++;
	pool->busy = pool->n;
	(void) pthread_cond_broadcast(&pool->start);
	(void) pthread_mutex_unlock(&pool->lock);

	work(pool);

	(void) pthread_mutex_lock(&pool->lock);
	while (pool->busy > 0)
		(void) pthread_cond_wait(&pool->done, &pool->lock);
	(void) pthread_mutex_unlock(&pool->lock);
}
