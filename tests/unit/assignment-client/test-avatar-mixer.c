/* The avatar-mixer with real clients around it: protocol 04. What is told to whom in detail is
 * tested in unit/avatar/test-crowd.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>

#include "../net/hex.h"
#include "assignment-client/avatar-mixer.h"
#include "assignment-client/hats.h"
#include "mixer-fixture.h"
#include "node/permissions.h"

#define SETTLE_USEC 120000 /* several frames */
#define HERE        "00000000 00000000 00000000"

static void send_hex(struct fixture_client *c, enum packet_type type, const char *hex,
		     void (*how)(struct fixture_client *, enum packet_type, const void *, size_t))
{
	size_t len;
	_cleanup_free_ uint8_t *bytes = hex_bytes(hex, &len);

	how(c, type, bytes, len);
}

static void say_data(struct fixture_client *c, unsigned sequence, const char *sections)
{
	_cleanup_free_ char *hex = NULL;

	assert_true(asprintf(&hex, "%02x%02x %s", sequence & 0xff, sequence >> 8, sections) > 0);
	send_hex(c, PACKET_AVATAR_DATA, hex, fixture_send);
}

static void say_name(struct fixture_client *c, uint32_t sequence, const char *name)
{
	uint8_t data[256];
	struct writer wr = writer_over(data, sizeof(data));

	write_uuid(&wr, &c->uuid);
	write_u32be(&wr, sequence);
	write_u32be(&wr, 0);
	write_u32be(&wr, (uint32_t) (2 * strlen(name)));
	for (const char *p = name; *p; p++)
		write_u16be(&wr, (uint8_t) *p);
	write_u32be(&wr, UINT32_MAX);
	write_u32be(&wr, 2);
	assert_true(writer_finish(&wr) > 0);
	fixture_send_message(c, PACKET_AVATAR_IDENTITY, data, wr.len);
}

static void assert_uuid_at(const struct fixture_packet *packet, size_t at, const struct uuid *uuid)
{
	assert_non_null(packet);
	assert_true(packet->len >= at + 16);
	assert_memory_equal(packet->data + at, uuid, 16);
}

/* Any client can do this to become a listener. */
static void listen_only(struct fixture_client *c)
{
	send_hex(c, PACKET_RADIUS_IGNORE_REQUEST, "00", fixture_send_reliable);
}

static void test_data_reaches_the_others(void **state)
{
	static struct fixture f;
	struct fixture_client *a, *b, *silent;
	const struct fixture_packet *packet;

	fixture_open(&f, &avatar_mixer_ops, NULL);
	a = fixture_add(&f, 'I', 0);
	b = fixture_add(&f, 'I', 0);
	silent = fixture_add(&f, 'I', 0);
	listen_only(b);
	fixture_run(&f, SETTLE_USEC);

	say_data(a, 0, "0d00" HERE "bfffbfff3fff cc0c");
	assert_true(fixture_wait(b, PACKET_BULK_AVATAR_DATA, 1));
	packet = fixture_last(b, PACKET_BULK_AVATAR_DATA);
	assert_uuid_at(packet, 0, &a->uuid);
	assert_bytes_hex(packet->data + 16, packet->len - 16, "0d00" HERE "bfffbfff3fff cc0c");

	fixture_run(&f, SETTLE_USEC);
	assert_int_equal(fixture_count(b, PACKET_BULK_AVATAR_DATA), 1);
	assert_int_equal(fixture_count(a, PACKET_BULK_AVATAR_DATA), 0);
	assert_int_equal(silent->n_packets, 0);
	fixture_close(&f);
}

