/* Putting messages together (protocol 01 section 8), and what a hostile peer can make it hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <malloc.h>
#include <string.h>

#include "net/message-assembler.h"

#define T0        USEC_PER_SEC
#define UNLIMITED ((struct message_budget){.limit_bytes = SIZE_MAX})
#define ONE_BYTE  span_of("x", 1)
#define N_PARTS   50
#define PART_LEN  1432
#define WHOLE_LEN ((N_PARTS - 1) * PART_LEN + 17)

static struct packet part_of(uint32_t message, uint32_t part, enum message_position position,
			     struct span payload)
{
	return (struct packet){
		.udt = {.reliable = true,
			.in_message = true,
			.position = position,
			.message = message,
			.part = part},
		.type = PACKET_MESSAGES_DATA,
		.version = 18,
		.source = 7,
		.payload = payload,
		.info = packet_info_find(PACKET_MESSAGES_DATA),
	};
}

static int add(struct message_assembler *a, uint32_t message, uint32_t part,
	       enum message_position position, struct span payload)
{
	struct packet p = part_of(message, part, position, payload), first;
	struct span whole;

	return message_assembler_add(a, &p, T0, &whole, &first);
}

static struct message_assembler *assembler_new(struct message_budget *budget)
{
	struct message_assembler *a;

	assert_int_equal(message_assembler_new(budget, &a), 0);
	return a;
}

static uint8_t whole_byte(size_t i)
{
	return (uint8_t) (i * 7 + i / PART_LEN);
}

/* Part number of a message of N_PARTS, filled with what belongs there. */
static struct packet numbered_part(uint8_t *data, uint32_t message, uint32_t part)
{
	size_t len = part == N_PARTS - 1 ? WHOLE_LEN - (N_PARTS - 1) * PART_LEN : PART_LEN;

	for (size_t i = 0; i < len; i++)
		data[i] = whole_byte(part * PART_LEN + i) ^ (uint8_t) message;
	return part_of(message, part,
		       part == 0             ? MESSAGE_FIRST
		       : part == N_PARTS - 1 ? MESSAGE_LAST
					     : MESSAGE_MIDDLE,
		       span_of(data, len));
}

/* Adds the parts of two messages in this order, each twice. */
static void check_order(const uint32_t *order)
{
	struct message_budget budget = UNLIMITED;
	_cleanup_(message_assembler_freep) struct message_assembler *a = assembler_new(&budget);
	unsigned n_complete = 0;

	for (unsigned i = 0; i < 2 * N_PARTS; i++) {
		uint32_t message = 40 + i % 2, part = order[i / 2];
		uint8_t data[PART_LEN];
		struct packet p = numbered_part(data, message, part), first;
		struct span whole;
		int r;

		r = message_assembler_add(a, &p, T0, &whole, &first);
		memset(data, 0, sizeof(data));
		if (i / 2 < N_PARTS - 1) {
			assert_int_equal(r, 0);
			assert_int_equal(message_assembler_add(a, &p, T0, &whole, &first), 0);
			continue;
		}
		assert_int_equal(r, 1);
		assert_int_equal(first.type, PACKET_MESSAGES_DATA);
		assert_int_equal(first.version, 18);
		assert_int_equal(first.source, 7);
		assert_null(first.hash);
		assert_int_equal(first.payload.len, 0);
		assert_int_equal(whole.len, WHOLE_LEN);
		for (size_t k = 0; k < whole.len; k++)
			assert_int_equal(whole.data[k], whole_byte(k) ^ (uint8_t) message);
		n_complete++;
	}
	assert_int_equal(n_complete, 2);
	message_assembler_reset(a);
	assert_int_equal(message_assembler_held_bytes(a), 0);
	assert_int_equal(budget.used_bytes, 0);
}

