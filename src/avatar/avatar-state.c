#include "avatar/avatar-state.h"

#include <errno.h>
#include <math.h>
#include <string.h>

/* Cosines of half the angles: 2, 4, 6, 15 and 179 degrees. */
static const struct {
	float squared_distance; /* from here on */
	float min_dot;
} tiers[AVATAR_TIERS] = {
	{0, 1},
	{12.5f * 12.5f, 0.99984770f},
	{16.6f * 16.6f, 0.99939083f},
	{25 * 25, 0.99862953f},
	{50 * 50, 0.99144486f},
	{200 * 200, 0.00872653f},
};

static const uint16_t section_offsets[] = {
#define X(constant, ...) AVATAR_OFFSET_##constant,
	AVATAR_SECTIONS(X)
#undef X
};

void avatar_state_done(struct avatar_state *state)
{
	free(state->joints);
	*state = (struct avatar_state){0};
}

/* --- sections --- */

/* An SDK encoder bug leaves bit 15 of the last word set when two components have equal magnitude;
 * every receiver would decode NaN (protocol 04 section 2). */
static void repair_quat6(uint8_t quat[static 6])
{
	if (quat[4] & 0x80)
		quat[4] = quat[5] = 0;
}

static void store_section(struct avatar_state *state, enum avatar_section section, struct span in,
			  uint32_t tick)
{
	const struct avatar_section_info *info = avatar_section_info(section);
	struct avatar_section_state *stored = &state->sections[section];
	uint8_t *bytes = state->bytes + section_offsets[section];
	uint8_t copy[AVATAR_SECTIONS_SIZE];

	memcpy(copy, in.data, in.len);
	for (unsigned i = 0; i < info->quats; i++)
		repair_quat6(copy + 12 * i);
	if (section == AVATAR_SECTION_ADDITIONAL_FLAGS)
		copy[0] &= (uint8_t) ~AVATAR_FLAG_HERO;

	if (stored->len == in.len && memcmp(bytes, copy, in.len) == 0)
		return;
	memcpy(bytes, copy, in.len);
	stored->len = (uint16_t) in.len;
	stored->changed_tick = tick;
}

static void store_sections(struct avatar_state *state, const struct avatar_data *data,
			   uint32_t tick)
{
	for (unsigned s = 0; s < AVATAR_SECTION_COUNT; s++)
		if (data->sections[s].len > 0)
			store_section(state, s, data->sections[s], tick);

	/* Absent means kept, but for these two. */
	if (!(data->flags & AVATAR_HAS_HANDS))
		state->sections[AVATAR_SECTION_HANDS].len = 0;
	if ((data->flags & AVATAR_HAS_JOINTS) && !(data->flags & AVATAR_HAS_GRAB))
		state->sections[AVATAR_SECTION_GRAB].len = 0;
}

/* --- joints --- */

static int reserve_joints(struct avatar_state *state, unsigned count)
{
	struct avatar_joint *joints;

	if (count <= state->joints_allocated)
		return 0;
	joints = realloc(state->joints, count * sizeof(*joints));
	if (!joints)
		return -ENOMEM;
	state->joints = joints;
	state->joints_allocated = (uint8_t) count;
	return 0;
}

static void resize_joints(struct avatar_state *state, uint8_t count)
{
	for (unsigned j = state->joint_count; j < count; j++)
		state->joints[j] = (struct avatar_joint){.rotation_default = true,
							 .translation_default = true};
	state->joint_count = count;
	state->has_joints = true;
}

static bool is_settled(uint32_t changed_tick, uint32_t tick)
{
	return tick >= changed_tick + AVATAR_SETTLE_TICKS;
}

static void show(struct avatar_joint *joint, unsigned tier, const struct quat *turn, uint32_t tick)
{
	struct avatar_joint_shown *shown = &joint->shown[tier - 1];

	memcpy(shown->rotation, joint->rotation, sizeof(shown->rotation));
	shown->turn = *turn;
	shown->tick = tick;
}

