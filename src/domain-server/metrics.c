#include "domain-server/metrics.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "base/uuid.h"

#define DEPTH_MAX  8
#define LABELS_MAX 256

/* --- names --- */

/* "12. ", "12_" and "z_" are there to sort by. */
static const char *skip_order(const char *key)
{
	size_t digits = strspn(key, "0123456789");

	if (strncmp(key, "z_", 2) == 0)
		return key + 2;
	if (digits > 0 && strncmp(key + digits, ". ", 2) == 0)
		return key + digits + 2;
	return digits > 0 && key[digits] == '_' ? key + digits + 1 : key;
}

void metrics_name(const char *key, char ret[static METRICS_NAME_MAX])
{
	static const char percent[] = "_percent_";
	size_t n = 0;

	key = skip_order(key);
	for (size_t i = 0; key[i] && n + sizeof(percent) < METRICS_NAME_MAX; i++) {
		unsigned char c = (unsigned char) key[i];
		bool is_hump = isupper(c) && i > 0 &&
			       (islower((unsigned char) key[i - 1]) ||
				isdigit((unsigned char) key[i - 1]));

		for (const char *p = c == '%' ? percent : ""; *p; p++)
			if (*p != '_' || (n > 0 && ret[n - 1] != '_'))
				ret[n++] = *p;
		if ((is_hump || !isalnum(c)) && n > 0 && ret[n - 1] != '_')
			ret[n++] = '_';
		if (isalnum(c))
			ret[n++] = (char) tolower(c);
	}
	while (n > 0 && ret[n - 1] == '_')
		n--;
	ret[n] = 0;
}

/* --- collecting: {name: {"type": …, "samples": {labels: value}}} --- */

json_t *metrics_new(void)
{
	return json_object();
}

void metrics_add(json_t *metrics, const char *name, const char *type, const char *labels,
		 double value)
{
	json_t *metric = json_object_get(metrics, name);

	if (!metric) {
		metric = json_pack("{s:s, s:{}}", "type", type, "samples");
		if (json_object_set_new(metrics, name, metric) < 0)
			return;
	}
	(void) json_object_set_new(json_object_get(metric, "samples"), labels, json_real(value));
}

static bool find_number(const json_t *value, double *ret)
{
	const char *text = json_string_value(value);
	char *end;

	if (json_is_boolean(value))
		*ret = json_is_true(value);
	else if (text && (isdigit((unsigned char) text[0]) || text[0] == '-')) {
		*ret = strtod(text, &end);
		return !*end && isfinite(*ret);
	} else
		*ret = json_number_value(value);
	return json_is_boolean(value) || json_is_number(value);
}

static void add_below(json_t *metrics, const char *prefix, const char *labels, const json_t *stats,
		      unsigned depth)
{
	char name[METRICS_NAME_MAX], path[METRICS_NAME_MAX], inner[LABELS_MAX];
	const char *key;
	struct uuid id;
	json_t *value;
	double number;

	json_object_foreach ((json_t *) stats, key, value) {
		bool is_uuid = uuid_parse(key, &id) >= 0;
		int n;

		metrics_name(key, name);
		n = is_uuid ? snprintf(path, sizeof(path), "%s", prefix)
			    : snprintf(path, sizeof(path), "%s_%s", prefix, name);
		if ((!is_uuid && !name[0]) || (size_t) n >= sizeof(path))
			continue;
		n = is_uuid ? snprintf(inner, sizeof(inner), "%s%suuid=\"%s\"", labels,
				       labels[0] ? "," : "", UUID_TEXT(&id))
			    : snprintf(inner, sizeof(inner), "%s", labels);
		if ((size_t) n >= sizeof(inner))
			continue;
		if (json_is_object(value) && depth > 0)
			add_below(metrics, path, inner, value, depth - 1);
		else if (find_number(value, &number))
			metrics_add(metrics, path, "untyped", inner, number);
	}
}

void metrics_add_stats(json_t *metrics, const char *prefix, const char *labels, const json_t *stats)
{
	add_below(metrics, prefix, labels, stats, DEPTH_MAX);
}

/* --- writing --- */

static void write_metric(FILE *f, const char *name, const json_t *metric)
{
	const char *labels;
	json_t *value;

	(void) fprintf(f, "# TYPE %s %s\n", name,
		       json_string_value(json_object_get(metric, "type")));
	json_object_foreach (json_object_get(metric, "samples"), labels, value) {
		(void) fprintf(f, labels[0] ? "%s{%s} " : "%s%s ", name, labels);
		(void) fprintf(f, "%.15g\n", json_real_value(value));
	}
}

char *metrics_format(const json_t *metrics)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	const char *name;
	json_t *metric;

	if (!f)
		return NULL;
	json_object_foreach ((json_t *) metrics, name, metric)
		write_metric(f, name, metric);
	if (fclose(f) != 0) {
		free(text);
		return NULL;
	}
	return text;
}
