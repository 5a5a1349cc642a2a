#include "base/bytes.h"

#include <errno.h>
#include <math.h>
#include <string.h>

/* --- reading --- */

const uint8_t *read_bytes(struct reader *rd, size_t len)
{
	const uint8_t *p;

	if (rd->failed || len > rd->len - rd->pos) {
		rd->failed = true;
		return NULL;
	}

	p = rd->data + rd->pos;
	rd->pos += len;
	return p;
}

struct span read_span(struct reader *rd, size_t len)
{
	const uint8_t *p = len > 0 ? read_bytes(rd, len) : NULL;

	return (struct span){.data = p, .len = p ? len : 0};
}

struct span read_rest(struct reader *rd)
{
	return read_span(rd, reader_left(rd));
}

void read_skip(struct reader *rd, size_t len)
{
	if (len > 0)
		(void) read_bytes(rd, len);
}

/* The n bytes as an integer in either order; 0 after an overrun. */
static uint64_t read_le(struct reader *rd, unsigned n)
{
	const uint8_t *p = read_bytes(rd, n);
	uint64_t v = 0;

	for (unsigned i = 0; p && i < n; i++)
		v |= (uint64_t) p[i] << (8 * i);
	return v;
}

static uint64_t read_be(struct reader *rd, unsigned n)
{
	const uint8_t *p = read_bytes(rd, n);
	uint64_t v = 0;

	for (unsigned i = 0; p && i < n; i++)
		v = v << 8 | p[i];
	return v;
}

uint8_t read_u8(struct reader *rd)
{
	return (uint8_t) read_le(rd, 1);
}

uint16_t read_u16le(struct reader *rd)
{
	return (uint16_t) read_le(rd, 2);
}

uint32_t read_u32le(struct reader *rd)
{
	return (uint32_t) read_le(rd, 4);
}

uint64_t read_u64le(struct reader *rd)
{
	return read_le(rd, 8);
}

uint16_t read_u16be(struct reader *rd)
{
	return (uint16_t) read_be(rd, 2);
}

uint32_t read_u32be(struct reader *rd)
{
	return (uint32_t) read_be(rd, 4);
}

uint64_t read_u64be(struct reader *rd)
{
	return read_be(rd, 8);
}

float read_f32le(struct reader *rd)
{
	uint32_t bits = read_u32le(rd);
	float v;

	static_assert(sizeof(v) == sizeof(bits), "IEEE-754 binary32");
	memcpy(&v, &bits, sizeof(v));
	return v;
}

float read_f32le_finite(struct reader *rd)
{
	float v = read_f32le(rd);

	if (!isfinite(v)) {
		rd->failed = true;
		return 0;
	}
	return v;
}

double read_f64be(struct reader *rd)
{
	uint64_t bits = read_u64be(rd);
	double v;

	static_assert(sizeof(v) == sizeof(bits), "IEEE-754 binary64");
	memcpy(&v, &bits, sizeof(v));
	return v;
}

double read_f64be_finite(struct reader *rd)
{
	double v = read_f64be(rd);

	if (!isfinite(v)) {
		rd->failed = true;
		return 0;
	}
	return v;
}

struct uuid read_uuid(struct reader *rd)
{
	const uint8_t *p = read_bytes(rd, sizeof(struct uuid));
	struct uuid u = UUID_NULL;

	if (p)
		memcpy(u.b, p, sizeof(u.b));
	return u;
}

int reader_finish(const struct reader *rd)
{
	return rd->failed || rd->pos != rd->len ? -EBADMSG : 0;
}

int reader_check(const struct reader *rd)
{
	return rd->failed ? -EBADMSG : 0;
}

/* --- writing --- */

struct writer writer_growing(size_t limit_bytes)
{
	return (struct writer){.cap = limit_bytes, .growing = true};
}

void writer_done(struct writer *wr)
{
	if (wr->growing)
		free(wr->data);
	*wr = (struct writer){0};
}

ssize_t writer_take(struct writer *wr, uint8_t **ret)
{
	ssize_t n = writer_finish(wr);

	assert(wr->growing);
	if (n < 0)
		return n;

	*ret = TAKE_PTR(wr->data);
	wr->len = 0;
	return n;
}

/* The allocation of a growing writer is the power of two that holds len (at least 64), so it needs
 * no field of its own. */
static size_t allocated_for(size_t len)
{
	size_t n = 64;

	while (n < len)
		n *= 2;
	return n;
}

uint8_t *write_room(struct writer *wr, size_t len)
{
	uint8_t *p;

	if (wr->failed || len > wr->cap - wr->len) {
		wr->failed = true;
		return NULL;
	}
	if (wr->growing && (!wr->data || allocated_for(wr->len + len) != allocated_for(wr->len))) {
		p = realloc(wr->data, allocated_for(wr->len + len));
		if (!p) {
			wr->failed = true;
			return NULL;
		}
		wr->data = p;
	}

	p = wr->data + wr->len;
	wr->len += len;
	return p;
}

