/* Qt 5's binary JSON (protocol 02 section 12), declared in qt-stream.h.
 *
 * A container is: u32 size, u32 (count << 1 | is object), u32 offset of its table, data, and the
 * table of count words. In an array the words are values; in an object they are the offsets of
 * entries, each a value word and its key. Offsets count from the start of the container. */
#include "base/qt-stream.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/utf16.h"

#define QBJS_TAG       0x736a6271 /* "qbjs", read little-endian */
#define QBJS_VERSION   1
#define HEADER_BYTES   12 /* of a container */
#define DEPTH_MAX      64
#define INTEGER_MIN    (-(1 << 26)) /* immediate integers have 27 bits */
#define INTEGER_MAX    ((1 << 26) - 1)
#define OFFSET_MAX     ((1u << 27) - 1)
#define LATIN1_LEN_MAX 0x7fff

enum value_type {
	TYPE_NULL,
	TYPE_BOOL,
	TYPE_DOUBLE,
	TYPE_STRING,
	TYPE_ARRAY,
	TYPE_OBJECT,
};

#define VALUE_TYPE      7u
#define VALUE_IMMEDIATE 8u /* of a number: an integer in the word; of a string: latin-1 */
#define VALUE_LATIN_KEY 16u
#define VALUE_SHIFT     5

/* --- decoding --- */

struct decoder {
	/* Bytes that may still be looked at. Offsets can make containers share their children;
	 * without a budget a kilobyte of input would unfold to gigabytes. An honest encoder uses
	 * each byte once. */
	size_t budget;
	unsigned depth;
};

static int decode_container(struct decoder *dec, struct span data, bool is_object, json_t **ret);

static struct reader reader_at(struct span container, size_t offset)
{
	struct reader rd = reader_over(container.data, container.len);

	read_skip(&rd, offset);
	return rd;
}

static int spend(struct decoder *dec, size_t len)
{
	if (len > dec->budget)
		return -EBADMSG;
	dec->budget -= len;
	return 0;
}

static char *latin1_to_utf8(struct span s)
{
	struct reader rd = reader_over(s.data, s.len);
	struct writer units = writer_growing(2 * s.len);
	char *text = NULL;

	while (reader_left(&rd) > 0)
		write_u16le(&units, read_u8(&rd));
	if (!units.failed)
		text = utf16_to_utf8(span_of(units.data, units.len), UTF16_LE);
	writer_done(&units);
	return text;
}

static int decode_string(struct decoder *dec, struct reader *rd, bool latin1, char **ret)
{
	uint32_t len = latin1 ? read_u16le(rd) : read_u32le(rd);
	struct span s;
	char *text;

	if (len > reader_left(rd) / (latin1 ? 1 : 2))
		return -EBADMSG;
	s = read_span(rd, latin1 ? len : 2 * (size_t) len);
	if (spend(dec, s.len) < 0)
		return -EBADMSG;

	text = latin1 ? latin1_to_utf8(s) : utf16_to_utf8(s, UTF16_LE);
	if (!text)
		return -ENOMEM;
	*ret = text;
	return 0;
}

static int decode_number(struct span container, uint32_t word, json_t **ret)
{
	struct reader rd;
	uint64_t bits;
	double v;

	if (word & VALUE_IMMEDIATE) {
		*ret = json_integer((int32_t) word >> VALUE_SHIFT);
		return *ret ? 0 : -ENOMEM;
	}

	rd = reader_at(container, word >> VALUE_SHIFT);
	bits = read_u64le(&rd);
	memcpy(&v, &bits, sizeof(v));
	if (rd.failed || !isfinite(v))
		return -EBADMSG;
	*ret = json_real(v);
	return *ret ? 0 : -ENOMEM;
}

static int decode_text(struct decoder *dec, struct span container, uint32_t word, json_t **ret)
{
	struct reader rd = reader_at(container, word >> VALUE_SHIFT);
	_cleanup_free_ char *text = NULL;
	int r;

	r = decode_string(dec, &rd, word & VALUE_IMMEDIATE, &text);
	if (r < 0)
		return r;
	*ret = json_string_nocheck(text);
	return *ret ? 0 : -ENOMEM;
}

static int decode_nested(struct decoder *dec, struct span container, uint32_t word, json_t **ret)
{
	uint32_t offset = word >> VALUE_SHIFT;
	struct reader rd = reader_at(container, offset), start = rd;
	uint32_t size = read_u32le(&rd);
	struct span nested = read_span(&start, size);

	/* Behind its parent's header: so it is smaller, and the recursion ends. */
	if (offset < HEADER_BYTES || start.failed)
		return -EBADMSG;
	return decode_container(dec, nested, (word & VALUE_TYPE) == TYPE_OBJECT, ret);
}

