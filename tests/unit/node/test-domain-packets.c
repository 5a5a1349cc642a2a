/* Domain packets against the vectors of protocol 02 section 18 (headers of 6 or 8 bytes left out),
 * 01 section 12.2 and 13, 09 section 15. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/domain-packets.h"

#define CONNECT_HEAD                                                                  \
	"00000000000000000000000000000000 00000010 ad15da90e07d2c7b408325383ad8b77d " \
	"00000000 00112233445566778899aabbccddeeff 00000000 00000000 0000000000000000 "
#define CHECK_IN_HEAD   "0000018bcfe56800 49 "
#define WEB_SOCKETS     "02 00000000000000 02 00000000000000 "
#define INTERESTS       "00000004 4d576f6d "
#define CHECK_IN        CHECK_IN_HEAD WEB_SOCKETS INTERESTS "00000000 "
#define CONNECT_REQUEST CONNECT_HEAD CHECK_IN "00000004 00610062 00000000"
#define LIST_HEADER                                                                    \
	"d0d1d2d3d4d5d6d7d8d9dadbdcdddedf 1111 c0c1c2c3c4c5c6c7c8c9cacbcccdcecf 1234 " \
	"00000801 01 0000018bcfe56800 00060a24181e4000 0000000000000064 01 "
#define RECORD                                                   \
	"4d a0a1a2a3a4a5a6a7a8a9aaabacadaeaf 01 00c00002029d08 " \
	"01 000a0000059d08 00000fff 00 2222 112233445566778899aabbccddeeff00"

/* Bytes of hexadecimal text in one of a few static buffers. */
static struct span hex(const char *text)
{
	static uint8_t buffers[4][2048];
	static unsigned next;
	uint8_t *buffer = buffers[next++ % 4];
	size_t n = 0;

	for (const char *p = text; *p; p++) {
		char pair[3] = {p[0], p[1], 0};

		if (isspace((unsigned char) *p))
			continue;
		assert_true(n < sizeof(buffers[0]));
		buffer[n++] = (uint8_t) strtoul(pair, NULL, 16);
		p++;
	}
	return span_of(buffer, n);
}

static void assert_span(struct span s, const char *text)
{
	assert_int_equal(s.len, strlen(text));
	assert_memory_equal(s.data ? (const char *) s.data : "", text, s.len);
}

static void assert_written(const struct writer *wr, const char *text)
{
	struct span expected = hex(text);

	assert_int_equal(writer_finish(wr), expected.len);
	assert_memory_equal(wr->data, expected.data, expected.len);
}

