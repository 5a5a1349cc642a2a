/* Server-sent events: what changed, to whom, and who is too slow for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "../node/loop.h"
#include "domain-server/http-server.h"
#include "domain-server/listen-socket.h"
#include "domain-server/merge-patch.h"

#define REQUEST   "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
#define LARGE_LEN (16 * 1024 * 1024) /* more than the kernel takes for one who does not read */

struct state {
	sd_event *event;
	struct events *events;
	struct http_server *http;
	struct sockaddr_storage addr;
	socklen_t addr_len;
	unsigned n_documents;
	size_t filler_len; /* of the next document */
};

static struct state t;

/* --- the difference --- */

static json_t *parsed(const char *text)
{
	json_t *json = json_loads(text, 0, NULL);

	assert_non_null(json);
	return json;
}

static void assert_patch(const char *before, const char *after, const char *patch)
{
	json_t *a = parsed(before), *b = parsed(after), *expected = parsed(patch);
	json_t *actual = merge_patch_between(a, b);

	assert_true(json_equal(actual, expected));
	json_decref(a);
	json_decref(b);
	json_decref(expected);
	json_decref(actual);
}

/* RFC 7396: members are set, nested, or removed by null; arrays are whole. */
static void test_merge_patch(void **state)
{
	assert_patch("{\"a\":1,\"b\":[1,2]}", "{\"a\":1,\"b\":[1,2]}", "{}");
	assert_patch("{\"a\":1,\"b\":2}", "{\"a\":3,\"b\":2}", "{\"a\":3}");
	assert_patch("{\"a\":1}", "{}", "{\"a\":null}");
	assert_patch("{}", "{\"a\":{\"b\":1}}", "{\"a\":{\"b\":1}}");
	assert_patch("{\"a\":{\"b\":1,\"c\":2,\"d\":{\"e\":1}}}",
		     "{\"a\":{\"b\":1,\"c\":3,\"d\":{\"f\":1}}}",
		     "{\"a\":{\"c\":3,\"d\":{\"e\":null,\"f\":1}}}");
	assert_patch("{\"a\":[1,2]}", "{\"a\":[2]}", "{\"a\":[2]}");
	assert_patch("{\"a\":{\"b\":1}}", "{\"a\":1}", "{\"a\":1}");
}

/* --- over HTTP --- */

static json_t *document(void *userdata)
{
	_cleanup_free_ char *filler = calloc(1, t.filler_len + 1);

	assert_non_null(filler);
	memset(filler, 'x', t.filler_len);
	return json_pack("{s:i, s:s, s:s}", "n", (int) t.n_documents++, "same", "always", "filler",
			 filler);
}

static void handle(void *userdata, const struct http_request *request, struct http_reply *reply)
{
	reply->events = t.events;
}

static int open_server(void **state)
{
	int fd = listen_socket_tcp("127.0.0.1", 0);

	t = (struct state){.addr_len = sizeof(t.addr)};
	assert_true(fd >= 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *) &t.addr, &t.addr_len), 0);
	assert_int_equal(sd_event_new(&t.event), 0);
	assert_int_equal(events_new(t.event, document, NULL, &t.events), 0);
	assert_int_equal(http_server_new(t.event, fd, false, handle, NULL, &t.http), 0);
	return 0;
}

static int close_server(void **state)
{
	events_free(t.events);
	http_server_free(t.http);
	sd_event_unref(t.event);
	return 0;
}

static int dial(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *) &t.addr, t.addr_len), 0);
	assert_int_equal(send(fd, REQUEST, strlen(REQUEST), 0), strlen(REQUEST));
	return fd;
}

/* Reads until text was there, skipping what is before its last 64 kB. */
static void expect(int fd, const char *text)
{
	static char heard[128 * 1024];
	uint64_t deadline = clock_now_usec() + 20 * USEC_PER_SEC;
	size_t len = 0;

	while (clock_now_usec() < deadline) {
		ssize_t n;

		(void) sd_event_run(t.event, 5 * USEC_PER_MSEC);
		n = recv(fd, heard + len, sizeof(heard) / 2, MSG_DONTWAIT);
		if (n <= 0)
			continue;
		len += (size_t) n;
		if (memmem(heard, len, text, strlen(text)))
			return;
		if (len > sizeof(heard) / 2) {
			memmove(heard, heard + len - 1024, 1024);
			len = 1024;
		}
	}
	fail_msg("not heard: %s", text);
}

static void test_a_snapshot_then_patches(void **state)
{
	_cleanup_close_ int fd = dial();

	expect(fd, "event: snapshot\ndata: {\"n\":0,\"same\":\"always\",\"filler\":\"\"}\n\n");
	expect(fd, "event: patch\ndata: {\"n\":1}\n\n");
	expect(fd, "event: patch\ndata: {\"n\":2}\n\n");
}

static void test_nothing_is_computed_for_nobody(void **state)
{
	int fd;

	run_for(t.event, 1200 * USEC_PER_MSEC);
	assert_int_equal(t.n_documents, 0);
	fd = dial();
	expect(fd, "{\"n\":1}");
	(void) close(fd);
	run_for(t.event, 3200 * USEC_PER_MSEC);
	assert_in_range(t.n_documents, 2, 4);
}

/* Who does not read gets no queue, and the newest state when reading again; others go on. */
static void test_a_slow_watcher(void **state)
{
	_cleanup_close_ int slow, quick;
	unsigned n;

	t.filler_len = LARGE_LEN;
	slow = dial();
	run_for(t.event, 100 * USEC_PER_MSEC);
	t.filler_len = 0;
	run_for(t.event, 1000 * USEC_PER_MSEC);
	quick = dial();
	expect(quick, "event: snapshot");
	expect(quick, "event: patch");
	n = t.n_documents;
	expect(slow, "event: snapshot");
	expect(slow, "xxxx\"}\n\n");
	expect(slow, "event: snapshot");
	expect(slow, "event: patch");
	assert_true(t.n_documents > n);
}

static void test_the_end_comes_to_all(void **state)
{
	_cleanup_close_ int fd = dial();
	char rest[4096];
	ssize_t n = -1;

	expect(fd, "event: patch");
	t.events = events_free(t.events);
	for (int i = 0; n != 0 && i < 100; i++) {
		(void) sd_event_run(t.event, 5 * USEC_PER_MSEC);
		n = recv(fd, rest, sizeof(rest), MSG_DONTWAIT);
		if (n >= 5 && memcmp(rest + n - 5, "0\r\n\r\n", 5) == 0)
			return;
	}
	fail();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_merge_patch),
		cmocka_unit_test_setup_teardown(test_a_snapshot_then_patches, open_server,
						close_server),
		cmocka_unit_test_setup_teardown(test_nothing_is_computed_for_nobody, open_server,
						close_server),
		cmocka_unit_test_setup_teardown(test_a_slow_watcher, open_server, close_server),
		cmocka_unit_test_setup_teardown(test_the_end_comes_to_all, open_server,
						close_server),
	};

	return cmocka_run_group_tests_name("events", tests, NULL, NULL);
}
