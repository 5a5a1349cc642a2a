/* One end of a reliable connection, driven by hand (protocol 01 sections 6 to 8 and 13.1). Whole
 * conversations are in tests/sim. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "hex.h"
#include "net/reliable-connection.h"

#define ISN      0x100
#define T0       (10 * USEC_PER_SEC)
#define SENT_MAX 4096

struct datagram {
	uint8_t data[PACKET_MAX];
	size_t len;
	bool control;
};

struct fixture {
	struct reliable_connection *c;
	struct datagram sent[SENT_MAX];
	unsigned n_sent, n_seen, n_resets;
	bool refuse;
	struct hmac_key key;
};

static int on_send(void *userdata, const struct iovec *iov, unsigned n_iov, bool control)
{
	struct fixture *f = userdata;
	struct datagram *d = &f->sent[f->n_sent];

	if (f->refuse)
		return -EAGAIN;
	assert_in_range(f->n_sent, 0, SENT_MAX - 1);
	d->len = 0;
	d->control = control;
	for (unsigned i = 0; i < n_iov; i++) {
		assert_true(d->len + iov[i].iov_len <= PACKET_MAX);
		if (iov[i].iov_len > 0)
			memcpy(d->data + d->len, iov[i].iov_base, iov[i].iov_len);
		d->len += iov[i].iov_len;
	}
	f->n_sent++;
	return 0;
}

static void on_reset(void *userdata)
{
	((struct fixture *) userdata)->n_resets++;
}

static struct fixture *fixture_new(uint32_t isn, bool carrier_is_reliable, size_t queue_limit)
{
	struct reliable_connection_ops ops = {.send = on_send, .receive_reset = on_reset};
	struct reliable_connection_options options = {.carrier_is_reliable = carrier_is_reliable,
						      .queue_limit_bytes = queue_limit};
	_cleanup_free_ uint8_t *secret = hex_bytes("112233445566778899aabbccddeeff00", NULL);
	struct fixture *f = calloc(1, sizeof(*f));
	struct uuid uuid;

	assert_non_null(f);
	memcpy(uuid.b, secret, sizeof(uuid.b));
	hmac_key_init(&f->key, &uuid);
	assert_int_equal(reliable_connection_new(&options, &ops, f, isn, &f->c), 0);
	return f;
}

static void fixture_free(struct fixture *f)
{
	f->c = reliable_connection_free(f->c);
	free(f);
}

static void fixture_freep(struct fixture **f)
{
	fixture_free(*f);
}
#define _cleanup_fixture_ _cleanup_(fixture_freep)

/* The next datagram that was sent and not looked at yet. */
static struct datagram *next_sent(struct fixture *f)
{
	assert_true(f->n_seen < f->n_sent);
	return &f->sent[f->n_seen++];
}

static void assert_nothing_sent(struct fixture *f)
{
	assert_int_equal(f->n_sent - f->n_seen, 0);
}

static void expect_control(struct fixture *f, enum control_type type, uint32_t seq)
{
	struct datagram *d = next_sent(f);
	struct control_packet control;

	assert_true(d->control);
	assert_true(datagram_is_control(d->data));
	assert_int_equal(control_decode(d->data, d->len, &control), 0);
	assert_int_equal(d->len, type == CONTROL_HANDSHAKE_REQUEST ? 4 : 8);
	assert_int_equal(control.type, type);
	assert_int_equal(control.seq, seq);
}

static struct packet expect_data(struct fixture *f, uint32_t seq)
{
	struct datagram *d = next_sent(f);
	struct packet p;

	assert_false(d->control);
	assert_int_equal(packet_decode(d->data, d->len, false, &p), 0);
	assert_true(p.udt.reliable);
	assert_int_equal(p.udt.seq, seq);
	return p;
}

static void give(struct fixture *f, enum control_type type, uint32_t seq, uint64_t now_usec)
{
	reliable_connection_receive_control(f->c, &(struct control_packet){type, seq}, now_usec);
}

static struct packet_seal seal_of(const struct fixture *f, enum packet_type type)
{
	return (struct packet_seal){.type = type, .source = 0x1234, .key = &f->key};
}

