/* Merging AvatarData packets: protocol 04 sections 2, 3.5 and 3.7. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <math.h>

#include "avatar/avatar-state.h"
#include "vectors.h"

static int apply(struct avatar_state *avatar, const char *hex, uint32_t tick)
{
	size_t len;
	_cleanup_free_ uint8_t *bytes = hex_bytes(hex, &len);
	struct avatar_data data;

	assert_int_equal(avatar_data_decode(bytes, len, &data), 0);
	return avatar_state_apply(avatar, &data, tick);
}

#define assert_section(avatar, section, hex)                                \
	do {                                                                \
		struct span _s = avatar_state_section((avatar), (section)); \
		assert_bytes_hex(_s.data, _s.len, (hex));                   \
	} while (0)

static void test_sections_are_kept_and_replaced_whole(void **state)
{
	_cleanup_(avatar_state_done) struct avatar_state a = {0};

	assert_int_equal(apply(&a, A1, 5), 0);
	assert_section(&a, AVATAR_SECTION_SCALE, "cc0c");
	assert_int_equal(a.sections[AVATAR_SECTION_SCALE].changed_tick, 5);

	/* position changed, loudness sent again, the rest absent */
	assert_int_equal(apply(&a, "0200 2100 0000803f 00000000 000060c0 ab", 6), 0);
	assert_section(&a, AVATAR_SECTION_POSITION, "0000803f 00000000 000060c0");
	assert_section(&a, AVATAR_SECTION_SCALE, "cc0c");
	assert_int_equal(a.sections[AVATAR_SECTION_POSITION].changed_tick, 6);
	assert_int_equal(a.sections[AVATAR_SECTION_LOUDNESS].changed_tick, 5);
	assert_int_equal(a.sections[AVATAR_SECTION_LOOK_AT].changed_tick, 0);
	assert_int_equal(a.updated_tick, 6);
}

static void test_hands_and_grab_expire(void **state)
{
	_cleanup_(avatar_state_done) struct avatar_state a = {0};

	assert_int_equal(apply(&a, "0100" B4_REST, 1), 0);
	assert_int_equal(avatar_state_section(&a, AVATAR_SECTION_HANDS).len, 24);
	assert_int_equal(avatar_state_section(&a, AVATAR_SECTION_GRAB).len, 84);

	/* no hands: gone; no joint data: the grab stays */
	assert_int_equal(apply(&a, "0200 2000 ab", 2), 0);
	assert_int_equal(avatar_state_section(&a, AVATAR_SECTION_HANDS).len, 0);
	assert_int_equal(avatar_state_section(&a, AVATAR_SECTION_GRAB).len, 84);

	assert_int_equal(apply(&a, "0300 0010 01 00 00 0000803f", 3), 0);
	assert_int_equal(avatar_state_section(&a, AVATAR_SECTION_GRAB).len, 0);
}

/* 3.3: the hero bit is not the client's. */
static void test_hero_bit_is_masked(void **state)
{
	_cleanup_(avatar_state_done) struct avatar_state a = {0};

	assert_int_equal(apply(&a, "0100 8000 f804", 1), 0);
	assert_section(&a, AVATAR_SECTION_ADDITIONAL_FLAGS, "f004");
	assert_int_equal(apply(&a, "0200 8000 f004", 2), 0);
	assert_int_equal(a.sections[AVATAR_SECTION_ADDITIONAL_FLAGS].changed_tick, 1);
}

/* 2, the quat6 trap: bit 15 of the last word means that word is 0. */
static void test_quaternions_are_repaired(void **state)
{
	_cleanup_(avatar_state_done) struct avatar_state a = {0};

	assert_int_equal(apply(&a,
			       "0100 4414 bfff3fffffff"
			       "bfff3fff8000 0004 000000000000000000000000"
			       "bfffbfffffff 000100020003 bfffbfff8001 00f000020003"
			       "01 01 bfff3fffffff 00 0000803f",
			       1),
			 0);
	assert_section(&a, AVATAR_SECTION_ORIENTATION, "bfff3fff0000");
	assert_section(&a, AVATAR_SECTION_SENSOR_TO_WORLD,
		       "bfff3fff0000 0004 000000000000000000000000");
	assert_section(&a, AVATAR_SECTION_HANDS,
		       "bfffbfff0000 000100020003 bfffbfff0000 00f000020003");
	assert_bytes_hex(a.joints[0].rotation, 6, "bfff3fff0000");
}

