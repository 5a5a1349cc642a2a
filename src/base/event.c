#include "base/event.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <systemd/sd-daemon.h>

#include "base/clock.h"

/* sd-event takes 0 for its default accuracy, a quarter of a second. */
#define ACCURACY_USEC 1

struct event_signal {
	void (*callback)(void *userdata);
	void *userdata;
};

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
	struct event_signal *signal = userdata;

	signal->callback(signal->userdata);
	return 0;
}

/* The source belongs to the loop and frees its userdata with itself. */
static int add_signal(sd_event *event, int number, void (*callback)(void *userdata), void *userdata)
{
	_cleanup_(sd_event_source_unrefp) sd_event_source *source = NULL;
	struct event_signal *signal = malloc(sizeof(*signal));
	int r;

	if (!signal)
		return -ENOMEM;
	*signal = (struct event_signal){callback, userdata};
	r = sd_event_add_signal(event, &source, number | SD_EVENT_SIGNAL_PROCMASK, on_signal,
				signal);
	if (r < 0) {
		free(signal);
		return r;
	}
	(void) sd_event_source_set_destroy_callback(source, free);
	(void) sd_event_source_set_description(source, strsignal(number));
	return sd_event_source_set_floating(source, true);
}

int event_new(void (*reload)(void *userdata), void *userdata, sd_event **ret)
{
	_cleanup_(sd_event_unrefp) sd_event *event = NULL;
	int r;

	(void) signal(SIGPIPE, SIG_IGN);
	r = sd_event_default(&event);
	if (r < 0)
		return r;
	r = sd_event_set_signal_exit(event, true);
	if (r < 0)
		return r;
	if (reload) {
		r = add_signal(event, SIGHUP, reload, userdata);
		if (r < 0)
			return r;
	}
	r = sd_event_set_watchdog(event, true);
	if (r < 0)
		return r;

	*ret = TAKE_PTR(event);
	return 0;
}

static int describe(sd_event_source *source, int64_t priority, const char *description)
{
	int r;

	r = sd_event_source_set_description(source, description);
	return r < 0 ? r : sd_event_source_set_priority(source, priority);
}

/* --- periodic --- */

struct event_timer {
	sd_event_source *source;
	void (*callback)(void *userdata);
	void *userdata;
	int64_t priority;
	uint64_t interval_usec;
	uint64_t next_usec;
	uint64_t skipped;
	uint64_t watchdog_usec; /* how often the watchdog is fed; 0: not by this timer */
	uint64_t next_feed_usec;
};

static void feed_watchdog(struct event_timer *timer, uint64_t now)
{
	if (timer->watchdog_usec == 0 || now < timer->next_feed_usec)
		return;
	timer->next_feed_usec = now + timer->watchdog_usec;
	(void) sd_notify(false, "WATCHDOG=1");
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct event_timer *timer = userdata;
	uint64_t now = clock_now_usec(), late;

	timer->next_usec += timer->interval_usec;
	late = now > timer->next_usec ? (now - timer->next_usec) / timer->interval_usec : 0;
	if (late > EVENT_TIMER_LATE_MAX) {
		timer->skipped += late;
		timer->next_usec += late * timer->interval_usec;
	}
	(void) sd_event_source_set_time(source, timer->next_usec);
	/* A timer that cannot keep up is always due; were it always first, nothing else would ever
	 * run. */
	(void) sd_event_source_set_priority(source, now >= timer->next_usec
							    ? MAX(timer->priority, INT64_C(0))
							    : timer->priority);

	feed_watchdog(timer, now);
	/* Last, because it may free the timer. */
	timer->callback(timer->userdata);
	return 0;
}

int event_timer_new(sd_event *event, uint64_t first_usec, uint64_t interval_usec, int64_t priority,
		    void (*callback)(void *userdata), void *userdata, const char *description,
		    struct event_timer **ret)
{
	_cleanup_(event_timer_freep) struct event_timer *timer = calloc(1, sizeof(*timer));
	int r;

	assert(interval_usec > 0);
	if (!timer)
		return -ENOMEM;
	*timer = (struct event_timer){
		.callback = callback,
		.userdata = userdata,
		.priority = priority,
		.interval_usec = interval_usec,
		.next_usec = first_usec > 0 ? first_usec : clock_now_usec(),
	};
	r = sd_event_add_time(event, &timer->source, CLOCK_MONOTONIC, timer->next_usec,
			      ACCURACY_USEC, on_timer, timer);
	if (r < 0)
		return r;
	r = describe(timer->source, priority, description);
	if (r < 0)
		return r;
	/* A new timer fires once. */
	r = sd_event_source_set_enabled(timer->source, SD_EVENT_ON);
	if (r < 0)
		return r;

	*ret = TAKE_PTR(timer);
	return 0;
}

struct event_timer *event_timer_free(struct event_timer *timer)
{
	if (!timer)
		return NULL;
	if (timer->watchdog_usec > 0)
		(void) sd_event_set_watchdog(sd_event_source_get_event(timer->source), true);
	(void) sd_event_source_disable_unref(timer->source);
	free(timer);
	return NULL;
}

