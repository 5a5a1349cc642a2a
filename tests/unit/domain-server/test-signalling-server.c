/* The WebSocket side of signalling: RFC 6455 handshake and frames, limits; protocol 02
 * section 14.1. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "../node/loop.h"
#include "domain-server/listen-socket.h"
#include "domain-server/signalling-server.h"

#define HANDSHAKE                                                                    \
	"GET /any/path HTTP/1.1\r\nHost: localhost\r\nOrigin: https://elsewhere\r\n" \
	"Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"                  \
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

struct state {
	sd_event *event;
	struct signalling_server *server;
	struct sockaddr_storage addr;
	socklen_t addr_len;
	unsigned n_messages;
	struct hifi_addr label; /* of the last message */
	char text[70000];
};

static struct state t;

static void on_message(void *userdata, const struct hifi_addr *label, const char *text, size_t len)
{
	assert_true(len < sizeof(t.text));
	memcpy(t.text, text, len);
	t.text[len] = 0;
	t.label = *label;
	t.n_messages++;
}

/* address: where to listen. */
static void open_server(const char *address)
{
	int fd = listen_socket_tcp(address, 0);

	t = (struct state){.addr_len = sizeof(t.addr)};
	if (fd == -EADDRNOTAVAIL || fd == -EAFNOSUPPORT)
		skip();
	assert_true(fd >= 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *) &t.addr, &t.addr_len), 0);
	assert_int_equal(sd_event_new(&t.event), 0);
	assert_int_equal(signalling_server_new(t.event, fd, on_message, &t, &t.server), 0);
}

static int close_server(void **state)
{
	signalling_server_free(t.server);
	sd_event_unref(t.event);
	return 0;
}

/* --- a client --- */