static int send_text(struct fixture *f, const char *text, uint64_t now_usec)
{
	struct packet_seal seal = seal_of(f, PACKET_DOMAIN_SERVER_PATH_QUERY);

	return reliable_connection_send(f->c, &seal, span_of(text, strlen(text)), now_usec);
}

static void send_message(struct fixture *f, size_t len, uint64_t now_usec)
{
	struct packet_seal seal = seal_of(f, PACKET_MESSAGES_DATA);
	_cleanup_free_ uint8_t *data = malloc(len + 1);
	_cleanup_(shared_bytes_unrefp) struct shared_bytes *payload = NULL;

	assert_non_null(data);
	memset(data, 0x41, len);
	payload = shared_bytes_new(data, len);
	assert_int_equal(reliable_connection_send_message(f->c, &seal, payload, now_usec), 0);
}

/* Opens with a throw-away packet under the number ISN, acknowledged after 1 ms. */
static void open_connection(struct fixture *f)
{
	assert_int_equal(send_text(f, "open", T0), 0);
	expect_control(f, CONTROL_HANDSHAKE, ISN);
	give(f, CONTROL_HANDSHAKE_ACK, ISN, T0 + 1000);
	(void) expect_data(f, ISN);
	give(f, CONTROL_ACK, ISN, T0 + 2000);
	assert_true(reliable_connection_is_idle(f->c));
	assert_nothing_sent(f);
}

static void run_next(struct fixture *f, uint64_t *now_usec)
{
	*now_usec = reliable_connection_next_usec(f->c);
	assert_true(*now_usec != USEC_INFINITY);
	reliable_connection_run(f->c, *now_usec);
}

/* --- opening, 6.2 --- */

static void test_data_waits_for_the_handshake(void **state)
{
	_cleanup_fixture_ struct fixture *f = fixture_new(SEQ_MAX, false, 1 << 20);

	assert_true(reliable_connection_next_usec(f->c) == USEC_INFINITY);
	assert_int_equal(send_text(f, "a", T0), 0);
	assert_int_equal(send_text(f, "b", T0), 0);
	expect_control(f, CONTROL_HANDSHAKE, SEQ_MAX);
	for (unsigned i = 1; i <= 50; i++) {
		uint64_t now = T0 + i * 100 * USEC_PER_MSEC;

		reliable_connection_run(f->c, now - 1);
		assert_nothing_sent(f);
		assert_true(reliable_connection_next_usec(f->c) == now);
		reliable_connection_run(f->c, now);
		expect_control(f, CONTROL_HANDSHAKE, SEQ_MAX);
	}

	give(f, CONTROL_HANDSHAKE_ACK, 0, T0 + 6 * USEC_PER_SEC);
	give(f, CONTROL_ACK, SEQ_MAX, T0 + 6 * USEC_PER_SEC);
	give(f, CONTROL_HANDSHAKE_REQUEST, 0, T0 + 6 * USEC_PER_SEC);
	assert_nothing_sent(f);

	give(f, CONTROL_HANDSHAKE_ACK, SEQ_MAX, T0 + 6 * USEC_PER_SEC);
	(void) expect_data(f, SEQ_MAX);
	(void) expect_data(f, 0);
	give(f, CONTROL_HANDSHAKE_ACK, SEQ_MAX, T0 + 6 * USEC_PER_SEC);
	assert_nothing_sent(f);
	give(f, CONTROL_ACK, 0, T0 + 6 * USEC_PER_SEC);
	assert_true(reliable_connection_is_idle(f->c));
}

static void test_idle_sender_keeps_its_numbers(void **state)
{
	_cleanup_fixture_ struct fixture *f = fixture_new(ISN, false, 1 << 20);
	uint64_t now;

	open_connection(f);
	run_next(f, &now);
	assert_true(now == T0 + 2000 + 5 * USEC_PER_SEC);
	assert_true(reliable_connection_next_usec(f->c) == USEC_INFINITY);
	assert_int_equal(send_text(f, "later", now + 1), 0);
	(void) expect_data(f, ISN + 1);
}

/* --- bytes of sections 14.3 and 14.4 --- */

