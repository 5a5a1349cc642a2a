#include "avatar/crowd.h"

#include <errno.h>

#include "avatar/crowd-internal.h"

#define SLOTS_FIRST PRIORITY_BLOCK
/* Neighbours in the table are far apart in the key frames' round. */
#define KEY_PHASE_STEP 19
/* Whatever is in a message, a member's whole traits fit behind it. */
#define MESSAGE_MAX (4 * AVATAR_TRAITS_BYTES_MAX)

static int lanes_new(struct crowd *crowd, unsigned n)
{
	crowd->lanes = calloc(n, sizeof(*crowd->lanes));
	if (!crowd->lanes)
		return -ENOMEM;
	crowd->n_lanes = n;
	for (unsigned i = 0; i < n; i++) {
		crowd->lanes[i].identities = writer_growing(MESSAGE_MAX);
		crowd->lanes[i].traits = writer_growing(MESSAGE_MAX);
	}
	return worker_pool_new(n, &crowd->pool);
}

static void lanes_free(struct crowd *crowd)
{
	worker_pool_free(crowd->pool);
	for (unsigned i = 0; i < crowd->n_lanes; i++) {
		struct crowd_lane *lane = &crowd->lanes[i];

		record_arena_done(&lane->arena);
		free(lane->weights);
		for (unsigned l = 0; l < CROWD_LISTS; l++)
			free(lane->lists[l].choices);
		writer_done(&lane->identities);
		writer_done(&lane->traits);
	}
	free(crowd->lanes);
}

int crowd_new(const struct crowd_ops *ops, unsigned threads, struct crowd **ret)
{
	_cleanup_(crowd_freep) struct crowd *crowd = calloc(1, sizeof(*crowd));
	int r;

	if (!crowd)
		return -ENOMEM;
	crowd->ops = ops;
	crowd->tick = 1;
	crowd->sorting = (struct avatar_sorting){.size = 8, .centre = 0.25f, .age = 1};
	crowd->by_session = hashmap_new(sizeof(struct uuid));
	if (!crowd->by_session || session_names_new(&crowd->names) < 0)
		return -ENOMEM;
	r = lanes_new(crowd, threads);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(crowd);
	return 0;
}

struct crowd *crowd_free(struct crowd *crowd)
{
	if (!crowd)
		return NULL;
	for (unsigned i = 0; i < crowd->n_slots; i++)
		if (crowd->members[i])
			crowd_leave(crowd, crowd->members[i]);
	free(crowd->members);
	free(crowd->listeners);
	free(crowd->places);
	lanes_free(crowd);
	hashmap_free(crowd->by_session);
	session_names_free(crowd->names);
	free(crowd);
	return NULL;
}

uint32_t crowd_tick(const struct crowd *crowd)
{
	return crowd->tick;
}

struct session_names *crowd_names(struct crowd *crowd)
{
	return crowd->names;
}

void crowd_set_sorting(struct crowd *crowd, const struct avatar_sorting *sorting)
{
	crowd->sorting = *sorting;
}

struct crowd_member *crowd_next(const struct crowd *crowd, unsigned *position)
{
	while (*position < crowd->n_slots) {
		struct crowd_member *member = crowd->members[(*position)++];

		if (member)
			return member;
	}
	return NULL;
}

/* --- coming and going --- */

void crowd_pair_reset(struct crowd_pair *pair)
{
	pair->sent_tick = 0;
	pair->pose_tick = 0;
	pair->identity_tick = 0;
	avatar_trait_listener_reset(&pair->traits);
}

/* *array gets room for n members more than it had; the new part is zero. */
static int grow(void *array_ptr, size_t size, unsigned had, unsigned n)
{
	void **array = array_ptr;
	char *grown = reallocarray(*array, n, size);

	if (!grown)
		return -ENOMEM;
	memset(grown + had * size, 0, (n - had) * size);
	*array = grown;
	return 0;
}

static int grow_lane(struct crowd_lane *lane, unsigned had, unsigned n)
{
	for (unsigned i = 0; i < CROWD_LISTS; i++)
		if (grow(&lane->lists[i].choices, sizeof(struct choice), had, n) < 0)
			return -ENOMEM;
	return grow(&lane->weights, sizeof(*lane->weights), had, n);
}

/* Twice the slots. What grew before memory ran out is merely larger than it needs to be. */
static int add_slots(struct crowd *crowd)
{
	unsigned had = crowd->n_slots, n = had ? 2 * had : SLOTS_FIRST;
	struct crowd_member *member;

	crowd_for_each(member, crowd) if (grow(&member->pairs, sizeof(*member->pairs), had, n) <
					  0) return -ENOMEM;
	for (unsigned i = 0; i < crowd->n_lanes; i++)
		if (grow_lane(&crowd->lanes[i], had, n) < 0)
			return -ENOMEM;
	if (grow(&crowd->members, sizeof(struct crowd_member *), had, n) < 0 ||
	    grow(&crowd->listeners, sizeof(struct crowd_member *), had, n) < 0 ||
	    grow(&crowd->places, sizeof(*crowd->places), had / PRIORITY_BLOCK, n / PRIORITY_BLOCK) <
		    0)
		return -ENOMEM;
	crowd->n_slots = n;
	return 0;
}

static int free_slot(struct crowd *crowd, unsigned *ret)
{
	unsigned i = 0;
	int r;

	while (i < crowd->n_slots && crowd->members[i])
		i++;
	if (i == crowd->n_slots) {
		r = add_slots(crowd);
		if (r < 0)
			return r;
	}
	*ret = i;
	return 0;
}

