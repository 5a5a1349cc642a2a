/* Permission bits and their settings columns: protocol 02 sections 9.1, 9.2, 9.5. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/permissions.h"

static void test_bits_of_the_protocol(void **state)
{
	assert_int_equal(PERMISSION_CONNECT, 1);
	assert_int_equal(PERMISSION_KICK, 64);
	assert_int_equal(PERMISSION_REZ_AVATAR_ENTITIES, 2048);
	assert_int_equal(PERMISSION_VIEW_ASSET_URLS, 4096);
	assert_int_equal(PERMISSIONS_VISITOR, 0xa01);
	assert_int_equal(PERMISSIONS_LOCALHOST, 0xfff);
	assert_int_equal(PERMISSIONS_ASSIGNED, 1 | 2 | 4 | 8 | 16 | 128 | 256 | 512 | 1024 | 2048);
}

static void test_row_round_trip(void **state)
{
	json_t *row = json_object();

	assert_int_equal(permissions_to_json(PERMISSIONS_ASSIGNED, row), 0);
	assert_true(json_is_true(json_object_get(row, "id_can_rez_tmp")));
	assert_true(json_is_false(json_object_get(row, "id_can_kick")));
	assert_int_equal(permissions_from_json(row), PERMISSIONS_ASSIGNED);
	json_decref(row);
}

static void test_values_as_web_pages_store_them(void **state)
{
	json_t *row = json_pack("{s:s, s:i, s:s, s:n, s:b, s:s, s:b}", "id_can_connect", "true",
				"id_can_rez", 1, "id_can_kick", "false", "id_can_rez_tmp",
				"id_can_adjust_locks", 0, "permissions_id", "anonymous",
				"id_can_do_nothing_known", 1);

	assert_int_equal(permissions_from_json(row), PERMISSION_CONNECT | PERMISSION_REZ);
	json_decref(row);
	assert_int_equal(permissions_from_json(NULL), 0);
}

static void test_names(void **state)
{
	json_t *names = permissions_names(PERMISSION_CONNECT | PERMISSION_KICK);

	assert_int_equal(json_array_size(names), 2);
	assert_string_equal(json_string_value(json_array_get(names, 0)), "connect");
	assert_string_equal(json_string_value(json_array_get(names, 1)), "kick");
	json_decref(names);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bits_of_the_protocol),
		cmocka_unit_test(test_row_round_trip),
		cmocka_unit_test(test_values_as_web_pages_store_them),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
