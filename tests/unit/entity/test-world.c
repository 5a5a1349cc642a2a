/* From a file to the packets of a viewer: protocol 06a section 4, 06c sections 3, 7 and 9.1. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>

#include <zlib.h>

#include "entity/viewer.h"
#include "entity/world-file.h"

#define NOW_USEC 1800000000000000

#define CUBE                                                                                      \
	"{\"color\":{\"red\":255,\"green\":128,\"blue\":0},\"created\":\"2023-11-14T22:13:20Z\"," \
	"\"dimensions\":{\"x\":0.5,\"y\":0.5,\"z\":0.5},"                                         \
	"\"id\":\"{0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0}\",\"lastEdited\":1700000001000000,"      \
	"\"name\":\"cube\",\"position\":{\"x\":1,\"y\":2,\"z\":3},\"shape\":\"Cube\","            \
	"\"type\":\"Box\"}"
#define FILE_OF(entities) "{\"DataVersion\":1,\"Entities\":[" entities "],\"Version\":133}"

static struct world *load(const char *text)
{
	struct world_file_report report;
	struct world *world;

	assert_int_equal(world_new(&world), 0);
	assert_int_equal(world_file_parse(span_of(text, strlen(text)), world, NOW_USEC, &report),
			 0);
	return world;
}

static struct entity *only(struct world *world)
{
	assert_int_equal(world_size(world), 1);
	return world_at(world, 0);
}

/* --- files --- */

/* The minimal file of 06c section 9.1. */
static void test_minimal_file(void **state)
{
	struct world *world = load(FILE_OF(CUBE));
	struct entity *cube = only(world);

	assert_string_equal(cube->properties.type->name, "Box");
	assert_int_equal(cube->times.created_usec, 1700000000000000);
	assert_int_equal(cube->times.edited_usec, 1700000001000000);
	assert_float_equal(properties_get_vec3(&cube->properties, PROPERTY_POSITION).z, 3, 0);
	/* The shape is the default of a box. */
	assert_false(property_set_has(&cube->properties.set, PROPERTY_SHAPE_OF_BOX));
	world_free(world);
}

static void test_packed_file(void **state)
{
	uint8_t packed[1024];
	z_stream stream = {
		.next_in = (uint8_t *) FILE_OF(CUBE),
		.avail_in = strlen(FILE_OF(CUBE)),
		.next_out = packed,
		.avail_out = sizeof(packed),
	};
	struct world_file_report report;
	struct world *world;
	size_t len;

	assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY),
			 Z_OK);
	assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
	len = sizeof(packed) - stream.avail_out;
	(void) deflateEnd(&stream);

	assert_int_equal(world_new(&world), 0);
	/* Cut off. */
	assert_int_equal(world_file_parse(span_of(packed, len - 9), world, NOW_USEC, &report),
			 -EBADMSG);
	assert_int_equal(world_size(world), 0);
	assert_int_equal(world_file_parse(span_of(packed, len), world, NOW_USEC, &report), 0);
	assert_int_equal(report.n_loaded, 1);
	assert_int_equal(report.version, 133);
	world_free(world);
}

static void test_what_is_left_out_is_counted(void **state)
{
	static const char text[] = FILE_OF(CUBE "," CUBE ",{\"type\":\"Hologram\"},7,"
						"{\"type\":\"Box\",\"entityHostType\":\"avatar\"}");
	struct world_file_report report;
	struct world *world;

	assert_int_equal(world_new(&world), 0);
	assert_int_equal(world_file_parse(span_of(text, strlen(text)), world, NOW_USEC, &report),
			 0);
	assert_int_equal(report.n_loaded, 1);
	assert_int_equal(report.n_refused, 1);
	assert_int_equal(report.n_unknown, 2);
	assert_int_equal(report.n_elsewhere, 1);
	assert_int_equal(world_file_parse(span_of("{\n\"a\":}", 7), world, NOW_USEC, &report),
			 -EBADMSG);
	assert_non_null(strstr(report.error, "line 2"));
	world_free(world);
}

static void test_shape_decides_the_type(void **state)
{
	struct world *world = load(FILE_OF("{\"type\":\"Box\",\"shape\":\"sphere\"}"));

	assert_string_equal(only(world)->properties.type->name, "Sphere");
	world_free(world);
	world = load(FILE_OF("{\"type\":\"Sphere\",\"shape\":\"Torus\"}"));
	assert_string_equal(only(world)->properties.type->name, "Shape");
	world_free(world);
}

/* --- bounds --- */

#define PARENT_ID "\"{00000000-0000-0000-0000-000000000001}\""
#define PARENT                                                                            \
	"{\"type\":\"Box\",\"id\":" PARENT_ID ",\"position\":{\"x\":10,\"y\":0,\"z\":0}," \
	"\"rotation\":{\"x\":0,\"y\":0.70710678,\"z\":0,\"w\":0.70710678}}"
