/* The table of properties and what is made from it: protocol 06b section 7, 06a section 2.3. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <math.h>

#include <openssl/evp.h>

#include "entity/properties-json.h"

#define VALUES_MAX 4096

static const uint8_t id_bytes[] = {0x0f, 0x1e, 0x2d, 0x3c, 0x4b, 0x5a, 0x69, 0x78,
				   0x87, 0x96, 0xa5, 0xb4, 0xc3, 0xd2, 0xe1, 0xf0};

/* The sample of each kind in 06b section 7. */
static void write_sample(struct writer *wr, enum property_kind kind)
{
	static const uint8_t quats[] = {0xff, 0x7f, 0xff, 0xbf, 0xff, 0x7f, 0xd8, 0xee};
	static const uint8_t identity[] = {0xff, 0x7f, 0xff, 0x7f, 0xff, 0x7f, 0xff, 0xff};
	const struct property_kind_info *info = property_kind_info(kind);

	switch (kind) {
	case PROPERTY_KIND_BOOL:
		return write_u8(wr, 1);
	case PROPERTY_KIND_U8:
		return write_u8(wr, 7);
	case PROPERTY_KIND_U16:
		return write_u16le(wr, 513);
	case PROPERTY_KIND_U32:
		return write_u32le(wr, 5);
	case PROPERTY_KIND_ENUM:
		return write_u32le(wr, 1);
	case PROPERTY_KIND_U64:
		return write_u64le(wr, 1700000000000000);
	case PROPERTY_KIND_F32:
		return write_f32le(wr, 1.5f);
	case PROPERTY_KIND_QUAT:
		return write_bytes(wr, quats, sizeof(quats));
	case PROPERTY_KIND_STR:
		return write_string16(wr, "abcdé", 6);
	case PROPERTY_KIND_UUID:
		return write_string16(wr, id_bytes, sizeof(id_bytes));
	case PROPERTY_KIND_BYTES:
		return write_string16(wr, "hello", 5);
	case PROPERTY_KIND_OWNER:
		write_u16le(wr, 17);
		write_bytes(wr, id_bytes, sizeof(id_bytes));
		return write_u8(wr, 3);
	case PROPERTY_KIND_VEC3S:
		write_u16le(wr, 2);
		for (unsigned i = 1; i <= 6; i++)
			write_f32le(wr, (float) i);
		return;
	case PROPERTY_KIND_QUATS:
		write_u16le(wr, 2);
		write_bytes(wr, identity, sizeof(identity));
		return write_bytes(wr, identity, sizeof(identity));
	case PROPERTY_KIND_F32S:
		write_u16le(wr, 3);
		for (unsigned i = 1; i <= 3; i++)
			write_f32le(wr, (float) i);
		return;
	case PROPERTY_KIND_UUIDS:
		write_u16le(wr, 2);
		write_bytes(wr, id_bytes, sizeof(id_bytes));
		return write_bytes(wr, id_bytes, sizeof(id_bytes));
	case PROPERTY_KIND_BOOLS:
		write_u16le(wr, 11);
		write_u8(wr, 0xff);
		return write_u8(wr, 0x05);
	default:
		for (unsigned i = 1; i <= info->n_components; i++)
			write_component(wr, info->coding, i);
	}
}

static void write_samples(struct writer *wr, const struct entity_type *type)
{
	const struct entity_property *property;

	entity_property_for_each(property, type) write_sample(wr, property->kind);
}

static const struct record_vector {
	unsigned type, properties, len;
	const char *md5;
} record_vectors[] = {
	{1, 80, 601, "d4e59952943b2bb7611a626021c66cac"},
	{2, 80, 601, "01f3cf69143cc8477a9ce0e037d18a87"},
	{3, 80, 601, "76153eedd4cb6b2e0b6f9f88fb93f39a"},
	{4, 95, 702, "c5b57d9588596dee55cfacc8a5ba779c"},
	{5, 93, 654, "5506873b7e34d3164d11cca661683c6b"},
	{6, 83, 619, "0fd2d280fc0fc3dc007ddb48cb9df376"},
	{7, 87, 627, "c9862f6de27a2c02bba610169893d91c"},
	{8, 113, 775, "5c22e0e0fe94f49ddd4553662714d0f4"},
	{9, 74, 595, "fcb6aaebca9c79596391d3a51c5c9eec"},
	{10, 81, 673, "dda9a91ec5cd28ea25cb30deb95edc9f"},
	{11, 84, 720, "e85739659277c9bf0d566854cb476ede"},
	{12, 82, 602, "ae2d7bffc81a0683f73f8275cd03f17d"},
	{13, 91, 635, "bd8d1089fc60807657ebec6119b36e8d"},
	{14, 78, 586, "6e9ec4ebc56b13d486fd4cebe25acd37"},
	{15, 109, 721, "ccee9a3bfb02f742b79894bd2663fad9"},
	{16, 81, 618, "b97eef66106055ecb6c7f0cba00e6377"},
};

