/* base/config, schema and json-position, with the schema that ships. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "base/config.h"
#include "base/file.h"
#include "base/hats.h"
#include "base/paths.h"
#include "base/ports.h"

static struct schema *schema;
static char dir[] = "test-config-XXXXXX";
static char path[64];

static const char *etc(const char *name)
{
	static char text[512];
	const char *top = getenv("TOP_SRCDIR");

	(void) snprintf(text, sizeof(text), "%s/etc/%s", top ? top : ".", name);
	return text;
}

static int load_schema(void **state)
{
	_cleanup_free_ char *error = NULL;

	if (!mkdtemp(dir))
		return -1;
	(void) snprintf(path, sizeof(path), "%s/domain.json", dir);
	if (schema_load(etc("settings-schema.json"), &schema, &error) < 0)
		print_error("%s\n", error);
	return schema ? 0 : -1;
}

static int free_schema(void **state)
{
	schema = schema_free(schema);
	(void) unlink(path);
	return rmdir(dir);
}

/* The configuration that text makes; its messages must be exactly these (lines). */
static struct config *parse(const char *text, const char *messages)
{
	struct config_report report = {0};
	_cleanup_free_ char *got = NULL;
	struct config *config = NULL;
	int r;

	r = config_parse(schema, "d.json", text, strlen(text), &config, &report);
	got = config_report_text(&report);
	assert_string_equal(got, messages);
	assert_int_equal(r, report.errors > 0 ? -EINVAL : 0);
	config_report_done(&report);
	return config;
}

static void assert_refused(const char *text, const char *messages)
{
	assert_null(parse(text, messages));
}

/* --- errors --- */

static void test_syntax_errors(void **state)
{
	assert_refused("{\n  \"security\": {\n    \"a\": 1,\n  }\n}",
		       "d.json:4:3: string or '}' expected near '}'");
	assert_refused("{ \"webrtc\": {}, \"webrtc\": {} }",
		       "d.json:1:24: duplicate object key near '\"webrtc\"'");
	assert_refused("", "d.json:1:0: '[' or '{' expected near end of file");
	assert_refused("{\"a\": \"\xff\"}", "d.json:1:7: unable to decode byte 0xff near '\"'");
}

static void test_wrong_values(void **state)
{
	assert_refused("{\n\t\"security\": {\n\t\t\"maximum_user_capacity\": \"many\"\n\t}\n}",
		       "d.json:3:3: security.maximum_user_capacity: "
		       "expected a whole number from 0 to 1000000, got \"many\"");
	assert_refused("{ \"metaverse\": { \"local_port\": 70000 } }",
		       "d.json:1:18: metaverse.local_port: "
		       "expected a whole number from 1 to 65535, got 70000");
	assert_refused("{ \"metaverse\": { \"local_port\": 1.5 } }",
		       "d.json:1:18: metaverse.local_port: "
		       "expected a whole number from 1 to 65535, got 1.5");
	assert_refused("{ \"webrtc\": { \"enable_webrtc\": \"maybe\" } }",
		       "d.json:1:15: webrtc.enable_webrtc: expected true or false, got \"maybe\"");
	assert_refused("{ \"audio_threading\": { \"throttle_start\": \"0.x\" } }",
		       "d.json:1:24: audio_threading.throttle_start: "
		       "expected a number from 0 to 1, got \"0.x\"");
	assert_refused("{ \"avatar_mixer\": { \"connection_rate\": 0 } }",
		       "d.json:1:21: avatar_mixer.connection_rate: "
		       "expected a whole number of at least 1, got 0");
	assert_refused("{ \"metaverse\": { \"automatic_networking\": \"on\" } }",
		       "d.json:1:18: metaverse.automatic_networking: "
		       "expected one of \"full\", \"ip\", \"disabled\", got \"on\"");
	assert_refused("{ \"metaverse\": { \"id\": \"1234\" } }",
		       "d.json:1:18: metaverse.id: expected a UUID, got \"1234\"");
	assert_refused("{ \"http\": { \"address\": \"localhost\" } }",
		       "d.json:1:13: http.address: expected an IP address, got \"localhost\"");
	assert_refused("{ \"descriptors\": { \"world_name\": 5 } }",
		       "d.json:1:20: descriptors.world_name: "
		       "expected text of at most 256 characters, got 5");
}

