/* What the packet layer costs one core: hashes, headers, the socket in and out over loopback (with
 * one system call a packet beside it, for comparison), reliable connections. Prints one line per
 * figure: name, value, unit.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "net/message-assembler.h"
#include "net/reliable-connection.h"
#include "net/udp-socket.h"

#define RUNS        9
#define BURST       640 /* datagrams that a socket buffer of a megabyte holds with ease */
#define BURSTS      50
#define LINK_MAX    8192
#define MESSAGE_LEN (4 * 1024 * 1024)
#define SMALL_COUNT 200000

static void die(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

static void report(const char *name, size_t len, double value, const char *unit)
{
	printf("%-32s %5zu bytes %12.1f %s\n", name, len, value, unit);
}

/* The least time of a call of f, in nanoseconds. */
static double best_nsec(void (*f)(void *userdata), void *userdata, unsigned calls)
{
	double best = 1e18;

	for (unsigned run = 0; run < RUNS; run++) {
		uint64_t start = clock_now_usec();

		for (unsigned i = 0; i < calls; i++)
			f(userdata);
		best = MIN(best, (double) (clock_now_usec() - start) * 1000 / calls);
	}
	return best;
}

/* --- pure functions --- */

struct packet_bench {
	struct hmac_key key;
	uint8_t datagram[PACKET_MAX];
	size_t len;
	struct span payload;
	volatile uint64_t sink;
};

static void seal_once(void *userdata)
{
	struct packet_bench *b = userdata;
	struct packet_seal seal = {.type = PACKET_MIXED_AUDIO, .source = 1, .key = &b->key};
	uint8_t nl[PACKET_NL_MAX];

	b->sink += packet_seal_encode(&seal, &b->payload, 1, nl) + nl[4];
}

static void verify_once(void *userdata)
{
	struct packet_bench *b = userdata;
	struct packet p;

	if (packet_decode(b->datagram, b->len, false, &p) < 0)
		abort();
	b->sink += hmac_verify(&b->key, p.payload, p.hash);
}

static void decode_once(void *userdata)
{
	struct packet_bench *b = userdata;
	struct packet p;

	if (packet_decode(b->datagram, b->len, false, &p) < 0)
		abort();
	b->sink += p.type;
}

static void bench_packets(size_t payload_len)
{
	struct packet_bench b = {.len = PACKET_UDT_LEN + PACKET_NL_MAX + payload_len};
	struct packet_seal seal = {.type = PACKET_MIXED_AUDIO, .source = 1, .key = &b.key};
	struct udt_header udt = {.seq = 1};
	struct uuid secret = uuid_random();
	size_t n;

	hmac_key_init(&b.key, &secret);
	b.payload = span_of(b.datagram + PACKET_UDT_LEN + PACKET_NL_MAX, payload_len);
	n = udt_header_encode(&udt, b.datagram);
	(void) packet_seal_encode(&seal, &b.payload, 1, b.datagram + n);

	report("packet: decode", b.len, best_nsec(decode_once, &b, 200000), "ns");
	report("packet: sign and write header", b.len, best_nsec(seal_once, &b, 50000), "ns");
	report("packet: decode and verify", b.len, best_nsec(verify_once, &b, 50000), "ns");
}

/* --- the socket --- */

struct socket_bench {
	struct udp_socket *from, *to, *also_to;
	struct hifi_addr addr, also_addr;
	uint8_t data[PACKET_MAX];
	size_t len;
	unsigned n_received;
};

static void on_datagram(void *userdata, const struct hifi_addr *from, uint8_t *data, size_t len,
			uint64_t now_usec)
{
	((struct socket_bench *) userdata)->n_received++;
}

static void send_to(struct socket_bench *b, const struct hifi_addr *to)
{
	struct iovec iov[] = {{b->data, 24}, {b->data + 24, b->len - 24}};

	if (udp_socket_send(b->from, to, iov, ELEMENTSOF(iov)) < 0)
		die("udp_socket_send");
}

/* To one peer, as bulk goes. */
static void send_run(struct socket_bench *b)
{
	for (unsigned i = 0; i < BURST; i++)
		send_to(b, &b->addr);
	udp_socket_flush(b->from);
}

/* No two in a row to one peer, as a mix to each listener goes. */
static void send_scattered(struct socket_bench *b)
{
	for (unsigned i = 0; i < BURST; i++)
		send_to(b, i % 2 ? &b->addr : &b->also_addr);
	udp_socket_flush(b->from);
}

static void receive_batched(struct socket_bench *b)
{
	if (udp_socket_receive(b->to, BURST, on_datagram, b) < 0 ||
	    udp_socket_receive(b->also_to, BURST, on_datagram, b) < 0)
		die("udp_socket_receive");
}

static void send_singly(struct socket_bench *b)
{
	struct sockaddr_in6 to = hifi_addr_to_sockaddr(&b->addr);

	for (unsigned i = 0; i < BURST; i++)
		if (sendto(udp_socket_fd(b->from), b->data, b->len, 0, (struct sockaddr *) &to,
			   sizeof(to)) < 0)
			die("sendto");
}

static void receive_singly(struct socket_bench *b)
{
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);
	uint8_t data[2048];

	while (recvfrom(udp_socket_fd(b->to), data, sizeof(data), 0, (struct sockaddr *) &from,
			&len) >= 0) {
		struct hifi_addr addr = hifi_addr_from_sockaddr(&from);

		on_datagram(b, &addr, data, b->len, clock_now_usec());
	}
}