static void test_parts_in_any_order(void **state)
{
	uint32_t order[N_PARTS], random = 1;

	for (uint32_t i = 0; i < N_PARTS; i++)
		order[i] = i;
	check_order(order);
	for (uint32_t i = 0; i < N_PARTS; i++)
		order[i] = N_PARTS - 1 - i;
	check_order(order);

	for (unsigned round = 0; round < 20; round++) {
		for (uint32_t i = N_PARTS - 1; i > 0; i--) {
			uint32_t k, swap = order[i];

			random = random * 1664525 + 1013904223;
			k = (random >> 8) % (i + 1);
			order[i] = order[k];
			order[k] = swap;
		}
		check_order(order);
	}
}

static void test_message_of_one_part_is_not_copied(void **state)
{
	struct message_budget budget = {.limit_bytes = 0};
	_cleanup_(message_assembler_freep) struct message_assembler *a = assembler_new(&budget);
	struct packet p = part_of(1, 0, MESSAGE_ONLY, span_of("abc", 3)), first;
	struct span whole;

	assert_int_equal(message_assembler_add(a, &p, T0, &whole, &first), 1);
	assert_ptr_equal(whole.data, p.payload.data);
	assert_int_equal(whole.len, 3);

	p.payload = (struct span){0};
	assert_int_equal(message_assembler_add(a, &p, T0, &whole, &first), 1);
	assert_int_equal(whole.len, 0);
}

static void test_parts_may_be_empty(void **state)
{
	struct message_budget budget = UNLIMITED;
	_cleanup_(message_assembler_freep) struct message_assembler *a = assembler_new(&budget);

	assert_int_equal(add(a, 1, 0, MESSAGE_FIRST, (struct span){0}), 0);
	assert_int_equal(add(a, 1, 2, MESSAGE_LAST, (struct span){0}), 0);
	assert_int_equal(add(a, 1, 1, MESSAGE_MIDDLE, (struct span){0}), 1);
}

static void test_contradictions(void **state)
{
	static const struct {
		uint32_t part1, part2;
		enum message_position position1, position2;
	} rows[] = {
		{0, 3, MESSAGE_FIRST, MESSAGE_FIRST},   /* a first part that is not number 0 */
		{1, 0, MESSAGE_MIDDLE, MESSAGE_MIDDLE}, /* a number 0 that is not first */
		{1, 0, MESSAGE_MIDDLE, MESSAGE_LAST},
		{1, 0, MESSAGE_MIDDLE, MESSAGE_ONLY}, /* an only part among others */
		{0, 1, MESSAGE_FIRST, MESSAGE_ONLY},
		{3, 2, MESSAGE_LAST, MESSAGE_LAST}, /* two ends */
		{3, 4, MESSAGE_LAST, MESSAGE_LAST},
		{3, 4, MESSAGE_LAST, MESSAGE_MIDDLE}, /* past the end */
		{4, 3, MESSAGE_MIDDLE, MESSAGE_LAST},
		{3, 3, MESSAGE_LAST, MESSAGE_MIDDLE}, /* the end is no end */
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		struct message_budget budget = UNLIMITED;
		_cleanup_(message_assembler_freep) struct message_assembler *a =
			assembler_new(&budget);

		assert_int_equal(add(a, 1, rows[i].part1, rows[i].position1, ONE_BYTE), 0);
		assert_int_equal(add(a, 1, rows[i].part2, rows[i].position2, ONE_BYTE), -EBADMSG);
	}
}

static void test_headers_must_agree(void **state)
{
	struct message_budget budget = UNLIMITED;

	for (unsigned i = 0; i < 3; i++) {
		_cleanup_(message_assembler_freep) struct message_assembler *a =
			assembler_new(&budget);
		struct packet p = part_of(1, 1, MESSAGE_LAST, ONE_BYTE), first;
		struct span whole;

		p.type += i == 0;
		p.version += i == 1;
		p.source += i == 2;
		assert_int_equal(add(a, 1, 0, MESSAGE_FIRST, ONE_BYTE), 0);
		assert_int_equal(message_assembler_add(a, &p, T0, &whole, &first), -EBADMSG);
	}
	assert_int_equal(budget.used_bytes, 0);
}