static void test_wrong_structure(void **state)
{
	assert_refused("[]", "d.json: expected an object with groups of settings");
	assert_refused("{\n\"security\": 5 }",
		       "d.json:2:1: security: expected an object with settings");
	assert_refused("{ \"paths\": [] }",
		       "d.json:1:3: paths: expected an object of objects, got a list");
	assert_refused("{ \"paths\": { \"/\": \"/0,0,0\" } }",
		       "d.json:1:14: paths[\"/\"]: expected an object");
	assert_refused("{ \"security\": { \"permissions\": {} } }",
		       "d.json:1:17: security.permissions: "
		       "expected a list of objects, got an object");
	assert_refused("{ \"descriptors\": { \"tags\": \"a,b\" } }",
		       "d.json:1:20: descriptors.tags: expected a list of texts, got \"a,b\"");
}

static void test_errors_inside_lists_and_tables(void **state)
{
	assert_refused("{\n"
		       "  \"security\": {\n"
		       "    \"ac_subnet_whitelist\": [\"10.0.0.0/8\", \"fe80::/10\",\n"
		       "      \"10.0.0.0/33\", 7],\n"
		       "    \"ip_permissions\": [\n"
		       "      { \"permissions_id\": \"10.0.0.1\", \"id_can_kick\": \"ja\" },\n"
		       "      \"x\"\n"
		       "    ]\n"
		       "  },\n"
		       "  \"audio_env\": { \"zones\": { \"the hall\": { \"x_min\": true } } }\n"
		       "}\n",
		       "d.json:4:7: security.ac_subnet_whitelist[2]: expected an IP address or a "
		       "subnet such as 10.0.0.0/8, got \"10.0.0.0/33\"\n"
		       "d.json:4:22: security.ac_subnet_whitelist[3]: expected an IP address or a "
		       "subnet such as 10.0.0.0/8, got 7\n"
		       "d.json:6:39: security.ip_permissions[0].id_can_kick: "
		       "expected true or false, got \"ja\"\n"
		       "d.json:7:7: security.ip_permissions[1]: expected an object\n"
		       "d.json:10:43: audio_env.zones[\"the hall\"].x_min: "
		       "expected a number, got true");
}

static void test_columns_count_characters(void **state)
{
	assert_refused("{ \"#\": \"\\\"äöü\\\\\", \"webrtc\": { \"enable_webrtc\": 2 } }",
		       "d.json:1:31: webrtc.enable_webrtc: expected true or false, got 2");
}

static void test_messages_are_limited_but_counted(void **state)
{
	char text[8192] = "{ \"descriptors\": { \"tags\": [0";
	struct config_report report = {0};
	_cleanup_free_ char *got = NULL;
	struct config *config;

	for (unsigned i = 1; i < CONFIG_MESSAGES_MAX + 7; i++)
		(void) strcat(text, ",0");
	(void) strcat(text, "] } }");
	assert_int_equal(config_parse(schema, "d.json", text, strlen(text), &config, &report),
			 -EINVAL);
	assert_int_equal(report.n, CONFIG_MESSAGES_MAX);
	assert_int_equal(report.errors, CONFIG_MESSAGES_MAX + 7);
	got = config_report_text(&report);
	assert_non_null(strstr(got, "[99]: expected text, got 0\n7 more messages"));
	config_report_done(&report);
}

static void test_unknown_keys_are_warned_of_and_comments_are_not(void **state)
{
	_cleanup_(config_freep) struct config *config =
		parse("{ \"# about\": \"mine\", \"version\": 2.6,\n"
		      "  \"acme\": { \"enable_client\": true },\n"
		      "  \"security\": { \"#\": 1, \"colour\": \"red\",\n"
		      "    \"permissions\": [ { \"permissions_id\": \"ann\", \"age\": 9 } ] },\n"
		      "  \"config-0\": [ { \"pool\": \"a\", \"whatever\": 1 } ]\n"
		      "}",
		      "d.json:2:3: acme: unknown setting, kept\n"
		      "d.json:3:25: security.colour: unknown setting, kept\n"
		      "d.json:4:49: security.permissions[0].age: unknown column, kept");

	assert_non_null(config);
}

