/* A few threads that share out the items of one job. The job's owner works along and gets
 * everything back before it goes on, so nothing outlives a call and items need no locks of their
 * own. What runs in the threads must not log, allocate or touch the loop. */
#pragma once

#include "base/macros.h"

struct worker_pool;

/* threads counts the caller: 1 makes a pool without threads. Signals are blocked in the threads.
 * 0 or -errno. */
int worker_pool_new(unsigned threads, struct worker_pool **ret);
struct worker_pool *worker_pool_free(struct worker_pool *pool);
DEFINE_CLEANUP_FUNC(struct worker_pool *, worker_pool_free)
/* The CPUs this process may run on. */
unsigned worker_pool_cpus(void);
unsigned worker_pool_threads(const struct worker_pool *pool);

/* Calls f once for each i below n, on any of the threads in any order, and returns when all are
 * done. One job at a time. */
void worker_pool_run(struct worker_pool *pool, size_t n, void (*f)(void *userdata, size_t i),
		     void *userdata);
