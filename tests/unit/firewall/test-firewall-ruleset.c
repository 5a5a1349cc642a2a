/* firewall/ruleset: the JSON commands, port by port and option by option. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/macros.h"
#include "firewall/ruleset.h"
#include "fixture.h"

/* The object that the i-th command is about, and what it does. */
static const json_t *object_at(const json_t *commands, size_t i, const char **ret_verb,
			       const char **ret_kind)
{
	const json_t *list = json_object_get(commands, "nftables");
	json_t *verb = json_array_get(list, i), *kind;

	*ret_verb = json_object_iter_key(json_object_iter(verb));
	kind = json_object_iter_value(json_object_iter(verb));
	*ret_kind = json_object_iter_key(json_object_iter(kind));
	return json_object_iter_value(json_object_iter(kind));
}

static size_t n_commands(const json_t *commands)
{
	return json_array_size(json_object_get(commands, "nftables"));
}

/* What is added, by kind and name. */
static const json_t *added(const json_t *commands, const char *wanted_kind, const char *name)
{
	const char *verb, *kind;

	for (size_t i = 0; i < n_commands(commands); i++) {
		const json_t *object = object_at(commands, i, &verb, &kind);
		const char *text = json_string_value(json_object_get(object, "name"));

		if (strcmp(kind, wanted_kind) == 0 && text && strcmp(text, name) == 0)
			return object;
	}
	return NULL;
}

/* The rules of a chain, a new array of their expressions. */
static json_t *rules_of(const json_t *commands, const char *chain)
{
	json_t *rules = json_array();
	const char *verb, *kind;

	for (size_t i = 0; i < n_commands(commands); i++) {
		const json_t *object = object_at(commands, i, &verb, &kind);

		if (strcmp(kind, "rule") == 0 &&
		    strcmp(json_string_value(json_object_get(object, "chain")), chain) == 0)
			assert_int_equal(json_array_append(rules, json_object_get(object, "expr")),
					 0);
	}
	return rules;
}

static void assert_rules(const json_t *commands, const char *chain, const char *expected)
{
	json_t *rules = rules_of(commands, chain);

	assert_json_equal(rules, expected);
	json_decref(rules);
}

#define LOOPBACK(name)                                                               \
	"[{'match': {'op': '==', 'left': {'meta': {'key': 'iif'}}, 'right': 'lo'}}," \
	"{'counter': '" name "'}, {'accept': null}],"
#define ANSWERED(name)                                              \
	"[{'match': {'op': 'in', 'left': {'ct': {'key': 'state'}}," \
	"'right': ['established', 'related', 'untracked']}},"       \
	"{'counter': '" name "'}, {'accept': null}],"
#define ANSWERS                                                                             \
	"[{'match': {'op': '==', 'left': {'ct': {'key': 'direction'}}, 'right': 'reply'}}," \
	"{'accept': null}],"
#define ADMIN(name, protocol, set)                                            \
	"[{'match': {'op': '==', 'left': {'payload': {'protocol': '" protocol \
	"', 'field': 'saddr'}}, 'right': '@" set "'}}, {'counter': '" name    \
	"'}, {'accept': null}],"
#define LIMIT(name, source, set, rate, burst, timeout)                                       \
	"[{'set': {'op': 'update', 'elem': {'elem': {'val': " source ", 'timeout': " timeout \
	"}}, 'set': '@" set "', 'stmt':"                                                     \
	"[{'limit': {'rate': " rate ", 'burst': " burst ", 'per': 'second'}}]}},"            \
	"{'counter': '" name "'}, {'accept': null}],"                                        \
	"[{'match': {'op': '!=', 'left': " source ", 'right': '@" set "'}},"                 \
	"{'limit': {'rate': 1000, 'burst': 1000, 'per': 'second'}},"                         \
	"{'counter': '" name "'}, {'accept': null}],"
#define IPV4_SOURCE "{'payload': {'protocol': 'ip', 'field': 'saddr'}}"
#define IPV6_SOURCE \
	"{'&': [{'payload': {'protocol': 'ip6', 'field': 'saddr'}}, 'ffff:ffff:ffff:ffff::']}"
#define DROP(counter) "[{'counter': '" counter "'}, {'drop': null}]"

#define OPEN_WITH(name, rate, burst, timeout)                                      \
	"[" ANSWERED(name) LOOPBACK(name)                                          \
		LIMIT(name, IPV4_SOURCE, "sources4", rate, burst, timeout)         \
			LIMIT(name, IPV6_SOURCE, "sources6", rate, burst, timeout) \
				DROP(name "-limited") "]"
#define OPEN(name) OPEN_WITH(name, "50", "500", "20")
#define RESTRICTED(name)                                                                    \
	"[" ANSWERS LOOPBACK(name) ADMIN(name, "ip", "admin4") ADMIN(name, "ip6", "admin6") \
		DROP(name "-refused") "]"
#define CLOSED(name) "[" ANSWERS LOOPBACK(name) DROP(name "-refused") "]"