/* 3.5 rules 1 to 3 */
static void test_joint_merge(void **state)
{
	_cleanup_(avatar_state_done) struct avatar_state a = {0};

	assert_int_equal(apply(&a, A1, 1), 0);
	assert_int_equal(a.joint_count, 3);
	assert_true(a.joints[0].rotation_known && !a.joints[0].rotation_default);
	assert_true(!a.joints[1].rotation_known && a.joints[1].rotation_default);
	assert_true(a.joints[0].translation.x == .5f && a.joints[0].translation.y == 1 &&
		    a.joints[0].translation.z == -.25f);
	assert_true(!a.joints[2].translation_known && a.joints[2].translation_default);

	/* a clear validity bit keeps the value; other units for what is sent */
	assert_int_equal(apply(&a, "0200 0010 03 02 bfffbfff3fff 02 00000040 0010 0020 0040", 2),
			 0);
	assert_bytes_hex(a.joints[0].rotation, 6, "bfffbfff3fff");
	assert_int_equal(a.joints[0].rotation_tick, 1);
	assert_true(a.joints[1].rotation_known && !a.joints[1].rotation_default);
	assert_int_equal(a.joints[1].rotation_tick, 2);
	assert_true(a.joints[1].translation.x == .5f && a.joints[1].translation.y == 1 &&
		    a.joints[1].translation.z == 2);
	assert_int_equal(a.joints[1].translation_tick, 2);
	assert_int_equal(a.joints[0].translation_tick, 1);

	/* the default poses overwrite all flags, even without joint data */
	assert_int_equal(apply(&a, "0300 0020 03 07 00", 3), 0);
	assert_true(a.joints[0].rotation_default && a.joints[1].rotation_default);
	assert_true(!a.joints[0].translation_default && !a.joints[2].translation_default);
}

/* Not default, but its value was lost on the way: known to be unknown. */
static void test_joint_without_value(void **state)
{
	_cleanup_(avatar_state_done) struct avatar_state a = {0};

	assert_int_equal(apply(&a, "0100 0030 02 00 00 0000803f 02 00 00", 1), 0);
	assert_true(!a.joints[0].rotation_default && !a.joints[0].rotation_known);
	assert_true(!a.joints[0].translation_default && !a.joints[0].translation_known);
}

static void test_joint_returns_from_default(void **state)
{
	_cleanup_(avatar_state_done) struct avatar_state a = {0};

	assert_int_equal(apply(&a, "0100 0030 01 01 bfff9d5c3fff 00 0000803f 01 00 01", 1), 0);
	assert_int_equal(apply(&a, "0200 0020 01 01 01", 2), 0);
	assert_int_equal(a.joints[0].rotation_tick, 1);
	/* listeners forgot the value at tick 2, so it counts as changed */
	assert_int_equal(apply(&a, "0300 0020 01 00 01", 3), 0);
	assert_int_equal(a.joints[0].rotation_tick, 3);
	assert_bytes_hex(a.joints[0].rotation, 6, "bfff9d5c3fff");
}

static void test_resize(void **state)
{
	_cleanup_(avatar_state_done) struct avatar_state a = {0};

	assert_int_equal(apply(&a, A1, 1), 0);
	assert_int_equal(apply(&a, "0200 0010 01 00 00 0000803f", 2), 0);
	assert_int_equal(a.joint_count, 1);
	assert_true(a.joints[0].rotation_known);

	/* what comes back is new */
	assert_int_equal(apply(&a, "0300 0010 09 0000 0000 0000803f", 3), 0);
	assert_int_equal(a.joint_count, 9);
	assert_true(a.joints[0].rotation_known);
	for (unsigned j = 1; j < 9; j++) {
		assert_true(a.joints[j].rotation_default && a.joints[j].translation_default);
		assert_true(!a.joints[j].rotation_known && !a.joints[j].translation_known);
		assert_int_equal(a.joints[j].rotation_tick, 0);
	}

	/* the two joint sections may disagree; the last one counts */
	assert_int_equal(apply(&a, "0400 0030 02 00 00 0000803f 04 00 00", 4), 0);
	assert_int_equal(a.joint_count, 4);
}

