#include "ctl/tables.h"

#include <string.h>

#include "base/macros.h"

#define COLUMNS_MAX 9
#define CELL_MAX    64

/* Rows of text, printed with each column as wide as its widest cell. */
struct table {
	const char *const *headings;
	size_t n_columns;
	size_t n_rows;
	char (*cells)[COLUMNS_MAX][CELL_MAX];
};

/* --- cells --- */

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

/* Columns a UTF-8 text takes, if none of it is wide or combining. */
static size_t width_of(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += (*text & 0xc0) != 0x80;
	return n;
}

static void set_cell(char cell[static CELL_MAX], const char *text)
{
	size_t len = strnlen(text, CELL_MAX - 1);

	/* Never half a character. */
	while (len > 0 && text[len] && (text[len] & 0xc0) == 0x80)
		len--;
	memcpy(cell, text, len);
	cell[len] = 0;
}

static void set_duration(char cell[static CELL_MAX], json_int_t seconds)
{
	if (seconds < 60)
		(void) snprintf(cell, CELL_MAX, "%ds", (int) seconds);
	else if (seconds < 3600)
		(void) snprintf(cell, CELL_MAX, "%dm %02ds", (int) (seconds / 60),
				(int) (seconds % 60));
	else if (seconds < 86400)
		(void) snprintf(cell, CELL_MAX, "%dh %02dm", (int) (seconds / 3600),
				(int) (seconds / 60 % 60));
	else
		(void) snprintf(cell, CELL_MAX, "%lldd %02dh", (long long) (seconds / 86400),
				(int) (seconds / 3600 % 24));
}

static void set_seconds_of(char cell[static CELL_MAX], const json_t *object)
{
	set_duration(cell, json_integer_value(json_object_get(object, "seconds")));
}

/* "12 %", or "-" when there is no number. */
static void set_number(char cell[static CELL_MAX], const json_t *value, const char *unit)
{
	if (json_is_number(value))
		(void) snprintf(cell, CELL_MAX, "%.0f%s", json_number_value(value), unit);
	else
		set_cell(cell, "-");
}

static void set_ms(char cell[static CELL_MAX], const json_t *value)
{
	if (json_is_number(value))
		(void) snprintf(cell, CELL_MAX, "%.1f ms", json_number_value(value));
	else
		set_cell(cell, "-");
}

/* --- tables --- */

static struct table table_new(const char *const *headings, size_t n_columns, size_t n_rows)
{
	struct table t = {.headings = headings, .n_columns = n_columns};

	t.cells = calloc(MAX(n_rows, (size_t) 1), sizeof(*t.cells));
	t.n_rows = t.cells ? n_rows : 0;
	return t;
}

static void print_row(FILE *f, const struct table *t, const size_t *widths, size_t row)
{
	for (size_t c = 0; c < t->n_columns; c++) {
		const char *cell = row == SIZE_MAX ? t->headings[c] : t->cells[row][c];
		size_t pad = widths[c] - width_of(cell);

		(void) fprintf(f, "%s%s%*s", c > 0 ? "  " : "", cell,
			       c + 1 < t->n_columns ? (int) pad : 0, "");
	}
	(void) fputc('\n', f);
}

static void table_print(FILE *f, struct table *t)
{
	size_t widths[COLUMNS_MAX];

	for (size_t c = 0; c < t->n_columns; c++) {
		widths[c] = width_of(t->headings[c]);
		for (size_t row = 0; row < t->n_rows; row++)
			widths[c] = MAX(widths[c], width_of(t->cells[row][c]));
	}
	print_row(f, t, widths, SIZE_MAX);
	for (size_t row = 0; row < t->n_rows; row++)
		print_row(f, t, widths, row);
	free(t->cells);
	t->cells = NULL;
}

/* --- status --- */

static void print_people(FILE *f, const json_t *people)
{
	static const char *const headings[] = {"NAME", "HERE FOR", "FROM", "BY", "PLACE", "UUID"};
	struct table t = table_new(headings, ELEMENTSOF(headings), json_array_size(people));

	for (size_t i = 0; i < t.n_rows; i++) {
		const json_t *person = json_array_get(people, i);
		const char *name = text_of(person, "name");

		set_cell(t.cells[i][0], name[0] ? name : "(no name)");
		set_seconds_of(t.cells[i][1], person);
		set_cell(t.cells[i][2], text_of(person, "address"));
		set_cell(t.cells[i][3], text_of(person, "transport"));
		set_cell(t.cells[i][4], text_of(person, "place"));
		set_cell(t.cells[i][5], text_of(person, "uuid"));
	}
	table_print(f, &t);
}

static void print_mixers(FILE *f, const json_t *mixers)
{
	static const char *const headings[] = {"MIXER",     "UP FOR",     "ADDRESS",
					       "CPU",       "FRAME P99",  "LOWERED",
					       "IN KBIT/S", "OUT KBIT/S", "VERSION"};
	struct table t = table_new(headings, ELEMENTSOF(headings), json_array_size(mixers));

	for (size_t i = 0; i < t.n_rows; i++) {
		const json_t *mixer = json_array_get(mixers, i);
		const json_t *load = json_object_get(mixer, "load");
		const json_t *io = json_object_get(load, "io_stats");

		set_cell(t.cells[i][0], text_of(mixer, "type"));
		set_seconds_of(t.cells[i][1], mixer);
		set_cell(t.cells[i][2], text_of(mixer, "address"));
		set_number(t.cells[i][3], json_object_get(load, "cpu_percent"), " %");
		set_ms(t.cells[i][4], json_object_get(json_object_get(load, "frame_ms"), "p99"));
		set_number(t.cells[i][5], json_object_get(load, "lowered_steps"), "");
		set_number(t.cells[i][6], json_object_get(io, "inbound_kbps"), "");
		set_number(t.cells[i][7], json_object_get(io, "outbound_kbps"), "");
		set_cell(t.cells[i][8], text_of(mixer, "version"));
	}
	table_print(f, &t);
}

