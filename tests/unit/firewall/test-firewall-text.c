/* firewall/profiles, advice and status: what people and other programs read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/macros.h"
#include "firewall/advice.h"
#include "firewall/profiles.h"
#include "firewall/status.h"
#include "fixture.h"

#define ALL_HATS "default asset agent entity-script voxel particle metavoxel"

static void assert_prints(void (*print)(const struct plan *, FILE *), const struct plan *plan,
			  const char *expected)
{
	_cleanup_free_ char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	print(plan, f);
	(void) fclose(f);
	assert_string_equal(text, expected);
}

static void test_profiles(void **state)
{
	struct plan plan = plan_of(ALL_HATS, NULL);

	assert_prints(
		profile_print_firewalld, &plan,
		"<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
		"<service>\n"
		"  <short>High Fidelity domain</short>\n"
		"  <description>A virtual world: its domain-server and mixers, for native and "
		"web clients.</description>\n"
		"  <port protocol=\"udp\" port=\"40102\"/>\n"
		"  <port protocol=\"tcp\" port=\"40102\"/>\n"
		"  <port protocol=\"udp\" port=\"48000\"/>\n"
		"  <port protocol=\"udp\" port=\"48001\"/>\n"
		"  <port protocol=\"udp\" port=\"48002\"/>\n"
		"  <port protocol=\"udp\" port=\"48003\"/>\n"
		"  <port protocol=\"udp\" port=\"48004\"/>\n"
		"  <port protocol=\"udp\" port=\"48005\"/>\n"
		"  <port protocol=\"udp\" port=\"48006\"/>\n"
		"  <port protocol=\"udp\" port=\"48010\"/>\n"
		"  <port protocol=\"udp\" port=\"48011\"/>\n"
		"  <port protocol=\"udp\" port=\"48012\"/>\n"
		"</service>\n");
	assert_prints(profile_print_ufw, &plan,
		      "[hifi-domain]\n"
		      "title=High Fidelity domain\n"
		      "description=A virtual world: its domain-server and mixers, for native and "
		      "web clients\n"
		      "ports=40102/udp|40102/tcp|48000/udp|48001/udp|48002/udp|48003/udp|48004/udp|"
		      "48005/udp|48006/udp|48010/udp|48011/udp|48012/udp\n");

	plan = plan_of("audio", "{ \"metaverse\": { \"local_port\": 50000 } }");
	assert_prints(profile_print_nft, &plan,
		      "udp dport { 50000, 48000 } accept\n"
		      "tcp dport { 40102 } accept\n");
}

/* A blocker of all that is open for an audio mixer. */
static struct blocker blocker_of(enum foreign_manager manager, const char *family,
				 const char *table, const char *chain)
{
	return (struct blocker){
		.family = family,
		.table = table,
		.chain = chain,
		.manager = manager,
		.blocks = {[PORT_DOMAIN] = true, [PORT_SIGNALLING] = true, [PORT_AUDIO] = true},
	};
}

static void assert_commands(const struct blocker *blocker, const struct plan *plan,
			    const char *expected)
{
	_cleanup_free_ char *text = advice_commands(blocker, plan);

	assert_string_equal(text, expected);
}

static void test_commands(void **state)
{
	struct plan plan = plan_of("default", NULL);
	struct blocker b = blocker_of(FOREIGN_FIREWALLD, "inet", "firewalld", "filter_INPUT");

	assert_commands(&b, &plan,
			"firewall-cmd --permanent --add-service=hifi-domain\n"
			"firewall-cmd --reload\n");
	b = blocker_of(FOREIGN_UFW, "ip", "filter", "INPUT");
	assert_commands(&b, &plan, "ufw allow hifi-domain\n");
	b = blocker_of(FOREIGN_IPTABLES, "ip6", "filter", "INPUT");
	assert_commands(&b, &plan,
			"ip6tables -I INPUT -p udp --dport 40102 -j ACCEPT\n"
			"ip6tables -I INPUT -p udp --dport 48000 -j ACCEPT\n"
			"ip6tables -I INPUT -p tcp --dport 40102 -j ACCEPT\n");
	b = blocker_of(FOREIGN_NFTABLES, "inet", "filter", "in");
	assert_commands(&b, &plan,
			"nft insert rule inet filter in udp dport '{ 40102, 48000 }' accept\n"
			"nft insert rule inet filter in tcp dport '{ 40102 }' accept\n");
	b.blocks[PORT_DOMAIN] = b.blocks[PORT_AUDIO] = false;
	assert_commands(&b, &plan, "nft insert rule inet filter in tcp dport '{ 40102 }' accept\n");
}

/* The installed files name the ports of the table; others go by number. */
static void test_commands_for_moved_ports(void **state)
{
	struct plan plan = plan_of("audio", "{ \"metaverse\": { \"local_port\": 50000 } }");
	struct blocker b = blocker_of(FOREIGN_FIREWALLD, "inet", "firewalld", "filter_INPUT");

	assert_commands(&b, &plan,
			"firewall-cmd --permanent --add-port=50000/udp\n"
			"firewall-cmd --permanent --add-port=48000/udp\n"
			"firewall-cmd --permanent --add-port=40102/tcp\n"
			"firewall-cmd --reload\n");
	b.manager = FOREIGN_UFW;
	assert_commands(&b, &plan,
			"ufw allow 50000/udp\n"
			"ufw allow 48000/udp\n"
			"ufw allow 40102/tcp\n");
	b.blocks[PORT_DOMAIN] = false;
	assert_commands(&b, &plan, "ufw allow hifi-domain\n");

	plan = plan_of("audio", NULL);
	plan.port_base = 10;
	assert_commands(&b, &plan,
			"ufw allow 48000/udp\n"
			"ufw allow 40102/tcp\n");
}

