/* A configuration file against the schema that ships: whatever is accepted can be read with every
 * getter, and what would be saved is accepted again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct schema *load_schema(void)
{
	_cleanup_free_ char *path = NULL, *error = NULL;
	const char *top = getenv("TOP_SRCDIR");
	struct schema *schema = NULL;

	if (asprintf(&path, "%s/etc/settings-schema.json", top ? top : ".") < 0 ||
	    schema_load(path, &schema, &error) < 0) {
		(void) fprintf(stderr, "%s\n", error);
		abort();
	}
	return schema;
}

static void read_all(const struct schema *schema, const struct config *config)
{
	size_t n;
	const struct setting *settings = schema_settings(schema, &n);
	struct json_position at;

	for (size_t i = 0; i < n; i++) {
		const struct setting *s = &settings[i];
		char name[128];

		(void) snprintf(name, sizeof(name), "%s%s%s", s->group, *s->group ? "." : "",
				s->name);
		if (s->type == SETTING_BOOL)
			(void) config_get_bool(config, name);
		else if (s->type == SETTING_STRING || s->type == SETTING_SELECT)
			(void) config_get_string(config, name);
		else if (s->type == SETTING_INT)
			(void) config_get_int(config, name);
		if (config_is_set(config, name, &at) && at.line == 0)
			abort();
	}
	for (unsigned type = 0; type < 8; type++)
		json_decref(config_settings_for_assignment(config, type));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct schema *schema;
	struct config_report report = {0}, again = {0};
	struct config *config = NULL, *back = NULL;
	char *text;

	if (!schema)
		schema = load_schema();
	if (config_parse(schema, "fuzz", (const char *) data, size, &config, &report) == 0) {
		read_all(schema, config);
		text = json_dumps(config_json(config), JSON_REAL_PRECISION(15));
		if (!text || config_parse(schema, "fuzz", text, strlen(text), &back, &again) < 0)
			abort();
		free(text);
	} else if (report.errors == 0) {
		abort();
	}
	config_report_done(&report);
	config_report_done(&again);
	config = config_free(config);
	back = config_free(back);
	return 0;
}