static int dial(void)
{
	int fd = socket(t.addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	assert_true(connect(fd, (struct sockaddr *) &t.addr, t.addr_len) == 0 ||
		    errno == EINPROGRESS);
	run_for(t.event, 10 * USEC_PER_MSEC);
	return fd;
}

static void put(int fd, const void *data, size_t len)
{
	assert_int_equal(send(fd, data, len, MSG_NOSIGNAL), len);
}

/* What comes until len bytes are there, the peer closes, or a second has passed; returns how many.
 */
static size_t get(int fd, void *data, size_t len)
{
	uint64_t deadline = clock_now_usec() + USEC_PER_SEC;
	size_t have = 0;

	while (have < len && clock_now_usec() < deadline) {
		ssize_t n;

		(void) sd_event_run(t.event, 5 * USEC_PER_MSEC);
		n = recv(fd, (char *) data + have, len - have, 0);
		if (n == 0)
			break;
		if (n > 0)
			have += (size_t) n;
	}
	return have;
}

/* Reads up to the empty line. */
static void get_headers(int fd, char *ret, size_t size)
{
	size_t have = 0;

	do
		assert_int_equal(get(fd, ret + have++, 1), 1);
	while (have + 1 < size && !(have >= 4 && memcmp(ret + have - 4, "\r\n\r\n", 4) == 0));
	ret[have] = 0;
}

static int handshake(void)
{
	char headers[1024];
	int fd = dial();

	put(fd, HANDSHAKE, sizeof(HANDSHAKE) - 1);
	get_headers(fd, headers, sizeof(headers));
	assert_memory_equal(headers, "HTTP/1.1 101", 12);
	/* RFC 6455 section 1.3. */
	assert_non_null(strstr(headers, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
	return fd;
}

/* One masked frame (with the mask 0). */
static size_t make_frame(uint8_t *ret, uint8_t opcode, const char *text, size_t len)
{
	size_t n = 0;

	ret[n++] = 0x80 | opcode;
	if (len < 126) {
		ret[n++] = (uint8_t) (0x80 | len);
	} else {
		ret[n++] = 0x80 | 127;
		for (int shift = 56; shift >= 0; shift -= 8)
			ret[n++] = (uint8_t) ((uint64_t) len >> shift);
	}
	memset(ret + n, 0, 4);
	memcpy(ret + n + 4, text, len);
	return n + 4 + len;
}

static void put_frame(int fd, uint8_t opcode, const char *text, size_t len)
{
	uint8_t *frame = malloc(len + 16);
	size_t n, sent = 0;

	assert_non_null(frame);
	n = make_frame(frame, opcode, text, len);
	while (sent < n) {
		ssize_t r = send(fd, frame + sent, n - sent, MSG_NOSIGNAL);

		if (r < 0 && errno != EAGAIN)
			break;
		sent += r > 0 ? (size_t) r : 0;
		(void) sd_event_run(t.event, USEC_PER_MSEC);
	}
	free(frame);
}

/* --- tests --- */

static void test_messages_go_both_ways(void **state)
{
	static const char text[] = "{\"to\":\"D\",\"echo\":\"hi\"}";
	struct hifi_addr nobody = hifi_addr_from_ipv4(SOCKET_TYPE_WEBRTC, INADDR_LOOPBACK, 9);
	struct sockaddr_in own;
	socklen_t len = sizeof(own);
	uint8_t frame[64];
	int fd;

	open_server("127.0.0.1");
	fd = handshake();
	put_frame(fd, 1, text, strlen(text));
	assert_true(run_until(t.event, &t.n_messages, 1));
	assert_string_equal(t.text, text);

	/* The label is where the client comes from. */
	assert_int_equal(getsockname(fd, (struct sockaddr *) &own, &len), 0);
	assert_int_equal(t.label.type, SOCKET_TYPE_WEBRTC);
	assert_int_equal(t.label.port, ntohs(own.sin_port));
	assert_int_equal(hifi_addr_ipv4(&t.label), INADDR_LOOPBACK);

	t.label.channel = 7; /* an address of a channel names the client, too */
	assert_int_equal(signalling_server_send(t.server, &t.label, "answer"), 0);
	assert_int_equal(get(fd, frame, 8), 8);
	assert_memory_equal(frame,
			    "\x81\x06"
			    "answer",
			    8);
	assert_int_equal(signalling_server_send(t.server, &nobody, "x"), -ENOTCONN);
	(void) close(fd);
	run_for(t.event, 50 * USEC_PER_MSEC);
	assert_int_equal(signalling_server_send(t.server, &t.label, "x"), -ENOTCONN);
}

static void test_ping_is_answered_and_binary_ignored(void **state)
{
	uint8_t frame[16];
	int fd;

	open_server("127.0.0.1");
	fd = handshake();
	put_frame(fd, 2, "binary", 6);
	put_frame(fd, 9, "hello", 5);
	assert_int_equal(get(fd, frame, 7), 7);
	assert_memory_equal(frame, "\x8a\x05hello", 7);
	assert_int_equal(t.n_messages, 0);
	(void) close(fd);
}

static void test_two_clients_have_labels_of_their_own(void **state)
{
	struct hifi_addr first;
	int a, b;

	open_server("127.0.0.1");
	a = handshake();
	b = handshake();
	put_frame(a, 1, "a", 1);
	assert_true(run_until(t.event, &t.n_messages, 1));
	first = t.label;
	put_frame(b, 1, "b", 1);
	assert_true(run_until(t.event, &t.n_messages, 2));
	assert_false(hifi_addr_same_label(&first, &t.label));
	(void) close(a);
	(void) close(b);
}

/* Section 14.2: labels are IPv4, so one is invented, in 240/4. */
static void test_ipv6_client_gets_an_invented_label(void **state)
{
	struct hifi_addr first;
	int a, b;

	open_server("::1");
	a = handshake();
	b = handshake();
	put_frame(a, 1, "a", 1);
	assert_true(run_until(t.event, &t.n_messages, 1));
	first = t.label;
	assert_int_equal(hifi_addr_ipv4(&first) >> 28, 15);
	put_frame(b, 1, "b", 1);
	assert_true(run_until(t.event, &t.n_messages, 2));
	assert_int_equal(hifi_addr_ipv4(&first), hifi_addr_ipv4(&t.label));
	assert_int_not_equal(first.port, t.label.port);
	(void) close(a);
	(void) close(b);
}

static void test_frame_right_behind_the_handshake(void **state)
{
	uint8_t data[512];
	size_t n = sizeof(HANDSHAKE) - 1;
	char headers[1024];
	int fd;

	open_server("127.0.0.1");
	fd = dial();
	memcpy(data, HANDSHAKE, n);
	n += make_frame(data + n, 1, "early", 5);
	put(fd, data, n);
	get_headers(fd, headers, sizeof(headers));
	assert_true(run_until(t.event, &t.n_messages, 1));
	assert_string_equal(t.text, "early");
	(void) close(fd);
}

static void test_other_requests_are_refused(void **state)
{
	static const struct {
		const char *request;
		const char *status;
	} cases[] = {
		{"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 426"},
		{"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 426"},
		{"GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
		 "Sec-WebSocket-Version: 8\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
		 "HTTP/1.1 400"},
		{"GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
		 "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: short\r\n\r\n",
		 "HTTP/1.1 400"},
	};

	open_server("127.0.0.1");
	for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
		char headers[1024];
		int fd = dial();

		put(fd, cases[i].request, strlen(cases[i].request));
		get_headers(fd, headers, sizeof(headers));
		assert_memory_equal(headers, cases[i].status, 12);
		(void) close(fd);
	}
	assert_int_equal(t.n_messages, 0);
}

static void assert_closed_with(int fd, uint16_t code)
{
	uint8_t frame[4];

	assert_int_equal(get(fd, frame, 4), 4);
	assert_int_equal(frame[0], 0x88);
	assert_int_equal(frame[2] << 8 | frame[3], code);
}

static void test_too_long_a_message_ends_it(void **state)
{
	static char text[65537];
	int fd;

	open_server("127.0.0.1");
	memset(text, 'x', sizeof(text));
	fd = handshake();
	put_frame(fd, 1, text, 65536);
	assert_true(run_until(t.event, &t.n_messages, 1));
	put_frame(fd, 1, text, 65537);
	assert_closed_with(fd, 1009);
	assert_int_equal(t.n_messages, 1);
	(void) close(fd);
}

static void test_flood_ends_it(void **state)
{
	int fd;

	open_server("127.0.0.1");
	fd = handshake();
	for (int i = 0; i < 600; i++)
		put_frame(fd, 1, "x", 1);
	assert_closed_with(fd, 1008);
	assert_in_range(t.n_messages, 300, 500);
	(void) close(fd);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, close_server)
	const struct CMUnitTest tests[] = {
		TEST(test_messages_go_both_ways),
		TEST(test_ping_is_answered_and_binary_ignored),
		TEST(test_two_clients_have_labels_of_their_own),
		TEST(test_ipv6_client_gets_an_invented_label),
		TEST(test_frame_right_behind_the_handshake),
		TEST(test_other_requests_are_refused),
		TEST(test_too_long_a_message_ends_it),
		TEST(test_flood_ends_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
