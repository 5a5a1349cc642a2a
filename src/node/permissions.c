#include "node/permissions.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/macros.h"

#define COLUMN_PREFIX "id_can_"

static const struct column {
	uint32_t bit;
	const char *name;
} COLUMNS[] = {
#define X(constant, bit, column) {PERMISSION_##constant, column},
	PERMISSIONS(X)
#undef X
};

static bool value_is_true(const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_TRUE:
		return true;
	case JSON_INTEGER:
	case JSON_REAL:
		return json_number_value(value) != 0;
	case JSON_STRING:
		return strcasecmp(json_string_value(value), "true") == 0 ||
		       strcmp(json_string_value(value), "1") == 0;
	default:
		return false;
	}
}

uint32_t permissions_from_json(const json_t *row)
{
	uint32_t permissions = 0;

	for (size_t i = 0; i < ELEMENTSOF(COLUMNS); i++) {
		const json_t *value = json_object_get(row, COLUMNS[i].name);

		if (value && value_is_true(value))
			permissions |= COLUMNS[i].bit;
	}
	return permissions;
}

int permissions_to_json(uint32_t permissions, json_t *row)
{
	for (size_t i = 0; i < ELEMENTSOF(COLUMNS); i++)
		if (json_object_set_new(row, COLUMNS[i].name,
					json_boolean(permissions & COLUMNS[i].bit)) < 0)
			return -ENOMEM;
	return 0;
}

json_t *permissions_names(uint32_t permissions)
{
	json_t *names = json_array();

	for (size_t i = 0; names && i < ELEMENTSOF(COLUMNS); i++) {
		if (!(permissions & COLUMNS[i].bit))
			continue;
		if (json_array_append_new(
			    names, json_string(COLUMNS[i].name + strlen(COLUMN_PREFIX))) < 0) {
			json_decref(names);
			return NULL;
		}
	}
	return names;
}
