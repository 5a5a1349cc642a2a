#include "base/packed.h"

#include <math.h>

/* All arithmetic is in double: the vectors come from JavaScript, and a float product lands on
 * the wrong side of an integer now and then. NaN ends at low, so that the casts below are always
 * defined. */
static double clamp(double v, double low, double high)
{
	if (!(v > low))
		return low;
	return v < high ? v : high;
}

uint16_t packed_angle_encode(float angle)
{
	return (uint16_t) clamp(floor(((double) angle + 180) * 65535 / 360), 0, UINT16_MAX);
}

float packed_angle_decode(uint16_t v)
{
	return (float) ((double) v / 65535 * 360 - 180);
}

int16_t packed_ratio_encode(float ratio)
{
	double r = clamp(ratio, 0, 1000);

	return (int16_t) (r < 10 ? floor(r * 3276.7) : floor((r - 10) * -32.768));
}

float packed_ratio_decode(int16_t v)
{
	return (float) (v > 0 ? v / 32767.0 * 10 : v / -32768.0 * 1000 + 10);
}

int16_t packed_clip_encode(float clip)
{
	double c = clamp(clip, 0, 32766);

	return (int16_t) (c < 10 ? floor(c * 3276.7) : -floor(c));
}

float packed_clip_decode(int16_t v)
{
	return (float) (v > 0 ? v / 3276.7 : -v);
}

int16_t packed_fixed_encode(float v, unsigned radix)
{
	return (int16_t) clamp(trunc(ldexp(v, (int) radix)), INT16_MIN, INT16_MAX);
}

float packed_fixed_decode(int16_t v, unsigned radix)
{
	return (float) ldexp(v, -(int) radix);
}

/* 40·log10(2): half decibels of a doubling. */
#define GAIN_STEPS_PER_OCTAVE 12.041199826559248
#define GAIN_UNITY            195

uint8_t packed_gain_encode(float gain)
{
	if (!(gain > 0))
		return 0;
	return (uint8_t) clamp(round(log2(gain) * GAIN_STEPS_PER_OCTAVE + GAIN_UNITY), 0,
			       UINT8_MAX);
}

float packed_gain_decode(uint8_t v)
{
	return v == 0 ? 0 : (float) exp2((v - GAIN_UNITY) / GAIN_STEPS_PER_OCTAVE);
}

/* --- quaternions --- */

#define QUAT6_MAX 32767.0

void packed_quat6_encode(const struct quat *q, uint8_t ret[static 6])
{
	const double c[4] = {q->x, q->y, q->z, q->w};
	struct writer wr = writer_over(ret, 6);
	uint16_t words[3];
	unsigned largest = 0, n = 0;
	double sign;

	for (unsigned i = 1; i < 4; i++)
		if (fabs(c[i]) > fabs(c[largest]))
			largest = i;
	sign = c[largest] > 0 ? -1 : 1;

	for (unsigned i = 0; i < 4; i++)
		if (i != largest)
			words[n++] = (uint16_t) clamp(
				(sign * c[i] + M_SQRT1_2) / M_SQRT2 * QUAT6_MAX, 0, QUAT6_MAX);
	words[0] |= (uint16_t) ((largest & 1) << 15);
	words[1] |= (uint16_t) ((largest >> 1) << 15);

	for (unsigned i = 0; i < 3; i++)
		write_u16be(&wr, words[i]);
}

struct quat packed_quat6_decode(const uint8_t data[static 6])
{
	struct reader rd = reader_over(data, 6);
	uint16_t words[3];
	double c[4], sum = 0;
	unsigned missing, n = 0;

	for (unsigned i = 0; i < 3; i++)
		words[i] = read_u16be(&rd);
	missing = (words[0] >> 15) | (words[1] >> 15) << 1;
	if (words[2] & 0x8000)
		words[2] = 0;

