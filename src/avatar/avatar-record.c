#include "avatar/avatar-record.h"

#include <math.h>

#define MAX_TRANSLATION_MIN 0.001f

/* --- which sections --- */

static bool has_parent(const struct avatar_state *state)
{
	struct span s = avatar_state_section(state, AVATAR_SECTION_PARENT);
	struct reader rd = reader_over(s.data, s.len);
	struct uuid parent = read_uuid(&rd);

	return !uuid_is_null(&parent);
}

static bool has_face(const struct avatar_state *state)
{
	struct span s = avatar_state_section(state, AVATAR_SECTION_ADDITIONAL_FLAGS);
	struct reader rd = reader_over(s.data, s.len);

	return read_u16le(&rd) & AVATAR_FLAG_FACE;
}

static bool section_wanted(const struct avatar_state *state, enum avatar_section section,
			   enum avatar_detail detail, uint32_t since)
{
	bool changed = state->sections[section].changed_tick > since;

	if (state->sections[section].len == 0)
		return false;
	if (detail == AVATAR_DETAIL_PAL)
		return section == AVATAR_SECTION_POSITION || section == AVATAR_SECTION_LOUDNESS;

	switch (section) {
	case AVATAR_SECTION_POSITION:
	case AVATAR_SECTION_HANDS: /* a receiver takes absence for "not tracked" */
		return true;
	case AVATAR_SECTION_GRAB:
		return detail == AVATAR_DETAIL_CHANGED;
	case AVATAR_SECTION_LOCAL_POSITION:
		return changed && has_parent(state);
	case AVATAR_SECTION_FACE:
		return has_face(state);
	default:
		return changed;
	}
}

static uint16_t wanted_sections(const struct avatar_state *state, enum avatar_detail detail,
				uint32_t since)
{
	uint16_t flags = 0;

	for (unsigned s = 0; s < AVATAR_SECTION_COUNT; s++)
		if (section_wanted(state, s, detail, since))
			flags |= avatar_section_info(s)->flag;
	return flags;
}

/* --- which joints --- */

struct joint_set {
	unsigned tier;
	uint32_t tick;
	unsigned count; /* of both */
	uint8_t rotations[AVATAR_JOINT_BITS_MAX];
	uint8_t translations[AVATAR_JOINT_BITS_MAX];
};

static struct joint_set wanted_joints(const struct avatar_state *state,
				      const struct avatar_variant *variant, uint32_t tick)
{
	struct joint_set set = {.tier = variant->tier, .tick = tick};

	for (unsigned j = 0; j < state->joint_count; j++) {
		const struct avatar_joint *joint = &state->joints[j];

		if (joint->rotation_known && !joint->rotation_default &&
		    avatar_joint_turned(joint, variant->tier, variant->since, tick)) {
			avatar_bit_set(set.rotations, j);
			set.count++;
		}
		if (joint->translation_known && !joint->translation_default &&
		    avatar_joint_moved(joint, variant->since, tick)) {
			avatar_bit_set(set.translations, j);
			set.count++;
		}
	}
	return set;
}

static unsigned take_bits(uint8_t *from, uint8_t *to, unsigned n, unsigned most)
{
	unsigned taken = 0;

	for (unsigned i = 0; i < n && taken < most; i++) {
		if (!avatar_bit(from, i))
			continue;
		from[i >> 3] &= (uint8_t) ~(1 << (i & 7));
		avatar_bit_set(to, i);
		taken++;
	}
	return taken;
}

/* Moves at most that many values out of the set: rotations first, lower joints first. */
static struct joint_set take_joints(struct joint_set *set, unsigned joint_count, unsigned most)
{
	struct joint_set taken = {.tier = set->tier, .tick = set->tick};

	taken.count = take_bits(set->rotations, taken.rotations, joint_count, most);
	taken.count +=
		take_bits(set->translations, taken.translations, joint_count, most - taken.count);
	set->count -= taken.count;
	return taken;
}

/* --- writing --- */

static void write_section(struct writer *wr, const struct avatar_state *state,
			  enum avatar_section section)
{
	struct span s = avatar_state_section(state, section);

	write_bytes(wr, s.data, s.len);
}

/* Rounds to nearest, unlike the protocol's fix16: what arrived with the same max_translation leaves
 * as it came. */
static void write_component(struct writer *wr, float v, float max_translation)
{
	float scaled = v / max_translation * AVATAR_TRANSLATION_UNIT;
	int16_t rounded = (int16_t) lrintf(CLAMP(scaled, (float) INT16_MIN, (float) INT16_MAX));

	write_u16le(wr, (uint16_t) rounded);
}

static float largest_component(const struct avatar_state *state, const uint8_t *bits)
{
	float largest = MAX_TRANSLATION_MIN;

	for (unsigned j = 0; j < state->joint_count; j++) {
		const struct vec3 *t = &state->joints[j].translation;

		if (!avatar_bit(bits, j))
			continue;
		largest = fmaxf(largest, fabsf(t->x));
		largest = fmaxf(largest, fabsf(t->y));
		largest = fmaxf(largest, fabsf(t->z));
	}
	return largest;
}