static void test_names(void **state)
{
	static struct fixture f;
	struct fixture_client *a, *b;
	const struct fixture_packet *packet;

	fixture_open(&f, &avatar_mixer_ops, NULL);
	a = fixture_add(&f, 'I', 0);
	b = fixture_add(&f, 'I', 0);

	/* the avatar itself learns its session display name, in a newer identity than its own */
	say_name(a, 5, "Ann");
	assert_true(fixture_wait(a, PACKET_AVATAR_IDENTITY, 1));
	packet = fixture_last(a, PACKET_AVATAR_IDENTITY);
	assert_uuid_at(packet, 0, &a->uuid);
	assert_bytes_hex(packet->data + 16, packet->len - 16,
			 "00000006 00000000 00000006 0041006e006e 00000006 0041006e006e 00000002");

	say_name(b, 1, "Ann");
	assert_true(fixture_wait(b, PACKET_AVATAR_IDENTITY, 1));
	packet = fixture_last(b, PACKET_AVATAR_IDENTITY);
	assert_bytes_hex(
		packet->data + 16, packet->len - 16,
		"00000002 00000000 00000006 0041006e006e 0000000a 0041006e006e005f0031 00000002");

	/* others hear of it with the avatar's data */
	fixture_clear(b);
	say_data(a, 0, "0100" HERE);
	assert_true(fixture_wait(b, PACKET_AVATAR_IDENTITY, 1));
	packet = fixture_last(b, PACKET_AVATAR_IDENTITY);
	assert_uuid_at(packet, 0, &a->uuid);
	assert_int_equal(packet->len, 16 + 32);
	fixture_close(&f);
}

static void test_death_is_announced(void **state)
{
	static struct fixture f;
	struct fixture_client *a, *b, *script;
	const struct fixture_packet *packet;

	fixture_open(&f, &avatar_mixer_ops, NULL);
	a = fixture_add(&f, 'I', 0);
	b = fixture_add(&f, 'I', 0);
	script = fixture_add(&f, 'S', 0);
	say_data(a, 0, "0100" HERE);
	listen_only(b);
	fixture_run(&f, SETTLE_USEC);

	fixture_kill(a);
	assert_true(fixture_wait(b, PACKET_KILL_AVATAR, 1));
	assert_true(fixture_wait(script, PACKET_KILL_AVATAR, 1));
	packet = fixture_last(b, PACKET_KILL_AVATAR);
	assert_int_equal(packet->len, 17);
	assert_uuid_at(packet, 0, &a->uuid);
	assert_int_equal(packet->data[16], AVATAR_KILL_DISCONNECTED);

	/* a script server has no avatar */
	fixture_clear(b);
	fixture_kill(script);
	fixture_run(&f, SETTLE_USEC);
	assert_int_equal(fixture_count(b, PACKET_KILL_AVATAR), 0);
	fixture_close(&f);
}

/* 6: the client stops being an avatar, and may become one again. */
static void test_client_kills_its_avatar(void **state)
{
	static struct fixture f;
	struct fixture_client *a, *b;

	fixture_open(&f, &avatar_mixer_ops, NULL);
	a = fixture_add(&f, 'I', 0);
	b = fixture_add(&f, 'I', 0);
	listen_only(b);
	say_data(a, 9, "0100" HERE);
	assert_true(fixture_wait(b, PACKET_BULK_AVATAR_DATA, 1));

	send_hex(a, PACKET_KILL_AVATAR, "00", fixture_send_reliable);
	assert_true(fixture_wait(b, PACKET_KILL_AVATAR, 1));
	assert_true(fixture_wait(a, PACKET_KILL_AVATAR, 1));
	assert_int_equal(fixture_last(b, PACKET_KILL_AVATAR)->data[16], AVATAR_KILL_DISCONNECTED);

	/* its numbers may start over, too */
	say_data(a, 0, "0100" HERE);
	assert_true(fixture_wait(b, PACKET_BULK_AVATAR_DATA, 2));
	fixture_close(&f);
}