static void test_a_dropped_message_swallows_its_rest(void **state)
{
	struct message_budget budget = UNLIMITED;
	_cleanup_(message_assembler_freep) struct message_assembler *a = assembler_new(&budget);

	assert_int_equal(add(a, 1, 0, MESSAGE_FIRST, ONE_BYTE), 0);
	assert_int_equal(add(a, 1, 1, MESSAGE_FIRST, ONE_BYTE), -EBADMSG);
	assert_int_equal(add(a, 1, 2, MESSAGE_MIDDLE, ONE_BYTE), -ENOBUFS);
	assert_in_range(message_assembler_held_bytes(a), 1, 512);
	assert_int_equal(add(a, 1, 3, MESSAGE_LAST, ONE_BYTE), -ENOBUFS);
	assert_int_equal(message_assembler_held_bytes(a), 0);

	/* The others go on. */
	assert_int_equal(add(a, 2, 0, MESSAGE_FIRST, ONE_BYTE), 0);
	assert_int_equal(add(a, 2, 1, MESSAGE_LAST, ONE_BYTE), 1);
}

/* --- limits --- */

static void test_open_messages(void **state)
{
	struct message_budget budget = UNLIMITED;
	_cleanup_(message_assembler_freep) struct message_assembler *a = assembler_new(&budget);

	for (uint32_t i = 0; i < MESSAGE_OPEN_MAX; i++)
		assert_int_equal(add(a, i, 0, MESSAGE_FIRST, ONE_BYTE), 0);
	assert_int_equal(add(a, MESSAGE_OPEN_MAX, 0, MESSAGE_FIRST, ONE_BYTE), -ENOBUFS);
	assert_int_equal(add(a, MESSAGE_OPEN_MAX, 0, MESSAGE_ONLY, ONE_BYTE), 1);
	assert_int_equal(add(a, 5, 1, MESSAGE_LAST, ONE_BYTE), 1);
	assert_int_equal(add(a, MESSAGE_OPEN_MAX, 0, MESSAGE_FIRST, ONE_BYTE), 0);
}

static void test_longest_message(void **state)
{
	static const uint8_t data[PART_LEN] = {0};
	struct message_budget budget = UNLIMITED;
	_cleanup_(message_assembler_freep) struct message_assembler *a = assembler_new(&budget);
	const uint32_t n_whole = MESSAGE_MAX / PART_LEN;
	size_t rest = MESSAGE_MAX - n_whole * PART_LEN;

	for (uint32_t message = 0; message < 2; message++) {
		for (uint32_t i = 0; i < n_whole; i++)
			assert_int_equal(add(a, message, i, i == 0 ? MESSAGE_FIRST : MESSAGE_MIDDLE,
					     span_of(data, PART_LEN)),
					 0);
		assert_int_equal(
			add(a, message, n_whole, MESSAGE_LAST, span_of(data, rest + message)),
			message == 0 ? 1 : -ENOBUFS);
	}
	assert_int_equal(message_assembler_held_bytes(a), 0);
}

static void test_parts_too_far_ahead(void **state)
{
	struct message_budget budget = UNLIMITED;
	_cleanup_(message_assembler_freep) struct message_assembler *a = assembler_new(&budget);

	assert_int_equal(add(a, 1, 0, MESSAGE_FIRST, ONE_BYTE), 0);
	assert_int_equal(add(a, 1, 32768, MESSAGE_MIDDLE, ONE_BYTE), 0);
	assert_int_equal(add(a, 1, 32769, MESSAGE_MIDDLE, ONE_BYTE), -ENOBUFS);
	assert_int_equal(add(a, 2, UINT32_MAX, MESSAGE_LAST, ONE_BYTE), -ENOBUFS);
}

/* One-byte parts that never become a message, in the costliest order: what is held is what is
 * counted. */
