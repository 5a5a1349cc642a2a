#include "base/config-report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "base/log.h"

void config_report_done(struct config_report *report)
{
	for (size_t i = 0; i < report->n; i++)
		free(report->messages[i].text);
	*report = (struct config_report){0};
}

static size_t left_out(const struct config_report *report)
{
	return report->errors + report->warnings - report->n;
}

void config_report_log(const struct config_report *report)
{
	for (size_t i = 0; i < report->n; i++)
		log_at(report->messages[i].level, 0, NULL, "%s", report->messages[i].text);
	if (left_out(report) > 0)
		log_warning("%zu more messages about the configuration.", left_out(report));
}

char *config_report_text(const struct config_report *report)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	for (size_t i = 0; i < report->n; i++)
		(void) fprintf(f, "%s%s", i > 0 ? "\n" : "", report->messages[i].text);
	if (left_out(report) > 0)
		(void) fprintf(f, "\n%zu more messages", left_out(report));
	if (fclose(f) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

/* Takes text; NULL (out of memory) is counted all the same. */
static void append(struct config_report *report, int level, char *text)
{
	if (level <= LOG_ERR)
		report->errors++;
	else
		report->warnings++;
	if (text && report->n < CONFIG_MESSAGES_MAX)
		report->messages[report->n++] = (struct config_message){level, text};
	else
		free(text);
}

void config_complain(const struct config_source *source, int level, const struct json_path *path,
		     const char *format, ...)
{
	struct json_position at;
	char message[512], *text;
	va_list ap;
	int r;

	va_start(ap, format);
	(void) vsnprintf(message, sizeof(message), format, ap);
	va_end(ap);

	/* Looking it up again takes the time of a scan; past the limit nobody would see it. */
	if (source->text && source->report->n < CONFIG_MESSAGES_MAX &&
	    json_position_find(source->text, source->len, source->root, path->text, &at))
		r = asprintf(&text, "%s:%u:%u: %s: %s", source->file, at.line, at.column,
			     path->text, message);
	else
		r = asprintf(&text, "%s%s%s%s%s", source->file ?: "", source->file ? ": " : "",
			     path->text, path->len > 0 ? ": " : "", message);
	append(source->report, level, r < 0 ? NULL : text);
}

void config_complain_at(const struct config_source *source, struct json_position at,
			const char *format, ...)
{
	char message[512], *text;
	va_list ap;
	int r;

	va_start(ap, format);
	(void) vsnprintf(message, sizeof(message), format, ap);
	va_end(ap);
	r = asprintf(&text, "%s:%u:%u: %s", source->file, at.line, at.column, message);
	append(source->report, LOG_ERR, r < 0 ? NULL : text);
}
