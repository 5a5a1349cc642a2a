#include "sim-web-client.h"

#include <stdlib.h>
#include <string.h>

#include "base/macros.h"

#define WINDOW             16
#define TURN_USEC          (4 * USEC_PER_MSEC)
#define TIMEOUT_USEC       (10 * USEC_PER_SEC)
#define HANDSHAKE_USEC     (100 * USEC_PER_MSEC)
#define GAPS_MAX           4096
#define LEVEL_SHIFT        3 /* in the fourth byte of the sequence word */
#define REQUEST_LEN        1464
#define PARTS_MAX          4096
#define MESSAGE_HEADER_LEN (PACKET_UDT_MESSAGE_LEN + PACKET_NL_MAX)

struct stored {
	uint8_t data[PACKET_MAX];
	size_t len;
	unsigned n_resends;
};

struct gap {
	uint32_t first, last;
};

struct sim_web_client {
	struct sim_end end; /* first */
	struct hmac_key key;
	struct sim_stream out;
	struct sim_sink *in;
	struct message_budget budget;
	struct message_assembler *assembler;
	bool is_deaf;
	uint32_t n_resets, n_errors;

	/* receiver */
	bool has_handshake;
	uint32_t peer_isn, last_received;
	struct gap gaps[GAPS_MAX];
	unsigned n_gaps;

	/* sender: what waits, then what is in flight by number modulo WINDOW */
	bool is_open, is_handshaking;
	uint32_t isn, current, last_ack, message;
	struct stored waiting[PARTS_MAX];
	unsigned waiting_head, n_waiting;
	struct stored flight[WINDOW];
	uint32_t resend_next; /* current + 1: nothing */
	bool timed_out;       /* it resends every turn until an ACK comes */
	uint64_t wake_usec, turn_usec, handshake_usec;
};

static void send_bytes(struct sim_web_client *w, const void *data, size_t len)
{
	sim_send(&w->end, &(struct iovec){(void *) data, len}, 1, false);
}

static void send_control(struct sim_web_client *w, enum control_type type, uint32_t seq)
{
	uint8_t data[REQUEST_LEN] = {0};
	size_t len = control_encode(&(struct control_packet){type, seq}, data);

	send_bytes(w, data, type == CONTROL_HANDSHAKE_REQUEST ? sizeof(data) : len);
}

/* --- receiving --- */

static void receive_handshake(struct sim_web_client *w, uint32_t isn)
{
	if (!w->has_handshake || isn != w->peer_isn) {
		w->n_resets += w->has_handshake;
		w->has_handshake = true;
		w->peer_isn = isn;
		w->last_received = seq_sub(isn, 1);
		w->n_gaps = 0;
		message_assembler_reset(w->assembler);
	}
	send_control(w, CONTROL_HANDSHAKE_ACK, isn);
}

/* True when the packet is passed on. What fills a gap is a "duplicate", and the gap stays. */
static bool receive_sequence(struct sim_web_client *w, uint32_t seq)
{
	bool is_new = seq_less(w->last_received, seq);

	if (is_new && seq != seq_add(w->last_received, 1)) {
		if (w->n_gaps == GAPS_MAX)
			abort();
		w->gaps[w->n_gaps++] = (struct gap){seq_add(w->last_received, 1), seq_sub(seq, 1)};
	}
	if (is_new)
		w->last_received = seq;
	send_control(w, CONTROL_ACK,
		     w->n_gaps == 0 ? w->last_received : seq_sub(w->gaps[0].first, 1));
	return is_new;
}

static void receive_data(struct sim_web_client *w, uint8_t *data, size_t len)
{
	uint64_t now_usec = sim_now_usec(w->end.sim);
	struct packet p, first;
	struct span payload;

	if (packet_decode(data, len, false, &p) < 0 ||
	    p.version != p.info->version[DIALECT_VIRCADIA]) {
		w->n_errors++;
		return;
	}
	if (w->is_deaf)
		return;
	if (!w->has_handshake) {
		send_control(w, CONTROL_HANDSHAKE_REQUEST, 0);
		return;
	}
	if (!receive_sequence(w, p.udt.seq))
		return;
	payload = p.payload;
	if (p.udt.in_message &&
	    message_assembler_add(w->assembler, &p, now_usec, &payload, &first) <= 0)
		return;
	sim_sink_take(w->in, payload.data, payload.len, now_usec);
}

