/* The batched socket over loopback. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "net/udp-socket.h"

#define DEADLINE_MSEC 5000

struct inbox {
	unsigned n;
	size_t last_len;
	uint8_t last[2048];
	struct hifi_addr from;
	uint64_t sum;
};

static void on_datagram(void *userdata, const struct hifi_addr *from, uint8_t *data, size_t len,
			uint64_t now_usec)
{
	struct inbox *in = userdata;

	in->n++;
	in->last_len = len;
	memcpy(in->last, data, len);
	in->from = *from;
	in->sum += len > 0 ? data[0] : 0;
	assert_true(now_usec > 0);
}

static void wait_readable(const struct udp_socket *s)
{
	struct pollfd p = {.fd = udp_socket_fd(s), .events = POLLIN};

	assert_int_equal(poll(&p, 1, DEADLINE_MSEC), 1);
}

static void receive_until(struct udp_socket *s, struct inbox *in, unsigned n)
{
	while (in->n < n) {
		wait_readable(s);
		assert_true(udp_socket_receive(s, 4, on_datagram, in) >= 0);
	}
}

static struct hifi_addr loopback(const struct udp_socket *s)
{
	return hifi_addr_from_ipv4(SOCKET_TYPE_UDP, INADDR_LOOPBACK, udp_socket_port(s));
}

static void test_datagrams_of_several_batches(void **state)
{
	_cleanup_(udp_socket_freep) struct udp_socket *a = NULL, *b = NULL;
	struct inbox in = {0};
	struct hifi_addr to, from;
	uint64_t sum = 0;

	assert_int_equal(udp_socket_new(0, true, &a), 0);
	assert_int_equal(udp_socket_new(0, true, &b), 0);
	to = loopback(b);
	from = loopback(a);

	for (unsigned i = 0; i < 200; i++) {
		uint8_t head = (uint8_t) i, tail[99] = {0};
		struct iovec iov[] = {{&head, 1}, {NULL, 0}, {tail, sizeof(tail)}};

		assert_int_equal(udp_socket_send(a, &to, iov, ELEMENTSOF(iov)), 0);
		sum += head;
	}
	assert_int_equal(udp_socket_stats(a)->sent_packets, 192);
	udp_socket_flush(a);
	assert_int_equal(udp_socket_stats(a)->sent_packets, 200);
	assert_int_equal(udp_socket_stats(a)->sent_bytes, 20000);
	assert_int_equal(udp_socket_stats(a)->send_calls, 4);

	receive_until(b, &in, 200);
	assert_int_equal(in.n, 200);
	assert_int_equal(in.sum, sum);
	assert_int_equal(in.last_len, 100);
	assert_true(hifi_addr_equal(&in.from, &from));
	assert_int_equal(udp_socket_stats(b)->received_packets, 200);
	assert_int_equal(udp_socket_stats(b)->received_bytes, 20000);
	assert_int_equal(udp_socket_receive(b, 4, on_datagram, &in), 0);
}

struct order {
	size_t lens[64];
	uint8_t marks[64];
	unsigned n;
};

static void note_order(void *userdata, const struct hifi_addr *from, uint8_t *data, size_t len,
		       uint64_t now_usec)
{
	struct order *o = userdata;

	o->lens[o->n] = len;
	o->marks[o->n++] = len > 0 ? data[0] : 0;
}

/* Runs of one length to one address leave as one, and arrive as the datagrams they are, in order.
 */