static void test_traits(void **state)
{
	static struct fixture f;
	struct fixture_client *a, *b;
	const struct fixture_packet *packet;

	fixture_open(&f, &avatar_mixer_ops, NULL);
	a = fixture_add(&f, 'I', PERMISSION_REZ_AVATAR_ENTITIES);
	b = fixture_add(&f, 'I', 0);
	listen_only(b);
	say_data(a, 0, "0100" HERE);
	send_hex(a, PACKET_SET_AVATAR_TRAITS,
		 "01000000 00 0100 61 02 aaaaaaaabbbbccccddddeeeeeeeeeeee 0100 62",
		 fixture_send_message);
	assert_true(fixture_wait(b, PACKET_BULK_AVATAR_TRAITS, 1));
	packet = fixture_last(b, PACKET_BULK_AVATAR_TRAITS);
	assert_uuid_at(packet, 8, &a->uuid);
	assert_bytes_hex(packet->data + 24, packet->len - 24,
			 "00 01000000 0100 61"
			 "02 01000000 aaaaaaaabbbbccccddddeeeeeeeeeeee 0100 62 ff");

	/* nothing more before the acknowledgement */
	send_hex(a, PACKET_SET_AVATAR_TRAITS, "02000000 00 0100 63", fixture_send_message);
	fixture_run(&f, SETTLE_USEC);
	assert_int_equal(fixture_count(b, PACKET_BULK_AVATAR_TRAITS), 1);
	send_hex(b, PACKET_BULK_AVATAR_TRAITS_ACK, "0100000000000000", fixture_send_reliable);
	assert_true(fixture_wait(b, PACKET_BULK_AVATAR_TRAITS, 2));
	packet = fixture_last(b, PACKET_BULK_AVATAR_TRAITS);
	assert_bytes_hex(packet->data + 24, packet->len - 24, "00 02000000 0100 63 ff");

	/* the domain takes the right to bring entities away */
	send_hex(b, PACKET_BULK_AVATAR_TRAITS_ACK, "0200000000000000", fixture_send_reliable);
	a->node->permissions = 0;
	assert_true(fixture_wait(b, PACKET_BULK_AVATAR_TRAITS, 3));
	packet = fixture_last(b, PACKET_BULK_AVATAR_TRAITS);
	assert_bytes_hex(packet->data + 24, packet->len - 24,
			 "02 02000000 aaaaaaaabbbbccccddddeeeeeeeeeeee ffff ff");
	fixture_close(&f);
}

static void check_whitelist(const char *settings)
{
	static struct fixture f;
	struct fixture_client *a, *b;
	const struct fixture_packet *packet;

	fixture_open(&f, &avatar_mixer_ops, settings);
	a = fixture_add(&f, 'I', 0);
	b = fixture_add(&f, 'I', 0);
	listen_only(b);
	say_data(a, 0, "0100" HERE);
	/* http://b */
	send_hex(a, PACKET_SET_AVATAR_TRAITS, "03000000 00 0800 687474703a2f2f62",
		 fixture_send_message);
	assert_true(fixture_wait(b, PACKET_BULK_AVATAR_TRAITS, 1));
	packet = fixture_last(b, PACKET_BULK_AVATAR_TRAITS);
	/* a/r */
	assert_bytes_hex(packet->data + 24, packet->len - 24, "00 03000000 0300 612f72 ff");

	/* its owner is told */
	assert_true(fixture_wait(a, PACKET_SET_AVATAR_TRAITS, 1));
	packet = fixture_last(a, PACKET_SET_AVATAR_TRAITS);
	assert_bytes_hex(packet->data, packet->len, "00 03000000 0300 612f72");
	fixture_close(&f);
}

static void test_whitelist(void **state)
{
	check_whitelist("{\"avatars\": {\"avatar_whitelist\": \"http://a/\","
			" \"replacement_avatar\": \"a/r\"}}");
	/* where later versions of upstream look */
	check_whitelist("{\"avatar_mixer\": {\"avatar_whitelist\": \"http://a/\","
			" \"replacement_avatar\": \"a/r\"}}");
}

