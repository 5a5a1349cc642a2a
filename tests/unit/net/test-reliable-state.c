/* The receiver of a reliable connection dies again and again, and its successors go on: over a link
 * that loses and reorders, every packet arrives exactly once and the sender notices nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "net/reliable-connection.h"

#define N_PACKETS   2000
#define LINK_MAX    512
#define STEP_USEC   (1 * USEC_PER_MSEC)
#define TRAVEL_USEC (5 * USEC_PER_MSEC)

struct datagram {
	uint64_t due_usec;
	uint8_t data[PACKET_MAX];
	size_t len;
};

struct side {
	struct sim *sim;
	struct side *other;
	struct reliable_connection *c;
	struct datagram link[LINK_MAX]; /* on their way to us */
	unsigned n_link;
	unsigned n_handshakes, n_handshake_requests; /* sent */
	uint8_t state[RELIABLE_STATE_LEN];           /* last saved */
	bool has_state;
};

struct sim {
	struct side sender, receiver;
	uint64_t now_usec;
	uint32_t random;
	unsigned loss_percent;
	unsigned n_arrived[N_PACKETS];
};

static uint32_t next_random(struct sim *s)
{
	s->random = s->random * 1664525 + 1013904223;
	return s->random >> 8;
}

static int on_send(void *userdata, const struct iovec *iov, unsigned n_iov, bool control)
{
	struct side *from = userdata, *to = from->other;
	struct sim *s = from->sim;
	struct datagram *d = &to->link[to->n_link];
	struct control_packet packet;

	assert_true(to->n_link < LINK_MAX);
	d->len = 0;
	for (unsigned i = 0; i < n_iov; i++) {
		if (iov[i].iov_len > 0)
			memcpy(d->data + d->len, iov[i].iov_base, iov[i].iov_len);
		d->len += iov[i].iov_len;
	}
	if (control && control_decode(d->data, d->len, &packet) == 0) {
		from->n_handshakes += packet.type == CONTROL_HANDSHAKE;
		from->n_handshake_requests += packet.type == CONTROL_HANDSHAKE_REQUEST;
	}
	d->due_usec = s->now_usec + TRAVEL_USEC + next_random(s) % (3 * USEC_PER_MSEC);
	if (next_random(s) % 100 >= s->loss_percent)
		to->n_link++;
	return 0;
}

static void on_changed(void *userdata)
{
	struct side *side = userdata;
	struct writer wr = writer_over(side->state, sizeof(side->state));

	reliable_connection_save(side->c, &wr);
	assert_int_equal(writer_finish(&wr), RELIABLE_STATE_LEN);
	side->has_state = true;
}

static void begin(struct side *side)
{
	const struct reliable_connection_ops ops = {.send = on_send, .receive_changed = on_changed};
	const struct reliable_connection_options options = {.queue_limit_bytes = 8 << 20};
	struct reader rd = reader_over(side->state, sizeof(side->state));
	uint32_t isn = next_random(side->sim) & SEQ_MAX;

	assert_int_equal(reliable_connection_new(&options, &ops, side, isn, &side->c), 0);
	if (side->has_state)
		assert_int_equal(reliable_connection_restore(side->c, &rd), 0);
}

static void die(struct side *side)
{
	side->c = reliable_connection_free(side->c);
	begin(side);
}

static void open_sim(struct sim *s, uint32_t seed, unsigned loss_percent)
{
	*s = (struct sim){.random = seed, .loss_percent = loss_percent, .now_usec = USEC_PER_SEC};
	s->sender = (struct side){.sim = s, .other = &s->receiver};
	s->receiver = (struct side){.sim = s, .other = &s->sender};
	begin(&s->sender);
	begin(&s->receiver);
}

static void close_sim(struct sim *s)
{
	reliable_connection_free(s->sender.c);
	reliable_connection_free(s->receiver.c);
}

static void take(struct side *side, struct datagram *d)
{
	struct control_packet control;
	struct packet packet;
	uint32_t n;

	if (datagram_is_control(d->data)) {
		assert_int_equal(control_decode(d->data, d->len, &control), 0);
		reliable_connection_receive_control(side->c, &control, side->sim->now_usec);
		return;
	}
	assert_int_equal(packet_decode(d->data, d->len, false, &packet), 0);
	if (!reliable_connection_receive_data(side->c, packet.udt.seq, side->sim->now_usec))
		return;
	assert_int_equal(packet.payload.len, 4);
	memcpy(&n, packet.payload.data, 4);
	assert_true(n < N_PACKETS);
	side->sim->n_arrived[n]++;
}