static void test_bytes_on_the_wire(void **state)
{
	static const char *const headers[] = {
		"00020060 02000080 00000000 39 12 3412 78846bc9a38d41612a55578cf34f5ae0",
		"01020060 020000c0 01000000 39 12 3412 78846bc9a38d41612a55578cf34f5ae0",
		"02020060 02000040 02000000 39 12 3412 082a85aa62db0247768a9ecd2dfdc73c",
	};
	static const size_t lens[] = {1464, 1464, 1168};
	_cleanup_fixture_ struct fixture *f = fixture_new(0x1ff, false, 1 << 20);
	struct packet_seal seal = seal_of(f, PACKET_MESSAGES_SUBSCRIBE);
	_cleanup_(shared_bytes_unrefp) struct shared_bytes *channel =
		shared_bytes_new("com.example.chat", 16);
	struct datagram *d;

	assert_int_equal(reliable_connection_send_message(f->c, &seal, channel, T0), 0);
	send_message(f, 4000, T0);
	expect_control(f, CONTROL_HANDSHAKE, 0x1ff);
	give(f, CONTROL_HANDSHAKE_ACK, 0x1ff, T0);

	d = next_sent(f);
	assert_bytes_hex(d->data, d->len,
			 "ff010060 01000000 00000000 3a 16 3412 3cc298345d367649844300401f5b930d "
			 "636f6d2e6578616d706c652e63686174");
	for (size_t i = 0; i < ELEMENTSOF(headers); i++) {
		d = next_sent(f);
		assert_int_equal(d->len, lens[i]);
		assert_bytes_hex(d->data, 32, headers[i]);
		for (size_t k = 32; k < d->len; k++)
			assert_int_equal(d->data[k], 0x41);
	}
}

static void test_largest_packet(void **state)
{
	_cleanup_fixture_ struct fixture *f = fixture_new(ISN, false, 1 << 20);
	struct packet_seal seal = seal_of(f, PACKET_MESSAGES_DATA);
	static const uint8_t data[1441] = {0};

	open_connection(f);
	assert_int_equal(reliable_connection_send(f->c, &seal, span_of(data, 1441), T0), -EMSGSIZE);
	assert_int_equal(reliable_connection_send(f->c, &seal, span_of(data, 1440), T0), 0);
	assert_int_equal(next_sent(f)->len, PACKET_MAX);
	seal.type = PACKET_DOMAIN_LIST;
	assert_int_equal(reliable_connection_send(f->c, &seal, span_of(data, 0), T0), 0);
	assert_int_equal(next_sent(f)->len, 6);
}

/* --- queue order, 6.6 --- */

static void test_messages_take_turns(void **state)
{
	_cleanup_fixture_ struct fixture *f = fixture_new(ISN, false, 1 << 20);
	/* p: a packet; 1, 2: parts of messages 1 and 2 */
	static const char order[] = "p12p12p122";
	uint32_t parts[3] = {0};

	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(send_text(f, "p", T0), 0);
	send_message(f, 3 * 1432, T0);
	send_message(f, 4 * 1432, T0);
	expect_control(f, CONTROL_HANDSHAKE, ISN);
	give(f, CONTROL_HANDSHAKE_ACK, ISN, T0);
	for (uint32_t i = 0; order[i]; i++) {
		struct packet p = expect_data(f, ISN + i);

		if (order[i] == 'p') {
			assert_false(p.udt.in_message);
			continue;
		}
		assert_int_equal(p.udt.message, order[i] - '0');
		assert_int_equal(p.udt.part, parts[p.udt.message]++);
	}
}

static void test_packets_come_again_after_sixteen(void **state)
{
	_cleanup_fixture_ struct fixture *f = fixture_new(ISN, false, 1 << 20);
	uint32_t seq = ISN;

	for (unsigned i = 0; i < 40; i++)
		send_message(f, 2 * 1432, T0);
	assert_int_equal(send_text(f, "p", T0), 0);
	assert_int_equal(send_text(f, "p", T0), 0);
	expect_control(f, CONTROL_HANDSHAKE, ISN);
	give(f, CONTROL_HANDSHAKE_ACK, ISN, T0);
	for (unsigned i = 0; i < 17; i++, seq++) {
		if (f->n_seen == f->n_sent)
			give(f, CONTROL_ACK, seq - 1, T0 + 1000 * i);
		assert_int_equal(expect_data(f, seq).udt.in_message, i % 16 != 0);
	}
}

