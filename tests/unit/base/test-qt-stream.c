/* Qt's encodings: base/qt-stream against the vectors of protocol 01 sections 12.1 to 12.3 and 02
 * section 12. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <math.h>

#include "base/qt-stream.h"

static void assert_written(const struct writer *wr, const void *bytes, size_t len)
{
	assert_int_equal(writer_finish(wr), len);
	assert_memory_equal(wr->data, bytes, len);
}

static void test_numbers_of_01_section_12_2(void **state)
{
	static const uint8_t bytes[] = {
		0x01, 0x49, 0x12, 0x34, 1, 2, 3, 4, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0,
	};
	uint8_t b[sizeof(bytes)];
	struct writer wr = writer_over(b, sizeof(b));
	struct reader rd = reader_over(bytes, sizeof(bytes));

	write_u8(&wr, true);
	write_u8(&wr, 73);
	write_u16be(&wr, 0x1234);
	write_u32be(&wr, 0x01020304);
	write_f64be(&wr, 1.0f);
	assert_written(&wr, bytes, sizeof(bytes));

	read_skip(&rd, 8);
	assert_true(read_f64be_finite(&rd) == 1.0);
	assert_int_equal(reader_finish(&rd), 0);
}

static void test_strings_of_01_section_12_2(void **state)
{
	static const struct {
		const char *text;
		uint8_t len, bytes[10];
	} rows[] = {
		{NULL, 4, {0xff, 0xff, 0xff, 0xff}},
		{"", 4, {0, 0, 0, 0}},
		{"ab", 8, {0, 0, 0, 4, 0, 0x61, 0, 0x62}},
		{"é😀", 10, {0, 0, 0, 6, 0, 0xe9, 0xd8, 0x3d, 0xde, 0}},
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		uint8_t b[16];
		struct writer wr = writer_over(b, sizeof(b));
		struct reader rd = reader_over(rows[i].bytes, rows[i].len);
		_cleanup_free_ char *text = NULL;

		write_qstring(&wr, rows[i].text);
		assert_written(&wr, rows[i].bytes, rows[i].len);
		assert_int_equal(read_qstring(&rd, 3, &text), 0);
		assert_string_equal(text, rows[i].text ? rows[i].text : "");
		assert_int_equal(reader_finish(&rd), 0);
	}
}

static void test_byte_arrays_and_lists_of_01_section_12_2(void **state)
{
	static const uint8_t bytes[] = {
		0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0,    0,    0,    0,
		2,    0x61, 0x62, 0,    0, 0, 4, 0x4d, 0x57, 0x6f, 0x6d,
	};
	uint8_t b[sizeof(bytes)];
	struct writer wr = writer_over(b, sizeof(b));
	struct reader rd = reader_over(bytes, sizeof(bytes));
	struct span s;

	write_qbytes_null(&wr);
	write_qbytes(&wr, NULL, 0);
	write_qbytes(&wr, "ab", 2);
	write_qbytes(&wr, "MWom", 4); /* a list of u8 looks the same */
	assert_written(&wr, bytes, sizeof(bytes));

	assert_int_equal(read_qbytes(&rd, 4).len, 0);
	assert_int_equal(read_qbytes(&rd, 4).len, 0);
	s = read_qbytes(&rd, 4);
	assert_int_equal(s.len, 2);
	assert_memory_equal(s.data, "ab", 2);
	assert_int_equal(read_qbytes(&rd, 4).len, 4);
	assert_int_equal(reader_finish(&rd), 0);
}

static void test_uuid_of_01_section_12_2(void **state)
{
	static const uint8_t bytes[] = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
					0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff};
	struct reader rd = reader_over(bytes, sizeof(bytes));
	struct uuid u = read_uuid(&rd);

	assert_string_equal(UUID_TEXT(&u), "00112233-4455-6677-8899-aabbccddeeff");
}

