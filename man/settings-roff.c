/* Writes domain.json(5): its frame from standard input, with the line "@settings@" replaced by what
 * settings-schema.json, named on the command line, says of each setting. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

/* roff takes backslashes, and dots and quotes at the start of a line, for its own. */
static void print_text(const char *text)
{
	for (const char *p = text; *p; p++) {
		if (*p == '\\')
			fputs("\\e", stdout);
		else if (*p == '-')
			fputs("\\-", stdout);
		else if ((*p == '.' || *p == '\'') && (p == text || p[-1] == '\n'))
			printf("\\&%c", *p);
		else
			putchar(*p);
	}
}

static const char *string_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

static void print_number(const char *before, const json_t *number)
{
	if (json_is_number(number))
		printf("%s%g", before, json_number_value(number));
}

static void print_options(const json_t *options)
{
	const json_t *option;
	size_t i;

	printf("One of ");
	json_array_foreach (options, i, option) {
		const char *after = i + 1 == json_array_size(options)   ? ""
				    : i + 2 == json_array_size(options) ? " or "
									: ", ";

		print_text(string_of(option, "value"));
		printf(" (%s)%s", string_of(option, "label"), after);
	}
	puts(".");
}

static void print_columns(const json_t *columns)
{
	const json_t *column;
	size_t i;

	printf("Columns:\n");
	json_array_foreach (columns, i, column) {
		printf(".B ");
		print_text(string_of(column, "name"));
		printf("\n(%s)%s\n", string_of(column, "label"),
		       i + 1 == json_array_size(columns) ? "." : ",");
	}
}

/* Tables are too long to print, and the schema has them; an empty text goes without saying. */
static void print_default(const json_t *value)
{
	_Bool is_empty = json_is_string(value) && json_string_length(value) == 0;
	char *text;

	if (!value || is_empty || json_is_array(value) || json_is_object(value))
		return;
	text = json_dumps(value, JSON_ENCODE_ANY);
	if (!text)
		exit(EXIT_FAILURE);
	printf("Default: ");
	print_text(text);
	puts(".");
	free(text);
}

static void print_setting(const char *group, const json_t *setting)
{
	const char *unit = string_of(setting, "unit"), *holds = string_of(setting, "holds");
	const json_t *low = json_object_get(setting, "minimum"),
		     *high = json_object_get(setting, "maximum");

	printf(".TP\n.B ");
	print_text(group);
	putchar(*group ? '.' : ' ');
	print_text(string_of(setting, "name"));
	printf("\n(\\fI%s\\fR%s)\n", *holds ? holds : string_of(setting, "type"),
	       *holds ? ", or as text" : "");
	print_text(string_of(setting, "help"));
	putchar('\n');
	if (low || high || *unit) {
		printf("Range:");
		print_number(" from ", low);
		print_number(" to ", high);
		printf("%s%s.\n", *unit ? " in " : "", unit);
	}
	if (json_object_get(setting, "options"))
		print_options(json_object_get(setting, "options"));
	if (json_object_get(setting, "columns"))
		print_columns(json_object_get(setting, "columns"));
	print_default(json_object_get(setting, "default"));
}

static _Bool is_hidden(const json_t *object)
{
	return json_is_true(json_object_get(object, "hidden")) ||
	       json_is_true(json_object_get(object, "deprecated"));
}

static void print_settings(const json_t *schema)
{
	const json_t *group, *setting;
	size_t i, j;

	json_array_foreach (json_object_get(schema, "settings"), i, group) {
		_Bool is_first = 1;

		if (is_hidden(group))
			continue;
		json_array_foreach (json_object_get(group, "settings"), j, setting) {
			if (is_hidden(setting))
				continue;
			if (is_first)
				printf(".SS %s\n", string_of(group, "label"));
			is_first = 0;
			print_setting(string_of(group, "name"), setting);
		}
	}
}

int main(int argc, char **argv)
{
	json_error_t error;
	json_t *schema = argc == 2 ? json_load_file(argv[1], 0, &error) : NULL;
	char line[4096];

	if (!schema) {
		fprintf(stderr, "usage: settings-roff SCHEMA < FRAME%s%s\n", argc == 2 ? ": " : "",
			argc == 2 ? error.text : "");
		return EXIT_FAILURE;
	}
	while (fgets(line, sizeof(line), stdin)) {
		if (strcmp(line, "@settings@\n") == 0)
			print_settings(schema);
		else
			fputs(line, stdout);
	}
	json_decref(schema);
	return EXIT_SUCCESS;
}