	for (unsigned i = 0; i < 4; i++) {
		if (i == missing)
			continue;
		c[i] = (words[n++] & 0x7fff) / QUAT6_MAX * M_SQRT2 - M_SQRT1_2;
		sum += c[i] * c[i];
	}
	c[missing] = -sqrt(clamp(1 - sum, 0, 1));

	return (struct quat){(float) c[0], (float) c[1], (float) c[2], (float) c[3]};
}

void packed_quat8_encode(const struct quat *q, uint8_t ret[static 8])
{
	double norm = sqrt((double) q->x * q->x + (double) q->y * q->y + (double) q->z * q->z +
			   (double) q->w * q->w);
	const double c[4] = {q->x, q->y, q->z, q->w};
	struct writer wr = writer_over(ret, 8);

	if (norm == 0)
		norm = 1;
	for (unsigned i = 0; i < 4; i++)
		write_u16le(&wr,
			    (uint16_t) clamp(floor((c[i] / norm + 1) * 32767.5), 0, UINT16_MAX));
}

struct quat packed_quat8_decode(const uint8_t data[static 8])
{
	struct reader rd = reader_over(data, 8);
	float c[4];

	for (unsigned i = 0; i < 4; i++)
		c[i] = (float) (read_u16le(&rd) / 65535.0 * 2 - 1);
	return (struct quat){c[0], c[1], c[2], c[3]};
}

struct vec3 read_vec3(struct reader *rd)
{
	struct vec3 v;

	v.x = read_f32le_finite(rd);
	v.y = read_f32le_finite(rd);
	v.z = read_f32le_finite(rd);
	return v;
}

struct quat read_quat(struct reader *rd)
{
	struct quat q;

	q.x = read_f32le_finite(rd);
	q.y = read_f32le_finite(rd);
	q.z = read_f32le_finite(rd);
	q.w = read_f32le_finite(rd);
	return q;
}

void write_vec3(struct writer *wr, const struct vec3 *v)
{
	write_f32le(wr, v->x);
	write_f32le(wr, v->y);
	write_f32le(wr, v->z);
}

void write_quat(struct writer *wr, const struct quat *q)
{
	write_f32le(wr, q->x);
	write_f32le(wr, q->y);
	write_f32le(wr, q->z);
	write_f32le(wr, q->w);
}

/* --- byte-count coding --- */

/* n bytes: n − 1 ones, a zero, then 7n bits of value, least significant first. 64 bits fit in
 * ten. */
#define BCC_BYTES_MAX 10

static bool bit_at(const uint8_t *p, unsigned i)
{
	return p[i / 8] & (0x80 >> i % 8);
}

uint64_t read_bcc(struct reader *rd)
{
	uint8_t bytes[BCC_BYTES_MAX] = {0};
	unsigned n = 1;
	uint64_t v = 0;

	/* The count itself runs into the second byte from n = 9 on. */
	bytes[0] = read_u8(rd);
	while (n < 9 && bit_at(bytes, n - 1))
		n++;
	for (unsigned i = 1; i < n; i++)
		bytes[i] = read_u8(rd);
	if (n == 9 && bit_at(bytes, 8)) {
		n = BCC_BYTES_MAX;
		bytes[9] = read_u8(rd);
		if (bit_at(bytes, 9))
			reader_fail(rd);
	}

	for (unsigned i = 0; i < 7 * n; i++) {
		if (!bit_at(bytes, n + i))
			continue;
		if (i >= 64)
			reader_fail(rd);
		else
			v |= UINT64_C(1) << i;
	}
	return rd->failed ? 0 : v;
}

void write_bcc(struct writer *wr, uint64_t v)
{
	unsigned bits = v ? 64 - (unsigned) __builtin_clzll(v) : 0, n = bits / 7 + 1;
	uint8_t *p = write_room(wr, n);

	if (!p)
		return;
	for (unsigned i = 0; i < 8 * n; i++) {
		bool one = i < n ? i + 1 < n : i - n < 64 && (v >> (i - n) & 1);

		p[i / 8] = (uint8_t) (p[i / 8] << 1 | one);
	}
}
