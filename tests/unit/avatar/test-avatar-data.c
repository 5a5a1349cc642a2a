/* Taking AvatarData packets apart: protocol 04 sections 3.2, 3.7 and 3.8. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>

#include "avatar/avatar-data.h"
#include "vectors.h"

/* Spans of the result are dangling: for lengths and values only. */
static int decode(const char *hex, struct avatar_data *ret)
{
	size_t len;
	_cleanup_free_ uint8_t *bytes = hex_bytes(hex, &len);

	return avatar_data_decode(bytes, len, ret);
}

static void test_a1(void **state)
{
	size_t len;
	_cleanup_free_ uint8_t *bytes = hex_bytes(A1, &len);
	struct avatar_data d;

	assert_int_equal(len, 53);
	assert_int_equal(avatar_data_decode(bytes, len, &d), 0);
	assert_int_equal(d.sequence, 1);
	assert_int_equal(d.flags, 0x302d);
	assert_bytes_hex(d.sections[AVATAR_SECTION_POSITION].data,
			 d.sections[AVATAR_SECTION_POSITION].len, "0000803f 00000040 000060c0");
	assert_bytes_hex(d.sections[AVATAR_SECTION_ORIENTATION].data,
			 d.sections[AVATAR_SECTION_ORIENTATION].len, "bfff9d5c3fff");
	assert_bytes_hex(d.sections[AVATAR_SECTION_SCALE].data,
			 d.sections[AVATAR_SECTION_SCALE].len, "cc0c");
	assert_bytes_hex(d.sections[AVATAR_SECTION_LOUDNESS].data,
			 d.sections[AVATAR_SECTION_LOUDNESS].len, "ab");
	assert_int_equal(d.sections[AVATAR_SECTION_LOOK_AT].len, 0);
	assert_int_equal(d.joint_count, 3);
	assert_bytes_hex(d.rotations.bits.data, d.rotations.bits.len, "05");
	assert_bytes_hex(d.rotations.values.data, d.rotations.values.len,
			 "bfffbfff3fff bfff9d5c3fff");
	assert_bytes_hex(d.translations.bits.data, d.translations.bits.len, "01");
	assert_bytes_hex(d.translations.values.data, d.translations.values.len, "0020004000f0");
	assert_true(d.max_translation == 1.0f);
	assert_int_equal(d.default_count, 3);
	assert_bytes_hex(d.default_rotations.data, d.default_rotations.len, "02");
	assert_bytes_hex(d.default_translations.data, d.default_translations.len, "06");
}

static void test_a2(void **state)
{
	struct avatar_data d;

	assert_int_equal(decode(A2, &d), 0);
	assert_int_equal(d.sequence, 258);
	assert_int_equal(d.flags, 0x3001);
	assert_int_equal(d.joint_count, 0);
	assert_true(d.max_translation == 0.001f);
	assert_int_equal(d.default_count, 0);
}

static void test_every_section(void **state)
{
	static const size_t sizes[] = {
		[AVATAR_SECTION_POSITION] = 12,
		[AVATAR_SECTION_BOUNDING_BOX] = 24,
		[AVATAR_SECTION_ORIENTATION] = 6,
		[AVATAR_SECTION_SCALE] = 2,
		[AVATAR_SECTION_LOOK_AT] = 12,
		[AVATAR_SECTION_LOUDNESS] = 1,
		[AVATAR_SECTION_SENSOR_TO_WORLD] = 20,
		[AVATAR_SECTION_ADDITIONAL_FLAGS] = 2,
		[AVATAR_SECTION_PARENT] = 18,
		[AVATAR_SECTION_LOCAL_POSITION] = 12,
		[AVATAR_SECTION_HANDS] = 24,
		[AVATAR_SECTION_FACE] = 25,
		[AVATAR_SECTION_GRAB] = 84,
	};
	struct avatar_data d;

	assert_int_equal(decode("0000" B4_REST, &d), 0);
	assert_int_equal(d.flags, 0x7fff);
	for (unsigned s = 0; s < AVATAR_SECTION_COUNT; s++)
		assert_int_equal(d.sections[s].len, sizes[s]);
	assert_int_equal(d.joint_count, 1);
	assert_int_equal(d.default_count, 1);
}

static void test_captures(void **state)
{
	static const struct {
		const char *rest;
		uint16_t flags;
		uint8_t joints;
	} captures[] = {
		{B3_REST, 0x3011, 69},
		{CAPTURE_MOVING_1, 0x3011, 69},
		{CAPTURE_MOVING_2, 0x3011, 69},
		{CAPTURE_GRAB, 0x7011, 176},
		{CAPTURE_ORIENTATION, 0x3015, 42},
	};

	for (size_t i = 0; i < ELEMENTSOF(captures); i++) {
		_cleanup_free_ char *hex = NULL;
		struct avatar_data d;

		assert_true(asprintf(&hex, "0000%s", captures[i].rest) > 0);
		assert_int_equal(decode(hex, &d), 0);
		assert_int_equal(d.flags, captures[i].flags);
		assert_int_equal(d.joint_count, captures[i].joints);
		assert_int_equal(d.default_count, captures[i].joints);
	}
}

