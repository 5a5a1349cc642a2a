/* The messages-mixer with real clients around it: protocol 05, above all sections 3, 4 and 7. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "assignment-client/hats.h"
#include "mixer-fixture.h"

static size_t make_message(uint8_t *data, size_t size, const char *channel,
			   size_t stated_channel_len, const char *text, size_t text_len,
			   const struct uuid *sender)
{
	struct writer wr = writer_over(data, size);

	write_u16le(&wr, (uint16_t) stated_channel_len);
	write_bytes(&wr, channel, strlen(channel));
	write_u8(&wr, 1);
	write_string32(&wr, text, text_len);
	write_uuid(&wr, sender);
	assert_true(writer_finish(&wr) > 0);
	return wr.len;
}

static void say(struct fixture_client *c, const char *channel, const char *text)
{
	uint8_t data[16384];
	size_t len = make_message(data, sizeof(data), channel, strlen(channel), text, strlen(text),
				  &c->uuid);

	fixture_send_message(c, PACKET_MESSAGES_DATA, data, len);
}

static void subscribe(struct fixture_client *c, const char *channel)
{
	fixture_send_message(c, PACKET_MESSAGES_SUBSCRIBE, channel, strlen(channel));
}

/* Subscriptions have no answer; a message to oneself shows that they were taken. */
static void subscribe_and_wait(struct fixture_client *c, const char *channel)
{
	subscribe(c, channel);
	for (unsigned i = 0; i < 100 && fixture_count(c, PACKET_MESSAGES_DATA) == 0; i++) {
		say(c, channel, "probe");
		fixture_run(c->fixture, 10000);
	}
	assert_true(fixture_count(c, PACKET_MESSAGES_DATA) > 0);
	fixture_run(c->fixture, 50000);
	fixture_clear(c);
}

static void test_echo_and_delivery_with_true_sender(void **state)
{
	static struct fixture f;
	struct fixture_client *a, *b;
	const struct fixture_packet *packet;
	uint8_t data[256];
	size_t len;

	fixture_open(&f, &messages_mixer_ops, NULL);
	a = fixture_add(&f, 'I', 0);
	b = fixture_add(&f, 'I', 0);
	subscribe_and_wait(a, "Chat");
	subscribe_and_wait(b, "Chat");
	fixture_clear(a);

	/* 05 section 1.3 with a forged sender: only the last 16 bytes are changed. */
	len = make_message(data, sizeof(data), "Chat", 4, "H\xc3\xa9!", 4, &b->uuid);
	fixture_send_message(a, PACKET_MESSAGES_DATA, data, len);
	assert_true(fixture_wait(b, PACKET_MESSAGES_DATA, 1));
	assert_true(fixture_wait(a, PACKET_MESSAGES_DATA, 1));
	packet = fixture_last(b, PACKET_MESSAGES_DATA);
	assert_int_equal(packet->len, len);
	assert_memory_equal(packet->data, data, len - 16);
	assert_memory_equal(packet->data + len - 16, a->uuid.b, 16);
	fixture_close(&f);
}

static void test_long_text_arrives_intact(void **state)
{
	static struct fixture f;
	struct fixture_client *a;
	static char text[10001];
	const struct fixture_packet *packet;

	for (size_t i = 0; i < sizeof(text) - 1; i++)
		text[i] = (char) ('a' + i * 7 % 26);
	fixture_open(&f, &messages_mixer_ops, NULL);
	a = fixture_add(&f, 'I', 0);
	subscribe_and_wait(a, "Chat");
	say(a, "Chat", text);
	assert_true(fixture_wait(a, PACKET_MESSAGES_DATA, 1));
	packet = fixture_last(a, PACKET_MESSAGES_DATA);
	assert_int_equal(packet->len, 23 + 4 + 10000);
	assert_memory_equal(packet->data + 11, text, 10000);
	fixture_close(&f);
}

static void test_unsubscribed_sender_hears_nothing(void **state)
{
	static struct fixture f;
	struct fixture_client *a, *b;

	fixture_open(&f, &messages_mixer_ops, NULL);
	a = fixture_add(&f, 'I', 0);
	b = fixture_add(&f, 'I', 0);
	subscribe_and_wait(b, "x");
	say(a, "x", "1");
	assert_true(fixture_wait(b, PACKET_MESSAGES_DATA, 1));
	fixture_send_message(b, PACKET_MESSAGES_UNSUBSCRIBE, "x", 1);
	fixture_run(&f, 100000);
	fixture_clear(b);
	say(a, "x", "2");
	fixture_run(&f, 100000);
	assert_int_equal(fixture_count(a, PACKET_MESSAGES_DATA), 0);
	assert_int_equal(fixture_count(b, PACKET_MESSAGES_DATA), 0);
	fixture_close(&f);
}