static void test_bad_strings_are_refused(void **state)
{
	static const struct {
		uint8_t len, bytes[8];
	} rows[] = {
		{7, {0, 0, 0, 3, 0, 0x61, 0}},       /* odd */
		{8, {0, 0, 0, 6, 0, 0x61, 0, 0x62}}, /* cut short */
		{8, {0xff, 0xff, 0xff, 0xfe, 0, 0x61, 0, 0x62}},
		{3, {0, 0, 0}},
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		struct reader rd = reader_over(rows[i].bytes, rows[i].len);
		char *text = NULL;

		assert_int_equal(read_qstring(&rd, 100, &text), -EBADMSG);
		assert_null(text);
		assert_int_equal(reader_check(&rd), -EBADMSG);
	}
}

static void test_strings_and_bytes_over_their_limit_are_refused(void **state)
{
	struct reader rd = reader_over("\0\0\0\4\0a\0b", 8);
	char *text = NULL;

	assert_int_equal(read_qstring(&rd, 1, &text), -EBADMSG);
	rd = reader_over("\0\0\0\2ab", 6);
	assert_int_equal(read_qbytes(&rd, 1).len, 0);
	assert_int_equal(reader_check(&rd), -EBADMSG);
}

static void test_what_is_no_character_becomes_the_replacement(void **state)
{
	/* lone low, NUL, lone high before a letter, lone high at the end */
	struct reader rd = reader_over("\0\0\0\x0a\xdc\x00\0\0\xd8\x3d\0a\xd8\x3d", 14);
	_cleanup_free_ char *text = NULL;
	uint8_t b[32];
	struct writer wr = writer_over(b, sizeof(b));

	assert_int_equal(read_qstring(&rd, 5, &text), 0);
	assert_string_equal(text, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
				  "a\xef\xbf\xbd");
	write_qstring(&wr, "a\xff\xe2\x82");
	assert_written(&wr, "\0\0\0\x08\0a\xff\xfd\xff\xfd\xff\xfd", 12);
}

static void test_qcompress_of_01_section_12_2(void **state)
{
	static const uint8_t bytes[] = {0,    0,    0,    2,    0x78, 0x9c, 0xab,
					0xae, 0x05, 0x00, 0x01, 0x75, 0x00, 0xf9};
	struct writer wr = writer_growing(100);
	char out[2];

	assert_int_equal(qcompress_encode("{}", 2, -1, &wr), 0);
	assert_written(&wr, bytes, sizeof(bytes));
	assert_int_equal(qcompress_decode(bytes, sizeof(bytes), out, sizeof(out)), 2);
	assert_memory_equal(out, "{}", 2);
	writer_done(&wr);
}

static void test_qcompress_of_nothing(void **state)
{
	struct writer wr = writer_growing(100);
	char out[1];

	assert_int_equal(qcompress_encode(NULL, 0, -1, &wr), 0);
	assert_written(&wr, "\0\0\0\0", 4);
	assert_int_equal(qcompress_decode(wr.data, wr.len, out, sizeof(out)), 0);
	writer_done(&wr);
}

static void test_qcompress_refuses_lies(void **state)
{
	uint8_t b[] = {0, 0, 0, 2, 0x78, 0x9c, 0xab, 0xae, 0x05, 0x00, 0x01, 0x75, 0x00, 0xf9, 0};
	char out[8];

	assert_int_equal(qcompress_decode(b, sizeof(b), out, sizeof(out)), -EBADMSG);
	assert_int_equal(qcompress_decode(b, sizeof(b) - 2, out, sizeof(out)), -EBADMSG);
	assert_int_equal(qcompress_decode(b, sizeof(b) - 1, out, 1), -ENOBUFS);
	b[3] = 3;
	assert_int_equal(qcompress_decode(b, sizeof(b) - 1, out, sizeof(out)), -EBADMSG);
	b[3] = 1;
	assert_int_equal(qcompress_decode(b, sizeof(b) - 1, out, sizeof(out)), -EBADMSG);
	assert_int_equal(qcompress_decode(b, 3, out, sizeof(out)), -EBADMSG);
}