static void md5_text(const void *data, size_t len, char ret[static 33])
{
	uint8_t sum[16];

	assert_int_equal(EVP_Digest(data, len, sum, NULL, EVP_md5(), NULL), 1);
	for (unsigned i = 0; i < sizeof(sum); i++)
		(void) snprintf(ret + 2 * i, 3, "%02x", sum[i]);
}

static void test_records_with_everything(void **state)
{
	for (unsigned i = 0; i < ELEMENTSOF(record_vectors); i++) {
		const struct record_vector *v = &record_vectors[i];
		const struct entity_type *type = entity_type_find(v->type);
		struct property_set all = property_set_of(type);
		uint8_t record[VALUES_MAX];
		struct writer wr = writer_over(record, sizeof(record));
		char md5[33];

		write_bytes(&wr, id_bytes, sizeof(id_bytes));
		write_bcc(&wr, v->type);
		write_u64le(&wr, 1);
		write_u64le(&wr, 2);
		write_u16le(&wr, 0); /* both deltas */
		write_property_flags(&wr, &all);
		write_samples(&wr, type);
		md5_text(record, wr.len, md5);
		assert_string_equal(md5, v->md5);
		assert_int_equal(wr.len, v->len);
		assert_int_equal(__builtin_popcountll(all.bits[0]) +
					 __builtin_popcountll(all.bits[1]),
				 v->properties);
	}
}

/* Wire → JSON → wire, each property of each type. */
static void test_json_and_back(void **state)
{
	for (unsigned number = 1; number < ENTITY_TYPE_COUNT; number++) {
		const struct entity_type *type = entity_type_find(number);
		struct property_set all = property_set_of(type);
		uint8_t values[VALUES_MAX], back_values[VALUES_MAX];
		struct writer wr = writer_over(values, sizeof(values));
		struct writer back_wr = writer_over(back_values, sizeof(back_values));
		struct properties properties, back;
		json_t *object = json_object();
		struct reader rd;

		write_samples(&wr, type);
		rd = reader_over(values, wr.len);
		assert_int_equal(properties_read(&rd, type, &all, &properties), 0);
		assert_int_equal(properties_to_json(&properties, object), 0);
		assert_int_equal(properties_from_json(&back_wr, object, type, &back), 0);
		assert_true(properties_equal(&properties, &back));
		json_decref(object);
	}
}

/* What is nothing but default is stored as nothing, and a default can be made into JSON. */
static void test_defaults(void **state)
{
	for (unsigned number = 1; number < ENTITY_TYPE_COUNT; number++) {
		const struct entity_type *type = entity_type_find(number);
		const struct properties nothing = {.type = type};
		struct property_set all = property_set_of(type);
		const struct entity_property *property;
		uint8_t values[VALUES_MAX], scratch[VALUES_MAX];
		struct writer wr = writer_over(values, sizeof(values));
		struct writer merged_wr = writer_over(scratch, sizeof(scratch));
		struct properties properties, merged;
		struct reader rd;

		entity_property_for_each(property, type) write_property_default(&wr, property);
		rd = reader_over(values, wr.len);
		assert_int_equal(properties_read(&rd, type, &all, &properties), 0);
		assert_int_equal(reader_finish(&rd), 0);
		properties_merge(&merged_wr, type, &nothing, &properties, &merged);
		assert_true(property_set_is_empty(&merged.set));
	}
}