#define CHILD                                                                  \
	"{\"type\":\"Box\",\"id\":\"{00000000-0000-0000-0000-000000000002}\"," \
	"\"parentID\":" PARENT_ID ",\"position\":{\"x\":1,\"y\":0,\"z\":0}}"

/* Whichever comes first: the child is where its parent, turned by 90°, takes it. */
static void test_child_follows_parent(void **state)
{
	static const char *const texts[] = {FILE_OF(PARENT "," CHILD), FILE_OF(CHILD "," PARENT)};

	for (unsigned i = 0; i < ELEMENTSOF(texts); i++) {
		struct world *world = load(texts[i]);
		struct uuid id = {{[15] = 2}};
		const struct entity *child = world_find(world, &id);

		assert_non_null(child);
		assert_true(child->has_bounds);
		assert_float_equal(child->bounds.scale, 0.1732, 1e-4);
		assert_float_equal(child->bounds.corner.x + child->bounds.scale / 2, 10, 1e-3);
		assert_float_equal(child->bounds.corner.z + child->bounds.scale / 2, -1, 1e-3);
		world_free(world);
	}
}

static void test_orphans_and_circles_have_no_bounds(void **state)
{
	struct world *world = load(FILE_OF(CHILD));

	assert_false(only(world)->has_bounds);
	world_free(world);
	world = load(FILE_OF("{\"type\":\"Box\",\"id\":" PARENT_ID ",\"parentID\":" PARENT_ID "}"));
	assert_false(only(world)->has_bounds);
	world_free(world);
}

/* --- packets --- */

/* The vector of 06a section 4.3, as this server completes it. */
static void test_record_of_the_cube(void **state)
{
	static const char head[] = "\x00\x00\xff\x00\x01\x00\x0f\x1e\x2d\x3c\x4b\x5a\x69\x78\x87"
				   "\x96\xa5\xb4\xc3\xd2\xe1\xf0\x40\x00\x40\x1e\x18\x24\x0a\x06"
				   "\x00\x40\x82\x2d\x18\x24\x0a\x06\x00\x00\x00";
	static const uint8_t numbers[] = {3, 5, 6, 12, 13, 14, 84, 92};
	static struct entity_data_reader reader;
	struct world *world = load(FILE_OF(CUBE));
	uint8_t payload[ENTITY_DATA_MAX];
	struct property_set set = {{0}};
	struct entity_record record;
	struct entity_data data;
	ssize_t len;

	for (unsigned i = 0; i < ELEMENTSOF(numbers); i++)
		property_set_add(&set, numbers[i]);
	entity_data_begin(&data);
	assert_true(entity_data_add(&data, only(world), false, &set));
	len = entity_data_finish(&data, 7, 1700000002000000, payload);
	assert_in_range(len, 11, 130);
	assert_memory_equal(payload, "\xc0\x07\x00\x80\xc4\x3c\x18\x24\x0a\x06\x00", 11);

	assert_int_equal(entity_data_open(&reader, span_of(payload, (size_t) len)), 0);
	assert_int_equal(reader.rd.len, 105);
	assert_memory_equal(reader.bytes, head, sizeof(head) - 1);
	assert_memory_equal(reader.bytes + 41,
			    "\xff\xf8\x58\x38\x00\x00\x00\x00\x00\x00\x00\x00\x20\x20"
			    "\x00\x00\x01\x04\x00"
			    "cube",
			    23);
	assert_memory_equal(reader.bytes + 96,
			    "\xff\x80\x00\x04\x00"
			    "Cube",
			    9);
	assert_int_equal(entity_data_next(&reader, &record), 1);
	assert_int_equal(entity_data_next(&reader, &record), 0);
	world_free(world);
}

/* What a viewer has put together. */
struct seen {
	struct uuid id;
	struct property_set set;
	unsigned n_records;
};

static struct seen *seen_of(struct seen *seen, unsigned n, const struct uuid *id)
{
	for (unsigned i = 0; i < n; i++)
		if (uuid_is_null(&seen[i].id) || uuid_equal(&seen[i].id, id)) {
			seen[i].id = *id;
			return &seen[i];
		}
	fail();
	return NULL;
}

