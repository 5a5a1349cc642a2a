/* Two reliable connections whose link, clock and traffic are driven by a script of bytes. The first
 * byte decides whether the link only loses, reorders, delays and duplicates (then everything sent
 * must arrive, once unless a new ISN was needed) or also forges packets (then nothing may break).
 */
#include <string.h>

#include "net/message-assembler.h"
#include "net/reliable-connection.h"

#define LINK_MAX     64
#define ITEMS_MAX    512
#define SETTLE_STEPS 2000
#define SETTLE_USEC  (50 * USEC_PER_MSEC)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct datagram {
	uint8_t data[PACKET_MAX];
	size_t len;
};

struct end {
	struct end *other;
	struct reliable_connection *connection;
	struct message_assembler *assembler;
	struct datagram *link; /* towards this end */
	unsigned n_link;
	bool is_refusing;
	uint16_t n_items;              /* sent by this end */
	uint8_t n_received[ITEMS_MAX]; /* of the other's */
};

struct play {
	struct end ends[2];
	struct message_budget budget;
	uint64_t now_usec;
	bool is_hostile, is_reliable_carrier;
};

static void push(struct end *to, const struct datagram *d)
{
	/* A full link loses the newest. */
	if (to->n_link < LINK_MAX)
		to->link[to->n_link++] = *d;
}

static struct datagram take(struct end *to, unsigned i)
{
	struct datagram d = to->link[i];

	to->n_link--;
	memmove(&to->link[i], &to->link[i + 1], (to->n_link - i) * sizeof(d));
	return d;
}

static int on_send(void *userdata, const struct iovec *iov, unsigned n_iov, bool control)
{
	struct end *e = userdata;
	struct datagram d = {.len = 0};

	if (e->is_refusing)
		return -1;
	for (unsigned i = 0; i < n_iov; i++) {
		if (iov[i].iov_len > sizeof(d.data) - d.len)
			abort();
		if (iov[i].iov_len > 0)
			memcpy(d.data + d.len, iov[i].iov_base, iov[i].iov_len);
		d.len += iov[i].iov_len;
	}
	push(e->other, &d);
	return 0;
}

static void on_reset(void *userdata)
{
	message_assembler_reset(((struct end *) userdata)->assembler);
}

static void end_init(struct play *p, struct end *e, struct end *other, uint32_t isn)
{
	struct reliable_connection_ops ops = {.send = on_send, .receive_reset = on_reset};
	struct reliable_connection_options options = {.carrier_is_reliable = p->is_reliable_carrier,
						      .queue_limit_bytes = 200000};

	e->other = other;
	e->link = calloc(LINK_MAX, sizeof(*e->link));
	if (!e->link || reliable_connection_new(&options, &ops, e, isn, &e->connection) < 0 ||
	    message_assembler_new(&p->budget, &e->assembler) < 0)
		abort();
}

static void end_done(struct end *e)
{
	(void) reliable_connection_free(e->connection);
	(void) message_assembler_free(e->assembler);
	free(e->link);
}

/* An item is its number, padded. */
static void send_item(struct play *p, struct end *e, size_t len, bool is_message)
{
	struct packet_seal seal = {.type = PACKET_MESSAGES_DATA, .source = 1};
	_cleanup_(shared_bytes_unrefp) struct shared_bytes *payload = NULL;
	uint8_t bytes[2 + 255 * 64] = {(uint8_t) e->n_items, (uint8_t) (e->n_items >> 8)};
	int r;

	if (e->n_items == ITEMS_MAX)
		return;
	payload = shared_bytes_new(bytes, 2 + len);
	if (!payload)
		abort();
	if (is_message)
		r = reliable_connection_send_message(e->connection, &seal, payload, p->now_usec);
	else
		r = reliable_connection_send(e->connection, &seal,
					     span_of(payload->data, payload->len), p->now_usec);
	e->n_items += r == 0;
}

static void deliver(struct play *p, struct end *e, const struct packet *packet)
{
	struct span payload = packet->payload;
	struct packet first;
	unsigned item;

	if (packet->udt.in_message &&
	    message_assembler_add(e->assembler, packet, p->now_usec, &payload, &first) <= 0)
		return;
	if (payload.len < 2)
		return;
	item = payload.data[0] | (unsigned) payload.data[1] << 8;
	if (item < ITEMS_MAX && e->n_received[item] < UINT8_MAX)
		e->n_received[item]++;
}

