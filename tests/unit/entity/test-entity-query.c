/* EntityQuery: the packets captured from the SDK, protocol 06a section 6.2. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "entity/entity-query.h"

static const uint8_t captured[] = {
	0x41, 0x6c, 0x01, 0x5b, 0xb0, 0xa3, 0xc1, 0xc4, 0xf8, 0xb8, 0xc0, 0x8e, 0xde,
	0xdb, 0xc0, 0x74, 0x3c, 0x5e, 0x3f, 0x00, 0x00, 0x00, 0x00, 0x76, 0x24, 0xfe,
	0x3e, 0x81, 0x80, 0x00, 0xc0, 0x00, 0x00, 0x40, 0x40, 0x58, 0x02, 0x00, 0x00,
	0x00, 0x00, 0x48, 0x4b, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
};

static void test_captured_query(void **state)
{
	struct entity_query query;

	assert_int_equal(entity_query_decode(span_of(captured, sizeof(captured)), &query), 0);
	assert_int_equal(query.connection_id, 27713);
	assert_int_equal(query.n_views, 1);
	assert_float_equal(query.views[0].position.x, -20.461111, 1e-5);
	assert_float_equal(query.views[0].direction.z, 0.49637193, 1e-7);
	assert_float_equal(query.views[0].half_angle, 0.7115, 2e-4);
	assert_float_equal(query.views[0].far_clip, 16384, 0);
	assert_float_equal(query.views[0].centre_radius, 3, 0);
	assert_int_equal(query.max_packets_per_second, 600);
	assert_float_equal(query.size_scale, 13107200, 0);
	assert_int_equal(query.flags, 0);
	assert_int_equal(query.filter.len, 0);
}

static void test_encodes_what_it_decodes(void **state)
{
	struct entity_query query;
	uint8_t data[256];
	struct writer wr = writer_over(data, sizeof(data));

	assert_int_equal(entity_query_decode(span_of(captured, sizeof(captured)), &query), 0);
	entity_query_encode(&wr, &query);
	assert_int_equal(writer_finish(&wr), sizeof(captured));
	/* The angle loses its last bit on the way through radians. */
	assert_memory_equal(data, captured, 27);
	assert_in_range(data[27], 0x80, 0x82);
	assert_memory_equal(data + 28, captured + 28, sizeof(captured) - 28);
}

static void test_shorter_than_its_parts(void **state)
{
	struct entity_query query = {.connection_id = 5};

	for (size_t len = 0; len < sizeof(captured); len++)
		assert_int_equal(entity_query_decode(span_of(captured, len), &query), -EBADMSG);
	assert_int_equal(query.connection_id, 5);
}

static void test_too_many_views_and_nonsense_numbers(void **state)
{
	uint8_t data[sizeof(captured)];
	struct entity_query query;

	memcpy(data, captured, sizeof(data));
	data[2] = ENTITY_QUERY_VIEWS_MAX + 1;
	assert_int_equal(entity_query_decode(span_of(data, sizeof(data)), &query), -EBADMSG);
	memcpy(data, captured, sizeof(data));
	memcpy(data + 3, "\x00\x00\xc0\x7f", 4);
	assert_int_equal(entity_query_decode(span_of(data, sizeof(data)), &query), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_captured_query),
		cmocka_unit_test(test_encodes_what_it_decodes),
		cmocka_unit_test(test_shorter_than_its_parts),
		cmocka_unit_test(test_too_many_views_and_nonsense_numbers),
	};

	return cmocka_run_group_tests_name("entity-query", tests, NULL, NULL);
}
