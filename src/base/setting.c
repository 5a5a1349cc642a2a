#include "base/setting.h"

#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "base/uuid.h"

/* --- formats --- */

static bool is_uuid(const char *text)
{
	struct uuid u;

	return uuid_parse(text, &u) == 0;
}

static bool is_address(const char *text)
{
	uint8_t address[16];

	return inet_pton(AF_INET, text, address) == 1 || inet_pton(AF_INET6, text, address) == 1;
}

static bool is_subnet(const char *text)
{
	char address[INET6_ADDRSTRLEN] = "";
	uint8_t bytes[16];
	unsigned bits = 0;
	char slash = 0, end;
	int n;

	n = sscanf(text, "%45[^/]%c%3u%c", address, &slash, &bits, &end);
	if (n != 1 && (n != 3 || slash != '/'))
		return false;
	return (inet_pton(AF_INET, address, bytes) == 1 && bits <= 32) ||
	       (inet_pton(AF_INET6, address, bytes) == 1 && bits <= 128);
}

static const struct setting_format formats[] = {
	{"uuid", "a UUID", is_uuid},
	{"address", "an IP address", is_address},
	{"subnet", "an IP address or a subnet such as 10.0.0.0/8", is_subnet},
};

const struct setting_format *setting_format_find(const char *name)
{
	for (size_t i = 0; i < ELEMENTSOF(formats); i++)
		if (strcmp(formats[i].name, name) == 0)
			return &formats[i];
	return NULL;
}

/* --- what a setting takes --- */

static enum setting_type kind_of(const struct setting *setting)
{
	return setting->type == SETTING_STRING ? setting->holds : setting->type;
}

static bool is_numeric(const struct setting *setting)
{
	return kind_of(setting) == SETTING_INT || kind_of(setting) == SETTING_DOUBLE;
}

bool setting_number(const json_t *value, double *ret)
{
	const char *text = json_string_value(value);
	char *end;
	double v;

	if (json_is_number(value)) {
		*ret = json_number_value(value);
		return true;
	}
	/* strtod() also reads blanks, hexadecimals, "nan" and "inf". */
	if (!text || *text == 0 || text[strspn(text, "0123456789+-.eE")] != 0)
		return false;
	v = strtod(text, &end);
	if (*end != 0 || !isfinite(v))
		return false;
	*ret = v;
	return true;
}

/* 0 and 1, "false" and "true" are what web pages of several versions stored for a check box. */
static bool read_bool(const json_t *value, bool *ret)
{
	const char *text = json_string_value(value);

	if (json_is_boolean(value))
		*ret = json_is_true(value);
	else if (json_is_integer(value) && json_integer_value(value) >> 1 == 0)
		*ret = json_integer_value(value);
	else if (text && (strcmp(text, "true") == 0 || strcmp(text, "false") == 0))
		*ret = *text == 't';
	else
		return false;
	return true;
}

bool setting_is_unset(const struct setting *setting, const json_t *value)
{
	if (!value || json_is_null(value))
		return true;
	return (is_numeric(setting) || setting->type == SETTING_SELECT) && json_is_string(value) &&
	       json_string_length(value) == 0;
}

const struct setting *setting_column(const struct setting *table, const char *name)
{
	for (size_t i = 0; i < table->n_columns; i++)
		if (strcmp(table->columns[i].name, name) == 0)
			return &table->columns[i];
	return NULL;
}

static bool is_option(const struct setting *setting, const char *text)
{
	json_t *option;
	size_t i;

	json_array_foreach (setting->options, i, option)
		if (strcmp(json_string_value(json_object_get(option, "value")), text) == 0)
			return true;
	return false;
}

static bool fits_number(const struct setting *setting, const json_t *value)
{
	double v;

	if (!setting_number(value, &v) || v < setting->minimum || v > setting->maximum)
		return false;
	/* Beyond 2^53 a double has no room for every whole number. */
	return kind_of(setting) == SETTING_DOUBLE || (v == trunc(v) && fabs(v) <= 0x1p53);
}

static size_t count_characters(const char *utf8)
{
	size_t n = 0;

	for (; *utf8; utf8++)
		n += (*utf8 & 0xc0) != 0x80;
	return n;
}

