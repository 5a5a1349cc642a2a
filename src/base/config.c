#include "base/config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "base/file.h"

#define FILE_MODE  0640 /* of a new file: it may hold secrets */
#define DUMP_FLAGS (JSON_INDENT(4) | JSON_REAL_PRECISION(15))

struct config {
	const struct schema *schema;
	char *path;
	char *text; /* what stored was parsed from, for positions */
	size_t len;
	json_t *stored;    /* as in the file */
	json_t *effective; /* all settings, declared form, defaults filled in */
};

struct config *config_free(struct config *config)
{
	if (config) {
		json_decref(config->stored);
		json_decref(config->effective);
		free(config->text);
		free(config->path);
		free(config);
	}
	return NULL;
}

/* --- trees of the form { group: { name: value }, name: value } --- */

static json_t *tree_get(const json_t *tree, const struct setting *s)
{
	return json_object_get(*s->group ? json_object_get(tree, s->group) : tree, s->name);
}

/* Takes value. */
static int tree_set(json_t *tree, const struct setting *s, json_t *value)
{
	json_t *group = *s->group ? json_object_get(tree, s->group) : tree;

	if (!group) {
		group = json_object();
		if (json_object_set_new(tree, s->group, group) < 0) {
			json_decref(value);
			return -ENOMEM;
		}
	}
	return json_object_set_new(group, s->name, value) < 0 ? -ENOMEM : 0;
}

static void tree_remove(json_t *tree, const struct setting *s)
{
	json_t *group = *s->group ? json_object_get(tree, s->group) : tree;

	if (group)
		(void) json_object_del(group, s->name);
}

static int make_effective(struct config *config)
{
	size_t n;
	const struct setting *settings = schema_settings(config->schema, &n);
	int r = 0;

	config->effective = json_object();
	if (!config->effective)
		return -ENOMEM;
	for (size_t i = 0; i < n && r >= 0; i++) {
		const struct setting *s = &settings[i];

		r = tree_set(config->effective, s,
			     setting_normalise(s, tree_get(config->stored, s)));
	}
	return r;
}

/* --- reading --- */

static bool is_comment(const char *name)
{
	return name[0] == '#';
}

static bool check_member(const struct schema *schema, const char *name, const json_t *value,
			 struct json_path *path, const struct config_source *source)
{
	size_t before = json_path_add_key(path, name);
	const struct setting *s = schema_find(schema, path->text);
	bool ok = true;

	if (s)
		ok = setting_check(s, value, path, source);
	else if (!is_comment(name))
		config_complain(source, LOG_WARNING, path, "unknown setting, kept");
	json_path_cut(path, before);
	return ok;
}

static bool check_group(const struct schema *schema, const char *name, const json_t *group,
			const struct config_source *source)
{
	struct json_path path = {0};
	const char *member;
	bool ok = true;
	json_t *value;

	(void) json_path_add_key(&path, name);
	if (!json_is_object(group)) {
		config_complain(source, LOG_ERR, &path, "expected an object with settings");
		return false;
	}
	json_object_foreach ((json_t *) group, member, value)
		ok &= check_member(schema, member, value, &path, source);
	return ok;
}

static bool check_tree(const struct schema *schema, const json_t *root,
		       const struct config_source *source)
{
	struct json_path path = {0};
	const char *name;
	bool ok = true;
	json_t *value;

	if (!json_is_object(root)) {
		config_complain(source, LOG_ERR, &path,
				"expected an object with groups of settings");
		return false;
	}
	json_object_foreach ((json_t *) root, name, value) {
		if (schema_has_group(schema, name))
			ok &= check_group(schema, name, value, source);
		else if (strcmp(name, "version") != 0)
			ok &= check_member(schema, name, value, &path, source);
	}
	return ok;
}

static int parse(struct config *config, struct config_report *report)
{
	struct config_source source = {report, config->path, config->text, config->len, NULL};
	json_error_t error;

	config->stored = json_loadb(config->text, config->len, JSON_REJECT_DUPLICATES, &error);
	if (!config->stored) {
		config_complain_at(
			&source,
			(struct json_position){(unsigned) error.line, (unsigned) error.column},
			"%s", error.text);
		return -EINVAL;
	}
	source.root = config->stored;
	if (!check_tree(config->schema, config->stored, &source))
		return -EINVAL;
	return make_effective(config);
}

/* Takes text, also on failure. */
static int config_new(const struct schema *schema, const char *path, char *text, size_t len,
		      struct config **ret, struct config_report *report)
{
	_cleanup_(config_freep) struct config *config = calloc(1, sizeof(*config));
	int r;

	if (!config) {
		free(text);
		return -ENOMEM;
	}
	config->schema = schema;
	config->text = text;
	config->len = len;
	config->path = strdup(path);
	if (!config->text || !config->path)
		return -ENOMEM;
	r = parse(config, report);
	if (r < 0)
		return r;

	*ret = TAKE_PTR(config);
	return 0;
}

int config_parse(const struct schema *schema, const char *path, const char *text, size_t len,
		 struct config **ret, struct config_report *report)
{
	char *copy = malloc(len + 1);

	if (copy) {
		memcpy(copy, text, len);
		copy[len] = 0;
	}
	return config_new(schema, path, copy, len, ret, report);
}

int config_load(const struct schema *schema, const char *path, struct config **ret,
		struct config_report *report)
{
	char *text;
	size_t len;
	int r;

