/* What becomes of chat messages: each to everybody, once, unchanged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "load/chat-log.h"

#define CLIENTS 20

struct fixture {
	struct chat_log log;
	struct uuid sender;
	const struct chat_message *message;
};

static void open_log(struct fixture *f)
{
	*f = (struct fixture){.sender = uuid_random()};
	assert_int_equal(chat_log_init(&f->log, CLIENTS), 0);
}

static void compose(struct fixture *f, size_t len, uint64_t now_usec)
{
	assert_int_equal(chat_log_compose(&f->log, 3, &f->sender, len, now_usec, &f->message), 0);
}

static enum chat_arrival arrives(struct fixture *f, unsigned client, const void *text, size_t len)
{
	const struct chat_message *m = NULL;
	enum chat_arrival arrival =
		chat_log_receive(&f->log, client, span_of(text, len), &f->sender, &m);

	if (arrival == CHAT_FIRST)
		assert_ptr_equal(m, f->message);
	return arrival;
}

static void test_once_each(void **state)
{
	struct fixture f;

	open_log(&f);
	compose(&f, 200, 1000);
	assert_in_range(f.message->len, 195, 210);
	for (unsigned client = 0; client < CLIENTS; client++) {
		assert_false(chat_message_has(f.message, client));
		assert_int_equal(arrives(&f, client, f.message->text, f.message->len), CHAT_FIRST);
		assert_true(chat_message_has(f.message, client));
		assert_int_equal(arrives(&f, client, f.message->text, f.message->len),
				 CHAT_REPEATED);
	}
	chat_log_done(&f.log);
}

static void test_altered(void **state)
{
	struct fixture f;
	uint8_t copy[6000];

	open_log(&f);
	compose(&f, 5000, 1000);
	assert_true(f.message->len <= sizeof(copy));
	memcpy(copy, f.message->text, f.message->len);
	copy[f.message->len / 2] ^= 1;
	assert_int_equal(arrives(&f, 1, copy, f.message->len), CHAT_ALTERED);
	assert_int_equal(arrives(&f, 1, f.message->text, f.message->len - 1), CHAT_ALTERED);
	assert_int_equal(arrives(&f, 1, "hello", 5), CHAT_ALTERED);
	assert_int_equal(arrives(&f, 1, NULL, 0), CHAT_ALTERED);
	assert_false(chat_message_has(f.message, 1));
	chat_log_done(&f.log);
}

static void test_forged(void **state)
{
	struct uuid other = uuid_random();
	const struct chat_message *m;
	struct fixture f;

	open_log(&f);
	compose(&f, 200, 1000);
	assert_int_equal(
		chat_log_receive(&f.log, 1, span_of(f.message->text, f.message->len), &other, &m),
		CHAT_FORGED);
	assert_false(chat_message_has(f.message, 1));
	chat_log_done(&f.log);
}

static void test_oldest_first(void **state)
{
	_cleanup_free_ uint8_t *text = NULL;
	const struct chat_message *first;
	struct fixture f;
	size_t len;

	open_log(&f);
	assert_null(chat_log_oldest(&f.log, UINT64_MAX));
	compose(&f, 200, 1000);
	first = f.message;
	compose(&f, 200, 2000);
	assert_null(chat_log_oldest(&f.log, 999));
	assert_ptr_equal(chat_log_oldest(&f.log, 1000), first);
	assert_ptr_equal(chat_log_oldest(&f.log, 5000), first);

	len = first->len;
	text = malloc(len);
	assert_non_null(text);
	memcpy(text, first->text, len);
	chat_log_drop(&f.log, first);
	assert_ptr_equal(chat_log_oldest(&f.log, 5000), f.message);
	assert_int_equal(arrives(&f, 1, text, len), CHAT_LATE);
	chat_log_done(&f.log);
}

static void test_text_is_utf8(void **state)
{
	struct fixture f;

	open_log(&f);
	for (size_t len = 100; len < 300; len++) {
		compose(&f, len, 1);
		assert_true(utf8_is_valid(f.message->text, f.message->len));
	}
	chat_log_done(&f.log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_once_each),    cmocka_unit_test(test_altered),
		cmocka_unit_test(test_forged),       cmocka_unit_test(test_oldest_first),
		cmocka_unit_test(test_text_is_utf8),
	};

	return cmocka_run_group_tests_name("chat-log", tests, NULL, NULL);
}
