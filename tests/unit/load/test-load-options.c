/* The command line: what is taken, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <argp.h>
#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/macros.h"
#include "base/ports.h"
#include "load/options.h"

/* The words of a command line, separated by single blanks. */
static int parse(const char *line, struct load_options *ret)
{
	static char copy[512];
	char *argv[64] = {(char *) "hifi-load"}, *rest = copy, *word;
	int argc = 1;

	assert_true(strlen(line) < sizeof(copy));
	strcpy(copy, line);
	while ((word = strsep(&rest, " ")))
		if (*word)
			argv[argc++] = word;
	return load_options_parse(argc, argv, ARGP_NO_EXIT | ARGP_NO_ERRS, ret);
}

static void test_defaults(void **state)
{
	struct load_options o;

	assert_int_equal(parse("", &o), 0);
	assert_string_equal(o.host, "127.0.0.1");
	assert_int_equal(o.port, 40102);
	assert_false(o.allow_remote);
	assert_int_equal(o.clients, 10);
	assert_true(o.audio && o.avatar && o.messages && o.entities);
	assert_string_equal(o.codec, "opus");
	assert_int_equal(load_options_talkers(&o), 2);
	assert_true(isnan(o.max_loss_percent) && isnan(o.min_heard));
}

static void test_everything(void **state)
{
	struct load_options o;

	assert_int_equal(
		parse("-a localhost --server-port 5000 --allow-remote -n 100 --duration 2.5 "
		      "--ramp 10 --churn 0.5 --seed 9 --talkers 0.33 --codec none --tone --move "
		      "--spread 3 --joints 7 --chat 1 --no-messages --no-entities --json",
		      &o),
		0);
	assert_string_equal(o.host, "localhost");
	assert_int_equal(o.port, 5000);
	assert_true(o.allow_remote);
	assert_int_equal(o.clients, 100);
	assert_true(o.duration_s == 2.5 && o.ramp == 10 && o.churn == 0.5 && o.spread_m == 3 &&
		    o.chat == 1);
	assert_int_equal(o.seed, 9);
	assert_int_equal(load_options_talkers(&o), 33);
	assert_null(o.codec);
	assert_true(o.tone && o.move && o.json);
	assert_int_equal(o.joints, 7);
	assert_true(o.audio && o.avatar && !o.messages && !o.entities);
}

static void test_checks(void **state)
{
	struct load_options o;

	assert_int_equal(
		parse("--max-loss 0.1 --max-p99-ms 50 --max-connect-ms 2000 --max-gaps 1 --tone "
		      "--min-heard 1 --min-seen 0.9",
		      &o),
		0);
	assert_true(o.max_loss_percent == 0.1 && o.max_p99_ms == 50 && o.max_connect_ms == 2000 &&
		    o.max_gaps == 1 && o.min_heard == 1 && o.min_seen == 0.9);
}

static void test_refused(void **state)
{
	static const char *const lines[] = {
		"-n 0",
		"-n 1001",
		"-n ten",
		"-n 10x",
		"-n -1",
		"-n 1.5",
		"--duration 0",
		"--duration nan",
		"--duration",
		"--ramp 0",
		"--ramp fast",
		"--talkers 1.1",
		"--talkers -0.1",
		"--spread -1",
		"--joints 201",
		"--chat 51",
		"--churn -1",
		"--codec mp3",
		"--codec",
		"--seed x",
		"--log-level loud",
		"--server-port 0",
		"--server-port 65536",
		"--port-base 65000",
		"--max-loss 101",
		"--min-heard 2",
		"--max-p99-ms -1",
		"surplus",
		"--unknown",
		"--no-audio --no-avatar --no-messages --no-entities",
		"--tone --no-audio",
		"-n 1000 --talkers 1 --tone",
		"--min-heard 1",
		"--min-seen 1 --no-avatar",
	};
	struct load_options o = {.clients = 77};

	for (size_t i = 0; i < ELEMENTSOF(lines); i++) {
		if (parse(lines[i], &o) != -EINVAL)
			fail_msg("accepted: %s", lines[i]);
		assert_int_equal(o.clients, 77);
	}
}

static void test_port_base(void **state)
{
	struct load_options o;

	assert_int_equal(parse("--port-base 1000", &o), 0);
	assert_int_equal(o.port, 41102);
	assert_int_equal(ports_shift(0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),  cmocka_unit_test(test_everything),
		cmocka_unit_test(test_checks),    cmocka_unit_test(test_refused),
		cmocka_unit_test(test_port_base),
	};

	return cmocka_run_group_tests_name("load-options", tests, NULL, NULL);
}