static void ignore(struct fixture_client *c, const struct uuid *whom, bool add)
{
	uint8_t request[17] = {add};

	memcpy(request + 1, whom, 16);
	fixture_send_reliable(c, PACKET_NODE_IGNORE_REQUEST, request, sizeof(request));
}

static void test_ignore_and_list_of_people(void **state)
{
	static struct fixture f;
	struct fixture_client *a, *b;

	fixture_open(&f, &avatar_mixer_ops, NULL);
	a = fixture_add(&f, 'I', 0);
	b = fixture_add(&f, 'I', 0);
	ignore(a, &b->uuid, true);
	assert_true(fixture_wait(b, PACKET_KILL_AVATAR, 1));
	assert_uuid_at(fixture_last(b, PACKET_KILL_AVATAR), 0, &a->uuid);
	say_data(a, 0, "0100" HERE);
	say_data(b, 0, "2100" HERE "ab");
	fixture_run(&f, SETTLE_USEC);
	assert_int_equal(fixture_count(a, PACKET_BULK_AVATAR_DATA), 0);
	assert_int_equal(fixture_count(b, PACKET_BULK_AVATAR_DATA), 0);

	send_hex(a, PACKET_REQUESTS_DOMAIN_LIST_DATA, "01", fixture_send_reliable);
	assert_true(fixture_wait(a, PACKET_BULK_AVATAR_DATA, 1));
	send_hex(a, PACKET_REQUESTS_DOMAIN_LIST_DATA, "00", fixture_send_reliable);
	assert_true(fixture_wait(a, PACKET_KILL_AVATAR, 1));
	assert_int_equal(fixture_last(a, PACKET_KILL_AVATAR)->data[16], AVATAR_KILL_IGNORED);

	ignore(a, &b->uuid, false);
	assert_true(fixture_wait(b, PACKET_BULK_AVATAR_DATA, 1));
	assert_true(fixture_wait(a, PACKET_BULK_AVATAR_DATA, 2));
	fixture_close(&f);
}

/* Names keep their suffixes, traits their versions, and what was asked for holds. What the
 * successor tells again is no news to anybody. */
static void test_successor(void **state)
{
	static struct fixture f;
	struct fixture_client *a, *b, *c, *d;
	const struct fixture_packet *packet;

	fixture_open(&f, &avatar_mixer_ops, NULL);
	a = fixture_add(&f, 'I', 0);
	b = fixture_add(&f, 'I', PERMISSION_REZ_AVATAR_ENTITIES);
	c = fixture_add(&f, 'I', 0);
	d = fixture_add(&f, 'I', 0);
	say_name(a, 1, "Ann");
	assert_true(fixture_wait(a, PACKET_AVATAR_IDENTITY, 1));
	say_name(b, 4, "Ann");
	assert_true(fixture_wait(b, PACKET_AVATAR_IDENTITY, 1));
	fixture_kill(a);
	listen_only(c);
	say_data(b, 7, "0100" HERE);
	send_hex(b, PACKET_SET_AVATAR_TRAITS,
		 "03000000 00 0100 61 02 aaaaaaaabbbbccccddddeeeeeeeeeeee 0100 62",
		 fixture_send_message);
	ignore(d, &b->uuid, true);
	assert_true(fixture_wait(c, PACKET_BULK_AVATAR_TRAITS, 1));
	assert_true(fixture_wait(b, PACKET_KILL_AVATAR, 1));

	fixture_succeed(&f);
	fixture_run(&f, SETTLE_USEC);
	fixture_clear(b);
	fixture_clear(c);
	fixture_clear(d);
	say_data(b, 8, "0100" HERE);
	assert_true(fixture_wait(c, PACKET_BULK_AVATAR_DATA, 1));
	assert_true(fixture_wait(c, PACKET_AVATAR_IDENTITY, 1));
	packet = fixture_last(c, PACKET_AVATAR_IDENTITY);
	assert_uuid_at(packet, 0, &b->uuid);
	assert_bytes_hex(
		packet->data + 16, packet->len - 16,
		"00000005 00000000 00000006 0041006e006e 0000000a 0041006e006e005f0031 00000002");
	assert_true(fixture_wait(c, PACKET_BULK_AVATAR_TRAITS, 1));
	packet = fixture_last(c, PACKET_BULK_AVATAR_TRAITS);
	assert_bytes_hex(packet->data + 24, packet->len - 24,
			 "00 03000000 0100 61"
			 "02 03000000 aaaaaaaabbbbccccddddeeeeeeeeeeee 0100 62 ff");
	/* A late acknowledgement of the predecessor's message is none of this one. */
	send_hex(c, PACKET_BULK_AVATAR_TRAITS_ACK, "0100000000000000", fixture_send_reliable);
	send_hex(b, PACKET_SET_AVATAR_TRAITS, "04000000 00 0100 63", fixture_send_message);
	fixture_run(&f, SETTLE_USEC);
	assert_int_equal(fixture_count(c, PACKET_BULK_AVATAR_TRAITS), 1);
	/* Still ignored. */
	assert_int_equal(fixture_count(d, PACKET_BULK_AVATAR_DATA), 0);
	ignore(d, &b->uuid, false);
	assert_true(fixture_wait(d, PACKET_BULK_AVATAR_DATA, 1));
	fixture_close(&f);
}

