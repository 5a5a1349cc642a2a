#include "base/schema.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "base/file.h"
#include "base/hats.h"
#include "base/paths.h"

#define SETTINGS_MAX 512
#define COLUMNS_MAX  32

struct schema {
	json_t *json;
	double version;
	struct setting *settings;
	size_t n;
};

struct schema *schema_free(struct schema *schema)
{
	if (schema) {
		for (size_t i = 0; i < schema->n; i++)
			free(schema->settings[i].columns);
		free(schema->settings);
		json_decref(schema->json);
		free(schema);
	}
	return NULL;
}

/* --- words --- */

static const char *const type_names[] = {
	[SETTING_BOOL] = "checkbox", [SETTING_INT] = "int",           [SETTING_DOUBLE] = "double",
	[SETTING_STRING] = "string", [SETTING_PASSWORD] = "password", [SETTING_SELECT] = "select",
	[SETTING_LIST] = "list",     [SETTING_TABLE] = "table",
};

static const char *const restart_names[] = {
	[SETTING_RESTART_NONE] = "none",
	[SETTING_RESTART_ASSIGNMENTS] = "assignments",
	[SETTING_RESTART_DOMAIN_SERVER] = "domain-server",
};

static int word_index(const char *const *words, size_t n, const char *word)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(words[i], word) == 0)
			return (int) i;
	return -EINVAL;
}

/* --- reading one setting --- */

/* What a setting has from its group. */
struct group {
	const char *name;
	uint32_t assignment_types;
	enum setting_restart restart;
	bool advanced, hidden;
};

static int complain(char **ret_error, const char *format, ...) _printf_(2, 3);

static int complain(char **ret_error, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	if (vasprintf(ret_error, format, ap) < 0)
		*ret_error = NULL;
	va_end(ap);
	return -EINVAL;
}

static int read_types(const json_t *list, uint32_t *ret, char **ret_error)
{
	json_t *item;
	size_t i;

	if (!list)
		return 0;
	*ret = 0;
	json_array_foreach (list, i, item) {
		json_int_t number = json_integer_value(item);

		if (!json_is_integer(item) || number < 0 || number >= HAT_COUNT)
			return complain(ret_error, "there is no such assignment type");
		*ret |= UINT32_C(1) << number;
	}
	return 0;
}

static int read_restart(const char *word, enum setting_restart *ret, char **ret_error)
{
	int i = word ? word_index(restart_names, ELEMENTSOF(restart_names), word) : (int) *ret;

	if (i < 0)
		return complain(ret_error, "unknown restart \"%s\"", word);
	*ret = (enum setting_restart) i;
	return 0;
}

static int read_setting(json_t *json, const struct group *group, struct setting *ret,
			char **ret_error);

static int read_columns(const json_t *columns, struct setting *s, char **ret_error)
{
	size_t n = json_array_size(columns);

	if (n == 0 || n > COLUMNS_MAX)
		return complain(ret_error, "%s: a table has 1 to %d columns", s->name, COLUMNS_MAX);
	s->columns = calloc(n, sizeof(*s->columns));
	if (!s->columns)
		return -ENOMEM;
	for (; s->n_columns < n; s->n_columns++) {
		struct setting *column = &s->columns[s->n_columns];
		json_t *json = json_array_get(columns, s->n_columns);
		int r = read_setting(json, NULL, column, ret_error);

		if (r < 0)
			return r;
	}
	return 0;
}

static int read_options(const json_t *options, const struct setting *s, char **ret_error)
{
	json_t *option;
	size_t i;

	json_array_foreach (options, i, option)
		if (!json_is_string(json_object_get(option, "value")) ||
		    !json_is_string(json_object_get(option, "label")))
			return complain(ret_error, "%s: an option needs value and label", s->name);
	return json_array_size(options) > 0 ? 0 : complain(ret_error, "%s: no options", s->name);
}

