#include "load/skeleton.h"

#include <math.h>
#include <stdio.h>

#include "avatar/avatar-data.h"

#define MOVES_EVERY     3
#define NO_TRANSLATIONS 0.001f /* the least maxTranslationDimension that clients send */
#define BONE_ROOT       0
#define BONE_CHILD      1

static size_t joint_name(unsigned i, char buf[static 16])
{
	return (size_t) snprintf(buf, 16, "joint%u", i);
}

static void write_joint(struct writer *wr, unsigned i, size_t name_at, size_t name_len)
{
	static const struct quat identity = {.w = 1};
	uint8_t rotation[6];

	packed_quat6_encode(&identity, rotation);
	write_u16le(wr, (uint16_t) name_at);
	write_u8(wr, (uint8_t) name_len);
	write_u8(wr, i == 0 ? BONE_ROOT : BONE_CHILD);
	for (unsigned axis = 0; axis < 3; axis++)
		write_u16le(wr, (uint16_t) packed_fixed_encode(axis == 1 ? 0.1f : 0, 14));
	write_bytes(wr, rotation, sizeof(rotation));
	write_u16le(wr, (uint16_t) packed_ratio_encode(1));
	write_u16le(wr, (uint16_t) i);
	write_u16le(wr, (uint16_t) (i - 1)); /* 65535 for the root */
}

void skeleton_write(struct writer *wr, unsigned joints)
{
	char name[16];
	size_t names_len = 0, at = 0;

	for (unsigned i = 0; i < joints; i++)
		names_len += joint_name(i, name);
	write_f32le(wr, joints > 0); /* maxTranslationDimension, maxScaleDimension */
	write_f32le(wr, joints > 0);
	write_u8(wr, (uint8_t) joints);
	write_u16le(wr, (uint16_t) names_len);
	for (unsigned i = 0; i < joints; i++) {
		size_t len = joint_name(i, name);

		write_joint(wr, i, at, len);
		at += len;
	}
	for (unsigned i = 0; i < joints; i++)
		write_bytes(wr, name, joint_name(i, name));
}

static bool moves(unsigned joint)
{
	return joint % MOVES_EVERY == 0;
}

/* Swinging about an axis of its own at half a hertz or so. */
static void write_rotation(struct writer *wr, unsigned joint, unsigned offset, uint64_t now_usec)
{
	double swing =
		moves(joint) ? 0.4 * sin((double) now_usec / 1e6 * 3.3 + joint + offset) : 0.1;
	struct quat q = {.w = (float) cos(swing)};
	uint8_t rotation[6];

	if (joint % 2)
		q.x = (float) sin(swing);
	else
		q.z = (float) sin(swing);
	packed_quat6_encode(&q, rotation);
	write_bytes(wr, rotation, sizeof(rotation));
}

static void write_bits(struct writer *wr, unsigned joints, bool (*is_set)(unsigned joint))
{
	uint8_t bits[AVATAR_JOINT_BITS_MAX] = {0};

	for (unsigned i = 0; i < joints; i++)
		if (is_set(i))
			avatar_bit_set(bits, i);
	write_bytes(wr, bits, avatar_bits_size(joints));
}

static bool always(unsigned joint)
{
	return true;
}

static bool never(unsigned joint)
{
	return false;
}

void skeleton_write_pose(struct writer *wr, unsigned joints, bool all, unsigned offset,
			 uint64_t now_usec)
{
	write_u8(wr, (uint8_t) joints);
	write_bits(wr, joints, all ? always : moves);
	for (unsigned i = 0; i < joints; i++)
		if (all || moves(i))
			write_rotation(wr, i, offset, now_usec);
	write_bits(wr, joints, never);
	write_f32le(wr, NO_TRANSLATIONS);

	write_u8(wr, (uint8_t) joints);
	write_bits(wr, joints, never);
	write_bits(wr, joints, always); /* translations are those of the skeleton */
}