/* 3.7: older or equal numbers are dropped, but not after two seconds of silence. */
static void test_sequence(void **state)
{
	_cleanup_(avatar_state_done) struct avatar_state a = {0};

	assert_int_equal(apply(&a, "f0ff 2000 01", 10), 0);
	assert_int_equal(apply(&a, "f0ff 2000 02", 10), -ESTALE);
	assert_int_equal(apply(&a, "efff 2000 02", 11), -ESTALE);
	assert_section(&a, AVATAR_SECTION_LOUDNESS, "01");
	/* it wraps around */
	assert_int_equal(apply(&a, "0000 2000 03", 11), 0);
	assert_int_equal(apply(&a, "ff7f 2000 04", 11), 0);
	assert_int_equal(apply(&a, "ffff 2000 05", 11), -ESTALE);
	assert_int_equal(apply(&a, "0100 2000 05", 11 + AVATAR_SEQUENCE_RESET_TICKS), -ESTALE);
	assert_int_equal(apply(&a, "0100 2000 05", 12 + AVATAR_SEQUENCE_RESET_TICKS), 0);
	assert_section(&a, AVATAR_SECTION_LOUDNESS, "05");
}

static void test_key_ticks(void **state)
{
	_cleanup_(avatar_state_done) struct avatar_state a = {0};

	assert_int_equal(apply(&a, "0100 2000 01", 100), 0);
	assert_int_equal(avatar_state_since(&a, 0, 101), 0);
	assert_int_equal(avatar_state_since(&a, 99, 101), 0);
	assert_int_equal(avatar_state_since(&a, 100, 101), 100);

	assert_int_equal(apply(&a, "0200 2000 02", 100 + AVATAR_KEY_TICKS - 1), 0);
	assert_int_equal(avatar_state_since(&a, 100, 101), 100);
	assert_int_equal(apply(&a, "0300 2000 02", 100 + AVATAR_KEY_TICKS), 0);
	assert_int_equal(avatar_state_since(&a, 100 + AVATAR_KEY_TICKS - 1, 151), 0);
	assert_int_equal(avatar_state_since(&a, 100 + AVATAR_KEY_TICKS, 151),
			 100 + AVATAR_KEY_TICKS);
	/* older ones share a record with still older ones */
	assert_int_equal(avatar_state_since(&a, 150, 152), 150);
	assert_int_equal(avatar_state_since(&a, 151, 154), 150);
	assert_int_equal(avatar_state_since(&a, 150, 155), 147);
	assert_int_equal(avatar_state_since(&a, 150, 183), 0);
}

/* Not all at once. */
static void test_key_phase(void **state)
{
	_cleanup_(avatar_state_done) struct avatar_state a = {.key_phase = 10};

	assert_int_equal(apply(&a, "0100 2000 01", 100), 0);
	assert_int_equal(apply(&a, "0200 2000 01", 139), 0);
	assert_int_equal(a.key_tick, 100);
	assert_int_equal(apply(&a, "0300 2000 01", 140), 0);
	assert_int_equal(a.key_tick, 140);
	/* late, because the client was silent */
	assert_int_equal(apply(&a, "0400 2000 01", 195), 0);
	assert_int_equal(a.key_tick, 195);
	assert_int_equal(apply(&a, "0500 2000 01", 240), 0);
	assert_int_equal(a.key_tick, 240);
}

/* 12.6: by distance */
static void test_tiers(void **state)
{
	static const float metres[] = {0, 12.4f, 12.6f, 16.7f, 26, 51, 201};
	static const unsigned tiers[] = {0, 0, 1, 2, 3, 4, 5};

	for (size_t i = 0; i < ELEMENTSOF(metres); i++)
		assert_int_equal(avatar_tier(metres[i] * metres[i]), tiers[i]);
}

