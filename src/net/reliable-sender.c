/* The sending half (protocol 01 sections 6.2, 6.3, 6.5 and 7). Works from events: every input sends
 * at once what it made possible, and the only timers are those of reliable_sender_next_usec(). */
#include "net/reliable-internal.h"

#include <errno.h>
#include <string.h>

#define HANDSHAKE_INTERVAL_USEC (100 * USEC_PER_MSEC)
#define RTO_MIN_USEC            (10 * USEC_PER_MSEC)
#define RTO_MAX_USEC            (5 * USEC_PER_SEC)
/* Over a carrier that loses nothing, silence means that the receiver is busy or stuck. */
#define RTO_RELIABLE_CARRIER_USEC (2 * USEC_PER_SEC)
#define BACKOFF_SHIFT_MAX         9 /* 10 ms to past RTO_MAX_USEC */
#define REFUSED_RETRY_USEC        (10 * USEC_PER_MSEC)
#define INACTIVE_USEC             (5 * USEC_PER_SEC)
#define TIMEOUTS_UNTIL_STUCK      3
#define RING_SIZE_MIN             16
/* Packets sent again at once after a timeout, and more of them per ACK that follows. */
#define RESEND_BURST   2
#define RESEND_PER_ACK 2

static void open_sender(struct reliable_connection *c, uint64_t now_usec);

void reliable_sender_init(struct reliable_sender *s, uint32_t isn)
{
	*s = (struct reliable_sender){.isn = isn, .last_ack = seq_sub(isn, 1)};
	outgoing_queue_init(&s->queue);
	vegas_init(&s->vegas);
}

static uint32_t last_sent(const struct reliable_sender *s)
{
	return seq_add(s->last_ack, s->n_in_flight);
}

static struct sent_packet *packet_in_flight(const struct reliable_sender *s, uint32_t seq)
{
	return &s->ring[seq & (s->ring_size - 1)];
}

/* Frees what left the queue and has no part in flight. */
static void release(struct reliable_sender *s, struct outgoing *o)
{
	if (o->is_queued || o->n_in_flight > 0)
		return;
	s->held_bytes -= outgoing_cost(o);
	(void) outgoing_free(o);
}

/* --- starting over --- */

/* Takes everything out of flight. The next ISN follows the numbers used so far, not the first one
 * again as upstream has it: stragglers under an old number are then duplicates to the receiver, and
 * a forged handshake request cannot leave us sending numbers that the receiver takes for old ones.
 */
static void abandon_flight(struct reliable_sender *s, bool keep)
{
	uint32_t last = last_sent(s);

	for (uint32_t seq = last; s->n_in_flight > 0; seq = seq_sub(seq, 1), s->n_in_flight--) {
		struct outgoing *o = packet_in_flight(s, seq)->outgoing;

		o->n_in_flight--;
		if (keep)
			outgoing_queue_put_back(&s->queue, o);
		else
			release(s, o);
	}
	s->last_ack = last;
	s->isn = seq_add(last, 1);
	s->n_resend = s->resend_credit = 0;
	s->resend_first = false;
	s->n_timeouts = s->n_duplicates = s->n_old_acks = 0;
	s->state = SENDER_CLOSED;
}

static void discard_all(struct reliable_sender *s)
{
	struct outgoing *o;

	abandon_flight(s, false);
	while ((o = outgoing_queue_remove(&s->queue)))
		release(s, o);
}

void reliable_sender_done(struct reliable_connection *c)
{
	discard_all(&c->sender);
	free(c->sender.ring);
}

/* --- sending one packet --- */

/* Plain, plain, 1, 2, 3 and again. A web client's packets are encrypted: no filter to get around.
 */
static uint8_t obfuscation_level(const struct reliable_connection *c, uint32_t n_resends)
{
	return c->options.carrier_is_reliable || n_resends < 2 ? 0
							       : (uint8_t) ((n_resends - 2) % 4);
}

static int send_pieces(struct reliable_connection *c, const struct udt_header *udt,
		       const struct packet_seal *seal, struct span payload)
{
	uint8_t udt_data[PACKET_UDT_MESSAGE_LEN], body[PACKET_MAX];
	struct iovec iov[3];
	size_t nl_len;

	nl_len = packet_seal_encode(seal, &payload, 1, body);
	iov[0] = (struct iovec){udt_data, udt_header_encode(udt, udt_data)};
	iov[1] = (struct iovec){body, nl_len};
	iov[2] = (struct iovec){(void *) payload.data, payload.len};
	if (udt->obfuscation == 0)
		return c->ops.send(c->userdata, iov, 3, false);

	/* The payload is shared with other receivers: scramble a copy. */
	if (payload.len > 0)
		memcpy(body + nl_len, payload.data, payload.len);
	packet_obfuscate(body, nl_len + payload.len, udt->obfuscation);
	iov[1].iov_len += payload.len;
	return c->ops.send(c->userdata, iov, 2, false);
}

