/* base/ports: the table of docs/architecture.md section 2, word for word where it matters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/macros.h"
#include "base/ports.h"

static const struct {
	const char *name;
	unsigned number;
	enum port_transport transport;
	const char *process;
	enum port_reach reach;
} expected[] = {
	{"http", 40100, PORT_TCP, "domain-server", PORT_REACH_HOST},
	{"https", 40101, PORT_TCP, "domain-server", PORT_REACH_NOBODY},
	{"domain", 40102, PORT_UDP, "domain-server", PORT_REACH_EVERYONE},
	{"signalling", 40102, PORT_TCP, "domain-server", PORT_REACH_EVERYONE},
	{"audio", 48000, PORT_UDP, "assignment-client@audio", PORT_REACH_EVERYONE},
	{"avatar", 48001, PORT_UDP, "assignment-client@avatar", PORT_REACH_EVERYONE},
	{"agent", 48002, PORT_UDP, "assignment-client@agent", PORT_REACH_EVERYONE},
	{"asset", 48003, PORT_UDP, "assignment-client@asset", PORT_REACH_EVERYONE},
	{"messages", 48004, PORT_UDP, "assignment-client@messages", PORT_REACH_EVERYONE},
	{"entity-script", 48005, PORT_UDP, "assignment-client@entity-script", PORT_REACH_EVERYONE},
	{"entity", 48006, PORT_UDP, "assignment-client@entity", PORT_REACH_EVERYONE},
	{"voxel", 48010, PORT_UDP, "assignment-client@voxel", PORT_REACH_EVERYONE},
	{"particle", 48011, PORT_UDP, "assignment-client@particle", PORT_REACH_EVERYONE},
	{"metavoxel", 48012, PORT_UDP, "assignment-client@metavoxel", PORT_REACH_EVERYONE},
	{"metrics", 9703, PORT_TCP, "domain-server", PORT_REACH_HOST},
};

static void test_instances(void **state)
{
	static const char *const unknown[] = {"avatar-", "avatar-1", "avatar-0", "avatar-22",
					      "avatar2", "-2",       "2-",       "no-2"};
	unsigned number;

	assert_ptr_equal(hat_find_by_instance("avatar", &number), hat_find(HAT_AVATAR));
	assert_int_equal(number, 1);
	assert_ptr_equal(hat_find_by_instance("avatar-2", &number), hat_find(HAT_AVATAR));
	assert_int_equal(number, 2);
	assert_ptr_equal(hat_find_by_instance("entity-script-9", &number),
			 hat_find(HAT_ENTITY_SCRIPT));
	assert_int_equal(number, 9);
	for (size_t i = 0; i < ELEMENTSOF(unknown); i++)
		assert_null(hat_find_by_instance(unknown[i], &number));
}

static void test_table(void **state)
{
	assert_int_equal(PORT_COUNT, ELEMENTSOF(expected));
	for (unsigned i = 0; i < PORT_COUNT; i++) {
		const struct port *port = port_get(i);

		assert_ptr_equal(port, port_find(expected[i].name));
		assert_string_equal(port->name, expected[i].name);
		assert_int_equal(port->number, expected[i].number);
		assert_int_equal(port->transport, expected[i].transport);
		assert_string_equal(port->process, expected[i].process);
		assert_int_equal(port->reach, expected[i].reach);
	}
	assert_null(port_find("telnet"));
	assert_string_equal(port_find("voxel")->condition, "only while enabled");
}

static void test_hats_and_ports_agree(void **state)
{
	for (unsigned i = 0; i < HAT_COUNT; i++) {
		const struct hat_info *hat = hat_find(i);

		assert_int_equal(port_of_hat(hat->hat)->number, hat->port);
		assert_string_equal(port_of_hat(hat->hat)->name, hat->name);
	}
}

static void test_no_port_is_given_away_twice(void **state)
{
	for (unsigned i = 0; i < PORT_COUNT; i++)
		for (unsigned j = 0; j < i; j++)
			assert_false(port_get(i)->number == port_get(j)->number &&
				     port_get(i)->transport == port_get(j)->transport);
}

static void test_shift(void **state)
{
	assert_int_equal(ports_shift(100), 0);
	assert_int_equal(port_get(PORT_DOMAIN)->number, 40202);
	assert_int_equal(port_get(PORT_METRICS)->number, 9803);
	assert_int_equal(ports_shift(17523), 0);
	assert_int_equal(port_get(PORT_METAVOXEL)->number, 65535);
	assert_int_equal(ports_shift(17524), -ERANGE);
	assert_int_equal(ports_shift(UINT32_MAX), -ERANGE);
	assert_int_equal(port_get(PORT_METAVOXEL)->number, 65535);
	assert_int_equal(ports_shift(0), 0);
	assert_int_equal(port_get(PORT_DOMAIN)->number, 40102);
}

static void test_json(void **state)
{
	json_t *list = ports_json(), *https;

	assert_int_equal(json_array_size(list), PORT_COUNT);
	https = json_pack("{s:s, s:i, s:s, s:s, s:s, s:s, s:s}", "name", "https", "port", 40101,
			  "transport", "tcp", "process", "domain-server", "purpose",
			  "control panel and REST, HTTPS", "reachable_from", "nobody", "condition",
			  "off until a certificate is configured");
	assert_true(json_equal(json_array_get(list, PORT_HTTPS), https));
	assert_true(json_is_null(json_object_get(json_array_get(list, PORT_HTTP), "condition")));
	json_decref(https);
	json_decref(list);
}

static void test_text(void **state)
{
	static const char first[] =
		"PORT  PROTO PROCESS                         REACHABLE FROM FOR\n"
		"40100 tcp   domain-server                   this host only control panel and "
		"REST, HTTP\n";
	_cleanup_free_ char *text = NULL;
	size_t size, lines = 0;
	FILE *f = open_memstream(&text, &size);

	ports_print(f);
	(void) fclose(f);
	assert_memory_equal(text, first, strlen(first));
	for (const char *p = text; (p = strchr(p, '\n')); p++)
		lines++;
	assert_int_equal(lines, PORT_COUNT + 1);
	assert_non_null(strstr(text, "clients of the voxel server; only while enabled\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_instances),
		cmocka_unit_test(test_hats_and_ports_agree),
		cmocka_unit_test(test_no_port_is_given_away_twice),
		cmocka_unit_test(test_shift),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_text),
	};

	return cmocka_run_group_tests_name("ports", tests, NULL, NULL);
}