void write_bytes(struct writer *wr, const void *data, size_t len)
{
	uint8_t *p = len > 0 ? write_room(wr, len) : NULL;

	if (p)
		memcpy(p, data, len);
}

void write_zeros(struct writer *wr, size_t len)
{
	uint8_t *p = len > 0 ? write_room(wr, len) : NULL;

	if (p)
		memset(p, 0, len);
}

static void write_le(struct writer *wr, uint64_t v, unsigned n)
{
	uint8_t *p = write_room(wr, n);

	for (unsigned i = 0; p && i < n; i++)
		p[i] = (uint8_t) (v >> (8 * i));
}

static void write_be(struct writer *wr, uint64_t v, unsigned n)
{
	uint8_t *p = write_room(wr, n);

	for (unsigned i = 0; p && i < n; i++)
		p[i] = (uint8_t) (v >> (8 * (n - 1 - i)));
}

void write_u8(struct writer *wr, uint8_t v)
{
	write_le(wr, v, 1);
}

void write_u16le(struct writer *wr, uint16_t v)
{
	write_le(wr, v, 2);
}

void write_u32le(struct writer *wr, uint32_t v)
{
	write_le(wr, v, 4);
}

void write_u64le(struct writer *wr, uint64_t v)
{
	write_le(wr, v, 8);
}

void write_u16be(struct writer *wr, uint16_t v)
{
	write_be(wr, v, 2);
}

void write_u32be(struct writer *wr, uint32_t v)
{
	write_be(wr, v, 4);
}

void write_u64be(struct writer *wr, uint64_t v)
{
	write_be(wr, v, 8);
}

void write_f32le(struct writer *wr, float v)
{
	uint32_t bits;

	memcpy(&bits, &v, sizeof(bits));
	write_u32le(wr, bits);
}

void write_f64be(struct writer *wr, double v)
{
	uint64_t bits;

	memcpy(&bits, &v, sizeof(bits));
	write_u64be(wr, bits);
}

void write_uuid(struct writer *wr, const struct uuid *v)
{
	write_bytes(wr, v->b, sizeof(v->b));
}

ssize_t writer_finish(const struct writer *wr)
{
	return wr->failed ? -ENOBUFS : (ssize_t) wr->len;
}

/* --- strings --- */

static struct span read_string(struct reader *rd, size_t len, size_t max)
{
	if (len > max) {
		rd->failed = true;
		return (struct span){0};
	}
	return read_span(rd, len);
}

struct span read_string32(struct reader *rd, size_t max)
{
	return read_string(rd, read_u32le(rd), max);
}

struct span read_string16(struct reader *rd, size_t max)
{
	return read_string(rd, read_u16le(rd), max);
}

void write_string32(struct writer *wr, const void *data, size_t len)
{
	if (len > UINT32_MAX) {
		wr->failed = true;
		return;
	}
	write_u32le(wr, (uint32_t) len);
	write_bytes(wr, data, len);
}

void write_string16(struct writer *wr, const void *data, size_t len)
{
	if (len > UINT16_MAX) {
		wr->failed = true;
		return;
	}
	write_u16le(wr, (uint16_t) len);
	write_bytes(wr, data, len);
}

unsigned utf8_decode(const void *data, size_t left, uint32_t *ret)
{
	const uint8_t *p = data;
	uint32_t c;
	unsigned n;

	if (left == 0 || p[0] == 0 || (p[0] >= 0x80 && p[0] < 0xc2) || p[0] > 0xf4)
		return 0;
	if (p[0] < 0x80) {
		*ret = p[0];
		return 1;
	}

	n = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (left < n)
		return 0;

	c = p[0] & (0xff >> (n + 1));
	for (unsigned i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	if ((n == 3 && (c < 0x800 || (c >= 0xd800 && c < 0xe000))) ||
	    (n == 4 && (c < 0x10000 || c > 0x10ffff)))
		return 0;
	*ret = c;
	return n;
}

bool utf8_is_valid(const void *data, size_t len)
{
	const uint8_t *p = data;
	uint32_t c;

	for (size_t i = 0; i < len;) {
		unsigned n = utf8_decode(p + i, len - i, &c);

		if (n == 0)
			return false;
		i += n;
	}
	return true;
}

char *utf8_sanitise(const void *data, size_t len)
{
	static const char replacement[] = "\xef\xbf\xbd";
	const uint8_t *p = data;
	char *text, *out;
	uint32_t c;

	/* The worst case: every byte becomes a three-byte replacement. */
	text = out = malloc(3 * len + 1);
	if (!text)
		return NULL;

	for (size_t i = 0; i < len;) {
		unsigned n = utf8_decode(p + i, len - i, &c);
		bool control = p[i] == 0x7f || (p[i] < 0x20 && p[i] != '\n' && p[i] != '\t');

		if (n == 0 || control) {
			out = mempcpy(out, replacement, 3);
			i++;
		} else {
			out = mempcpy(out, p + i, n);
			i += n;
		}
	}
	*out = 0;
	return text;
}
