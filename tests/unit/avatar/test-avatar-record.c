/* Records of BulkAvatarData: protocol 04 sections 4 and 12.6. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "avatar/avatar-record.h"
#include "vectors.h"

static const struct uuid session_1 = {{0x11, 0x11, 0x11, 0x11, 0x22, 0x22, 0x33, 0x33, 0x44, 0x44,
				       0x55, 0x55, 0x55, 0x55, 0x55, 0x55}};

static void apply_bytes(struct avatar_state *avatar, const void *bytes, size_t len, uint32_t tick)
{
	struct avatar_data data;

	assert_int_equal(avatar_data_decode(bytes, len, &data), 0);
	assert_int_equal(avatar_state_apply(avatar, &data, tick), 0);
}

static void apply(struct avatar_state *avatar, const char *hex, uint32_t tick)
{
	size_t len;
	_cleanup_free_ uint8_t *bytes = hex_bytes(hex, &len);

	apply_bytes(avatar, bytes, len, tick);
}

static void encode(const struct avatar_state *avatar, enum avatar_detail detail, uint32_t since,
		   struct avatar_record *ret)
{
	const struct avatar_variant variant = {.detail = detail, .since = since};

	/* in a tick when nothing settles */
	avatar_record_encode(avatar, &session_1, &variant, 2, ret);
}

#define assert_record(avatar, detail, since, hex)                    \
	do {                                                         \
		struct avatar_record _record;                        \
		encode((avatar), (detail), (since), &_record);       \
		assert_int_equal(_record.n_pieces, 1);               \
		assert_int_equal(_record.piece_len[0], _record.len); \
		assert_bytes_hex(_record.data, _record.len, hex);    \
	} while (0)

/* 4 B1, first record: what the SDK sent is what the others get. */
static void test_b1(void **state)
{
	_cleanup_(avatar_state_done) struct avatar_state a = {0};

	apply(&a, A1, 1);
	assert_record(&a, AVATAR_DETAIL_CHANGED, 0, B1_RECORD);
}

/* 4 B1, second record: position only. */
static void test_position_only(void **state)
{
	_cleanup_(avatar_state_done) struct avatar_state a = {0};

	apply(&a, "0100 0100 00002041 00000000 000020c1", 1);
	assert_record(&a, AVATAR_DETAIL_CHANGED, 0, SESSION_1 "0100 00002041 00000000 000020c1");
}

/* 3.8 A2: no skeleton. */
static void test_no_skeleton(void **state)
{
	_cleanup_(avatar_state_done) struct avatar_state a = {0};

	apply(&a, A2, 1);
	assert_record(&a, AVATAR_DETAIL_CHANGED, 0, SESSION_1 "0130" A2_SECTIONS);
}

/* Records of a real server come out as they went in, bit for bit. */
static void test_captures(void **state)
{
	static const char *const captures[] = {B3_REST, CAPTURE_MOVING_1, CAPTURE_MOVING_2,
					       CAPTURE_GRAB, CAPTURE_ORIENTATION};

	for (size_t i = 0; i < ELEMENTSOF(captures); i++) {
		_cleanup_(avatar_state_done) struct avatar_state a = {0};
		_cleanup_free_ char *in = NULL, *out = NULL;

		assert_true(asprintf(&in, "0000%s", captures[i]) > 0);
		assert_true(asprintf(&out, SESSION_1 "%s", captures[i]) > 0);
		apply(&a, in, 1);
		assert_record(&a, AVATAR_DETAIL_CHANGED, 0, out);
	}
}

/* 4 B2: the two halves merge into the avatar of A1. */
static void test_b2_reader_side(void **state)
{
	_cleanup_(avatar_state_done) struct avatar_state a = {0};

	apply(&a, "0100" B2_FIRST, 1);
	apply(&a, "0200" B2_SECOND, 1);
	assert_record(&a, AVATAR_DETAIL_CHANGED, 0,
		      SESSION_1 "0130 0000803f00000040000060c0 03 05 bfffbfff3fff bfff9d5c3fff 01"
				"0000803f 0020004000f0 03 02 06");
}

static void test_changes_since(void **state)
{
	_cleanup_(avatar_state_done) struct avatar_state a = {0};

	apply(&a, A1, 1);
	/* scale changed, one joint turned; position and loudness as they were */
	apply(&a,
	      "0200 2930 0000803f 00000040 000060c0 6606 ab 03 05 bfffbfff3fff bfffbfff3fff 00"
	      "0000803f 03 02 06",
	      2);
	assert_record(&a, AVATAR_DETAIL_CHANGED, 1,
		      SESSION_1 "0930 0000803f 00000040 000060c0 6606 03 04 bfffbfff3fff 00"
				"6f12833a 03 02 06");
	/* nothing new: position, an empty joint section, the default poses */
	assert_record(&a, AVATAR_DETAIL_CHANGED, 2,
		      SESSION_1 "0130 0000803f 00000040 000060c0 03 00 00 6f12833a 03 02 06");
}