static struct crowd_member *member_free(struct crowd_member *member)
{
	if (!member)
		return NULL;
	free(member->pairs);
	outbox_done(&member->outbox);
	hashmap_free(member->ignored);
	free(member);
	return NULL;
}
DEFINE_CLEANUP_FUNC(struct crowd_member *, member_free);

int crowd_join(struct crowd *crowd, const struct uuid *session, void *peer, bool is_source,
	       struct crowd_member **ret)
{
	_cleanup_(member_freep) struct crowd_member *member = calloc(1, sizeof(*member));
	struct crowd_member *other;
	int r;

	if (!member)
		return -ENOMEM;
	member->session = *session;
	member->peer = peer;
	member->is_source = is_source;
	member->budget_bytes = CROWD_BUDGET_DEFAULT;
	member->ignored = hashmap_new(sizeof(struct uuid));
	if (!member->ignored)
		return -ENOMEM;
	r = free_slot(crowd, &member->index);
	if (r < 0)
		return r;
	r = grow(&member->pairs, sizeof(*member->pairs), 0, crowd->n_slots);
	if (r < 0)
		return r;
	r = hashmap_insert(crowd->by_session, session, member);
	if (r < 0)
		return r;

	/* Some may ignore it since before it came. */
	crowd_for_each(other, crowd) if (hashmap_find(other->ignored, session))
	{
		other->pairs[member->index].ignores = true;
		member->pairs[other->index].ignored_by = true;
	}
	crowd->members[member->index] = member;
	*ret = TAKE_PTR(member);
	return 0;
}

void crowd_depart(struct crowd *crowd, struct crowd_member *member)
{
	struct crowd_member *other;

	avatar_state_done(&member->state);
	avatar_identity_done(&member->identity, crowd->names);
	avatar_traits_done(&member->traits);
	member->identity_tick = 0;
	member->query.n = 0;
	member->present = member->bubble = member->pal = false;

	crowd_for_each(other, crowd)
	{
		crowd_pair_reset(&other->pairs[member->index]);
		other->pairs[member->index].in_bubble = false;
	}
	crowd_forget_told(crowd, member);
}

void crowd_forget_told(struct crowd *crowd, struct crowd_member *member)
{
	for (unsigned i = 0; i < crowd->n_slots; i++) {
		crowd_pair_reset(&member->pairs[i]);
		member->pairs[i].in_bubble = false;
	}
}

void crowd_leave(struct crowd *crowd, struct crowd_member *member)
{
	struct crowd_member *other;

	crowd_depart(crowd, member);
	crowd->members[member->index] = NULL;
	(void) hashmap_remove(crowd->by_session, &member->session);
	crowd_for_each(other, crowd) other->pairs[member->index] = (struct crowd_pair){0};
	(void) member_free(member);
}

/* --- what members say --- */

int crowd_receive_data(struct crowd *crowd, struct crowd_member *member, struct span packet)
{
	struct avatar_data data;
	int r;

	if (member->frame_packets >= CROWD_PACKETS_PER_FRAME_MAX)
		return -ENOBUFS;
	r = avatar_data_decode(packet.data, packet.len, &data);
	if (r < 0)
		return r;
	member->frame_packets++;
	member->counts.data_packets++;
	member->counts.data_bytes += (uint32_t) packet.len;
	member->state.key_phase = (uint8_t) (member->index * KEY_PHASE_STEP % AVATAR_KEY_TICKS);
	r = avatar_state_apply(&member->state, &data, crowd->tick);
	if (r == -ESTALE)
		member->counts.out_of_order++;
	return r;
}

int crowd_ignore(struct crowd *crowd, struct crowd_member *member, const struct uuid *session,
		 bool add)
{
	struct crowd_member *other = hashmap_find(crowd->by_session, session);
	int r;

	if (uuid_is_null(session) || other == member)
		return -EPERM;
	if (add) {
		if (hashmap_size(member->ignored) >= CROWD_IGNORED_MAX)
			return -ENOBUFS;
		r = hashmap_insert(member->ignored, session, member);
		if (r < 0)
			return r == -EEXIST ? 0 : r;
	} else if (!hashmap_remove(member->ignored, session)) {
		return 0;
	}
	if (!other)
		return 0;

	member->pairs[other->index].ignores = add;
	other->pairs[member->index].ignored_by = add;
	crowd_pair_reset(&member->pairs[other->index]);
	crowd_pair_reset(&other->pairs[member->index]);
	if (add && other->can_listen)
		crowd->ops->send_kill(other->peer, &member->session, AVATAR_KILL_DISCONNECTED);
	return 0;
}

void crowd_set_pal(struct crowd *crowd, struct crowd_member *member, bool on)
{
	struct crowd_member *other;

	if (member->pal == on)
		return;
	member->pal = on;
	crowd_for_each(other, crowd)
	{
		struct crowd_pair *pair = &member->pairs[other->index];

		if (!pair->ignores && !pair->ignored_by && !pair->in_bubble)
			continue;
		crowd_pair_reset(pair);
		if (on)
			continue;
		/* Whoever still is in a bubble enters it again, and is killed for that reason. */
		pair->in_bubble = false;
		if ((pair->ignores || pair->ignored_by) && member->can_listen)
			crowd->ops->send_kill(member->peer, &other->session, AVATAR_KILL_IGNORED);
	}
}

void crowd_acknowledge_traits(struct crowd *crowd, struct crowd_member *member, int64_t message)
{
	struct crowd_member *other;

	crowd_for_each(other, crowd)
		avatar_trait_listener_acknowledge(&member->pairs[other->index].traits, message);
}