static void test_advice_json(void **state)
{
	struct plan plan = plan_of("audio", NULL);
	struct blocker b[] = {blocker_of(FOREIGN_NFTABLES, "inet", "filter", "in"),
			      blocker_of(FOREIGN_UFW, "ip", "filter", "INPUT")};
	json_t *json = advice_json(b, ELEMENTSOF(b), &plan);

	assert_json_equal(
		json,
		"[{'family': 'inet', 'table': 'filter', 'chain': 'in', 'problem': 'Chain in of "
		"table inet filter drops what comes to udp 40102, 48000 and tcp 40102.', "
		"'commands': ['nft insert rule inet filter in udp dport \\u0027{ 40102, 48000 "
		"}\\u0027 accept', 'nft insert rule inet filter in tcp dport \\u0027{ 40102 "
		"}\\u0027 accept']}, {'family': 'ip', 'table': 'filter', 'chain': 'INPUT', "
		"'problem': 'Chain INPUT of table ip filter drops what comes to udp 40102, 48000 "
		"and tcp 40102.', 'commands': ['ufw allow hifi-domain']}]");
	json_decref(json);
	json = advice_json(NULL, 0, &plan);
	assert_json_equal(json, "[]");
	json_decref(json);
}

static const char listing_text[] =
	"[{'table': {'name': 'hifi'}},"
	"{'counter': {'name': 'audio', 'packets': 12, 'bytes': 3456}},"
	"{'counter': {'name': 'audio-limited', 'packets': 7, 'bytes': 70}},"
	"{'counter': {'name': 'http', 'packets': 1, 'bytes': 60}},"
	"{'counter': {'name': 'http-refused', 'packets': 2, 'bytes': 120}},"
	"{'counter': {'name': 'asset', 'packets': 0, 'bytes': 0}},"
	"{'counter': {'name': 'asset-refused', 'packets': 9, 'bytes': 99}},"
	"{'rule': {'chain': 'audio', 'expr': [{'counter': 'audio'}, {'accept': null}]}},"
	"{'rule': {'chain': 'asset', 'expr': [{'counter': 'asset-refused'}, {'drop': null}]}},"
	"{'rule': {'chain': 'http', 'expr': [{'counter': 'http'}, {'accept': null}]}},"
	"{'rule': {'chain': 'http', 'expr': [{'counter': 'http-refused'}, {'drop': null}]}},"
	"{'rule': {'chain': 'input', 'expr': [{'match': {'op': '==', 'left': {'payload': "
	"{'protocol': 'udp', 'field': 'dport'}}, 'right': 48000}}, {'goto': {'target': "
	"'audio'}}]}},"
	"{'rule': {'chain': 'input', 'expr': [{'match': {'op': '==', 'left': {'payload': "
	"{'protocol': 'udp', 'field': 'dport'}}, 'right': 48003}}, {'goto': {'target': "
	"'asset'}}]}},"
	"{'rule': {'chain': 'input', 'expr': [{'match': {'op': '==', 'left': {'payload': "
	"{'protocol': 'tcp', 'field': 'dport'}}, 'right': 80}}, {'goto': {'target': 'http'}}]}}]";

static void test_status(void **state)
{
	_cleanup_free_ char *text = NULL;
	json_t *listing = json_of(listing_text), *status = status_json(listing);
	size_t size;
	FILE *f = open_memstream(&text, &size);

	assert_json_equal(
		status,
		"[{'name': 'audio', 'port': 48000, 'transport': 'udp', 'access': 'everyone',"
		"'accepted': {'packets': 12, 'bytes': 3456}, 'limited': {'packets': 7, 'bytes': "
		"70}, 'refused': {'packets': 0, 'bytes': 0}},"
		"{'name': 'asset', 'port': 48003, 'transport': 'udp', 'access': 'nobody',"
		"'accepted': {'packets': 0, 'bytes': 0}, 'limited': {'packets': 0, 'bytes': 0}, "
		"'refused': {'packets': 9, 'bytes': 99}},"
		"{'name': 'http', 'port': 80, 'transport': 'tcp', 'access': 'this host and admin "
		"subnets', 'accepted': {'packets': 1, 'bytes': 60}, 'limited': {'packets': 0, "
		"'bytes': 0}, 'refused': {'packets': 2, 'bytes': 120}}]");
	status_print(status, f);
	(void) fclose(f);
	assert_string_equal(
		text,
		"PORT  PROTO NAME          OPEN TO                            PACKETS          "
		"BYTES   LIMITED   REFUSED\n"
		"48000 udp   audio         everyone                                12           "
		"3456         7         0\n"
		"48003 udp   asset         nobody                                   0           "
		"   0         0         9\n"
		"80    tcp   http          this host and admin subnets              1           "
		"  60         0         2\n");
	json_decref(status);
	json_decref(listing);

	status = status_json(NULL);
	assert_json_equal(status, "[]");
	json_decref(status);
}

static void test_hats_of_a_listing(void **state)
{
	json_t *listing = json_of(listing_text);
	struct hat_set hats;

	memset(&hats, true, sizeof(hats));
	status_hats(listing, &hats);
	for (size_t i = 0; i < PORT_COUNT; i++)
		assert_int_equal(hats.has[i], i == PORT_AUDIO);
	json_decref(listing);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_profiles),
		cmocka_unit_test(test_commands),
		cmocka_unit_test(test_commands_for_moved_ports),
		cmocka_unit_test(test_advice_json),
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_hats_of_a_listing),
	};

	return cmocka_run_group_tests_name("firewall-text", tests, NULL, NULL);
}
