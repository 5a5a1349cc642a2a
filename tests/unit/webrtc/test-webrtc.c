/* The whole stack against a client of the test's own (peer.h), over memory: protocol 02 section 16
 * from the offer to the end of the channel, and what goes wrong on the way. Real time, since
 * OpenSSL and usrsctp read the clock; lifetimes are tested by saying that it is later. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/list.h"
#include "peer.h"
#include "webrtc/webrtc.h"

#define DEADLINE_USEC (10 * USEC_PER_SEC)
#define CLIENTS_MAX   4

struct world;

struct datagram {
	struct list link;
	struct client *client;
	bool to_server;
	size_t len;
	uint8_t data[WEBRTC_DATAGRAM_MAX];
};

struct client {
	struct world *world;
	struct peer *peer;
	struct hifi_addr label, udp;
	struct hifi_addr addr; /* from channel_open */
	unsigned opened, closed, writable;
	enum webrtc_close_reason reason;
	unsigned received; /* by the server */
	unsigned messages; /* by the client */
	bool disordered;   /* numbered messages to the client */
	size_t last_len;
	uint32_t last_ppid;
	uint8_t last[128 * 1024];
};

struct world {
	struct webrtc *w;
	struct list wire;
	struct client clients[CLIENTS_MAX];
	bool hold_to_client;     /* datagrams wait */
	unsigned drop_to_client; /* so many are lost */
	unsigned sent_to_client; /* also those lost */
	unsigned loss_percent;
	uint32_t random;
	bool close_on_datagram;
	bool offer_on_close;
};

/* --- the wire --- */

static bool is_lost(struct world *world)
{
	world->random ^= world->random << 13;
	world->random ^= world->random >> 17;
	world->random ^= world->random << 5;
	return world->random % 100 < world->loss_percent;
}

static void put_on_wire(struct client *c, bool to_server, const void *data, size_t len)
{
	struct datagram *d = calloc(1, sizeof(*d));

	assert_non_null(d);
	assert_true(len <= sizeof(d->data));
	d->client = c;
	d->to_server = to_server;
	d->len = len;
	memcpy(d->data, data, len);
	list_append(&c->world->wire, &d->link);
}

static void peer_sends(void *userdata, const void *data, size_t len)
{
	put_on_wire(userdata, true, data, len);
}

static void peer_receives(void *userdata, uint32_t ppid, const uint8_t *data, size_t len)
{
	struct client *c = userdata;
	struct reader rd = reader_over(data, len);

	assert_true(len <= sizeof(c->last));
	c->disordered |= read_u32le(&rd) != c->messages;
	c->messages++;
	c->last_len = len;
	c->last_ppid = ppid;
	memcpy(c->last, data, len);
}

static const struct peer_ops peer_ops = {
	.send = peer_sends,
	.message = peer_receives,
};

static struct client *client_at(struct world *world, const struct hifi_addr *udp)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		if (hifi_addr_equal(&world->clients[i].udp, udp))
			return &world->clients[i];
	fail_msg("sent to %s", HIFI_ADDR_TEXT(udp));
	return NULL;
}

static struct client *client_with(struct world *world, const struct hifi_addr *addr)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		if (hifi_addr_same_label(&world->clients[i].label, addr))
			return &world->clients[i];
	fail_msg("unknown %s", HIFI_ADDR_TEXT(addr));
	return NULL;
}

static void server_sends(void *userdata, const struct hifi_addr *to, const void *data, size_t len)
{
	struct world *world = userdata;

	world->sent_to_client++;
	if (world->drop_to_client > 0)
		world->drop_to_client--;
	else
		put_on_wire(client_at(world, to), false, data, len);
}

static void channel_opens(void *userdata, const struct hifi_addr *addr, const struct hifi_addr *udp)
{
	struct client *c = client_with(userdata, addr);

	assert_true(hifi_addr_equal(udp, &c->udp));
	assert_int_not_equal(addr->channel, 0);
	c->opened++;
	c->addr = *addr;
}

static char *offer_of(struct client *c, bool wrong_fingerprint)
{
	char *text = peer_offer(c->peer, wrong_fingerprint);

	assert_non_null(text);
	return text;
}

