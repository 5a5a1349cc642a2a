/* Protocol 01 section 2. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "webrtc/datagram-kind.h"

#define HEADER(type, length)                                                                       \
	(type) >> 8, (type) &0xff, (length) >> 8, (length) &0xff, 0x21, 0x12, 0xa4, 0x42, 0, 0, 0, \
		0, 0, 0, 0, 0, 0, 0, 0, 0
#define KIND(...) \
	datagram_kind(span_of(((uint8_t[]){__VA_ARGS__}), sizeof((uint8_t[]){__VA_ARGS__})))

static void test_stun(void **state)
{
	assert_int_equal(KIND(HEADER(0x0001, 0)), DATAGRAM_STUN_REQUEST);
	assert_int_equal(KIND(HEADER(0x0001, 4), 1, 2, 3, 4), DATAGRAM_STUN_REQUEST);
	assert_int_equal(KIND(HEADER(0x0011, 0)), DATAGRAM_STUN_INDICATION);
	assert_int_equal(KIND(HEADER(0x0101, 0)), DATAGRAM_STUN_RESPONSE);
	assert_int_equal(KIND(HEADER(0x0111, 0)), DATAGRAM_STUN_RESPONSE);
	assert_int_equal(KIND(HEADER(0x0003, 0)),
			 DATAGRAM_STUN_REQUEST); /* TURN's: refused later */
}

static void test_almost_stun(void **state)
{
	assert_int_equal(KIND(HEADER(0x0401, 0)), DATAGRAM_DTLS_OR_NATIVE);
	assert_int_equal(KIND(HEADER(0x4001, 0)), DATAGRAM_DTLS_OR_NATIVE);
	assert_int_equal(KIND(HEADER(0x0001, 4)), DATAGRAM_DTLS_OR_NATIVE);
	assert_int_equal(KIND(HEADER(0x0001, 0), 1), DATAGRAM_DTLS_OR_NATIVE);
	assert_int_equal(KIND(HEADER(0x0001, 2), 1, 2), DATAGRAM_DTLS_OR_NATIVE);
	assert_int_equal(KIND(0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42), DATAGRAM_DTLS_OR_NATIVE);
	assert_int_equal(
		KIND(0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x43, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
		DATAGRAM_DTLS_OR_NATIVE);
}

/* Native packets, whatever their sequence number's low byte is: vectors of 01 sections 14.2
 * and 14.3's shapes. */
static void test_native(void **state)
{
	for (unsigned first = 0; first < 256; first++) {
		assert_int_equal(KIND(first, 0, 0, 0, 0x1f, 0x1b, 0, 0), DATAGRAM_DTLS_OR_NATIVE);
		assert_int_equal(KIND(first, 0, 0, 0x40, 0x21, 0x16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
				      0, 0, 0, 0, 0),
				 DATAGRAM_DTLS_OR_NATIVE);
	}
	assert_int_equal(KIND(0, 0, 0, 0x80, 0x2a, 0x17, 0xe8, 1), DATAGRAM_DTLS_OR_NATIVE);
}

static void test_runts(void **state)
{
	assert_int_equal(datagram_kind((struct span){0}), DATAGRAM_RUNT);
	assert_int_equal(KIND(22, 254, 253), DATAGRAM_RUNT);
	assert_int_equal(KIND(22, 254, 253, 0), DATAGRAM_DTLS_OR_NATIVE);
}

static void test_dtls_records(void **state)
{
	assert_false(datagram_is_dtls_record((struct span){0}));
	for (unsigned first = 0; first < 256; first++)
		assert_int_equal(datagram_is_dtls_record(span_of((uint8_t[]){(uint8_t) first}, 1)),
				 first >= 20 && first <= 63);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stun),         cmocka_unit_test(test_almost_stun),
		cmocka_unit_test(test_native),       cmocka_unit_test(test_runts),
		cmocka_unit_test(test_dtls_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