static void test_runs_arrive_as_they_were(void **state)
{
	static const size_t lens[] = {1464, 1464, 1464, 200,  200,  200, 100, 100,
				      0,    0,    1464, 1464, 1,    1,   2,   2000,
				      2000, 2000, 1472, 1472, 1472, 64};
	_cleanup_(udp_socket_freep) struct udp_socket *a = NULL, *b = NULL, *c = NULL;
	static uint8_t data[2048];
	struct order at_b = {0}, at_c = {0};
	struct hifi_addr to_b, to_c;

	assert_int_equal(udp_socket_new(0, true, &a), 0);
	assert_int_equal(udp_socket_new(0, true, &b), 0);
	assert_int_equal(udp_socket_new(0, true, &c), 0);
	to_b = loopback(b);
	to_c = loopback(c);
	for (unsigned i = 0; i < ELEMENTSOF(lens); i++) {
		data[0] = (uint8_t) (i + 1);
		assert_int_equal(udp_socket_send(a, &to_b, &(struct iovec){data, lens[i]}, 1), 0);
		if (i % 4 == 3)
			assert_int_equal(
				udp_socket_send(a, &to_c, &(struct iovec){data, lens[i]}, 1), 0);
	}
	udp_socket_flush(a);
	assert_int_equal(udp_socket_stats(a)->send_calls, 1);
	assert_int_equal(udp_socket_stats(a)->send_drops, 0);

	wait_readable(b);
	wait_readable(c);
	assert_int_equal(udp_socket_receive(b, 4, note_order, &at_b), ELEMENTSOF(lens));
	assert_int_equal(udp_socket_receive(c, 4, note_order, &at_c), ELEMENTSOF(lens) / 4);
	for (unsigned i = 0; i < ELEMENTSOF(lens); i++) {
		assert_int_equal(at_b.lens[i], lens[i]);
		assert_int_equal(at_b.marks[i], lens[i] > 0 ? i + 1 : 0);
	}
	for (unsigned i = 0; i < at_c.n; i++)
		assert_int_equal(at_c.lens[i], lens[4 * i + 3]);
}

static void test_max_batches_bounds_a_call(void **state)
{
	_cleanup_(udp_socket_freep) struct udp_socket *a = NULL, *b = NULL;
	struct inbox in = {0};
	struct hifi_addr to;

	assert_int_equal(udp_socket_new(0, true, &a), 0);
	assert_int_equal(udp_socket_new(0, true, &b), 0);
	to = loopback(b);
	for (unsigned i = 0; i < 192; i++)
		assert_int_equal(udp_socket_send(a, &to, &(struct iovec){"x", 1}, 1), 0);
	wait_readable(b);
	assert_int_equal(udp_socket_receive(b, 1, on_datagram, &in), 64);
	receive_until(b, &in, 192);
}

static void test_ipv6_and_ipv4_meet_on_one_socket(void **state)
{
	_cleanup_(udp_socket_freep) struct udp_socket *a = NULL, *b = NULL;
	struct hifi_addr to4, to6;
	struct inbox in = {0};

	assert_int_equal(udp_socket_new(0, false, &a), 0);
	assert_int_equal(udp_socket_new(0, false, &b), 0);
	to4 = loopback(b);
	assert_int_equal(udp_socket_send(a, &to4, &(struct iovec){"4", 1}, 1), 0);
	udp_socket_flush(a);
	receive_until(b, &in, 1);
	assert_true(hifi_addr_is_ipv4(&in.from));
	assert_int_equal(in.from.port, udp_socket_port(a));

	assert_int_equal(hifi_addr_parse("[::1]:1", SOCKET_TYPE_UDP, &to6), 0);
	to6.port = udp_socket_port(b);
	if (udp_socket_send(a, &to6, &(struct iovec){"6", 1}, 1) < 0)
		skip(); /* no IPv6 here */
	udp_socket_flush(a);
	if (udp_socket_stats(a)->send_drops > 0)
		skip();
	receive_until(b, &in, 2);
	assert_true(hifi_addr_is_loopback(&in.from));
	assert_false(hifi_addr_is_ipv4(&in.from));
}