static int offer(struct client *c, bool wrong_fingerprint)
{
	_cleanup_free_ char *text = offer_of(c, wrong_fingerprint), *answer = NULL;
	int r = webrtc_offer(c->world->w, &c->label, text, clock_now_usec(), &answer);

	if (r >= 0)
		assert_int_equal(peer_take_answer(c->peer, answer), 0);
	return r;
}

static void channel_closes(void *userdata, const struct hifi_addr *addr,
			   enum webrtc_close_reason reason)
{
	struct world *world = userdata;
	struct client *c = client_with(world, addr);

	assert_true(hifi_addr_equal(addr, &c->addr));
	assert_false(webrtc_is_open(world->w, addr));
	c->closed++;
	c->reason = reason;
	if (world->offer_on_close)
		assert_int_equal(offer(c, false), 0);
}

static void server_receives(void *userdata, const struct hifi_addr *addr, uint8_t *data, size_t len,
			    uint64_t now_usec)
{
	struct world *world = userdata;
	struct client *c = client_with(world, addr);

	c->received++;
	c->last_len = len;
	memcpy(c->last, data, len);
	memset(data, 0, len); /* it is ours to write to */
	if (world->close_on_datagram)
		webrtc_close(world->w, addr, now_usec);
}

static void server_may_write(void *userdata, const struct hifi_addr *addr)
{
	client_with(userdata, addr)->writable++;
}

static const struct webrtc_ops ops = {
	.send = server_sends,
	.channel_open = channel_opens,
	.channel_closed = channel_closes,
	.datagram = server_receives,
	.writable = server_may_write,
};

static void deliver(struct world *world, struct datagram *d)
{
	struct client *c = d->client;

	if (is_lost(world))
		return;
	if (d->to_server)
		(void) webrtc_input(world->w, &c->udp, d->data, d->len, clock_now_usec());
	else if (c->peer)
		peer_input(c->peer, d->data, d->len);
}

/* Carries what is on the wire, and what that leads to. */
static bool carry(struct world *world)
{
	struct list held;
	struct datagram *d;
	bool any = false;

	list_init(&held);
	while ((d = LIST_FIRST(&world->wire, struct datagram, link))) {
		list_remove(&d->link);
		if (!d->to_server && world->hold_to_client) {
			list_append(&held, &d->link);
			continue;
		}
		deliver(world, d);
		free(d);
		any = true;
	}
	while ((d = LIST_FIRST(&held, struct datagram, link))) {
		list_remove(&d->link);
		list_append(&world->wire, &d->link);
	}
	return any;
}

static void run(struct world *world, bool peers_too)
{
	if (!carry(world))
		(void) nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	webrtc_run(world->w, clock_now_usec());
	for (size_t i = 0; peers_too && i < CLIENTS_MAX; i++)
		if (world->clients[i].peer)
			peer_run(world->clients[i].peer);
}

/* Carries on until the condition holds. */
#define wait_until(world, condition)                                   \
	do {                                                           \
		uint64_t _deadline = clock_now_usec() + DEADLINE_USEC; \
		while (!(condition)) {                                 \
			assert_true(clock_now_usec() < _deadline);     \
			run(world, true);                              \
		}                                                      \
	} while (0)

/* --- the fixture --- */

static int setup(void **state)
{
	struct world *world = calloc(1, sizeof(*world));
	struct hifi_addr candidate = hifi_addr_from_ipv4(SOCKET_TYPE_UDP, 0xC0000201, 0);
	struct webrtc_options options = {
		.port = 40102,
		.max_associations = 4,
		.max_pending = 3,
		.max_pending_per_ip = 2,
		.send_buffer_bytes = 48 * 1024, /* less than the largest echo */
		.unreliable_backlog_bytes = 16 * 1024,
	};

	assert_non_null(world);
	list_init(&world->wire);
	world->random = 1;
	assert_int_equal(webrtc_new(&options, &ops, world, &world->w), 0);
	webrtc_set_candidates(world->w, &candidate, 1);
	for (uint16_t i = 0; i < CLIENTS_MAX; i++) {
		struct client *c = &world->clients[i];

		c->world = world;
		/* Two clients share an IP address in their labels. */
		c->label = hifi_addr_from_ipv4(SOCKET_TYPE_WEBRTC, 0xC6336401 + i / 3, 1000 + i);
		c->udp = hifi_addr_from_ipv4(SOCKET_TYPE_UDP, 0xCB007101 + i, 2000 + i);
		assert_int_equal(peer_new(&peer_ops, c, &c->peer), 0);
	}
	*state = world;
	return 0;
}