static int decode_value(struct decoder *dec, struct span container, uint32_t word, json_t **ret)
{
	switch (word & VALUE_TYPE) {
	case TYPE_NULL:
		*ret = json_null();
		return 0;
	case TYPE_BOOL:
		*ret = json_boolean(word >> VALUE_SHIFT);
		return 0;
	case TYPE_DOUBLE:
		return decode_number(container, word, ret);
	case TYPE_STRING:
		return decode_text(dec, container, word, ret);
	case TYPE_ARRAY:
	case TYPE_OBJECT:
		return decode_nested(dec, container, word, ret);
	default:
		return -EBADMSG;
	}
}

static int decode_element(struct decoder *dec, struct span container, uint32_t word, json_t *array)
{
	json_t *value;
	int r;

	r = decode_value(dec, container, word, &value);
	if (r < 0)
		return r;
	return json_array_append_new(array, value) < 0 ? -ENOMEM : 0;
}

static int decode_entry(struct decoder *dec, struct span container, uint32_t offset, json_t *object)
{
	struct reader rd = reader_at(container, offset);
	uint32_t word = read_u32le(&rd);
	_cleanup_free_ char *key = NULL;
	json_t *value;
	int r;

	if (spend(dec, sizeof(word)) < 0)
		return -EBADMSG;
	r = decode_string(dec, &rd, word & VALUE_LATIN_KEY, &key);
	if (r < 0)
		return r;
	r = decode_value(dec, container, word, &value);
	if (r < 0)
		return r;
	return json_object_set_new_nocheck(object, key, value) < 0 ? -ENOMEM : 0;
}

static int decode_container(struct decoder *dec, struct span data, bool is_object, json_t **ret)
{
	struct reader rd = reader_over(data.data, data.len), table;
	uint32_t size = read_u32le(&rd), count = read_u32le(&rd) >> 1, offset = read_u32le(&rd);
	json_t *value;
	int r = 0;

	/* Qt marks an empty object as an array and gives it no table, so the caller says what it
	 * is. */
	table = reader_at(data, offset);
	if (rd.failed || size != data.len || count > reader_left(&table) / 4 ||
	    dec->depth >= DEPTH_MAX || spend(dec, HEADER_BYTES) < 0)
		return -EBADMSG;
	value = is_object ? json_object() : json_array();
	if (!value)
		return -ENOMEM;

	dec->depth++;
	for (uint32_t i = 0; i < count && r >= 0; i++) {
		uint32_t word = read_u32le(&table);

		r = spend(dec, sizeof(word));
		if (r >= 0)
			r = is_object ? decode_entry(dec, data, word, value)
				      : decode_element(dec, data, word, value);
	}
	dec->depth--;

	if (r < 0) {
		json_decref(value);
		return r;
	}
	*ret = value;
	return 0;
}

int qbjs_decode(const void *data, size_t len, json_t **ret)
{
	struct reader rd = reader_over(data, len);
	struct decoder dec = {.budget = len};
	uint32_t tag, version;
	struct span root;

	if (len == 0) {
		*ret = json_object();
		return *ret ? 0 : -ENOMEM;
	}

	tag = read_u32le(&rd);
	version = read_u32le(&rd);
	root = read_rest(&rd);
	if (rd.failed || tag != QBJS_TAG || version != QBJS_VERSION)
		return -EBADMSG;
	return decode_container(&dec, root, true, ret);
}

/* --- encoding --- */

static int encode_container(struct writer *wr, const json_t *json, unsigned depth);

static void patch_u32le(struct writer *wr, size_t pos, uint32_t v)
{
	struct writer at;

	if (wr->failed)
		return;
	at = writer_over(wr->data + pos, sizeof(v));
	write_u32le(&at, v);
}

static bool fits_latin1(const char *utf8)
{
	uint32_t c;

	if (utf16_length(utf8) > LATIN1_LEN_MAX)
		return false;
	while ((c = utf8_next(&utf8)))
		if (c > 0xff)
			return false;
	return true;
}

/* start: of the container, to which the padding is relative. Returns whether it became latin-1. */
static bool encode_string(struct writer *wr, size_t start, const char *utf8)
{
	bool latin1 = fits_latin1(utf8);
	size_t len = utf16_length(utf8);
	uint32_t c;

	if (latin1) {
		write_u16le(wr, (uint16_t) len);
		while ((c = utf8_next(&utf8)))
			write_u8(wr, (uint8_t) c);
	} else {
		write_u32le(wr, (uint32_t) len);
		write_utf16(wr, utf8, UTF16_LE);
	}
	write_zeros(wr, -(wr->len - start) & 3);
	return latin1;
}

