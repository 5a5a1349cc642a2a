/* What simulated avatars send must be what the mixer's decoders take. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "avatar/avatar-data.h"
#include "avatar/traits.h"
#include "load/options.h"
#include "load/skeleton.h"
#include "net/packet.h"

static void test_trait(void **state)
{
	static const unsigned counts[] = {0, 1, 60, LOAD_JOINTS_MAX};

	for (size_t i = 0; i < ELEMENTSOF(counts); i++) {
		uint8_t value[8192], data[8192 + 3];
		struct writer skeleton = writer_over(value, sizeof(value));
		struct writer wr = writer_over(data, sizeof(data));
		struct avatar_trait trait;
		struct reader rd;

		skeleton_write(&skeleton, counts[i]);
		assert_true(writer_finish(&skeleton) > 0);
		write_u8(&wr, AVATAR_TRAIT_SKELETON_DATA);
		write_u16le(&wr, (uint16_t) skeleton.len);
		write_bytes(&wr, value, skeleton.len);
		rd = reader_over(data, wr.len);
		assert_int_equal(avatar_trait_decode(&rd, &trait), 1);
		assert_int_equal(trait.value.len, skeleton.len);
		assert_int_equal(avatar_trait_decode(&rd, &trait), 0);
	}
}

static void check_pose(unsigned joints, bool all)
{
	uint8_t data[PACKET_MAX];
	struct writer wr = writer_over(data, sizeof(data));
	struct avatar_data d;
	unsigned n = 0;

	write_u16le(&wr, 1); /* sequence */
	write_u16le(&wr, AVATAR_HAS_JOINTS | AVATAR_HAS_DEFAULT_POSES);
	skeleton_write_pose(&wr, joints, all, 5, 123456789);
	assert_true(writer_finish(&wr) > 0);
	assert_int_equal(avatar_data_decode(data, wr.len, &d), 0);
	assert_int_equal(d.joint_count, joints);
	assert_int_equal(d.default_count, joints);
	assert_int_equal(d.translations.values.len, 0);
	for (unsigned i = 0; i < joints; i++)
		n += avatar_bit(d.rotations.bits.data, i);
	assert_int_equal(n, all ? joints : (joints + 2) / 3);
	assert_int_equal(d.rotations.values.len, 6 * n);
	/* Nothing is left over: one byte less is too short. */
	assert_int_not_equal(avatar_data_decode(data, wr.len - 1, &d), 0);
}

static void test_pose(void **state)
{
	check_pose(0, false);
	check_pose(1, false);
	check_pose(60, false);
	check_pose(60, true);
	check_pose(LOAD_JOINTS_MAX, true);
}

/* Sequence, flags and all sections of a full packet beside the joints. */
#define OTHERS (2 + 2 + 12 + 24 + 6 + 2 + 12 + 1)

static void test_largest_packet_fits(void **state)
{
	uint8_t data[PACKET_MAX - PACKET_UDT_LEN - PACKET_NL_MAX - OTHERS];
	struct writer wr = writer_over(data, sizeof(data));

	skeleton_write_pose(&wr, LOAD_JOINTS_MAX, true, 0, 0);
	assert_true(writer_finish(&wr) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_trait),
		cmocka_unit_test(test_pose),
		cmocka_unit_test(test_largest_packet_fits),
	};

	return cmocka_run_group_tests_name("skeleton", tests, NULL, NULL);
}