static int teardown(void **state)
{
	struct world *world = *state;
	struct datagram *d;

	world->offer_on_close = false;
	world->w = webrtc_free(world->w);
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		peer_free(world->clients[i].peer);
	while ((d = LIST_FIRST(&world->wire, struct datagram, link))) {
		list_remove(&d->link);
		free(d);
	}
	free(world);
	return 0;
}

static void check(struct client *c, struct peer_check check)
{
	peer_send_check(c->peer, &check);
	(void) carry(c->world);
}

static void open_channel(struct client *c)
{
	unsigned opened = c->opened;

	assert_int_equal(offer(c, false), 0);
	check(c, (struct peer_check){.nominate = true});
	assert_int_equal(peer_state(c->peer)->checks_answered, 1);
	peer_start(c->peer);
	wait_until(c->world, c->opened == opened + 1 && peer_state(c->peer)->acknowledged);
}

static void renew_peer(struct client *c)
{
	c->peer = peer_free(c->peer);
	assert_int_equal(peer_new(&peer_ops, c, &c->peer), 0);
}

static int send_to(struct client *c, const void *data, size_t len, bool reliable)
{
	struct iovec iov[] = {{(void *) data, len / 2}, {(char *) data + len / 2, len - len / 2}};

	return webrtc_send(c->world->w, &c->addr, iov, 2, reliable, clock_now_usec());
}

static int send_number(struct client *c, uint32_t number, bool reliable)
{
	uint8_t data[1000] = {0};
	struct writer wr = writer_over(data, sizeof(data));

	write_u32le(&wr, number);
	return send_to(c, data, sizeof(data), reliable);
}

static uint64_t drops(struct world *world, enum webrtc_drop drop)
{
	return webrtc_stats(world->w)->dropped[drop];
}

/* --- the good case --- */

static void test_channel(void **state)
{
	struct world *world = *state;
	struct client *c = &world->clients[0];
	struct hifi_addr found, bare = c->label;

	assert_int_equal(webrtc_next_usec(world->w), USEC_INFINITY);
	open_channel(c);
	assert_true(webrtc_next_usec(world->w) < USEC_INFINITY);
	assert_true(webrtc_is_open(world->w, &c->addr));
	assert_int_equal(webrtc_backlog(world->w, &c->label), 0);
	assert_true(webrtc_find(world->w, &bare, &found));
	assert_true(hifi_addr_equal(&found, &c->addr));
	assert_true(webrtc_udp_addr(world->w, &bare, &found));
	assert_true(hifi_addr_equal(&found, &c->udp));
	assert_true(hifi_addr_same_ip(&peer_state(c->peer)->mapped, &c->udp));
	assert_int_equal(peer_state(c->peer)->mapped.port, c->udp.port);

	assert_int_equal(peer_send(c->peer, MESSAGE_PPID_BINARY, "hello", 5), 0);
	wait_until(world, c->received == 1);
	assert_int_equal(c->last_len, 5);
	assert_memory_equal(c->last, "hello", 5);

	assert_int_equal(send_to(c, "reliable", 8, true), 0);
	wait_until(world, c->messages == 1);
	assert_int_equal(send_to(c, "unreliable", 10, false), 0);
	wait_until(world, c->messages == 2);
	assert_int_equal(c->last_ppid, MESSAGE_PPID_BINARY);
	assert_memory_equal(c->last, "unreliable", 10);

	assert_int_equal(webrtc_stats(world->w)->open_channels, 1);
	assert_int_equal(webrtc_stats(world->w)->messages_in, 1);
	assert_int_equal(webrtc_stats(world->w)->messages_out, 2);
}