static void test_pal(void **state)
{
	_cleanup_(avatar_state_done) struct avatar_state a = {0};

	apply(&a, "0100" B4_REST, 1);
	assert_record(&a, AVATAR_DETAIL_PAL, 0, SESSION_1 "2100 0000803f0000004000004040 ab");
}

static void test_minimum(void **state)
{
	_cleanup_(avatar_state_done) struct avatar_state a = {0};

	apply(&a, A1, 1);
	assert_record(&a, AVATAR_DETAIL_MINIMUM, 0,
		      SESSION_1 "2d00 0000803f 00000040 000060c0 bfff9d5c3fff cc0c ab");
	assert_record(&a, AVATAR_DETAIL_MINIMUM, 1, SESSION_1 "0100 0000803f 00000040 000060c0");
}

/* 12.6: hands and grab whenever valid, the face whenever its flag says so, the local position only
 * with a parent. */
static void test_conditional_sections(void **state)
{
	_cleanup_(avatar_state_done) struct avatar_state a = {0};
	struct avatar_record record;

	/* B4's additional flags do not announce a face */
	apply(&a, "0100" B4_REST, 1);
	encode(&a, AVATAR_DETAIL_CHANGED, 0, &record);
	assert_bytes_hex(record.data + 16, 2, "ff77");
	encode(&a, AVATAR_DETAIL_CHANGED, 1, &record);
	assert_bytes_hex(record.data + 16, 2, "0174");

	apply(&a, "0200 8000 0008", 2);
	encode(&a, AVATAR_DETAIL_CHANGED, 2, &record);
	assert_bytes_hex(record.data + 16, 2, "0178");

	/* the parent goes, and with it the local position */
	apply(&a, "0300 0003 00000000000000000000000000000000 ffff 000000000000000000000000", 3);
	encode(&a, AVATAR_DETAIL_CHANGED, 2, &record);
	assert_bytes_hex(record.data + 16, 2, "0179");
	encode(&a, AVATAR_DETAIL_CHANGED, 0, &record);
	assert_bytes_hex(record.data + 16, 2, "ff79");
}

/* 3.5: no value for a joint whose value was never seen, but its bits. */
static void test_unknown_joint_values(void **state)
{
	_cleanup_(avatar_state_done) struct avatar_state a = {0};

	apply(&a, "0100 0030 02 00 00 0000803f 02 00 02", 1);
	assert_record(&a, AVATAR_DETAIL_CHANGED, 0, SESSION_1 "0030 02 00 00 6f12833a 02 00 02");
}

/* A translation that leaves in other units than it came in. */
static void test_translation_units(void **state)
{
	_cleanup_(avatar_state_done) struct avatar_state a = {0};

	/* 100 units, the SDK's overflow to −2 included: M becomes 200 */
	apply(&a, "0100 0010 02 00 03 0000c842 0040 00f0 0000 0080 ff7f 0100", 1);
	assert_record(&a, AVATAR_DETAIL_CHANGED, 0,
		      SESSION_1 "0030 02 00 03 00004843 0020 00f8 0000 00c0 0040 0000 02 03 00");
}

/* --- long avatars --- */

/* All joints moving, every other section there. */
static size_t fill_packet(uint8_t *packet, unsigned joints, uint16_t sections)
{
	struct writer wr = writer_over(packet, 8192);
	uint8_t ones[AVATAR_JOINT_BITS_MAX], zeros[AVATAR_JOINT_BITS_MAX] = {0};

	memset(ones, 0xff, sizeof(ones));
	write_u16le(&wr, 1);
	write_u16le(&wr, sections | AVATAR_HAS_JOINTS | AVATAR_HAS_DEFAULT_POSES);
	for (unsigned s = 0; s <= AVATAR_SECTION_FACE; s++) {
		const struct avatar_section_info *info = avatar_section_info(s);
		size_t start = wr.len;

		if (!(sections & info->flag))
			continue;
		write_zeros(&wr, info->size);
		if (s == AVATAR_SECTION_ADDITIONAL_FLAGS)
			packet[start + 1] = AVATAR_FLAG_FACE >> 8;
		if (s == AVATAR_SECTION_PARENT)
			packet[start] = 1;
		if (s == AVATAR_SECTION_FACE)
			packet[start + 16] = AVATAR_BLENDSHAPES_MAX;
	}

	write_u8(&wr, (uint8_t) joints);
	write_bytes(&wr, ones, avatar_bits_size(joints));
	for (unsigned j = 0; j < joints; j++)
		write_bytes(&wr, (uint8_t[]){0x3f, (uint8_t) j, 0x3f, 0xff, 0x3f, 0xff}, 6);
	write_bytes(&wr, ones, avatar_bits_size(joints));
	write_f32le(&wr, 2);
	for (unsigned j = 0; j < joints; j++)
		write_bytes(&wr, (uint8_t[]){(uint8_t) j, 0x3f, 0, 0x40, 0, 0xc0}, 6);
	if (sections & AVATAR_HAS_GRAB)
		write_zeros(&wr, 84);
	write_u8(&wr, (uint8_t) joints);
	write_bytes(&wr, zeros, avatar_bits_size(joints));
	write_bytes(&wr, zeros, avatar_bits_size(joints));
	assert_true(writer_finish(&wr) > 0);
	return wr.len;
}

