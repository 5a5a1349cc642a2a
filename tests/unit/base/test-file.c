/* base/file: reading with a limit, replacing in one step. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/macros.h"

static char dir[] = "test-file-XXXXXX";

static const char *in_dir(const char *name)
{
	static char path[128];

	(void) snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static int set_up(void **state)
{
	memcpy(dir + sizeof(dir) - 7, "XXXXXX", 6);
	return mkdtemp(dir) ? 0 : -1;
}

static unsigned count_files(void)
{
	DIR *d = opendir(dir);
	unsigned n = 0;

	assert_non_null(d);
	for (struct dirent *de; (de = readdir(d));)
		n += de->d_name[0] != '.';
	(void) closedir(d);
	return n;
}

static int tear_down(void **state)
{
	(void) unlink(in_dir("file"));
	(void) unlink(in_dir("link"));
	return rmdir(dir);
}

static void assert_content(const char *path, const char *text)
{
	_cleanup_free_ char *data = NULL;
	size_t len;

	assert_int_equal(file_read(path, 1000, &data, &len), 0);
	assert_int_equal(len, strlen(text));
	assert_string_equal(data, text);
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 07777;
}

static void test_new_files_get_the_mode_and_old_ones_keep_theirs(void **state)
{
	assert_int_equal(file_replace(in_dir("file"), "one", 3, 0640), 0);
	assert_content(in_dir("file"), "one");
	assert_int_equal(mode_of(in_dir("file")), 0640);

	assert_int_equal(chmod(in_dir("file"), 0604), 0);
	assert_int_equal(file_replace(in_dir("file"), "", 0, 0640), 0);
	assert_content(in_dir("file"), "");
	assert_int_equal(mode_of(in_dir("file")), 0604);
	assert_int_equal(count_files(), 1);
}

static void test_links_stay_links(void **state)
{
	struct stat st;

	assert_int_equal(file_replace(in_dir("file"), "one", 3, 0640), 0);
	assert_int_equal(symlink("file", in_dir("link")), 0);
	assert_int_equal(file_replace(in_dir("link"), "two", 3, 0640), 0);
	assert_content(in_dir("file"), "two");
	assert_int_equal(lstat(in_dir("link"), &st), 0);
	assert_true(S_ISLNK(st.st_mode));
}

static void test_failed_write_leaves_the_old_file_and_no_other(void **state)
{
	static char much[100000];
	struct rlimit old, limit;

	assert_int_equal(file_replace(in_dir("file"), "old", 3, 0640), 0);
	/* A full disk as far as this process can tell, whoever runs it. */
	(void) signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	limit = (struct rlimit){4096, old.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(file_replace(in_dir("file"), much, sizeof(much), 0640), -EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_content(in_dir("file"), "old");
	assert_int_equal(count_files(), 1);
}

static void test_reading_has_limits(void **state)
{
	char *data = NULL;
	size_t len;

	assert_int_equal(file_replace(in_dir("file"), "1234", 4, 0640), 0);
	assert_int_equal(file_read(in_dir("file"), 3, &data, &len), -EFBIG);
	assert_int_equal(file_read(in_dir("missing"), 3, &data, &len), -ENOENT);
	assert_int_equal(file_read(dir, 1 << 20, &data, &len), -EISDIR);
	assert_int_equal(file_read("/dev/null", 1 << 20, &data, &len), -EINVAL);
	assert_null(data);
	assert_int_equal(file_replace(in_dir("missing/file"), "x", 1, 0640), -ENOENT);
}

#define file_test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		file_test(test_new_files_get_the_mode_and_old_ones_keep_theirs),
		file_test(test_links_stay_links),
		file_test(test_failed_write_leaves_the_old_file_and_no_other),
		file_test(test_reading_has_limits),
	};

	return cmocka_run_group_tests_name("file", tests, NULL, NULL);
}