/* --- values --- */

static void test_defaults(void **state)
{
	_cleanup_(config_freep) struct config *config = parse("{}", "");

	assert_int_equal(config_get_int(config, "metaverse.local_port"), 40102);
	assert_true(config_get_bool(config, "metaverse.enable_packet_verification"));
	assert_true(config_get_double(config, "audio_threading.throttle_backoff") == 0.44);
	assert_string_equal(config_get_string(config, "metaverse.automatic_networking"),
			    "disabled");
	assert_string_equal(config_get_string(config, "metaverse.id"), "");
	assert_string_equal(config_get_string(config, "entity_server_settings.maxTmpLifetime"),
			    "3600");
	assert_int_equal(config_get_int(config, "entity_server_settings.maxTmpLifetime"), 3600);
	assert_int_equal(config_get_int(config, "entity_server_settings.statusPort"), 0);
	assert_int_equal(json_array_size(config_get_json(config, "security.standard_permissions")),
			 4);
	assert_int_equal(json_object_size(config_get_json(config, "paths")), 0);
	assert_false(config_is_set(config, "metaverse.local_port", NULL));
}

static void test_numbers_and_booleans_in_every_form(void **state)
{
	_cleanup_(config_freep) struct config *config = parse(
		"{ \"metaverse\": { \"local_port\": \"40200\", \"enable_packet_verification\": 0 },"
		"  \"audio_threading\": {"
		"    \"throttle_start\": \"0.5\", \"auto_threads\": \"true\" },"
		"  \"entity_server_settings\": {"
		"    \"persistInterval\": 1000, \"clockSkew\": \"-5\" },"
		"  \"asset_server\": { \"assets_filesize_limit\": 20.0 },"
		"  \"messages_mixer\": { \"max_node_messages_per_second\": \"\" },"
		"  \"audio_env\": { \"zones\": {"
		"    \"a\": { \"x_min\": -1.5, \"x_max\": \"2\" } } } }",
		"");
	const json_t *zone = json_object_get(config_get_json(config, "audio_env.zones"), "a");

	assert_int_equal(config_get_int(config, "metaverse.local_port"), 40200);
	assert_true(json_is_integer(config_get_json(config, "metaverse.local_port")));
	assert_false(config_get_bool(config, "metaverse.enable_packet_verification"));
	assert_true(config_get_bool(config, "audio_threading.auto_threads"));
	assert_true(config_get_double(config, "audio_threading.throttle_start") == 0.5);
	assert_true(json_is_real(config_get_json(config, "audio_threading.throttle_start")));
	assert_string_equal(config_get_string(config, "entity_server_settings.persistInterval"),
			    "1000");
	assert_int_equal(config_get_int(config, "entity_server_settings.clockSkew"), -5);
	assert_int_equal(config_get_int(config, "asset_server.assets_filesize_limit"), 20);
	assert_int_equal(config_get_int(config, "messages_mixer.max_node_messages_per_second"),
			 1000);
	assert_string_equal(json_string_value(json_object_get(zone, "x_min")), "-1.5");
	assert_string_equal(json_string_value(json_object_get(zone, "x_max")), "2");
	assert_null(json_object_get(zone, "y_min"));
}

static void test_table_rows_get_the_defaults_of_their_columns(void **state)
{
	_cleanup_(config_freep) struct config *config =
		parse("{ \"scripts\": { \"persistent_scripts\": [ { \"url\": \"a.js\" } ] },"
		      "  \"security\": { \"permissions\": [ { \"permissions_id\": \"ann\","
		      "                                      \"id_can_kick\": 1 } ] } }",
		      "");
	const json_t *row;

	row = json_array_get(config_get_json(config, "scripts.persistent_scripts"), 0);
	assert_int_equal(json_integer_value(json_object_get(row, "num_instances")), 1);
	assert_string_equal(json_string_value(json_object_get(row, "pool")), "");
	row = json_array_get(config_get_json(config, "security.permissions"), 0);
	assert_true(json_is_true(json_object_get(row, "id_can_kick")));
	assert_true(json_is_false(json_object_get(row, "id_can_connect")));
}