/* --- receiving, 6.4 --- */

static void test_acknowledges_what_arrives(void **state)
{
	_cleanup_fixture_ struct fixture *f = fixture_new(ISN, false, 1 << 20);
	const uint32_t first = SEQ_MAX - 1; /* the numbers wrap */

	assert_false(reliable_connection_receive_data(f->c, first, T0));
	expect_control(f, CONTROL_HANDSHAKE_REQUEST, 0);
	give(f, CONTROL_HANDSHAKE, first, T0);
	expect_control(f, CONTROL_HANDSHAKE_ACK, first);

	assert_true(reliable_connection_receive_data(f->c, first, T0));
	expect_control(f, CONTROL_ACK, first);
	assert_false(reliable_connection_receive_data(f->c, first, T0));
	expect_control(f, CONTROL_ACK, first);

	/* SEQ_MAX, 1, 4 and 2 are late. */
	assert_true(reliable_connection_receive_data(f->c, 0, T0));
	expect_control(f, CONTROL_ACK, first);
	assert_true(reliable_connection_receive_data(f->c, 3, T0));
	expect_control(f, CONTROL_ACK, first);
	assert_true(reliable_connection_receive_data(f->c, SEQ_MAX, T0));
	expect_control(f, CONTROL_ACK, 0);
	assert_false(reliable_connection_receive_data(f->c, 3, T0));
	expect_control(f, CONTROL_ACK, 0);
	assert_true(reliable_connection_receive_data(f->c, 2, T0));
	expect_control(f, CONTROL_ACK, 0);
	assert_true(reliable_connection_receive_data(f->c, 1, T0));
	expect_control(f, CONTROL_ACK, 3);
	assert_true(reliable_connection_receive_data(f->c, 4, T0));
	expect_control(f, CONTROL_ACK, 4);
	assert_nothing_sent(f);
}

static void test_only_a_new_isn_resets_the_receiver(void **state)
{
	_cleanup_fixture_ struct fixture *f = fixture_new(ISN, false, 1 << 20);

	give(f, CONTROL_HANDSHAKE, 7, T0);
	expect_control(f, CONTROL_HANDSHAKE_ACK, 7);
	assert_true(reliable_connection_receive_data(f->c, 7, T0));
	assert_true(reliable_connection_receive_data(f->c, 9, T0));
	f->n_seen = f->n_sent;

	give(f, CONTROL_HANDSHAKE, 7, T0);
	expect_control(f, CONTROL_HANDSHAKE_ACK, 7);
	assert_int_equal(f->n_resets, 0);
	assert_false(reliable_connection_receive_data(f->c, 9, T0));
	expect_control(f, CONTROL_ACK, 7);

	give(f, CONTROL_HANDSHAKE, 8, T0);
	expect_control(f, CONTROL_HANDSHAKE_ACK, 8);
	assert_int_equal(f->n_resets, 1);
	assert_true(reliable_connection_receive_data(f->c, 9, T0));
	expect_control(f, CONTROL_ACK, 7);
}

static void test_numbers_far_ahead_are_as_good_as_lost(void **state)
{
	_cleanup_fixture_ struct fixture *f = fixture_new(ISN, false, 1 << 20);
	static const uint32_t ahead[] = {32768, 100000, 1 << 26, (1 << 26) - 2, (1 << 26) - 3};
	struct reliable_connection_stats stats;

	give(f, CONTROL_HANDSHAKE, SEQ_MAX, T0);
	expect_control(f, CONTROL_HANDSHAKE_ACK, SEQ_MAX);
	for (size_t i = 0; i < ELEMENTSOF(ahead); i++)
		assert_false(
			reliable_connection_receive_data(f->c, seq_add(SEQ_MAX, ahead[i]), T0));
	reliable_connection_get_stats(f->c, &stats);
	assert_int_equal(stats.beyond_window + stats.duplicates, ELEMENTSOF(ahead));
	f->n_seen = f->n_sent;

	/* The farthest that a native sender may be. */
	assert_true(reliable_connection_receive_data(f->c, seq_add(SEQ_MAX, 25600), T0));
	expect_control(f, CONTROL_ACK, SEQ_MAX - 1);
	assert_true(reliable_connection_receive_data(f->c, SEQ_MAX, T0));
	expect_control(f, CONTROL_ACK, SEQ_MAX);
}