/* False when the carrier refused it: nothing more is sent for a while. */
static bool transmit(struct reliable_connection *c, uint32_t seq, uint64_t now_usec)
{
	struct reliable_sender *s = &c->sender;
	struct sent_packet *p = packet_in_flight(s, seq);
	struct outgoing *o = p->outgoing;
	struct udt_header udt = {
		.reliable = true,
		.in_message = o->in_message,
		.obfuscation = obfuscation_level(c, p->n_sent),
		.seq = seq,
		.position = outgoing_position(o, p->part),
		.message = o->message,
		.part = p->part,
	};

	/* New packets must not put off the timeout of those before them. */
	if (p->n_sent > 0 || s->n_in_flight == 1)
		s->timer_usec = now_usec;
	p->sent_usec = now_usec;
	if (send_pieces(c, &udt, &o->seal, outgoing_part(o, p->part)) < 0) {
		s->blocked_until_usec = now_usec + REFUSED_RETRY_USEC;
		return false;
	}
	if (p->n_sent++ == 0)
		c->stats.sent++;
	else
		c->stats.resent++;
	return true;
}

/* Room for one more packet in flight. 0 or -ENOMEM. */
static int grow_ring(struct reliable_sender *s)
{
	struct sent_packet *old = s->ring, *ring;
	uint32_t old_size = s->ring_size, size = old_size > 0 ? 2 * old_size : RING_SIZE_MIN;

	if (s->n_in_flight < old_size)
		return 0;
	ring = calloc(size, sizeof(*ring));
	if (!ring)
		return -ENOMEM;
	for (uint32_t i = 1; i <= s->n_in_flight; i++) {
		uint32_t seq = seq_add(s->last_ack, i);

		ring[seq & (size - 1)] = old[seq & (old_size - 1)];
	}
	free(old);
	s->ring = ring;
	s->ring_size = size;
	return 0;
}

/* The receiver answers each packet with an ACK, so every repeated one means that a packet left the
 * link though an earlier one is missing. Without that a single loss would stop us for a round trip
 * or more. Over a reliable carrier nothing is missing for long, unless the receiver is stuck, and
 * what it gets then it gets twice. */
static bool window_is_full(const struct reliable_connection *c)
{
	const struct reliable_sender *s = &c->sender;
	uint32_t n_left = c->options.carrier_is_reliable ? 0 : MIN(s->n_in_flight, s->n_duplicates);

	return s->n_in_flight - n_left >= s->vegas.window || s->n_in_flight >= VEGAS_WINDOW_MAX;
}

/* True when something was sent and there may be more. */
static bool send_new(struct reliable_connection *c, uint64_t now_usec)
{
	struct reliable_sender *s = &c->sender;
	struct outgoing *o;
	uint32_t part, seq;

	if (outgoing_queue_is_empty(&s->queue))
		return false;
	if (window_is_full(c)) {
		vegas_set_limited(&s->vegas);
		return false;
	}
	if (grow_ring(s) < 0) {
		s->blocked_until_usec = now_usec + REFUSED_RETRY_USEC;
		return false;
	}

	o = outgoing_queue_take(&s->queue, &part);
	o->n_in_flight++;
	s->n_in_flight++;
	seq = last_sent(s);
	*packet_in_flight(s, seq) = (struct sent_packet){.outgoing = o, .part = part};
	if (transmit(c, seq, now_usec))
		return true;

	s->n_resend = s->resend_credit = 1;
	return false;
}

static bool resend_first(struct reliable_connection *c, uint64_t now_usec)
{
	struct reliable_sender *s = &c->sender;

	if (!transmit(c, seq_add(s->last_ack, 1), now_usec))
		return false;
	s->resend_first = false;
	if (s->n_resend == s->n_in_flight)
		s->n_resend--;
	return true;
}