static void test_origin(void **state)
{
	_cleanup_(config_freep) struct config *config =
		parse("{\n  \"metaverse\": {\n    \"local_port\": 1\n  }\n}", "");
	struct json_position at;

	assert_true(config_is_set(config, "metaverse.local_port", &at));
	assert_int_equal(at.line, 3);
	assert_int_equal(at.column, 5);
	assert_false(config_is_set(config, "metaverse.id", &at));
}

static void test_example_file(void **state)
{
	struct config_report report = {0};
	struct config *config = NULL;

	assert_int_equal(config_load(schema, etc("domain.json"), &config, &report), 0);
	assert_int_equal(report.errors + report.warnings, 0);
	assert_int_equal(config_get_int(config, "security.maximum_user_capacity"), 100);
	config = config_free(config);
}

/* --- assignments, protocol 02 section 10 --- */

static void test_settings_for_each_assignment_type(void **state)
{
	static const char *const groups[HAT_COUNT] = {
		[HAT_AUDIO] = "audio_threading audio_env audio_buffer broadcasting",
		[HAT_AVATAR] = "avatars avatar_mixer broadcasting",
		[HAT_AGENT] = "avatars",
		[HAT_ASSET] = "asset_server",
		[HAT_MESSAGES] = "messages_mixer",
		[HAT_ENTITY_SCRIPT] = "entity_script_server",
		[HAT_ENTITY] = "entity_server_settings",
	};
	_cleanup_(config_freep) struct config *config = parse("{}", "");

	for (unsigned type = 0; type < HAT_COUNT; type++) {
		json_t *told = config_settings_for_assignment(config, type), *group;
		char names[256] = "";
		const char *name;

		assert_true(json_real_value(json_object_get(told, "version")) == 2.6);
		json_object_del(told, "version");
		json_object_foreach (told, name, group) {
			(void) strcat(names, *names ? " " : "");
			(void) strcat(names, name);
		}
		assert_string_equal(names, groups[type]);
		json_decref(told);
	}
}

static void test_settings_for_assignments_keep_the_declared_kind(void **state)
{
	_cleanup_(config_freep) struct config *config =
		parse("{ \"avatars\": { \"min_avatar_height\": \"1\" },"
		      "  \"broadcasting\": { \"users\": [\"ann\"] },"
		      "  \"entity_server_settings\": { \"maxTmpLifetime\": 60, \"mine\": 1 } }",
		      "d.json:1:134: entity_server_settings.mine: unknown setting, kept");
	json_t *told = config_settings_for_assignment(config, HAT_AVATAR), *group;

	group = json_object_get(told, "avatars");
	assert_true(json_is_real(json_object_get(group, "min_avatar_height")));
	group = json_object_get(told, "broadcasting");
	assert_int_equal(json_array_size(json_object_get(group, "users")), 1);
	json_decref(told);

	told = config_settings_for_assignment(config, HAT_AUDIO);
	group = json_object_get(told, "broadcasting");
	assert_null(json_object_get(group, "users"));
	assert_non_null(json_object_get(group, "downstream_servers"));
	json_decref(told);

	told = config_settings_for_assignment(config, HAT_ENTITY);
	group = json_object_get(told, "entity_server_settings");
	assert_string_equal(json_string_value(json_object_get(group, "maxTmpLifetime")), "60");
	assert_null(json_object_get(group, "mine"));
	json_decref(told);
}

/* --- changing and saving --- */

static int set(struct config *config, const char *setting, const char *text, const char *messages)
{
	struct config_report report = {0};
	_cleanup_free_ char *got = NULL;
	int r = config_set_text(config, setting, text, &report);

	got = config_report_text(&report);
	assert_string_equal(got, messages);
	config_report_done(&report);
	return r;
}