#define WRITER(name)                 \
	uint8_t name##_buffer[2048]; \
	struct writer name = writer_over(name##_buffer, sizeof(name##_buffer))

static void test_connect_request_of_the_sdk(void **state)
{
	_cleanup_(domain_connect_request_done) struct domain_connect_request c = {0};
	struct uuid fingerprint;
	uint8_t signature[16];
	WRITER(wr);

	assert_int_equal(domain_connect_request_decode(hex(CONNECT_REQUEST), &c), 0);
	assert_true(uuid_is_null(&c.connect_uuid));
	packet_signature(DIALECT_VIRCADIA, signature);
	assert_int_equal(c.protocol_signature.len, 16);
	assert_memory_equal(c.protocol_signature.data, signature, 16);
	assert_int_equal(uuid_parse("00112233-4455-6677-8899-aabbccddeeff", &fingerprint), 0);
	assert_true(uuid_equal(&c.machine_fingerprint, &fingerprint));
	assert_int_equal(c.connect_reason, CONNECT_REASON_CONNECT);
	assert_true(c.check_in.current_time == UINT64_C(1700000000000));
	assert_int_equal(c.check_in.node_type, 'I');
	assert_int_equal(c.check_in.public_addr.type, SOCKET_TYPE_WEBRTC);
	assert_true(hifi_addr_is_any(&c.check_in.local_addr));
	assert_int_equal(c.check_in.n_interests, 4);
	assert_memory_equal(c.check_in.interests, "MWom", 4);
	assert_string_equal(c.check_in.place_name, "");
	assert_string_equal(c.username, "ab");
	assert_int_equal(c.username_signature.len, 0);
	assert_string_equal(c.domain_username, "");
	assert_string_equal(c.domain_tokens, "");

	domain_connect_request_encode(&wr, &c);
	assert_written(&wr, CONNECT_REQUEST);
}

static void test_connect_request_with_every_address_length(void **state)
{
	static const char *const sockets[] = {
		"01 ff9ca6 01 ff9ca6 ",
		"01 00c00002029ca6 01 ff9ca6 ",
		"01 0120010db8000000000000000000000001ffffffff9ca6 01 00c00002029ca6 ",
	};

	for (size_t i = 0; i < ELEMENTSOF(sockets); i++) {
		_cleanup_(domain_connect_request_done) struct domain_connect_request c = {0};
		char text[1024];
		WRITER(wr);

		(void) snprintf(text, sizeof(text), "%s%s%s%s%s", CONNECT_HEAD, CHECK_IN_HEAD,
				sockets[i],
				"00000001 4d 00000000 00000000 00000000 00000004 00780079 ",
				"00000002 007a");
		assert_int_equal(domain_connect_request_decode(hex(text), &c), 0);
		assert_int_equal(c.check_in.public_addr.port, 40102);
		assert_int_equal(c.check_in.local_addr.port, 40102);
		assert_int_equal(hifi_addr_is_any(&c.check_in.public_addr), i == 0);
		assert_string_equal(c.domain_username, "xy");
		assert_string_equal(c.domain_tokens, "z");

		domain_connect_request_encode(&wr, &c);
		assert_written(&wr, text);
	}
}

static void test_connect_request_may_end_early(void **state)
{
	static const char *const texts[] = {
		CONNECT_HEAD CHECK_IN_HEAD WEB_SOCKETS INTERESTS,
		CONNECT_HEAD CHECK_IN,
		CONNECT_HEAD CHECK_IN "00000000",
		CONNECT_HEAD CHECK_IN "ffffffff ffffffff",
		CONNECT_HEAD CHECK_IN "00000000 00000000 ffffffff",
	};

	for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
		_cleanup_(domain_connect_request_done) struct domain_connect_request c = {0};

		assert_int_equal(domain_connect_request_decode(hex(texts[i]), &c), 0);
		assert_string_equal(c.check_in.place_name, "");
		assert_string_equal(c.username, "");
		assert_string_equal(c.domain_username, "");
	}
}

static void test_connect_request_refuses_what_is_malformed(void **state)
{
	static const char *const texts[] = {
		/* A string that is cut. */
		CONNECT_HEAD CHECK_IN "00000004 0061",
		CONNECT_HEAD CHECK_IN "000000",
		/* Interests: more than there are, more than anybody has. */
		CONNECT_HEAD CHECK_IN_HEAD WEB_SOCKETS "00000005 4d576f6d",
		CONNECT_HEAD CHECK_IN_HEAD WEB_SOCKETS "7fffffff 4d576f6d",
		/* Unknown socket type, unknown address protocol. */
		CONNECT_HEAD CHECK_IN_HEAD "03 00000000000000 02 00000000000000" INTERESTS,
		CONNECT_HEAD CHECK_IN_HEAD "02 07000000000000 02 00000000000000" INTERESTS,
		/* Left over. */
		CONNECT_HEAD CHECK_IN "00000000 00000000 00000000 00000000 00",
		CONNECT_HEAD,
		"",
	};
	struct domain_connect_request c;

	for (size_t i = 0; i < ELEMENTSOF(texts); i++)
		assert_int_equal(domain_connect_request_decode(hex(texts[i]), &c), -EBADMSG);
}

static void test_list_request(void **state)
{
	static const char text[] = "0000018bcfe56be8 49 " WEB_SOCKETS INTERESTS "00000000";
	_cleanup_(domain_check_in_done) struct domain_check_in c = {0};
	WRITER(wr);

	assert_int_equal(domain_list_request_decode(hex(text), &c), 0);
	assert_true(c.current_time == UINT64_C(1700000001000));
	assert_int_equal(c.n_interests, 4);

	domain_list_request_encode(&wr, &c);
	assert_written(&wr, text);
}

