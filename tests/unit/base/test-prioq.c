/* The heap of timers: always the smallest first, whatever is moved or taken out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/prioq.h"

#define N 500

static uint64_t smallest(const struct prioq_item *items)
{
	uint64_t best = UINT64_MAX;

	for (unsigned i = 0; i < N; i++)
		if (items[i].index > 0)
			best = MIN(best, items[i].key);
	return best;
}

static void test_first_is_smallest_after_any_change(void **state)
{
	static struct prioq_item items[N];
	struct prioq q = {0};

	srand(7);
	for (unsigned i = 0; i < 20000; i++) {
		struct prioq_item *item = &items[rand() % N];

		if (rand() % 3 == 0)
			prioq_remove(&q, item);
		else
			assert_int_equal(prioq_put(&q, item, (uint64_t) rand() % 1000), 0);
		if (q.n > 0)
			assert_true(prioq_first(&q)->key == smallest(items));
		else
			assert_null(prioq_first(&q));
	}
	prioq_done(&q);
	for (unsigned i = 0; i < N; i++)
		assert_int_equal(items[i].index, 0);
}

static void test_comes_out_sorted(void **state)
{
	static struct prioq_item items[N];
	struct prioq q = {0};
	uint64_t last = 0;

	srand(11);
	for (unsigned i = 0; i < N; i++)
		assert_int_equal(prioq_put(&q, &items[i], (uint64_t) rand()), 0);
	for (unsigned i = 0; i < N; i++) {
		struct prioq_item *first = prioq_first(&q);

		assert_true(first->key >= last);
		last = first->key;
		prioq_remove(&q, first);
	}
	assert_null(prioq_first(&q));
	prioq_done(&q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_is_smallest_after_any_change),
		cmocka_unit_test(test_comes_out_sorted),
	};

	return cmocka_run_group_tests_name("prioq", tests, NULL, NULL);
}