/* 02 section 14.5: a string beginning with "echo:" comes back as binary; what else is a string is
 * dropped, and a datagram may begin with those bytes. */
static void test_echo(void **state)
{
	struct world *world = *state;
	struct client *c = &world->clients[0];
	static uint8_t large[60005] = "echo:";

	open_channel(c);
	assert_int_equal(peer_send(c->peer, MESSAGE_PPID_STRING, "echo:Hello", 10), 0);
	wait_until(world, c->messages == 1);
	assert_int_equal(c->last_ppid, MESSAGE_PPID_BINARY);
	assert_int_equal(c->last_len, 10);
	assert_memory_equal(c->last, "echo:Hello", 10);

	assert_int_equal(peer_send(c->peer, MESSAGE_PPID_STRING, large, sizeof(large)), 0);
	wait_until(world, c->messages == 2);
	assert_int_equal(c->last_len, sizeof(large));

	assert_int_equal(peer_send(c->peer, MESSAGE_PPID_STRING, "ech", 3), 0);
	assert_int_equal(peer_send(c->peer, MESSAGE_PPID_BINARY, "echo:binary", 11), 0);
	wait_until(world, c->received == 1);
	assert_int_equal(drops(world, WEBRTC_DROP_PPID), 1);
}

static void test_reliable_under_loss(void **state)
{
	struct world *world = *state;
	struct client *c = &world->clients[0];
	uint64_t deadline = clock_now_usec() + DEADLINE_USEC;
	uint32_t sent = 0;

	open_channel(c);
	world->loss_percent = 10;
	while (c->messages < 200) {
		while (sent < 200 && send_number(c, sent, true) == 0)
			sent++;
		assert_true(clock_now_usec() < deadline);
		run(world, true);
	}
	assert_false(c->disordered);
	assert_int_equal(c->messages, 200);
}

/* --- handshakes --- */

/* The timer of our own flight: the client stays silent, so only we can make up for the loss. */
static void test_lost_flight(void **state)
{
	struct world *world = *state;
	struct client *c = &world->clients[0];
	uint64_t begin;
	unsigned flight;

	assert_int_equal(offer(c, false), 0);
	check(c, (struct peer_check){.nominate = true});
	world->drop_to_client = 1000;
	world->sent_to_client = 0;
	peer_start(c->peer);
	while (carry(world))
		;
	flight = world->sent_to_client;
	assert_true(flight > 0);

	begin = clock_now_usec();
	while (world->sent_to_client == flight) {
		assert_true(clock_now_usec() < begin + USEC_PER_SEC);
		run(world, false);
	}

	/* And the next repetition completes the handshake. */
	world->drop_to_client = 0;
	while (!peer_state(c->peer)->dtls_up) {
		assert_true(clock_now_usec() < begin + 3 * USEC_PER_SEC);
		run(world, false);
	}
	wait_until(world, c->opened == 1);
}

static void test_handshake_under_loss(void **state)
{
	struct world *world = *state;
	struct client *c = &world->clients[0];

	assert_int_equal(offer(c, false), 0);
	check(c, (struct peer_check){.nominate = true});
	world->loss_percent = 15;
	peer_start(c->peer);
	wait_until(world, c->opened == 1);
}

static void test_wrong_certificate(void **state)
{
	struct world *world = *state;
	struct client *c = &world->clients[0];

	assert_int_equal(offer(c, true), 0);
	check(c, (struct peer_check){.nominate = true});
	peer_start(c->peer);
	wait_until(world, peer_state(c->peer)->dtls_failed);
	assert_int_equal(c->opened, 0);
	assert_int_equal(drops(world, WEBRTC_DROP_FINGERPRINT), 1);
	assert_int_equal(webrtc_stats(world->w)->associations, 0);
	assert_int_equal(webrtc_stats(world->w)->closed[WEBRTC_CLOSED_ERROR], 1);
}

