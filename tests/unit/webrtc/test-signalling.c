#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "webrtc/signalling.h"

static struct signalling *decode(const char *text, enum signalling_direction direction)
{
	struct signalling *s = NULL;
	int r = signalling_decode(text, strlen(text), direction, &s);

	if (r != 0)
		assert_int_equal(r, -EBADMSG);
	assert_true((r == 0) == (s != NULL));
	return s;
}

/* The messages of 02 section 14.3. */
static void test_from_client(void **state)
{
	_cleanup_(signalling_freep) struct signalling *offer = NULL, *candidate = NULL, *end = NULL,
						      *echo = NULL;

	offer = decode(
		"{\"to\":\"D\",\"data\":{\"description\":{\"type\":\"offer\",\"sdp\":\"v=0\"}}}",
		SIGNALLING_FROM_CLIENT);
	assert_non_null(offer);
	assert_int_equal(offer->kind, SIGNALLING_OFFER);
	assert_int_equal(offer->node_type, 'D');
	assert_false(hifi_addr_is_set(&offer->label));
	assert_string_equal(offer->text, "v=0");

	candidate = decode("{\"to\":\"M\",\"data\":{\"candidate\":{\"candidate\":\"candidate:1\","
			   "\"sdpMid\":\"0\",\"sdpMLineIndex\":0,\"usernameFragment\":\"u\"}}}",
			   SIGNALLING_FROM_CLIENT);
	assert_non_null(candidate);
	assert_int_equal(candidate->kind, SIGNALLING_CANDIDATE);
	assert_int_equal(candidate->node_type, 'M');
	assert_string_equal(candidate->text, "candidate:1");

	end = decode("{\"to\":\"D\",\"data\":{\"candidate\":{\"candidate\":\"\"}}}",
		     SIGNALLING_FROM_CLIENT);
	assert_non_null(end);
	assert_string_equal(end->text, "");

	echo = decode("{\"to\":\"D\",\"echo\":\"text\"}", SIGNALLING_FROM_CLIENT);
	assert_non_null(echo);
	assert_int_equal(echo->kind, SIGNALLING_ECHO);
	assert_string_equal(echo->text, "text");
}

static void test_relayed(void **state)
{
	_cleanup_(signalling_freep) struct signalling *from_client = NULL, *to_node = NULL;
	_cleanup_free_ char *relay = NULL;
	struct hifi_addr label;

	assert_int_equal(signalling_label_parse("1.2.3.4:5678", &label), 0);
	/* A client cannot say who it is, nor where others are. */
	from_client =
		decode("{ \"from\": \"9.9.9.9:9\", \"to\": \"m\", \"echo\": \"x\", \"other\": 1, "
		       "\"addresses\": [\"9.9.9.9:9\"] }",
		       SIGNALLING_FROM_CLIENT);
	assert_non_null(from_client);
	assert_false(hifi_addr_is_set(&from_client->label));
	label.channel = 7; /* of no concern to others */
	assert_int_equal(signalling_format_relay(from_client, &label, NULL, 0, &relay), 0);
	assert_string_equal(relay,
			    "{\"from\":\"1.2.3.4:5678\",\"to\":\"m\",\"echo\":\"x\",\"other\":1}");

	to_node = decode(relay, SIGNALLING_TO_NODE);
	assert_non_null(to_node);
	assert_int_equal(to_node->node_type, 'm');
	assert_true(hifi_addr_same_label(&to_node->label, &label));
	assert_int_equal(to_node->label.type, SOCKET_TYPE_WEBRTC);
	assert_int_equal(to_node->label.channel, 0);
	assert_int_equal(to_node->n_addresses, 0);
}

