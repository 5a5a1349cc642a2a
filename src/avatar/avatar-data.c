#include "avatar/avatar-data.h"

#include <math.h>

#define FACE_FIXED_FLOATS 4

static const struct avatar_section_info section_table[] = {
#define X(constant, ...) [AVATAR_SECTION_##constant] = {__VA_ARGS__},
	AVATAR_SECTIONS(X)
#undef X
};

static_assert(ELEMENTSOF(section_table) == AVATAR_SECTION_COUNT, "one row per section");

const struct avatar_section_info *avatar_section_info(enum avatar_section section)
{
	return &section_table[section];
}

/* Fails the reader when one of the count floats at *at is not finite or too large. */
static void check_floats(struct reader *rd, size_t at, unsigned count, float max)
{
	struct reader look = *rd;

	look.pos = at;
	for (unsigned i = 0; i < count; i++)
		if (fabsf(read_f32le_finite(&look)) > max)
			reader_fail(&look);
	if (look.failed)
		reader_fail(rd);
}

static struct span read_section(struct reader *rd, enum avatar_section section)
{
	const struct avatar_section_info *info = &section_table[section];
	const size_t start = rd->pos;
	struct span s = read_span(rd, info->size);

	check_floats(rd, start + info->floats_at, info->floats, info->float_max);
	return s;
}

static struct span read_face(struct reader *rd)
{
	struct reader whole = *rd;
	const size_t start = rd->pos;
	uint8_t n;

	read_skip(rd, FACE_FIXED_FLOATS * sizeof(float));
	n = read_u8(rd);
	if (n > AVATAR_BLENDSHAPES_MAX)
		reader_fail(rd);
	read_skip(rd, n * sizeof(float));

	check_floats(rd, start, FACE_FIXED_FLOATS, FLT_MAX);
	check_floats(rd, start + FACE_FIXED_FLOATS * sizeof(float) + 1, n, FLT_MAX);
	return read_span(&whole, rd->pos - start);
}

static struct span read_bits(struct reader *rd, unsigned n)
{
	return read_span(rd, avatar_bits_size(n));
}

/* The spare bits of the last byte mean nothing. */
static unsigned count_bits(struct span bits, unsigned n)
{
	unsigned set = 0;

	for (size_t i = 0; i < bits.len; i++) {
		unsigned used = n - 8 * (unsigned) i;
		unsigned mask = used < 8 ? (1u << used) - 1 : 0xff;

		set += (unsigned) __builtin_popcount(bits.data[i] & mask);
	}
	return set;
}

static struct span read_values(struct reader *rd, struct span bits, unsigned n)
{
	return read_span(rd, (size_t) count_bits(bits, n) * AVATAR_JOINT_VALUE_SIZE);
}

static void read_joints(struct reader *rd, struct avatar_data *d)
{
	d->joint_count = read_u8(rd);
	d->rotations.bits = read_bits(rd, d->joint_count);
	d->rotations.values = read_values(rd, d->rotations.bits, d->joint_count);
	d->translations.bits = read_bits(rd, d->joint_count);
	d->max_translation = read_f32le_finite(rd);
	if (fabsf(d->max_translation) > AVATAR_COORDINATE_MAX)
		reader_fail(rd);
	d->translations.values = read_values(rd, d->translations.bits, d->joint_count);
}

static void read_default_poses(struct reader *rd, struct avatar_data *d)
{
	d->default_count = read_u8(rd);
	d->default_rotations = read_bits(rd, d->default_count);
	d->default_translations = read_bits(rd, d->default_count);
}

void avatar_data_read(struct reader *rd, struct avatar_data *ret)
{
	struct avatar_data d = {0};

	d.flags = read_u16le(rd) & 0x7fff;
	if (!(d.flags & AVATAR_HAS_JOINTS))
		d.flags &= (uint16_t) ~AVATAR_HAS_GRAB;

	for (unsigned s = 0; s < AVATAR_SECTION_FACE; s++)
		if (d.flags & section_table[s].flag)
			d.sections[s] = read_section(rd, s);
	if (d.flags & AVATAR_HAS_FACE)
		d.sections[AVATAR_SECTION_FACE] = read_face(rd);
	if (d.flags & AVATAR_HAS_JOINTS)
		read_joints(rd, &d);
	if (d.flags & AVATAR_HAS_GRAB)
		d.sections[AVATAR_SECTION_GRAB] = read_section(rd, AVATAR_SECTION_GRAB);
	if (d.flags & AVATAR_HAS_DEFAULT_POSES)
		read_default_poses(rd, &d);
	*ret = d;
}

int avatar_data_decode(const void *data, size_t len, struct avatar_data *ret)
{
	struct reader rd = reader_over(data, len);
	uint16_t sequence = read_u16le(&rd);
	struct avatar_data d;
	int r;

	avatar_data_read(&rd, &d);
	d.sequence = sequence;
	r = reader_check(&rd);
	if (r < 0)
		return r;
	*ret = d;
	return 0;
}