	r = file_read(path, CONFIG_SIZE_MAX, &text, &len);
	if (r == -ENOENT)
		return config_parse(schema, path, "{}", 2, ret, report);
	if (r < 0) {
		config_complain(&(struct config_source){.report = report, .file = path}, LOG_ERR,
				&(struct json_path){0}, "cannot read: %s", strerror(-r));
		return r;
	}
	return config_new(schema, path, text, len, ret, report);
}

struct config *config_copy(const struct config *config)
{
	_cleanup_(config_freep) struct config *copy = calloc(1, sizeof(*copy));

	if (!copy)
		return NULL;
	copy->schema = config->schema;
	copy->len = config->len;
	copy->path = strdup(config->path);
	copy->text = config->text ? strdup(config->text) : NULL;
	copy->stored = json_deep_copy(config->stored);
	copy->effective = json_deep_copy(config->effective);
	if (!copy->path || !copy->text != !config->text || !copy->stored || !copy->effective)
		return NULL;
	return TAKE_PTR(copy);
}

/* --- getting --- */

static const json_t *get(const struct config *config, const char *setting)
{
	const struct setting *s = schema_find(config->schema, setting);

	assert(s);
	return tree_get(config->effective, s);
}

bool config_get_bool(const struct config *config, const char *setting)
{
	const json_t *value = get(config, setting);

	assert(json_is_boolean(value));
	return json_is_true(value);
}

double config_get_double(const struct config *config, const char *setting)
{
	const json_t *value = get(config, setting);
	double v = 0;

	/* A text that holds a number is empty when it has no default: 0. */
	(void) setting_number(value, &v);
	return v;
}

int64_t config_get_int(const struct config *config, const char *setting)
{
	return (int64_t) config_get_double(config, setting);
}

const char *config_get_string(const struct config *config, const char *setting)
{
	const json_t *value = get(config, setting);

	assert(json_is_string(value));
	return json_string_value(value);
}

const json_t *config_get_json(const struct config *config, const char *setting)
{
	return get(config, setting);
}

bool config_is_set(const struct config *config, const char *setting, struct json_position *ret)
{
	const struct setting *s = schema_find(config->schema, setting);

	assert(s);
	if (setting_is_unset(s, tree_get(config->stored, s)))
		return false;
	if (ret && (!config->text ||
		    !json_position_find(config->text, config->len, config->stored, setting, ret)))
		*ret = (struct json_position){0};
	return true;
}

/* --- changing --- */

static bool means_default(const struct setting *s, const json_t *value)
{
	return setting_is_unset(s, value) ||
	       (json_is_string(value) && json_string_length(value) == 0);
}

int config_set(struct config *config, const char *setting, const json_t *value,
	       struct config_report *report)
{
	const struct setting *s = schema_find(config->schema, setting);
	const struct config_source source = {.report = report};
	struct json_path path = {0};
	int r = 0;

	path.len = strnlen(setting, sizeof(path.text) - 1);
	memcpy(path.text, setting, path.len);
	if (!s) {
		config_complain(&source, LOG_ERR, &path, "there is no such setting");
		return -ENOENT;
	}
	if (!setting_check(s, value, &path, &source))
		return -EINVAL;

	/* The tree will not be what the text says any more. */
	free(config->text);
	config->text = NULL;
	config->len = 0;
	if (means_default(s, value))
		tree_remove(config->stored, s);
	else
		r = tree_set(config->stored, s, json_deep_copy(value));
	return r < 0 ? r
		     : tree_set(config->effective, s,
				setting_normalise(s, tree_get(config->stored, s)));
}

static json_t *value_of_text(const struct setting *s, const char *text)
{
	json_t *value;

	switch (s->type) {
	case SETTING_STRING:
	case SETTING_PASSWORD:
	case SETTING_SELECT:
		return json_string(text);
	default:
		value = json_loads(text, JSON_DECODE_ANY, NULL);
		return value ? value : json_string(text);
	}
}

int config_set_text(struct config *config, const char *setting, const char *text,
		    struct config_report *report)
{
	const struct setting *s = schema_find(config->schema, setting);
	json_t *value = s ? value_of_text(s, text) : NULL;
	int r = config_set(config, setting, value, report);

	json_decref(value);
	return r;
}

int config_save(struct config *config)
{
	_cleanup_free_ char *dump = json_dumps(config->stored, DUMP_FLAGS), *text = NULL;
	int n, r;

	n = dump ? asprintf(&text, "%s\n", dump) : -1;
	if (n < 0)
		return -ENOMEM;
	r = file_replace(config->path, text, (size_t) n, FILE_MODE);
	if (r < 0)
		return r;

	free(config->text);
	config->text = TAKE_PTR(text);
	config->len = (size_t) n;
	return 0;
}

const json_t *config_json(const struct config *config)
{
	return config->stored;
}

json_t *config_settings_for_assignment(const struct config *config, unsigned type)
{
	size_t n;
	const struct setting *settings = schema_settings(config->schema, &n);
	json_t *tree = json_pack("{s:f}", "version", schema_version(config->schema));

	for (size_t i = 0; tree && i < n; i++) {
		const struct setting *s = &settings[i];

		if (type >= 32 || !(s->assignment_types >> type & 1) || s->value_hidden)
			continue;
		if (tree_set(tree, s, json_deep_copy(tree_get(config->effective, s))) < 0) {
			json_decref(tree);
			return NULL;
		}
	}
	return tree;
}
