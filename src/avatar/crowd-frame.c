/* One frame of the broadcast (protocol 04 section 12). Each listener gets what is new of
 * everybody it may see, as far as its budget goes. */
#include <math.h>

#include "avatar/bubble.h"
#include "avatar/crowd-internal.h"

/* Bytes of a record without joints, roughly. */
#define MINIMUM_BYTES 40
/* Who is nearer than this is heard of every so many ticks at the least; farther ones less often, in
 * proportion, but once a second. */
#define DUE_DISTANCE 25.0f
#define DUE_TICKS    4
/* Of the budget: the most that is kept for those who are due; and of what is left, the part that
 * those get who matter most. The rest goes by turns. */
#define DUE_SHARE(budget)   ((budget) / 5 * 3)
#define FIRST_SHARE(budget) ((budget) / 4 * 3)
#define RADIUS_MIN          0.1f
#define IDENTITY_BURST      4
/* To wake a thread for fewer costs more than they do. */
#define LISTENERS_PER_THREAD 16

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
	uint8_t kill[AVATAR_KILL_SIZE];

	if (pair->in_bubble)
		return;
	pair->in_bubble = true;
	crowd_pair_reset(pair);
	avatar_kill_encode(&source->session,
			   d->listener->bubble ? AVATAR_KILL_ENTERED_YOUR_BUBBLE
					       : AVATAR_KILL_ENTERED_THEIR_BUBBLE,
			   kill);
	outbox_add(&d->listener->outbox, OUTBOX_KILL, span_of(kill, sizeof(kill)));
}

static enum crowd_sight sight_of(struct delivery *d, struct crowd_pair *pair,
				 const struct crowd_member *source)
{
	const struct crowd_member *listener = d->listener;
	bool pal = listener->pal, admin = pal && listener->can_kick;
	bool ignored = pair->ignores || pair->ignored_by;

	if ((pair->ignores && !pal) || (pair->ignored_by && !admin))
		return CROWD_SIGHT_NONE;
	if ((listener->bubble || (source->bubble && !admin)) && listener->state.updated_tick > 0 &&
	    bubbles_touch(listener, source)) {
		enter_bubble(d, pair, source);
		return admin ? CROWD_SIGHT_PAL : CROWD_SIGHT_NONE;
	}
	/* What was sent while inside, if anything, was not all there was to send. */
	if (pair->in_bubble)
		crowd_pair_reset(pair);
	pair->in_bubble = false;
	return ignored ? CROWD_SIGHT_PAL : CROWD_SIGHT_FULL;
}

/* --- what there is to send --- */

static void list(struct crowd_lane *lane, enum crowd_list list, unsigned index, float score)
{
	lane->lists[list].choices[lane->lists[list].n++] =
		(struct choice){.index = index, .score = score};
}

static float age_seconds(const struct crowd *crowd, uint32_t since_tick)
{
	return (float) (crowd->tick - since_tick) / AVATAR_TICKS_PER_SECOND;
}

static float distance_squared(const struct delivery *d, unsigned i)
{
	const struct priority_block *block = &d->crowd->places[i / PRIORITY_BLOCK];
	float x = block->x[i % PRIORITY_BLOCK] - d->here.x;
	float y = block->y[i % PRIORITY_BLOCK] - d->here.y;
	float z = block->z[i % PRIORITY_BLOCK] - d->here.z;

	return x * x + y * y + z * z;
}

static bool is_due(const struct delivery *d, const struct crowd_pair *pair, unsigned i)
{
	float ticks = DUE_TICKS * MAX(sqrtf(distance_squared(d, i)) / DUE_DISTANCE, 1.0f);

	return pair->sent_tick == 0 ||
	       (float) (d->crowd->tick - pair->sent_tick) >= MIN(ticks, AVATAR_TICKS_PER_SECOND);
}

static void survey_data(struct delivery *d, struct crowd_pair *pair,
			const struct crowd_member *source)
{
	struct crowd_lane *lane = d->lane;
	unsigned i = source->index;

	if (source->state.updated_tick <= pair->pose_tick) {
		d->listener->counts.starved++;
		return;
	}
	pair->is_due = source->state.updated_tick > pair->sent_tick && is_due(d, pair, i);
	list(lane, CROWD_LIST_FRESH, i, lane->weights[i]);
	if (!pair->is_due)
		return;
	list(lane, CROWD_LIST_DUE, i,
	     priority_aged(lane->weights[i], age_seconds(d->crowd, pair->sent_tick),
			   &d->crowd->sorting));
	d->n_due++;
}