static int read_words(struct setting *s, const char *type, const char *holds, const char *format,
		      char **ret_error)
{
	int i = word_index(type_names, ELEMENTSOF(type_names), type);

	if (i < 0)
		return complain(ret_error, "%s: unknown type \"%s\"", s->name, type);
	s->type = (enum setting_type) i;

	i = holds ? word_index(type_names, SETTING_STRING, holds) : SETTING_STRING;
	if (i < 0)
		return complain(ret_error, "%s: cannot hold \"%s\"", s->name, holds);
	s->holds = (enum setting_type) i;

	s->format = format ? setting_format_find(format) : NULL;
	if (format && !s->format)
		return complain(ret_error, "%s: unknown format \"%s\"", s->name, format);
	return 0;
}

static int check_default(const struct setting *s, char **ret_error)
{
	struct config_report report = {0};
	struct json_path path = {0};
	int r = 0;

	if (!s->default_value)
		return 0;
	(void) json_path_add_key(&path, s->name);
	(void) setting_check(s, s->default_value, &path, &(struct config_source){&report});
	if (report.errors + report.warnings > 0)
		r = complain(ret_error, "default of %s",
			     report.n > 0 ? report.messages[0].text : s->name);
	config_report_done(&report);
	return r;
}

/* group: NULL for a column. On failure s->columns may be allocated all the same. */
static int read_setting(json_t *json, const struct group *group, struct setting *s,
			char **ret_error)
{
	const char *type = NULL, *holds = NULL, *format = NULL, *restart = NULL;
	json_t *types = NULL, *columns = NULL;
	int open = 0, advanced = group && group->advanced, hidden = group && group->hidden;
	int value_hidden = 0, content = 0, backup = 1, deprecated = 0;
	json_int_t length_max = -1;
	json_error_t error;
	int r;

	*s = (struct setting){.group = group ? group->name : NULL,
			      .minimum = -INFINITY,
			      .maximum = INFINITY,
			      .assignment_types = group ? group->assignment_types : 0,
			      .restart = group ? group->restart : SETTING_RESTART_NONE};
	if (json_unpack_ex(json, &error, 0,
			   "{s:s, s:s, s:s, s?s, s?s, s?s, s?s, s?o, s?F, s?F, s?I, s?o, s?o, s?s,"
			   " s?b, s?o, s?s, s?b, s?b, s?b, s?b, s?b, s?b !}",
			   "name", &s->name, "type", &type, "label", &s->label, "help", &s->help,
			   "unit", &s->unit, "holds", &holds, "format", &format, "default",
			   &s->default_value, "minimum", &s->minimum, "maximum", &s->maximum,
			   "max-length", &length_max, "options", &s->options, "columns", &columns,
			   "key", &s->key, "open", &open, "assignment-types", &types, "restart",
			   &restart, "advanced", &advanced, "hidden", &hidden, "value-hidden",
			   &value_hidden, "content_setting", &content, "backup", &backup,
			   "deprecated", &deprecated) < 0)
		return complain(ret_error, "%s: %s", s->name ?: "a setting", error.text);
	s->length_max = length_max >= 0 ? (size_t) length_max : SIZE_MAX;
	s->open = open;
	s->advanced = advanced;
	s->hidden = hidden;
	s->value_hidden = value_hidden;
	s->content = content;
	s->no_backup = !backup;
	s->deprecated = deprecated;

	if (group && !s->help)
		return complain(ret_error, "%s: no help", s->name);
	r = read_words(s, type, holds, format, ret_error);
	if (r >= 0)
		r = read_types(types, &s->assignment_types, ret_error);
	if (r >= 0)
		r = read_restart(restart, &s->restart, ret_error);
	if (r >= 0 && s->type == SETTING_TABLE)
		r = group ? read_columns(columns, s, ret_error)
			  : complain(ret_error, "%s: a table in a table", s->name);
	if (r >= 0 && s->type == SETTING_SELECT)
		r = read_options(s->options, s, ret_error);
	return r < 0 ? r : check_default(s, ret_error);
}

/* --- reading the file --- */

