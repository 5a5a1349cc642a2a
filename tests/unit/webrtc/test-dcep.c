#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "webrtc/dcep.h"

/* What the Web SDK's channel sends (11 section 6). */
static const uint8_t open_of_sdk[] = {0x03, 0x81, 0x01, 0x00, 0,   0,   0,   0,   0,
				      5,    0,    8,    'l',  'a', 'b', 'e', 'l', 'p',
				      'r',  'o',  't',  'o',  'c', 'o', 'l'};

static void test_open(void **state)
{
	struct dcep_open open;

	assert_int_equal(dcep_open_decode(span_of(open_of_sdk, sizeof(open_of_sdk)), &open), 0);
	assert_int_equal(open.channel_type, 0x81);
	assert_int_equal(open.priority, 256);
	assert_int_equal(open.reliability, 0);
	assert_int_equal(open.label.len, 5);
	assert_memory_equal(open.label.data, "label", 5);
	assert_int_equal(open.protocol.len, 8);
	assert_memory_equal(open.protocol.data, "protocol", 8);
}

static void test_truncated(void **state)
{
	uint8_t longer[sizeof(open_of_sdk) + 1] = {0};
	struct dcep_open open;

	for (size_t len = 0; len < sizeof(open_of_sdk); len++)
		assert_int_equal(dcep_open_decode(span_of(open_of_sdk, len), &open), -EBADMSG);
	memcpy(longer, open_of_sdk, sizeof(open_of_sdk));
	assert_int_equal(dcep_open_decode(span_of(longer, sizeof(longer)), &open), -EBADMSG);
}

static void test_long_label(void **state)
{
	uint8_t message[12 + DCEP_TEXT_MAX + 1] = {0x03, 0x81};
	struct dcep_open open;

	message[8] = DCEP_TEXT_MAX >> 8;
	message[9] = DCEP_TEXT_MAX & 0xff;
	assert_int_equal(dcep_open_decode(span_of(message, 12 + DCEP_TEXT_MAX), &open), 0);
	message[9]++;
	assert_int_equal(dcep_open_decode(span_of(message, 12 + DCEP_TEXT_MAX + 1), &open),
			 -EBADMSG);
}

static void test_other_messages(void **state)
{
	struct dcep_open open;

	assert_int_equal(dcep_open_decode(span_of((uint8_t[]){DCEP_ACK}, 1), &open), -EPROTO);
	assert_int_equal(dcep_open_decode(span_of((uint8_t[]){0xff, 1, 2}, 3), &open), -EPROTO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_long_label),
		cmocka_unit_test(test_other_messages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