static void test_sizes(void **state)
{
	_cleanup_(udp_socket_freep) struct udp_socket *a = NULL, *b = NULL;
	struct sockaddr_in6 to_kernel;
	uint8_t data[2049] = {0};
	struct inbox in = {0};
	struct hifi_addr to;

	assert_int_equal(udp_socket_new(0, true, &a), 0);
	assert_int_equal(udp_socket_new(0, true, &b), 0);
	to = loopback(b);
	to_kernel = hifi_addr_to_sockaddr(&to);
	assert_int_equal(udp_socket_send(a, &to, &(struct iovec){data, 2049}, 1), -EMSGSIZE);

	/* Sent past our own check, and followed by the longest and the shortest that are allowed.
	 */
	assert_int_equal(sendto(udp_socket_fd(a), data, 2049, 0, (struct sockaddr *) &to_kernel,
				sizeof(to_kernel)),
			 2049);
	assert_int_equal(udp_socket_send(a, &to, &(struct iovec){data, 2048}, 1), 0);
	assert_int_equal(udp_socket_send(a, &to, NULL, 0), 0);
	udp_socket_flush(a);
	receive_until(b, &in, 2);
	assert_int_equal(in.last_len, 0);
	assert_int_equal(udp_socket_stats(b)->truncated, 1);
	assert_int_equal(udp_socket_stats(b)->received_bytes, 2048);
}

static void test_addresses_that_cannot_be_sent_to(void **state)
{
	_cleanup_(udp_socket_freep) struct udp_socket *a = NULL;
	struct hifi_addr webrtc = hifi_addr_from_ipv4(SOCKET_TYPE_WEBRTC, INADDR_LOOPBACK, 1);
	struct hifi_addr port_0 = hifi_addr_from_ipv4(SOCKET_TYPE_UDP, INADDR_LOOPBACK, 0);
	struct hifi_addr unset = {0}, self;
	struct inbox in = {0};

	assert_int_equal(udp_socket_new(0, true, &a), 0);
	self = loopback(a);
	assert_int_equal(udp_socket_send(a, &webrtc, &(struct iovec){"x", 1}, 1), -EINVAL);
	assert_int_equal(udp_socket_send(a, &unset, &(struct iovec){"x", 1}, 1), -EINVAL);

	/* The kernel refuses port 0: those datagrams are lost, a run of them too, their neighbours
	 * are not. */
	for (unsigned n_refused = 1; n_refused <= 3; n_refused++) {
		assert_int_equal(udp_socket_send(a, &self, &(struct iovec){"x", 1}, 1), 0);
		for (unsigned i = 0; i < n_refused; i++)
			assert_int_equal(udp_socket_send(a, &port_0, &(struct iovec){"x", 1}, 1),
					 0);
		assert_int_equal(udp_socket_send(a, &self, &(struct iovec){"x", 1}, 1), 0);
		udp_socket_flush(a);
	}
	assert_int_equal(udp_socket_stats(a)->send_drops, 6);
	assert_int_equal(udp_socket_stats(a)->sent_packets, 6);
	receive_until(a, &in, 6);
}

/* A socket that reports ICMP errors, as a connected one does. */
static void test_icmp_errors_are_swallowed(void **state)
{
	_cleanup_(udp_socket_freep) struct udp_socket *a = NULL, *gone = NULL;
	struct hifi_addr to, self;
	struct inbox in = {0};
	int on = 1;

	assert_int_equal(udp_socket_new(0, true, &a), 0);
	assert_int_equal(udp_socket_new(0, true, &gone), 0);
	assert_int_equal(setsockopt(udp_socket_fd(a), IPPROTO_IP, IP_RECVERR, &on, sizeof(on)), 0);
	assert_int_equal(setsockopt(udp_socket_fd(a), IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof(on)),
			 0);
	to = loopback(gone);
	self = loopback(a);
	gone = udp_socket_free(gone);

	assert_int_equal(udp_socket_send(a, &to, &(struct iovec){"x", 1}, 1), 0);
	udp_socket_flush(a);
	assert_int_equal(udp_socket_receive(a, 1, on_datagram, &in), 0);
	assert_int_equal(udp_socket_send(a, &self, &(struct iovec){"x", 1}, 1), 0);
	udp_socket_flush(a);
	receive_until(a, &in, 1);
}