static void test_each_port(void **state)
{
	struct plan plan = plan_of("default", NULL);
	json_t *commands = ruleset_start(&plan, NULL);

	assert_rules(commands, "domain", OPEN("domain"));
	assert_rules(commands, "signalling", OPEN("signalling"));
	assert_rules(commands, "audio", OPEN("audio"));
	assert_rules(commands, "avatar", OPEN("avatar"));
	assert_rules(commands, "messages", OPEN("messages"));
	assert_rules(commands, "entity", OPEN("entity"));
	assert_rules(commands, "http", RESTRICTED("http"));
	assert_rules(commands, "https", RESTRICTED("https"));
	assert_rules(commands, "metrics", RESTRICTED("metrics"));
	assert_rules(commands, "agent", CLOSED("agent"));
	assert_rules(commands, "asset", CLOSED("asset"));
	assert_rules(commands, "entity-script", CLOSED("entity-script"));
	assert_rules(commands, "voxel", CLOSED("voxel"));
	assert_rules(commands, "particle", CLOSED("particle"));
	assert_rules(commands, "metavoxel", CLOSED("metavoxel"));
	json_decref(commands);

	plan = plan_of("asset", NULL);
	commands = ruleset_start(&plan, NULL);
	assert_rules(commands, "asset", OPEN("asset"));
	assert_rules(commands, "audio", CLOSED("audio"));
	json_decref(commands);
}

static void test_limits(void **state)
{
	struct plan plan = plan_of("audio", "{ \"firewall\": { \"new_flows_per_second\": 3, "
					    "\"new_flows_burst\": 100 } }");
	json_t *commands = ruleset_start(&plan, NULL);

	/* 100 flows at 3 a second need 34 s. */
	assert_rules(commands, "audio", OPEN_WITH("audio", "3", "100", "43"));
	assert_json_equal(added(commands, "set", "sources4"),
			  "{'family': 'inet', 'table': 'hifi', 'name': 'sources4', 'type': "
			  "'ipv4_addr', 'size': 65536, 'flags': ['timeout']}");
	assert_json_equal(added(commands, "set", "sources6"),
			  "{'family': 'inet', 'table': 'hifi', 'name': 'sources6', 'type': "
			  "'ipv6_addr', 'size': 65536, 'flags': ['timeout']}");
	json_decref(commands);

	plan = plan_of("audio", "{ \"firewall\": { \"new_flows_per_second\": 0 } }");
	commands = ruleset_start(&plan, NULL);
	assert_rules(commands, "audio",
		     "[" ANSWERED("audio") LOOPBACK("audio") "[{'counter': 'audio'}, {'accept': "
							     "null}]]");
	assert_null(added(commands, "set", "sources4"));
	assert_non_null(added(commands, "counter", "audio-limited"));
	json_decref(commands);
}

static void test_subnets(void **state)
{
	struct plan plan = plan_of("", "{ \"firewall\": { \"admin_subnets\": [\"10.1.2.3/8\", "
				       "\"fd00::/8\", \"192.0.2.1\"] } }");
	json_t *commands = ruleset_start(&plan, NULL);

	assert_json_equal(added(commands, "set", "admin4"),
			  "{'family': 'inet', 'table': 'hifi', 'name': 'admin4', 'type': "
			  "'ipv4_addr', 'flags': ['interval']}");
	assert_json_equal(added(commands, "element", "admin4"),
			  "{'family': 'inet', 'table': 'hifi', 'name': 'admin4', 'elem': "
			  "[{'prefix': {'addr': '10.0.0.0', 'len': 8}}, {'prefix': {'addr': "
			  "'192.0.2.1', 'len': 32}}]}");
	assert_json_equal(added(commands, "element", "admin6"),
			  "{'family': 'inet', 'table': 'hifi', 'name': 'admin6', 'elem': "
			  "[{'prefix': {'addr': 'fd00::', 'len': 8}}]}");
	json_decref(commands);

	/* An empty list is not JSON that libnftables takes. */
	plan = plan_of("", NULL);
	commands = ruleset_start(&plan, NULL);
	assert_non_null(added(commands, "set", "admin4"));
	assert_null(added(commands, "element", "admin4"));
	json_decref(commands);
}