/* Reads the pieces as a client does, which keeps what a record does not mention. */
static void merge_pieces(const struct avatar_record *record, struct avatar_state *ret)
{
	size_t at = 0;

	for (unsigned i = 0; i < record->n_pieces; i++) {
		uint8_t packet[2 + AVATAR_DATAGRAM_MAX] = {(uint8_t) i};
		size_t len = record->piece_len[i];
		struct avatar_section_state hands = ret->sections[AVATAR_SECTION_HANDS];

		assert_in_range(len, 19, AVATAR_DATAGRAM_MAX);
		assert_memory_equal(record->data + at, &session_1, 16);
		memcpy(packet + 2, record->data + at + 16, len - 16);
		apply_bytes(ret, packet, len - 14, 1);
		if (i > 0)
			ret->sections[AVATAR_SECTION_HANDS] = hands;
		at += len;
	}
	assert_int_equal(at, record->len);
}

static void check_split(unsigned joints, uint16_t sections, unsigned pieces)
{
	_cleanup_(avatar_state_done) struct avatar_state a = {0}, copy = {0};
	struct avatar_record record;
	uint8_t packet[8192];

	apply_bytes(&a, packet, fill_packet(packet, joints, sections), 1);
	encode(&a, AVATAR_DETAIL_CHANGED, 0, &record);
	assert_int_equal(record.n_pieces, pieces);
	merge_pieces(&record, &copy);

	for (unsigned s = 0; s < AVATAR_SECTION_COUNT; s++)
		assert_int_equal(copy.sections[s].len, a.sections[s].len);
	assert_memory_equal(copy.bytes, a.bytes, sizeof(a.bytes));
	assert_int_equal(copy.joint_count, joints);
	for (unsigned j = 0; j < joints; j++) {
		assert_memory_equal(copy.joints[j].rotation, a.joints[j].rotation, 6);
		assert_memory_equal(&copy.joints[j].translation, &a.joints[j].translation,
				    sizeof(struct vec3));
		assert_false(copy.joints[j].rotation_default);
		assert_false(copy.joints[j].translation_default);
	}
}

static void test_split(void **state)
{
	/* 18 + 12 + (1 + 2·14 + 4) + 2·6·n + (1 + 2·14): 112 joints are 1436 bytes, 113 are too
	 * many */
	check_split(112, AVATAR_HAS_POSITION, 1);
	check_split(113, AVATAR_HAS_POSITION, 2);
	check_split(130, AVATAR_HAS_POSITION, 2);
	check_split(255, 0, 3);
	check_split(AVATAR_JOINTS_MAX, 0x4fff, AVATAR_PIECES_MAX);
	/* every joint fits, but not what comes after them */
	check_split(110, AVATAR_HAS_POSITION | AVATAR_HAS_GRAB, 2);
}

static void test_every_joint_count(void **state)
{
	for (unsigned joints = 0; joints <= AVATAR_JOINTS_MAX; joints++) {
		_cleanup_(avatar_state_done) struct avatar_state a = {0}, copy = {0};
		struct avatar_record record;
		uint8_t packet[8192];

		apply_bytes(&a, packet, fill_packet(packet, joints, 0x4fff), 1);
		encode(&a, AVATAR_DETAIL_CHANGED, 0, &record);
		merge_pieces(&record, &copy);
		assert_int_equal(copy.joint_count, joints);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_b1),
		cmocka_unit_test(test_position_only),
		cmocka_unit_test(test_no_skeleton),
		cmocka_unit_test(test_captures),
		cmocka_unit_test(test_b2_reader_side),
		cmocka_unit_test(test_changes_since),
		cmocka_unit_test(test_pal),
		cmocka_unit_test(test_minimum),
		cmocka_unit_test(test_conditional_sections),
		cmocka_unit_test(test_unknown_joint_values),
		cmocka_unit_test(test_translation_units),
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_every_joint_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
