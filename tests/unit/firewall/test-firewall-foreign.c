/* firewall/foreign: what other tables do to our ports, with rules of our own and with those of
 * real firewalls. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/macros.h"
#include "firewall/foreign.h"
#include "fixture.h"

static struct blocker blockers[FOREIGN_BLOCKERS_MAX];

/* The names of the ports that a blocker drops, in the order of the table. */
static const char *blocked(const struct blocker *blocker)
{
	static char text[512];

	text[0] = '\0';
	for (size_t i = 0; i < PORT_COUNT; i++)
		if (blocker->blocks[i]) {
			(void) strcat(text, text[0] ? " " : "");
			(void) strcat(text, port_get((enum port_id) i)->name);
		}
	return text;
}

/* One base chain with these further objects of its table "inet t", for a domain with an audio
 * mixer. Returns what it drops, or "" for nothing. */
static const char *drops(const char *base_chain, const char *objects)
{
	struct plan plan = plan_of("audio", NULL);
	_cleanup_free_ char *text = NULL;
	json_t *listing;
	int n;

	assert_true(asprintf(&text,
			     "[{'chain': {'family': 'inet', 'table': 't', 'name': 'in', 'type': "
			     "'filter', 'hook': 'input', 'prio': 0, %s}}, %s {'metainfo': {}}]",
			     base_chain, objects) > 0);
	listing = json_of(text);
	n = foreign_find_blockers(listing, &plan, blockers);
	assert_in_range(n, 0, 1);
	json_decref(listing);
	return n == 0 ? "" : blocked(&blockers[0]);
}

#define POLICY_DROP   "'policy': 'drop'"
#define POLICY_ACCEPT "'policy': 'accept'"
#define ALL           "domain signalling audio"

#define CHAIN_RULE(chain, expr) \
	"{'rule': {'family': 'inet', 'table': 't', 'chain': '" chain "', 'expr': [" expr "]}},"
#define RULE(expr) CHAIN_RULE("in", expr)
#define AND        ","
#define SET(name, elements) \
	"{'set': {'family': 'inet', 'table': 't', 'name': '" name "', 'elem': " elements "}},"
#define MATCH(op, left, right) "{'match': {'op': '" op "', 'left': " left ", 'right': " right "}}"
#define UDP                    "{'payload': {'protocol': 'udp', 'field': 'dport'}}"
#define TCP                    "{'payload': {'protocol': 'tcp', 'field': 'dport'}}"
#define ANY                    "{'payload': {'protocol': 'th', 'field': 'dport'}}"
#define SOURCE                 "{'payload': {'protocol': 'ip', 'field': 'saddr'}}"
#define L4PROTO                "{'meta': {'key': 'l4proto'}}"
#define INTERFACE              "{'meta': {'key': 'iifname'}}"
#define STATE                  "{'ct': {'key': 'state'}}"
#define FROM_LAN               MATCH("==", SOURCE, "{'prefix': {'addr': '10.0.0.0', 'len': 8}}")
#define ACCEPT                 "{'accept': null}"
#define DROP                   "{'drop': null}"
#define REJECT                 "{'reject': {'type': 'icmpx', 'expr': 'admin-prohibited'}}"
#define RETURN                 "{'return': null}"
#define JUMP(chain)            "{'jump': {'target': '" chain "'}}"
#define GOTO(chain)            "{'goto': {'target': '" chain "'}}"
#define COUNTER                "{'counter': {'packets': 0, 'bytes': 0}}"

static void test_policy(void **state)
{
	assert_string_equal(drops(POLICY_DROP, ""), ALL);
	assert_string_equal(drops(POLICY_ACCEPT, ""), "");
	assert_string_equal(drops(POLICY_ACCEPT, RULE(DROP)), ALL);
	assert_string_equal(drops(POLICY_ACCEPT, RULE(COUNTER AND REJECT)), ALL);
	assert_string_equal(drops(POLICY_DROP, RULE(ACCEPT)), "");
	assert_string_equal(drops(POLICY_DROP, RULE("{'log': null}" AND COUNTER AND ACCEPT)), "");
}