static void test_dispatch(void **state)
{
	static const struct {
		const char *transport, *name;
		int number;
	} expected[] = {
		{"tcp", "http", 80},        {"tcp", "https", 40101},
		{"udp", "domain", 50000},   {"tcp", "signalling", 40102},
		{"udp", "audio", 48000},    {"udp", "avatar", 48001},
		{"udp", "agent", 48002},    {"udp", "asset", 48003},
		{"udp", "messages", 48004}, {"udp", "entity-script", 48005},
		{"udp", "entity", 48006},   {"udp", "voxel", 48010},
		{"udp", "particle", 48011}, {"udp", "metavoxel", 48012},
		{"tcp", "metrics", 9703},
	};
	struct plan plan =
		plan_of("default", "{ \"metaverse\": { \"local_port\": 50000 }, \"http\": { "
				   "\"port\": 80 } }");
	json_t *commands = ruleset_start(&plan, NULL), *rules = rules_of(commands, "input");

	assert_json_equal(added(commands, "chain", "input"),
			  "{'family': 'inet', 'table': 'hifi', 'name': 'input', 'type': 'filter', "
			  "'hook': 'input', 'prio': -10, 'policy': 'accept'}");
	assert_int_equal(json_array_size(rules), ELEMENTSOF(expected));
	for (size_t i = 0; i < ELEMENTSOF(expected); i++) {
		char text[256];

		(void) snprintf(text, sizeof(text),
				"[{'match': {'op': '==', 'left': {'payload': {'protocol': '%s', "
				"'field': 'dport'}}, 'right': %d}}, {'goto': {'target': '%s'}}]",
				expected[i].transport, expected[i].number, expected[i].name);
		assert_json_equal(json_array_get(rules, i), text);
	}
	json_decref(rules);
	json_decref(commands);
}

/* Nothing of a transaction is about any table but ours. */
static void assert_only_table(const json_t *commands, const char *table)
{
	const char *verb, *kind;

	for (size_t i = 0; i < n_commands(commands); i++) {
		const json_t *object = object_at(commands, i, &verb, &kind);
		const char *member = strcmp(kind, "table") == 0 ? "name" : "table";

		assert_string_equal(json_string_value(json_object_get(object, "family")), "inet");
		assert_string_equal(json_string_value(json_object_get(object, member)), table);
		assert_true(strcmp(verb, "add") == 0 || strcmp(verb, "flush") == 0 ||
			    strcmp(verb, "delete") == 0);
	}
}

static void test_transactions(void **state)
{
	struct plan plan = plan_of("default", NULL);
	json_t *commands = ruleset_start(&plan, NULL);
	const char *verb, *kind;

	assert_only_table(commands, "hifi");
	/* Kept, with its base chain, so that no packet gets between. */
	for (size_t i = 0; i < n_commands(commands); i++) {
		(void) object_at(commands, i, &verb, &kind);
		assert_string_not_equal(verb, "delete");
	}
	(void) object_at(commands, 1, &verb, &kind);
	assert_string_equal(verb, "flush");
	assert_string_equal(kind, "table");
	json_decref(commands);

	plan.port_base = 1000;
	commands = ruleset_start(&plan, NULL);
	assert_only_table(commands, "hifi-1000");
	json_decref(commands);

	commands = ruleset_stop(0);
	assert_json_equal(commands,
			  "{'nftables': [{'add': {'table': {'family': 'inet', 'name': 'hifi'}}},"
			  "{'delete': {'table': {'family': 'inet', 'name': 'hifi'}}}]}");
	json_decref(commands);
	commands = ruleset_stop(7);
	assert_only_table(commands, "hifi-7");
	json_decref(commands);
}

/* A set that is there is emptied, and not added again. */
static void test_sets_that_are_there(void **state)
{
	struct plan plan = plan_of("default", NULL);
	json_t *listing = json_of("[{'set': {'name': 'sources4'}}, {'set': {'name': 'admin6'}}]");
	json_t *commands = ruleset_start(&plan, listing);
	_cleanup_free_ char *text = json_dumps(commands, JSON_COMPACT);
	const char *verb, *kind;
	size_t added_sets = 0, flushed = 0;

	for (size_t i = 0; i < n_commands(commands); i++) {
		(void) object_at(commands, i, &verb, &kind);
		if (strcmp(kind, "set") != 0)
			continue;
		added_sets += strcmp(verb, "add") == 0;
		flushed += strcmp(verb, "flush") == 0;
	}
	assert_int_equal(added_sets, 2);
	assert_int_equal(flushed, 4);
	assert_non_null(strstr(text, "{\"flush\":{\"set\":{\"name\":\"sources4\""));
	json_decref(commands);
	json_decref(listing);
}

/* Without numbers: those that are there go on. */
static void test_counters(void **state)
{
	struct plan plan = plan_of("default", NULL);
	json_t *commands = ruleset_start(&plan, NULL);

	for (size_t i = 0; i < PORT_COUNT; i++) {
		static const char *const suffixes[] = {"", "-limited", "-refused"};

		for (size_t j = 0; j < ELEMENTSOF(suffixes); j++) {
			char name[RULESET_NAME_MAX];

			(void) snprintf(name, sizeof(name), "%s%s", plan.ports[i].port->name,
					suffixes[j]);
			assert_int_equal(json_object_size(added(commands, "counter", name)), 3);
		}
	}
	json_decref(commands);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_port),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_subnets),
		cmocka_unit_test(test_dispatch),
		cmocka_unit_test(test_transactions),
		cmocka_unit_test(test_counters),
		cmocka_unit_test(test_sets_that_are_there),
	};

	return cmocka_run_group_tests_name("firewall-ruleset", tests, NULL, NULL);
}
