/* The description of every setting: settings-schema.json in the data directory. It drives
 * validation, defaults, what mixers are told, the panel's forms and the manual.
 *
 * The file is close to the description file of other domain-servers, with their group and
 * setting names (protocol 09 section 4): { "version": 2.6, "settings": [ group … ] }. A group
 * without a name puts its settings at the root. Beyond those members a setting has: minimum,
 * maximum, unit   of a number holds                    "int" or "double": what the text of a
 * "string" is format                   "uuid", "address", "subnet"; of a text, or of each text
 * in a "list" max-length               of a text, in characters restart                  "none",
 * "assignments", "domain-server" (also of a group) open                     of a table: columns
 * that are not named are fine */
#pragma once

#include "base/setting.h"

#define SCHEMA_SIZE_MAX (1 << 20)

struct schema;

/* path: NULL for the installed file. 0, or -errno with what is wrong in *ret_error (heap, may be
 * NULL); the file ships with us, so the first mistake is enough. */
int schema_load(const char *path, struct schema **ret, char **ret_error);
struct schema *schema_free(struct schema *schema);
DEFINE_CLEANUP_FUNC(struct schema *, schema_free)

/* "group.name", or "name" at the root. NULL when unknown. */
const struct setting *schema_find(const struct schema *schema, const char *path);
bool schema_has_group(const struct schema *schema, const char *name);
/* All settings in the order of the file. */
const struct setting *schema_settings(const struct schema *schema, size_t *ret_n);
double schema_version(const struct schema *schema);
/* The file itself, for the panel. Borrowed. */
const json_t *schema_json(const struct schema *schema);