static void test_relay_with_addresses(void **state)
{
	static const char offer[] = "{\"from\":\"1.2.3.4:5\",\"to\":\"m\",\"echo\":\"x\","
				    "\"addresses\":%s}";
	static const char *const bad[] = {
		"[1]", "[\"nowhere\"]", "[null]",
		"[\"1.1.1.1:1\",\"1.1.1.1:1\",\"1.1.1.1:1\",\"1.1.1.1:1\","
		"\"1.1.1.1:1\",\"1.1.1.1:1\",\"1.1.1.1:1\",\"1.1.1.1:1\","
		"\"1.1.1.1:1\",\"1.1.1.1:1\",\"1.1.1.1:1\",\"1.1.1.1:1\","
		"\"1.1.1.1:1\",\"1.1.1.1:1\",\"1.1.1.1:1\",\"1.1.1.1:1\","
		"\"1.1.1.1:1\"]"};
	_cleanup_(signalling_freep) struct signalling *from_client = NULL, *to_node = NULL;
	_cleanup_free_ char *relay = NULL;
	struct hifi_addr label, addresses[2];
	char text[512];

	assert_int_equal(signalling_label_parse("1.2.3.4:5678", &label), 0);
	assert_int_equal(hifi_addr_parse("192.0.2.1:0", SOCKET_TYPE_UDP, &addresses[0]), 0);
	assert_int_equal(hifi_addr_parse("[2001:db8::1]:0", SOCKET_TYPE_UDP, &addresses[1]), 0);
	from_client = decode("{ \"to\": \"m\", \"echo\": \"x\" }", SIGNALLING_FROM_CLIENT);
	assert_non_null(from_client);
	assert_int_equal(signalling_format_relay(from_client, &label, addresses, 2, &relay), 0);
	to_node = decode(relay, SIGNALLING_TO_NODE);
	assert_non_null(to_node);
	assert_int_equal(to_node->n_addresses, 2);
	for (size_t i = 0; i < 2; i++)
		assert_true(hifi_addr_equal(&to_node->addresses[i], &addresses[i]));

	for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
		(void) snprintf(text, sizeof(text), offer, bad[i]);
		assert_null(decode(text, SIGNALLING_TO_NODE));
	}
}

static void test_answers(void **state)
{
	_cleanup_(signalling_freep) struct signalling *answer = NULL, *echo = NULL;
	_cleanup_free_ char *text = NULL, *echo_text = NULL;
	struct hifi_addr label;

	assert_int_equal(signalling_label_parse("1.2.3.4:5678", &label), 0);
	assert_int_equal(signalling_format_answer('M', &label, "v=0\r\n", &text), 0);
	assert_string_equal(text,
			    "{\"from\":\"M\",\"to\":\"1.2.3.4:5678\",\"data\":{\"description\":"
			    "{\"type\":\"answer\",\"sdp\":\"v=0\\r\\n\"}}}");
	answer = decode(text, SIGNALLING_FROM_NODE);
	assert_non_null(answer);
	assert_int_equal(answer->kind, SIGNALLING_ANSWER);
	assert_int_equal(answer->node_type, 'M');
	assert_true(hifi_addr_equal(&answer->label, &label));
	assert_string_equal(answer->text, "v=0\r\n");

	assert_int_equal(signalling_format_echo('D', &label, "\"<\xc3\xa4>\"", &echo_text), 0);
	assert_string_equal(
		echo_text,
		"{\"from\":\"D\",\"to\":\"1.2.3.4:5678\",\"echo\":\"\\\"<\xc3\xa4>\\\"\"}");
	echo = decode(echo_text, SIGNALLING_FROM_NODE);
	assert_non_null(echo);
	assert_int_equal(echo->kind, SIGNALLING_ECHO);
}

static void test_redial_is_for_assignment_clients_only(void **state)
{
	static const char text[] = "{\"from\":\"M\",\"to\":\"1.2.3.4:5678\",\"redial\":true}";
	_cleanup_(signalling_freep) struct signalling *redial = decode(text, SIGNALLING_FROM_NODE);

	assert_non_null(redial);
	assert_int_equal(redial->kind, SIGNALLING_REDIAL);
	assert_int_equal(redial->node_type, 'M');
	assert_int_equal(redial->label.port, 5678);
	assert_null(decode("{\"to\":\"M\",\"redial\":true}", SIGNALLING_FROM_CLIENT));
}