/* --- acknowledgements and resending, 6.3, 6.5, 7.2, 7.5 --- */

static void test_bogus_acknowledgements(void **state)
{
	_cleanup_fixture_ struct fixture *f = fixture_new(ISN, false, 1 << 20);
	struct reliable_connection_stats stats;

	open_connection(f);
	assert_int_equal(send_text(f, "a", T0), 0);
	(void) expect_data(f, ISN + 1);
	give(f, CONTROL_ACK, ISN + 2, T0);
	give(f, CONTROL_ACK, ISN - 1, T0);
	give(f, CONTROL_ACK, ISN + (1 << 26), T0);
	reliable_connection_get_stats(f->c, &stats);
	assert_int_equal(stats.in_flight, 1);
	assert_int_equal(stats.acked, 1);
	give(f, CONTROL_ACK, ISN + 1, T0);
	assert_true(reliable_connection_is_idle(f->c));
}

static void test_levels_of_resends(void **state)
{
	static const uint8_t levels[] = {0, 0, 1, 2, 3, 0, 1, 2, 3};
	_cleanup_fixture_ struct fixture *f = fixture_new(ISN, false, 1 << 20);
	struct packet p;
	uint64_t now;

	open_connection(f);
	assert_int_equal(send_text(f, "again", T0), 0);
	p = expect_data(f, ISN + 1);
	assert_int_equal(p.udt.obfuscation, 0);
	for (size_t i = 0; i < ELEMENTSOF(levels); i++) {
		run_next(f, &now);
		p = expect_data(f, ISN + 1);
		assert_int_equal(p.udt.obfuscation, levels[i]);
		assert_int_equal(p.type, PACKET_DOMAIN_SERVER_PATH_QUERY);
		assert_memory_equal(p.payload.data, "again", 5);
	}
	/* The time between them grew, to five seconds. */
	assert_true(reliable_connection_next_usec(f->c) == now + 5 * USEC_PER_SEC);
	give(f, CONTROL_ACK, ISN + 1, now);
	assert_true(reliable_connection_is_idle(f->c));
}

static void test_third_repeat_resends_at_once(void **state)
{
	_cleanup_fixture_ struct fixture *f = fixture_new(ISN, false, 1 << 20);
	const uint64_t now = T0 + USEC_PER_SEC;

	open_connection(f);
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(send_text(f, "x", now), 0);
	for (uint32_t i = 1; i <= 5; i++)
		(void) expect_data(f, ISN + i);
	give(f, CONTROL_ACK, ISN, now + 900);
	give(f, CONTROL_ACK, ISN, now + 900);
	assert_nothing_sent(f);
	give(f, CONTROL_ACK, ISN, now + 900);
	(void) expect_data(f, ISN + 1);
	give(f, CONTROL_ACK, ISN, now + 900);
	assert_nothing_sent(f);
	give(f, CONTROL_ACK, ISN + 5, now + 1900);
	assert_true(reliable_connection_is_idle(f->c));
}

static void test_a_timeout_resends_carefully(void **state)
{
	_cleanup_fixture_ struct fixture *f = fixture_new(ISN, false, 1 << 20);
	uint64_t now;

	open_connection(f);
	for (unsigned i = 0; i < 8; i++)
		assert_int_equal(send_text(f, "x", T0), 0);
	f->n_seen = f->n_sent;

	/* Two after the timeout, two more for an ACK; what an ACK covers is not sent again. */
	run_next(f, &now);
	(void) expect_data(f, ISN + 1);
	(void) expect_data(f, ISN + 2);
	assert_nothing_sent(f);
	give(f, CONTROL_ACK, ISN + 5, now + 1000);
	(void) expect_data(f, ISN + 6);
	(void) expect_data(f, ISN + 7);
	assert_nothing_sent(f);
	give(f, CONTROL_ACK, ISN + 8, now + 2000);
	assert_nothing_sent(f);
	assert_true(reliable_connection_is_idle(f->c));
}

