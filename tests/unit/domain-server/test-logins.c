/* Who is logged in, links that work once, tries that have to wait, and passwords. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "domain-server/logins.h"

#define NOW (1000 * USEC_PER_SEC)

static int open_logins(void **state)
{
	struct logins *l = NULL;

	assert_int_equal(logins_new(&l), 0);
	*state = l;
	return 0;
}

static int close_logins(void **state)
{
	logins_free(*state);
	return 0;
}

static void test_a_session_ends(void **state)
{
	char a[LOGIN_TOKEN_SIZE], b[LOGIN_TOKEN_SIZE];
	const struct login_session *s;
	uint64_t at;

	assert_int_equal(logins_begin(*state, "anna", "hash", NOW, a), 0);
	assert_int_equal(logins_begin(*state, "bert", "hash", NOW, b), 0);
	assert_string_not_equal(a, b);
	s = logins_find(*state, a, NOW);
	assert_non_null(s);
	assert_string_equal(s->user, "anna");
	assert_string_not_equal(s->csrf, a);
	logins_end(*state, a);
	assert_null(logins_find(*state, a, NOW));
	assert_null(logins_find(*state, "", NOW));

	/* Idle for too long; or used all the time, for too long. */
	assert_non_null(logins_find(*state, b, NOW + LOGIN_IDLE_USEC - 1));
	assert_null(logins_find(*state, b, NOW + 2 * LOGIN_IDLE_USEC));
	assert_null(logins_find(*state, b, NOW));
	assert_int_equal(logins_begin(*state, "bert", "hash", NOW, b), 0);
	for (at = NOW; at < NOW + LOGIN_LIFE_USEC; at += LOGIN_IDLE_USEC / 2)
		assert_non_null(logins_find(*state, b, at));
	assert_null(logins_find(*state, b, at));
}

static void test_the_longest_unused_makes_room(void **state)
{
	char tokens[LOGIN_SESSIONS_MAX + 1][LOGIN_TOKEN_SIZE];

	for (uint64_t i = 0; i < LOGIN_SESSIONS_MAX; i++)
		assert_int_equal(logins_begin(*state, "anna", "", NOW + i, tokens[i]), 0);
	assert_non_null(logins_find(*state, tokens[0], NOW + 1000));
	assert_int_equal(logins_begin(*state, "anna", "", NOW + 2000, tokens[LOGIN_SESSIONS_MAX]),
			 0);
	assert_null(logins_find(*state, tokens[1], NOW + 2000));
	assert_non_null(logins_find(*state, tokens[0], NOW + 2000));
	assert_non_null(logins_find(*state, tokens[2], NOW + 2000));
}

static void test_a_link_works_once_and_not_for_long(void **state)
{
	char first[LOGIN_TOKEN_SIZE], second[LOGIN_TOKEN_SIZE];

	assert_int_equal(logins_link_new(*state, NOW, first), 0);
	assert_int_equal(logins_link_new(*state, NOW, second), 0);
	assert_false(logins_link_take(*state, "", NOW));
	assert_true(logins_link_take(*state, first, NOW + LOGIN_LINK_USEC - 1));
	assert_false(logins_link_take(*state, first, NOW + LOGIN_LINK_USEC - 1));
	assert_false(logins_link_take(*state, second, NOW + LOGIN_LINK_USEC));
	assert_null(logins_find(*state, second, NOW));
}

static void test_tries_have_to_wait(void **state)
{
	uint64_t at = NOW;

	for (unsigned i = 0; i < LOGIN_FREE_TRIES; i++)
		assert_int_equal(logins_try(*state, "192.0.2.1", at), 0);
	assert_int_equal(logins_try(*state, "192.0.2.1", at), 2);
	assert_int_equal(logins_try(*state, "192.0.2.2", at), 0);
	/* A day of guessing without a break. */
	for (unsigned n = 0; at < NOW + 24 * 3600 * USEC_PER_SEC; at += USEC_PER_SEC) {
		n += logins_try(*state, "192.0.2.1", at) == 0;
		assert_true(n < 24 * 3600 / LOGIN_WAIT_SEC_MAX + 20);
	}
	assert_true(logins_try(*state, "192.0.2.1", at) <= LOGIN_WAIT_SEC_MAX);
	assert_int_equal(logins_try(*state, "192.0.2.1", at + LOGIN_FORGET_USEC), 0);

	logins_succeeded(*state, "192.0.2.1");
	for (unsigned i = 0; i < LOGIN_FREE_TRIES; i++)
		assert_int_equal(logins_try(*state, "192.0.2.1", at), 0);
}

static void test_passwords(void **state)
{
	char a[PASSWORD_HASH_MAX], b[PASSWORD_HASH_MAX], huge[PASSWORD_HASH_MAX];
	/* Protocol 09 section 15, vector 1. */
	static const char sha256[] =
		"2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";

	assert_true(password_fits("secret", sha256));
	assert_false(password_fits("Secret", sha256));
	assert_false(password_hash_is_current(sha256));

	assert_int_equal(password_hash("correct horse", a), 0);
	assert_int_equal(password_hash("correct horse", b), 0);
	assert_string_not_equal(a, b);
	assert_true(password_hash_is_current(a));
	assert_true(password_fits("correct horse", a));
	assert_false(password_fits("correct horse ", a));
	assert_false(password_fits("", a));

	/* Nothing else fits, and nothing takes gigabytes. */
	(void) snprintf(huge, sizeof(huge), "scrypt$30%s", strchr(strchr(a, '$') + 1, '$'));
	assert_false(password_fits("correct horse", huge));
	a[strlen(a) - 1] = 0;
	assert_false(password_fits("correct horse", a));
	assert_false(password_fits("x", ""));
	assert_false(password_fits("x", "x"));
	assert_false(password_fits("x", "scrypt$15$8$1$"));
	assert_false(password_fits("x", "scrypt$15$8$1$00$00"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_session_ends, open_logins, close_logins),
		cmocka_unit_test_setup_teardown(test_the_longest_unused_makes_room, open_logins,
						close_logins),
		cmocka_unit_test_setup_teardown(test_a_link_works_once_and_not_for_long,
						open_logins, close_logins),
		cmocka_unit_test_setup_teardown(test_tries_have_to_wait, open_logins, close_logins),
		cmocka_unit_test(test_passwords),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