struct emitted {
	unsigned n;
	size_t n_records;
	size_t last_len;
	uint8_t last[DOMAIN_LIST_PAYLOAD_MAX];
};

static void collect(void *userdata, struct span payload)
{
	struct emitted *e = userdata;
	struct domain_list list;

	assert_int_equal(domain_list_decode(payload, &list), 0);
	assert_int_equal(list.header.your_local_id, 0x1234);
	for (size_t i = 0; i < list.n_nodes; i++)
		assert_int_equal(list.nodes[i].local_id, e->n_records + i + 1);
	e->n_records += list.n_nodes;
	e->n++;
	e->last_len = payload.len;
	memcpy(e->last, payload.data, payload.len);
}

static void test_list(void **state)
{
	struct domain_list list;
	struct domain_node_record *n = &list.nodes[0];
	struct emitted e = {.n_records = 0x2221};
	struct span expected = hex(LIST_HEADER RECORD);

	assert_int_equal(expected.len, 128 - 6);
	assert_int_equal(domain_list_decode(expected, &list), 0);
	assert_int_equal(list.header.domain_local_id, 0x1111);
	assert_int_equal(list.header.your_local_id, 0x1234);
	assert_int_equal(list.header.your_permissions, 0x801);
	assert_true(list.header.is_authenticated);
	assert_true(list.header.request_time == UINT64_C(1700000000000));
	assert_true(list.header.sent_usec == UINT64_C(1700000000000000));
	assert_true(list.header.processing_usec == 100);
	assert_true(list.header.is_new_connection);
	assert_int_equal(list.n_nodes, 1);
	assert_int_equal(n->type, 'M');
	assert_string_equal(HIFI_ADDR_TEXT(&n->public_addr), "192.0.2.2:40200");
	assert_string_equal(HIFI_ADDR_TEXT(&n->local_addr), "10.0.0.5:40200");
	assert_int_equal(n->permissions, 0xfff);
	assert_false(n->is_replicated);
	assert_int_equal(n->local_id, 0x2222);
	assert_string_equal(UUID_TEXT(&n->secret), "11223344-5566-7788-99aa-bbccddeeff00");

	domain_list_encode(&list.header, list.nodes, 1, DOMAIN_LISTENER_WEB, collect, &e);
	assert_int_equal(e.n, 1);
	assert_int_equal(e.last_len, expected.len);
	assert_memory_equal(e.last, expected.data, expected.len);
}

static void test_list_without_nodes_is_still_sent(void **state)
{
	struct domain_list list;
	struct emitted e = {0};

	assert_int_equal(domain_list_decode(hex(LIST_HEADER), &list), 0);
	assert_int_equal(list.n_nodes, 0);
	domain_list_encode(&list.header, NULL, 0, DOMAIN_LISTENER_NATIVE, collect, &e);
	assert_int_equal(e.n, 1);
	assert_int_equal(e.last_len, DOMAIN_LIST_HEADER_LEN);
}

static void test_long_list_takes_packets_of_whole_records(void **state)
{
	struct domain_node_record nodes[60];
	struct domain_list list;
	struct emitted e = {0};

	assert_int_equal(domain_list_decode(hex(LIST_HEADER RECORD), &list), 0);
	for (size_t i = 0; i < ELEMENTSOF(nodes); i++) {
		nodes[i] = list.nodes[0];
		nodes[i].local_id = (uint16_t) (i + 1);
	}

	/* 24 of 56 bytes fit one packet, 02 section 5.1. */
	domain_list_encode(&list.header, nodes, 24, DOMAIN_LISTENER_NATIVE, collect, &e);
	assert_int_equal(e.n, 1);
	assert_int_equal(e.last_len, 1410);

	e = (struct emitted){0};
	domain_list_encode(&list.header, nodes, 60, DOMAIN_LISTENER_NATIVE, collect, &e);
	assert_int_equal(e.n, 3);
	assert_int_equal(e.n_records, 60);
	assert_int_equal(e.last_len, DOMAIN_LIST_HEADER_LEN + 12 * 56);

	/* The shortest records make the longest list of one packet. */
	for (size_t i = 0; i < ELEMENTSOF(nodes); i++)
		nodes[i].public_addr = nodes[i].local_addr =
			hifi_addr_from_ipv4(SOCKET_TYPE_UDP, 0, 40200);
	e = (struct emitted){0};
	domain_list_encode(&list.header, nodes, DOMAIN_LIST_RECORDS_MAX, DOMAIN_LISTENER_NATIVE,
			   collect, &e);
	assert_int_equal(e.n, 1);
}

