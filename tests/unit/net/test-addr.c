/* Addresses: text, kernel and wire forms (protocol 01 section 12.2). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>

#include "hex.h"
#include "net/addr.h"

static struct hifi_addr addr_of(const char *text)
{
	struct hifi_addr a;

	assert_int_equal(hifi_addr_parse(text, SOCKET_TYPE_UDP, &a), 0);
	return a;
}

static void test_text_both_ways(void **state)
{
	static const char *const texts[] = {"192.0.2.1:40102", "[2001:db8::1]:40102", "0.0.0.0:0",
					    "[::]:1", "[fe80::1234:5678:9abc:def0]:65535"};
	struct hifi_addr a;

	for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
		a = addr_of(texts[i]);
		assert_string_equal(HIFI_ADDR_TEXT(&a), texts[i]);
	}

	assert_int_equal(hifi_addr_parse("192.0.2.1:40102", SOCKET_TYPE_WEBRTC, &a), 0);
	assert_string_equal(HIFI_ADDR_TEXT(&a), "webrtc:192.0.2.1:40102");
	assert_string_equal(hifi_addr_format_ip(&a, (char[HIFI_ADDR_TEXT_MAX]){0}), "192.0.2.1");
}

static void test_malformed_text(void **state)
{
	static const char *const texts[] = {
		"",
		":",
		"192.0.2.1",
		"192.0.2.1:",
		"192.0.2.1:65536",
		"192.0.2.1:+1",
		"192.0.2.1: 1",
		"192.0.2.1:1 ",
		"192.0.2:1",
		"192.0.2.256:1",
		"2001:db8::1:40102",
		"[2001:db8::1]",
		"[::1",
		"[::1]40102",
		"[192.0.2.1]:1",
		"192.0.2.1:000001",
		"localhost:40102",
		"[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0001]:1",
	};
	struct hifi_addr a;

	for (size_t i = 0; i < ELEMENTSOF(texts); i++)
		assert_int_equal(hifi_addr_parse(texts[i], SOCKET_TYPE_UDP, &a), -EINVAL);
}

static void test_kernel_forms(void **state)
{
	struct sockaddr_in in = {.sin_family = AF_INET,
				 .sin_port = htons(40102),
				 .sin_addr.s_addr = htonl(0xc0000201)};
	struct sockaddr_storage ss = {0};
	struct sockaddr_in6 in6;
	struct hifi_addr a, b;

	memcpy(&ss, &in, sizeof(in));
	a = hifi_addr_from_sockaddr(&ss);
	assert_string_equal(HIFI_ADDR_TEXT(&a), "192.0.2.1:40102");
	assert_true(hifi_addr_is_ipv4(&a));
	assert_int_equal(hifi_addr_ipv4(&a), 0xc0000201);

	/* What a dual-stack socket yields for the same peer is the same address. */
	in6 = hifi_addr_to_sockaddr(&a);
	assert_true(IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr));
	memcpy(&ss, &in6, sizeof(in6));
	b = hifi_addr_from_sockaddr(&ss);
	assert_true(hifi_addr_equal(&a, &b));

	ss.ss_family = AF_UNIX;
	a = hifi_addr_from_sockaddr(&ss);
	assert_false(hifi_addr_is_set(&a));
}

static void test_classes(void **state)
{
	static const char *const private_texts[] = {
		"127.0.0.1:1",      "127.255.0.1:1", "10.1.2.3:1",    "172.16.0.1:1",
		"172.31.255.255:1", "192.168.1.1:1", "169.254.1.1:1", "[::1]:1",
		"[fe80::1]:1",      "[febf::1]:1",   "[fd00::1]:1",   "[fc00::1]:1"};
	static const char *const public_texts[] = {
		"172.15.0.1:1",    "172.32.0.1:1", "11.0.0.1:1", "192.169.0.1:1",
		"[2001:db8::1]:1", "[fec0::1]:1",  "[::2]:1"};
	struct hifi_addr a;

	for (size_t i = 0; i < ELEMENTSOF(private_texts); i++) {
		a = addr_of(private_texts[i]);
		assert_true(hifi_addr_is_private(&a));
	}
	for (size_t i = 0; i < ELEMENTSOF(public_texts); i++) {
		a = addr_of(public_texts[i]);
		assert_false(hifi_addr_is_private(&a));
	}

	a = addr_of("0.0.0.0:5");
	assert_true(hifi_addr_is_any(&a));
	a = addr_of("[::]:5");
	assert_true(hifi_addr_is_any(&a));
	a = addr_of("[::1]:5");
	assert_true(hifi_addr_is_loopback(&a));
	assert_false(hifi_addr_is_any(&a));
	assert_int_equal(hifi_addr_ipv4(&a), 0);
}