static void run_side(struct side *side)
{
	uint64_t now = side->sim->now_usec;

	for (unsigned i = 0; i < side->n_link;) {
		struct datagram d = side->link[i];

		if (d.due_usec > now) {
			i++;
			continue;
		}
		side->link[i] = side->link[--side->n_link];
		take(side, &d);
	}
	if (reliable_connection_next_usec(side->c) <= now)
		reliable_connection_run(side->c, now);
}

static void step(struct sim *s)
{
	s->now_usec += STEP_USEC;
	run_side(&s->sender);
	run_side(&s->receiver);
}

static void send_number(struct side *side, uint32_t n)
{
	const struct packet_seal seal = {.type = PACKET_DOMAIN_SERVER_PATH_QUERY, .source = 1};

	assert_int_equal(
		reliable_connection_send(side->c, &seal, span_of(&n, 4), side->sim->now_usec), 0);
}

static void test_every_packet_once(void **state)
{
	static struct sim s;

	for (uint32_t seed = 1; seed <= 10; seed++) {
		unsigned n_deaths = 0;

		open_sim(&s, seed, seed % 2 ? 10 : 0);
		for (unsigned n = 0; n < N_PACKETS; n++) {
			send_number(&s.sender, n);
			step(&s);
			if (n > 50 && next_random(&s) % 50 == 0) {
				die(&s.receiver);
				n_deaths++;
			}
		}
		for (unsigned i = 0; i < 20000 && !reliable_connection_is_idle(s.sender.c); i++)
			step(&s);

		assert_true(n_deaths > 20);
		for (unsigned n = 0; n < N_PACKETS; n++)
			assert_int_equal(s.n_arrived[n], 1);
		assert_int_equal(s.receiver.n_handshake_requests, 0);
		close_sim(&s);
	}
}

/* What the successor says is heard: it opens under a number of its own. */
static void test_successor_speaks(void **state)
{
	static struct sim s;

	open_sim(&s, 77, 0);
	send_number(&s.sender, 0);
	send_number(&s.receiver, 1);
	for (unsigned i = 0; i < 100; i++)
		step(&s);
	assert_int_equal(s.receiver.n_handshakes, 1);

	die(&s.receiver);
	send_number(&s.receiver, 2);
	for (unsigned i = 0; i < 100; i++)
		step(&s);
	assert_int_equal(s.n_arrived[2], 1);
	assert_int_equal(s.receiver.n_handshakes, 2);
	assert_int_equal(s.sender.n_handshake_requests, 0);
	/* And it still hears. */
	send_number(&s.sender, 3);
	for (unsigned i = 0; i < 100; i++)
		step(&s);
	assert_int_equal(s.n_arrived[3], 1);
	assert_int_equal(s.sender.n_handshakes, 1);
	close_sim(&s);
}

/* Without its state the successor cannot know, and asks. */
static void test_without_state_a_handshake_is_asked_for(void **state)
{
	static struct sim s;

	open_sim(&s, 5, 0);
	send_number(&s.sender, 0);
	for (unsigned i = 0; i < 100; i++)
		step(&s);
	s.receiver.has_state = false;
	die(&s.receiver);
	send_number(&s.sender, 1);
	for (unsigned i = 0; i < 100; i++)
		step(&s);
	assert_true(s.receiver.n_handshake_requests > 0);
	close_sim(&s);
}

static void test_malformed_state_is_refused(void **state)
{
	static struct sim s;
	struct {
		const char *what;
		size_t at;
		uint8_t value;
		size_t len;
	} cases[] = {
		{"too short", 0, 0, RELIABLE_STATE_LEN - 1},
		{"an initial number of 28 bits", 3, 0x08, RELIABLE_STATE_LEN},
		{"a next number of 28 bits", 7, 0x08, RELIABLE_STATE_LEN},
		{"the missing packet is there", 8, 0x01, RELIABLE_STATE_LEN},
	};

	for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
		uint8_t data[RELIABLE_STATE_LEN] = {0};
		struct reader rd = reader_over(data, cases[i].len);

		open_sim(&s, 1, 0);
		data[cases[i].at] = cases[i].value;
		if (reliable_connection_restore(s.receiver.c, &rd) != -EBADMSG)
			fail_msg("accepted: %s", cases[i].what);
		close_sim(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_packet_once),
		cmocka_unit_test(test_successor_speaks),
		cmocka_unit_test(test_without_state_a_handshake_is_asked_for),
		cmocka_unit_test(test_malformed_state_is_refused),
	};

	return cmocka_run_group_tests_name("reliable-state", tests, NULL, NULL);
}