static void test_malformed_lists(void **state)
{
	struct domain_list list;
	struct domain_node_record n;

	assert_int_equal(domain_list_decode(hex(LIST_HEADER "4d"), &list), -EBADMSG);
	assert_int_equal(domain_list_decode(hex("d0d1"), &list), -EBADMSG);
	assert_int_equal(domain_added_node_decode(hex(RECORD "00"), &n), -EBADMSG);
	assert_int_equal(domain_added_node_decode(hex("4d a0a1a2"), &n), -EBADMSG);
}

/* The trap of 01 section 12.2 and the negative vector of 02 section 18: a web client throws at
 * `ff`. */
static void test_null_address_depends_on_the_reader(void **state)
{
	struct domain_node_record n;
	WRITER(native);
	WRITER(web);
	WRITER(web6);

	assert_int_equal(domain_added_node_decode(hex(RECORD), &n), 0);
	n.public_addr = hifi_addr_from_ipv4(SOCKET_TYPE_UDP, 0, 40200);

	domain_node_record_encode(&native, &n, DOMAIN_LISTENER_NATIVE);
	assert_memory_equal(native.data + 17, hex("01 ff 9d08 01 000a000005").data, 9);

	domain_node_record_encode(&web, &n, DOMAIN_LISTENER_WEB);
	assert_int_equal(writer_finish(&web), 56);
	assert_memory_equal(web.data + 17, hex("01 00 00000000 9d08").data, 8);

	assert_int_equal(hifi_addr_parse("[2001:db8::1]:40200", SOCKET_TYPE_UDP, &n.public_addr),
			 0);
	n.local_addr = (struct hifi_addr){0};
	domain_node_record_encode(&web6, &n, DOMAIN_LISTENER_WEB);
	assert_int_equal(writer_finish(&web6), 56);
	assert_memory_equal(web6.data + 17, hex("01 00 00000000 9d08 00 00 00000000 0000").data,
			    16);
}

static void test_null_address_of_a_native_node_reads_as_zero(void **state)
{
	struct domain_node_record n;

	assert_int_equal(domain_added_node_decode(
				 hex("4d a0a1a2a3a4a5a6a7a8a9aaabacadaeaf 01 ff9d08 01 ff9d08 "
				     "00000fff 00 2222 112233445566778899aabbccddeeff00"),
				 &n),
			 0);
	assert_true(hifi_addr_is_any(&n.public_addr));
	assert_int_equal(n.public_addr.port, 40200);
}

static void test_uuid_payloads(void **state)
{
	struct uuid id;

	assert_int_equal(domain_uuid_decode(hex("a0a1a2a3a4a5a6a7a8a9aaabacadaeaf"), &id), 0);
	assert_string_equal(UUID_TEXT(&id), "a0a1a2a3-a4a5-a6a7-a8a9-aaabacadaeaf");
	assert_int_equal(domain_uuid_decode(hex("a0a1a2a3a4a5a6a7a8a9aaabacadaeaf00"), &id),
			 -EBADMSG);
	assert_int_equal(domain_uuid_decode(hex("a0a1"), &id), -EBADMSG);
}

static void test_denied(void **state)
{
	static const char text[] = "04 1900 546f6f206d616e7920636f6e6e65637465642075736572732e "
				   "0c00 686966693a2f2f6f74686572";
	struct domain_denied d;
	WRITER(wr);

	assert_int_equal(domain_denied_decode(hex(text), &d), 0);
	assert_int_equal(d.reason, DENIED_TOO_MANY_USERS);
	assert_span(d.message, "Too many connected users.");
	assert_span(d.extra, "hifi://other");
	domain_denied_encode(&wr, &d);
	assert_written(&wr, text);

	assert_int_equal(domain_denied_decode(hex("04 1900 54"), &d), -EBADMSG);
}