static unsigned take_all(struct viewer *viewer, const struct world *world, struct seen *seen,
			 unsigned n_seen)
{
	static struct entity_data_reader reader;
	uint8_t payload[ENTITY_DATA_MAX];
	struct entity_record record;
	unsigned n_packets = 0;
	ssize_t len;
	int r;

	while ((len = viewer_next(viewer, world, true, NOW_USEC, payload)) > 0) {
		assert_int_equal(entity_data_open(&reader, span_of(payload, (size_t) len)), 0);
		assert_int_equal(reader.sequence, (uint16_t) (viewer_sequence(viewer) - 1));
		while ((r = entity_data_next(&reader, &record)) > 0) {
			struct seen *s = seen_of(seen, n_seen, &record.id);

			s->set.bits[0] |= record.properties.set.bits[0];
			s->set.bits[1] |= record.properties.set.bits[1];
			s->n_records++;
		}
		assert_int_equal(r, 0);
		n_packets++;
	}
	assert_int_equal(len, 0);
	assert_false(viewer_is_waiting(viewer));
	return n_packets;
}

static const struct entity_query everything = {.connection_id = 1};

/* Long texts need several packets; what is longer than a packet never goes. */
static void test_entity_larger_than_a_packet(void **state)
{
	char text[8192], description[1301], user_data[1301], href[1601];
	struct property_set all;
	struct seen seen[1] = {{.n_records = 0}};
	struct viewer *viewer = viewer_new();
	struct world *world;

	memset(description, 'd', 1300);
	memset(user_data, 'u', 1300);
	memset(href, 'h', 1600);
	description[1300] = user_data[1300] = href[1600] = 0;
	(void) snprintf(text, sizeof(text),
			FILE_OF("{\"type\":\"Zone\",\"description\":\"%s\",\"userData\":\"%s\","
				"\"href\":\"%s\"}"),
			description, user_data, href);
	world = load(text);
	assert_non_null(viewer);
	assert_int_equal(viewer_ask(viewer, world, &everything), 0);
	assert_int_equal(take_all(viewer, world, seen, 1), 3);
	assert_int_equal(seen[0].n_records, 3);
	all = property_set_of(only(world)->properties.type);
	property_set_remove(&all, PROPERTY_HREF);
	assert_memory_equal(&seen[0].set, &all, sizeof(all));
	viewer_free(viewer);
	world_free(world);
}

static struct world *row_of_boxes(unsigned n)
{
	const struct entity_times times = {.created_usec = 1, .edited_usec = 1};
	struct world *world;

	assert_int_equal(world_new(&world), 0);
	for (unsigned i = 0; i < n; i++) {
		struct properties properties = {.type = entity_type_find(ENTITY_TYPE_BOX)};
		struct uuid id = {{1, [14] = (uint8_t) (i >> 8), [15] = (uint8_t) i}};
		uint8_t values[12];
		struct writer wr = writer_over(values, sizeof(values));
		struct entity *entity;

		write_vec3(&wr, &(struct vec3){(float) i, 0, -5});
		property_set_add(&properties.set, PROPERTY_POSITION);
		properties.values = span_of(values, wr.len);
		assert_int_equal(world_add(world, &id, &properties, &times, &entity), 0);
	}
	return world;
}

static void test_everything_once(void **state)
{
	static struct seen seen[1000];
	struct world *world = row_of_boxes(1000);
	struct viewer *viewer = viewer_new();

	assert_int_equal(viewer_ask(viewer, world, &everything), 0);
	assert_in_range(take_all(viewer, world, seen, 1000), 100, 1000);
	for (unsigned i = 0; i < 1000; i++) {
		struct property_set all = property_set_of(entity_type_find(ENTITY_TYPE_BOX));

		assert_memory_equal(&seen[i].set, &all, sizeof(all));
	}
	/* The same query again, and another connection. */
	assert_int_equal(viewer_ask(viewer, world, &everything), 0);
	assert_int_equal(take_all(viewer, world, seen, 1000), 0);
	assert_int_equal(viewer_ask(viewer, world, &(struct entity_query){.connection_id = 2}), 0);
	assert_in_range(take_all(viewer, world, seen, 1000), 100, 1000);
	viewer_free(viewer);
	world_free(world);
}

/* The nearest goes first, what is too small or behind stays away until it comes into view. */
static void test_view(void **state)
{
	static struct seen seen[1000];
	struct entity_query query = {
		.connection_id = 1,
		.n_views = 1,
		.views[0] = {.direction = {0, 0, -1}, .half_angle = 0.7f, .far_clip = 16384},
	};
	struct world *world = row_of_boxes(1000);
	struct viewer *viewer = viewer_new();
	unsigned n_seen = 0;

	assert_int_equal(viewer_ask(viewer, world, &query), 0);
	(void) take_all(viewer, world, seen, 1000);
	while (!uuid_is_null(&seen[n_seen].id))
		n_seen++;
	/* Boxes from x = 0 to 4 stand within 40° of straight ahead. */
	assert_in_range(n_seen, 4, 6);
	assert_int_equal(seen[0].id.b[15], 0);

	query.views[0].position.x = 100;
	assert_int_equal(viewer_ask(viewer, world, &query), 0);
	(void) take_all(viewer, world, seen, 1000);
	assert_int_equal(seen[n_seen].id.b[15], 100);

	query.views[0].direction = (struct vec3){0, 0, 1};
	query.views[0].position.x = 500;
	assert_int_equal(viewer_ask(viewer, world, &query), 0);
	assert_int_equal(take_all(viewer, world, seen, 1000), 0);
	viewer_free(viewer);
	world_free(world);
}