static uint32_t encode_number(struct writer *wr, double v)
{
	uint64_t bits;

	if (v >= INTEGER_MIN && v <= INTEGER_MAX && v == (int32_t) v && !(v == 0 && signbit(v)))
		return TYPE_DOUBLE | VALUE_IMMEDIATE | (uint32_t) (int32_t) v << VALUE_SHIFT;
	memcpy(&bits, &v, sizeof(bits));
	write_u64le(wr, bits);
	return TYPE_DOUBLE;
}

/* Appends what does not fit the word; *ret_word is the value's word without the key's bit. */
static int encode_value(struct writer *wr, size_t start, const json_t *value, unsigned depth,
			uint32_t *ret_word)
{
	uint32_t offset = (uint32_t) (wr->len - start) << VALUE_SHIFT;
	uint32_t word;

	switch (json_typeof(value)) {
	case JSON_NULL:
		*ret_word = TYPE_NULL;
		return 0;
	case JSON_TRUE:
	case JSON_FALSE:
		*ret_word = TYPE_BOOL | (uint32_t) json_is_true(value) << VALUE_SHIFT;
		return 0;
	case JSON_INTEGER:
	case JSON_REAL:
		word = encode_number(wr, json_number_value(value));
		*ret_word = word & VALUE_IMMEDIATE ? word : word | offset;
		return 0;
	case JSON_STRING:
		*ret_word = TYPE_STRING | offset;
		if (encode_string(wr, start, json_string_value(value)))
			*ret_word |= VALUE_IMMEDIATE;
		return 0;
	default:
		*ret_word = (json_is_object(value) ? TYPE_OBJECT : TYPE_ARRAY) | offset;
		return encode_container(wr, value, depth + 1);
	}
}

/* Qt compares UTF-16 units: supplementary characters (surrogates) come before U+E000…U+FFFF. */
static uint32_t utf16_rank(uint32_t c)
{
	return c >= 0xe000 && c <= 0xffff ? c + 0x110000 : c;
}

static int compare_keys(const void *a, const void *b)
{
	const char *x = *(const char *const *) a, *y = *(const char *const *) b;
	uint32_t cx, cy;

	do {
		cx = utf8_next(&x);
		cy = utf8_next(&y);
	} while (cx == cy && cx != 0);
	return utf16_rank(cx) < utf16_rank(cy) ? -1 : cx != cy;
}

static int encode_entries(struct writer *wr, size_t start, const json_t *object, unsigned depth,
			  uint32_t *table)
{
	size_t n = 0, pos;
	_cleanup_free_ const char **keys = calloc(json_object_size(object) + 1, sizeof(*keys));
	uint32_t word;
	int r;

	if (!keys)
		return -ENOMEM;
	for (void *i = json_object_iter((json_t *) object); i;
	     i = json_object_iter_next((json_t *) object, i))
		keys[n++] = json_object_iter_key(i);
	qsort(keys, n, sizeof(*keys), compare_keys);

	for (size_t i = 0; i < n; i++) {
		bool latin1;

		pos = wr->len;
		table[i] = (uint32_t) (pos - start);
		write_u32le(wr, 0);
		latin1 = encode_string(wr, start, keys[i]);
		r = encode_value(wr, start, json_object_get(object, keys[i]), depth, &word);
		if (r < 0)
			return r;
		patch_u32le(wr, pos, word | (latin1 ? VALUE_LATIN_KEY : 0));
	}
	return 0;
}

static int encode_container(struct writer *wr, const json_t *json, unsigned depth)
{
	bool is_object = json_is_object(json);
	size_t start = wr->len, count = is_object ? json_object_size(json) : json_array_size(json);
	_cleanup_free_ uint32_t *table = calloc(count + 1, sizeof(*table));
	uint32_t table_offset;
	int r = 0;

	if (depth >= DEPTH_MAX)
		return -EINVAL;
	if (!table)
		return -ENOMEM;

	write_zeros(wr, HEADER_BYTES);
	if (is_object)
		r = encode_entries(wr, start, json, depth, table);
	for (size_t i = 0; !is_object && i < count && r >= 0; i++)
		r = encode_value(wr, start, json_array_get(json, i), depth, &table[i]);
	if (r < 0)
		return r;

	table_offset = (uint32_t) (wr->len - start);
	for (size_t i = 0; i < count; i++)
		write_u32le(wr, table[i]);
	if (wr->failed || wr->len - start > OFFSET_MAX)
		return -ENOBUFS;
	patch_u32le(wr, start, (uint32_t) (wr->len - start));
	patch_u32le(wr, start + 4, (uint32_t) count << 1 | is_object);
	patch_u32le(wr, start + 8, table_offset);
	return 0;
}

int qbjs_encode(const json_t *object, struct writer *wr)
{
	if (!json_is_object(object))
		return -EINVAL;
	if (json_object_size(object) == 0)
		return 0;

	write_u32le(wr, QBJS_TAG);
	write_u32le(wr, QBJS_VERSION);
	return encode_container(wr, object, 0);
}
