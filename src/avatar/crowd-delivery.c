/* Datagrams and messages of one listener in one frame. */
#include "avatar/crowd-internal.h"

/* --- datagrams --- */

void delivery_flush(struct delivery *d)
{
	if (d->len > 0)
		outbox_add(&d->listener->outbox, OUTBOX_DATA, span_of(d->datagram, d->len));
	d->listener->counts.sent_data_bytes += (uint32_t) d->len;
	d->len = 0;
}

void delivery_add_record(struct delivery *d, const struct avatar_record *record)
{
	const uint8_t *piece = record->data;

	for (unsigned i = 0; i < record->n_pieces; i++) {
		if (d->len + record->piece_len[i] > sizeof(d->datagram))
			delivery_flush(d);
		if (d->len == 0)
			d->spent += CROWD_DATAGRAM_OVERHEAD;
		memcpy(d->datagram + d->len, piece, record->piece_len[i]);
		d->len += record->piece_len[i];
		piece += record->piece_len[i];
	}
	d->spent += record->len;
	d->listener->counts.sent_records++;
	d->listener->counts.last_frame_records++;
}

/* --- messages --- */

static void add_identity(struct delivery *d, struct crowd_pair *pair,
			 const struct crowd_member *source)
{
	/* The one thing its own client does not know of it is the session display name. */
	uint32_t changed_tick =
		source == d->listener ? source->identity.echo_tick : source->identity_tick;

	/* Entity script servers never get identities (protocol 04 section 5.3). */
	if (!d->listener->is_source || changed_tick <= pair->identity_tick)
		return;
	avatar_identity_write(&d->lane->identities, &source->session, &source->identity);
	pair->identity_tick = d->crowd->tick;
}

static void add_traits(struct delivery *d, struct crowd_pair *pair,
		       const struct crowd_member *source)
{
	if (source != d->listener)
		(void) avatar_traits_write(&source->traits, &source->session, &pair->traits,
					   d->listener->traits_message + 1, d->crowd->tick,
					   &d->lane->traits);
}

/* What did not fit into the message is as lost as one that could not be sent. */
static void post(struct delivery *d, enum outbox_kind kind, const struct writer *wr, size_t empty)
{
	if (wr->failed)
		d->listener->outbox.failed = true;
	else if (wr->len > empty)
		outbox_add(&d->listener->outbox, kind, span_of(wr->data, wr->len));
}

static void post_traits(struct delivery *d)
{
	const struct writer *wr = &d->lane->traits;
	int64_t message = d->listener->traits_message + 1;

	if (wr->len > sizeof(message) || wr->failed)
		d->listener->traits_message = message;
	post(d, OUTBOX_TRAITS, wr, sizeof(message));
}

static void rewind_writer(struct writer *wr)
{
	wr->len = 0;
	wr->failed = false;
}

static size_t fill_messages(struct delivery *d, size_t allowance)
{
	struct crowd_lane *lane = d->lane;
	struct choice *told = lane->lists[CROWD_LIST_TOLD].choices;
	unsigned n = lane->lists[CROWD_LIST_TOLD].n;
	size_t len = 0;

	rewind_writer(&lane->identities);
	rewind_writer(&lane->traits);
	write_u64le(&lane->traits, (uint64_t) (d->listener->traits_message + 1));

	choices_order(told, n);
	for (; n > 0 && len < allowance; n--) {
		unsigned i = choices_pop(told, n).index;

		add_identity(d, &d->listener->pairs[i], d->crowd->members[i]);
		add_traits(d, &d->listener->pairs[i], d->crowd->members[i]);
		len = lane->identities.len + lane->traits.len - sizeof(int64_t);
	}
	return len;
}

/* Messages may take half of a budget. What is longer, such as the traits of a single avatar, is
 * paid out of the same half of the frames that follow, so that data flows on. */
void delivery_tell(struct delivery *d)
{
	struct crowd_member *listener = d->listener;
	size_t allowance = listener->budget_bytes / 2;

	listener->message_debt -= MIN(listener->message_debt, allowance);
	if (listener->message_debt == 0 && d->lane->lists[CROWD_LIST_TOLD].n > 0) {
		listener->message_debt = fill_messages(d, MAX(allowance, (size_t) 1));
		post_traits(d);
		post(d, OUTBOX_IDENTITIES, &d->lane->identities, 0);
	}
	d->budget = listener->budget_bytes - MIN(listener->message_debt, allowance);
	if (listener->data_debt < d->budget) {
		d->budget -= listener->data_debt;
		listener->data_debt = 0;
	} else {
		listener->data_debt -= d->budget;
		d->budget = 0;
	}
}
