/* MessagesData: the vectors of protocol 05 section 1.3 and the repair of section 3.1. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "node/messages-data.h"

#define SENDER "\x11\x11\x11\x11\x22\x22\x33\x33\x44\x44\x55\x55\x55\x55\x55\x55"

static int decode(const char *data, size_t len, struct messages_data *ret)
{
	return messages_data_decode(span_of(data, len), ret);
}

static void test_text(void **state)
{
	static const char data[] = "\x04\0"
				   "Chat\x01\x04\0\0\0H\xc3\xa9!" SENDER;
	struct messages_data message;
	uint8_t out[64];
	struct writer wr = writer_over(out, sizeof(out));

	assert_int_equal(decode(data, sizeof(data) - 1, &message), 0);
	assert_memory_equal(message.channel.data, "Chat", 4);
	assert_true(message.is_text);
	assert_int_equal(message.data.len, 4);
	messages_data_encode(&wr, &message, &message.sender);
	assert_int_equal(writer_finish(&wr), sizeof(data) - 1);
	assert_memory_equal(out, data, sizeof(data) - 1);
}

static void test_empty_text_and_binary(void **state)
{
	static const char empty[] = "\x04\0"
				    "Chat\x01\0\0\0\0" SENDER;
	static const char binary[] = "\x01\0x\0\x03\0\0\0\x01\x02\xfe" SENDER;
	struct messages_data message;

	assert_int_equal(decode(empty, sizeof(empty) - 1, &message), 0);
	assert_int_equal(message.data.len, 0);
	assert_int_equal(decode(binary, sizeof(binary) - 1, &message), 0);
	assert_false(message.is_text);
	assert_int_equal(message.data.len, 3);
}

static void test_sdk_channel_length_in_units(void **state)
{
	static const char data[] = "\x01\0\xc3\xa9\x01\x01\0\0\0a" SENDER;
	/* Two units of one code point beyond the basic plane. */
	static const char emoji[] = "\x02\0\xf0\x9f\x98\x80\x01\x01\0\0\0a" SENDER;
	struct messages_data message;

	assert_int_equal(decode(data, sizeof(data) - 1, &message), 1);
	assert_int_equal(message.channel.len, 2);
	assert_memory_equal(message.data.data, "a", 1);
	assert_int_equal(decode(emoji, sizeof(emoji) - 1, &message), 1);
	assert_int_equal(message.channel.len, 4);
}

static void test_lengths_must_fit(void **state)
{
	static const char longer[] = "\x04\0"
				     "Chat\x01\x05\0\0\0H\xc3\xa9!" SENDER;
	static const char shorter[] = "\x04\0"
				      "Chat\x01\x03\0\0\0H\xc3\xa9!" SENDER;
	static const char huge[] = "\xff\xff"
				   "Chat\x01\x04\0\0\0H\xc3\xa9!" SENDER;
	struct messages_data message;

	assert_int_equal(decode(longer, sizeof(longer) - 1, &message), -EBADMSG);
	assert_int_equal(decode(shorter, sizeof(shorter) - 1, &message), -EBADMSG);
	assert_int_equal(decode(huge, sizeof(huge) - 1, &message), -EBADMSG);
	assert_int_equal(decode("", 0, &message), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_empty_text_and_binary),
		cmocka_unit_test(test_sdk_channel_length_in_units),
		cmocka_unit_test(test_lengths_must_fit),
	};

	return cmocka_run_group_tests_name("messages-data", tests, NULL, NULL);
}
