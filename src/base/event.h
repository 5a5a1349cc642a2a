/* The daemons' main loop: sd-event with the settings we always want.
 *
 * Callbacks return nothing. sd-event switches a source off, with only a debug message, when its
 * handler returns an error; here a handler cannot. What has to stop the daemon calls
 * sd_event_exit(). A callback may free the object it belongs to. Priorities are sd-event's: the
 * smaller goes first, 0 is normal. Descriptions are copied. Thread: the loop's. */
#pragma once

#include <stdint.h>

#include <systemd/sd-event.h>

#include "base/macros.h"

/* The loop of the calling thread. SIGINT and SIGTERM end it with code 0, SIGHUP calls reload (NULL:
 * SIGHUP keeps its default), SIGPIPE is ignored, and the service manager's watchdog is served when
 * it asks for that. The signals are blocked here, so call this before starting threads.
 * Returns 0 or an error of sd-event; *ret is released with sd_event_unref(). */
int event_new(void (*reload)(void *userdata), void *userdata, sd_event **ret);

/* --- periodic --- */

struct event_timer;

/* More periods behind than this are not caught up. */
#define EVENT_TIMER_LATE_MAX 10

/* Calls back at first_usec (CLOCK_MONOTONIC, 0 = at once) and every interval_usec after. The times
 * are absolute, so lateness does not add up: a late timer calls back more often until it has caught
 * up. When it is more than EVENT_TIMER_LATE_MAX periods late it goes on from the present, in step
 * with the old rhythm, and counts the periods it left out. While it is late by a period or more its
 * priority is no better than normal. 0 or -errno. */
int event_timer_new(sd_event *event, uint64_t first_usec, uint64_t interval_usec, int64_t priority,
		    void (*callback)(void *userdata), void *userdata, const char *description,
		    struct event_timer **ret);
struct event_timer *event_timer_free(struct event_timer *timer);
DEFINE_CLEANUP_FUNC(struct event_timer *, event_timer_free)
/* Periods left out since the start. */
uint64_t event_timer_skipped(const struct event_timer *timer);
/* The service manager's watchdog hears of this timer's calls in place of the loop's turns, while
 * there is the timer: a daemon whose frames stop is ended even though its loop lives. For one timer
 * at a time. 0 or an error of sd-event. */
int event_timer_feed_watchdog(struct event_timer *timer);
/* When the next call is due; inside the callback: the one after this. */
uint64_t event_timer_next_usec(const struct event_timer *timer);

/* --- once, when armed --- */

struct event_oneshot;

/* Starts disarmed. 0 or -errno. */
int event_oneshot_new(sd_event *event, int64_t priority, void (*callback)(void *userdata),
		      void *userdata, const char *description, struct event_oneshot **ret);
struct event_oneshot *event_oneshot_free(struct event_oneshot *oneshot);
DEFINE_CLEANUP_FUNC(struct event_oneshot *, event_oneshot_free)
/* Calls back once at at_usec (CLOCK_MONOTONIC) or as soon as possible after; replaces what was
 * armed before. The callback may arm it again. */
void event_oneshot_arm(struct event_oneshot *oneshot, uint64_t at_usec);
void event_oneshot_disarm(struct event_oneshot *oneshot);

/* --- file descriptors --- */

struct event_io;

/* Calls back while any of events (EPOLLIN, …) is there. The descriptor stays the caller's and must
 * be open until event_io_free(). 0 or -errno. */
int event_io_new(sd_event *event, int fd, uint32_t events, int64_t priority,
		 void (*callback)(uint32_t revents, void *userdata), void *userdata,
		 const char *description, struct event_io **ret);
struct event_io *event_io_free(struct event_io *io);
DEFINE_CLEANUP_FUNC(struct event_io *, event_io_free)
void event_io_set_events(struct event_io *io, uint32_t events);

/* --- telling the service manager; nothing happens when there is none --- */

/* READY=1, at the start and at the end of a reload. */
void notify_ready(const char *status_format, ...) _printf_(1, 2);
void notify_status(const char *status_format, ...) _printf_(1, 2);
void notify_reloading(void);
void notify_stopping(void);
/* Hands it fd under this name, in place of what it had: it comes back by sd_listen_fds_with_names()
 * when we are started again. The caller keeps fd. */
void notify_store_fd(const char *name, int fd);