static void test_ports(void **state)
{
	assert_string_equal(drops(POLICY_DROP, RULE(MATCH("==", UDP, "40102") AND ACCEPT)),
			    "signalling audio");
	assert_string_equal(drops(POLICY_DROP, RULE(MATCH("==", TCP, "40102") AND ACCEPT)),
			    "domain audio");
	assert_string_equal(drops(POLICY_DROP, RULE(MATCH("==", ANY, "40102") AND ACCEPT)),
			    "audio");
	assert_string_equal(drops(POLICY_DROP,
				  RULE(MATCH("==", UDP, "{'set': [22, 40102, 48000]}") AND ACCEPT)),
			    "signalling");
	assert_string_equal(
		drops(POLICY_DROP, RULE(MATCH("==", UDP, "{'range': [48000, 48012]}") AND ACCEPT)),
		"domain signalling");
	assert_string_equal(
		drops(POLICY_DROP,
		      RULE(MATCH("==", UDP, "{'set': [{'range': [40000, 40102]}, 48000]}")
				   AND ACCEPT)),
		"signalling");
	assert_string_equal(drops(POLICY_DROP, RULE(MATCH("!=", UDP, "53") AND ACCEPT)),
			    "signalling");
	assert_string_equal(drops(POLICY_ACCEPT, RULE(MATCH("==", TCP, "40102") AND REJECT)),
			    "signalling");
	assert_string_equal(drops(POLICY_ACCEPT, RULE(MATCH("!=", TCP, "22") AND DROP)),
			    "signalling");
	assert_string_equal(drops(POLICY_DROP, RULE(MATCH("==", L4PROTO, "'udp'") AND ACCEPT)),
			    "signalling");
	assert_string_equal(
		drops(POLICY_DROP, RULE(MATCH("==", L4PROTO, "{'set': ['tcp', 17]}") AND ACCEPT)),
		"");
}

static void test_named_sets(void **state)
{
	assert_string_equal(drops(POLICY_DROP, SET("p", "[40102, 48000]")
						       RULE(MATCH("==", UDP, "'@p'") AND ACCEPT)),
			    "signalling");
	assert_string_equal(drops(POLICY_DROP,
				  SET("p", "[{'elem': {'val': 40102, 'comment': 'x'}}]")
					  RULE(MATCH("==", UDP, "'@p'") AND ACCEPT)),
			    "signalling audio");
	/* An empty one is listed without elements: nobody can say. */
	assert_string_equal(drops(POLICY_DROP, RULE(MATCH("==", UDP, "'@none'") AND ACCEPT)), ALL);
}

static void test_state(void **state)
{
	assert_string_equal(drops(POLICY_DROP, RULE(MATCH("in", STATE, "['established', 'related']")
							    AND ACCEPT)),
			    ALL);
	assert_string_equal(
		drops(POLICY_DROP, RULE(MATCH("in", STATE, "['new', 'invalid']")
						AND MATCH("==", ANY, "40102") AND ACCEPT)),
		"audio");
	assert_string_equal(drops(POLICY_ACCEPT, RULE(MATCH("==", STATE, "'invalid'") AND DROP)),
			    "");
	assert_string_equal(
		drops(POLICY_DROP, RULE("{'vmap': {'key': " STATE ", 'data': {'set': "
					"[['established', " ACCEPT "], ['new', " ACCEPT "]]}}}")),
		"");
}

/* A rule that depends on who comes lets a port in only when it names it, and never drops. */
static void test_rules_for_some(void **state)
{
	assert_string_equal(drops(POLICY_DROP, RULE(FROM_LAN AND ACCEPT)), ALL);
	assert_string_equal(
		drops(POLICY_DROP, RULE(FROM_LAN AND MATCH("==", UDP, "48000") AND ACCEPT)),
		"domain signalling");
	assert_string_equal(drops(POLICY_ACCEPT, RULE(FROM_LAN AND DROP)), "");
	assert_string_equal(drops(POLICY_DROP, RULE(MATCH("==", INTERFACE, "'lo'") AND ACCEPT)),
			    ALL);
	assert_string_equal(drops(POLICY_DROP, RULE(MATCH("==", INTERFACE, "'eth0'") AND ACCEPT)),
			    ALL);
	assert_string_equal(drops(POLICY_DROP, RULE(MATCH("!=", INTERFACE, "'lo'") AND ACCEPT)),
			    "");
	assert_string_equal(
		drops(POLICY_DROP,
		      RULE("{'xt': {'type': 'match', 'name': 'multiport'}}" AND ACCEPT)),
		ALL);
	assert_string_equal(
		drops(POLICY_DROP, RULE(MATCH("==", UDP, "48000") AND
					"{'limit': {'rate': 1, 'per': 'second'}}" AND ACCEPT)),
		"domain signalling");
	assert_string_equal(drops(POLICY_DROP, RULE(MATCH("<", UDP, "50000") AND ACCEPT)), ALL);
}

