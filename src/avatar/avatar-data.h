/* The AvatarData packet (protocol 04 section 3): what a client says about its avatar, checked whole
 * and taken apart without being understood. Pure; nothing is allocated, all spans borrow from the
 * packet.
 *
 * The mixer needs to look into very few of the sections, so all but the joints stay opaque bytes.
 */
#pragma once

#include <float.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/packed.h"

#define AVATAR_JOINTS_MAX       255 /* one byte on the wire */
#define AVATAR_JOINT_BITS_MAX   32  /* bytes of a validity or default-pose bit array */
#define AVATAR_JOINT_VALUE_SIZE 6   /* a quat6 or a vec6 */
#define AVATAR_BLENDSHAPES_MAX  62
#define AVATAR_COORDINATE_MAX   1e6f /* metres from the origin, and the largest joint translation */
#define AVATAR_TRANSLATION_UNIT 16384 /* a joint translation of 1.0 × maxTranslationDimension */

/* X(constant, has-flag, bytes, offset and number of its floats and their largest magnitude, packed
 * quaternions (12 bytes apart, from offset 0)). The order is that of storage, and on the wire up to
 * FACE; GRAB follows the joint data. The floats of FACE depend on its content. */
/* clang-format off */
#define AVATAR_SECTIONS(X)								\
	X(POSITION,         0x0001,  12,  0,  3, AVATAR_COORDINATE_MAX,  0)	\
	X(BOUNDING_BOX,     0x0002,  24,  0,  6, AVATAR_COORDINATE_MAX,  0)	\
	X(ORIENTATION,      0x0004,   6,  0,  0, 0,        1)			\
	X(SCALE,            0x0008,   2,  0,  0, 0,        0)			\
	X(LOOK_AT,          0x0010,  12,  0,  3, FLT_MAX,  0)			\
	X(LOUDNESS,         0x0020,   1,  0,  0, 0,        0)			\
	X(SENSOR_TO_WORLD,  0x0040,  20,  8,  3, FLT_MAX,  1)			\
	X(ADDITIONAL_FLAGS, 0x0080,   2,  0,  0, 0,        0)			\
	X(PARENT,           0x0100,  18,  0,  0, 0,        0)			\
	X(LOCAL_POSITION,   0x0200,  12,  0,  3, FLT_MAX,  0)			\
	X(HANDS,            0x0400,  24,  0,  0, 0,        2)			\
	X(FACE,             0x0800, 265,  0,  0, 0,        0)			\
	X(GRAB,             0x4000,  84,  0, 21, FLT_MAX,  0)
/* clang-format on */

enum avatar_section {
#define X(constant, ...) AVATAR_SECTION_##constant,
	AVATAR_SECTIONS(X)
#undef X
		AVATAR_SECTION_COUNT,
};

enum avatar_has_flags {
#define X(constant, flag, ...) AVATAR_HAS_##constant = (flag),
	AVATAR_SECTIONS(X)
#undef X
		AVATAR_HAS_JOINTS = 0x1000,
	AVATAR_HAS_DEFAULT_POSES = 0x2000,
};

/* In the additional flags (04 section 3.3). */
enum avatar_additional_flags {
	AVATAR_FLAG_HERO = 0x0008, /* the mixer's to set, whatever the client claims */
	AVATAR_FLAG_FACE = 0x0800, /* the face section means something */
};

struct avatar_section_info {
	uint16_t flag;
	uint16_t size; /* the most, for FACE */
	uint8_t floats_at, floats;
	float float_max;
	uint8_t quats;
};

const struct avatar_section_info *avatar_section_info(enum avatar_section section);

/* Bits i of a bits(n) array (04 section 2). */
static inline bool avatar_bit(const uint8_t *bits, unsigned i)
{
	return bits[i >> 3] >> (i & 7) & 1;
}
static inline void avatar_bit_set(uint8_t *bits, unsigned i)
{
	bits[i >> 3] |= (uint8_t) (1 << (i & 7));
}
static inline unsigned avatar_bits_size(unsigned n)
{
	return (n + 7) / 8;
}

/* Joint values: bits say which joints have one, in ascending order in values, six bytes each. */
struct avatar_joint_values {
	struct span bits;
	struct span values;
};

struct avatar_data {
	uint16_t sequence;
	uint16_t flags; /* what is here: GRAB only with JOINTS, the unused bit cleared */
	struct span sections[AVATAR_SECTION_COUNT];

	uint8_t joint_count; /* of JOINTS */
	struct avatar_joint_values rotations, translations;
	float max_translation; /* translations are in units of this */

	uint8_t default_count;         /* of DEFAULT_POSES */
	struct span default_rotations; /* bits */
	struct span default_translations;
};

/* Sequence number, flags, sections. -EBADMSG when a section runs past the end, a float is not
 * finite, a coordinate is out of reach or there are too many blendshapes (04 section 3.7); bytes
 * behind the last section are accepted. */
int avatar_data_decode(const void *data, size_t len, struct avatar_data *ret);

/* Flags and sections only, as in a record of BulkAvatarData; the same refusals fail the reader. */
void avatar_data_read(struct reader *rd, struct avatar_data *ret);