static int read_group(struct schema *schema, json_t *json, char **ret_error)
{
	struct group group = {.name = ""};
	const char *label = NULL, *help = NULL, *restart = NULL;
	int advanced = 0, hidden = 0, r;
	json_t *types = NULL, *settings, *item;
	json_error_t error;
	size_t i;

	if (json_unpack_ex(json, &error, 0, "{s?s, s:s, s?s, s?o, s?s, s?b, s?b, s:o !}", "name",
			   &group.name, "label", &label, "help", &help, "assignment-types", &types,
			   "restart", &restart, "advanced", &advanced, "hidden", &hidden,
			   "settings", &settings) < 0)
		return complain(ret_error, "group \"%s\": %s", group.name, error.text);
	group.advanced = advanced;
	group.hidden = hidden;
	r = read_types(types, &group.assignment_types, ret_error);
	if (r >= 0)
		r = read_restart(restart, &group.restart, ret_error);

	json_array_foreach (settings, i, item) {
		if (r < 0)
			return r;
		if (schema->n == SETTINGS_MAX)
			return complain(ret_error, "more than %d settings", SETTINGS_MAX);
		r = read_setting(item, &group, &schema->settings[schema->n++], ret_error);
	}
	return r;
}

static int read_groups(struct schema *schema, char **ret_error)
{
	json_t *groups, *group;
	json_error_t error;
	size_t i;
	int r;

	if (json_unpack_ex(schema->json, &error, 0, "{s:F, s:o !}", "version", &schema->version,
			   "settings", &groups) < 0)
		return complain(ret_error, "%s", error.text);
	schema->settings = calloc(SETTINGS_MAX, sizeof(*schema->settings));
	if (!schema->settings)
		return -ENOMEM;
	json_array_foreach (groups, i, group) {
		r = read_group(schema, group, ret_error);
		if (r < 0)
			return r;
	}
	return 0;
}

static int load(const char *path, struct schema **ret, char **ret_error)
{
	_cleanup_(schema_freep) struct schema *schema = calloc(1, sizeof(*schema));
	_cleanup_free_ char *text = NULL;
	json_error_t error;
	size_t len;
	int r;

	if (!schema)
		return -ENOMEM;
	r = file_read(path, SCHEMA_SIZE_MAX, &text, &len);
	if (r < 0)
		return r;
	schema->json = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
	if (!schema->json)
		return complain(ret_error, "%d:%d: %s", error.line, error.column, error.text);
	r = read_groups(schema, ret_error);
	if (r < 0)
		return r;

	*ret = TAKE_PTR(schema);
	return 0;
}

int schema_load(const char *path, struct schema **ret, char **ret_error)
{
	_cleanup_free_ char *installed = NULL, *reason = NULL;
	int r;

	*ret_error = NULL;
	if (!path) {
		if (asprintf(&installed, "%s/settings-schema.json", path_datadir()) < 0)
			return -ENOMEM;
		path = installed;
	}
	r = load(path, ret, &reason);
	if (r < 0 && asprintf(ret_error, "%s: %s", path, reason ?: strerror(-r)) < 0)
		*ret_error = NULL;
	return r;
}

/* --- looking up --- */

const struct setting *schema_find(const struct schema *schema, const char *path)
{
	for (size_t i = 0; i < schema->n; i++) {
		const struct setting *s = &schema->settings[i];
		size_t len = strlen(s->group);

		if (len == 0 ? strcmp(path, s->name) == 0
			     : strncmp(path, s->group, len) == 0 && path[len] == '.' &&
				       strcmp(path + len + 1, s->name) == 0)
			return s;
	}
	return NULL;
}

bool schema_has_group(const struct schema *schema, const char *name)
{
	for (size_t i = 0; i < schema->n; i++)
		if (*name && strcmp(schema->settings[i].group, name) == 0)
			return true;
	return false;
}

const struct setting *schema_settings(const struct schema *schema, size_t *ret_n)
{
	*ret_n = schema->n;
	return schema->settings;
}

double schema_version(const struct schema *schema)
{
	return schema->version;
}

const json_t *schema_json(const struct schema *schema)
{
	return schema->json;
}
