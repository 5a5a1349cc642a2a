/* When an overloaded mixer lowers what it does, and when it raises it again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "audio/frame-budget.h"

#define CALM   (FRAME_BUDGET_ROOM_USEC - 500)
#define LOADED (FRAME_BUDGET_ROOM_USEC + 500)
#define DANGER (FRAME_BUDGET_DANGER_USEC + 500)

static void add(struct frame_budget *budget, unsigned n, uint64_t usec)
{
	for (unsigned i = 0; i < n; i++)
		frame_budget_add(budget, usec);
}

static void test_starts_with_everything(void **state)
{
	struct frame_budget budget = {0};

	assert_int_equal(frame_budget_complexity(&budget), 10);
	add(&budget, 1000, LOADED);
	assert_int_equal(budget.level, 0);
}

static void test_overload_reaches_the_bottom_at_once(void **state)
{
	struct frame_budget budget = {0};
	int before = 11;

	for (unsigned i = 0; i <= frame_budget_level_max(); i++) {
		assert_true(frame_budget_complexity(&budget) < before);
		before = frame_budget_complexity(&budget);
		add(&budget, FRAME_BUDGET_OUTLIERS + 1, 3 * DANGER);
	}
	assert_int_equal(budget.level, frame_budget_level_max());
	add(&budget, 1000, 3 * DANGER);
	assert_int_equal(budget.level, frame_budget_level_max());
	assert_int_equal(frame_budget_complexity(&budget), 0);
}

/* A scheduler's hiccup, twice in a hundred frames, is not load. */
static void test_outliers_change_nothing(void **state)
{
	struct frame_budget budget = {0};

	for (unsigned i = 0; i < 20; i++) {
		add(&budget, FRAME_BUDGET_OUTLIERS, 10 * DANGER);
		add(&budget, FRAME_BUDGET_WINDOW - FRAME_BUDGET_OUTLIERS, LOADED);
	}
	assert_int_equal(budget.level, 0);
	/* Nor do they keep from being raised. */
	add(&budget, FRAME_BUDGET_OUTLIERS + 1, DANGER);
	assert_int_equal(budget.level, 1);
	for (unsigned i = 0; i < FRAME_BUDGET_PATIENCE; i++) {
		add(&budget, FRAME_BUDGET_OUTLIERS, 10 * DANGER);
		add(&budget, FRAME_BUDGET_WINDOW - FRAME_BUDGET_OUTLIERS, CALM);
	}
	assert_int_equal(budget.level, 0);
}

static void test_raises_only_with_room(void **state)
{
	struct frame_budget budget = {0};

	add(&budget, 2 * (FRAME_BUDGET_OUTLIERS + 1), DANGER);
	assert_int_equal(budget.level, 2);
	add(&budget, 100 * FRAME_BUDGET_WINDOW, LOADED);
	assert_int_equal(budget.level, 2);
	add(&budget, FRAME_BUDGET_PATIENCE * FRAME_BUDGET_WINDOW - 1, CALM);
	assert_int_equal(budget.level, 2);
	add(&budget, 1, CALM);
	assert_int_equal(budget.level, 1);
	add(&budget, FRAME_BUDGET_PATIENCE * FRAME_BUDGET_WINDOW, CALM);
	assert_int_equal(budget.level, 0);
	add(&budget, 100 * FRAME_BUDGET_WINDOW, CALM);
	assert_int_equal(budget.level, 0);
}

/* Frames until the level is raised, when it has room. */
static unsigned frames_to_raise(struct frame_budget *budget)
{
	unsigned level = budget->level, n = 0;

	while (budget->level == level) {
		frame_budget_add(budget, CALM);
		n++;
	}
	assert_int_equal(budget->level, level - 1);
	return n;
}

static void test_what_did_not_work_is_tried_less_often(void **state)
{
	const unsigned first = FRAME_BUDGET_PATIENCE * FRAME_BUDGET_WINDOW;
	struct frame_budget budget = {0};
	unsigned n = first;

	add(&budget, FRAME_BUDGET_OUTLIERS + 1, DANGER);
	assert_int_equal(frames_to_raise(&budget), n);
	for (unsigned i = 0; i < 8; i++) {
		add(&budget, FRAME_BUDGET_OUTLIERS + 1, DANGER);
		n = n * 2 < FRAME_BUDGET_PATIENCE_MAX * FRAME_BUDGET_WINDOW
			    ? n * 2
			    : FRAME_BUDGET_PATIENCE_MAX * FRAME_BUDGET_WINDOW;
		assert_int_equal(frames_to_raise(&budget), n);
	}
	/* One that lasts makes up for it. */
	add(&budget, 2 * FRAME_BUDGET_PATIENCE_MAX * FRAME_BUDGET_WINDOW, LOADED);
	add(&budget, FRAME_BUDGET_OUTLIERS + 1, DANGER);
	assert_int_equal(frames_to_raise(&budget), first);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_starts_with_everything),
		cmocka_unit_test(test_overload_reaches_the_bottom_at_once),
		cmocka_unit_test(test_outliers_change_nothing),
		cmocka_unit_test(test_raises_only_with_room),
		cmocka_unit_test(test_what_did_not_work_is_tried_less_often),
	};

	return cmocka_run_group_tests_name("frame-budget", tests, NULL, NULL);
}