static void print_waiting(FILE *f, const json_t *waiting)
{
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *) waiting, key, value)
		(void) fprintf(f, "Nobody works as %s.\n", text_of(value, "type"));
}

static void print_certificate(FILE *f, const json_t *certificate)
{
	const char *state = text_of(certificate, "state"), *error = text_of(certificate, "error");
	const char *expires = text_of(certificate, "expires");

	if (error[0])
		(void) fprintf(f, "%s.\n", error);
	if (strcmp(state, "expired") == 0)
		(void) fprintf(f, "The certificate expired at %s: browsers refuse wss and https.\n",
			       expires);
	else if (strcmp(state, "expires soon") == 0)
		(void) fprintf(f, "The certificate expires at %s: renew it.\n", expires);
	else if (expires[0])
		(void) fprintf(f, "The certificate is valid until %s.\n", expires);
}

void tables_print_status(FILE *f, const json_t *status)
{
	const json_t *domain = json_object_get(status, "domain");
	const json_t *people = json_object_get(status, "people");
	const json_t *mixers = json_object_get(status, "mixers");
	size_t n = json_array_size(people);
	char uptime[CELL_MAX];

	if (n == 0)
		(void) fputs("Nobody is here.\n", f);
	else
		(void) fprintf(f, "%zu %s here.\n", n, n == 1 ? "person is" : "people are");
	set_seconds_of(uptime, domain);
	(void) fprintf(f, "Domain %s%s%s, version %s, up for %s\n", text_of(domain, "id"),
		       text_of(domain, "name")[0] ? ", " : "", text_of(domain, "name"),
		       text_of(domain, "version"), uptime);

	print_certificate(f, json_object_get(status, "certificate"));

	if (n > 0) {
		(void) fputc('\n', f);
		print_people(f, people);
	}
	(void) fputc('\n', f);
	print_mixers(f, mixers);
	print_waiting(f, json_object_get(status, "waiting_assignments"));
}

void tables_print_nodes(FILE *f, const json_t *status)
{
	static const char *const headings[] = {"UUID", "TYPE", "NAME", "SINCE", "FROM", "BY"};
	static const char *const groups[] = {"mixers", "people"};
	const json_t *mixers = json_object_get(status, "mixers");
	const json_t *people = json_object_get(status, "people");
	struct table t = table_new(headings, ELEMENTSOF(headings),
				   json_array_size(mixers) + json_array_size(people));
	size_t row = 0;

	for (size_t g = 0; g < ELEMENTSOF(groups); g++) {
		const json_t *nodes = json_object_get(status, groups[g]);

		for (size_t i = 0; i < json_array_size(nodes) && row < t.n_rows; i++, row++) {
			const json_t *node = json_array_get(nodes, i);

			set_cell(t.cells[row][0], text_of(node, "uuid"));
			set_cell(t.cells[row][1], text_of(node, "type"));
			set_cell(t.cells[row][2], text_of(node, "name"));
			set_cell(t.cells[row][3], text_of(node, "since"));
			set_cell(t.cells[row][4], text_of(node, "address"));
			set_cell(t.cells[row][5], text_of(node, "transport"));
		}
	}
	table_print(f, &t);
}

void tables_print_ports(FILE *f, const json_t *ports)
{
	static const char *const headings[] = {"PORT",           "PROTO", "PROCESS",
					       "REACHABLE FROM", "FOR",   ""};
	struct table t = table_new(headings, ELEMENTSOF(headings), json_array_size(ports));

	for (size_t i = 0; i < t.n_rows; i++) {
		const json_t *port = json_array_get(ports, i);

		set_number(t.cells[i][0], json_object_get(port, "port"), "");
		set_cell(t.cells[i][1], text_of(port, "transport"));
		set_cell(t.cells[i][2], text_of(port, "process"));
		set_cell(t.cells[i][3], text_of(port, "reachable_from"));
		set_cell(t.cells[i][4], text_of(port, "purpose"));
		set_cell(t.cells[i][5], text_of(port, "condition"));
	}
	table_print(f, &t);
}

/* --- settings --- */

static void print_setting(FILE *f, const char *group, const char *name, const json_t *value)
{
	char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(15));

	(void) fprintf(f, "%s%s%s = %s\n", group, group[0] ? "." : "", name, text ? text : "");
	free(text);
}

void tables_print_settings(FILE *f, const json_t *values)
{
	const char *group, *name;
	json_t *members, *value;

	json_object_foreach ((json_t *) values, group, members) {
		/* The tables at the root are objects, too, but of objects. */
		if (!json_is_object(members) || strcmp(group, "paths") == 0) {
			print_setting(f, "", group, members);
			continue;
		}
		json_object_foreach (members, name, value)
			print_setting(f, group, name, value);
	}
}
