/* The node list: every node is found by each of its names, and by none that it lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "node/node-list.h"

static struct uuid uuid_of(unsigned n)
{
	struct uuid u = {{0xaa}};

	memcpy(u.b + 8, &n, sizeof(n));
	return u;
}

static struct node *add(struct node_list *list, unsigned n, char type)
{
	struct uuid u = uuid_of(n);
	struct node *node;

	assert_int_equal(node_list_add(list, &u, (uint16_t) n, type, 1, &node), 0);
	return node;
}

static struct hifi_addr udp(uint16_t port)
{
	return hifi_addr_from_ipv4(SOCKET_TYPE_UDP, 0x0a000001, port);
}

static void test_found_by_every_name(void **state)
{
	_cleanup_(node_list_freep) struct node_list *list = NULL;
	struct uuid u = uuid_of(7);
	struct hifi_addr a = udp(1), b = udp(2), c = udp(3);
	struct node *node;

	assert_int_equal(node_list_new(&list), 0);
	node = add(list, 7, 'I');
	node_list_set_addresses(list, node, &a, &b);
	node_list_activate(list, node, &c);

	assert_ptr_equal(node_list_find(list, &u), node);
	assert_ptr_equal(node_list_find_by_id(list, 7), node);
	assert_ptr_equal(node_list_find_by_addr(list, &a), node);
	assert_ptr_equal(node_list_find_by_addr(list, &b), node);
	assert_ptr_equal(node_list_find_by_addr(list, &c), node);

	node_list_activate(list, node, NULL);
	assert_null(node_list_find_by_addr(list, &c));
	assert_int_equal(node_list_set_local_id(list, node, 9), 0);
	assert_null(node_list_find_by_id(list, 7));
	assert_ptr_equal(node_list_find_by_id(list, 9), node);

	node_list_remove(list, node);
	assert_null(node_list_find(list, &u));
	assert_null(node_list_find_by_id(list, 9));
	assert_null(node_list_find_by_addr(list, &a));
	assert_int_equal(node_list_size(list), 0);
}

static void test_unknown_address_is_nobodys(void **state)
{
	_cleanup_(node_list_freep) struct node_list *list = NULL;
	struct hifi_addr any = hifi_addr_from_ipv4(SOCKET_TYPE_UDP, 0, 40102), a = udp(1);
	struct node *node;

	assert_int_equal(node_list_new(&list), 0);
	node = add(list, 1, 'M');
	node_list_set_addresses(list, node, &any, &a);
	assert_null(node_list_find_by_addr(list, &any));
	assert_ptr_equal(node_list_find_by_addr(list, &a), node);
}

static void test_web_channel_is_found_by_label(void **state)
{
	_cleanup_(node_list_freep) struct node_list *list = NULL;
	struct hifi_addr label = hifi_addr_from_ipv4(SOCKET_TYPE_WEBRTC, 0x01020304, 5678);
	struct hifi_addr channel = label, native = label;
	struct node *node;

	channel.channel = 77;
	native.type = SOCKET_TYPE_UDP;
	assert_int_equal(node_list_new(&list), 0);
	node = add(list, 1, 'I');
	node_list_set_addresses(list, node, &label, &label);
	assert_ptr_equal(node_list_find_by_addr(list, &channel), node);
	assert_null(node_list_find_by_addr(list, &native));
}

static void test_younger_of_two_at_one_address(void **state)
{
	_cleanup_(node_list_freep) struct node_list *list = NULL;
	struct hifi_addr a = udp(1);
	struct node *old, *young;

	assert_int_equal(node_list_new(&list), 0);
	old = add(list, 1, 'I');
	node_list_set_addresses(list, old, &a, &a);
	young = add(list, 2, 'I');
	node_list_set_addresses(list, young, &a, &a);
	assert_ptr_equal(node_list_find_by_addr(list, &a), young);
	node_list_remove(list, old);
	assert_ptr_equal(node_list_find_by_addr(list, &a), young);
}

static void test_taken_names_are_refused(void **state)
{
	_cleanup_(node_list_freep) struct node_list *list = NULL;
	struct uuid u = uuid_of(1), other = uuid_of(2);
	struct node *node, *second;

	assert_int_equal(node_list_new(&list), 0);
	node = add(list, 1, 'I');
	assert_int_equal(node_list_add(list, &u, 2, 'I', 1, &second), -EEXIST);
	assert_int_equal(node_list_add(list, &other, 1, 'I', 1, &second), -EEXIST);
	assert_null(node_list_find(list, &other));
	second = add(list, 3, 'I');
	assert_int_equal(node_list_set_local_id(list, second, 1), -EEXIST);
	assert_ptr_equal(node_list_find_by_id(list, 1), node);
	assert_ptr_equal(node_list_find_by_id(list, 3), second);
}

static void count_killed(void *userdata, struct node *node)
{
	assert_non_null(node);
	++*(unsigned *) userdata;
}

static void test_thousands_of_nodes(void **state)
{
	_cleanup_(node_list_freep) struct node_list *list = NULL;
	unsigned killed = 0, seen = 0;

	assert_int_equal(node_list_new(&list), 0);
	node_list_on_killed(list, count_killed, &killed);
	for (unsigned i = 1; i <= 5000; i++) {
		struct node *node = add(list, i, i % 5 ? 'I' : 'S');
		struct hifi_addr a = udp((uint16_t) i);

		node_list_set_addresses(list, node, &a, &a);
	}
	assert_int_equal(node_list_count(list, 'I'), 4000);
	node_list_for_each (list, node) {
		seen++;
		if (node->type == 'S')
			node_list_remove(list, node);
	}
	assert_int_equal(seen, 5000);
	assert_int_equal(killed, 1000);
	for (unsigned i = 1; i <= 5000; i++) {
		struct hifi_addr a = udp((uint16_t) i);

		assert_int_equal(node_list_find_by_addr(list, &a) != NULL, i % 5 != 0);
	}
	node_list_clear(list);
	assert_int_equal(killed, 5000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_found_by_every_name),
		cmocka_unit_test(test_unknown_address_is_nobodys),
		cmocka_unit_test(test_web_channel_is_found_by_label),
		cmocka_unit_test(test_younger_of_two_at_one_address),
		cmocka_unit_test(test_taken_names_are_refused),
		cmocka_unit_test(test_thousands_of_nodes),
	};

	return cmocka_run_group_tests_name("node-list", tests, NULL, NULL);
}
