/* The packed numbers of base/packed against the vectors of protocol 01 and 04. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <math.h>

#include "base/packed.h"

/* The tables give the bytes in wire order, these formats are little-endian there. */
#define LE(bytes)                    ((uint16_t) ((bytes) >> 8 | (bytes) << 8))
#define assert_near(a, b, tolerance) assert_true(fabs((double) (a) - (b)) <= (tolerance))

static void assert_quat_near(struct quat q, double x, double y, double z, double w,
			     double tolerance)
{
	assert_near(q.x, x, tolerance);
	assert_near(q.y, y, tolerance);
	assert_near(q.z, z, tolerance);
	assert_near(q.w, w, tolerance);
}

static void test_angles_of_01_section_12_6_and_04_section_2(void **state)
{
	assert_int_equal(packed_angle_encode(-180), LE(0x0000));
	assert_int_equal(packed_angle_encode(0), LE(0xff7f));
	assert_int_equal(packed_angle_encode(90), LE(0xffbf));
	assert_int_equal(packed_angle_encode(180), LE(0xffff));
	assert_int_equal(packed_angle_encode(.7018f), LE(0x7f80));
	assert_int_equal(packed_angle_encode(1.5708f), LE(0x1d81));
	assert_near(packed_angle_decode(LE(0xff7f)), -.00275, 1e-5);
	assert_near(packed_angle_decode(LE(0x7f80)), .70039, 1e-5);
	assert_near(packed_angle_decode(LE(0x1d81)), 1.56832, 1e-5);
	assert_int_equal(packed_angle_encode(-500), 0);
	assert_int_equal(packed_angle_encode(INFINITY), 0xffff);
	assert_int_equal(packed_angle_encode(NAN), 0);
}

static void test_ratios_of_01_section_12_6_and_04_section_2(void **state)
{
	static const struct {
		float ratio;
		uint16_t bytes;
		double back;
	} rows[] = {
		{0, 0x0000, 10},         {.005f, 0x1000, .004883},   {.5f, 0x6606, .499893},
		{1, 0xcc0c, .999786},    {1.755f, 0x7616, 1.754814}, {9.99f, 0xde7f, 9.989929},
		{10, 0x0000, 10},        {12, 0xbeff, 12.01416},     {100, 0x7af4, 100.02686},
		{500, 0x47c1, 500.0166}, {1000, 0x4781, 1000.02075}, {1e9f, 0x4781, 1000.02075},
		{-3, 0x0000, 10},
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		int16_t v = packed_ratio_encode(rows[i].ratio);

		assert_int_equal((uint16_t) v, LE(rows[i].bytes));
		assert_near(packed_ratio_decode(v), rows[i].back, 1e-4 * rows[i].back);
	}
}

static void test_clips_of_01_section_12_6_and_04_section_2(void **state)
{
	static const struct {
		float clip;
		uint16_t bytes;
		float back;
	} rows[] = {
		{.5f, 0x6606, .49989f}, {3, 0x6626, 2.99997f},  {10, 0xf6ff, 10},
		{30, 0xe2ff, 30},       {16000, 0x80c1, 16000}, {16384, 0x00c0, 16384},
		{40000, 0x0280, 32766}, {0, 0x0000, 0},
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		int16_t v = packed_clip_encode(rows[i].clip);

		assert_int_equal((uint16_t) v, LE(rows[i].bytes));
		assert_near(packed_clip_decode(v), rows[i].back, 1e-4);
	}
}

static void test_fixed_of_01_section_12_6_and_04_section_2(void **state)
{
	assert_int_equal((uint16_t) packed_fixed_encode(1.5f, 8), LE(0x8001));
	assert_int_equal((uint16_t) packed_fixed_encode(-2.25f, 8), LE(0xc0fd));
	assert_int_equal((uint16_t) packed_fixed_encode(100, 8), LE(0x0064));
	assert_int_equal((uint16_t) packed_fixed_encode(-1, 14), LE(0x00c0));
	assert_int_equal((uint16_t) packed_fixed_encode(.25f, 14), LE(0x0010));
	assert_int_equal((uint16_t) packed_fixed_encode(1, 14), LE(0x0040));
	assert_int_equal((uint16_t) packed_fixed_encode(3, 14), LE(0xff7f));
	assert_int_equal((uint16_t) packed_fixed_encode(1, 10), LE(0x0004));
	assert_int_equal((uint16_t) packed_fixed_encode(1, 12), LE(0x0010));
	assert_int_equal(packed_fixed_encode(-3, 14), INT16_MIN);
	assert_true(packed_fixed_decode(packed_fixed_encode(-2.25f, 8), 8) == -2.25f);
}