static void write_joints(struct writer *wr, const struct avatar_state *state,
			 const struct joint_set *set)
{
	unsigned size = avatar_bits_size(state->joint_count);
	float max_translation = largest_component(state, set->translations);

	write_u8(wr, state->joint_count);
	write_bytes(wr, set->rotations, size);
	for (unsigned j = 0; j < state->joint_count; j++)
		if (avatar_bit(set->rotations, j))
			write_bytes(wr,
				    avatar_joint_rotation(&state->joints[j], set->tier, set->tick),
				    AVATAR_JOINT_VALUE_SIZE);

	write_bytes(wr, set->translations, size);
	write_f32le(wr, max_translation);
	for (unsigned j = 0; j < state->joint_count; j++) {
		const struct vec3 *t = &state->joints[j].translation;

		if (!avatar_bit(set->translations, j))
			continue;
		write_component(wr, t->x, max_translation);
		write_component(wr, t->y, max_translation);
		write_component(wr, t->z, max_translation);
	}
}

static void write_default_poses(struct writer *wr, const struct avatar_state *state)
{
	uint8_t rotations[AVATAR_JOINT_BITS_MAX] = {0}, translations[AVATAR_JOINT_BITS_MAX] = {0};
	unsigned size = avatar_bits_size(state->joint_count);

	for (unsigned j = 0; j < state->joint_count; j++) {
		if (state->joints[j].rotation_default)
			avatar_bit_set(rotations, j);
		if (state->joints[j].translation_default)
			avatar_bit_set(translations, j);
	}
	write_u8(wr, state->joint_count);
	write_bytes(wr, rotations, size);
	write_bytes(wr, translations, size);
}

/* --- the whole --- */

/* Bytes the joint section takes beside its values, and what follows it in the last piece. */
static size_t joint_overhead(const struct avatar_state *state)
{
	return 1 + 2 * avatar_bits_size(state->joint_count) + sizeof(float);
}

static size_t tail_size(const struct avatar_state *state, uint16_t flags)
{
	return (flags & AVATAR_HAS_GRAB ? avatar_section_info(AVATAR_SECTION_GRAB)->size : 0) + 1 +
	       2 * avatar_bits_size(state->joint_count);
}

/* Ends the piece begun with its head, with as many joints as fit, and with grab and default poses
 * when all joints did. Returns true when it was the last. */
static bool finish_piece(struct writer *wr, const struct avatar_state *state, uint16_t flags,
			 size_t head_len, struct joint_set *wanted)
{
	size_t room = AVATAR_DATAGRAM_MAX - head_len - joint_overhead(state);
	bool last = wanted->count * AVATAR_JOINT_VALUE_SIZE + tail_size(state, flags) <= room;
	struct joint_set set =
		take_joints(wanted, state->joint_count, (unsigned) room / AVATAR_JOINT_VALUE_SIZE);

	write_joints(wr, state, &set);
	if (!last)
		return false;
	if (flags & AVATAR_HAS_GRAB)
		write_section(wr, state, AVATAR_SECTION_GRAB);
	write_default_poses(wr, state);
	return true;
}

static bool write_piece(struct writer *wr, const struct avatar_state *state,
			const struct uuid *session, uint16_t flags, struct joint_set *wanted)
{
	size_t start = wr->len;
	uint8_t *flags_at;
	bool last;

	write_uuid(wr, session);
	flags_at = write_room(wr, sizeof(uint16_t));
	for (unsigned s = 0; s <= AVATAR_SECTION_FACE; s++)
		if (flags & avatar_section_info(s)->flag)
			write_section(wr, state, s);

	last = !(flags & AVATAR_HAS_JOINTS) ||
	       finish_piece(wr, state, flags, wr->len - start, wanted);
	if (!last)
		flags &= (uint16_t) ~(AVATAR_HAS_GRAB | AVATAR_HAS_DEFAULT_POSES);
	flags_at[0] = (uint8_t) flags;
	flags_at[1] = (uint8_t) (flags >> 8);
	return last;
}

void avatar_record_encode(const struct avatar_state *state, const struct uuid *session,
			  const struct avatar_variant *variant, uint32_t tick,
			  struct avatar_record *ret)
{
	struct writer wr = writer_over(ret->data, sizeof(ret->data));
	uint16_t flags = wanted_sections(state, variant->detail, variant->since);
	struct joint_set joints = {0};
	bool last = false;

	if (state->has_joints && variant->detail == AVATAR_DETAIL_CHANGED) {
		joints = wanted_joints(state, variant, tick);
		flags |= AVATAR_HAS_JOINTS | AVATAR_HAS_DEFAULT_POSES;
	}

	ret->n_pieces = 0;
	while (!last) {
		size_t start = wr.len;

		assert(ret->n_pieces < AVATAR_PIECES_MAX);
		last = write_piece(&wr, state, session, flags, &joints);
		ret->piece_len[ret->n_pieces++] = (uint16_t) (wr.len - start);
		/* Only the first piece has the sections before the joints. */
		flags &= AVATAR_HAS_JOINTS | AVATAR_HAS_GRAB | AVATAR_HAS_DEFAULT_POSES;
	}
	ret->len = (uint16_t) wr.len;
}
