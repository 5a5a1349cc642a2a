/* The space bubble: protocol 04 section 12.2. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "avatar/bubble.h"

/* At (x, 0, 0), with a box when dimension is not 0. */
static struct avatar_state avatar_at(float x, float dimension, float offset)
{
	struct avatar_state avatar = {0};
	uint8_t packet[64];
	struct writer wr = writer_over(packet, sizeof(packet));
	struct avatar_data data;

	write_u16le(&wr, 1);
	write_u16le(&wr, AVATAR_HAS_POSITION | (dimension > 0 ? AVATAR_HAS_BOUNDING_BOX : 0));
	write_vec3(&wr, &(struct vec3){x, 0, 0});
	if (dimension > 0) {
		write_vec3(&wr, &(struct vec3){dimension, dimension, dimension});
		write_vec3(&wr, &(struct vec3){offset, 0, 0});
	}
	assert_int_equal(avatar_data_decode(packet, wr.len, &data), 0);
	assert_int_equal(avatar_state_apply(&avatar, &data, 1), 0);
	return avatar;
}

static bool touches(const struct avatar_state *listener, const struct avatar_state *source)
{
	struct bubble l = bubble_of_listener(listener), s = bubble_of_source(source);

	return bubble_touches(&l, &s);
}

static void test_sizes(void **state)
{
	struct avatar_state small = avatar_at(0, .01f, 0), big = avatar_at(2, 1, .5f),
			    web = avatar_at(0, 0, 0);
	struct bubble b;

	b = bubble_of_listener(&small);
	assert_true(b.half_size.x == .15f && b.half_size.y == .65f && b.half_size.z == .15f);
	b = bubble_of_source(&small);
	assert_true(b.half_size.x == .15f);
	b = bubble_of_listener(&big);
	assert_true(b.half_size.x == 2 && b.half_size.y == 2 && b.centre.x == 2.5f);
	b = bubble_of_source(&big);
	assert_true(b.half_size.x == 1.2f);

	/* a client that never sent a box has the least bubble, and is a point in those of others */
	b = bubble_of_listener(&web);
	assert_true(b.half_size.y == .65f);
	b = bubble_of_source(&web);
	assert_true(b.half_size.x == 0 && b.half_size.y == 0);
}

static void test_touching(void **state)
{
	struct avatar_state listener = avatar_at(0, 1, 0), point = avatar_at(2, 0, 0),
			    near = avatar_at(3.19f, 1, 0), far = avatar_at(3.21f, 1, 0);

	assert_true(touches(&listener, &near));
	assert_false(touches(&listener, &far));
	assert_true(touches(&listener, &point));
	assert_true(touches(&point, &far));
	assert_false(touches(&far, &(struct avatar_state){0}));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_touching),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
