/* One frame of the broadcast (protocol 04 section 12). Each listener gets everybody it may see
 * whenever there is something new of them. */
#include "avatar/bubble.h"
#include "avatar/crowd-internal.h"

/* What one listener is sent in one frame. */
struct delivery {
	struct crowd *crowd;
	struct crowd_member *listener;
	size_t len;
	uint8_t datagram[AVATAR_DATAGRAM_MAX];
};

enum sight {
	SIGHT_NONE,
	SIGHT_PAL, /* only because the list of people is open */
	SIGHT_FULL,
};

/* --- who is seen --- */

static bool bubbles_touch(const struct crowd_member *listener, const struct crowd_member *source)
{
	struct bubble ours = bubble_of_listener(&listener->state);
	struct bubble theirs = bubble_of_source(&source->state);

	return bubble_touches(&ours, &theirs);
}

static void enter_bubble(struct delivery *d, struct crowd_pair *pair,
			 const struct crowd_member *source)
{
	if (pair->in_bubble)
		return;
	pair->in_bubble = true;
	crowd_pair_reset(pair);
	d->crowd->ops->send_kill(d->listener->peer, &source->session,
				 d->listener->bubble ? AVATAR_KILL_ENTERED_YOUR_BUBBLE
						     : AVATAR_KILL_ENTERED_THEIR_BUBBLE);
}

static enum sight sight_of(struct delivery *d, struct crowd_pair *pair,
			   const struct crowd_member *source)
{
	const struct crowd_member *listener = d->listener;
	bool pal = listener->pal, admin = pal && listener->can_kick;
	bool ignored = pair->ignores || pair->ignored_by;

	if ((pair->ignores && !pal) || (pair->ignored_by && !admin))
		return SIGHT_NONE;
	if ((listener->bubble || (source->bubble && !admin)) && listener->state.updated_tick > 0 &&
	    bubbles_touch(listener, source)) {
		enter_bubble(d, pair, source);
		return admin ? SIGHT_PAL : SIGHT_NONE;
	}
	/* What was sent while inside, if anything, was not all there was to send. */
	if (pair->in_bubble)
		crowd_pair_reset(pair);
	pair->in_bubble = false;
	return ignored ? SIGHT_PAL : SIGHT_FULL;
}

/* --- what is sent --- */

static void flush_datagram(struct delivery *d)
{
	if (d->len > 0)
		d->crowd->ops->send_data(d->listener->peer, span_of(d->datagram, d->len));
	d->listener->counts.sent_data_bytes += (uint32_t) d->len;
	d->len = 0;
}

static void add_record(struct delivery *d, const struct avatar_record *record)
{
	const uint8_t *piece = record->data;

	for (unsigned i = 0; i < record->n_pieces; i++) {
		if (d->len + record->piece_len[i] > sizeof(d->datagram))
			flush_datagram(d);
		memcpy(d->datagram + d->len, piece, record->piece_len[i]);
		d->len += record->piece_len[i];
		piece += record->piece_len[i];
	}
	d->listener->counts.sent_records++;
	d->listener->counts.last_frame_records++;
}

static void add_data(struct delivery *d, struct crowd_pair *pair, struct crowd_member *source,
		     enum sight sight)
{
	enum avatar_detail detail = sight == SIGHT_PAL ? AVATAR_DETAIL_PAL : AVATAR_DETAIL_CHANGED;
	uint32_t since =
		sight == SIGHT_PAL ? 0 : avatar_state_since(&source->state, pair->sent_tick);
	const struct avatar_record *record;

	if (source->state.updated_tick <= pair->sent_tick) {
		d->listener->counts.starved++;
		return;
	}
	record = avatar_record_cache_get(&source->records, &source->state, &source->session, detail,
					 since, d->crowd->tick);
	if (!record)
		return;
	add_record(d, record);
	pair->sent_tick = d->crowd->tick;
}