int event_timer_feed_watchdog(struct event_timer *timer)
{
	uint64_t limit_usec;
	int r;

	r = sd_watchdog_enabled(false, &limit_usec);
	if (r <= 0)
		return r;
	r = sd_event_set_watchdog(sd_event_source_get_event(timer->source), false);
	if (r < 0)
		return r;
	/* As often as sd-event does it. */
	timer->watchdog_usec = limit_usec / 4;
	return 0;
}

uint64_t event_timer_skipped(const struct event_timer *timer)
{
	return timer->skipped;
}

uint64_t event_timer_next_usec(const struct event_timer *timer)
{
	return timer->next_usec;
}

/* --- once --- */

struct event_oneshot {
	sd_event_source *source;
	void (*callback)(void *userdata);
	void *userdata;
};

static int on_oneshot(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct event_oneshot *oneshot = userdata;

	oneshot->callback(oneshot->userdata);
	return 0;
}

int event_oneshot_new(sd_event *event, int64_t priority, void (*callback)(void *userdata),
		      void *userdata, const char *description, struct event_oneshot **ret)
{
	_cleanup_(event_oneshot_freep) struct event_oneshot *oneshot = calloc(1, sizeof(*oneshot));
	int r;

	if (!oneshot)
		return -ENOMEM;
	oneshot->callback = callback;
	oneshot->userdata = userdata;
	r = sd_event_add_time(event, &oneshot->source, CLOCK_MONOTONIC, USEC_INFINITY,
			      ACCURACY_USEC, on_oneshot, oneshot);
	if (r < 0)
		return r;
	r = describe(oneshot->source, priority, description);
	if (r < 0)
		return r;
	event_oneshot_disarm(oneshot);

	*ret = TAKE_PTR(oneshot);
	return 0;
}

struct event_oneshot *event_oneshot_free(struct event_oneshot *oneshot)
{
	if (oneshot) {
		(void) sd_event_source_disable_unref(oneshot->source);
		free(oneshot);
	}
	return NULL;
}

void event_oneshot_arm(struct event_oneshot *oneshot, uint64_t at_usec)
{
	(void) sd_event_source_set_time(oneshot->source, at_usec);
	(void) sd_event_source_set_enabled(oneshot->source, SD_EVENT_ONESHOT);
}

void event_oneshot_disarm(struct event_oneshot *oneshot)
{
	(void) sd_event_source_set_enabled(oneshot->source, SD_EVENT_OFF);
}

/* --- file descriptors --- */

struct event_io {
	sd_event_source *source;
	void (*callback)(uint32_t revents, void *userdata);
	void *userdata;
};

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct event_io *io = userdata;

	io->callback(revents, io->userdata);
	return 0;
}

int event_io_new(sd_event *event, int fd, uint32_t events, int64_t priority,
		 void (*callback)(uint32_t revents, void *userdata), void *userdata,
		 const char *description, struct event_io **ret)
{
	_cleanup_(event_io_freep) struct event_io *io = calloc(1, sizeof(*io));
	int r;

	if (!io)
		return -ENOMEM;
	io->callback = callback;
	io->userdata = userdata;
	r = sd_event_add_io(event, &io->source, fd, events, on_io, io);
	if (r < 0)
		return r;
	r = describe(io->source, priority, description);
	if (r < 0)
		return r;

	*ret = TAKE_PTR(io);
	return 0;
}

struct event_io *event_io_free(struct event_io *io)
{
	if (io) {
		(void) sd_event_source_disable_unref(io->source);
		free(io);
	}
	return NULL;
}

void event_io_set_events(struct event_io *io, uint32_t events)
{
	(void) sd_event_source_set_io_events(io->source, events);
}

/* --- notifications --- */

#define STATUS_MAX 512

void notify_ready(const char *status_format, ...)
{
	char status[STATUS_MAX];
	va_list ap;

	va_start(ap, status_format);
	(void) vsnprintf(status, sizeof(status), status_format, ap);
	va_end(ap);
	(void) sd_notifyf(false, "READY=1\nSTATUS=%s", status);
}

void notify_status(const char *status_format, ...)
{
	char status[STATUS_MAX];
	va_list ap;

	va_start(ap, status_format);
	(void) vsnprintf(status, sizeof(status), status_format, ap);
	va_end(ap);
	(void) sd_notifyf(false, "STATUS=%s", status);
}

void notify_reloading(void)
{
	(void) sd_notify(false, "RELOADING=1");
}

void notify_stopping(void)
{
	(void) sd_notify(false, "STOPPING=1");
}

void notify_store_fd(const char *name, int fd)
{
	char message[128];

	(void) snprintf(message, sizeof(message), "FDSTOREREMOVE=1\nFDNAME=%s", name);
	(void) sd_notify(0, message);
	(void) snprintf(message, sizeof(message), "FDSTORE=1\nFDNAME=%s", name);
	(void) sd_pid_notify_with_fds(0, 0, message, &fd, 1);
}