static void test_chains(void **state)
{
	assert_string_equal(drops(POLICY_DROP, RULE(JUMP("a")) CHAIN_RULE(
						       "a", MATCH("==", UDP, "48000") AND ACCEPT)),
			    "domain signalling");
	assert_string_equal(
		drops(POLICY_ACCEPT, RULE(JUMP("a")) CHAIN_RULE("a", RETURN) CHAIN_RULE("a", DROP)),
		"");
	/* What only some leave may still drop the others, but not surely. */
	assert_string_equal(drops(POLICY_ACCEPT,
				  RULE(JUMP("a")) CHAIN_RULE("a", FROM_LAN AND RETURN)
					  CHAIN_RULE("a", DROP)),
			    "");
	assert_string_equal(drops(POLICY_DROP,
				  RULE(JUMP("a")) CHAIN_RULE("a", FROM_LAN AND RETURN)
					  CHAIN_RULE("a", MATCH("==", UDP, "48000") AND ACCEPT)),
			    "domain signalling");
	assert_string_equal(drops(POLICY_ACCEPT, RULE(MATCH("==", UDP, "48000") AND JUMP("a"))
							 CHAIN_RULE("a", DROP)),
			    "audio");
	assert_string_equal(drops(POLICY_DROP, RULE(MATCH("==", UDP, "48000") AND JUMP("a"))
						       CHAIN_RULE("a", FROM_LAN AND ACCEPT)),
			    "domain signalling");
	/* After a goto nothing comes back to where it stood. */
	assert_string_equal(
		drops(POLICY_ACCEPT, RULE(GOTO("a")) RULE(DROP) CHAIN_RULE("a", COUNTER)), "");
	assert_string_equal(drops(POLICY_DROP, RULE(JUMP("a")) RULE(ACCEPT) CHAIN_RULE(
						       "a", GOTO("b")) CHAIN_RULE("a", DROP)),
			    "");
	/* On some interface everything passes, on others it ends here. */
	assert_string_equal(drops(POLICY_ACCEPT,
				  RULE(MATCH("==", INTERFACE, "'eth1'") AND GOTO("trusted"))
					  RULE(JUMP("zones")) RULE(REJECT)
						  CHAIN_RULE("trusted", ACCEPT)),
			    "");
	assert_string_equal(drops(POLICY_ACCEPT, RULE(JUMP("zones")) RULE(REJECT) CHAIN_RULE(
							 "zones", MATCH("==", INTERFACE, "'eth1'")
									  AND GOTO("trusted"))
							 CHAIN_RULE("trusted", ACCEPT)),
			    ALL);
}

static void test_maps(void **state)
{
	assert_string_equal(drops(POLICY_DROP,
				  RULE("{'vmap': {'key': " UDP ", 'data': {'set': [[48000, " ACCEPT
				       "], [40102, " JUMP("a") "]]}}}")
					  CHAIN_RULE("a", FROM_LAN AND ACCEPT)),
			    "signalling");
	assert_string_equal(drops(POLICY_ACCEPT, RULE("{'vmap': {'key': " TCP
						      ", 'data': {'set': [[40102, " DROP "]]}}}")),
			    "signalling");
	assert_string_equal(
		drops(POLICY_DROP,
		      RULE("{'vmap': {'key': " INTERFACE ", 'data': {'set': [['lo', " ACCEPT
			   "], ['eth0', " JUMP("a") "]]}}}")
			      CHAIN_RULE("a", MATCH("==", UDP, "48000") AND ACCEPT)),
		"domain signalling");
	assert_string_equal(drops(POLICY_ACCEPT, RULE(JUMP("a")) CHAIN_RULE(
							 "a", "{'vmap': {'key': " INTERFACE
							      ", 'data': {'set': [['eth0', " RETURN
							      "]]}}}") CHAIN_RULE("a", DROP)),
			    "");
}

