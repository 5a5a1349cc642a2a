/* The receiving half (protocol 01 section 6.4). The loss list is kept as its complement, a bitmap
 * of what arrived beyond the first missing number: constant size and time whatever the peer sends.
 */
#include <errno.h>

#include "net/reliable-internal.h"

#define WORD_BITS 64

static uint64_t *bit_word(struct reliable_receiver *r, uint32_t seq)
{
	return &r->beyond[seq % RECEIVE_WINDOW / WORD_BITS];
}

static uint64_t bit_mask(uint32_t seq)
{
	return UINT64_C(1) << seq % WORD_BITS;
}

static void forget_beyond(struct reliable_receiver *r)
{
	free(r->beyond);
	r->beyond = NULL;
	r->n_beyond = 0;
}

void reliable_receiver_done(struct reliable_receiver *r)
{
	forget_beyond(r);
}

static void note_change(struct reliable_connection *c)
{
	if (c->ops.receive_changed)
		c->ops.receive_changed(c->userdata);
}

void reliable_receiver_on_handshake(struct reliable_connection *c, uint32_t isn)
{
	struct reliable_receiver *r = &c->receiver;

	if (!r->has_handshake || isn != r->isn) {
		bool had_handshake = r->has_handshake;

		forget_beyond(r);
		r->has_handshake = true;
		r->isn = isn;
		r->next = isn;
		if (had_handshake && c->ops.receive_reset)
			c->ops.receive_reset(c->userdata);
		note_change(c);
	}
	reliable_send_control(c, CONTROL_HANDSHAKE_ACK, isn);
}

/* The missing packet arrived: on to the next that is missing. */
static void advance(struct reliable_receiver *r)
{
	r->next = seq_add(r->next, 1);
	while (r->n_beyond > 0 && *bit_word(r, r->next) & bit_mask(r->next)) {
		*bit_word(r, r->next) &= ~bit_mask(r->next);
		r->n_beyond--;
		r->next = seq_add(r->next, 1);
	}
}

int reliable_receiver_remember(struct reliable_receiver *r, uint32_t seq)
{
	if (!r->beyond)
		r->beyond = calloc(RECEIVE_WINDOW / WORD_BITS, sizeof(*r->beyond));
	if (!r->beyond)
		return -ENOMEM;
	if (*bit_word(r, seq) & bit_mask(seq))
		return 0;
	*bit_word(r, seq) |= bit_mask(seq);
	r->n_beyond++;
	return 1;
}

bool reliable_receiver_on_data(struct reliable_connection *c, uint32_t seq)
{
	struct reliable_receiver *r = &c->receiver;
	uint32_t distance = seq_sub(seq, r->next);
	int is_new = 0;

	if (!r->has_handshake) {
		c->stats.no_handshake++;
		reliable_send_control(c, CONTROL_HANDSHAKE_REQUEST, 0);
		return false;
	}

	if (distance == 0) {
		advance(r);
		is_new = 1;
	} else if (distance < RECEIVE_WINDOW) {
		is_new = reliable_receiver_remember(r, seq);
	} else if (distance < SEQ_THRESHOLD) {
		/* No sender is allowed this far. Unacknowledged, as if it was lost. */
		c->stats.beyond_window++;
		return false;
	}
	if (is_new < 0)
		return false;

	if (is_new) {
		c->stats.received++;
		note_change(c);
	} else {
		c->stats.duplicates++;
	}
	reliable_send_control(c, CONTROL_ACK, seq_sub(r->next, 1));
	return is_new;
}
