#include "base/utf16.h"

#define REPLACEMENT 0xfffd

uint32_t utf8_next(const char **p)
{
	unsigned n;
	uint32_t c;

	if (**p == 0)
		return 0;

	/* The NUL at the end is no continuation byte, so a sequence cut short there stops in
	 * time. */
	n = utf8_decode(*p, strnlen(*p, 4), &c);
	*p += n > 0 ? n : 1;
	return n > 0 ? c : REPLACEMENT;
}

size_t utf16_length(const char *utf8)
{
	size_t n = 0;
	uint32_t c;

	while ((c = utf8_next(&utf8)))
		n += c >= 0x10000 ? 2 : 1;
	return n;
}

static void write_unit(struct writer *wr, uint32_t unit, enum utf16_order order)
{
	if (order == UTF16_BE)
		write_u16be(wr, (uint16_t) unit);
	else
		write_u16le(wr, (uint16_t) unit);
}

void write_utf16(struct writer *wr, const char *utf8, enum utf16_order order)
{
	uint32_t c;

	while ((c = utf8_next(&utf8))) {
		if (c >= 0x10000) {
			write_unit(wr, 0xd800 + ((c - 0x10000) >> 10), order);
			c = 0xdc00 + (c & 0x3ff);
		}
		write_unit(wr, c, order);
	}
}

static bool is_high(uint32_t unit)
{
	return (unit & 0xfc00) == 0xd800;
}

static bool is_low(uint32_t unit)
{
	return (unit & 0xfc00) == 0xdc00;
}

static uint32_t read_unit(struct reader *rd, enum utf16_order order)
{
	return order == UTF16_BE ? read_u16be(rd) : read_u16le(rd);
}

static uint32_t read_code_point(struct reader *rd, enum utf16_order order)
{
	uint32_t unit = read_unit(rd, order), low;
	struct reader ahead = *rd;

	if (is_high(unit) && reader_left(rd) >= 2) {
		low = read_unit(&ahead, order);
		if (is_low(low)) {
			*rd = ahead;
			return 0x10000 + ((unit & 0x3ff) << 10 | (low & 0x3ff));
		}
	}
	return unit == 0 || is_high(unit) || is_low(unit) ? REPLACEMENT : unit;
}

static char *put_utf8(char *out, uint32_t c)
{
	if (c < 0x80) {
		*out++ = (char) c;
	} else if (c < 0x800) {
		*out++ = (char) (0xc0 | c >> 6);
		*out++ = (char) (0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		*out++ = (char) (0xe0 | c >> 12);
		*out++ = (char) (0x80 | (c >> 6 & 0x3f));
		*out++ = (char) (0x80 | (c & 0x3f));
	} else {
		*out++ = (char) (0xf0 | c >> 18);
		*out++ = (char) (0x80 | (c >> 12 & 0x3f));
		*out++ = (char) (0x80 | (c >> 6 & 0x3f));
		*out++ = (char) (0x80 | (c & 0x3f));
	}
	return out;
}

char *utf16_to_utf8(struct span units, enum utf16_order order)
{
	struct reader rd = reader_over(units.data, units.len);
	char *text, *out;

	/* Three bytes at most for a unit; a pair of them makes four. */
	text = out = malloc(units.len / 2 * 3 + 1);
	if (!text)
		return NULL;
	while (reader_left(&rd) >= 2)
		out = put_utf8(out, read_code_point(&rd, order));
	*out = 0;
	return text;
}