/* --- sending --- */

void sim_web_client_obfuscate(uint8_t *datagram, size_t len, unsigned k)
{
	unsigned level = k < 2 ? 0 : (k - 2) % 4;
	size_t header_len = datagram[3] & 0x20 ? PACKET_UDT_MESSAGE_LEN : PACKET_UDT_LEN;

	if (level == 0)
		return;
	datagram[3] = (uint8_t) ((datagram[3] & ~(3 << LEVEL_SHIFT)) | level << LEVEL_SHIFT);
	packet_obfuscate(datagram + header_len, len - header_len, level);
}

static struct stored *in_flight(struct sim_web_client *w, uint32_t seq)
{
	return &w->flight[seq % WINDOW];
}

static bool has_unacked(const struct sim_web_client *w)
{
	return w->last_ack != w->current;
}

static void receive_ack(struct sim_web_client *w, uint32_t seq)
{
	uint32_t n = seq_sub(seq, w->last_ack), outstanding = seq_sub(w->current, w->last_ack);

	if (!w->is_open || n == 0 || n > outstanding)
		return;
	w->last_ack = seq;
	if (!seq_less(seq, w->resend_next))
		w->resend_next = seq_add(seq, 1);
	w->timed_out = false;
	w->wake_usec = sim_now_usec(w->end.sim);
}

static bool resend(struct sim_web_client *w)
{
	struct stored *s = in_flight(w, w->resend_next);

	if (w->resend_next == seq_add(w->current, 1))
		return false;
	sim_web_client_obfuscate(s->data, s->len, ++s->n_resends);
	send_bytes(w, s->data, s->len);
	w->resend_next = seq_add(w->resend_next, 1);
	return true;
}

static bool send_new(struct sim_web_client *w)
{
	struct stored *s;
	struct writer wr;

	if (w->n_waiting == 0 || seq_sub(w->current, w->last_ack) == WINDOW)
		return false;
	w->current = seq_add(w->current, 1);
	s = in_flight(w, w->current);
	*s = w->waiting[w->waiting_head];
	w->waiting_head = (w->waiting_head + 1) % PARTS_MAX;
	w->n_waiting--;

	wr = writer_over(s->data, PACKET_UDT_LEN);
	write_u32le(&wr, (uint32_t) s->data[3] << 24 | w->current);
	send_bytes(w, s->data, s->len);
	w->resend_next = seq_add(w->current, 1);
	w->wake_usec = sim_now_usec(w->end.sim);
	return true;
}

/* One turn of its loop. */
static void turn(struct sim_web_client *w)
{
	if (resend(w) || send_new(w) || !has_unacked(w))
		return;
	if (w->timed_out || sim_now_usec(w->end.sim) - w->wake_usec >= TIMEOUT_USEC) {
		w->timed_out = true;
		w->resend_next = seq_add(w->last_ack, 1);
	}
}

/* Cuts an item into parts; the sequence number comes when one is sent. */
static void queue_item(struct sim_web_client *w, const uint8_t *data, size_t len, bool is_message)
{
	size_t part_max = is_message ? PACKET_MAX - MESSAGE_HEADER_LEN : len;
	uint32_t n_parts = len > part_max ? (uint32_t) ((len + part_max - 1) / part_max) : 1;
	struct packet_seal seal = {.type = PACKET_MESSAGES_DATA, .source = 0x1234, .key = &w->key};

	w->message += is_message;
	for (uint32_t i = 0; i < n_parts; i++) {
		struct stored *s = &w->waiting[(w->waiting_head + w->n_waiting++) % PARTS_MAX];
		struct span part = span_of(data + i * part_max, MIN(part_max, len - i * part_max));
		struct udt_header udt = {.reliable = true,
					 .in_message = is_message,
					 .message = w->message,
					 .part = i};

		udt.position = n_parts == 1       ? MESSAGE_ONLY
			       : i == 0           ? MESSAGE_FIRST
			       : i == n_parts - 1 ? MESSAGE_LAST
						  : MESSAGE_MIDDLE;
		if (w->n_waiting > PARTS_MAX)
			abort();
		s->n_resends = 0;
		s->len = udt_header_encode(&udt, s->data);
		s->len += packet_seal_encode(&seal, &part, 1, s->data + s->len);
		memcpy(s->data + s->len, part.data, part.len);
		s->len += part.len;
	}
}