static void test_successor_knows_the_subscriptions(void **state)
{
	static struct fixture f;
	struct fixture_client *a, *b;

	fixture_open(&f, &messages_mixer_ops, NULL);
	a = fixture_add(&f, 'I', 0);
	b = fixture_add(&f, 'I', 0);
	subscribe_and_wait(a, "Chat");
	subscribe_and_wait(a, "other");
	subscribe_and_wait(b, "Chat");
	fixture_clear(a);

	fixture_succeed(&f);
	say(b, "Chat", "1");
	assert_true(fixture_wait(a, PACKET_MESSAGES_DATA, 1));
	assert_true(fixture_wait(b, PACKET_MESSAGES_DATA, 1));
	say(b, "other", "2");
	assert_true(fixture_wait(a, PACKET_MESSAGES_DATA, 2));
	assert_int_equal(fixture_count(b, PACKET_MESSAGES_DATA), 1);
	fixture_close(&f);
}

static json_int_t stat(struct fixture *f, const char *key)
{
	json_t *stats = f->ops->stats(f->hat);
	json_int_t n = json_integer_value(json_object_get(stats, key));

	json_decref(stats);
	return n;
}

static void test_rate_limit(void **state)
{
	static struct fixture f;
	struct fixture_client *a;

	fixture_open(&f, &messages_mixer_ops,
		     "{\"messages_mixer\":{\"max_node_messages_per_second\":\"20\"}}");
	a = fixture_add(&f, 'I', 0);
	subscribe_and_wait(a, "x");
	fixture_run(&f, 1100000);
	for (unsigned i = 0; i < 21; i++)
		say(a, "x", "hello");
	assert_true(fixture_wait(a, PACKET_MESSAGES_DATA, 20));
	fixture_run(&f, 100000);
	assert_int_equal(fixture_count(a, PACKET_MESSAGES_DATA), 20);
	assert_int_equal(stat(&f, "dropped_rate"), 1);
	fixture_close(&f);
}

static void test_sdk_channel_length_is_repaired(void **state)
{
	static struct fixture f;
	struct fixture_client *a;
	const struct fixture_packet *packet;
	uint8_t data[64];
	size_t len;

	fixture_open(&f, &messages_mixer_ops, NULL);
	a = fixture_add(&f, 'I', 0);
	subscribe_and_wait(a, "\xc3\xa9");
	/* 05 section 1.3, last vector: "é" counted as one unit. */
	len = make_message(data, sizeof(data), "\xc3\xa9", 1, "a", 1, &a->uuid);
	fixture_send_message(a, PACKET_MESSAGES_DATA, data, len);
	assert_true(fixture_wait(a, PACKET_MESSAGES_DATA, 1));
	packet = fixture_last(a, PACKET_MESSAGES_DATA);
	assert_int_equal(packet->data[0], 2);
	assert_memory_equal(packet->data + 2, data + 2, len - 2);
	assert_int_equal(stat(&f, "repaired_channels"), 1);
	fixture_close(&f);
}

static void test_malformed_is_not_relayed(void **state)
{
	static struct fixture f;
	struct fixture_client *a;
	uint8_t data[64];
	size_t len;

	fixture_open(&f, &messages_mixer_ops, NULL);
	a = fixture_add(&f, 'I', 0);
	subscribe_and_wait(a, "x");
	len = make_message(data, sizeof(data), "x", 1, "hello", 5, &a->uuid);
	data[4]++; /* data length too large */
	fixture_send_message(a, PACKET_MESSAGES_DATA, data, len);
	fixture_run(&f, 100000);
	assert_int_equal(fixture_count(a, PACKET_MESSAGES_DATA), 0);
	assert_int_equal(stat(&f, "dropped_malformed"), 1);
	fixture_close(&f);
}

static void test_death_frees_subscriptions(void **state)
{
	static struct fixture f;
	struct fixture_client *a, *b;

	fixture_open(&f, &messages_mixer_ops, NULL);
	a = fixture_add(&f, 'I', 0);
	b = fixture_add(&f, 'I', 0);
	subscribe_and_wait(a, "x");
	subscribe_and_wait(b, "x");
	subscribe_and_wait(b, "y");
	assert_int_equal(stat(&f, "channels"), 2);
	fixture_kill(b);
	assert_int_equal(stat(&f, "channels"), 1);
	assert_int_equal(stat(&f, "subscriptions"), 1);
	say(a, "x", "still here");
	assert_true(fixture_wait(a, PACKET_MESSAGES_DATA, 1));
	fixture_close(&f);
}

static void test_subscriptions_are_limited(void **state)
{
	static struct fixture f;
	struct fixture_client *a;

	fixture_open(&f, &messages_mixer_ops, NULL);
	a = fixture_add(&f, 'I', 0);
	for (unsigned i = 0; i < 150; i++) {
		char name[16];

		(void) snprintf(name, sizeof(name), "channel-%u", i);
		subscribe(a, name);
	}
	fixture_run(&f, 300000);
	assert_int_equal(stat(&f, "channels"), 100);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_echo_and_delivery_with_true_sender),
		cmocka_unit_test(test_long_text_arrives_intact),
		cmocka_unit_test(test_unsubscribed_sender_hears_nothing),
		cmocka_unit_test(test_successor_knows_the_subscriptions),
		cmocka_unit_test(test_rate_limit),
		cmocka_unit_test(test_sdk_channel_length_is_repaired),
		cmocka_unit_test(test_malformed_is_not_relayed),
		cmocka_unit_test(test_death_frees_subscriptions),
		cmocka_unit_test(test_subscriptions_are_limited),
	};

	return cmocka_run_group_tests_name("messages-mixer", tests, NULL, NULL);
}
