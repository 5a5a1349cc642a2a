/* The configuration: a JSON file that the schema describes.
 *
 * What the file says is kept as it is, with unknown keys and the order of keys, and beside it
 * every setting in its declared form with defaults filled in: that is what the getters give. A
 * member whose name begins with "#" is a comment. Numbers may be written as text. Values are
 * borrowed until the next config_set() or config_free(). Thread: one at a time. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "base/config-report.h"
#include "base/schema.h"

#define CONFIG_SIZE_MAX (4 << 20)

struct config;

/* Reads and checks a file; one that does not exist means defaults. All errors go to report, with
 * file, line, column and key, and so do warnings about unknown keys. The configuration borrows
 * schema. 0; -EINVAL when there were errors; -errno when the file cannot be read (also in
 * report). *ret is untouched on failure, so a running configuration stays. */
int config_load(const struct schema *schema, const char *path, struct config **ret,
		struct config_report *report);
/* The same from text; path is its name in messages and where config_save() writes. */
int config_parse(const struct schema *schema, const char *path, const char *text, size_t len,
		 struct config **ret, struct config_report *report);
/* For changes that are made together or not at all: change the copy, save it, then replace the
 * original. NULL when out of memory. */
struct config *config_copy(const struct config *config);
struct config *config_free(struct config *config);
DEFINE_CLEANUP_FUNC(struct config *, config_free)

/* setting: "group.name", or "name" at the root. It must be in the schema and of that kind (a
 * text that holds a number has all three: int, double and string). */
bool config_get_bool(const struct config *config, const char *setting);
int64_t config_get_int(const struct config *config, const char *setting);
double config_get_double(const struct config *config, const char *setting);
const char *config_get_string(const struct config *config, const char *setting);
const json_t *config_get_json(const struct config *config, const char *setting);

/* True when the file or config_set() gave it a value; then *ret, when not NULL, is where in the
 * file that stands, line 0 after a change that has not been saved. */
bool config_is_set(const struct config *config, const char *setting, struct json_position *ret);

/* Checks and makes one change, in memory. NULL, null and, for anything but a list or a table, ""
 * go back to the default. value stays the caller's. 0, -ENOENT (no such setting), -EINVAL,
 * -ENOMEM; report (may not be NULL) says why. */
int config_set(struct config *config, const char *setting, const json_t *value,
	       struct config_report *report);
/* The same with the value as typed on a command line: words and numbers bare, lists and tables
 * as JSON. */
int config_set_text(struct config *config, const char *setting, const char *text,
		    struct config_report *report);

/* Rewrites the file in one step. On failure (-errno) the old file is as it was. */
int config_save(struct config *config);
/* What config_save() would write, without defaults. Borrowed. */
const json_t *config_json(const struct config *config);

/* What an assignment of this type is told (protocol 02 section 10): a new reference, NULL when
 * out of memory. */
json_t *config_settings_for_assignment(const struct config *config, unsigned type);