static void test_endless_jumps_end(void **state)
{
	assert_string_equal(drops(POLICY_DROP, RULE(JUMP("in")) RULE(JUMP("in")) RULE(JUMP("in"))),
			    "");
	assert_string_equal(drops(POLICY_DROP, RULE(JUMP("a")) CHAIN_RULE("a", JUMP("a"))), ALL);
}

static int count_in(const char *chains)
{
	struct plan plan = plan_of("default", NULL);
	json_t *listing = json_of(chains);
	int n = foreign_find_blockers(listing, &plan, blockers);

	json_decref(listing);
	return n;
}

static void test_which_chains_count(void **state)
{
#define BASE(table, type, hook)                                                         \
	"[{'chain': {'family': 'ip', 'table': '" table "', 'name': 'c', 'type': '" type \
	"', 'hook': '" hook "', 'prio': 0, 'policy': 'drop'}}]"
	assert_int_equal(count_in(BASE("t", "filter", "input")), 1);
	assert_int_equal(count_in(BASE("t", "filter", "prerouting")), 1);
	assert_int_equal(count_in(BASE("t", "filter", "ingress")), 1);
	assert_int_equal(count_in(BASE("t", "filter", "forward")), 0);
	assert_int_equal(count_in(BASE("t", "filter", "output")), 0);
	assert_int_equal(count_in(BASE("t", "nat", "prerouting")), 0);
	assert_int_equal(count_in(BASE("hifi", "filter", "input")), 0);
	assert_int_equal(count_in(BASE("hifi-1000", "filter", "input")), 0);
	assert_int_equal(count_in(BASE("hifive", "filter", "input")), 1);
	assert_int_equal(count_in("[{'chain': {'family': 'ip', 'table': 't', 'name': 'c'}}]"), 0);
}

static void test_many_chains(void **state)
{
	struct plan plan = plan_of("default", NULL);
	json_t *listing = json_array(), *chain = json_of(BASE("t", "filter", "input"));

	for (size_t i = 0; i < FOREIGN_BLOCKERS_MAX + 5; i++)
		assert_int_equal(json_array_extend(listing, chain), 0);
	assert_int_equal(foreign_find_blockers(listing, &plan, blockers), FOREIGN_BLOCKERS_MAX);
	json_decref(chain);
	json_decref(listing);
}

/* Real listings; default hats. */
#define DEFAULT_PORTS "domain signalling audio avatar messages entity"

static void test_real_firewalls(void **state)
{
	static const struct {
		const char *listing;
		int n;
		enum foreign_manager manager;
	} cases[] = {
		{"ufw-closed", 2, FOREIGN_UFW},
		{"ufw-open", 0, 0},
		{"firewalld-closed", 1, FOREIGN_FIREWALLD},
		{"firewalld-open", 0, 0},
		{"iptables-closed", 1, FOREIGN_IPTABLES},
	};
	struct plan plan = plan_of("default", NULL);

	for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
		json_t *listing = listing_of(cases[i].listing);
		int n = foreign_find_blockers(listing, &plan, blockers);

		assert_int_equal(n, cases[i].n);
		for (int j = 0; j < n; j++) {
			assert_int_equal(blockers[j].manager, cases[i].manager);
			assert_string_equal(blocked(&blockers[j]), DEFAULT_PORTS);
		}
		json_decref(listing);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_policy),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_named_sets),
		cmocka_unit_test(test_state),
		cmocka_unit_test(test_rules_for_some),
		cmocka_unit_test(test_chains),
		cmocka_unit_test(test_maps),
		cmocka_unit_test(test_endless_jumps_end),
		cmocka_unit_test(test_which_chains_count),
		cmocka_unit_test(test_many_chains),
		cmocka_unit_test(test_real_firewalls),
	};

	return cmocka_run_group_tests_name("firewall-foreign", tests, NULL, NULL);
}