static void survey_source(struct delivery *d, const struct crowd_member *source)
{
	struct crowd_pair *pair = &d->listener->pairs[source->index];
	float weight = d->lane->weights[source->index];

	if (source == d->listener) {
		if (source->identity.echo_tick > pair->identity_tick)
			list(d->lane, CROWD_LIST_TOLD, source->index, INFINITY);
		return;
	}
	if (!source->is_source || source->state.updated_tick == 0)
		return;
	pair->sight = sight_of(d, pair, source);
	if (pair->sight == CROWD_SIGHT_NONE)
		return;
	d->listener->counts.last_frame_seen++;
	survey_data(d, pair, source);
	if (source->identity_tick > pair->identity_tick ||
	    source->traits.changed_tick > pair->traits.seen_tick)
		list(d->lane, CROWD_LIST_TOLD, source->index, weight);
}

static void weigh(struct delivery *d)
{
	const struct crowd *crowd = d->crowd;
	float *weights = d->lane->weights;
	const struct avatar_query *query = &d->listener->query;
	unsigned n_blocks = crowd->n_slots / PRIORITY_BLOCK;

	memset(weights, 0, crowd->n_slots * sizeof(*weights));
	for (unsigned v = 0; v < query->n; v++)
		priority_weigh(crowd->places, n_blocks, &query->views[v], &crowd->sorting, weights);
	if (query->n == 0)
		priority_weigh_around(crowd->places, n_blocks, &d->here, &crowd->sorting, weights);
}

static void survey(struct delivery *d)
{
	struct crowd_member *source;

	d->listener->counts.last_frame_records = d->listener->counts.last_frame_seen = 0;
	for (unsigned l = 0; l < CROWD_LISTS; l++)
		d->lane->lists[l].n = 0;
	weigh(d);
	crowd_for_each(source, d->crowd) survey_source(d, source);
}

/* --- what is sent --- */

static struct avatar_variant pose_for(const struct delivery *d, const struct crowd_pair *pair,
				      const struct crowd_member *source)
{
	struct avatar_variant pose = {.detail = AVATAR_DETAIL_CHANGED};

	/* Who has no avatar is nowhere. */
	if (d->listener->state.updated_tick > 0)
		pose.tier = avatar_tier(distance_squared(d, source->index));
	/* Who came nearer has to see more of what did not change. */
	if (pose.tier >= pair->tier)
		pose.since = avatar_state_since(&source->state, pair->pose_tick, d->crowd->tick);
	return pose;
}

static struct avatar_variant variant_for(const struct delivery *d, const struct crowd_pair *pair,
					 const struct crowd_member *source,
					 enum avatar_detail detail)
{
	if (pair->sight == CROWD_SIGHT_PAL)
		return (struct avatar_variant){.detail = AVATAR_DETAIL_PAL};
	if (detail == AVATAR_DETAIL_CHANGED)
		return pose_for(d, pair, source);
	return (struct avatar_variant){
		.detail = detail,
		.since = avatar_state_since(&source->state, pair->sent_tick, d->crowd->tick),
	};
}

/* False when it does not fit. */
static bool add_data(struct delivery *d, unsigned i, enum avatar_detail detail, size_t budget)
{
	struct crowd_member *source = d->crowd->members[i];
	struct crowd_pair *pair = &d->listener->pairs[i];
	struct avatar_variant variant = variant_for(d, pair, source, detail);
	const struct avatar_record *record;

	record = record_cache_get(&source->records, &d->lane->arena, &source->state,
				  &source->session, &variant, d->crowd->tick);
	if (!record || d->spent + record->len > budget)
		return false;
	delivery_add_record(d, record);
	d->n_due -= pair->is_due;
	pair->is_due = false;
	pair->sent_tick = d->crowd->tick;
	if (variant.detail != AVATAR_DETAIL_MINIMUM) {
		pair->pose_tick = d->crowd->tick;
		pair->tier = (uint8_t) variant.tier;
	}
	return true;
}

/* What poses may use: not what those who are due need if they get nothing better. */
static size_t pose_budget(const struct delivery *d)
{
	return d->budget - MIN((size_t) d->n_due * MINIMUM_BYTES, DUE_SHARE(d->budget));
}

/* Whose turn it is is sent first however long it is, or it never would be; later frames pay. */
static size_t turn_budget(const struct delivery *d, size_t budget)
{
	return d->spent == 0 && d->budget > 0 ? SIZE_MAX : budget;
}

