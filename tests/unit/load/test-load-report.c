/* Figures, checks, and the two forms of the report. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <argp.h>
#include <math.h>
#include <string.h>

#include "base/macros.h"
#include "load/report.h"

/* A minute of two clients where all went well. */
struct fixture {
	struct load_options options;
	struct measures measures;
	struct report report;
};

static void make_good(struct fixture *f)
{
	char *argv[] = {(char *) "hifi-load", (char *) "-n", (char *) "2", NULL};
	struct traffic_measures *m = &f->measures.traffic;

	*f = (struct fixture){0};
	assert_int_equal(load_options_parse(3, argv, ARGP_NO_EXIT | ARGP_NO_ERRS, &f->options), 0);
	m->listener_frames = m->pair_frames = 12000;
	m->mixes = 4000;
	m->silent_frames = 8000;
	m->avatar_updates = 5400;
	for (unsigned i = 0; i < 100; i++) {
		histogram_add(&m->move_latency, 20000);
		histogram_add(&m->chat_latency, 1000);
	}
	histogram_add(&f->measures.run.connect, 300000);
	f->report = (struct report){
		.options = &f->options,
		.domain = hifi_addr_from_ipv4(SOCKET_TYPE_UDP, INADDR_LOOPBACK, 40102),
		.measures = &f->measures,
		.measured_s = 60,
		.n_complete = 2,
		.share_heard = NAN,
		.share_seen = 1,
		.traffic[LOAD_MIXER_AVATAR] = {.packets_in = 990,
					       .bytes_in = 60000,
					       .packets_lost = 10},
	};
}

static void test_figures(void **state)
{
	struct fixture f;

	make_good(&f);
	f.measures.traffic.audio_gaps = 6;
	f.measures.traffic.audio_lost = 3000;
	assert_true(report_audio_rate(&f.report) == 100);
	assert_true(report_audio_gaps(&f.report) == 3);
	assert_true(report_audio_loss(&f.report) == 20);
	assert_true(report_update_rate(&f.report) == 45);
	assert_true(report_loss(&f.report, LOAD_MIXER_AVATAR) == 1);
	assert_true(report_loss(&f.report, LOAD_MIXER_ENTITY) == 0);
}

static void test_json(void **state)
{
	struct fixture f;
	json_t *json, *value;

	make_good(&f);
	json = report_json(&f.report);
	assert_non_null(json);
	assert_true(json_is_true(json_object_get(json, "ok")));
	assert_string_equal(
		json_string_value(json_object_get(json_object_get(json, "run"), "domain")),
		"127.0.0.1:40102");
	value = json_object_get(json_object_get(json, "mixers"), "avatar");
	assert_true(json_real_value(json_object_get(value, "packets_in_per_s")) == 16.5);
	assert_true(json_real_value(json_object_get(value, "bytes_in_per_s")) == 1000);
	value = json_object_get(json_object_get(json, "avatar"), "latency_ms");
	assert_int_equal(json_integer_value(json_object_get(value, "count")), 100);
	/* What was not measured is null, not 0 and not invalid JSON. */
	assert_true(json_is_null(json_object_get(json_object_get(json, "audio"), "share_heard")));
	json_decref(json);
}

static void test_json_of_nothing(void **state)
{
	struct fixture f;
	json_t *json;
	char *text;

	make_good(&f);
	f.measures = (struct measures){0};
	f.report.measured_s = 0;
	json = report_json(&f.report);
	text = json_dumps(json, 0);
	assert_non_null(text);
	assert_true(json_is_false(json_object_get(json, "ok")));
	assert_true(
		json_is_null(json_object_get(json_object_get(json, "generator"), "cpu_percent")));
	free(text);
	json_decref(json);
}