/* "" is allowed in every format: nothing entered. */
static bool fits_text(const struct setting *setting, const json_t *value)
{
	const char *text = json_string_value(value);

	if (!text || count_characters(text) > setting->length_max)
		return false;
	return !setting->format || *text == 0 || setting->format->is_valid(text);
}

static bool fits(const struct setting *setting, const json_t *value)
{
	if (setting_is_unset(setting, value))
		return true;
	switch (kind_of(setting)) {
	case SETTING_BOOL:
		return read_bool(value, &(bool){false});
	case SETTING_INT:
	case SETTING_DOUBLE:
		return fits_number(setting, value);
	case SETTING_SELECT:
		return json_is_string(value) && is_option(setting, json_string_value(value));
	case SETTING_LIST:
		return json_is_array(value);
	case SETTING_TABLE:
		return setting->key ? json_is_object(value) : json_is_array(value);
	default:
		return fits_text(setting, value);
	}
}

/* --- complaints --- */

static void describe_number(const struct setting *setting, FILE *f)
{
	(void) fputs(kind_of(setting) == SETTING_INT ? "a whole number" : "a number", f);
	if (isfinite(setting->minimum) && isfinite(setting->maximum))
		(void) fprintf(f, " from %.15g to %.15g", setting->minimum, setting->maximum);
	else if (isfinite(setting->minimum))
		(void) fprintf(f, " of at least %.15g", setting->minimum);
	else if (isfinite(setting->maximum))
		(void) fprintf(f, " of at most %.15g", setting->maximum);
}

static void describe_options(const struct setting *setting, FILE *f)
{
	json_t *option;
	size_t i;

	(void) fputs("one of", f);
	json_array_foreach (setting->options, i, option)
		(void) fprintf(f, "%s \"%s\"", i > 0 ? "," : "",
			       json_string_value(json_object_get(option, "value")));
}

static void describe_text(const struct setting *setting, FILE *f)
{
	(void) fputs(setting->format ? setting->format->expected : "text", f);
	if (setting->length_max < SIZE_MAX)
		(void) fprintf(f, " of at most %zu characters", setting->length_max);
}

static void describe(const struct setting *setting, FILE *f)
{
	switch (kind_of(setting)) {
	case SETTING_BOOL:
		(void) fputs("true or false", f);
		break;
	case SETTING_INT:
	case SETTING_DOUBLE:
		describe_number(setting, f);
		break;
	case SETTING_SELECT:
		describe_options(setting, f);
		break;
	case SETTING_LIST:
		(void) fputs("a list of texts", f);
		break;
	case SETTING_TABLE:
		(void) fputs(setting->key ? "an object of objects" : "a list of objects", f);
		break;
	default:
		describe_text(setting, f);
	}
}

/* Scalars as they stand, at most this many bytes of them; containers in words. */
#define SHOWN_MAX 60

static void show(const json_t *value, FILE *f)
{
	_cleanup_free_ char *text = NULL;

	if (json_is_object(value)) {
		(void) fputs("an object", f);
	} else if (json_is_array(value)) {
		(void) fputs("a list", f);
	} else {
		text = json_dumps(value,
				  JSON_ENCODE_ANY | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(15));
		(void) fprintf(f, "%.*s%s", SHOWN_MAX, text ?: "",
			       text && strlen(text) > SHOWN_MAX ? "…" : "");
	}
}

static void complain(const struct setting *setting, const json_t *value,
		     const struct json_path *path, const struct config_source *source)
{
	char message[400] = "";
	FILE *f = fmemopen(message, sizeof(message), "w");

	if (f) {
		(void) fputs("expected ", f);
		describe(setting, f);
		(void) fputs(", got ", f);
		show(value, f);
		(void) fclose(f);
	}
	config_complain(source, LOG_ERR, path, "%s", message);
}

/* --- checking --- */

static bool check_list(const struct setting *setting, const json_t *list, struct json_path *path,
		       const struct config_source *source)
{
	const struct setting text = {
		.type = SETTING_STRING,
		.holds = SETTING_STRING,
		.length_max = setting->length_max,
		.format = setting->format,
	};
	bool ok = true;
	json_t *item;
	size_t i;

	json_array_foreach (list, i, item) {
		size_t before = json_path_add_index(path, i);

		if (!fits(&text, item) || json_is_null(item)) {
			complain(&text, item, path, source);
			ok = false;
		}
		json_path_cut(path, before);
	}
	return ok;
}