/* 3.7: a section running past the end spoils the packet, wherever it is cut. */
static void test_truncation(void **state)
{
	size_t len;
	_cleanup_free_ uint8_t *bytes = hex_bytes("0000" B4_REST, &len);
	struct avatar_data d = {.sequence = 77};

	for (size_t cut = 0; cut < len; cut++) {
		_cleanup_free_ uint8_t *copy = malloc(MAX(cut, (size_t) 1));

		memcpy(copy, bytes, cut);
		assert_int_equal(avatar_data_decode(copy, cut, &d), -EBADMSG);
	}
	assert_int_equal(d.sequence, 77);
}

/* 3.7: trailing bytes are ignored; so is the unused flag. */
static void test_tolerated(void **state)
{
	struct avatar_data d;

	assert_int_equal(decode(A1 "deadbeef", &d), 0);
	assert_int_equal(decode("0000 0080", &d), 0);
	assert_int_equal(d.flags, 0);
}

/* 3.2: the far-grab section is only there after joint data. */
static void test_grab_needs_joints(void **state)
{
	struct avatar_data d;

	assert_int_equal(decode("0000 0140 0000803f 00000040 000060c0", &d), 0);
	assert_int_equal(d.flags, AVATAR_HAS_POSITION);
	assert_int_equal(d.sections[AVATAR_SECTION_GRAB].len, 0);
}

/* 3.7: not finite, or out of this world. */
static void test_bad_floats(void **state)
{
	static const char *const bad[] = {
		"0000 0100 0000c07f 00000040 000060c0", /* position NaN */
		"0000 0100 0000803f 0000807f 000060c0", /* position infinite */
		"0000 0100 0000803f 00000000 28247449", /* position 1,000,002.5 */
		"0000 0200 0000803f 00000040 00000040 00000000 00000000 0000c0ff", /* box */
		"0000 1000 0000803f 00000040 0000c07f",                            /* look-at */
		"0000 4000 bfffbfff3fff 0004 00000000 00000000 0000807f",    /* sensor to world */
		"0000 0002 0000c07f 00000040 000060c0",                      /* local position */
		"0000 0008 00000000 00000000 0000c07f 00000000 00",          /* face, fixed part */
		"0000 0008 00000000 00000000 00000000 00000000 01 0000c07f", /* blendshape */
		"0000 0010 00 0000c07f",                                     /* max translation */
		"0000 0010 00 28247449",                                     /* max translation */
		"0000 0050 00 6f12833a 0000807f" ZEROS_28 ZEROS_28 ZEROS_28, /* grab */
	};
	struct avatar_data d;

	for (size_t i = 0; i < ELEMENTSOF(bad); i++)
		assert_int_equal(decode(bad[i], &d), -EBADMSG);
	/* exactly at the limit */
	assert_int_equal(decode("0000 0100 0000803f 00000000 00247449", &d), 0);
}

/* 3.7: upstream overflowed a heap buffer here. */
static void test_blendshape_limit(void **state)
{
	uint8_t packet[4 + 17 + 4 * 63] = {[3] = 0x08, [4 + 16] = 62};
	struct avatar_data d;

	assert_int_equal(avatar_data_decode(packet, sizeof(packet), &d), 0);
	assert_int_equal(d.sections[AVATAR_SECTION_FACE].len, 17 + 4 * 62);
	packet[4 + 16] = 63;
	assert_int_equal(avatar_data_decode(packet, sizeof(packet), &d), -EBADMSG);
}

/* Spare bits of the last byte of a bit array stand for no joint. */
static void test_spare_bits(void **state)
{
	struct avatar_data d;

	assert_int_equal(decode("0000 0010 01 ff bfffbfff3fff fe 0000803f", &d), 0);
	assert_int_equal(d.rotations.values.len, 6);
	assert_int_equal(d.translations.values.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a1),
		cmocka_unit_test(test_a2),
		cmocka_unit_test(test_every_section),
		cmocka_unit_test(test_captures),
		cmocka_unit_test(test_truncation),
		cmocka_unit_test(test_tolerated),
		cmocka_unit_test(test_grab_needs_joints),
		cmocka_unit_test(test_bad_floats),
		cmocka_unit_test(test_blendshape_limit),
		cmocka_unit_test(test_spare_bits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
