/* Local ids and connection secrets: protocol 02 section 3. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "domain-server/local-ids.h"
#include "domain-server/pair-secrets.h"

static void test_ids_are_unique_and_never_zero(void **state)
{
	static bool seen[65536];
	struct local_ids ids;

	local_ids_init(&ids, 60000);
	assert_int_equal(local_ids_take(&ids), 60000);
	seen[60000] = true;
	for (unsigned i = 1; i < 65535; i++) {
		uint16_t id = local_ids_take(&ids);

		assert_int_not_equal(id, 0);
		assert_false(seen[id]);
		seen[id] = true;
	}
	/* All are in use now. */
	assert_int_equal(local_ids_take(&ids), 0);
	local_ids_give_back(&ids, 777);
	assert_int_equal(local_ids_take(&ids), 777);
}

static void test_freed_id_comes_back_last(void **state)
{
	struct local_ids ids;
	uint16_t first;

	local_ids_init(&ids, 0);
	first = local_ids_take(&ids);
	assert_int_equal(first, 1);
	local_ids_give_back(&ids, first);
	local_ids_give_back(&ids, 0);
	for (unsigned i = 0; i < 65534; i++)
		assert_int_not_equal(local_ids_take(&ids), first);
	assert_int_equal(local_ids_take(&ids), first);
}

static void test_secret_is_the_same_in_both_directions(void **state)
{
	struct uuid a = uuid_random(), b = uuid_random(), c = uuid_random();
	_cleanup_(pair_secrets_freep) struct pair_secrets *secrets = NULL, *others = NULL;
	struct uuid ab, ba, ac;

	assert_int_equal(pair_secrets_new(NULL, &secrets), 0);
	assert_int_equal(pair_secrets_new(NULL, &others), 0);
	ab = pair_secrets_get(secrets, &a, &b);
	ba = pair_secrets_get(secrets, &b, &a);
	ac = pair_secrets_get(secrets, &a, &c);
	assert_true(uuid_equal(&ab, &ba));
	assert_false(uuid_equal(&ab, &ac));
	ba = pair_secrets_get(others, &b, &a);
	assert_false(uuid_equal(&ab, &ba));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ids_are_unique_and_never_zero),
		cmocka_unit_test(test_freed_id_comes_back_last),
		cmocka_unit_test(test_secret_is_the_same_in_both_directions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
