#include "entity/properties.h"

/* A set of N bytes begins with N − 1 ones and a zero; flag 0 is the next bit. */
#define FLAG_BYTES_MAX 19
static_assert(7 * FLAG_BYTES_MAX > PROPERTY_NUMBER_MAX, "all flags have a place");

static bool bit_at(const uint8_t *p, unsigned i)
{
	return p[i / 8] & (0x80 >> i % 8);
}

static unsigned leading_ones(const struct reader *rd)
{
	unsigned n = 0;

	while (rd->pos + n / 8 < rd->len && bit_at(rd->data + rd->pos, n))
		n++;
	return n;
}

struct property_set read_property_flags(struct reader *rd)
{
	unsigned n = rd->failed ? 0 : leading_ones(rd) + 1;
	const uint8_t *p = read_bytes(rd, n);
	struct property_set set = {{0}};

	if (!p || n > FLAG_BYTES_MAX) {
		reader_fail(rd);
		return set;
	}
	for (unsigned i = 0; i < 7 * n; i++) {
		if (!bit_at(p, n + i))
			continue;
		if (i > PROPERTY_NUMBER_MAX)
			reader_fail(rd);
		else
			property_set_add(&set, i);
	}
	return set;
}

size_t property_flags_size(const struct property_set *set)
{
	unsigned highest = set->bits[1]   ? 127 - (unsigned) __builtin_clzll(set->bits[1])
			   : set->bits[0] ? 63 - (unsigned) __builtin_clzll(set->bits[0])
					  : 0;

	return highest / 7 + 1;
}

void write_property_flags(struct writer *wr, const struct property_set *set)
{
	unsigned n = (unsigned) property_flags_size(set);
	uint8_t *p = write_room(wr, n);

	if (!p)
		return;
	memset(p, 0, n);
	for (unsigned i = 0; i < 8 * n; i++) {
		bool one = i < n ? i + 1 < n
				 : i - n <= PROPERTY_NUMBER_MAX && property_set_has(set, i - n);

		if (one)
			p[i / 8] |= (uint8_t) (0x80 >> i % 8);
	}
}
