/* Who is there, and which positions were sent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "load/sessions.h"

static void test_life(void **state)
{
	struct uuid a = uuid_random(), b = uuid_random();
	struct session *first, *again, *second;
	struct sessions s;

	assert_int_equal(sessions_init(&s), 0);
	assert_int_equal(sessions_join(&s, &a, 1, &first), 0);
	assert_int_equal(sessions_join(&s, &b, 2, &second), 0);
	assert_true(second->serial > first->serial);
	assert_ptr_equal(sessions_find(&s, &a), first);

	/* Its own it may have again, another's not. */
	sessions_leave(first, 1000);
	assert_int_equal(sessions_join(&s, &a, 1, &again), 0);
	assert_ptr_equal(again, first);
	assert_int_equal(again->left_usec, 0);
	assert_int_equal(sessions_join(&s, &a, 2, &again), -EEXIST);

	sessions_leave(first, 1000);
	sessions_sweep(&s, 1000 + 30 * USEC_PER_SEC);
	assert_non_null(sessions_find(&s, &a));
	sessions_sweep(&s, 1000 + 61 * USEC_PER_SEC);
	assert_null(sessions_find(&s, &a));
	assert_ptr_equal(sessions_find(&s, &b), second);
	sessions_done(&s);
}

static void test_marks(void **state)
{
	struct vec3 at[SESSION_MARKS + 1];
	struct uuid id = uuid_random();
	struct session *session;
	struct sessions s;

	assert_int_equal(sessions_init(&s), 0);
	assert_int_equal(sessions_join(&s, &id, 0, &session), 0);
	for (unsigned i = 0; i <= SESSION_MARKS; i++) {
		at[i] = session_mark(session, (struct vec3){(float) i / 3, 0, -1.1f}, 1000 + i);
		assert_int_equal(session_mark_find(session, &at[i]), 1000 + i);
	}
	/* The oldest has given its place to the newest. */
	assert_int_equal(session_mark_find(session, &at[0]), 0);
	assert_int_equal(session_mark_find(session, &at[1]), 1001);
	sessions_done(&s);
}

static void test_positions_that_were_not_sent(void **state)
{
	struct uuid id = uuid_random();
	struct session *session;
	struct vec3 sent, wrong;
	struct sessions s;

	assert_int_equal(sessions_init(&s), 0);
	assert_int_equal(sessions_join(&s, &id, 0, &session), 0);
	sent = session_mark(session, (struct vec3){1, 0, 2}, 5);

	wrong = sent;
	wrong.x += 0.0001f;
	assert_int_equal(session_mark_find(session, &wrong), 0);
	wrong = sent;
	wrong.z = -wrong.z;
	assert_int_equal(session_mark_find(session, &wrong), 0);
	for (float y = -1; y < 3; y += 0.37f) {
		wrong = sent;
		wrong.y = y;
		assert_int_equal(session_mark_find(session, &wrong), 0);
	}
	sessions_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_life),
		cmocka_unit_test(test_marks),
		cmocka_unit_test(test_positions_that_were_not_sent),
	};

	return cmocka_run_group_tests_name("sessions", tests, NULL, NULL);
}
