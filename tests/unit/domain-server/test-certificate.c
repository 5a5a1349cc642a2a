/* The certificate: loading, files that are bad or in the midst of being renewed, its end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "domain-server/certificate.h"
#include "pki.h"

#define DAY 86400L

struct state {
	sd_event *event;
	struct certificate *certificate;
	struct pki_folder files;
};

static struct state t;

static int setup(void **state)
{
	t = (struct state){0};
	pki_folder_make(&t.files);
	assert_int_equal(sd_event_new(&t.event), 0);
	assert_int_equal(certificate_new(t.event, &t.certificate), 0);
	return 0;
}

static int teardown(void **state)
{
	certificate_free(t.certificate);
	sd_event_unref(t.event);
	pki_folder_remove(&t.files);
	return 0;
}

static int configure(void)
{
	return certificate_configure(t.certificate, t.files.path, t.files.key_path);
}

static void expect_status(const char *member, const char *part)
{
	json_t *status = certificate_status(t.certificate);
	const char *text = json_string_value(json_object_get(status, member));

	assert_non_null(text);
	if (!strstr(text, part))
		fail_msg("%s is '%s', not '%s'", member, text, part);
	json_decref(status);
}

static void expect_no_error(void)
{
	json_t *status = certificate_status(t.certificate);

	assert_null(json_object_get(status, "error"));
	json_decref(status);
}

static void overwrite(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void test_age(void **state)
{
	uint64_t end = 100 * CERTIFICATE_WARN_USEC;

	assert_int_equal(certificate_age(end, end - CERTIFICATE_WARN_USEC - 1), CERTIFICATE_VALID);
	assert_int_equal(certificate_age(end, end - CERTIFICATE_WARN_USEC),
			 CERTIFICATE_EXPIRES_SOON);
	assert_int_equal(certificate_age(end, end - 1), CERTIFICATE_EXPIRES_SOON);
	assert_int_equal(certificate_age(end, end), CERTIFICATE_EXPIRED);
}

static void test_none(void **state)
{
	assert_int_equal(certificate_configure(t.certificate, "", ""), 0);
	assert_null(certificate_context(t.certificate));
	assert_true(json_is_null(certificate_status(t.certificate)));
}

static void test_good(void **state)
{
	pki_write(t.files.path, t.files.key_path, "world.example", 90 * DAY);
	assert_int_equal(configure(), 0);
	assert_non_null(certificate_context(t.certificate));
	expect_status("subject", "CN=world.example");
	expect_status("state", "valid");
	expect_no_error();
	assert_int_equal(certificate_configure(t.certificate, "", ""), 0);
	assert_null(certificate_context(t.certificate));
}

static void test_expiry(void **state)
{
	pki_write(t.files.path, t.files.key_path, "world.example", 13 * DAY);
	assert_int_equal(configure(), 0);
	expect_status("state", "expires soon");

	pki_write(t.files.path, t.files.key_path, "world.example", -DAY);
	assert_int_equal(configure(), 0);
	expect_status("state", "expired");
	assert_non_null(certificate_context(t.certificate));
}

static void test_missing_files(void **state)
{
	assert_int_equal(configure(), -EBADMSG);
	expect_status("state", "none in use");
	expect_status("error", "cert.pem': No such file or directory");

	pki_write(t.files.path, NULL, "world.example", 90 * DAY);
	assert_int_equal(configure(), -EBADMSG);
	expect_status("error", "key.pem': No such file or directory");
	assert_int_equal(certificate_configure(t.certificate, t.files.path, ""), -EBADMSG);
	expect_status("error", "the key ''");
}

static void test_files_of_another_kind(void **state)
{
	pki_write(t.files.path, t.files.key_path, "world.example", 90 * DAY);
	overwrite(t.files.path, "not a certificate\n");
	assert_int_equal(configure(), -EBADMSG);
	expect_status("error", "cert.pem': no start line");

	pki_write(t.files.path, NULL, "world.example", 90 * DAY);
	assert_int_equal(configure(), -EBADMSG);
	expect_status("error", "key values mismatch");
	assert_null(certificate_context(t.certificate));
}

static void test_bad_one_leaves_the_old(void **state)
{
	SSL_CTX *before;

	pki_write(t.files.path, t.files.key_path, "old.example", 90 * DAY);
	assert_int_equal(configure(), 0);
	before = certificate_context(t.certificate);
	overwrite(t.files.path, "");
	assert_int_equal(configure(), -EBADMSG);
	assert_ptr_equal(certificate_context(t.certificate), before);
	expect_status("subject", "old.example");
	expect_status("error", "Cannot use the certificate");
}

static void test_renewed(void **state)
{
	pki_write(t.files.path, t.files.key_path, "old.example", 90 * DAY);
	assert_int_equal(configure(), 0);
	certificate_check(t.certificate);
	pki_write(t.files.path, t.files.key_path, "new.example", 90 * DAY);
	certificate_check(t.certificate);
	expect_status("subject", "old.example");
	certificate_check(t.certificate);
	expect_status("subject", "new.example");
	expect_no_error();
}

static void test_renewed_half(void **state)
{
	pki_write(t.files.path, t.files.key_path, "old.example", 90 * DAY);
	assert_int_equal(configure(), 0);
	pki_write(t.files.path, NULL, "new.example", 90 * DAY);
	for (unsigned i = 0; i < 3; i++)
		certificate_check(t.certificate);
	expect_status("subject", "old.example");
	expect_status("error", "key values mismatch");

	pki_write(t.files.path, t.files.key_path, "newest.example", 90 * DAY);
	for (unsigned i = 0; i < 2; i++)
		certificate_check(t.certificate);
	expect_status("subject", "newest.example");
	expect_no_error();
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_age),
		TEST(test_none),
		TEST(test_good),
		TEST(test_expiry),
		TEST(test_missing_files),
		TEST(test_files_of_another_kind),
		TEST(test_bad_one_leaves_the_old),
		TEST(test_renewed),
		TEST(test_renewed_half),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