static void show_all(struct avatar_joint *joint, uint32_t tick)
{
	struct quat turn = packed_quat6_decode(joint->rotation);

	for (unsigned tier = 1; tier < AVATAR_TIERS; tier++)
		show(joint, tier, &turn, tick);
}

/* Shows the rotation to those tiers for which it is far enough from what they saw last. */
static void show_turn(struct avatar_joint *joint, uint32_t tick)
{
	struct quat turn = packed_quat6_decode(joint->rotation);

	for (unsigned tier = 1; tier < AVATAR_TIERS; tier++) {
		const struct quat *last = &joint->shown[tier - 1].turn;
		float dot =
			last->x * turn.x + last->y * turn.y + last->z * turn.z + last->w * turn.w;

		if (fabsf(dot) < tiers[tier].min_dot)
			show(joint, tier, &turn, tick);
	}
}

static void store_rotation(struct avatar_joint *joint, const uint8_t *value, uint32_t tick)
{
	bool was_known = joint->rotation_known && !joint->rotation_default;
	uint8_t rotation[AVATAR_JOINT_VALUE_SIZE];

	memcpy(rotation, value, sizeof(rotation));
	repair_quat6(rotation);
	joint->rotation_known = true;
	joint->rotation_default = false;
	if (was_known && memcmp(joint->rotation, rotation, sizeof(rotation)) == 0)
		return;

	/* It was still, and all tiers have seen it or are to see it so. */
	if (was_known && is_settled(joint->rotation_tick, tick))
		show_all(joint, joint->rotation_tick + AVATAR_SETTLE_TICKS);
	memcpy(joint->rotation, rotation, sizeof(rotation));
	joint->rotation_tick = tick;
	if (was_known)
		show_turn(joint, tick);
	else
		show_all(joint, tick);
}

static float read_component(struct reader *rd, float max_translation)
{
	float v = (float) read_i16le(rd) / AVATAR_TRANSLATION_UNIT * max_translation;

	return CLAMP(v, -AVATAR_COORDINATE_MAX, AVATAR_COORDINATE_MAX);
}

static void store_translation(struct avatar_joint *joint, const uint8_t *value,
			      float max_translation, uint32_t tick)
{
	struct reader rd = reader_over(value, AVATAR_JOINT_VALUE_SIZE);
	struct vec3 t;

	t.x = read_component(&rd, max_translation);
	t.y = read_component(&rd, max_translation);
	t.z = read_component(&rd, max_translation);
	if (!joint->translation_known || joint->translation_default ||
	    memcmp(&joint->translation, &t, sizeof(t)) != 0)
		joint->translation_tick = tick;
	joint->translation = t;
	joint->translation_known = true;
	joint->translation_default = false;
}

static void store_joints(struct avatar_state *state, const struct avatar_data *data, uint32_t tick)
{
	const uint8_t *rotation = data->rotations.values.data;
	const uint8_t *translation = data->translations.values.data;

	resize_joints(state, data->joint_count);
	for (unsigned j = 0; j < data->joint_count; j++) {
		if (avatar_bit(data->rotations.bits.data, j)) {
			store_rotation(&state->joints[j], rotation, tick);
			rotation += AVATAR_JOINT_VALUE_SIZE;
		}
		if (avatar_bit(data->translations.bits.data, j)) {
			store_translation(&state->joints[j], translation, data->max_translation,
					  tick);
			translation += AVATAR_JOINT_VALUE_SIZE;
		}
	}
}

/* A joint that leaves its default pose without a new value has its old one again, which listeners
 * have forgotten: that counts as a change. */
static bool store_default(bool *is_default, bool now, uint32_t *changed_tick, uint32_t tick)
{
	bool returns = *is_default && !now;

	if (returns)
		*changed_tick = tick;
	*is_default = now;
	return returns;
}

