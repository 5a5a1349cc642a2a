/* What a successor has to know of the receiving half. Nothing of the sending half: it opens anew,
 * under a number of its own, with the first packet. */
#include <errno.h>

#include "net/reliable-internal.h"

/* Of what arrived beyond the first missing packet so much is remembered. The peer has no
 * acknowledgement for any of it and sends it again; what we forget here is taken twice then. */
#define KEPT_BEYOND (8 * (RELIABLE_STATE_LEN - 8))
static_assert(KEPT_BEYOND < RECEIVE_WINDOW, "it fits");

static bool is_received(const struct reliable_receiver *r, uint32_t seq)
{
	uint32_t bit = seq % RECEIVE_WINDOW;

	return r->beyond[bit / 64] >> bit % 64 & 1;
}

void reliable_connection_save(const struct reliable_connection *c, struct writer *wr)
{
	const struct reliable_receiver *r = &c->receiver;
	uint8_t beyond[KEPT_BEYOND / 8] = {0};

	assert(r->has_handshake);
	for (uint32_t i = 0; r->n_beyond > 0 && i < KEPT_BEYOND; i++)
		if (is_received(r, seq_add(r->next, i)))
			beyond[i / 8] |= (uint8_t) (1 << i % 8);
	write_u32le(wr, r->isn);
	write_u32le(wr, r->next);
	write_bytes(wr, beyond, sizeof(beyond));
}

int reliable_connection_restore(struct reliable_connection *c, struct reader *rd)
{
	struct reliable_receiver *r = &c->receiver;
	uint32_t isn = read_u32le(rd), next = read_u32le(rd);
	const uint8_t *beyond = read_bytes(rd, KEPT_BEYOND / 8);

	/* The first missing packet is not among those that came. */
	if (!beyond || isn > SEQ_MAX || next > SEQ_MAX || beyond[0] & 1)
		return -EBADMSG;
	r->has_handshake = true;
	r->isn = isn;
	r->next = next;
	for (uint32_t i = 0; i < KEPT_BEYOND; i++)
		if (beyond[i / 8] >> i % 8 & 1 &&
		    reliable_receiver_remember(r, seq_add(next, i)) < 0)
			return -ENOMEM;
	return 0;
}