static void test_full_receive_buffer_is_counted(void **state)
{
	_cleanup_(udp_socket_freep) struct udp_socket *a = NULL, *b = NULL;
	int size = 8192;
	uint8_t data[1400] = {0};
	struct inbox in = {0};
	struct hifi_addr to;
	unsigned before;

	assert_int_equal(udp_socket_new(0, true, &a), 0);
	assert_int_equal(udp_socket_new(0, true, &b), 0);
	assert_int_equal(setsockopt(udp_socket_fd(b), SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)),
			 0);
	to = loopback(b);
	for (unsigned i = 0; i < 64; i++)
		assert_int_equal(udp_socket_send(a, &to, &(struct iovec){data, sizeof(data)}, 1),
				 0);
	receive_until(b, &in, 1);
	assert_in_range(in.n, 1, 63);

	/* The next one that gets through brings the count. */
	before = in.n;
	assert_int_equal(udp_socket_send(a, &to, &(struct iovec){data, sizeof(data)}, 1), 0);
	udp_socket_flush(a);
	receive_until(b, &in, before + 1);
	assert_int_equal(udp_socket_stats(b)->kernel_drops, 64 - before);
}

static void test_takes_only_udp_sockets(void **state)
{
	struct udp_socket *s = NULL;
	int pipe_fds[2], tcp;

	assert_int_equal(pipe(pipe_fds), 0);
	assert_int_equal(udp_socket_new_from_fd(pipe_fds[0], &s), -ENOTSOCK);
	tcp = socket(AF_INET, SOCK_STREAM, 0);
	assert_true(tcp >= 0);
	assert_int_equal(udp_socket_new_from_fd(tcp, &s), -EPROTOTYPE);
	assert_null(s);
	(void) close(tcp);
	(void) close(pipe_fds[0]);
	(void) close(pipe_fds[1]);
}

/* As systemd would pass it on a machine without IPv6. */
static void test_ipv4_socket_from_outside(void **state)
{
	struct sockaddr_in in4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	_cleanup_(udp_socket_freep) struct udp_socket *s = NULL;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct hifi_addr self, v6;
	struct inbox in = {0};

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *) &in4, sizeof(in4)), 0);
	assert_int_equal(udp_socket_new_from_fd(fd, &s), 0);
	self = loopback(s);
	assert_int_equal(udp_socket_send(s, &self, &(struct iovec){"x", 1}, 1), 0);
	udp_socket_flush(s);
	receive_until(s, &in, 1);
	assert_true(hifi_addr_equal(&in.from, &self));

	/* It was blocking; we never are. */
	assert_int_equal(udp_socket_receive(s, 1, on_datagram, &in), 0);
	assert_int_equal(hifi_addr_parse("[::1]:1", SOCKET_TYPE_UDP, &v6), 0);
	assert_int_equal(udp_socket_send(s, &v6, &(struct iovec){"x", 1}, 1), -EINVAL);
}

static void test_port_in_use(void **state)
{
	_cleanup_(udp_socket_freep) struct udp_socket *a = NULL, *b = NULL;

	assert_int_equal(udp_socket_new(0, false, &a), 0);
	assert_int_equal(udp_socket_new(udp_socket_port(a), false, &b), -EADDRINUSE);
	assert_null(b);
}

static void test_free_sends_what_is_queued(void **state)
{
	_cleanup_(udp_socket_freep) struct udp_socket *a = NULL, *b = NULL;
	struct inbox in = {0};
	struct hifi_addr to;

	assert_int_equal(udp_socket_new(0, true, &a), 0);
	assert_int_equal(udp_socket_new(0, true, &b), 0);
	to = loopback(b);
	assert_int_equal(udp_socket_send(a, &to, &(struct iovec){"x", 1}, 1), 0);
	a = udp_socket_free(a);
	receive_until(b, &in, 1);
	assert_null(udp_socket_free(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_datagrams_of_several_batches),
		cmocka_unit_test(test_runs_arrive_as_they_were),
		cmocka_unit_test(test_max_batches_bounds_a_call),
		cmocka_unit_test(test_ipv6_and_ipv4_meet_on_one_socket),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_addresses_that_cannot_be_sent_to),
		cmocka_unit_test(test_icmp_errors_are_swallowed),
		cmocka_unit_test(test_full_receive_buffer_is_counted),
		cmocka_unit_test(test_takes_only_udp_sockets),
		cmocka_unit_test(test_ipv4_socket_from_outside),
		cmocka_unit_test(test_port_in_use),
		cmocka_unit_test(test_free_sends_what_is_queued),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