static void test_set(void **state)
{
	_cleanup_(config_freep) struct config *config =
		parse("{ \"metaverse\": { \"local_port\": 1 } }", "");
	struct json_position at = {9, 9};

	assert_int_equal(set(config, "metaverse.local_port", "40300", ""), 0);
	assert_int_equal(config_get_int(config, "metaverse.local_port"), 40300);
	assert_true(config_is_set(config, "metaverse.local_port", &at));
	assert_int_equal(at.line, 0);
	assert_int_equal(set(config, "metaverse.local_port", "", ""), 0);
	assert_int_equal(config_get_int(config, "metaverse.local_port"), 40102);
	assert_false(config_is_set(config, "metaverse.local_port", NULL));

	assert_int_equal(set(config, "descriptors.world_name", "true", ""), 0);
	assert_string_equal(config_get_string(config, "descriptors.world_name"), "true");
	assert_int_equal(set(config, "webrtc.enable_webrtc", "false", ""), 0);
	assert_false(config_get_bool(config, "webrtc.enable_webrtc"));
	assert_int_equal(set(config, "descriptors.tags", "[\"a\"]", ""), 0);
	assert_int_equal(json_array_size(config_get_json(config, "descriptors.tags")), 1);
	assert_int_equal(set(config, "paths", "{\"/\": {}}", ""), 0);
	assert_int_equal(json_object_size(config_get_json(config, "paths")), 1);
}

static void test_set_refuses_what_loading_refuses(void **state)
{
	_cleanup_(config_freep) struct config *config = parse("{}", "");

	assert_int_equal(set(config, "metaverse.local_port", "many",
			     "metaverse.local_port: expected a whole number from 1 to 65535, "
			     "got \"many\""),
			 -EINVAL);
	assert_int_equal(
		set(config, "metaverse.port", "1", "metaverse.port: there is no such setting"),
		-ENOENT);
	assert_int_equal(
		set(config, "descriptors.tags", "[1]", "descriptors.tags[0]: expected text, got 1"),
		-EINVAL);
	assert_int_equal(config_get_int(config, "metaverse.local_port"), 40102);
}

static void test_copy_is_independent(void **state)
{
	_cleanup_(config_freep) struct config *config = parse(
						      "{ \"metaverse\": { \"local_port\": 7 } }",
						      ""),
					      *copy = config_copy(config);

	assert_int_equal(set(copy, "metaverse.local_port", "8", ""), 0);
	assert_int_equal(config_get_int(config, "metaverse.local_port"), 7);
	assert_int_equal(config_get_int(copy, "metaverse.local_port"), 8);
}

static struct config *load(void)
{
	struct config_report report = {0};
	struct config *config = NULL;

	assert_int_equal(config_load(schema, path, &config, &report), 0);
	config_report_done(&report);
	return config;
}

static void assert_file(const char *text)
{
	_cleanup_free_ char *data = NULL;
	size_t len;

	assert_int_equal(file_read(path, 10000, &data, &len), 0);
	assert_string_equal(data, text);
}

