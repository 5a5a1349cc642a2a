/* What hifictl prints, and how it takes what a server says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "base/macros.h"
#include "ctl/admin-client.h"
#include "ctl/tables.h"

/* --- tables --- */

static char *printed(void (*print)(FILE *f, const json_t *json), const char *text)
{
	json_t *json = json_loads(text, 0, NULL);
	char *out = NULL;
	size_t len;
	FILE *f = open_memstream(&out, &len);

	assert_non_null(json);
	assert_non_null(f);
	print(f, json);
	(void) fclose(f);
	json_decref(json);
	return out;
}

static void test_first_line_says_whether_anyone_is_there(void **state)
{
	static const struct {
		const char *status, *line;
	} cases[] = {
		{"{\"people\": []}", "Nobody is here.\n"},
		{"{\"people\": [{\"name\": \"Ada\"}]}", "1 person is here.\n"},
		{"{\"people\": [{}, {}]}", "2 people are here.\n"},
		{"{}", "Nobody is here.\n"},
	};

	for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
		_cleanup_free_ char *out = printed(tables_print_status, cases[i].status);

		assert_memory_equal(out, cases[i].line, strlen(cases[i].line));
	}
}

static void test_status(void **state)
{
	_cleanup_free_ char *out = printed(
		tables_print_status,
		"{\"domain\": {\"id\": \"d\", \"name\": \"Our world\", \"version\": \"1\", "
		"\"seconds\": 90061},"
		" \"people\": [{\"name\": \"Ædda\", \"seconds\": 59, \"address\": \"192.0.2.1:5\","
		"   \"transport\": \"web\", \"place\": \"hut\", \"uuid\": \"u\"}],"
		" \"mixers\": [{\"type\": \"audio-mixer\", \"seconds\": 3725, \"address\": \"a\","
		"   \"version\": \"v\", \"load\": {\"cpu_percent\": 12.4, "
		"     \"frame_ms\": {\"p99\": 3.14}, \"lowered_steps\": 2, \"io_stats\": "
		"     {\"inbound_kbps\": 1500}}}],"
		" \"waiting_assignments\": {\"x\": {\"type\": \"avatar-mixer\"}}}");

	assert_string_equal(out,
			    "1 person is here.\n"
			    "Domain d, Our world, version 1, up for 1d 01h\n"
			    "\n"
			    "NAME  HERE FOR  FROM         BY   PLACE  UUID\n"
			    "Ædda  59s       192.0.2.1:5  web  hut    u\n"
			    "\n"
			    "MIXER        UP FOR  ADDRESS  CPU   FRAME P99  LOWERED  IN KBIT/S  "
			    "OUT KBIT/S  VERSION\n"
			    "audio-mixer  1h 02m  a        12 %  3.1 ms     2        1500       "
			    "-           v\n"
			    "Nobody works as avatar-mixer.\n");
}

static void test_settings(void **state)
{
	_cleanup_free_ char *out =
		printed(tables_print_settings,
			"{\"version\": 2.6, \"paths\": {\"/\": {\"viewpoint\": \"/0\"}},"
			" \"config-0\": [], \"audio_env\": {\"enable_filter\": true}}");

	assert_string_equal(out, "version = 2.6\n"
				 "paths = {\"/\":{\"viewpoint\":\"/0\"}}\n"
				 "config-0 = []\n"
				 "audio_env.enable_filter = true\n");
}

/* --- the connection --- */

static char path[] = "test-hifictl-XXXXXX/s";

/* A server that answers one request with this text and ends. */
static pid_t serve(const char *reply)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	pid_t pid;

	(void) snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
	(void) unlink(path);
	assert_int_equal(bind(fd, (struct sockaddr *) &un, sizeof(un)), 0);
	assert_int_equal(listen(fd, 1), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		char request[4096];
		int client = accept(fd, NULL, NULL);

		if (recv(client, request, sizeof(request), 0) > 0)
			(void) send(client, reply, strlen(reply), MSG_NOSIGNAL);
		_exit(0);
	}
	(void) close(fd);
	return pid;
}

static int ask(const char *reply, json_t **ret)
{
	pid_t pid = serve(reply);
	int r = admin_call(path, "GET", "/x", NULL, ret);

	assert_int_equal(waitpid(pid, NULL, 0), pid);
	return r;
}

static void test_replies(void **state)
{
	json_t *reply = NULL;

	assert_int_equal(ask("HTTP/1.1 200 OK\r\nA: b\r\n\r\n{\"a\": 1}", &reply), 0);
	assert_int_equal(json_integer_value(json_object_get(reply, "a")), 1);
	json_decref(reply);
	assert_int_equal(ask("HTTP/1.1 403 No\r\n\r\n{\"error\": \"no\"}", &reply), -EREMOTEIO);
	assert_string_equal(json_string_value(json_object_get(reply, "error")), "no");
	json_decref(reply);
	assert_int_equal(ask("HTTP/1.1 200 OK\r\n\r\nnot json", &reply), -EBADMSG);
	assert_int_equal(ask("HTTP/1.1 200 OK\r\n", &reply), -EBADMSG);
	assert_int_equal(ask("\r\n\r\n{}", &reply), -EBADMSG);
	assert_int_equal(ask("", &reply), -EBADMSG);
}

static void test_nobody_there(void **state)
{
	json_t *reply;

	(void) unlink(path);
	assert_int_equal(admin_call(path, "GET", "/", NULL, &reply), -ENOENT);
}

static int make_dir(void **state)
{
	path[strlen(path) - 2] = 0;
	if (!mkdtemp(path))
		return -1;
	path[strlen(path)] = '/';
	return 0;
}

static int remove_dir(void **state)
{
	(void) unlink(path);
	path[strlen(path) - 2] = 0;
	return rmdir(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_line_says_whether_anyone_is_there),
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_settings),
		cmocka_unit_test(test_replies),
		cmocka_unit_test(test_nobody_there),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