static bool resend_next(struct reliable_connection *c, uint64_t now_usec)
{
	struct reliable_sender *s = &c->sender;
	uint32_t seq = seq_sub(last_sent(s), s->n_resend - 1);
	const struct sent_packet *p = packet_in_flight(s, seq);

	/* Sent so lately that its ACK may be on the way: the timeout was not about this one, nor
	 * about those after it. */
	if (p->n_sent > 0 && now_usec - p->sent_usec < vegas_timeout_usec(&s->vegas)) {
		s->n_resend = 0;
		return true;
	}
	if (s->resend_credit == 0 || !transmit(c, seq, now_usec))
		return false;
	s->n_resend--;
	s->resend_credit--;
	return true;
}

static void send_all_possible(struct reliable_connection *c, uint64_t now_usec)
{
	struct reliable_sender *s = &c->sender;
	bool again = s->state == SENDER_OPEN;

	if (now_usec < s->blocked_until_usec)
		return;
	s->blocked_until_usec = 0;
	while (again) {
		if (s->resend_first)
			again = resend_first(c, now_usec);
		else if (s->n_resend > 0)
			again = resend_next(c, now_usec);
		else
			again = send_new(c, now_usec);
	}
}

/* --- input from our side --- */

int reliable_sender_add(struct reliable_connection *c, const struct packet_seal *seal,
			struct shared_bytes *payload, bool in_message, uint64_t now_usec)
{
	struct reliable_sender *s = &c->sender;
	struct outgoing *o;
	size_t cost;

	o = outgoing_new(seal, payload, in_message);
	if (!o)
		return -ENOMEM;
	cost = outgoing_cost(o);
	if (cost > c->options.queue_limit_bytes ||
	    s->held_bytes > c->options.queue_limit_bytes - cost) {
		(void) outgoing_free(o);
		c->stats.refused++;
		return -ENOBUFS;
	}

	if (in_message)
		o->message = s->message = (s->message + 1) & MESSAGE_NUMBER_MAX;
	s->held_bytes += cost;
	outgoing_queue_add(&s->queue, o);
	if (s->state == SENDER_CLOSED)
		open_sender(c, now_usec);
	send_all_possible(c, now_usec);
	return 0;
}

/* --- handshake --- */

static void send_handshake(struct reliable_connection *c, uint64_t now_usec)
{
	c->sender.handshake_usec = now_usec;
	reliable_send_control(c, CONTROL_HANDSHAKE, c->sender.isn);
}

static void open_sender(struct reliable_connection *c, uint64_t now_usec)
{
	c->sender.state = SENDER_HANDSHAKING;
	c->sender.opening_usec = now_usec;
	send_handshake(c, now_usec);
}

void reliable_sender_on_handshake_ack(struct reliable_connection *c, uint32_t seq,
				      uint64_t now_usec)
{
	struct reliable_sender *s = &c->sender;

	if (s->state != SENDER_HANDSHAKING || seq != s->isn)
		return;
	s->state = SENDER_OPEN;
	vegas_set_handshake_time(&s->vegas, now_usec - s->opening_usec);
	send_all_possible(c, now_usec);
}

/* The peer lost its state, and with it the context of what we had to say. */
void reliable_sender_on_handshake_request(struct reliable_connection *c)
{
	if (c->sender.state == SENDER_OPEN)
		discard_all(&c->sender);
}

/* --- acknowledgements --- */

/* Lets go of the n oldest packets in flight. Returns the round trip that the newest of them took; 0
 * when it cannot be known because one was sent more than once. */
static uint64_t forget_acknowledged(struct reliable_sender *s, uint32_t n, uint64_t now_usec)
{
	uint64_t sample_usec = 0;
	bool was_resent = false;

	for (uint32_t i = 0; i < n; i++) {
		struct sent_packet *p;

		s->last_ack = seq_add(s->last_ack, 1);
		s->n_in_flight--;
		p = packet_in_flight(s, s->last_ack);
		was_resent = was_resent || p->n_sent != 1;
		sample_usec = MAX(now_usec - p->sent_usec, (uint64_t) 1);
		p->outgoing->n_in_flight--;
		release(s, p->outgoing);
	}
	return was_resent ? 0 : sample_usec;
}

/* Closing a hole that was resent leaves those that arrived beyond it counted; without a hole the
 * repeats were duplicates made by the link. */
static void on_progress(struct reliable_connection *c, uint32_t n, bool was_resent,
			uint64_t now_usec)
{
	struct reliable_sender *s = &c->sender;

	c->stats.acked += n;
	s->timer_usec = now_usec;
	s->n_timeouts = s->n_old_acks = 0;
	s->n_duplicates = was_resent ? s->n_duplicates - MIN(s->n_duplicates, n - 1) : 0;
	s->resend_first = false;
	s->n_resend = MIN(s->n_resend, s->n_in_flight);
}