static void test_garbage_from_peer(void **state)
{
	struct world *world = *state;
	struct client *c = &world->clients[0];
	uint8_t native[20] = {0x01, 0, 0, 0, 0x1f, 0x1b}, record[40] = {23, 254, 253};

	open_channel(c);
	put_on_wire(c, true, native, sizeof(native));
	put_on_wire(c, true, native, 1);
	put_on_wire(c, true, record, sizeof(record));
	(void) carry(world);
	assert_int_equal(drops(world, WEBRTC_DROP_NOT_DTLS), 2);

	/* A record that nobody signed changes nothing. */
	assert_int_equal(peer_send(c->peer, MESSAGE_PPID_BINARY, "still", 5), 0);
	wait_until(world, c->received == 1);
}

/* --- ICE --- */

static void test_native_packets_pass(void **state)
{
	struct world *world = *state;
	struct client *c = &world->clients[0];
	struct hifi_addr stranger = hifi_addr_from_ipv4(SOCKET_TYPE_UDP, 0x0A000001, 40000);
	uint8_t connect_request[] = {1, 0, 0, 0, 0x1f, 0x1b, 0, 0};
	uint8_t response[20] = {0x01, 0x01, 0, 0, 0x21, 0x12, 0xa4, 0x42};
	uint8_t indication[20] = {0x00, 0x11, 0, 0, 0x21, 0x12, 0xa4, 0x42};

	open_channel(c);
	assert_int_equal(webrtc_input(world->w, &stranger, connect_request, sizeof(connect_request),
				      clock_now_usec()),
			 WEBRTC_NATIVE);
	assert_int_equal(webrtc_input(world->w, &stranger, connect_request, 1, clock_now_usec()),
			 WEBRTC_NATIVE);
	assert_int_equal(
		webrtc_input(world->w, &stranger, response, sizeof(response), clock_now_usec()),
		WEBRTC_STUN_RESPONSE);
	world->sent_to_client = 0;
	assert_int_equal(
		webrtc_input(world->w, &stranger, indication, sizeof(indication), clock_now_usec()),
		WEBRTC_CONSUMED);
	assert_int_equal(world->sent_to_client, 0);
}

static void test_unauthenticated_checks_are_not_answered(void **state)
{
	struct world *world = *state;
	struct client *c = &world->clients[0];
	struct hifi_addr udp;

	assert_int_equal(offer(c, false), 0);
	check(c, (struct peer_check){.wrong_password = true});
	check(c, (struct peer_check){.unknown_user = true});
	check(c, (struct peer_check){.wrong_password = true, .extra_attribute = 0x0033});
	check(c, (struct peer_check){.other_peer = true});
	assert_int_equal(world->sent_to_client, 0);
	assert_int_equal(drops(world, WEBRTC_DROP_STUN_UNAUTHENTICATED), 3);
	assert_int_equal(drops(world, WEBRTC_DROP_STUN_UNKNOWN_USER), 1);
	assert_false(webrtc_udp_addr(world->w, &c->label, &udp));

	/* Nor is its source one of ours. */
	assert_int_equal(webrtc_input(world->w, &c->udp, (uint8_t[]){22, 254, 255, 0, 0}, 5,
				      clock_now_usec()),
			 WEBRTC_NATIVE);
}

static void test_refused_checks(void **state)
{
	struct world *world = *state;
	struct client *c = &world->clients[0];

	assert_int_equal(offer(c, false), 0);
	check(c, (struct peer_check){.controlled = true});
	(void) carry(world);
	assert_int_equal(peer_state(c->peer)->checks_refused, 1);
	assert_int_equal(peer_state(c->peer)->refusal, 487);
	check(c, (struct peer_check){.extra_attribute = 0x0033});
	(void) carry(world);
	assert_int_equal(peer_state(c->peer)->checks_refused, 2);
	assert_int_equal(peer_state(c->peer)->refusal, 420);
	assert_int_equal(drops(world, WEBRTC_DROP_STUN_REFUSED), 2);
}