static bool check_row(const struct setting *table, const json_t *row, struct json_path *path,
		      const struct config_source *source)
{
	bool ok = true;
	const char *name;
	json_t *cell;

	if (!json_is_object(row)) {
		config_complain(source, LOG_ERR, path, "expected an object");
		return false;
	}
	json_object_foreach ((json_t *) row, name, cell) {
		const struct setting *column = setting_column(table, name);
		size_t before = json_path_add_key(path, name);

		if (column)
			ok &= setting_check(column, cell, path, source);
		else if (!table->open)
			config_complain(source, LOG_WARNING, path, "unknown column, kept");
		json_path_cut(path, before);
	}
	return ok;
}

static bool check_table(const struct setting *table, const json_t *value, struct json_path *path,
			const struct config_source *source)
{
	const char *name;
	bool ok = true;
	json_t *row;
	size_t i;

	json_array_foreach (value, i, row) {
		size_t before = json_path_add_index(path, i);

		ok &= check_row(table, row, path, source);
		json_path_cut(path, before);
	}
	json_object_foreach ((json_t *) value, name, row) {
		size_t before = json_path_add_key(path, name);

		ok &= check_row(table, row, path, source);
		json_path_cut(path, before);
	}
	return ok;
}

bool setting_check(const struct setting *setting, const json_t *value, struct json_path *path,
		   const struct config_source *source)
{
	if (!fits(setting, value)) {
		complain(setting, value, path, source);
		return false;
	}
	switch (setting->type) {
	case SETTING_LIST:
		return check_list(setting, value, path, source);
	case SETTING_TABLE:
		return check_table(setting, value, path, source);
	default:
		return true;
	}
}

/* --- the declared form --- */

static json_t *nothing(const struct setting *setting)
{
	switch (setting->type) {
	case SETTING_BOOL:
		return json_false();
	case SETTING_INT:
		return json_integer(0);
	case SETTING_DOUBLE:
		return json_real(0);
	case SETTING_LIST:
		return json_array();
	case SETTING_TABLE:
		return setting->key ? json_object() : json_array();
	default:
		return json_string("");
	}
}

static json_t *normalise_number(const struct setting *setting, const json_t *value)
{
	double v = 0;

	(void) setting_number(value, &v);
	switch (setting->type) {
	case SETTING_INT:
		return json_integer((json_int_t) v);
	case SETTING_DOUBLE:
		return json_real(v);
	default:
		return json_is_string(value) ? json_deep_copy(value) : json_sprintf("%.15g", v);
	}
}

static json_t *normalise_row(const struct setting *table, const json_t *row)
{
	json_t *copy = json_copy((json_t *) row);

	for (size_t i = 0; copy && i < table->n_columns; i++) {
		const struct setting *column = &table->columns[i];
		const json_t *cell = json_object_get(row, column->name);

		/* A box that is not there is not ticked; other cells may be missing. */
		if (setting_is_unset(column, cell) && !column->default_value &&
		    column->type != SETTING_BOOL)
			continue;
		if (json_object_set_new(copy, column->name, setting_normalise(column, cell)) < 0) {
			json_decref(copy);
			return NULL;
		}
	}
	return copy;
}

static json_t *normalise_table(const struct setting *table, const json_t *value)
{
	json_t *copy = table->key ? json_object() : json_array(), *row;
	const char *name;
	int r = 0;
	size_t i;

	json_array_foreach (value, i, row)
		r |= json_array_append_new(copy, normalise_row(table, row));
	json_object_foreach ((json_t *) value, name, row)
		r |= json_object_set_new(copy, name, normalise_row(table, row));
	if (r < 0) {
		json_decref(copy);
		return NULL;
	}
	return copy;
}

json_t *setting_normalise(const struct setting *setting, const json_t *value)
{
	bool on = false;

	if (setting_is_unset(setting, value)) {
		value = setting->default_value;
		if (setting_is_unset(setting, value))
			return nothing(setting);
	}
	if (is_numeric(setting))
		return normalise_number(setting, value);
	if (setting->type == SETTING_BOOL) {
		(void) read_bool(value, &on);
		return json_boolean(on);
	}
	return setting->type == SETTING_TABLE ? normalise_table(setting, value)
					      : json_deep_copy(value);
}
