/* firewall/plan and firewall/subnet: who may reach which port. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/macros.h"
#include "fixture.h"

/* The names of the ports with this access, in the order of the table. */
static const char *names(const struct plan *plan, enum access access)
{
	static char text[512];

	text[0] = '\0';
	for (size_t i = 0; i < PORT_COUNT; i++)
		if (plan->ports[i].access == access) {
			(void) strcat(text, text[0] ? " " : "");
			(void) strcat(text, plan->ports[i].port->name);
		}
	return text;
}

static void test_default_hats(void **state)
{
	struct plan plan = plan_of("default", NULL);

	assert_string_equal(names(&plan, ACCESS_EVERYONE),
			    "domain signalling audio avatar messages entity");
	assert_string_equal(names(&plan, ACCESS_ADMIN), "http https metrics");
	assert_string_equal(names(&plan, ACCESS_CLOSED),
			    "agent asset entity-script voxel particle metavoxel");
}

static void test_named_hats(void **state)
{
	struct plan plan = plan_of("", NULL);

	assert_string_equal(names(&plan, ACCESS_EVERYONE), "domain signalling");
	plan = plan_of("asset,audio-mixer voxel", NULL);
	assert_string_equal(names(&plan, ACCESS_EVERYONE), "domain signalling audio asset voxel");
	plan = plan_of(" default, entity-script ,", NULL);
	assert_string_equal(names(&plan, ACCESS_EVERYONE),
			    "domain signalling audio avatar messages entity-script entity");
}

static void test_only_hats_of_the_table(void **state)
{
	static const char *const wrong[] = {"http",  "domain",      "telnet",
					    "*",     "audio;voxel", "assignment-client@audio",
					    "40100", "../audio"};

	for (size_t i = 0; i < ELEMENTSOF(wrong); i++) {
		struct hat_set hats = {0};
		_cleanup_free_ char *unknown = NULL, *list = NULL;

		assert_true(asprintf(&list, "audio, %s", wrong[i]) > 0);
		assert_int_equal(hat_set_add(&hats, list, &unknown), -EINVAL);
		assert_string_equal(unknown, wrong[i]);
	}
}

static void test_settings(void **state)
{
	struct plan plan = plan_of("", "{}"), without = plan_of("", NULL);

	assert_memory_equal(&plan, &without, sizeof(plan));
	assert_true(plan.enabled);
	assert_int_equal(plan.flows_per_second, 50);
	assert_int_equal(plan.flows_burst, 500);
	plan = plan_of("", "{ \"firewall\": { \"enabled\": false, \"new_flows_per_second\": 0, "
			   "\"new_flows_burst\": 7 } }");
	assert_false(plan.enabled);
	assert_int_equal(plan.flows_per_second, 0);
	assert_int_equal(plan.flows_burst, 7);
}

static void test_ports_that_settings_move(void **state)
{
	struct plan plan = plan_of("", "{ \"metaverse\": { \"local_port\": 50000 }, \"http\": { "
				       "\"port\": 80, \"https_port\": 443 }, \"monitoring\": { "
				       "\"prometheus_exporter_port\": \"9000\" } }");

	assert_int_equal(plan.ports[PORT_DOMAIN].number, 50000);
	assert_int_equal(plan.ports[PORT_SIGNALLING].number, 40102);
	assert_int_equal(plan.ports[PORT_HTTP].number, 80);
	assert_int_equal(plan.ports[PORT_HTTPS].number, 443);
	assert_int_equal(plan.ports[PORT_METRICS].number, 9000);

	assert_int_equal(ports_shift(1000), 0);
	plan = plan_of("", "{ \"http\": { \"port\": 80 } }");
	assert_int_equal(plan.ports[PORT_HTTP].number, 80);
	assert_int_equal(plan.ports[PORT_DOMAIN].number, 41102);
	assert_int_equal(ports_shift(0), 0);
}