static void add_identity(struct delivery *d, struct crowd_pair *pair,
			 const struct crowd_member *source, uint32_t changed_tick)
{
	struct writer *wr = &d->crowd->identities;

	/* Entity script servers never get identities (protocol 04 section 5.3). */
	if (!d->listener->is_source || changed_tick <= pair->identity_tick ||
	    wr->len >= CROWD_MESSAGE_BYTES)
		return;
	avatar_identity_write(wr, &source->session, &source->identity);
	pair->identity_tick = d->crowd->tick;
}

static void add_traits(struct delivery *d, struct crowd_pair *pair,
		       const struct crowd_member *source)
{
	struct writer *wr = &d->crowd->traits;

	if (wr->len < CROWD_MESSAGE_BYTES)
		(void) avatar_traits_write(&source->traits, &source->session, &pair->traits,
					   d->listener->traits_message + 1, d->crowd->tick, wr);
}

static void serve_source(struct delivery *d, struct crowd_member *source)
{
	struct crowd_pair *pair = &d->listener->pairs[source->index];
	enum sight sight;

	if (source == d->listener) {
		/* The one thing its client does not know of it is the session display name. */
		add_identity(d, pair, source, source->identity.echo_tick);
		return;
	}
	if (!source->is_source || source->state.updated_tick == 0)
		return;
	sight = sight_of(d, pair, source);
	if (sight == SIGHT_NONE)
		return;
	d->listener->counts.last_frame_seen++;
	add_data(d, pair, source, sight);
	add_identity(d, pair, source, source->identity.changed_tick);
	add_traits(d, pair, source);
}

/* --- the messages --- */

static void send_identities(struct delivery *d)
{
	const struct writer *wr = &d->crowd->identities;
	struct crowd_pair *pairs = d->listener->pairs;

	if (wr->len == 0 && !wr->failed)
		return;
	if (!wr->failed &&
	    d->crowd->ops->send_identities(d->listener->peer, span_of(wr->data, wr->len)) >= 0) {
		d->listener->counts.sent_identity_bytes += (uint32_t) wr->len;
		return;
	}
	for (unsigned i = 0; i < d->crowd->n_slots; i++)
		if (pairs[i].identity_tick == d->crowd->tick)
			pairs[i].identity_tick = 0;
}

static void send_traits(struct delivery *d)
{
	const struct writer *wr = &d->crowd->traits;
	int64_t message = d->listener->traits_message + 1;

	if (wr->len <= sizeof(message) && !wr->failed)
		return;
	d->listener->traits_message = message;
	if (!wr->failed &&
	    d->crowd->ops->send_traits(d->listener->peer, span_of(wr->data, wr->len)) >= 0) {
		d->listener->counts.sent_traits_bytes += (uint32_t) wr->len;
		return;
	}
	for (unsigned i = 0; i < d->crowd->n_slots; i++)
		avatar_trait_listener_lost(&d->listener->pairs[i].traits, message);
}

static void rewind_writer(struct writer *wr)
{
	wr->len = 0;
	wr->failed = false;
}

static void serve(struct delivery *d)
{
	struct crowd_member *source;

	d->listener->counts.last_frame_records = d->listener->counts.last_frame_seen = 0;
	rewind_writer(&d->crowd->identities);
	rewind_writer(&d->crowd->traits);
	write_u64le(&d->crowd->traits, (uint64_t) (d->listener->traits_message + 1));

	crowd_for_each(source, d->crowd) serve_source(d, source);

	flush_datagram(d);
	send_traits(d);
	send_identities(d);
}

unsigned crowd_frame(struct crowd *crowd)
{
	struct crowd_member *listener;
	unsigned served = 0;

	crowd_for_each(listener, crowd)
	{
		struct delivery d = {.crowd = crowd, .listener = listener};

		listener->frame_packets = 0;
		if (!listener->present || !listener->can_listen)
			continue;
		serve(&d);
		served++;
	}
	crowd->tick++;
	return served;
}
