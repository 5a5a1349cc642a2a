/* One setting as the schema describes it, and what values it takes.
 *
 * Many numbers are declared as text, because nodes of other makes read them only as text; and
 * people type numbers as text. So for a number both forms are always taken, as are "true" and 1
 * for true, and setting_normalise() brings them to the declared form. "" where a number or a
 * choice is expected means: not set. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "base/config-report.h"

enum setting_type {
	SETTING_BOOL,     /* "checkbox" */
	SETTING_INT,      /* "int" */
	SETTING_DOUBLE,   /* "double" */
	SETTING_STRING,   /* "string" */
	SETTING_PASSWORD, /* "password" */
	SETTING_SELECT,   /* "select": one of the options */
	SETTING_LIST,     /* "list": array of texts */
	SETTING_TABLE,    /* "table": array of objects; with a key column, object of objects */
};

/* What has to happen before a change is in effect. */
enum setting_restart {
	SETTING_RESTART_NONE,
	SETTING_RESTART_ASSIGNMENTS, /* the assignment clients that get it ask for it again */
	SETTING_RESTART_DOMAIN_SERVER,
};

/* Checks a text beyond its length; NULL: any text. */
struct setting_format {
	const char *name;
	const char *expected; /* "a UUID" */
	bool (*is_valid)(const char *text);
};

struct setting {
	const char *group; /* "" at the root; NULL for a column */
	const char *name;
	const char *label, *help, *unit; /* help and unit may be NULL */
	enum setting_type type;
	enum setting_type holds; /* what a SETTING_STRING is: text, or an int or double as text */
	double minimum, maximum; /* of a number; infinite when there is no limit */
	size_t length_max;       /* of a text, in characters */
	const struct setting_format *format;
	const json_t *default_value; /* or NULL */
	const json_t *options;       /* array of { value, label } */
	struct setting *columns;     /* of a table, or NULL */
	size_t n_columns;
	const char *key;           /* the column whose value is the member's name, or NULL */
	bool open;                 /* further columns are nobody's business */
	uint32_t assignment_types; /* bit mask of hats that are told */
	enum setting_restart restart;
	bool advanced, hidden, value_hidden, content, no_backup, deprecated;
};

/* NULL for an unknown one. */
const struct setting_format *setting_format_find(const char *name);
const struct setting *setting_column(const struct setting *table, const char *name);

/* True when the value can be used. Complains about everything that is wrong in it, and warns of
 * unknown columns. path is changed and restored. */
bool setting_check(const struct setting *setting, const json_t *value, struct json_path *path,
		   const struct config_source *source);

/* True for the values that stand for "not set": NULL, null, and "" unless "" is a text like
 * others. */
bool setting_is_unset(const struct setting *setting, const json_t *value);
/* A new reference: a value that passed setting_check() in its declared form, the default in
 * place of an unset one, or nothing of its type ("", 0, false, empty) when there is no default.
 * NULL when out of memory. */
json_t *setting_normalise(const struct setting *setting, const json_t *value);
/* The number a value means (a number, or a text that holds one). False when it is none. */
bool setting_number(const json_t *value, double *ret);