static void test_values_cut_off(void **state)
{
	const struct entity_type *type = entity_type_find(ENTITY_TYPE_POLYLINE);
	struct property_set all = property_set_of(type);
	uint8_t values[VALUES_MAX];
	struct writer wr = writer_over(values, sizeof(values));
	struct properties properties;
	struct reader rd;

	write_samples(&wr, type);
	for (size_t len = 0; len < wr.len; len++) {
		rd = reader_over(values, len);
		assert_int_equal(properties_read(&rd, type, &all, &properties), -EBADMSG);
	}
	/* A property of another type. */
	property_set_add(&all, PROPERTY_FILTER_URL_OF_ZONE);
	rd = reader_over(values, wr.len);
	assert_int_equal(properties_read(&rd, type, &all, &properties), -EBADMSG);
}

static void test_insane_values_are_left_out(void **state)
{
	const struct entity_type *type = entity_type_find(ENTITY_TYPE_BOX);
	json_t *object =
		json_pack("{s:{s:f, s:f, s:f}, s:f, s:s, s:s, s:i, s:f}", "dimensions", "x", -1.0,
			  "y", 2.0, "z", 3.0, "restitution", 7.0, "shape", "cIRCLE", "renderLayer",
			  "cellar", "lifetime", 5, "density", 1e300);
	uint8_t values[VALUES_MAX], sane_values[VALUES_MAX];
	struct writer wr = writer_over(values, sizeof(values));
	struct writer sane_wr = writer_over(sane_values, sizeof(sane_values));
	struct properties given, sane;
	struct span shape;

	assert_non_null(object);
	assert_int_equal(properties_from_json(&wr, object, type, &given), 0);
	properties_sanitise(&sane_wr, &given, &sane);
	assert_float_equal(properties_get_vec3(&sane, PROPERTY_DIMENSIONS).x, 0.001, 1e-9);
	assert_float_equal(properties_get_vec3(&sane, PROPERTY_DIMENSIONS).z, 3, 0);
	assert_float_equal(properties_get_number(&sane, PROPERTY_RESTITUTION), 0.99, 1e-6);
	assert_float_equal(properties_get_number(&sane, PROPERTY_LIFETIME), 5, 0);
	shape = properties_get_bytes(&sane, PROPERTY_SHAPE_OF_BOX);
	assert_int_equal(shape.len, 6);
	assert_memory_equal(shape.data, "Circle", 6);
	assert_false(property_set_has(&sane.set, PROPERTY_RENDER_LAYER));
	assert_false(property_set_has(&sane.set, PROPERTY_DENSITY));
	json_decref(object);
}

static void test_flags(void **state)
{
	static const struct {
		uint8_t numbers[8];
		unsigned n;
		uint8_t bytes[10];
		unsigned len;
	} vectors[] = {
		{{0}, 1, {0x40}, 1},
		{{2}, 1, {0x10}, 1},
		{{6}, 1, {0x01}, 1},
		{{7}, 1, {0x80, 0x40}, 2},
		{{2, 12}, 2, {0x88, 0x02}, 2},
		{{12, 13, 14}, 3, {0xc0, 0x01, 0xc0}, 3},
		{{64}, 1, {0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 0x20}, 10},
		{{2, 12, 14, 42, 43, 45}, 6, {0xfc, 0x40, 0x14, 0, 0, 0, 0x68}, 7},
		{{0}, 0, {0x00}, 1},
	};

	for (unsigned i = 0; i < ELEMENTSOF(vectors); i++) {
		struct property_set set = {{0}}, back;
		uint8_t bytes[20];
		struct writer wr = writer_over(bytes, sizeof(bytes));
		struct reader rd;

		for (unsigned k = 0; k < vectors[i].n; k++)
			property_set_add(&set, vectors[i].numbers[k]);
		write_property_flags(&wr, &set);
		assert_int_equal(wr.len, vectors[i].len);
		assert_int_equal(wr.len, property_flags_size(&set));
		assert_memory_equal(bytes, vectors[i].bytes, wr.len);
		rd = reader_over(bytes, wr.len);
		back = read_property_flags(&rd);
		assert_int_equal(reader_finish(&rd), 0);
		assert_memory_equal(&back, &set, sizeof(set));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_records_with_everything),
		cmocka_unit_test(test_json_and_back),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_values_cut_off),
		cmocka_unit_test(test_insane_values_are_left_out),
		cmocka_unit_test(test_flags),
	};

	return cmocka_run_group_tests_name("property", tests, NULL, NULL);
}
