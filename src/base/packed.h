/* The packed number formats of protocol 01 section 12.6 and 04 section 2, and byte-count coding (01
 * section 12.4). Pure functions; encoders clamp where the wire cannot hold the value. */
#pragma once

#include "base/bytes.h"

struct vec3 {
	float x, y, z;
};

struct quat {
	float x, y, z, w;
};

/* Degrees −180…180 in 16 bits (the avatar protocol feeds radians into it, 04 section 2 "angle2").
 */
uint16_t packed_angle_encode(float angle);
float packed_angle_decode(uint16_t v);
/* 0.0003…1000 in 16 bits, two ranges; 0 decodes to 10. */
int16_t packed_ratio_encode(float ratio);
float packed_ratio_decode(int16_t v);
/* Clip distances, 0…32766 m. */
int16_t packed_clip_encode(float clip);
float packed_clip_decode(int16_t v);
/* v·2^radix truncated toward zero, clamped to 16 bits. */
int16_t packed_fixed_encode(float v, unsigned radix);
float packed_fixed_decode(int16_t v, unsigned radix);
/* Linear gain in one byte of 0.5 dB steps, 195 = 0 dB, 0 = silence (03 section 3.9). */
uint8_t packed_gain_encode(float gain);
float packed_gain_decode(uint8_t v);

/* Six-byte "smallest three" quaternion, big-endian words. The decoder treats a third word with its
 * top bit set as 0 (an SDK encoder bug) and clamps the radicand, so the result is always finite. */
void packed_quat6_encode(const struct quat *q, uint8_t ret[static 6]);
struct quat packed_quat6_decode(const uint8_t data[static 6]);
/* Eight-byte quaternion, four LE words. */
void packed_quat8_encode(const struct quat *q, uint8_t ret[static 8]);
struct quat packed_quat8_decode(const uint8_t data[static 8]);

struct vec3 read_vec3(struct reader *rd); /* three f32 LE, finite or the reader fails */
struct quat read_quat(struct reader *rd); /* four f32 LE x y z w, finite or the reader fails */
void write_vec3(struct writer *wr, const struct vec3 *v);
void write_quat(struct writer *wr, const struct quat *q);

/* Byte-count coded unsigned integer. */
uint64_t read_bcc(struct reader *rd);
void write_bcc(struct writer *wr, uint64_t v);
