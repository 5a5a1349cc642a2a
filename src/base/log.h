/* Logging: to the journal with fields when stderr is the journal, plain lines on a terminal (or a
 * pipe).
 *
 * Levels (style guide 2.9): error = someone must act; warning = degraded; notice = life cycle; info
 * = rare and useful; debug = the rest. Library folders log at debug only and return errors; the
 * program logs, once. Text that came from a peer goes through utf8_sanitise() or UUID_TEXT() first.
 */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <syslog.h>

#include "base/macros.h"
#include "base/uuid.h"

/* Structured fields beside the message, all optional. */
struct log_fields {
	const char *message_id;  /* MESSAGE_ID, 32 hex digits: an event of the message catalog */
	const struct uuid *node; /* HIFI_NODE: session UUID */
	const char *peer;        /* HIFI_PEER: address text */
};

/* Call once in main(). program is the syslog identifier; hat (may be NULL) becomes HIFI_HAT on
 * every entry. Both are borrowed for ever. */
void log_init(const char *program, const char *hat);
/* LOG_ERR … LOG_DEBUG; what is less urgent is dropped. Default LOG_INFO. */
void log_set_max_level(int level);
int log_max_level(void);
/* "error", "warning", "notice", "info", "debug" or 0-7 → level, or -EINVAL; and back. */
int log_level_parse(const char *text);
const char *log_level_name(int level);

/* error: 0 or a positive/negative errno that %m in the format shows. Returns -abs(error), so that
 * "return log_error_errno(r, ...)" works. Threads: any. */
int log_full(int level, int error, const char *file, int line, const char *func,
	     const struct log_fields *fields, const char *format, ...) _printf_(7, 8);

#define log_at(level, error, fields, ...)                                                          \
	({                                                                                         \
		int _level = (level), _error = (error);                                            \
		_level <= log_max_level() ? log_full(_level, _error, __FILE__, __LINE__, __func__, \
						     fields, __VA_ARGS__)                          \
					  : -abs(_error);                                          \
	})

#define log_error(...)   (void) log_at(LOG_ERR, 0, NULL, __VA_ARGS__)
#define log_warning(...) (void) log_at(LOG_WARNING, 0, NULL, __VA_ARGS__)
#define log_notice(...)  (void) log_at(LOG_NOTICE, 0, NULL, __VA_ARGS__)
#define log_info(...)    (void) log_at(LOG_INFO, 0, NULL, __VA_ARGS__)
#define log_debug(...)   (void) log_at(LOG_DEBUG, 0, NULL, __VA_ARGS__)

#define log_error_errno(error, ...)   log_at(LOG_ERR, error, NULL, __VA_ARGS__)
#define log_warning_errno(error, ...) log_at(LOG_WARNING, error, NULL, __VA_ARGS__)
#define log_notice_errno(error, ...)  log_at(LOG_NOTICE, error, NULL, __VA_ARGS__)
#define log_debug_errno(error, ...)   log_at(LOG_DEBUG, error, NULL, __VA_ARGS__)
#define log_oom()                     log_at(LOG_ERR, ENOMEM, NULL, "Out of memory.")

/* A limiter for messages a peer can provoke: true at most burst times per interval; *ret_suppressed
 * (may be NULL) is how many were held back before this one. */
struct log_ratelimit {
	uint64_t interval_usec;
	unsigned burst;
	uint64_t begin_usec;
	unsigned count;
	unsigned suppressed;
};
bool log_ratelimit_allows(struct log_ratelimit *limit, unsigned *ret_suppressed);
