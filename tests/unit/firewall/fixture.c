#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/macros.h"
#include "fixture.h"

static const char *in_tree(const char *path, const char *name)
{
	static char text[512];
	const char *top = getenv("TOP_SRCDIR");

	(void) snprintf(text, sizeof(text), "%s/%s%s", top ? top : ".", path, name);
	return text;
}

static int configure(struct plan *plan, const char *config_text, char **ret_error)
{
	_cleanup_(schema_freep) struct schema *schema = NULL;
	_cleanup_(config_freep) struct config *config = NULL;
	struct config_report report = {0};

	assert_int_equal(schema_load(in_tree("etc/settings-schema.json", ""), &schema, ret_error),
			 0);
	assert_int_equal(config_parse(schema, "domain.json", config_text, strlen(config_text),
				      &config, &report),
			 0);
	assert_int_equal(report.warnings, 0);
	config_report_done(&report);
	return plan_configure(plan, config, ret_error);
}

struct plan plan_of(const char *hats, const char *config)
{
	_cleanup_free_ char *unknown = NULL, *error = NULL;
	struct hat_set set = {0};
	struct plan plan;

	assert_int_equal(hat_set_add(&set, hats, &unknown), 0);
	plan_init(&plan, &set, 0);
	if (config)
		assert_int_equal(configure(&plan, config, &error), 0);
	return plan;
}

void assert_refused(const char *config, const char *message)
{
	struct plan plan = plan_of("", NULL);
	_cleanup_free_ char *error = NULL;

	assert_int_equal(configure(&plan, config, &error), -EINVAL);
	assert_string_equal(error, message);
}

json_t *json_of(const char *text)
{
	_cleanup_free_ char *copy = strdup(text);
	json_error_t error;
	json_t *json;

	for (char *c = copy; *c; c++)
		if (*c == '\'')
			*c = '"';
	json = json_loads(copy, 0, &error);
	if (!json)
		fail_msg("%s in %s", error.text, copy);
	return json;
}

json_t *listing_of(const char *name)
{
	char file[64];
	json_t *json;

	(void) snprintf(file, sizeof(file), "%s.json", name);
	json = json_load_file(in_tree("tests/unit/firewall/listings/", file), 0, NULL);
	assert_true(json_is_array(json));
	return json;
}

void assert_json_equal(const json_t *got, const char *expected)
{
	json_t *json = json_of(expected);

	if (!json_equal(got, json)) {
		_cleanup_free_ char *a = json_dumps(got, JSON_ENCODE_ANY);
		_cleanup_free_ char *b = json_dumps(json, 0);

		fail_msg("got\n%s\nexpected\n%s", a, b);
	}
	json_decref(json);
}