static void test_bookkeeping_is_counted(void **state)
{
	struct message_budget budget = UNLIMITED;
	_cleanup_(message_assembler_freep) struct message_assembler *a = assembler_new(&budget);
	size_t before = mallinfo2().uordblks, held, counted, n = 0;
	int r = 0;

	for (uint32_t message = 0; message < MESSAGE_OPEN_MAX; message++)
		for (uint32_t part = 32767; part > 0 && r == 0; part--, n++)
			r = add(a, message, part, MESSAGE_MIDDLE, ONE_BYTE);
	assert_int_equal(r, -ENOBUFS);
	assert_true(n > 100000);

	held = mallinfo2().uordblks - before;
	counted = message_assembler_held_bytes(a);
	assert_true(counted <= MESSAGE_PEER_MAX);
	assert_int_equal(counted, budget.used_bytes);
	/* Sanitizers' allocators report nothing here. */
	assert_true(held == 0 || held <= counted + 64 * MESSAGE_OPEN_MAX);
	message_assembler_reset(a);
	assert_int_equal(budget.used_bytes, 0);
}

static void test_budget_is_shared(void **state)
{
	static const uint8_t data[PART_LEN] = {0};
	struct message_budget budget = {.limit_bytes = 100000};
	_cleanup_(message_assembler_freep) struct message_assembler *a = assembler_new(&budget);
	_cleanup_(message_assembler_freep) struct message_assembler *b = assembler_new(&budget);
	uint32_t i = 0;
	int r = 0;

	for (; r == 0; i++) {
		r = add(a, 1, i, i == 0 ? MESSAGE_FIRST : MESSAGE_MIDDLE, span_of(data, PART_LEN));
		assert_true(budget.used_bytes <= budget.limit_bytes);
		if (i == 40)
			assert_int_equal(add(b, 1, 1, MESSAGE_LAST, ONE_BYTE), 0);
	}
	assert_int_equal(r, -ENOBUFS);
	assert_in_range(i, 40, 70);
	assert_true(message_assembler_held_bytes(b) > 0);
	assert_int_equal(budget.used_bytes,
			 message_assembler_held_bytes(a) + message_assembler_held_bytes(b));
	b = message_assembler_free(b);
	assert_int_equal(budget.used_bytes, message_assembler_held_bytes(a));
}

static void test_expiry(void **state)
{
	struct message_budget budget = UNLIMITED;
	_cleanup_(message_assembler_freep) struct message_assembler *a = assembler_new(&budget);
	struct packet p = part_of(2, 0, MESSAGE_FIRST, ONE_BYTE), first;
	struct span whole;

	assert_int_equal(add(a, 1, 0, MESSAGE_FIRST, ONE_BYTE), 0);
	assert_int_equal(message_assembler_add(a, &p, T0 + 5, &whole, &first), 0);
	assert_int_equal(message_assembler_expire(a, T0 + MESSAGE_TIMEOUT_USEC - 1), 0);
	assert_int_equal(message_assembler_expire(a, T0 + MESSAGE_TIMEOUT_USEC), 1);
	assert_int_equal(add(a, 2, 1, MESSAGE_LAST, ONE_BYTE), 1);
	assert_int_equal(message_assembler_expire(a, T0), 0);
	assert_int_equal(message_assembler_held_bytes(a), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parts_in_any_order),
		cmocka_unit_test(test_message_of_one_part_is_not_copied),
		cmocka_unit_test(test_parts_may_be_empty),
		cmocka_unit_test(test_contradictions),
		cmocka_unit_test(test_headers_must_agree),
		cmocka_unit_test(test_a_dropped_message_swallows_its_rest),
		cmocka_unit_test(test_open_messages),
		cmocka_unit_test(test_longest_message),
		cmocka_unit_test(test_parts_too_far_ahead),
		cmocka_unit_test(test_bookkeeping_is_counted),
		cmocka_unit_test(test_budget_is_shared),
		cmocka_unit_test(test_expiry),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