static void add_poses(struct delivery *d)
{
	const struct crowd *crowd = d->crowd;
	struct choice *fresh = d->lane->lists[CROWD_LIST_FRESH].choices;
	unsigned n = d->lane->lists[CROWD_LIST_FRESH].n;

	choices_order(fresh, n);
	while (n > 0 &&
	       add_data(d, fresh[0].index, AVATAR_DETAIL_CHANGED, FIRST_SHARE(pose_budget(d))))
		choices_pop(fresh, n--);

	for (unsigned i = 0; i < n; i++)
		fresh[i].score = priority_aged(
			fresh[i].score,
			age_seconds(crowd, d->listener->pairs[fresh[i].index].pose_tick),
			&crowd->sorting);
	choices_order(fresh, n);
	while (n > 0 &&
	       add_data(d, fresh[0].index, AVATAR_DETAIL_CHANGED, turn_budget(d, pose_budget(d))))
		choices_pop(fresh, n--);
	d->listener->counts.skipped += n;
}

static void add_due(struct delivery *d)
{
	struct choice *due = d->lane->lists[CROWD_LIST_DUE].choices;
	unsigned n = d->lane->lists[CROWD_LIST_DUE].n;

	if (d->n_due == 0)
		return;
	for (choices_order(due, n); n > 0; n--) {
		unsigned i = choices_pop(due, n).index;

		if (!d->listener->pairs[i].is_due)
			continue;
		if (!add_data(d, i, AVATAR_DETAIL_MINIMUM, turn_budget(d, d->budget)))
			break;
		d->listener->counts.reduced++;
		d->listener->counts.skipped--;
	}
}

/* --- frames --- */

static void serve(struct delivery *d)
{
	survey(d);
	delivery_tell(d);
	add_poses(d);
	add_due(d);
	delivery_flush(d);
	if (d->spent > d->budget)
		d->listener->data_debt += d->spent - d->budget;
}

static void serve_listener(struct crowd *crowd, struct crowd_lane *lane,
			   struct crowd_member *listener)
{
	struct delivery d;

	/* Not initialised as a whole: the datagram is large. */
	d.crowd = crowd;
	d.lane = lane;
	d.listener = listener;
	d.here = avatar_state_position(&listener->state);
	d.spent = d.len = d.n_due = 0;
	serve(&d);
}

/* A lane takes one listener after the other until none is left. */
static void run_lane(void *userdata, size_t i)
{
	struct crowd *crowd = userdata;
	unsigned next;

	while ((next = atomic_fetch_add_explicit(&crowd->next_listener, 1, memory_order_relaxed)) <
	       crowd->n_listeners)
		serve_listener(crowd, &crowd->lanes[i], crowd->listeners[next]);
}

static void place_member(struct crowd *crowd, const struct crowd_member *member)
{
	struct priority_block *block = &crowd->places[member->index / PRIORITY_BLOCK];
	unsigned i = member->index % PRIORITY_BLOCK;
	struct vec3 position = avatar_state_position(&member->state), size, offset;

	(void) avatar_state_bounding_box(&member->state, &size, &offset);
	block->x[i] = position.x;
	block->y[i] = position.y;
	block->z[i] = position.z;
	block->radius[i] = MAX(MAX(size.x, MAX(size.y, size.z)) / 2, RADIUS_MIN);
}

/* Others are told at once of a few changes, and then of one a second: each costs a message to
 * everybody. */
static void show_identity(struct crowd_member *member)
{
	member->identity_debt -= MIN(member->identity_debt, 1u);
	if (member->identity.changed_tick <= member->identity_tick ||
	    member->identity_debt > IDENTITY_BURST * AVATAR_TICKS_PER_SECOND)
		return;
	member->identity_tick = member->identity.changed_tick;
	member->identity_debt += AVATAR_TICKS_PER_SECOND;
}

/* What is the same for all listeners. */
static void begin_frame(struct crowd *crowd)
{
	struct crowd_member *member;

	crowd->n_listeners = 0;
	atomic_store_explicit(&crowd->next_listener, 0, memory_order_relaxed);
	crowd_for_each(member, crowd)
	{
		place_member(crowd, member);
		show_identity(member);
		record_cache_clear(&member->records);
		member->frame_packets = 0;
		if (member->present && member->can_listen)
			crowd->listeners[crowd->n_listeners++] = member;
	}
	for (unsigned i = 0; i < crowd->n_lanes; i++)
		record_arena_clear(&crowd->lanes[i].arena);
}

unsigned crowd_frame(struct crowd *crowd)
{
	begin_frame(crowd);
	worker_pool_run(crowd->pool,
			MIN(crowd->n_lanes, 1 + crowd->n_listeners / LISTENERS_PER_THREAD),
			run_lane, crowd);
	for (unsigned i = 0; i < crowd->n_listeners; i++)
		outbox_send(crowd, crowd->listeners[i]);
	crowd->tick++;
	return crowd->n_listeners;
}