/* One joint, turned to that angle around x. */
static void turn_to(struct avatar_state *a, unsigned sequence, float degrees, uint32_t tick)
{
	uint8_t packet[] = {
		(uint8_t) sequence, 0, 0, 0x10, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 0x3f};
	float half = degrees / 2 * (float) M_PI / 180;
	struct avatar_data data;

	packed_quat6_encode(&(struct quat){.x = sinf(half), .w = cosf(half)}, packet + 6);
	assert_int_equal(avatar_data_decode(packet, sizeof(packet), &data), 0);
	assert_int_equal(avatar_state_apply(a, &data, tick), 0);
}

/* Far listeners hear of large turns only, but of how it came to rest in any case. */
static void test_shown_rotations(void **state)
{
	_cleanup_(avatar_state_done) struct avatar_state a = {0};
	const struct avatar_joint *joint;
	const unsigned settled = 11 + AVATAR_SETTLE_TICKS;
	uint8_t first[6];

	turn_to(&a, 1, 0, 10);
	joint = a.joints;
	memcpy(first, joint->rotation, sizeof(first));
	turn_to(&a, 2, 5, 11);
	for (unsigned tier = 0; tier < AVATAR_TIERS; tier++) {
		bool seen = tier <= 2;

		assert_true(avatar_joint_turned(joint, tier, 9, 11));
		assert_int_equal(avatar_joint_turned(joint, tier, 10, 11), seen);
		assert_memory_equal(avatar_joint_rotation(joint, tier, 11),
				    seen ? joint->rotation : first, sizeof(first));

		assert_false(avatar_joint_turned(joint, tier, 11, settled - 1));
		assert_true(avatar_joint_turned(joint, tier, 11, settled));
		assert_memory_equal(avatar_joint_rotation(joint, tier, settled), joint->rotation,
				    sizeof(first));
		assert_false(avatar_joint_turned(joint, tier, settled, settled + 1));
		assert_true(avatar_joint_turned(joint, tier, 12 + AVATAR_SETTLE_TICKS,
						11 + AVATAR_SETTLE_2_TICKS));
		assert_true(avatar_joint_turned(joint, tier, 12 + AVATAR_SETTLE_2_TICKS,
						11 + AVATAR_SETTLE_3_TICKS));
	}
	/* Who was not served since sees where it rested before the next turn, not less. */
	memcpy(first, joint->rotation, sizeof(first));
	turn_to(&a, 3, 6, 60);
	assert_true(avatar_joint_turned(joint, 5, settled - 1, 60));
	assert_memory_equal(avatar_joint_rotation(joint, 5, 60), first, sizeof(first));
}

static void test_place(void **state)
{
	_cleanup_(avatar_state_done) struct avatar_state a = {0};
	struct vec3 position, dimensions, offset;

	position = avatar_state_position(&a);
	assert_true(position.x == 0 && position.y == 0 && position.z == 0);
	assert_false(avatar_state_bounding_box(&a, &dimensions, &offset));
	assert_true(dimensions.x == 0 && offset.z == 0);

	assert_int_equal(apply(&a, "0100" B4_REST, 1), 0);
	position = avatar_state_position(&a);
	assert_true(position.x == 1 && position.y == 2 && position.z == 3);
	assert_true(avatar_state_bounding_box(&a, &dimensions, &offset));
	assert_true(dimensions.x == .6f && dimensions.y == 1.8f && dimensions.z == .4f);
	assert_true(offset.x == .3f && offset.y == 0 && offset.z == .2f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sections_are_kept_and_replaced_whole),
		cmocka_unit_test(test_hands_and_grab_expire),
		cmocka_unit_test(test_hero_bit_is_masked),
		cmocka_unit_test(test_quaternions_are_repaired),
		cmocka_unit_test(test_joint_merge),
		cmocka_unit_test(test_joint_without_value),
		cmocka_unit_test(test_joint_returns_from_default),
		cmocka_unit_test(test_resize),
		cmocka_unit_test(test_sequence),
		cmocka_unit_test(test_key_ticks),
		cmocka_unit_test(test_key_phase),
		cmocka_unit_test(test_tiers),
		cmocka_unit_test(test_shown_rotations),
		cmocka_unit_test(test_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