static void test_private_data_is_hidden(void **state)
{
	static struct entity_data_reader reader;
	struct world *world = load(FILE_OF("{\"type\":\"Box\",\"privateUserData\":\"secret\"}"));
	struct property_set set;
	uint8_t payload[ENTITY_DATA_MAX];
	struct entity_record record;
	struct entity_data data;
	ssize_t len;

	for (unsigned hidden = 0; hidden < 2; hidden++) {
		set = (struct property_set){{1 << PROPERTY_PRIVATE_USER_DATA}};
		entity_data_begin(&data);
		assert_true(entity_data_add(&data, only(world), hidden, &set));
		len = entity_data_finish(&data, 0, 0, payload);
		assert_int_equal(entity_data_open(&reader, span_of(payload, (size_t) len)), 0);
		assert_int_equal(entity_data_next(&reader, &record), 1);
		assert_int_equal(
			properties_get_bytes(&record.properties, PROPERTY_PRIVATE_USER_DATA).len,
			hidden ? 0 : 6);
	}
	world_free(world);
}

/* A partial light that was captured, 06a section 4.4. */
static void test_captured_packet(void **state)
{
	static const uint8_t captured[] = {
		0xc0, 0x01, 0x00, 0x4e, 0xb8, 0xbf, 0x93, 0x06, 0xe6, 0x05, 0x00, 0x5b, 0x00,
		0x00, 0x00, 0x00, 0x6c, 0x78, 0xda, 0x63, 0x60, 0x38, 0xc9, 0xc0, 0xc8, 0x90,
		0x2d, 0x1e, 0xd2, 0x9c, 0xb3, 0xd5, 0xb5, 0x7c, 0x09, 0xf3, 0xba, 0x9a, 0x69,
		0xed, 0x1d, 0xaa, 0x16, 0x9b, 0xd2, 0xd9, 0x12, 0xd9, 0x9e, 0xb1, 0x32, 0x74,
		0xf0, 0xf7, 0x4e, 0x04, 0xd1, 0x0c, 0x4d, 0x02, 0xff, 0x7f, 0x30, 0x40, 0x00,
		0xe3, 0xff, 0x07, 0x0a, 0x76, 0x0c, 0x70, 0xf0, 0x1f, 0x08, 0x18, 0x30, 0x80,
		0xde, 0xac, 0x79, 0x8c, 0x67, 0xcf, 0xcc, 0x71, 0x88, 0xe9, 0x6f, 0xb2, 0x67,
		0x60, 0x98, 0xeb, 0x74, 0xf6, 0x4c, 0x8f, 0x3d, 0x00, 0x97, 0xc7, 0x1e, 0x79,
	};
	static struct entity_data_reader reader;
	struct entity_record record;

	assert_int_equal(entity_data_open(&reader, span_of(captured, sizeof(captured))), 0);
	assert_int_equal(reader.sequence, 1);
	assert_int_equal(reader.sent_usec, 1660290806560846);
	assert_int_equal(entity_data_next(&reader, &record), 1);
	assert_string_equal(record.properties.type->name, "Light");
	assert_int_equal(record.times.created_usec, 1660289955555250);
	assert_int_equal(record.times.simulated_usec - record.times.edited_usec, 528);
	assert_float_equal(properties_get_number(&record.properties, 93), 4.9, 1e-6);
	assert_float_equal(properties_get_number(&record.properties, 96), 1.1, 1e-6);
	assert_int_equal(entity_data_next(&reader, &record), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_minimal_file),
		cmocka_unit_test(test_packed_file),
		cmocka_unit_test(test_what_is_left_out_is_counted),
		cmocka_unit_test(test_shape_decides_the_type),
		cmocka_unit_test(test_child_follows_parent),
		cmocka_unit_test(test_orphans_and_circles_have_no_bounds),
		cmocka_unit_test(test_record_of_the_cube),
		cmocka_unit_test(test_entity_larger_than_a_packet),
		cmocka_unit_test(test_everything_once),
		cmocka_unit_test(test_view),
		cmocka_unit_test(test_private_data_is_hidden),
		cmocka_unit_test(test_captured_packet),
	};

	return cmocka_run_group_tests_name("world", tests, NULL, NULL);
}