static void test_path_query_and_response(void **state)
{
	static const char response[] = "0100 2f 0e00 2f302c302c302f302c302c302c31";
	struct domain_path_response p;
	struct span path;
	WRITER(query);
	WRITER(wr);

	assert_int_equal(domain_path_query_decode(hex("0100 2f"), &path), 0);
	assert_span(path, "/");
	domain_path_query_encode(&query, path);
	assert_written(&query, "0100 2f");

	/* "/é" with a length in UTF-16 units, 01 section 13.9. */
	assert_int_equal(domain_path_query_decode(hex("0200 2fc3a9"), &path), 0);
	assert_int_equal(path.len, 3);
	assert_int_equal(domain_path_query_decode(hex("01"), &path), -EBADMSG);

	assert_int_equal(domain_path_response_decode(hex(response), &p), 0);
	assert_span(p.path, "/");
	assert_span(p.viewpoint, "/0,0,0/0,0,0,1");
	domain_path_response_encode(&wr, &p);
	assert_written(&wr, response);
}

static void test_request_assignment(void **state)
{
	static const char text[] = "07 00000000000000000000000000000000 00000000 ffffffff "
				   "00000010 0032003000320032002e0031002e0031";
	char with_wallet[sizeof(text) + 64];
	struct domain_assignment a;
	WRITER(wr);

	assert_int_equal(domain_request_assignment_decode(hex(text), &a), 0);
	assert_int_equal(a.type, HAT_ANY);
	assert_string_equal(a.pool, "");
	assert_string_equal(a.version, "2022.1.1");
	domain_request_assignment_encode(&wr, &a);
	assert_written(&wr, text);
	domain_assignment_done(&a);

	(void) snprintf(with_wallet, sizeof(with_wallet), "%s%032d", text, 0);
	assert_int_equal(domain_request_assignment_decode(hex(with_wallet), &a), 0);
	domain_assignment_done(&a);
	(void) snprintf(with_wallet, sizeof(with_wallet), "%s00", text);
	assert_int_equal(domain_request_assignment_decode(hex(with_wallet), &a), -EBADMSG);
}

static void test_create_assignment(void **state)
{
	static const char text[] = "00 b0b1b2b3b4b5b6b7b8b9babbbcbdbebf 00000000 ffffffff";
	struct domain_assignment a;
	WRITER(wr);
	WRITER(agent);

	assert_int_equal(domain_create_assignment_decode(hex(text), &a), 0);
	assert_int_equal(a.type, HAT_AUDIO);
	assert_string_equal(UUID_TEXT(&a.id), "b0b1b2b3-b4b5-b6b7-b8b9-babbbcbdbebf");
	assert_int_equal(a.payload.len, 0);
	domain_create_assignment_encode(&wr, &a);
	assert_written(&wr, text);

	a.payload = span_of("-x 1", 4);
	domain_create_assignment_encode(&agent, &a);
	assert_written(&agent, "00 b0b1b2b3b4b5b6b7b8b9babbbcbdbebf 00000000 00000004 2d782031");
	domain_assignment_done(&a);
}