static void test_bubble(void **state)
{
	static struct fixture f;
	struct fixture_client *a, *b;

	fixture_open(&f, &avatar_mixer_ops, NULL);
	a = fixture_add(&f, 'I', 0);
	b = fixture_add(&f, 'I', 0);
	send_hex(a, PACKET_RADIUS_IGNORE_REQUEST, "01", fixture_send_reliable);
	say_data(a, 0, "0100" HERE);
	say_data(b, 0, "0100" HERE);
	assert_true(fixture_wait(a, PACKET_KILL_AVATAR, 1));
	assert_true(fixture_wait(b, PACKET_KILL_AVATAR, 1));
	assert_int_equal(fixture_last(a, PACKET_KILL_AVATAR)->data[16],
			 AVATAR_KILL_ENTERED_YOUR_BUBBLE);
	assert_int_equal(fixture_last(b, PACKET_KILL_AVATAR)->data[16],
			 AVATAR_KILL_ENTERED_THEIR_BUBBLE);
	fixture_close(&f);
}

/* 15.2 rule 10 and the redial: who was activated again remembers nobody. */
static void test_reactivated_listener_is_told_again(void **state)
{
	static struct fixture f;
	struct fixture_client *a, *b;

	fixture_open(&f, &avatar_mixer_ops, NULL);
	a = fixture_add(&f, 'I', 0);
	b = fixture_add(&f, 'I', 0);
	listen_only(b);
	say_name(a, 1, "Ann");
	fixture_run(&f, SETTLE_USEC);
	say_data(a, 0, "0100" HERE);
	assert_true(fixture_wait(b, PACKET_AVATAR_IDENTITY, 1));
	fixture_run(&f, SETTLE_USEC);
	fixture_clear(b);
	avatar_mixer_ops.node_activated(f.hat, b->node);
	assert_true(fixture_wait(b, PACKET_AVATAR_IDENTITY, 1));
	assert_true(fixture_wait(b, PACKET_BULK_AVATAR_DATA, 1));
	fixture_close(&f);
}