/* --- qbjs --- */

static const uint8_t qbjs_vector[] = {
	0x71, 0x62, 0x6a, 0x73, 0x01, 0, 0,    0, 0x28, 0, 0,    0, 0x05, 0,    0, 0,
	0x20, 0,    0,    0,    0x3a, 0, 0,    0, 0x01, 0, 0x61, 0, 0x9b, 0x03, 0, 0,
	0x01, 0,    0x62, 0,    0x01, 0, 0x78, 0, 0x0c, 0, 0,    0, 0x14, 0,    0, 0,
};

static void test_qbjs_of_02_section_12(void **state)
{
	/* Unsorted on purpose: the table is sorted by key. */
	json_t *object = json_pack("{s:s, s:i}", "b", "x", "a", 1), *back = NULL;
	struct writer wr = writer_growing(1000);

	assert_int_equal(qbjs_encode(object, &wr), 0);
	assert_written(&wr, qbjs_vector, sizeof(qbjs_vector));
	assert_int_equal(qbjs_decode(qbjs_vector, sizeof(qbjs_vector), &back), 0);
	assert_true(json_equal(object, back));
	json_decref(object);
	json_decref(back);
	writer_done(&wr);
}

static void test_qbjs_round_trip(void **state)
{
	static const char text[] =
		"{ \"null\": null, \"yes\": true, \"no\": false, \"pi\": 3.25, \"big\": 1e300,"
		"  \"least\": -67108864, \"greatest\": 67108863, \"é\": \"ü\","
		"  \"\xef\xbf\xbd\": \"€\","
		"  \"😀\": \"😀\", \"list\": [1, \"two\", [], {}, [[-1.5]]], \"o\": { \"x\": {} },"
		"  \"\": \"\" }";
	json_t *object = json_loads(text, 0, NULL), *back = NULL;
	struct writer wr = writer_growing(1 << 16);

	assert_non_null(object);
	assert_int_equal(qbjs_encode(object, &wr), 0);
	assert_int_equal(wr.len % 4, 0);
	assert_int_equal(qbjs_decode(wr.data, wr.len, &back), 0);
	assert_true(json_equal(object, back));
	json_decref(object);
	json_decref(back);
	writer_done(&wr);
}

static void test_qbjs_numbers_too_large_for_the_word_become_doubles(void **state)
{
	json_t *object = json_pack("{s:i, s:f}", "a", 1 << 26, "z", -0.0), *back = NULL;
	struct writer wr = writer_growing(1000);

	assert_int_equal(qbjs_encode(object, &wr), 0);
	assert_int_equal(qbjs_decode(wr.data, wr.len, &back), 0);
	assert_true(json_real_value(json_object_get(back, "a")) == 1 << 26);
	assert_true(signbit(json_real_value(json_object_get(back, "z"))));
	json_decref(object);
	json_decref(back);
	writer_done(&wr);
}

static void test_qbjs_of_an_empty_object_is_empty(void **state)
{
	json_t *object = json_object(), *list = json_array(), *back = NULL;
	struct writer wr = writer_growing(1000);

	assert_int_equal(qbjs_encode(object, &wr), 0);
	assert_int_equal(wr.len, 0);
	assert_int_equal(qbjs_decode(NULL, 0, &back), 0);
	assert_true(json_equal(object, back));
	assert_int_equal(qbjs_encode(list, &wr), -EINVAL);
	json_decref(object);
	json_decref(list);
	json_decref(back);
}

/* Every single-byte change of the vector either fails or yields an object. */
static void test_qbjs_survives_damage(void **state)
{
	uint8_t b[sizeof(qbjs_vector)];

	for (size_t i = 0; i < sizeof(b); i++) {
		for (unsigned v = 0; v < 256; v++) {
			json_t *back = NULL;
			int r;

			memcpy(b, qbjs_vector, sizeof(b));
			b[i] = (uint8_t) v;
			r = qbjs_decode(b, sizeof(b), &back);
			assert_true(r == 0 ? json_is_object(back) : r == -EBADMSG && !back);
			json_decref(back);
		}
	}
	for (size_t len = 1; len < sizeof(b); len++) {
		json_t *back = NULL;

		assert_int_equal(qbjs_decode(qbjs_vector, len, &back), -EBADMSG);
	}
}