static void test_small_packets(void **state)
{
	struct domain_client_status s;
	struct domain_kick_request k;
	struct domain_username_reply u;
	uint8_t type;
	WRITER(status);
	WRITER(kick);
	WRITER(username);

	/* 09 section 15, vector 2. */
	assert_int_equal(domain_settings_request_decode(hex("03"), &type), 0);
	assert_int_equal(type, HAT_ASSET);
	assert_int_equal(domain_settings_request_decode(hex(""), &type), -EBADMSG);

	assert_int_equal(
		domain_client_status_decode(hex("a0a1a2a3a4a5a6a7a8a9aaabacadaeaf 07"), &s), 0);
	assert_int_equal(s.type, HAT_ANY);
	domain_client_status_encode(&status, &s);
	assert_written(&status, "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf 07");

	assert_int_equal(
		domain_kick_request_decode(hex("a0a1a2a3a4a5a6a7a8a9aaabacadaeaf 03000000"), &k),
		0);
	assert_true(k.has_flags);
	assert_int_equal(k.flags, BAN_USERNAME | BAN_FINGERPRINT);
	domain_kick_request_encode(&kick, &k);
	assert_written(&kick, "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf 03000000");
	assert_int_equal(domain_kick_request_decode(hex("a0a1a2a3a4a5a6a7a8a9aaabacadaeaf"), &k),
			 0);
	assert_false(k.has_flags);
	assert_int_equal(
		domain_kick_request_decode(hex("a0a1a2a3a4a5a6a7a8a9aaabacadaeaf 0300"), &k), 0);
	assert_false(k.has_flags);
	assert_int_equal(domain_kick_request_decode(hex("a0a1"), &k), -EBADMSG);

	u = (struct domain_username_reply){.username = span_of("ab", 2), .is_admin = true};
	domain_username_reply_encode(&username, &u);
	assert_written(&username, "00000000000000000000000000000000 02000000 6162 "
				  "00000000000000000000000000000000 01");
	assert_int_equal(domain_username_reply_decode(span_of(username.data, username.len), &u), 0);
	assert_span(u.username, "ab");
	assert_true(u.is_admin);
}

static void test_pings(void **state)
{
	struct domain_ping p;
	struct domain_ping_reply reply;
	WRITER(ping);
	WRITER(wr);

	assert_int_equal(domain_ping_decode(hex("02 0102030405060708 ffffffffffffffff"), &p), 0);
	assert_int_equal(p.type, PING_PUBLIC);
	assert_true(p.time_usec == UINT64_C(0x0807060504030201));
	assert_true(p.connection_id == -1);
	domain_ping_encode(&ping, &p);
	assert_written(&ping, "02 0102030405060708 ffffffffffffffff");
	assert_int_equal(domain_ping_decode(hex("02 0102030405060708"), &p), -EBADMSG);

	assert_int_equal(domain_ping_reply_decode(hex("01 0100000000000000 0200000000000000"),
						  false, &reply),
			 0);
	assert_true(reply.ping_time_usec == 1 && reply.reply_time == 2);
	domain_ping_reply_encode(&wr, &reply);
	assert_written(&wr, "01 0100000000000000 0200000000000000");
	/* The SDK, 01 section 13.4. */
	assert_int_equal(
		domain_ping_reply_decode(hex("01 0000000000000001 0000000000000002"), true, &reply),
		0);
	assert_true(reply.ping_time_usec == 1 && reply.reply_time == 2);
}

static void test_signaling(void **state)
{
	struct span json;
	WRITER(wr);

	domain_signaling_encode(&wr, span_of("{}", 2));
	assert_written(&wr, "02000000 7b7d");
	assert_int_equal(domain_signaling_decode(span_of(wr.data, wr.len), &json), 0);
	assert_span(json, "{}");
	assert_int_equal(domain_signaling_decode(hex("02000000 c328"), &json), -EBADMSG);
	assert_int_equal(domain_signaling_decode(hex("03000000 7b7d"), &json), -EBADMSG);
	assert_int_equal(domain_signaling_decode(hex("01000000 7b7d"), &json), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_connect_request_of_the_sdk),
		cmocka_unit_test(test_connect_request_with_every_address_length),
		cmocka_unit_test(test_connect_request_may_end_early),
		cmocka_unit_test(test_connect_request_refuses_what_is_malformed),
		cmocka_unit_test(test_list_request),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_list_without_nodes_is_still_sent),
		cmocka_unit_test(test_long_list_takes_packets_of_whole_records),
		cmocka_unit_test(test_malformed_lists),
		cmocka_unit_test(test_null_address_depends_on_the_reader),
		cmocka_unit_test(test_null_address_of_a_native_node_reads_as_zero),
		cmocka_unit_test(test_uuid_payloads),
		cmocka_unit_test(test_denied),
		cmocka_unit_test(test_path_query_and_response),
		cmocka_unit_test(test_request_assignment),
		cmocka_unit_test(test_create_assignment),
		cmocka_unit_test(test_small_packets),
		cmocka_unit_test(test_pings),
		cmocka_unit_test(test_signaling),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