static void test_save_keeps_unknown_keys_and_order(void **state)
{
	static const char before[] =
		"{\"zebra\": [1.1, {\"y\": 0.1, \"x\": null}],\n"
		" \"webrtc\": {\"later\": \"é\", \"enable_webrtc\": true, \"#\": \"note\"},\n"
		" \"version\": 2.6, \"audio_env\": {\"noise_muting_threshold\": 0.003}}";
	static const char after[] = "{\n"
				    "    \"zebra\": [\n"
				    "        1.1,\n"
				    "        {\n"
				    "            \"y\": 0.1,\n"
				    "            \"x\": null\n"
				    "        }\n"
				    "    ],\n"
				    "    \"webrtc\": {\n"
				    "        \"later\": \"é\",\n"
				    "        \"enable_webrtc\": false,\n"
				    "        \"#\": \"note\"\n"
				    "    },\n"
				    "    \"version\": 2.6,\n"
				    "    \"audio_env\": {\n"
				    "        \"noise_muting_threshold\": 0.003\n"
				    "    },\n"
				    "    \"metaverse\": {\n"
				    "        \"local_port\": 40300\n"
				    "    }\n"
				    "}\n";
	struct json_position at;

	assert_int_equal(file_replace(path, before, strlen(before), 0600), 0);
	struct config *config = load();
	assert_int_equal(set(config, "webrtc.enable_webrtc", "false", ""), 0);
	assert_int_equal(set(config, "metaverse.local_port", "40300", ""), 0);
	assert_int_equal(config_save(config), 0);
	assert_file(after);
	assert_true(config_is_set(config, "metaverse.local_port", &at));
	assert_int_equal(at.line, 19);
	config = config_free(config);

	config = load();
	assert_int_equal(config_get_int(config, "metaverse.local_port"), 40300);
	config = config_free(config);
	assert_int_equal(unlink(path), 0);
}