static void test_one_port_for_two_services(void **state)
{
	struct plan plan;

	assert_refused("{ \"http\": { \"port\": 40102 } }",
		       "http and signalling are both on port 40102/tcp");
	assert_refused("{ \"metaverse\": { \"local_port\": 48006 } }",
		       "domain and entity are both on port 48006/udp");
	plan = plan_of("", "{ \"http\": { \"port\": 48006 } }");
	assert_int_equal(plan.ports[PORT_HTTP].number, 48006);
}

static void test_subnets(void **state)
{
	struct plan plan = plan_of(
		"", "{ \"firewall\": { \"admin_subnets\": [\"10.1.2.3\", \"10.1.0.0/16\", "
		    "\"fd00::1/8\", \"10.1.2.0/24\", \"10.1.0.0/16\", \"10.2.0.0/16\"] } }");

	assert_int_equal(plan.n_subnets, 3);
	assert_false(plan.subnets[0].is_ipv6);
	assert_int_equal(plan.subnets[0].bits, 16);
	assert_memory_equal(plan.subnets[0].ip, "\x0a\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	assert_true(plan.subnets[1].is_ipv6);
	assert_int_equal(plan.subnets[1].bits, 8);
	assert_memory_equal(plan.subnets[1].ip, "\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	assert_memory_equal(plan.subnets[2].ip, "\x0a\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);

	plan = plan_of("", "{ \"firewall\": { \"admin_subnets\": [\"10.0.0.0/8\", \"::/0\", "
			   "\"0.0.0.0/0\", \"2001:db8::/32\"] } }");
	assert_int_equal(plan.n_subnets, 2);
}

static void test_too_many_subnets(void **state)
{
	json_t *list = json_array(), *config;
	_cleanup_free_ char *text = NULL;
	char subnet[32];

	for (unsigned i = 0; i <= PLAN_SUBNETS_MAX; i++) {
		(void) snprintf(subnet, sizeof(subnet), "10.%u.%u.1", i / 256, i % 256);
		assert_int_equal(json_array_append_new(list, json_string(subnet)), 0);
	}
	config = json_pack("{s:{s:o}}", "firewall", "admin_subnets", list);
	text = json_dumps(config, 0);
	assert_refused(text, "firewall.admin_subnets has more than 256 subnets");
	json_decref(config);
}

static void test_subnet_text(void **state)
{
	static const char *const wrong[] = {"",           "10.0.0.0/33", "::/129",
					    "10.0.0.0/",  "10.0.0.0/8x", "10.0.0",
					    "10.0.0.0 8", "/8",          "host"};
	struct subnet all, one;

	for (size_t i = 0; i < ELEMENTSOF(wrong); i++)
		assert_int_equal(subnet_parse(wrong[i], &one), -EINVAL);
	assert_int_equal(subnet_parse("0.0.0.0/0", &all), 0);
	assert_int_equal(subnet_parse("192.0.2.255/31", &one), 0);
	assert_memory_equal(one.ip, "\xc0\0\x02\xfe", 4);
	assert_true(subnet_contains(&all, &one));
	assert_false(subnet_contains(&one, &all));
	assert_true(subnet_contains(&one, &one));
	assert_int_equal(subnet_parse("::", &one), 0);
	assert_int_equal(one.bits, 128);
	assert_false(subnet_contains(&all, &one));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_default_hats),
		cmocka_unit_test(test_named_hats),
		cmocka_unit_test(test_only_hats_of_the_table),
		cmocka_unit_test(test_settings),
		cmocka_unit_test(test_ports_that_settings_move),
		cmocka_unit_test(test_one_port_for_two_services),
		cmocka_unit_test(test_subnets),
		cmocka_unit_test(test_too_many_subnets),
		cmocka_unit_test(test_subnet_text),
	};

	return cmocka_run_group_tests_name("firewall-plan", tests, NULL, NULL);
}