/* The last nominated address is where we send; earlier ones are still heard (11 section 2). */
static void test_client_moves(void **state)
{
	struct world *world = *state;
	struct client *c = &world->clients[0];
	struct hifi_addr first = c->udp, found;

	open_channel(c);
	for (uint16_t port = 3000; port < 3010; port++) {
		c->udp.port = port;
		check(c, (struct peer_check){0});
		assert_true(webrtc_udp_addr(world->w, &c->addr, &found));
		assert_true(hifi_addr_equal(&found, &first));
	}
	check(c, (struct peer_check){.nominate = true});
	assert_true(webrtc_udp_addr(world->w, &c->addr, &found));
	assert_true(hifi_addr_equal(&found, &c->udp));
	assert_int_equal(send_to(c, "there", 5, true), 0);
	wait_until(world, c->messages == 1);

	/* Only the latest few are remembered. */
	assert_int_equal(webrtc_input(world->w, &first, (uint8_t[]){22, 254, 255, 0, 0}, 5,
				      clock_now_usec()),
			 WEBRTC_NATIVE);
}

/* --- the end --- */

static void test_server_closes(void **state)
{
	struct world *world = *state;
	struct client *c = &world->clients[0];
	struct hifi_addr found;

	open_channel(c);
	webrtc_close(world->w, &c->addr, clock_now_usec());
	assert_int_equal(c->closed, 1);
	assert_int_equal(c->reason, WEBRTC_CLOSED_LOCAL);
	assert_int_equal(send_to(c, "late", 4, true), -ENOTCONN);
	assert_false(webrtc_find(world->w, &c->label, &found));
	assert_int_equal(webrtc_stats(world->w)->associations, 1);
	wait_until(world, webrtc_stats(world->w)->associations == 0);
	assert_true(peer_state(c->peer)->stream_reset);
	assert_int_equal(c->closed, 1);
	webrtc_close(world->w, &c->addr, clock_now_usec());
	assert_int_equal(c->closed, 1);
}

/* A client that does not answer the reset is dropped all the same. */
static void test_server_closes_on_mute_client(void **state)
{
	struct world *world = *state;
	struct client *c = &world->clients[0];

	open_channel(c);
	world->hold_to_client = true;
	webrtc_close(world->w, &c->addr, clock_now_usec());
	webrtc_run(world->w, clock_now_usec() + 2 * USEC_PER_SEC);
	assert_int_equal(webrtc_stats(world->w)->associations, 0);
	assert_int_equal(webrtc_next_usec(world->w), USEC_INFINITY);
}

static void test_client_closes(void **state)
{
	static void (*const ways[])(struct peer *) = {peer_reset_stream, peer_abort,
						      peer_close_notify};
	struct world *world = *state;

	for (size_t i = 0; i < ELEMENTSOF(ways); i++) {
		struct client *c = &world->clients[i];

		open_channel(c);
		ways[i](c->peer);
		wait_until(world, c->closed == 1);
		assert_int_equal(c->reason, WEBRTC_CLOSED_PEER);
	}
	wait_until(world, webrtc_stats(world->w)->associations == 0);
}

/* An authenticated check that arrives then. */
static void check_at(struct client *c, uint64_t now_usec)
{
	struct datagram *d;

	peer_send_check(c->peer, &(struct peer_check){0});
	d = LIST_ITEM(c->world->wire.prev, struct datagram, link);
	list_remove(&d->link);
	(void) webrtc_input(c->world->w, &c->udp, d->data, d->len, now_usec);
	free(d);
}

static void test_lifetimes(void **state)
{
	struct world *world = *state;
	struct client *living = &world->clients[0], *gone = &world->clients[1],
		      *never = &world->clients[3];
	uint64_t now;

	open_channel(living);
	open_channel(gone);
	assert_int_equal(offer(never, false), 0);
	now = clock_now_usec();
	webrtc_run(world->w, now + 29 * USEC_PER_SEC);
	assert_int_equal(webrtc_stats(world->w)->associations, 3);

	/* A check keeps what is open, and only that. */
	check_at(living, now + 29 * USEC_PER_SEC);
	check_at(never, now + 29 * USEC_PER_SEC);
	webrtc_run(world->w, now + 31 * USEC_PER_SEC);
	assert_int_equal(webrtc_stats(world->w)->associations, 1);
	assert_int_equal(gone->closed, 1);
	assert_int_equal(gone->reason, WEBRTC_CLOSED_TIMEOUT);
	assert_int_equal(living->closed, 0);

	webrtc_run(world->w, now + 60 * USEC_PER_SEC);
	assert_int_equal(webrtc_stats(world->w)->associations, 0);
	assert_int_equal(living->closed, 1);
}

