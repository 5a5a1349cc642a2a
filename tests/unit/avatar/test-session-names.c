/* Unique names: protocol 04 section 5.2. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "avatar/session-names.h"

static void test_base(void **state)
{
	static const struct {
		const char *name, *base;
	} cases[] = {
		{"Zoë", "Zoë"},       {"  Ann  ", "Ann"},   {"Ann_3", "Ann"},
		{"Ann _12 ", "Ann"},  {"Ann_", "Ann_"},     {"Ann_3a", "Ann_3a"},
		{"Ann3", "Ann3"},     {"Ann_1_2", "Ann_1"}, {"Ann\nsecond line", "Ann"},
		{"Ann_4\n_7", "Ann"}, {"", "anonymous"},    {" \t", "anonymous"},
		{"_5", "anonymous"},  {"5", "5"},           {"\nAnn", "Ann"},
	};

	for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
		_cleanup_free_ char *base = session_name_base(cases[i].name);

		assert_string_equal(base, cases[i].base);
	}
}

static const struct session_name *take(struct session_names *names, const char *text,
				       const struct session_name *old)
{
	const struct session_name *name;

	assert_int_equal(session_names_take(names, text, old, &name), 0);
	return name;
}

static void test_smallest_free_suffix(void **state)
{
	_cleanup_(session_names_freep) struct session_names *names = NULL;
	const struct session_name *name[4], *other;

	assert_int_equal(session_names_new(&names), 0);
	for (unsigned i = 0; i < 4; i++)
		name[i] = take(names, "Ann", NULL);
	other = take(names, "Bob", NULL);
	assert_string_equal(name[0]->text, "Ann");
	assert_string_equal(name[3]->text, "Ann_3");
	assert_string_equal(other->text, "Bob");

	/* what is released is taken next, whatever suffix the newcomer brings along */
	session_names_release(names, name[1]);
	name[1] = take(names, "Ann_3", NULL);
	assert_string_equal(name[1]->text, "Ann_1");
	session_names_release(names, name[0]);
	name[0] = take(names, "Ann", NULL);
	assert_string_equal(name[0]->text, "Ann");

	for (unsigned i = 0; i < 4; i++)
		session_names_release(names, name[i]);
	session_names_release(names, other);
	session_names_release(names, NULL);
}

static void test_renaming_frees_the_old_name(void **state)
{
	_cleanup_(session_names_freep) struct session_names *names = NULL;
	const struct session_name *a, *b;

	assert_int_equal(session_names_new(&names), 0);
	a = take(names, "Ann", NULL);
	a = take(names, " Ann ", a);
	assert_string_equal(a->text, "Ann");
	a = take(names, "Bob", a);
	b = take(names, "Ann", NULL);
	assert_string_equal(b->text, "Ann");
	session_names_release(names, a);
	session_names_release(names, b);
}

static void test_many(void **state)
{
	_cleanup_(session_names_freep) struct session_names *names = NULL;
	const struct session_name *name[100];

	assert_int_equal(session_names_new(&names), 0);
	for (unsigned i = 0; i < ELEMENTSOF(name); i++) {
		name[i] = take(names, "Ann", NULL);
		assert_int_equal(name[i]->suffix, i);
	}
	for (unsigned i = 0; i < ELEMENTSOF(name); i += 2)
		session_names_release(names, name[i]);
	for (unsigned i = 0; i < ELEMENTSOF(name); i += 2) {
		name[i] = take(names, "Ann", NULL);
		assert_int_equal(name[i]->suffix, i);
	}
	for (unsigned i = 0; i < ELEMENTSOF(name); i++)
		session_names_release(names, name[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_base),
		cmocka_unit_test(test_smallest_free_suffix),
		cmocka_unit_test(test_renaming_frees_the_old_name),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