/* Sends a burst, then receives it, each part timed by itself. Over loopback sending includes the
 * kernel's work of queueing at the receiver. */
static void bench_bursts(struct socket_bench *b, const char *how,
			 void (*send)(struct socket_bench *b),
			 void (*receive)(struct socket_bench *b))
{
	uint64_t out_usec = UINT64_MAX, in_usec = UINT64_MAX;
	char name[64];

	for (unsigned i = 0; i < BURSTS; i++) {
		uint64_t start = clock_now_usec(), middle;

		b->n_received = 0;
		send(b);
		middle = clock_now_usec();
		receive(b);
		out_usec = MIN(out_usec, middle - start);
		in_usec = MIN(in_usec, clock_now_usec() - middle);
		if (b->n_received != BURST) {
			errno = EIO;
			die("a burst over loopback");
		}
	}
	(void) snprintf(name, sizeof(name), "socket: out, %s", how);
	report(name, b->len, BURST * 1000.0 / (double) out_usec, "packets/ms");
	(void) snprintf(name, sizeof(name), "socket: in, %s", how);
	report(name, b->len, BURST * 1000.0 / (double) in_usec, "packets/ms");
}

static void bench_socket(size_t len)
{
	struct socket_bench b = {.len = len};

	if (udp_socket_new(0, true, &b.from) < 0 || udp_socket_new(0, true, &b.to) < 0 ||
	    udp_socket_new(0, true, &b.also_to) < 0)
		die("udp_socket_new");
	b.addr = hifi_addr_from_ipv4(SOCKET_TYPE_UDP, INADDR_LOOPBACK, udp_socket_port(b.to));
	b.also_addr =
		hifi_addr_from_ipv4(SOCKET_TYPE_UDP, INADDR_LOOPBACK, udp_socket_port(b.also_to));
	bench_bursts(&b, "to one peer", send_run, receive_batched);
	bench_bursts(&b, "to many peers", send_scattered, receive_batched);
	bench_bursts(&b, "one system call each", send_singly, receive_singly);
	b.from = udp_socket_free(b.from);
	b.to = udp_socket_free(b.to);
	b.also_to = udp_socket_free(b.also_to);
}

/* --- reliable connections: a pair in memory, with simulated time and a round trip of 20 ms --- */

struct datagram {
	uint64_t due_usec;
	size_t len;
	uint8_t data[PACKET_MAX];
};

struct end {
	struct end *other;
	struct reliable_connection *connection;
	struct message_assembler *assembler;
	struct datagram *link; /* a ring, towards this end */
	unsigned first, count;
	unsigned n_received;
	uint64_t *now_usec;
};

static int on_send(void *userdata, const struct iovec *iov, unsigned n_iov, bool control)
{
	struct end *to = ((struct end *) userdata)->other;
	struct datagram *d = &to->link[(to->first + to->count) % LINK_MAX];

	if (to->count == LINK_MAX)
		return -ENOBUFS;
	to->count++;
	d->due_usec = *to->now_usec + 10 * USEC_PER_MSEC;
	d->len = 0;
	for (unsigned i = 0; i < n_iov; i++) {
		if (iov[i].iov_len > 0)
			memcpy(d->data + d->len, iov[i].iov_base, iov[i].iov_len);
		d->len += iov[i].iov_len;
	}
	return 0;
}

