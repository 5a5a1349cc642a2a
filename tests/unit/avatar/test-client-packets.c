/* What a client reads from the avatar-mixer: protocol 04 sections 4, 5, 6 and 8.2. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "avatar/client-packets.h"
#include "vectors.h"

static void test_bulk_b1_two_avatars(void **state)
{
	size_t len;
	_cleanup_free_ uint8_t *bytes =
		hex_bytes(B1_RECORD SESSION_A "0100 00002041 00000000 000020c1", &len);
	struct reader rd = reader_over(bytes, len);
	struct avatar_data d;
	struct uuid session;

	assert_int_equal(len, 97);
	assert_int_equal(avatar_bulk_next(&rd, &session, &d), 1);
	assert_bytes_hex(session.b, sizeof(session.b), SESSION_1);
	assert_int_equal(d.flags, 0x302d);
	assert_int_equal(d.joint_count, 3);
	assert_int_equal(avatar_bulk_next(&rd, &session, &d), 1);
	assert_bytes_hex(session.b, sizeof(session.b), SESSION_A);
	assert_int_equal(d.flags, AVATAR_HAS_POSITION);
	assert_int_equal(avatar_bulk_next(&rd, &session, &d), 0);
}

static void test_bulk_b2_to_b4_end_where_they_should(void **state)
{
	static const char *const vectors[] = {SESSION_1 B2_FIRST SESSION_1 B2_SECOND,
					      B3_SESSION B3_REST, SESSION_1 B4_REST};

	for (size_t i = 0; i < ELEMENTSOF(vectors); i++) {
		size_t len;
		_cleanup_free_ uint8_t *bytes = hex_bytes(vectors[i], &len);
		struct reader rd = reader_over(bytes, len);
		struct avatar_data d;
		struct uuid session;
		int r;

		do
			r = avatar_bulk_next(&rd, &session, &d);
		while (r > 0);
		assert_int_equal(r, 0);

		rd = reader_over(bytes, len - 1);
		do
			r = avatar_bulk_next(&rd, &session, &d);
		while (r > 0);
		assert_int_equal(r, -EBADMSG);
	}
}

static void test_identity_5_two_records(void **state)
{
	size_t len;
	_cleanup_free_ uint8_t *bytes = hex_bytes(
		SESSION_1
		"00000001 00000000 00000006005a006f00eb 00000006005a006f00eb 00000002" SESSION_A
		"00000005 00000000 ffffffff 00000012 "
		"0061006e006f006e0079006d006f00750073 00000002",
		&len);
	struct reader rd = reader_over(bytes, len);
	struct avatar_identity_record record;

	assert_int_equal(len, 102);
	assert_int_equal(avatar_identity_next(&rd, &record), 1);
	assert_int_equal(record.sequence, 1);
	assert_string_equal(record.display_name, "Zoë");
	assert_string_equal(record.session_name, "Zoë");
	assert_int_equal(record.flags, 2);
	avatar_identity_record_done(&record);
	assert_int_equal(avatar_identity_next(&rd, &record), 1);
	assert_int_equal(record.sequence, 5);
	assert_string_equal(record.display_name, "");
	assert_string_equal(record.session_name, "anonymous");
	avatar_identity_record_done(&record);
	assert_int_equal(avatar_identity_next(&rd, &record), 0);
}

static void test_identity_with_attachments_is_refused(void **state)
{
	size_t len;
	_cleanup_free_ uint8_t *bytes =
		hex_bytes(SESSION_1 "00000001 00000001 ffffffff ffffffff 00000002", &len);
	struct reader rd = reader_over(bytes, len);
	struct avatar_identity_record record;

	assert_int_equal(avatar_identity_next(&rd, &record), -EBADMSG);
}

#define SKELETON                                              \
	"0000803f 0000803f 02 0900"                           \
	"0000 04 00 000000400000 bfffbfff3fff cc0c 0000 ffff" \
	"0400 05 01 0000002000f0 bfff9d5c3fff cc0c 0100 0000" \
	"48697073 5370696e65"
#define BULK_TRAITS                                                                        \
	"0100000000000000" SESSION_1 "00 01000000 1100 68747470733a2f2f612e622f632e667374" \
	"01 01000000 4000" SKELETON "02 02000000" SESSION_A "0300 0a0b0c"                  \
	"03 03000000" SESSION_A "ffff ff"

static void test_traits_8_2(void **state)
{
	static const struct {
		enum avatar_trait_type type;
		int32_t version;
		bool deleted;
		size_t len;
	} expected[] = {
		{AVATAR_TRAIT_SKELETON_URL, 1, false, 17},
		{AVATAR_TRAIT_SKELETON_DATA, 1, false, 64},
		{AVATAR_TRAIT_ENTITY, 2, false, 3},
		{AVATAR_TRAIT_GRAB, 3, true, 0},
	};
	size_t len;
	_cleanup_free_ uint8_t *bytes = hex_bytes(BULK_TRAITS, &len);
	struct reader rd = reader_over(bytes, len);
	struct avatar_bulk_trait trait = {0};

	assert_int_equal(len, 169);
	assert_int_equal(avatar_bulk_traits_begin(&rd), 1);
	for (size_t i = 0; i < ELEMENTSOF(expected); i++) {
		assert_int_equal(avatar_bulk_trait_next(&rd, &trait), 1);
		assert_bytes_hex(trait.session.b, sizeof(trait.session.b), SESSION_1);
		assert_int_equal(trait.trait.id.type, expected[i].type);
		assert_int_equal(trait.version, expected[i].version);
		assert_int_equal(trait.trait.deleted, expected[i].deleted);
		assert_int_equal(trait.trait.value.len, expected[i].len);
	}
	assert_int_equal(avatar_bulk_trait_next(&rd, &trait), 0);
}

static void test_traits_cut_short_are_refused(void **state)
{
	size_t len;
	_cleanup_free_ uint8_t *bytes = hex_bytes(BULK_TRAITS, &len);

	for (size_t cut = 8 + 1; cut < len; cut++) {
		struct reader rd = reader_over(bytes, cut);
		struct avatar_bulk_trait trait = {0};
		int r;

		(void) avatar_bulk_traits_begin(&rd);
		do
			r = avatar_bulk_trait_next(&rd, &trait);
		while (r > 0);
		assert_int_equal(r, -EBADMSG);
	}
}

static void test_kill_6(void **state)
{
	size_t len;
	_cleanup_free_ uint8_t *bytes = hex_bytes(SESSION_1 "01 00", &len);
	enum avatar_kill_reason reason;
	struct uuid session;

	assert_int_equal(avatar_kill_decode(span_of(bytes, 17), &session, &reason), 0);
	assert_bytes_hex(session.b, sizeof(session.b), SESSION_1);
	assert_int_equal(reason, AVATAR_KILL_DISCONNECTED);
	assert_int_equal(avatar_kill_decode(span_of(bytes, 16), &session, &reason), -EBADMSG);
	assert_int_equal(avatar_kill_decode(span_of(bytes, 18), &session, &reason), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bulk_b1_two_avatars),
		cmocka_unit_test(test_bulk_b2_to_b4_end_where_they_should),
		cmocka_unit_test(test_identity_5_two_records),
		cmocka_unit_test(test_identity_with_attachments_is_refused),
		cmocka_unit_test(test_traits_8_2),
		cmocka_unit_test(test_traits_cut_short_are_refused),
		cmocka_unit_test(test_kill_6),
	};

	return cmocka_run_group_tests_name("client-packets", tests, NULL, NULL);
}
