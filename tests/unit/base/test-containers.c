/* base/hashmap and base/list; base/siphash. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/hashmap.h"
#include "base/list.h"
#include "base/siphash.h"

/* Key 00 01 … 0f, data 00 01 … n − 1. The hashes are OpenSSL's SIPHASH with one compression and
 * three finalisation rounds. */
static void test_siphash(void **state)
{
	static const struct {
		size_t len;
		uint64_t hash;
	} rows[] = {
		{0, UINT64_C(0xabac0158050fc4dc)},
		{7, UINT64_C(0xd3927d989bb11140)},
		{8, UINT64_C(0x369095118d299a8e)},
		{15, UINT64_C(0xd320d86d2a519956)},
	};
	uint8_t key[16], data[16];

	for (uint8_t i = 0; i < 16; i++)
		key[i] = data[i] = i;
	for (size_t i = 0; i < ELEMENTSOF(rows); i++)
		assert_true(siphash13(data, rows[i].len, key) == rows[i].hash);
}

static void test_hashmap_finds_what_was_inserted(void **state)
{
	_cleanup_(hashmap_freep) struct hashmap *map = hashmap_new(2);
	int one, two;

	assert_null(hashmap_find(map, "ab"));
	assert_null(hashmap_remove(map, "ab"));
	assert_int_equal(hashmap_insert(map, "ab", &one), 0);
	assert_int_equal(hashmap_insert(map, "ab", &two), -EEXIST);
	assert_int_equal(hashmap_insert(map, "a", &two), 0);
	assert_ptr_equal(hashmap_find(map, "ab"), &one);
	assert_ptr_equal(hashmap_find(map, "a"), &two);
	assert_null(hashmap_find(map, "b"));
	assert_int_equal(hashmap_size(map), 2);
	assert_ptr_equal(hashmap_remove(map, "ab"), &one);
	assert_null(hashmap_find(map, "ab"));
	assert_int_equal(hashmap_size(map), 1);
}

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

#define MODEL_KEYS 700

/* Random insertions and removals, phases of growth and of shrinking, against a plain array. */
static void test_hashmap_against_a_model(void **state)
{
	_cleanup_(hashmap_freep) struct hashmap *map = hashmap_new(sizeof(uint32_t));
	static char values[MODEL_KEYS];
	bool present[MODEL_KEYS] = {false};
	uint32_t seed = 1;
	size_t size = 0;

	for (unsigned step = 0; step < 60000; step++) {
		uint32_t key = next_random(&seed) % MODEL_KEYS;
		bool growing = step / 5000 % 2 == 0;

		if (next_random(&seed) % 10 < (growing ? 7 : 3)) {
			assert_int_equal(hashmap_insert(map, &key, &values[key]),
					 present[key] ? -EEXIST : 0);
			size += !present[key];
			present[key] = true;
		} else {
			assert_ptr_equal(hashmap_remove(map, &key),
					 present[key] ? &values[key] : NULL);
			size -= present[key];
			present[key] = false;
		}
		assert_int_equal(hashmap_size(map), size);
		key = next_random(&seed) % MODEL_KEYS;
		assert_ptr_equal(hashmap_find(map, &key), present[key] ? &values[key] : NULL);
	}
}

static void test_hashmap_iteration_sees_each_entry_once_while_some_are_removed(void **state)
{
	_cleanup_(hashmap_freep) struct hashmap *map = hashmap_new(sizeof(uint16_t));
	struct item {
		uint16_t key;
		unsigned seen;
	} items[500] = {0}, *item;

	for (uint16_t i = 0; i < ELEMENTSOF(items); i++) {
		items[i].key = i;
		assert_int_equal(hashmap_insert(map, &items[i].key, &items[i]), 0);
	}
	hashmap_for_each (item, map) {
		item->seen++;
		if (item->key % 3 != 0)
			assert_ptr_equal(hashmap_remove(map, &item->key), item);
	}
	for (uint16_t i = 0; i < ELEMENTSOF(items); i++) {
		assert_int_equal(items[i].seen, 1);
		assert_ptr_equal(hashmap_find(map, &i), i % 3 == 0 ? &items[i] : NULL);
	}
	assert_int_equal(hashmap_size(map), 167);

	hashmap_for_each (item, map)
		(void) hashmap_remove(map, &item->key);
	assert_int_equal(hashmap_size(map), 0);
	hashmap_for_each (item, map)
		fail();
}

struct node {
	int number;
	struct list link;
};

static void assert_order(struct list *list, const char *digits)
{
	struct node *node;

	list_for_each (node, list, link)
		assert_int_equal(node->number, *digits++ - '0');
	assert_int_equal(*digits, 0);
}

static void test_list(void **state)
{
	struct node nodes[5], *node;
	struct list list;

	list_init(&list);
	assert_true(list_is_empty(&list));
	assert_null(LIST_FIRST(&list, struct node, link));
	for (int i = 0; i < 5; i++)
		nodes[i].number = i;
	list_append(&list, &nodes[1].link);
	list_append(&list, &nodes[2].link);
	list_prepend(&list, &nodes[0].link);
	list_append(&list, &nodes[4].link);
	list_append(&nodes[4].link, &nodes[3].link);
	assert_order(&list, "01234");
	assert_ptr_equal(LIST_FIRST(&list, struct node, link), &nodes[0]);

	list_for_each (node, &list, link)
		if (node->number % 2 == 0)
			list_remove(&node->link);
	assert_order(&list, "13");
	list_remove(&nodes[0].link);
	assert_order(&list, "13");
	list_remove(&nodes[1].link);
	list_remove(&nodes[3].link);
	assert_true(list_is_empty(&list));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_siphash),
		cmocka_unit_test(test_hashmap_finds_what_was_inserted),
		cmocka_unit_test(test_hashmap_against_a_model),
		cmocka_unit_test(
			test_hashmap_iteration_sees_each_entry_once_while_some_are_removed),
		cmocka_unit_test(test_list),
	};

	return cmocka_run_group_tests_name("containers", tests, NULL, NULL);
}