static void test_gains_of_04_section_2(void **state)
{
	static const struct {
		float gain;
		uint8_t byte;
		double back;
	} rows[] = {
		{0, 0, 0},   {.001f, 75, .001},       {.25f, 171, .251189},
		{1, 195, 1}, {31.6f, 255, 31.622777}, {1e9f, 255, 31.622777},
		{-1, 0, 0},  {1e-30f, 0, 0},
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		assert_int_equal(packed_gain_encode(rows[i].gain), rows[i].byte);
		assert_near(packed_gain_decode(rows[i].byte), rows[i].back, 1e-5);
	}
}

static void test_quat6_of_01_section_12_6_and_04_section_2(void **state)
{
	static const struct {
		struct quat q;
		uint8_t bytes[6];
	} rows[] = {
		{{0, 0, 0, 1}, {0xbf, 0xff, 0xbf, 0xff, 0x3f, 0xff}},
		{{.5f, -.5f, .5f, .5f}, {0x6d, 0x40, 0x12, 0xbe, 0x12, 0xbe}},
		{{.1f, .2f, .3f, .92736185f}, {0xb6, 0xf2, 0xad, 0xe5, 0x24, 0xd8}},
		{{0, .38268343f, 0, .92387953f}, {0xbf, 0xff, 0x9d, 0x5c, 0x3f, 0xff}},
		{{-.1f, .2f, .3f, -.92736185f}, {0xb6, 0xf2, 0xd2, 0x19, 0x5b, 0x26}},
	};
	struct quat q;
	uint8_t b[6];

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		double sign;

		packed_quat6_encode(&rows[i].q, b);
		assert_memory_equal(b, rows[i].bytes, 6);
		/* q and −q are the same rotation; the format picks one. */
		q = packed_quat6_decode(b);
		sign = q.x * rows[i].q.x + q.y * rows[i].q.y + q.z * rows[i].q.z +
					       q.w * rows[i].q.w <
				       0
			       ? -1
			       : 1;
		assert_quat_near(q, sign * rows[i].q.x, sign * rows[i].q.y, sign * rows[i].q.z,
				 sign * rows[i].q.w, 5e-5);
	}

	q = packed_quat6_decode(rows[0].bytes);
	assert_quat_near(q, -.0000216, -.0000216, -.0000216, -.99999999, 1e-7);
	q = packed_quat6_decode(rows[3].bytes);
	assert_quat_near(q, -.00002158, -.38271855, -.00002158, -.92386498, 1e-7);
	q = packed_quat6_decode(rows[4].bytes);
	assert_quat_near(q, -.100023, .199980, .299981, -.927370, 1e-6);
}

static void test_quat6_of_a_quarter_turn_survives_the_sdk_bug(void **state)
{
	static const uint8_t from_sdk[6] = {0xbf, 0xff, 0x3f, 0xff, 0xff, 0xff};
	static const uint8_t ours[6] = {0xbf, 0xff, 0x3f, 0xff, 0x00, 0x00};
	const struct quat turn = {0, .70710678f, 0, .70710678f};
	uint8_t b[6];

	packed_quat6_encode(&turn, b);
	assert_memory_equal(b, ours, 6);
	assert_quat_near(packed_quat6_decode(ours), 0, -.70710678, 0, -.70710678, 5e-5);
	assert_quat_near(packed_quat6_decode(from_sdk), 0, -.70710678, 0, -.70710678, 5e-5);
}

static void test_quat6_decodes_everything_to_something_finite(void **state)
{
	static const uint8_t corners[][6] = {
		{0xff, 0xff, 0xff, 0xff, 0x7f, 0xff},
		{0, 0, 0, 0, 0, 0},
		{0x7f, 0xff, 0, 0, 0x7f, 0xff},
	};

	for (size_t i = 0; i < ELEMENTSOF(corners); i++) {
		struct quat q = packed_quat6_decode(corners[i]);

		assert_true(isfinite(q.x) && isfinite(q.y) && isfinite(q.z) && isfinite(q.w));
	}
}

static void test_quat8(void **state)
{
	const struct quat identity = {0, 0, 0, 1}, unnormalised = {0, 2, 0, 0};
	uint8_t b[8];

	packed_quat8_encode(&identity, b);
	assert_memory_equal(b, "\xff\x7f\xff\x7f\xff\x7f\xff\xff", 8);
	assert_quat_near(packed_quat8_decode(b), 0, 0, 0, 1, 2e-5);
	packed_quat8_encode(&unnormalised, b);
	assert_quat_near(packed_quat8_decode(b), 0, 1, 0, 0, 2e-5);
	packed_quat8_encode(&(struct quat){0, 0, 0, 0}, b);
	assert_quat_near(packed_quat8_decode(b), 0, 0, 0, 0, 2e-5);
}