static void receive(struct play *p, struct end *e, struct datagram *d)
{
	struct control_packet control;
	struct packet packet;

	if (d->len < PACKET_UDT_LEN)
		return;
	if (datagram_is_control(d->data)) {
		if (control_decode(d->data, d->len, &control) == 0)
			reliable_connection_receive_control(e->connection, &control, p->now_usec);
		return;
	}
	if (packet_decode(d->data, d->len, false, &packet) == 0 && packet.udt.reliable &&
	    reliable_connection_receive_data(e->connection, packet.udt.seq, p->now_usec))
		deliver(p, e, &packet);
}

static void receive_nth(struct play *p, struct end *e, unsigned i)
{
	if (e->n_link > 0) {
		struct datagram d = take(e, i % e->n_link);

		receive(p, e, &d);
	}
}

static void pass_time(struct play *p, uint64_t usec)
{
	p->now_usec += usec;
	for (unsigned i = 0; i < 2; i++)
		reliable_connection_run(p->ends[i].connection, p->now_usec);
}

static void forge(struct play *p, struct end *e, struct reader *script)
{
	struct span bytes =
		read_span(script, MIN(reader_left(script), (size_t) (4 + read_u8(script) % 12)));
	struct datagram d = {.len = bytes.len};

	if (!p->is_hostile || bytes.len == 0)
		return;
	memcpy(d.data, bytes.data, bytes.len);
	if (d.len >= PACKET_UDT_LEN && d.data[3] & 0x40)
		d.len += 24; /* zeros for the rest of its headers */
	receive(p, e, &d);
}

static void step(struct play *p, struct reader *script)
{
	uint8_t op = read_u8(script);
	struct end *e = &p->ends[op >> 7];

	switch (op % 11) {
	case 0:
		send_item(p, e, read_u8(script), false);
		break;
	case 1:
		send_item(p, e, read_u8(script) * (size_t) 64, true);
		break;
	case 2:
		pass_time(p, read_u8(script) * USEC_PER_MSEC);
		break;
	case 3:
		pass_time(p, read_u8(script) * 50 * USEC_PER_MSEC);
		break;
	case 4:
		receive_nth(p, e, 0);
		break;
	case 5:
		receive_nth(p, e, read_u8(script));
		break;
	case 6:
		for (unsigned n = e->n_link; n > 0; n--)
			receive_nth(p, e, 0);
		break;
	case 7:
		if (e->n_link > 0)
			(void) take(e, 0);
		break;
	case 8:
		if (e->n_link > 0)
			push(e, &e->link[0]);
		break;
	case 9:
		e->is_refusing = !e->is_refusing;
		break;
	default:
		forge(p, e, script);
	}
}

static bool is_settled(const struct play *p)
{
	for (unsigned i = 0; i < 2; i++)
		if (p->ends[i].n_link > 0 || !reliable_connection_is_idle(p->ends[i].connection))
			return false;
	return true;
}

static uint64_t n_new_isns(const struct end *e)
{
	struct reliable_connection_stats stats;

	reliable_connection_get_stats(e->connection, &stats);
	return stats.new_isns;
}

/* The link is good from now on: all must arrive, unless forged packets stand in the way. */
static void settle(struct play *p)
{
	p->ends[0].is_refusing = p->ends[1].is_refusing = false;
	for (unsigned n = p->is_hostile ? 50 : SETTLE_STEPS; n > 0 && !is_settled(p); n--) {
		for (unsigned i = 0; i < 2; i++)
			for (unsigned k = p->ends[i].n_link; k > 0; k--)
				receive_nth(p, &p->ends[i], 0);
		pass_time(p, SETTLE_USEC);
	}
	if (p->is_hostile)
		return;
	if (!is_settled(p))
		abort();
	for (unsigned i = 0; i < 2; i++)
		for (unsigned item = 0; item < p->ends[i].n_items; item++) {
			unsigned n = p->ends[i].other->n_received[item];

			if (n == 0 || (n > 1 && n_new_isns(&p->ends[i]) == 0))
				abort();
		}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct play p = {.budget.limit_bytes = SIZE_MAX, .now_usec = USEC_PER_SEC};
	struct reader script = reader_over(data, size);
	uint8_t flags = read_u8(&script);

	if (size > 4096)
		return 0;
	p.is_hostile = flags & 1;
	p.is_reliable_carrier = flags & 2;
	end_init(&p, &p.ends[0], &p.ends[1], SEQ_MAX - (flags >> 4));
	end_init(&p, &p.ends[1], &p.ends[0], flags);
	while (reader_left(&script) > 0)
		step(&p, &script);
	settle(&p);
	end_done(&p.ends[0]);
	end_done(&p.ends[1]);
	if (p.budget.used_bytes != 0)
		abort();
	return 0;
}
