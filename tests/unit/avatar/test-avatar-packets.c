/* Small packets: protocol 04 sections 6, 7, 8.3 and 9. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <math.h>

#include "avatar/avatar-packets.h"
#include "vectors.h"

#define VIEW "0000803f 00000040 00004040 00000000 00000000 000080bf 7f80 00c0 00004040"

/* f(bytes of hex, …) with an exact heap copy */
#define decode_hex(f, hex, ...)                                           \
	({                                                                \
		size_t _len;                                              \
		_cleanup_free_ uint8_t *_bytes = hex_bytes((hex), &_len); \
		f(_bytes, _len, __VA_ARGS__);                             \
	})

/* 6 */
static void test_kill(void **state)
{
	_cleanup_free_ uint8_t *session = hex_bytes(SESSION_1, NULL);
	uint8_t out[AVATAR_KILL_SIZE];
	struct uuid uuid;

	memcpy(&uuid, session, sizeof(uuid));
	avatar_kill_encode(&uuid, AVATAR_KILL_DISCONNECTED, out);
	assert_bytes_hex(out, sizeof(out), SESSION_1 "01");
}

/* 7 */
static void test_query(void **state)
{
	struct avatar_query q = {0};

	assert_int_equal(decode_hex(avatar_query_decode, "01" VIEW, &q), 0);
	assert_int_equal(q.n, 1);
	assert_true(q.views[0].position.x == 1 && q.views[0].position.y == 2 &&
		    q.views[0].position.z == 3);
	assert_true(q.views[0].direction.z == -1);
	assert_true(fabsf(q.views[0].half_angle - .70039f) < 1e-4f);
	assert_true(q.views[0].far_clip == 16384 && q.views[0].keyhole == 3);

	assert_int_equal(decode_hex(avatar_query_decode, "02" VIEW VIEW, &q), 0);
	assert_int_equal(q.n, 2);
	assert_int_equal(decode_hex(avatar_query_decode, "00", &q), 0);
	assert_int_equal(q.n, 0);
}

static void test_bad_queries(void **state)
{
	static const char *const bad[] = {
		"",
		"01",
		"01" VIEW "00",
		"02" VIEW,
		"00" VIEW,
		"01 0000c07f 00000040 00004040 00000000 00000000 000080bf 7f80 00c0 00004040",
		"01 0000803f 00000040 00004040 00000000 00000000 000080ff 7f80 00c0 00004040",
		"01 0000803f 00000040 00004040 00000000 00000000 000080bf 7f80 00c0 0000807f",
	};
	uint8_t many[1 + 32 * 17] = {17};
	struct avatar_query q = {.n = 5};

	for (size_t i = 0; i < ELEMENTSOF(bad); i++)
		assert_int_equal(decode_hex(avatar_query_decode, bad[i], &q), -EBADMSG);
	assert_int_equal(avatar_query_decode(many, sizeof(many), &q), -EBADMSG);
	assert_int_equal(q.n, 5);
	many[0] = 16;
	assert_int_equal(avatar_query_decode(many, 1 + 32 * 16, &q), 0);
	assert_int_equal(q.n, 16);
}

/* 9.2 */
static void test_ignore(void **state)
{
	size_t len;
	_cleanup_free_ uint8_t *bytes = hex_bytes("01" SESSION_A SESSION_1 "abcd", &len);
	struct avatar_ignore_request request;
	struct uuid uuid;

	assert_int_equal(avatar_ignore_decode(bytes, len, &request), 0);
	assert_true(request.add);
	assert_int_equal(request.n, 2); /* the incomplete one is left out */
	uuid = avatar_ignore_get(&request, 0);
	assert_bytes_hex(&uuid, sizeof(uuid), SESSION_A);
	uuid = avatar_ignore_get(&request, 1);
	assert_bytes_hex(&uuid, sizeof(uuid), SESSION_1);

	assert_int_equal(avatar_ignore_decode(bytes, 17, &request), 0);
	assert_int_equal(request.n, 1);
	bytes[0] = 0;
	assert_int_equal(avatar_ignore_decode(bytes, 17, &request), 0);
	assert_false(request.add);

	assert_int_equal(avatar_ignore_decode(bytes, 16, &request), -EBADMSG);
	assert_int_equal(avatar_ignore_decode(bytes, 1, &request), -EBADMSG);
	assert_int_equal(avatar_ignore_decode(NULL, 0, &request), -EBADMSG);
}

/* 9.1, 9.3 */
static void test_flag(void **state)
{
	bool flag;

	assert_int_equal(decode_hex(avatar_flag_decode, "01", &flag), 0);
	assert_true(flag);
	assert_int_equal(decode_hex(avatar_flag_decode, "00ff", &flag), 0);
	assert_false(flag);
	assert_int_equal(decode_hex(avatar_flag_decode, "", &flag), -EBADMSG);
}

/* 9.4 */
static void test_sorting(void **state)
{
	struct avatar_sorting s;

	assert_int_equal(decode_hex(avatar_sorting_decode, "00000041 0000803e 0000803f", &s), 0);
	assert_true(s.size == 8 && s.centre == .25f && s.age == 1);
	assert_int_equal(decode_hex(avatar_sorting_decode, "00000041 0000803e 0000c07f", &s),
			 -EBADMSG);
	assert_int_equal(decode_hex(avatar_sorting_decode, "00000041 0000803e 000080", &s),
			 -EBADMSG);
}

/* 8.3 */
static void test_traits_ack(void **state)
{
	int64_t message;

	assert_int_equal(decode_hex(avatar_traits_ack_decode, "0500000000000000", &message), 0);
	assert_int_equal(message, 5);
	assert_int_equal(decode_hex(avatar_traits_ack_decode, "05000000000000", &message),
			 -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kill),        cmocka_unit_test(test_query),
		cmocka_unit_test(test_bad_queries), cmocka_unit_test(test_ignore),
		cmocka_unit_test(test_flag),        cmocka_unit_test(test_sorting),
		cmocka_unit_test(test_traits_ack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
