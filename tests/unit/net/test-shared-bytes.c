/* Reference counting of shared byte strings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "net/shared-bytes.h"

static void test_a_copy_lives_as_long_as_its_last_reference(void **state)
{
	char text[] = "abc";
	struct shared_bytes *a = shared_bytes_new(text, 3), *b;

	assert_non_null(a);
	b = shared_bytes_ref(a);
	assert_ptr_equal(a, b);
	text[0] = 'x';

	a = shared_bytes_unref(a);
	assert_null(a);
	assert_int_equal(b->n_ref, 1);
	assert_int_equal(b->len, 3);
	assert_memory_equal(b->data, "abc", 3);
	assert_null(shared_bytes_unref(b));
}

static void test_nothing_is_fine_too(void **state)
{
	_cleanup_(shared_bytes_unrefp) struct shared_bytes *b = shared_bytes_new(NULL, 0);

	assert_non_null(b);
	assert_int_equal(b->len, 0);
	assert_null(shared_bytes_unref(NULL));
	assert_null(shared_bytes_new("", SIZE_MAX));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_copy_lives_as_long_as_its_last_reference),
		cmocka_unit_test(test_nothing_is_fine_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