static void test_what_the_carrier_refuses_is_sent_later(void **state)
{
	_cleanup_fixture_ struct fixture *f = fixture_new(ISN, true, 1 << 20);
	uint64_t now;

	open_connection(f);
	f->refuse = true;
	assert_int_equal(send_text(f, "a", T0 + 5000), 0);
	assert_int_equal(send_text(f, "b", T0 + 5000), 0);
	assert_true(reliable_connection_next_usec(f->c) == T0 + 15000);
	run_next(f, &now);
	assert_nothing_sent(f);

	f->refuse = false;
	run_next(f, &now);
	assert_true(now == T0 + 25000);
	assert_memory_equal(expect_data(f, ISN + 1).payload.data, "a", 1);
	assert_memory_equal(expect_data(f, ISN + 2).payload.data, "b", 1);
	assert_nothing_sent(f);
}

static void test_queue_limit(void **state)
{
	_cleanup_fixture_ struct fixture *f = fixture_new(ISN, false, 20000);
	struct reliable_connection_stats stats;
	unsigned n = 0;
	int r;

	open_connection(f);
	while ((r = send_text(f, "small", T0)) == 0)
		n++;
	assert_int_equal(r, -ENOBUFS);
	assert_in_range(n, 10, 4000); /* bookkeeping counts, not only five bytes each */
	reliable_connection_get_stats(f->c, &stats);
	assert_int_equal(stats.refused, 1);
	assert_in_range(stats.queued_bytes, 20000 - 1000, 20000);

	for (uint32_t i = 1; i <= n; i++)
		give(f, CONTROL_ACK, ISN + i, T0 + 1000);
	reliable_connection_get_stats(f->c, &stats);
	assert_int_equal(stats.queued_bytes, 0);
	assert_int_equal(send_text(f, "small", T0), 0);
}

/* --- losing state --- */

static void test_handshake_request_discards(void **state)
{
	_cleanup_fixture_ struct fixture *f = fixture_new(ISN, false, 1 << 20);
	struct reliable_connection_stats stats;

	open_connection(f);
	for (unsigned i = 0; i < 40; i++)
		assert_int_equal(send_text(f, "old", T0), 0);
	send_message(f, 100000, T0);
	f->n_seen = f->n_sent;
	give(f, CONTROL_HANDSHAKE_REQUEST, 0, T0);
	assert_true(reliable_connection_is_idle(f->c));
	reliable_connection_get_stats(f->c, &stats);
	assert_int_equal(stats.queued_bytes, 0);
	assert_nothing_sent(f);

	/* A new ISN, past all numbers used: stragglers are duplicates to the peer. */
	assert_int_equal(send_text(f, "new", T0), 0);
	expect_control(f, CONTROL_HANDSHAKE, ISN + 11);
	give(f, CONTROL_ACK, ISN + 5, T0);
	give(f, CONTROL_HANDSHAKE_ACK, ISN + 11, T0);
	assert_memory_equal(expect_data(f, ISN + 11).payload.data, "new", 3);
	assert_nothing_sent(f);
}

/* The web client that never acknowledges past a packet it missed. */
static void test_stuck_web_client_gets_a_new_isn(void **state)
{
	_cleanup_fixture_ struct fixture *f = fixture_new(ISN, true, 1 << 20);
	struct packet p;
	uint64_t now;

	open_connection(f);
	send_message(f, 3 * 1432, T0);
	assert_int_equal(send_text(f, "x", T0), 0);
	for (uint32_t i = 1; i <= 4; i++)
		(void) expect_data(f, ISN + i);
	give(f, CONTROL_ACK, ISN + 1, T0 + 1000);
	give(f, CONTROL_ACK, ISN + 1, T0 + 1000);
	give(f, CONTROL_ACK, ISN + 1, T0 + 1000);
	give(f, CONTROL_ACK, ISN + 1, T0 + 1000);
	assert_nothing_sent(f);

	/* First the same numbers again; nothing less than seconds later. */
	run_next(f, &now);
	assert_true(now >= T0 + 2 * USEC_PER_SEC);
	p = expect_data(f, ISN + 2);
	assert_int_equal(p.udt.obfuscation, 0);
	(void) expect_data(f, ISN + 3);
	give(f, CONTROL_ACK, ISN + 1, now + 1000);
	(void) expect_data(f, ISN + 4);
	assert_nothing_sent(f);

	/* Then everything anew, the message from its first part: the client forgets the parts it
	 * had. */
	run_next(f, &now);
	expect_control(f, CONTROL_HANDSHAKE, ISN + 5);
	assert_nothing_sent(f);
	give(f, CONTROL_HANDSHAKE_ACK, ISN + 5, now + 1000);
	p = expect_data(f, ISN + 5);
	assert_memory_equal(p.payload.data, "x", 1);
	for (uint32_t i = 0; i < 3; i++) {
		p = expect_data(f, ISN + 6 + i);
		assert_int_equal(p.udt.message, 1);
		assert_int_equal(p.udt.part, i);
	}
	assert_nothing_sent(f);
	give(f, CONTROL_ACK, ISN + 1, now + 1000);
	give(f, CONTROL_ACK, ISN + 8, now + 2000);
	assert_true(reliable_connection_is_idle(f->c));
}

