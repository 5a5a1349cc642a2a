/* The sticky cursors of base/bytes and text helpers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <math.h>

#include "base/bytes.h"

static void test_reads_every_width_in_both_orders(void **state)
{
	static const uint8_t data[] = {0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08};
	struct reader rd = reader_over(data, sizeof(data));

	assert_int_equal(read_u16le(&rd), 0x0201);
	assert_int_equal(read_u16be(&rd), 0x0304);
	assert_int_equal(read_u32be(&rd), 0x05060708);
	assert_int_equal(reader_finish(&rd), 0);

	rd = reader_over(data, sizeof(data));
	assert_true(read_u64le(&rd) == UINT64_C(0x0807060504030201));
	rd = reader_over(data, sizeof(data));
	assert_true(read_u64be(&rd) == UINT64_C(0x0102030405060708));
}

static void test_overrun_is_sticky(void **state)
{
	static const uint8_t data[] = {1, 2, 3};
	struct reader rd = reader_over(data, sizeof(data));

	assert_int_equal(read_u32le(&rd), 0);
	assert_int_equal(read_u8(&rd), 0);
	assert_null(read_bytes(&rd, 1));
	assert_int_equal(reader_left(&rd), 0);
	assert_int_equal(reader_check(&rd), -EBADMSG);
}

static void test_left_over_bytes_are_an_error(void **state)
{
	static const uint8_t data[] = {1, 2};
	struct reader rd = reader_over(data, sizeof(data));

	(void) read_u8(&rd);
	assert_int_equal(reader_finish(&rd), -EBADMSG);
	assert_int_equal(reader_check(&rd), 0);
}

static void test_finite_floats(void **state)
{
	static const uint8_t data[] = {0, 0, 0xc0, 0x7f, 0, 0, 0x80, 0x3f};
	struct reader rd = reader_over(data, sizeof(data));

	assert_true(isnan(read_f32le(&rd)));
	assert_true(read_f32le(&rd) == 1.0f);
	rd = reader_over(data, sizeof(data));
	assert_true(read_f32le_finite(&rd) == 0);
	assert_int_equal(reader_check(&rd), -EBADMSG);
}

static void test_string_longer_than_its_maximum_fails(void **state)
{
	static const uint8_t data[] = {3, 0, 0, 0, 'a', 'b', 'c'};
	struct reader rd = reader_over(data, sizeof(data));
	struct span s = read_string32(&rd, 3);

	assert_int_equal(s.len, 3);
	assert_memory_equal(s.data, "abc", 3);
	rd = reader_over(data, sizeof(data));
	assert_int_equal(read_string32(&rd, 2).len, 0);
	assert_int_equal(reader_check(&rd), -EBADMSG);
}

static void test_writer_never_passes_its_end(void **state)
{
	uint8_t buf[4] = {0};
	struct writer wr = writer_over(buf, 3);

	write_u16be(&wr, 0x0102);
	write_u16le(&wr, 0x0304);
	write_u8(&wr, 9);
	assert_int_equal(writer_finish(&wr), -ENOBUFS);
	assert_memory_equal(buf, "\x01\x02\x00\x00", 4);
}

static void test_growing_writer_keeps_what_was_written(void **state)
{
	struct writer wr = writer_growing(100000);
	_cleanup_free_ uint8_t *data = NULL;

	for (unsigned i = 0; i < 10000; i++)
		write_u32le(&wr, i);
	assert_int_equal(writer_take(&wr, &data), 40000);
	for (unsigned i = 0; i < 10000; i++)
		assert_int_equal(data[4 * i] | data[4 * i + 1] << 8, i & 0xffff);
	writer_done(&wr);

	wr = writer_growing(3);
	write_u32le(&wr, 1);
	assert_int_equal(writer_finish(&wr), -ENOBUFS);
	writer_done(&wr);
}

static void test_utf8(void **state)
{
	_cleanup_free_ char *text = utf8_sanitise("a\xff\x01z\n", 5);

	assert_true(utf8_is_valid("h\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 10));
	assert_false(utf8_is_valid("\xc0\x80", 2));
	assert_false(utf8_is_valid("\xed\xa0\x80", 3));
	assert_false(utf8_is_valid("\xe2\x82", 2));
	assert_false(utf8_is_valid("a\0b", 3));
	assert_string_equal(text, "a\xef\xbf\xbd\xef\xbf\xbdz\n");
}

static void test_uuid_text(void **state)
{
	struct uuid u;

	assert_int_equal(uuid_parse("{00112233-4455-6677-8899-AABBCCDDEEFF}", &u), 0);
	assert_memory_equal(u.b, "\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff",
			    16);
	assert_string_equal(UUID_TEXT(&u), "00112233-4455-6677-8899-aabbccddeeff");
	assert_int_equal(uuid_parse("00112233-4455-6677-8899-aabbccddeef", &u), -EINVAL);
	assert_int_equal(uuid_parse("0011223344556677-8899-aabbccddeeffaaa", &u), -EINVAL);
	assert_int_equal(uuid_parse("g0112233-4455-6677-8899-aabbccddeeff", &u), -EINVAL);
	u = uuid_random();
	assert_int_equal(u.b[6] >> 4, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads_every_width_in_both_orders),
		cmocka_unit_test(test_overrun_is_sticky),
		cmocka_unit_test(test_left_over_bytes_are_an_error),
		cmocka_unit_test(test_finite_floats),
		cmocka_unit_test(test_string_longer_than_its_maximum_fails),
		cmocka_unit_test(test_writer_never_passes_its_end),
		cmocka_unit_test(test_growing_writer_keeps_what_was_written),
		cmocka_unit_test(test_utf8),
		cmocka_unit_test(test_uuid_text),
	};

	return cmocka_run_group_tests_name("bytes", tests, NULL, NULL);
}