static void receive(struct end *e, struct datagram *d)
{
	struct control_packet control;
	struct packet p, first;
	struct span whole;

	if (datagram_is_control(d->data)) {
		if (control_decode(d->data, d->len, &control) == 0)
			reliable_connection_receive_control(e->connection, &control, *e->now_usec);
		return;
	}
	if (packet_decode(d->data, d->len, false, &p) < 0 ||
	    !reliable_connection_receive_data(e->connection, p.udt.seq, *e->now_usec))
		return;
	if (!p.udt.in_message ||
	    message_assembler_add(e->assembler, &p, *e->now_usec, &whole, &first) == 1)
		e->n_received++;
}

static uint64_t next_due(const struct end *e)
{
	return e->count > 0 ? e->link[e->first].due_usec : USEC_INFINITY;
}

static void receive_due(struct end *e)
{
	while (next_due(e) <= *e->now_usec) {
		struct datagram *d = &e->link[e->first];

		e->first = (e->first + 1) % LINK_MAX;
		e->count--;
		receive(e, d);
	}
}

static void run_pair(struct end *ends, uint64_t *now_usec, unsigned until)
{
	while (ends[1].n_received < until) {
		*now_usec = MIN(MIN(next_due(&ends[0]), next_due(&ends[1])),
				reliable_connection_next_usec(ends[0].connection));
		if (*now_usec == USEC_INFINITY) {
			errno = EIO;
			die("a pair of reliable connections");
		}
		receive_due(&ends[0]);
		receive_due(&ends[1]);
		reliable_connection_run(ends[0].connection, *now_usec);
	}
}

static void end_init(struct end *e, struct end *other, struct message_budget *budget,
		     uint64_t *now_usec)
{
	const struct reliable_connection_ops ops = {.send = on_send};
	const struct reliable_connection_options options = {.queue_limit_bytes = 256 * 1024 * 1024};

	e->other = other;
	e->now_usec = now_usec;
	e->link = calloc(LINK_MAX, sizeof(*e->link));
	if (!e->link || message_assembler_new(budget, &e->assembler) < 0 ||
	    reliable_connection_new(&options, &ops, e, 1, &e->connection) < 0)
		die("memory");
}

static void end_done(struct end *e)
{
	e->connection = reliable_connection_free(e->connection);
	e->assembler = message_assembler_free(e->assembler);
	free(e->link);
}

static void bench_reliable(const char *name, size_t len, unsigned count, bool is_message)
{
	_cleanup_(shared_bytes_unrefp) struct shared_bytes *payload = NULL;
	struct message_budget budget = {.limit_bytes = SIZE_MAX};
	struct reliable_connection_stats stats;
	struct uuid secret = uuid_random();
	struct hmac_key key;
	struct packet_seal seal = {.type = PACKET_ENTITY_DATA, .source = 1, .key = &key};
	uint64_t now_usec = USEC_PER_SEC, start;
	struct end ends[2] = {0};
	uint8_t *data = calloc(1, len);

	payload = data ? shared_bytes_new(data, len) : NULL;
	if (!payload)
		die("memory");
	hmac_key_init(&key, &secret);
	end_init(&ends[0], &ends[1], &budget, &now_usec);
	end_init(&ends[1], &ends[0], &budget, &now_usec);

	start = clock_cpu_usec();
	for (unsigned i = 0; i < count; i++) {
		if (is_message)
			(void) reliable_connection_send_message(ends[0].connection, &seal, payload,
								now_usec);
		else
			(void) reliable_connection_send(ends[0].connection, &seal,
							span_of(data, len), now_usec);
	}
	run_pair(ends, &now_usec, count);
	reliable_connection_get_stats(ends[0].connection, &stats);
	report(name, len, (double) (clock_cpu_usec() - start) * 1000 / (double) stats.sent,
	       "ns/packet, both ends");
	free(data);
	end_done(&ends[0]);
	end_done(&ends[1]);
}

int main(void)
{
	bench_packets(100);
	bench_packets(1400);
	bench_socket(100);
	bench_socket(1400);
	bench_reliable("reliable: packets", 100, SMALL_COUNT, false);
	bench_reliable("reliable: messages", MESSAGE_LEN, 4, true);
	return 0;
}