/* A handshake of before the last ISN arrives late and takes the receiver back: from then on it
 * acknowledges nothing that is under way. */
static void test_receiver_that_went_back_gets_a_new_isn(void **state)
{
	_cleanup_fixture_ struct fixture *f = fixture_new(ISN, false, 1 << 20);
	struct reliable_connection_stats stats;
	uint64_t now;

	open_connection(f);
	assert_int_equal(send_text(f, "x", T0), 0);
	(void) expect_data(f, ISN + 1);
	for (unsigned i = 0; i < 3; i++) {
		run_next(f, &now);
		(void) expect_data(f, ISN + 1);
		give(f, CONTROL_ACK, ISN - 1, now + 1);
	}
	assert_nothing_sent(f);
	run_next(f, &now);
	expect_control(f, CONTROL_HANDSHAKE, ISN + 2);
	give(f, CONTROL_HANDSHAKE_ACK, ISN + 2, now);
	assert_memory_equal(expect_data(f, ISN + 2).payload.data, "x", 1);
	reliable_connection_get_stats(f->c, &stats);
	assert_int_equal(stats.new_isns, 1);
}

/* Silence is no sign of it: the client's ACKs may be lost. */
static void test_a_silent_web_client_keeps_its_isn(void **state)
{
	_cleanup_fixture_ struct fixture *f = fixture_new(ISN, true, 1 << 20);
	uint64_t now;

	open_connection(f);
	assert_int_equal(send_text(f, "x", T0), 0);
	(void) expect_data(f, ISN + 1);
	for (unsigned i = 0; i < 10; i++) {
		run_next(f, &now);
		(void) expect_data(f, ISN + 1);
		assert_nothing_sent(f);
	}
	give(f, CONTROL_ACK, ISN + 1, now);
	assert_true(reliable_connection_is_idle(f->c));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_data_waits_for_the_handshake),
		cmocka_unit_test(test_idle_sender_keeps_its_numbers),
		cmocka_unit_test(test_bytes_on_the_wire),
		cmocka_unit_test(test_largest_packet),
		cmocka_unit_test(test_messages_take_turns),
		cmocka_unit_test(test_packets_come_again_after_sixteen),
		cmocka_unit_test(test_acknowledges_what_arrives),
		cmocka_unit_test(test_only_a_new_isn_resets_the_receiver),
		cmocka_unit_test(test_numbers_far_ahead_are_as_good_as_lost),
		cmocka_unit_test(test_bogus_acknowledgements),
		cmocka_unit_test(test_levels_of_resends),
		cmocka_unit_test(test_third_repeat_resends_at_once),
		cmocka_unit_test(test_a_timeout_resends_carefully),
		cmocka_unit_test(test_what_the_carrier_refuses_is_sent_later),
		cmocka_unit_test(test_queue_limit),
		cmocka_unit_test(test_handshake_request_discards),
		cmocka_unit_test(test_stuck_web_client_gets_a_new_isn),
		cmocka_unit_test(test_receiver_that_went_back_gets_a_new_isn),
		cmocka_unit_test(test_a_silent_web_client_keeps_its_isn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