static void test_replaced(void **state)
{
	struct world *world = *state;
	struct client *c = &world->clients[0];
	struct hifi_addr before;

	open_channel(c);
	before = c->addr;
	renew_peer(c);
	open_channel(c);
	assert_int_equal(c->closed, 1);
	assert_int_equal(c->reason, WEBRTC_CLOSED_REPLACED);
	assert_int_not_equal(before.channel, c->addr.channel);
	assert_false(webrtc_is_open(world->w, &before));
	assert_true(webrtc_is_open(world->w, &c->addr));
	assert_int_equal(webrtc_stats(world->w)->associations, 1);
}

static void test_calls_from_callbacks(void **state)
{
	struct world *world = *state;
	struct client *c = &world->clients[0];

	open_channel(c);
	world->close_on_datagram = true;
	world->offer_on_close = true;
	assert_int_equal(peer_send(c->peer, MESSAGE_PPID_BINARY, "one", 3), 0);
	assert_int_equal(peer_send(c->peer, MESSAGE_PPID_BINARY, "two", 3), 0);
	wait_until(world, c->closed == 1);
	assert_int_equal(c->received, 1);
	assert_int_equal(webrtc_stats(world->w)->offers, 2);
}

/* --- limits --- */

static void test_offer_limits(void **state)
{
	struct world *world = *state;
	struct client *c = world->clients;
	_cleanup_free_ char *answer = NULL;

	assert_int_equal(webrtc_offer(world->w, &c[0].label, "v=0\r\n", clock_now_usec(), &answer),
			 -EBADMSG);
	assert_int_equal(drops(world, WEBRTC_DROP_OFFER_MALFORMED), 1);

	assert_int_equal(offer(&c[0], false), 0);
	assert_int_equal(offer(&c[1], false), 0);
	assert_int_equal(offer(&c[2], false), -ENOBUFS); /* the third of one IP */
	assert_int_equal(offer(&c[3], false), 0);
	c[2].label = c[3].label;
	c[2].label.port++;
	assert_int_equal(offer(&c[2], false), -ENOBUFS); /* the fourth that is pending */
	assert_int_equal(drops(world, WEBRTC_DROP_OFFER_LIMIT), 2);
	assert_int_equal(offer(&c[0], false), 0); /* in place of its first */
	assert_int_equal(webrtc_stats(world->w)->associations, 3);

	webrtc_set_candidates(world->w, NULL, 0);
	assert_int_equal(offer(&c[0], false), -EADDRNOTAVAIL);
}

static void test_association_limit(void **state)
{
	struct world *world = *state;

	for (size_t i = 0; i < CLIENTS_MAX; i++)
		open_channel(&world->clients[i]);
	assert_int_equal(webrtc_stats(world->w)->open_channels, CLIENTS_MAX);
	world->clients[3].label.port++;
	assert_int_equal(offer(&world->clients[3], false), -ENOBUFS);
	assert_int_equal(offer(&world->clients[0], false), 0); /* in place of its open one */
	assert_int_equal(world->clients[0].reason, WEBRTC_CLOSED_REPLACED);
}

/* A full buffer: unreliable messages are dropped and counted, long before reliable ones are
 * refused, and the owner hears when there is room again (11 section 5). */
