/* The panel's files: which names there are, how they are compressed and known again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <zlib.h>

#include "base/file.h"
#include "domain-server/web-files.h"

static char dir[] = "test-web-XXXXXX";

static void put_file(const char *name, const char *content, size_t len)
{
	char path[64];

	(void) snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(file_replace(path, content, len, 0644), 0);
}

static int make_dir(void **state)
{
	static char page[4000];

	memset(page, 'a', sizeof(page));
	assert_non_null(mkdtemp(dir));
	put_file("index.html", page, sizeof(page));
	put_file("icon.svg", "<svg/>", 6);
	put_file("empty.css", "", 0);
	put_file("secret.key", "s", 1);
	put_file(".html", "x", 1);
	return 0;
}

static int remove_dir(void **state)
{
	static const char *const names[] = {"index.html", "icon.svg", "empty.css", "secret.key",
					    ".html"};
	char path[64];

	for (size_t i = 0; i < ELEMENTSOF(names); i++) {
		(void) snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		assert_int_equal(unlink(path), 0);
	}
	return rmdir(dir);
}

static void test_names(void **state)
{
	_cleanup_(web_files_freep) struct web_files *files = NULL;
	const struct web_file *index;

	assert_int_equal(web_files_load(dir, &files), 0);
	index = web_files_find(files, "/");
	assert_non_null(index);
	assert_ptr_equal(index, web_files_find(files, "/index.html"));
	assert_string_equal(index->type, "text/html; charset=utf-8");
	assert_string_equal(web_files_find(files, "/icon.svg")->type, "image/svg+xml");
	assert_int_equal(web_files_find(files, "/empty.css")->plain.len, 0);
	assert_null(web_files_find(files, "/secret.key"));
	assert_null(web_files_find(files, "/.html"));
	assert_null(web_files_find(files, "index.html"));
	assert_null(web_files_find(files, "//index.html"));
	assert_null(web_files_find(files, "/../index.html"));
	assert_null(web_files_find(files, ""));
	assert_null(web_files_find(NULL, "/"));
}

static void test_what_saves_nothing_is_not_compressed(void **state)
{
	_cleanup_(web_files_freep) struct web_files *files = NULL;
	const struct web_file *index;
	uint8_t page[8000];
	z_stream z = {0};

	assert_int_equal(web_files_load(dir, &files), 0);
	assert_int_equal(web_files_find(files, "/icon.svg")->gzip.len, 0);
	assert_int_equal(web_files_find(files, "/empty.css")->gzip.len, 0);
	index = web_files_find(files, "/");
	assert_in_range(index->gzip.len, 1, 200);

	assert_int_equal(inflateInit2(&z, MAX_WBITS + 16), Z_OK);
	z.next_in = (Bytef *) index->gzip.data;
	z.avail_in = (uInt) index->gzip.len;
	z.next_out = page;
	z.avail_out = sizeof(page);
	assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
	assert_int_equal(z.total_out, index->plain.len);
	assert_memory_equal(page, index->plain.data, index->plain.len);
	(void) inflateEnd(&z);
}

static void test_missing_or_too_much(void **state)
{
	_cleanup_(web_files_freep) struct web_files *files = NULL;
	static char large[256 * 1024 + 1];

	assert_int_equal(web_files_load("test-web-none", &files), -ENOENT);
	put_file("empty.css", large, sizeof(large));
	assert_int_equal(web_files_load(dir, &files), -EFBIG);
	put_file("empty.css", "", 0);
	assert_null(files);
}

/* RFC 9110 section 12.5.3. */
static void test_accept_encoding(void **state)
{
	static const struct {
		const char *header;
		bool is_yes;
	} cases[] = {
		{"gzip", true},         {"GZIP", true},          {"deflate, gzip;q=0.5, br", true},
		{" br ,\tgzip ", true}, {"gzip;q=0", false},     {"gzip; q=0.000, br;q=1", false},
		{"br;q=0, gzip", true}, {"xgzip, gzipx", false}, {"", false},
		{",,,", false},         {NULL, false},
	};

	for (size_t i = 0; i < ELEMENTSOF(cases); i++)
		assert_int_equal(web_accepts_gzip(cases[i].header), cases[i].is_yes);
}

/* RFC 9110 section 13.1.2: the weak comparison. */
static void test_if_none_match(void **state)
{
	const char *etag = "W/\"0123\"";

	assert_true(web_etag_matches("W/\"0123\"", etag));
	assert_true(web_etag_matches("\"0123\"", etag));
	assert_true(web_etag_matches("\"9\", W/\"0123\" ", etag));
	assert_true(web_etag_matches("*", etag));
	assert_false(web_etag_matches("\"01\"", etag));
	assert_false(web_etag_matches("W/", etag));
	assert_false(web_etag_matches("", etag));
	assert_false(web_etag_matches(NULL, etag));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_what_saves_nothing_is_not_compressed),
		cmocka_unit_test(test_missing_or_too_much),
		cmocka_unit_test(test_accept_encoding),
		cmocka_unit_test(test_if_none_match),
	};

	return cmocka_run_group_tests_name("web-files", tests, make_dir, remove_dir);
}