static void take_items(struct sim_web_client *w, uint64_t now_usec)
{
	while (sim_stream_has_more(&w->out) && w->out.next_usec <= now_usec) {
		_cleanup_free_ uint8_t *data = NULL;
		bool is_message;
		size_t len;

		data = sim_stream_take(&w->out, &len, &is_message, now_usec);
		queue_item(w, data, len, is_message);
		if (!w->is_open && !w->is_handshaking) {
			w->is_handshaking = true;
			w->handshake_usec = now_usec;
		}
	}
}

/* --- the end --- */

static void client_receive(struct sim_end *end, uint8_t *data, size_t len)
{
	struct sim_web_client *w = (struct sim_web_client *) end;
	struct control_packet control;

	if (len < PACKET_UDT_LEN) {
		w->n_errors++;
	} else if (!datagram_is_control(data)) {
		receive_data(w, data, len);
	} else if (control_decode(data, len, &control) < 0) {
		w->n_errors++;
	} else if (control.type == CONTROL_HANDSHAKE) {
		receive_handshake(w, control.seq);
	} else if (control.type == CONTROL_HANDSHAKE_ACK && w->is_handshaking &&
		   control.seq == w->isn) {
		w->is_handshaking = false;
		w->is_open = true;
		w->turn_usec = sim_now_usec(end->sim);
	} else if (control.type == CONTROL_ACK) {
		receive_ack(w, control.seq);
	}
}

static uint64_t client_next_usec(const struct sim_end *end)
{
	const struct sim_web_client *w = (const struct sim_web_client *) end;
	uint64_t next = sim_stream_has_more(&w->out) ? w->out.next_usec : USEC_INFINITY;

	if (w->is_handshaking)
		next = MIN(next, w->handshake_usec);
	if (w->is_open && (w->n_waiting > 0 || has_unacked(w)))
		next = MIN(next, w->turn_usec);
	return next;
}

static void client_run(struct sim_end *end)
{
	struct sim_web_client *w = (struct sim_web_client *) end;
	uint64_t now_usec = sim_now_usec(end->sim);

	take_items(w, now_usec);
	if (w->is_handshaking && now_usec >= w->handshake_usec) {
		send_control(w, CONTROL_HANDSHAKE, w->isn);
		w->handshake_usec = now_usec + HANDSHAKE_USEC;
	}
	if (w->is_open && now_usec >= w->turn_usec) {
		turn(w);
		w->turn_usec = now_usec + TURN_USEC;
	}
}

struct sim_web_client *sim_web_client_new(uint32_t isn)
{
	static const struct sim_end_ops end_ops = {client_receive, client_next_usec, client_run};
	struct uuid secret = {{0x11, 0x22, 0x33}};
	struct sim_web_client *w = calloc(1, sizeof(*w));

	if (!w)
		abort();
	w->end.ops = &end_ops;
	w->isn = isn;
	w->current = w->last_ack = seq_sub(isn, 1);
	w->resend_next = isn;
	w->budget.limit_bytes = SIZE_MAX;
	hmac_key_init(&w->key, &secret);
	if (message_assembler_new(&w->budget, &w->assembler) < 0)
		abort();
	return w;
}

struct sim_web_client *sim_web_client_free(struct sim_web_client *w)
{
	(void) message_assembler_free(w->assembler);
	sim_stream_done(&w->out);
	free(w);
	return NULL;
}

struct sim_end *sim_web_client_end(struct sim_web_client *w)
{
	return &w->end;
}

struct sim_stream *sim_web_client_stream(struct sim_web_client *w)
{
	return &w->out;
}

void sim_web_client_set_sink(struct sim_web_client *w, struct sim_sink *in)
{
	w->in = in;
}

void sim_web_client_set_deaf(struct sim_web_client *w, bool deaf)
{
	w->is_deaf = deaf;
}

bool sim_web_client_is_idle(const struct sim_web_client *w)
{
	return !sim_stream_has_more(&w->out) && w->n_waiting == 0 && !has_unacked(w);
}

uint32_t sim_web_client_resets(const struct sim_web_client *w)
{
	return w->n_resets;
}

uint32_t sim_web_client_errors(const struct sim_web_client *w)
{
	return w->n_errors;
}
