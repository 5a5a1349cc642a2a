/* Statistics as metrics: protocol 09 section 8. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "domain-server/metrics.h"

#define UUID "12345678-1234-1234-1234-123456789abc"

static void test_names(void **state)
{
	static const struct {
		const char *key, *name;
	} cases[] = {
		{"3. RTT (ms)", "rtt_ms"},
		{"12_sorted", "sorted"},
		{"z_avatars", "avatars"},
		{"numQueuedCheckIns", "num_queued_check_ins"},
		{"Connection Stats", "connection_stats"},
		{"%_hrtf_mixes", "percent_hrtf_mixes"},
		{"load%", "load_percent"},
		{"a  -- b", "a_b"},
		{"{\"}\n", ""},
	};
	char name[METRICS_NAME_MAX];

	for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
		metrics_name(cases[i].key, name);
		assert_string_equal(name, cases[i].name);
	}
}

static void test_long_name(void **state)
{
	char key[1000], name[METRICS_NAME_MAX];

	memset(key, '%', sizeof(key) - 1);
	key[sizeof(key) - 1] = 0;
	metrics_name(key, name);
	assert_true(strlen(name) < METRICS_NAME_MAX);
}

static void test_statistics(void **state)
{
	json_t *metrics = metrics_new(), *stats;
	char *text;

	stats = json_pack("{s:{s:i, s:b, s:s, s:s, s:s}, s:{s:{s:{s:f}}}}", "io_stats",
			  "inbound_kbps", 12, "isOn", 1, "text", "-0.5", "display_name", "Bob",
			  "odd", "nan", "Connection Stats", UUID, "z_timing", "3. RTT (ms)", 0.25);
	assert_non_null(stats);
	metrics_add_stats(metrics, "audio_mixer", "node=\"a\"", stats);
	metrics_add_stats(metrics, "audio_mixer", "node=\"b\"", json_object_get(stats, "none"));
	metrics_add(metrics, "hifi_people", "gauge", "", 3);
	text = metrics_format(metrics);
	assert_string_equal(text,
			    "# TYPE audio_mixer_io_stats_inbound_kbps untyped\n"
			    "audio_mixer_io_stats_inbound_kbps{node=\"a\"} 12\n"
			    "# TYPE audio_mixer_io_stats_is_on untyped\n"
			    "audio_mixer_io_stats_is_on{node=\"a\"} 1\n"
			    "# TYPE audio_mixer_io_stats_text untyped\n"
			    "audio_mixer_io_stats_text{node=\"a\"} -0.5\n"
			    "# TYPE audio_mixer_connection_stats_timing_rtt_ms untyped\n"
			    "audio_mixer_connection_stats_timing_rtt_ms{node=\"a\",uuid=\"" UUID
			    "\"} 0.25\n"
			    "# TYPE hifi_people gauge\n"
			    "hifi_people 3\n");
	free(text);
	json_decref(stats);
	json_decref(metrics);
}

static void test_one_metric_stands_together(void **state)
{
	json_t *metrics = metrics_new();
	char *text;

	metrics_add(metrics, "a", "counter", "x=\"1\"", 1);
	metrics_add(metrics, "b", "gauge", "", 2);
	metrics_add(metrics, "a", "counter", "x=\"2\"", 3);
	text = metrics_format(metrics);
	assert_string_equal(text, "# TYPE a counter\na{x=\"1\"} 1\na{x=\"2\"} 3\n# TYPE b gauge\n"
				  "b 2\n");
	free(text);
	json_decref(metrics);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_long_name),
		cmocka_unit_test(test_statistics),
		cmocka_unit_test(test_one_metric_stands_together),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
