#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include <systemd/sd-journal.h>

#include "base/clock.h"

static const char *log_program = "hifi";
static const char *log_hat;
static int log_level = LOG_INFO;
static bool log_to_journal;

static const char *const level_names[] = {
	[LOG_EMERG] = "emergency", [LOG_ALERT] = "alert",     [LOG_CRIT] = "critical",
	[LOG_ERR] = "error",       [LOG_WARNING] = "warning", [LOG_NOTICE] = "notice",
	[LOG_INFO] = "info",       [LOG_DEBUG] = "debug",
};

/* True when stderr is the journal's stream: $JOURNAL_STREAM names its device and inode. */
static bool stderr_is_journal(void)
{
	const char *e = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;

	return e && sscanf(e, "%llu:%llu", &dev, &ino) == 2 && fstat(STDERR_FILENO, &st) == 0 &&
	       st.st_dev == dev && st.st_ino == ino;
}

void log_init(const char *program, const char *hat)
{
	log_program = program;
	log_hat = hat;
	log_to_journal = stderr_is_journal();
}

void log_set_max_level(int level)
{
	log_level = level;
}

int log_max_level(void)
{
	return log_level;
}

int log_level_parse(const char *text)
{
	for (size_t i = 0; i < ELEMENTSOF(level_names); i++)
		if (strcmp(text, level_names[i]) == 0)
			return (int) i;
	if (text[0] >= '0' && text[0] <= '7' && text[1] == 0)
		return text[0] - '0';
	return -EINVAL;
}

const char *log_level_name(int level)
{
	return level_names[CLAMP(level, LOG_EMERG, LOG_DEBUG)];
}

#define FIELDS_MAX 12

struct field_list {
	struct iovec iov[FIELDS_MAX];
	int n;
};

static void add_field(struct field_list *list, const char *name, const char *value)
{
	char *text;

	if (value && list->n < FIELDS_MAX && asprintf(&text, "%s=%s", name, value) >= 0)
		list->iov[list->n++] = (struct iovec){text, strlen(text)};
}

static void send_to_journal(int level, const char *message, const char *file, int line,
			    const char *func, const struct log_fields *fields)
{
	struct field_list list = {.n = 0};
	char number[16];

	add_field(&list, "MESSAGE", message);
	(void) snprintf(number, sizeof(number), "%d", level);
	add_field(&list, "PRIORITY", number);
	add_field(&list, "SYSLOG_IDENTIFIER", log_program);
	add_field(&list, "CODE_FILE", file);
	(void) snprintf(number, sizeof(number), "%d", line);
	add_field(&list, "CODE_LINE", number);
	add_field(&list, "CODE_FUNC", func);
	add_field(&list, "HIFI_HAT", log_hat);
	if (fields) {
		add_field(&list, "MESSAGE_ID", fields->message_id);
		add_field(&list, "HIFI_NODE", fields->node ? UUID_TEXT(fields->node) : NULL);
		add_field(&list, "HIFI_PEER", fields->peer);
	}

	(void) sd_journal_sendv(list.iov, list.n);
	for (int i = 0; i < list.n; i++)
		free(list.iov[i].iov_base);
}

static void send_to_stderr(int level, const char *message, const struct log_fields *fields)
{
	const char *peer = fields && fields->peer ? fields->peer : NULL;

	(void) fprintf(stderr, "%s%s%s: %s%s%s%s%s\n", log_program, log_hat ? "@" : "",
		       log_hat ? log_hat : "", level <= LOG_WARNING ? level_names[level] : "",
		       level <= LOG_WARNING ? ": " : "", message, peer ? " peer=" : "",
		       peer ? peer : "");
}

int log_full(int level, int error, const char *file, int line, const char *func,
	     const struct log_fields *fields, const char *format, ...)
{
	int saved_errno = errno;
	char message[2048];
	va_list ap;

	errno = abs(error);
	va_start(ap, format);
	(void) vsnprintf(message, sizeof(message), format, ap);
	va_end(ap);

	if (log_to_journal)
		send_to_journal(level, message, file, line, func, fields);
	else
		send_to_stderr(level, message, fields);

	errno = saved_errno;
	return -abs(error);
}

bool log_ratelimit_allows(struct log_ratelimit *limit, unsigned *ret_suppressed)
{
	uint64_t now = clock_now_usec();

	if (limit->begin_usec == 0 || now - limit->begin_usec >= limit->interval_usec) {
		limit->begin_usec = now;
		limit->count = 0;
	}
	if (limit->count >= limit->burst) {
		limit->suppressed++;
		return false;
	}

	limit->count++;
	if (ret_suppressed)
		*ret_suppressed = limit->suppressed;
	limit->suppressed = 0;
	return true;
}
