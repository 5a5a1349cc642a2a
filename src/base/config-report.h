/* What is wrong, or only strange, in a configuration: all of it, as lines for people. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "base/json-position.h"
#include "base/macros.h"

#define CONFIG_MESSAGES_MAX 100 /* more are only counted */

struct config_message {
	int level; /* LOG_ERR or LOG_WARNING */
	char *text;
};

/* Zero-initialise; free with config_report_done(). */
struct config_report {
	struct config_message messages[CONFIG_MESSAGES_MAX];
	size_t n;
	size_t errors, warnings;
};

void config_report_done(struct config_report *report);
/* Logs every message at its level. */
void config_report_log(const struct config_report *report);
/* All texts with newlines between, a heap string; NULL when out of memory. */
char *config_report_text(const struct config_report *report);

/* Where complaints come from: a text (file, text, root) or a single value (all of these NULL). */
struct config_source {
	struct config_report *report;
	const char *file;
	const char *text;
	size_t len;
	const json_t *root;
};

/* Adds "file:line:column: path: message", with as much of that as is known. */
void config_complain(const struct config_source *source, int level, const struct json_path *path,
		     const char *format, ...) _printf_(4, 5);
/* The same at a place that is known, without a path. */
void config_complain_at(const struct config_source *source, struct json_position at,
			const char *format, ...) _printf_(3, 4);