/* Each bad packet is counted as one, and the mixer goes on. */
static void test_bad_packets(void **state)
{
	static struct fixture f;
	struct fixture_client *a, *script;

	fixture_open(&f, &avatar_mixer_ops, NULL);
	a = fixture_add(&f, 'I', 0);
	script = fixture_add(&f, 'S', 0);
	say_data(a, 0, "0100 0000c07f 00000000 00000000");
	send_hex(a, PACKET_AVATAR_QUERY, "02", fixture_send);
	send_hex(a, PACKET_AVATAR_IDENTITY, "00", fixture_send_message);
	send_hex(a, PACKET_SET_AVATAR_TRAITS, "01000000 07", fixture_send_message);
	send_hex(a, PACKET_NODE_IGNORE_REQUEST, "01", fixture_send_reliable);
	send_hex(a, PACKET_REQUESTS_DOMAIN_LIST_DATA, "", fixture_send_reliable);
	send_hex(a, PACKET_BULK_AVATAR_TRAITS_ACK, "00", fixture_send_reliable);
	/* a script server is no avatar */
	say_data(script, 0, "0100" HERE);
	fixture_run(&f, 2 * SETTLE_USEC);
	assert_int_equal(a->node->drops.n[DROP_MALFORMED], 7);
	assert_int_equal(script->node->drops.n[DROP_REFUSED], 1);

	say_data(a, 1, "0100" HERE);
	listen_only(script);
	assert_true(fixture_wait(script, PACKET_BULK_AVATAR_DATA, 1));
	fixture_close(&f);
}

static void test_query_is_kept(void **state)
{
	static struct fixture f;
	struct fixture_client *a;
	struct avatar_client *client;

	fixture_open(&f, &avatar_mixer_ops, NULL);
	a = fixture_add(&f, 'I', 0);
	client = a->node->data;
	send_hex(a, PACKET_AVATAR_QUERY,
		 "01 0000803f 00000040 00004040 00000000 00000000 000080bf 7f80 00c0 00004040",
		 fixture_send);
	fixture_run(&f, SETTLE_USEC);
	assert_true(client->member->present);
	assert_int_equal(client->member->query.n, 1);
	assert_true(client->member->query.views[0].keyhole == 3);
	fixture_close(&f);
}

/* 13, in Mbit/s: text and nonsense included. */
static void check_budget(const char *settings, unsigned bytes)
{
	static struct fixture f;
	struct fixture_client *a;
	struct avatar_client *client;

	fixture_open(&f, &avatar_mixer_ops, settings);
	a = fixture_add(&f, 'I', 0);
	client = a->node->data;
	fixture_run(&f, SETTLE_USEC);
	assert_int_equal(client->member->budget_bytes, bytes);
	fixture_close(&f);
}

static void test_bandwidth(void **state)
{
	check_budget(NULL, 13888);
	check_budget("{\"avatar_mixer\": {\"max_node_send_bandwidth\": \"2\"}}", 5555);
	check_budget("{\"avatar_mixer\": {\"max_node_send_bandwidth\": -1}}", 27);
}

static void test_sorting_is_for_admins(void **state)
{
	static struct fixture f;
	struct fixture_client *guest, *admin;

	fixture_open(&f, &avatar_mixer_ops, NULL);
	guest = fixture_add(&f, 'I', 0);
	admin = fixture_add(&f, 'I', PERMISSION_KICK);
	send_hex(guest, PACKET_ADJUST_AVATAR_SORTING, "0000803f 0000803f 0000803f", fixture_send);
	send_hex(admin, PACKET_ADJUST_AVATAR_SORTING, "0000c07f 0000803f 0000803f", fixture_send);
	send_hex(admin, PACKET_ADJUST_AVATAR_SORTING, "0000803f 0000803f 0000803f", fixture_send);
	fixture_run(&f, SETTLE_USEC);
	assert_int_equal(guest->node->drops.n[DROP_REFUSED], 1);
	assert_int_equal(admin->node->drops.n[DROP_MALFORMED], 1);
	fixture_close(&f);
}