static void test_malformed(void **state)
{
	static const struct {
		enum signalling_direction direction;
		const char *text;
	} cases[] = {
		{SIGNALLING_FROM_CLIENT, ""},
		{SIGNALLING_FROM_CLIENT, "not json"},
		{SIGNALLING_FROM_CLIENT, "[]"},
		{SIGNALLING_FROM_CLIENT, "{}"},
		{SIGNALLING_FROM_CLIENT, "{\"to\":\"D\"}"},
		{SIGNALLING_FROM_CLIENT, "{\"echo\":\"x\"}"},
		{SIGNALLING_FROM_CLIENT, "{\"to\":\"\",\"echo\":\"x\"}"},
		{SIGNALLING_FROM_CLIENT, "{\"to\":\"DM\",\"echo\":\"x\"}"},
		{SIGNALLING_FROM_CLIENT, "{\"to\":\"\\n\",\"echo\":\"x\"}"},
		{SIGNALLING_FROM_CLIENT, "{\"to\":68,\"echo\":\"x\"}"},
		{SIGNALLING_FROM_CLIENT, "{\"to\":\"D\",\"echo\":1}"},
		{SIGNALLING_FROM_CLIENT, "{\"to\":\"D\",\"echo\":\"x\",\"echo\":\"y\"}"},
		{SIGNALLING_FROM_CLIENT, "{\"to\":\"D\",\"data\":null}"},
		{SIGNALLING_FROM_CLIENT, "{\"to\":\"D\",\"data\":{\"candidate\":null}}"},
		{SIGNALLING_FROM_CLIENT,
		 "{\"to\":\"D\",\"data\":{\"description\":{\"type\":\"offer\"}}}"},
		{SIGNALLING_FROM_CLIENT,
		 "{\"to\":\"D\",\"data\":{\"description\":{\"type\":\"answer\",\"sdp\":\"v=0\"}}}"},
		{SIGNALLING_TO_NODE, "{\"to\":\"m\",\"echo\":\"x\"}"},
		{SIGNALLING_TO_NODE, "{\"to\":\"m\",\"from\":\"m\",\"echo\":\"x\"}"},
		{SIGNALLING_TO_NODE, "{\"to\":\"m\",\"from\":\"[::1]:5\",\"echo\":\"x\"}"},
		{SIGNALLING_TO_NODE, "{\"to\":\"m\",\"from\":\"1.2.3.4:0\",\"echo\":\"x\"}"},
		{SIGNALLING_FROM_NODE, "{\"from\":\"m\",\"echo\":\"x\"}"},
		{SIGNALLING_FROM_NODE,
		 "{\"from\":\"m\",\"to\":\"1.2.3.4:5\",\"data\":{\"description\":"
		 "{\"type\":\"offer\",\"sdp\":\"v=0\"}}}"},
	};

	for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
		struct signalling *s = decode(cases[i].text, cases[i].direction);

		if (s)
			fail_msg("accepted: %s", cases[i].text);
	}
}

static void test_too_long(void **state)
{
	size_t len = SIGNALLING_MESSAGE_MAX + 1;
	_cleanup_free_ char *text = malloc(len);
	static const char head[] = "{\"to\":\"D\",\"echo\":\"x\"}";
	struct signalling *s = NULL;

	assert_non_null(text);
	memset(text, ' ', len);
	memcpy(text, head, strlen(head));
	assert_int_equal(signalling_decode(text, len, SIGNALLING_FROM_CLIENT, &s), -EBADMSG);
	assert_int_equal(signalling_decode(text, len - 1, SIGNALLING_FROM_CLIENT, &s), 0);
	signalling_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_from_client),
		cmocka_unit_test(test_relayed),
		cmocka_unit_test(test_relay_with_addresses),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_redial_is_for_assignment_clients_only),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