void reliable_sender_on_ack(struct reliable_connection *c, uint32_t seq, uint64_t now_usec)
{
	struct reliable_sender *s = &c->sender;
	uint32_t n = seq_sub(seq, s->last_ack); /* huge for an old one */
	uint64_t sample_usec = 0;

	if (s->state != SENDER_OPEN || s->n_in_flight == 0)
		return;
	if (n > s->n_in_flight) {
		s->n_old_acks += seq_less(seq, s->last_ack);
		return;
	}
	if (n > 0) {
		sample_usec = forget_acknowledged(s, n, now_usec);
		on_progress(c, n, sample_usec == 0, now_usec);
	} else {
		s->n_duplicates++;
	}

	vegas_on_ack(&s->vegas, n == 0, sample_usec, now_usec);
	if (s->n_in_flight > 0 && !c->options.carrier_is_reliable) {
		const struct sent_packet *first = packet_in_flight(s, seq_add(s->last_ack, 1));

		if (vegas_wants_retransmit(&s->vegas, n == 0, now_usec - first->sent_usec))
			s->resend_first = true;
	}
	if (s->n_resend > 0)
		s->resend_credit = MIN(s->resend_credit + RESEND_PER_ACK, s->n_resend);
	send_all_possible(c, now_usec);
}

/* --- time --- */

static uint64_t timeout_usec(const struct reliable_connection *c)
{
	const struct reliable_sender *s = &c->sender;
	uint64_t rto = CLAMP(vegas_timeout_usec(&s->vegas), RTO_MIN_USEC, RTO_MAX_USEC);

	if (c->options.carrier_is_reliable)
		return MAX(rto, RTO_RELIABLE_CARRIER_USEC);
	return MIN(rto << MIN(s->n_timeouts, (uint32_t) BACKOFF_SHIFT_MAX), RTO_MAX_USEC);
}

/* We sent everything again, the receiver answered, and does not get on. Over a reliable carrier
 * that is the web client whose loss list never forgets (protocol 01 section 13.1). Over any other
 * it repeats numbers long past: a handshake of before our last ISN came late and took it back. */
static bool receiver_is_stuck(const struct reliable_connection *c)
{
	const struct reliable_sender *s = &c->sender;

	if (s->n_timeouts >= TIMEOUTS_UNTIL_STUCK && s->n_old_acks > 0)
		return true;
	return c->options.carrier_is_reliable && s->n_timeouts > 0 && s->n_duplicates > 0;
}

static void on_timeout(struct reliable_connection *c, uint64_t now_usec)
{
	struct reliable_sender *s = &c->sender;

	if (receiver_is_stuck(c)) {
		c->stats.new_isns++;
		abandon_flight(s, true);
		open_sender(c, now_usec);
		return;
	}
	s->n_timeouts++;
	s->n_duplicates = s->n_old_acks = 0;
	s->n_resend = s->n_in_flight;
	s->resend_credit = RESEND_BURST;
	s->timer_usec = now_usec;
}

/* The queue has been empty for a while: the ring may have grown to a megabyte. */
static void shrink_ring(struct reliable_sender *s)
{
	free(s->ring);
	s->ring = NULL;
	s->ring_size = 0;
}

void reliable_sender_run(struct reliable_connection *c, uint64_t now_usec)
{
	struct reliable_sender *s = &c->sender;

	if (reliable_sender_next_usec(c) > now_usec)
		return;
	if (s->state == SENDER_HANDSHAKING) {
		send_handshake(c, now_usec);
		return;
	}
	if (reliable_connection_is_idle(c)) {
		shrink_ring(s);
		return;
	}
	if (s->n_in_flight > 0 && now_usec >= s->timer_usec + timeout_usec(c))
		on_timeout(c, now_usec);
	send_all_possible(c, now_usec);
}

uint64_t reliable_sender_next_usec(const struct reliable_connection *c)
{
	const struct reliable_sender *s = &c->sender;
	uint64_t next;

	if (s->state == SENDER_HANDSHAKING)
		return s->handshake_usec + HANDSHAKE_INTERVAL_USEC;
	if (reliable_connection_is_idle(c))
		return s->ring ? s->timer_usec + INACTIVE_USEC : USEC_INFINITY;
	next = s->n_in_flight > 0 ? s->timer_usec + timeout_usec(c) : USEC_INFINITY;
	return s->blocked_until_usec > 0 ? MIN(next, s->blocked_until_usec) : next;
}