static void store_default_poses(struct avatar_state *state, const struct avatar_data *data,
				uint32_t tick)
{
	resize_joints(state, data->default_count);
	for (unsigned j = 0; j < data->default_count; j++) {
		struct avatar_joint *joint = &state->joints[j];

		if (store_default(&joint->rotation_default,
				  avatar_bit(data->default_rotations.data, j),
				  &joint->rotation_tick, tick))
			show_all(joint, tick);
		(void) store_default(&joint->translation_default,
				     avatar_bit(data->default_translations.data, j),
				     &joint->translation_tick, tick);
	}
}

/* --- the whole --- */

int avatar_state_apply(struct avatar_state *state, const struct avatar_data *data, uint32_t tick)
{
	int r;

	if (state->updated_tick > 0 && tick - state->updated_tick <= AVATAR_SEQUENCE_RESET_TICKS &&
	    (int16_t) (data->sequence - state->sequence) <= 0)
		return -ESTALE;
	r = reserve_joints(state, MAX(data->joint_count, data->default_count));
	if (r < 0)
		return r;

	store_sections(state, data, tick);
	if (data->flags & AVATAR_HAS_JOINTS)
		store_joints(state, data, tick);
	if (data->flags & AVATAR_HAS_DEFAULT_POSES)
		store_default_poses(state, data, tick);

	if (tick - (tick + state->key_phase) % AVATAR_KEY_TICKS > state->key_tick ||
	    state->key_tick == 0)
		state->key_tick = tick;
	state->sequence = data->sequence;
	state->updated_tick = tick;
	return 0;
}

uint32_t avatar_state_since(const struct avatar_state *state, uint32_t sent_tick, uint32_t tick)
{
	uint32_t age = 1;

	if (sent_tick < state->key_tick)
		return 0;
	while (age < tick - sent_tick)
		age *= 2;
	return age < MIN(tick, (uint32_t) AVATAR_KEY_TICKS) ? tick - age : 0;
}

unsigned avatar_tier(float distance_squared)
{
	unsigned tier = AVATAR_TIERS - 1;

	while (tier > 0 && distance_squared < tiers[tier].squared_distance)
		tier--;
	return tier;
}

/* Whether one of the repetitions after a change falls into the time since. */
static bool settles(uint32_t changed_tick, uint32_t since, uint32_t tick)
{
	static const uint8_t after[] = {AVATAR_SETTLE_TICKS, AVATAR_SETTLE_2_TICKS,
					AVATAR_SETTLE_3_TICKS};

	for (size_t i = 0; i < ELEMENTSOF(after); i++)
		if (changed_tick + after[i] > since && changed_tick + after[i] <= tick)
			return true;
	return false;
}

const uint8_t *avatar_joint_rotation(const struct avatar_joint *joint, unsigned tier, uint32_t tick)
{
	if (tier == 0 || is_settled(joint->rotation_tick, tick))
		return joint->rotation;
	return joint->shown[tier - 1].rotation;
}

bool avatar_joint_turned(const struct avatar_joint *joint, unsigned tier, uint32_t since,
			 uint32_t tick)
{
	uint32_t changed_tick = tier == 0 ? joint->rotation_tick : joint->shown[tier - 1].tick;

	return changed_tick > since || settles(joint->rotation_tick, since, tick);
}

bool avatar_joint_moved(const struct avatar_joint *joint, uint32_t since, uint32_t tick)
{
	return joint->translation_tick > since || settles(joint->translation_tick, since, tick);
}

struct span avatar_state_section(const struct avatar_state *state, enum avatar_section section)
{
	return span_of(state->bytes + section_offsets[section], state->sections[section].len);
}

struct vec3 avatar_state_position(const struct avatar_state *state)
{
	struct span s = avatar_state_section(state, AVATAR_SECTION_POSITION);
	struct reader rd = reader_over(s.data, s.len);

	return read_vec3(&rd);
}

bool avatar_state_bounding_box(const struct avatar_state *state, struct vec3 *ret_dimensions,
			       struct vec3 *ret_offset)
{
	struct span s = avatar_state_section(state, AVATAR_SECTION_BOUNDING_BOX);
	struct reader rd = reader_over(s.data, s.len);

	*ret_dimensions = read_vec3(&rd);
	*ret_offset = read_vec3(&rd);
	return s.len > 0;
}