static void test_stats(void **state)
{
	static struct fixture f;
	struct fixture_client *a, *b;
	const char *username, *name;
	json_t *stats, *of_a, *of_b;
	double x, y, z, rate, listeners, records;
	char status[256];
	int sent;

	fixture_open(&f, &avatar_mixer_ops, NULL);
	a = fixture_add(&f, 'I', 0);
	b = fixture_add(&f, 'I', 0);
	listen_only(b);
	say_name(a, 1, "Ann");
	fixture_run(&f, SETTLE_USEC);
	json_decref(avatar_mixer_ops.stats(f.hat));
	for (unsigned i = 0; i < 10; i++) {
		say_data(a, i, "0100 00000040 0000803f 0000a0c0");
		fixture_run(&f, 25000);
	}

	stats = avatar_mixer_ops.stats(f.hat);
	assert_int_equal(json_unpack(stats, "{s:f, s:f, s:{s:f}, s:{s:o, s:o}}",
				     "broadcast_loop_rate", &rate, "average_listeners_last_second",
				     &listeners, "slaves_aggregate (per frame)",
				     "sent_2_averageOthersIncluded", &records, "z_avatars",
				     UUID_TEXT(&a->uuid), &of_a, UUID_TEXT(&b->uuid), &of_b),
			 0);
	assert_true(rate > 20 && rate < 60);
	assert_true(listeners == 2);
	assert_true(records > 0 && records < 1);
	assert_int_equal(json_unpack(of_a, "{s:s, s:s, s:[f, f, f]}", "$username", &username,
				     "display_name", &name, "position", &x, &y, &z),
			 0);
	assert_true(fabs(x - 2) < 0.01 && fabs(y - 1) < 0.01 && fabs(z + 5) < 0.01);
	assert_null(json_object_get(of_b, "position"));
	assert_string_equal(username, UUID_TEXT(&a->uuid));
	assert_string_equal(name, "Ann");
	assert_int_equal(json_unpack(of_b, "{s:i}", "num_avs_sent_last_frame", &sent), 0);
	assert_true(sent <= 1);
	assert_non_null(json_object_get(
		json_object_get(json_object_get(stats, "singleCoreTasks"), "incoming_packets"),
		"handleAvatarIdentityPacket"));
	assert_true(json_is_real(json_object_get(json_object_get(stats, "frame_ms"), "p99")));
	json_decref(stats);

	avatar_mixer_ops.status(f.hat, status, sizeof(status));
	assert_true(strncmp(status, "2 people, 1 avatars, ", 21) == 0);
	assert_null(strstr(status, "less"));
	fixture_close(&f);
}

/* A frame that took too long makes the next ones smaller, and says so. */
static void test_throttle(void **state)
{
	static struct fixture f;
	struct avatar_mixer *m;
	struct avatar_client *client;
	char status[256];
	double ratio;
	json_t *stats;

	fixture_open(&f, &avatar_mixer_ops, NULL);
	client = fixture_add(&f, 'I', 0)->node->data;
	m = f.hat;
	m->throttle.ratio = 0.5;
	m->throttle.load = 0.6;
	fixture_run(&f, SETTLE_USEC);
	assert_int_equal(client->member->budget_bytes, 13888 / 2);
	stats = avatar_mixer_ops.stats(f.hat);
	assert_int_equal(json_unpack(stats, "{s:f}", "throttling_ratio", &ratio), 0);
	assert_true(ratio == 0.5);
	json_decref(stats);
	avatar_mixer_ops.status(f.hat, status, sizeof(status));
	assert_non_null(strstr(status, "less"));
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_data_reaches_the_others),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_death_is_announced),
		cmocka_unit_test(test_client_kills_its_avatar),
		cmocka_unit_test(test_traits),
		cmocka_unit_test(test_whitelist),
		cmocka_unit_test(test_ignore_and_list_of_people),
		cmocka_unit_test(test_successor),
		cmocka_unit_test(test_bubble),
		cmocka_unit_test(test_reactivated_listener_is_told_again),
		cmocka_unit_test(test_bad_packets),
		cmocka_unit_test(test_query_is_kept),
		cmocka_unit_test(test_bandwidth),
		cmocka_unit_test(test_sorting_is_for_admins),
		cmocka_unit_test(test_stats),
		cmocka_unit_test(test_throttle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