static void test_full_buffer(void **state)
{
	struct world *world = *state;
	struct client *c = &world->clients[0];
	uint32_t reliable = 0;
	int r;

	open_channel(c);
	world->hold_to_client = true;
	for (int i = 0; i < 50; i++)
		assert_int_equal(send_number(c, 0, false), 0);
	assert_in_range(drops(world, WEBRTC_DROP_SEND_UNRELIABLE), 30, 40);
	assert_true(webrtc_backlog(world->w, &c->addr) >= 16 * 1024);

	while ((r = send_number(c, reliable, true)) == 0)
		assert_in_range(reliable++, 0, 48);
	assert_int_equal(r, -EAGAIN);
	assert_in_range(reliable, 25, 48);
	run(world, true);
	assert_int_equal(c->writable, 0);

	world->hold_to_client = false;
	wait_until(world, c->writable == 1);
	assert_int_equal(send_number(c, reliable, true), 0);
	wait_until(world, c->messages == 16 + reliable + 1);
}

static void test_message_lengths(void **state)
{
	struct world *world = *state;
	struct client *c = &world->clients[0];
	static uint8_t data[200 * 1024];

	open_channel(c);
	assert_int_equal(send_to(c, data, WEBRTC_MESSAGE_MAX, true), 0);
	assert_int_equal(send_to(c, data, WEBRTC_MESSAGE_MAX + 1, true), -EMSGSIZE);
	assert_int_equal(send_to(c, data, 0, true), -EINVAL);
	assert_int_equal(webrtc_send(world->w, &c->addr, &(struct iovec){data, sizeof(data)}, 1,
				     true, clock_now_usec()),
			 -EMSGSIZE);
	wait_until(world, c->messages == 1);
	assert_int_equal(c->last_len, WEBRTC_MESSAGE_MAX);

	/* Too long for us: thrown away, and the next one is whole again. */
	assert_int_equal(peer_send(c->peer, MESSAGE_PPID_BINARY, data, sizeof(data)), 0);
	assert_int_equal(peer_send(c->peer, MESSAGE_PPID_BINARY, "short", 5), 0);
	wait_until(world, c->received == 1);
	assert_int_equal(c->last_len, 5);
	assert_int_equal(drops(world, WEBRTC_DROP_MESSAGE_TOO_LONG), 1);
}

/* 02 section 16 step 5: the first channel is taken, further ones are ignored. */
static void test_second_channel(void **state)
{
	struct world *world = *state;
	struct client *c = &world->clients[0];

	open_channel(c);
	assert_int_equal(peer_open_channel(c->peer, 2), 0);
	wait_until(world, drops(world, WEBRTC_DROP_DCEP) == 1);
	assert_int_equal(c->opened, 1);
	assert_int_equal(send_to(c, "first", 5, true), 0);
	wait_until(world, c->messages == 1);
}

static void test_local_addresses(void **state)
{
	struct hifi_addr with[WEBRTC_CANDIDATES_MAX], without[WEBRTC_CANDIDATES_MAX];
	int n_with = webrtc_local_addresses(true, with, ELEMENTSOF(with));
	int n_without = webrtc_local_addresses(false, without, ELEMENTSOF(without));

	assert_true(n_without >= 0 && n_with >= n_without);
	for (int i = 0; i < n_without; i++) {
		assert_false(hifi_addr_is_loopback(&without[i]));
		assert_true(hifi_addr_same_ip(&with[i], &without[i]));
	}
	for (int i = n_without; i < n_with; i++)
		assert_true(hifi_addr_is_loopback(&with[i]));
	assert_int_equal(webrtc_local_addresses(true, with, 0), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_channel),
		TEST(test_echo),
		TEST(test_reliable_under_loss),
		TEST(test_lost_flight),
		TEST(test_handshake_under_loss),
		TEST(test_wrong_certificate),
		TEST(test_garbage_from_peer),
		TEST(test_native_packets_pass),
		TEST(test_unauthenticated_checks_are_not_answered),
		TEST(test_refused_checks),
		TEST(test_client_moves),
		TEST(test_server_closes),
		TEST(test_server_closes_on_mute_client),
		TEST(test_client_closes),
		TEST(test_lifetimes),
		TEST(test_replaced),
		TEST(test_calls_from_callbacks),
		TEST(test_offer_limits),
		TEST(test_association_limit),
		TEST(test_full_buffer),
		TEST(test_message_lengths),
		TEST(test_second_channel),
		cmocka_unit_test(test_local_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