/* The run failed; by the named check and no other. */
static void assert_fails(const struct fixture *f, const char *name)
{
	json_t *json = report_json(&f->report), *check;
	size_t i;

	assert_false(report_is_ok(&f->report));
	assert_true(json_is_false(json_object_get(json, "ok")));
	json_array_foreach (json_object_get(json, "checks"), i, check) {
		const char *found = json_string_value(json_object_get(check, "name"));

		assert_int_equal(json_is_true(json_object_get(check, "ok")),
				 strcmp(found, name) != 0);
	}
	json_decref(json);
}

static void test_every_fault_fails(void **state)
{
	struct fixture f;

	make_good(&f);
	assert_true(report_is_ok(&f.report));
	for (unsigned i = 0; i < FAULT_COUNT; i++) {
		make_good(&f);
		f.measures.run.faults.n[i] = 1;
		assert_fails(&f, fault_name(i));
	}
}

static void test_what_no_domain_may_fail(void **state)
{
	struct fixture f;

	make_good(&f);
	f.report.n_missing = 1;
	assert_fails(&f, "missing");
	make_good(&f);
	f.measures.run.ended = 1;
	assert_fails(&f, "ended");
	make_good(&f);
	f.measures.run.mixers_lost = 1;
	assert_fails(&f, "mixers_lost");
	make_good(&f);
	f.measures.traffic.mixes = 0;
	assert_fails(&f, "audio_rate");
	make_good(&f);
	f.report.skipped = 1300; /* ms of a minute */
	assert_fails(&f, "generator");
	make_good(&f);
	f.measures.run.kernel_drops = 30;
	assert_fails(&f, "generator");
	make_good(&f);
	f.measures.traffic.avatar_updates = 0;
	assert_fails(&f, "avatar_updates");
}

static void test_thresholds(void **state)
{
	static const struct {
		size_t option;
		double good, bad;
		const char *name;
	} cases[] = {
		{offsetof(struct load_options, max_loss_percent), 1, 0.9, "loss"},
		{offsetof(struct load_options, max_p99_ms), 20, 19, "avatar_p99"},
		{offsetof(struct load_options, max_connect_ms), 300, 299, "connect"},
		{offsetof(struct load_options, max_gaps), 3, 2.9, "gaps"},
		{offsetof(struct load_options, min_heard), 0.8, 0.9, "heard"},
		{offsetof(struct load_options, min_seen), 1, 1.01, "seen"},
	};

	for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
		struct fixture f;
		double *limit = (double *) ((char *) &f.options + cases[i].option);

		make_good(&f);
		f.measures.traffic.audio_gaps = 6;
		f.report.share_heard = 0.8;
		*limit = cases[i].good;
		assert_true(report_is_ok(&f.report));
		*limit = cases[i].bad;
		assert_fails(&f, cases[i].name);
	}
}

/* Nobody heard at all must not pass because there is no figure. */
static void test_no_figure_is_no_success(void **state)
{
	struct fixture f;

	make_good(&f);
	f.options.min_heard = 0.5;
	f.report.share_heard = NAN;
	assert_fails(&f, "heard");
}

static void test_text(void **state)
{
	_cleanup_free_ char *text = NULL;
	struct fixture f;
	size_t len;
	FILE *file;

	make_good(&f);
	f.measures.run.faults.n[FAULT_GHOST] = 2;
	file = open_memstream(&text, &len);
	assert_non_null(file);
	report_print(&f.report, file);
	(void) fclose(file);
	assert_non_null(strstr(text, "connected  2 of 2\n"));
	assert_non_null(strstr(text, "45.0 updates/s"));
	assert_non_null(strstr(text, "FAIL ghost"));
	assert_null(strstr(text, "own_voice"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_figures),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_json_of_nothing),
		cmocka_unit_test(test_every_fault_fails),
		cmocka_unit_test(test_what_no_domain_may_fail),
		cmocka_unit_test(test_thresholds),
		cmocka_unit_test(test_no_figure_is_no_success),
		cmocka_unit_test(test_text),
	};

	return cmocka_run_group_tests_name("load-report", tests, NULL, NULL);
}