static void test_vectors_must_be_finite(void **state)
{
	const struct vec3 v = {1.5f, -2.25f, 100};
	const struct quat q = {1, 2, 3, NAN};
	uint8_t b[28];
	struct writer wr = writer_over(b, sizeof(b));
	struct reader rd = reader_over(b, sizeof(b));
	struct vec3 back;

	write_vec3(&wr, &v);
	write_quat(&wr, &q);
	assert_int_equal(writer_finish(&wr), sizeof(b));

	back = read_vec3(&rd);
	assert_memory_equal(&back, &v, sizeof(v));
	assert_int_equal(reader_check(&rd), 0);
	(void) read_quat(&rd);
	assert_int_equal(reader_check(&rd), -EBADMSG);
}

static void test_bcc_of_01_section_12_4(void **state)
{
	static const struct {
		uint64_t v;
		uint8_t len, bytes[5];
	} rows[] = {
		{0, 1, {0x00}},
		{1, 1, {0x40}},
		{2, 1, {0x20}},
		{63, 1, {0x7e}},
		{64, 2, {0x80, 0x80}},
		{127, 2, {0xbf, 0x80}},
		{128, 2, {0x80, 0x40}},
		{300, 2, {0x8d, 0x20}},
		{16383, 3, {0xdf, 0xff, 0x80}},
		{4294967295, 5, {0xf7, 0xff, 0xff, 0xff, 0xf8}},
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		uint8_t b[16];
		struct writer wr = writer_over(b, sizeof(b));
		struct reader rd = reader_over(rows[i].bytes, rows[i].len);

		write_bcc(&wr, rows[i].v);
		assert_int_equal(writer_finish(&wr), rows[i].len);
		assert_memory_equal(b, rows[i].bytes, rows[i].len);
		assert_true(read_bcc(&rd) == rows[i].v);
		assert_int_equal(reader_finish(&rd), 0);
	}
}

static void test_bcc_reads_the_shorter_form(void **state)
{
	struct reader rd = reader_over("\x7f\x01", 2);

	assert_true(read_bcc(&rd) == 127);
	assert_true(read_bcc(&rd) == 64);
	assert_int_equal(reader_finish(&rd), 0);
}

static void test_bcc_covers_64_bits_and_no_more(void **state)
{
	static const uint64_t values[] = {UINT64_MAX, UINT64_C(1) << 63, UINT64_C(1) << 62,
					  UINT64_C(1) << 56, UINT64_C(1) << 55};
	uint8_t too_long[12];
	struct reader rd;

	for (size_t i = 0; i < ELEMENTSOF(values); i++) {
		uint8_t b[16];
		struct writer wr = writer_over(b, sizeof(b));

		write_bcc(&wr, values[i]);
		rd = reader_over(b, (size_t) writer_finish(&wr));
		assert_true(read_bcc(&rd) == values[i]);
		assert_int_equal(reader_finish(&rd), 0);
	}

	memset(too_long, 0xff, sizeof(too_long));
	rd = reader_over(too_long, sizeof(too_long));
	assert_true(read_bcc(&rd) == 0);
	assert_int_equal(reader_check(&rd), -EBADMSG);
	/* Ten bytes, and a bit beyond the 64th. */
	memcpy(too_long, "\xff\x80\0\0\0\0\0\0\0\x01", 10);
	rd = reader_over(too_long, 10);
	assert_true(read_bcc(&rd) == 0);
	assert_int_equal(reader_check(&rd), -EBADMSG);
	rd = reader_over("\x80", 1);
	(void) read_bcc(&rd);
	assert_int_equal(reader_check(&rd), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_angles_of_01_section_12_6_and_04_section_2),
		cmocka_unit_test(test_ratios_of_01_section_12_6_and_04_section_2),
		cmocka_unit_test(test_clips_of_01_section_12_6_and_04_section_2),
		cmocka_unit_test(test_fixed_of_01_section_12_6_and_04_section_2),
		cmocka_unit_test(test_gains_of_04_section_2),
		cmocka_unit_test(test_quat6_of_01_section_12_6_and_04_section_2),
		cmocka_unit_test(test_quat6_of_a_quarter_turn_survives_the_sdk_bug),
		cmocka_unit_test(test_quat6_decodes_everything_to_something_finite),
		cmocka_unit_test(test_quat8),
		cmocka_unit_test(test_vectors_must_be_finite),
		cmocka_unit_test(test_bcc_of_01_section_12_4),
		cmocka_unit_test(test_bcc_reads_the_shorter_form),
		cmocka_unit_test(test_bcc_covers_64_bits_and_no_more),
	};

	return cmocka_run_group_tests_name("packed", tests, NULL, NULL);
}