/* {"": [child, second]}, the child an array of the same kind, and so on. */
static size_t nested_arrays(uint8_t *b, size_t cap, bool shared)
{
	struct writer wr = writer_over(b, cap);

	write_bytes(&wr, "qbjs", 4);
	write_u32le(&wr, 1);
	write_u32le(&wr, 20 + 36 * 4 + 4);
	write_u32le(&wr, 1 << 1 | 1);
	write_u32le(&wr, 20 + 36 * 4);
	write_u32le(&wr, 4 | 16 | 20 << 5);
	write_u32le(&wr, 0);
	for (unsigned level = 0; level < 6; level++) {
		uint32_t child = level < 5 ? 4 | 24 << 5 : 0;

		write_u32le(&wr, (36 - level * 6) * 4);
		write_u32le(&wr, 2 << 1);
		write_u32le(&wr, 12);
		write_u32le(&wr, child);
		write_u32le(&wr, shared ? child : 0);
		write_u32le(&wr, 0);
	}
	write_u32le(&wr, 12);
	return (size_t) writer_finish(&wr);
}

/* Where both elements are the same child, the input is small but grows exponentially when read. */
static void test_qbjs_refuses_shared_children(void **state)
{
	json_t *back = NULL;
	uint8_t b[512];
	size_t len;

	len = nested_arrays(b, sizeof(b), true);
	assert_int_equal(qbjs_decode(b, len, &back), -EBADMSG);
	assert_null(back);
	len = nested_arrays(b, sizeof(b), false);
	assert_int_equal(qbjs_decode(b, len, &back), 0);
	json_decref(back);
}

static void test_qbjs_depth_is_limited(void **state)
{
	json_t *object = json_object(), *back = NULL;
	struct writer wr = writer_growing(1 << 20);

	for (unsigned i = 0; i < 63; i++)
		object = json_pack("{s:o}", "a", object);
	assert_int_equal(qbjs_encode(object, &wr), 0);
	assert_int_equal(qbjs_decode(wr.data, wr.len, &back), 0);
	assert_true(json_equal(object, back));
	object = json_pack("{s:o}", "a", object);
	assert_int_equal(qbjs_encode(object, &wr), -EINVAL);
	json_decref(object);
	json_decref(back);
	writer_done(&wr);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers_of_01_section_12_2),
		cmocka_unit_test(test_strings_of_01_section_12_2),
		cmocka_unit_test(test_byte_arrays_and_lists_of_01_section_12_2),
		cmocka_unit_test(test_uuid_of_01_section_12_2),
		cmocka_unit_test(test_bad_strings_are_refused),
		cmocka_unit_test(test_strings_and_bytes_over_their_limit_are_refused),
		cmocka_unit_test(test_what_is_no_character_becomes_the_replacement),
		cmocka_unit_test(test_qcompress_of_01_section_12_2),
		cmocka_unit_test(test_qcompress_of_nothing),
		cmocka_unit_test(test_qcompress_refuses_lies),
		cmocka_unit_test(test_qbjs_of_02_section_12),
		cmocka_unit_test(test_qbjs_round_trip),
		cmocka_unit_test(test_qbjs_numbers_too_large_for_the_word_become_doubles),
		cmocka_unit_test(test_qbjs_of_an_empty_object_is_empty),
		cmocka_unit_test(test_qbjs_survives_damage),
		cmocka_unit_test(test_qbjs_refuses_shared_children),
		cmocka_unit_test(test_qbjs_depth_is_limited),
	};

	return cmocka_run_group_tests_name("qt-stream", tests, NULL, NULL);
}