static void test_labels_ignore_the_channel(void **state)
{
	struct hifi_addr a = hifi_addr_from_ipv4(SOCKET_TYPE_WEBRTC, 0x0a000005, 40200), b = a;

	a.channel = 1;
	b.channel = 2;
	assert_true(hifi_addr_same_label(&a, &b));
	assert_true(hifi_addr_same_ip(&a, &b));
	assert_false(hifi_addr_equal(&a, &b));
	b.type = SOCKET_TYPE_UDP;
	assert_false(hifi_addr_same_label(&a, &b));
	b = a;
	b.port++;
	assert_false(hifi_addr_same_label(&a, &b));
}

/* Reads the whole of hex; text NULL: malformed. */
static void check_read(const char *hex, const char *text, bool is_null)
{
	size_t len;
	_cleanup_free_ uint8_t *bytes = hex_bytes(hex, &len);
	struct reader rd = reader_over(bytes, len);
	bool null = !is_null;
	struct hifi_addr a = read_sockaddr(&rd, SOCKET_TYPE_UDP, &null);

	if (!text) {
		assert_int_equal(reader_finish(&rd), -EBADMSG);
		assert_false(hifi_addr_is_set(&a));
		return;
	}
	assert_int_equal(reader_finish(&rd), 0);
	assert_string_equal(HIFI_ADDR_TEXT(&a), text);
	assert_int_equal(null, is_null);
}

/* 01 section 12.2, and the node record of 02 section 18. */
static void test_reads_qt_host_addresses(void **state)
{
	check_read("00 c0000202 9d08", "192.0.2.2:40200", false);
	check_read("00 7f000001 0000", "127.0.0.1:0", false);
	check_read("00 00000000 0001", "0.0.0.0:1", false);
	check_read("ff 9d08", "0.0.0.0:40200", true);
	check_read("02 9d08", "0.0.0.0:40200", true);
	check_read("01 00000000000000000000000000000001 ffffffff 9d08", "[::1]:40200", false);
	check_read("01 fe800000000000000000000000000001 00000004 00650030 9d08", "[fe80::1]:40200",
		   false);

	check_read("00 c00002", NULL, false);
	check_read("03 c0000202 9d08", NULL, false);
	check_read("01 00000000000000000000000000000001 00000042 9d08", NULL, false);
	check_read("01 00000000000000000000000000000001 00000004 9d08", NULL, false);
	check_read("", NULL, false);
}

static void test_writes_qt_host_addresses(void **state)
{
	struct hifi_addr v4 = addr_of("192.0.2.2:40200"), v6 = addr_of("[::1]:40200"), unset = {0};
	uint8_t buf[64];
	struct writer wr = writer_over(buf, sizeof(buf));

	write_sockaddr(&wr, &v4);
	assert_bytes_hex(buf, wr.len, "00 c0000202 9d08");
	wr = writer_over(buf, sizeof(buf));
	write_sockaddr(&wr, &v6);
	assert_bytes_hex(buf, wr.len, "01 00000000000000000000000000000001 ffffffff 9d08");
	wr = writer_over(buf, sizeof(buf));
	write_sockaddr(&wr, &unset);
	assert_bytes_hex(buf, wr.len, "00 00000000 0000");
	wr = writer_over(buf, sizeof(buf));
	write_sockaddr_null(&wr, 40200);
	assert_bytes_hex(buf, wr.len, "ff 9d08");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_both_ways),
		cmocka_unit_test(test_malformed_text),
		cmocka_unit_test(test_kernel_forms),
		cmocka_unit_test(test_classes),
		cmocka_unit_test(test_labels_ignore_the_channel),
		cmocka_unit_test(test_reads_qt_host_addresses),
		cmocka_unit_test(test_writes_qt_host_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