static void test_failed_save_leaves_the_old_file(void **state)
{
	struct rlimit old, none;
	struct config *config;

	assert_int_equal(file_replace(path, "{}", 2, 0600), 0);
	config = load();
	assert_int_equal(set(config, "descriptors.world_name", "x", ""), 0);
	(void) signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	none = (struct rlimit){4, old.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	assert_int_equal(config_save(config), -EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_file("{}");
	assert_int_equal(config_save(config), 0);
	config = config_free(config);
	assert_int_equal(unlink(path), 0);
}

static void test_missing_file_means_defaults_and_can_be_saved(void **state)
{
	struct config *config = load();

	assert_int_equal(config_get_int(config, "metaverse.local_port"), 40102);
	assert_int_equal(config_save(config), 0);
	assert_file("{}\n");
	config = config_free(config);
	assert_int_equal(unlink(path), 0);
}

static void test_unreadable_file_is_an_error(void **state)
{
	struct config_report report = {0};
	struct config *config = NULL;

	assert_int_equal(config_load(schema, "/", &config, &report), -EISDIR);
	assert_string_equal(report.messages[0].text, "/: cannot read: Is a directory");
	assert_null(config);
	config_report_done(&report);
}

/* --- the schema --- */

static void test_every_setting_is_found_by_its_path(void **state)
{
	size_t n;
	const struct setting *settings = schema_settings(schema, &n);

	for (size_t i = 0; i < n; i++) {
		char name[128];

		(void) snprintf(name, sizeof(name), "%s%s%s", settings[i].group,
				*settings[i].group ? "." : "", settings[i].name);
		assert_ptr_equal(schema_find(schema, name), &settings[i]);
		assert_int_equal(schema_has_group(schema, settings[i].group),
				 *settings[i].group != 0);
	}
	assert_null(schema_find(schema, "metaverse"));
	assert_null(schema_find(schema, "metaverse."));
	assert_null(schema_find(schema, "local_port"));
	assert_true(schema_version(schema) == 2.6);
}

static void test_ports_are_those_of_the_table(void **state)
{
	_cleanup_(config_freep) struct config *config = parse("{}", "");

	assert_int_equal(config_get_int(config, "metaverse.local_port"),
			 port_get(PORT_DOMAIN)->number);
	assert_int_equal(config_get_int(config, "http.port"), port_get(PORT_HTTP)->number);
	assert_int_equal(config_get_int(config, "http.https_port"), port_get(PORT_HTTPS)->number);
	assert_int_equal(config_get_int(config, "monitoring.prometheus_exporter_port"),
			 port_get(PORT_METRICS)->number);
}

static void assert_bad_schema(const char *setting, const char *message)
{
	_cleanup_free_ char *text = NULL, *error = NULL, *expected = NULL;
	struct schema *bad = NULL;
	int n = asprintf(&text,
			 "{\"version\": 1, \"settings\": [{"
			 "\"name\": \"g\", \"label\": \"G\","
			 "\"settings\": [%s]}]}",
			 setting);

	assert_int_equal(file_replace(path, text, (size_t) n, 0600), 0);
	assert_int_equal(schema_load(path, &bad, &error), -EINVAL);
	assert_null(bad);
	assert_true(asprintf(&expected, "%s: %s", path, message) > 0);
	assert_string_equal(error, expected);
	assert_int_equal(unlink(path), 0);
}

static void test_mistakes_in_the_schema_are_found(void **state)
{
	assert_bad_schema("{\"name\": \"s\"}", "s: Object item not found: type");
	assert_bad_schema("{\"name\": \"s\", \"type\": \"int\", \"label\": \"\"}", "s: no help");
	assert_bad_schema("{\"name\": \"s\", \"type\": \"int\", \"label\": \"\", \"help\": \"\","
			  " \"colour\": 1}",
			  "s: 1 object item(s) left unpacked: colour");
	assert_bad_schema("{\"name\": \"s\", \"type\": \"i\", \"label\": \"\", \"help\": \"\"}",
			  "s: unknown type \"i\"");
	assert_bad_schema("{\"name\": \"s\", \"type\": \"string\", \"label\": \"\", \"help\": \"\","
			  " \"format\": \"x\"}",
			  "s: unknown format \"x\"");
	assert_bad_schema("{\"name\": \"s\", \"type\": \"int\", \"label\": \"\", \"help\": \"\","
			  " \"maximum\": 3, \"default\": 4}",
			  "default of s: expected a whole number of at most 3, got 4");
	assert_bad_schema("{\"name\": \"s\", \"type\": \"table\", \"label\": \"\", \"help\": \"\"}",
			  "s: a table has 1 to 32 columns");
	assert_bad_schema("{\"name\": \"s\", \"type\": \"int\", \"label\": \"\", \"help\": \"\","
			  " \"assignment-types\": [7]}",
			  "there is no such assignment type");
}

static void test_data_directory_can_be_moved(void **state)
{
	const char *before = getenv("HIFI_DATADIR");
	_cleanup_free_ char *saved = before ? strdup(before) : NULL, *error = NULL;
	struct schema *none = NULL;

	assert_int_equal(setenv("HIFI_DATADIR", dir, 1), 0);
	assert_string_equal(path_datadir(), dir);
	assert_int_equal(schema_load(NULL, &none, &error), -ENOENT);
	assert_int_equal(unsetenv("HIFI_DATADIR"), 0);
	assert_string_equal(path_datadir(), HIFI_DATADIR);
	if (saved)
		assert_int_equal(setenv("HIFI_DATADIR", saved, 1), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_syntax_errors),
		cmocka_unit_test(test_wrong_values),
		cmocka_unit_test(test_wrong_structure),
		cmocka_unit_test(test_errors_inside_lists_and_tables),
		cmocka_unit_test(test_columns_count_characters),
		cmocka_unit_test(test_messages_are_limited_but_counted),
		cmocka_unit_test(test_unknown_keys_are_warned_of_and_comments_are_not),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_numbers_and_booleans_in_every_form),
		cmocka_unit_test(test_table_rows_get_the_defaults_of_their_columns),
		cmocka_unit_test(test_origin),
		cmocka_unit_test(test_example_file),
		cmocka_unit_test(test_settings_for_each_assignment_type),
		cmocka_unit_test(test_settings_for_assignments_keep_the_declared_kind),
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_set_refuses_what_loading_refuses),
		cmocka_unit_test(test_copy_is_independent),
		cmocka_unit_test(test_save_keeps_unknown_keys_and_order),
		cmocka_unit_test(test_failed_save_leaves_the_old_file),
		cmocka_unit_test(test_missing_file_means_defaults_and_can_be_saved),
		cmocka_unit_test(test_unreadable_file_is_an_error),
		cmocka_unit_test(test_every_setting_is_found_by_its_path),
		cmocka_unit_test(test_ports_are_those_of_the_table),
		cmocka_unit_test(test_mistakes_in_the_schema_are_found),
		cmocka_unit_test(test_data_directory_can_be_moved),
	};

	return cmocka_run_group_tests_name("config", tests, load_schema, free_schema);
}
