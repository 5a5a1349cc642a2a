/* base/event on a real loop. Each test ends by an event; a guard ends it after ten seconds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/clock.h"
#include "base/event.h"

#define GUARD_USEC (10 * USEC_PER_SEC)
#define GUARD_CODE 99

struct fixture {
	sd_event *event;
	struct event_oneshot *guard;
	struct event_timer *timer;
	struct event_oneshot *oneshot;
	struct event_io *io;
	unsigned calls, stop_after, reloads;
	int fds[2];
};

static void on_guard(void *userdata)
{
	struct fixture *f = userdata;

	(void) sd_event_exit(f->event, GUARD_CODE);
}

static void on_reload(void *userdata)
{
	struct fixture *f = userdata;

	f->reloads++;
	(void) kill(getpid(), SIGTERM);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	assert_int_equal(event_new(on_reload, f, &f->event), 0);
	assert_int_equal(event_oneshot_new(f->event, 0, on_guard, f, "guard", &f->guard), 0);
	event_oneshot_arm(f->guard, clock_now_usec() + GUARD_USEC);
	assert_int_equal(pipe(f->fds), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	f->timer = event_timer_free(f->timer);
	f->oneshot = event_oneshot_free(f->oneshot);
	f->guard = event_oneshot_free(f->guard);
	f->io = event_io_free(f->io);
	(void) close(f->fds[0]);
	(void) close(f->fds[1]);
	(void) sd_event_unref(f->event);
	free(f);
	return 0;
}

static void count(void *userdata)
{
	struct fixture *f = userdata;

	if (++f->calls == f->stop_after)
		(void) sd_event_exit(f->event, 0);
}

#define INTERVAL_USEC (2 * USEC_PER_MSEC)

static void test_timer_keeps_its_rhythm(void **state)
{
	struct fixture *f = *state;
	uint64_t first = clock_now_usec() + 5 * USEC_PER_MSEC, next;

	f->stop_after = 40;
	assert_int_equal(
		event_timer_new(f->event, first, INTERVAL_USEC, -1, count, f, "test", &f->timer),
		0);
	assert_int_equal(sd_event_loop(f->event), 0);
	assert_int_equal(f->calls, 40);

	/* However late each call was, the next is due where it would be without lateness. */
	next = event_timer_next_usec(f->timer);
	assert_true(next == first + (40 + event_timer_skipped(f->timer)) * INTERVAL_USEC);
	assert_true(clock_now_usec() >= next - INTERVAL_USEC);
}

static void stall_once(void *userdata)
{
	struct fixture *f = userdata;

	if (f->calls == 0)
		(void) usleep(60 * USEC_PER_MSEC);
	count(f);
}

static void test_timer_far_behind_leaves_periods_out(void **state)
{
	struct fixture *f = *state;
	uint64_t first = clock_now_usec();

	f->stop_after = 3;
	assert_int_equal(event_timer_new(f->event, first, INTERVAL_USEC, 0, stall_once, f, "test",
					 &f->timer),
			 0);
	assert_int_equal(sd_event_loop(f->event), 0);
	assert_true(event_timer_skipped(f->timer) >= 60 / 2 - 2);
	assert_true((event_timer_next_usec(f->timer) - first) % INTERVAL_USEC == 0);
}

static void stall_a_little(void *userdata)
{
	struct fixture *f = userdata;

	if (f->calls == 0)
		(void) usleep(130 * USEC_PER_MSEC);
	count(f);
}

static void test_timer_a_little_behind_catches_up(void **state)
{
	struct fixture *f = *state;
	uint64_t first = clock_now_usec();

	f->stop_after = 4;
	assert_int_equal(event_timer_new(f->event, first, 60 * USEC_PER_MSEC, 0, stall_a_little, f,
					 "test", &f->timer),
			 0);
	assert_int_equal(sd_event_loop(f->event), 0);
	assert_int_equal(event_timer_skipped(f->timer), 0);
}

#define OVERLOAD_CALLS 100

/* Takes several periods. */
static void take_too_long(void *userdata)
{
	uint64_t end = clock_now_usec() + 5 * INTERVAL_USEC;
	struct fixture *f = userdata;

	while (clock_now_usec() < end)
		;
	/* The guard would wait, too. */
	if (++f->calls == OVERLOAD_CALLS)
		(void) sd_event_exit(f->event, GUARD_CODE);
}

static void stop(void *userdata)
{
	struct fixture *f = userdata;

	(void) sd_event_exit(f->event, 0);
}

static void test_timer_that_cannot_keep_up_lets_others_run(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(event_timer_new(f->event, 0, INTERVAL_USEC, -10, take_too_long, f, "test",
					 &f->timer),
			 0);
	assert_int_equal(event_oneshot_new(f->event, 0, stop, f, "test", &f->oneshot), 0);
	event_oneshot_arm(f->oneshot, clock_now_usec() + 10 * INTERVAL_USEC);
	assert_int_equal(sd_event_loop(f->event), 0);
	assert_in_range(f->calls, 2, OVERLOAD_CALLS - 1);
}

static void free_timer(void *userdata)
{
	struct fixture *f = userdata;

	f->calls++;
	f->timer = event_timer_free(f->timer);
	event_oneshot_arm(f->oneshot, 0);
}

static void free_oneshot(void *userdata)
{
	struct fixture *f = userdata;

	f->oneshot = event_oneshot_free(f->oneshot);
	(void) sd_event_exit(f->event, 0);
}

static void test_callbacks_may_free_their_source(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(event_timer_new(f->event, 0, 1, 0, free_timer, f, "test", &f->timer), 0);
	assert_int_equal(event_oneshot_new(f->event, 0, free_oneshot, f, "test", &f->oneshot), 0);
	assert_int_equal(sd_event_loop(f->event), 0);
	assert_int_equal(f->calls, 1);
	assert_null(f->oneshot);
}

static void arm_again(void *userdata)
{
	struct fixture *f = userdata;

	count(f);
	event_oneshot_arm(f->oneshot, clock_now_usec() + USEC_PER_MSEC);
}

static void test_oneshot_can_be_armed_again(void **state)
{
	struct fixture *f = *state;
	uint64_t start = clock_now_usec();

	f->stop_after = 3;
	assert_int_equal(event_oneshot_new(f->event, 0, arm_again, f, "test", &f->oneshot), 0);
	event_oneshot_arm(f->oneshot, start + 2 * GUARD_USEC);
	event_oneshot_arm(f->oneshot, start + 20 * USEC_PER_MSEC);
	assert_int_equal(sd_event_loop(f->event), 0);
	assert_int_equal(f->calls, 3);
	assert_true(clock_now_usec() - start >= 22 * USEC_PER_MSEC);
}

static void test_oneshot_that_was_disarmed_is_silent(void **state)
{
	struct fixture *f = *state;
	uint64_t now = clock_now_usec();

	f->stop_after = 5;
	assert_int_equal(event_oneshot_new(f->event, -5, on_guard, f, "test", &f->oneshot), 0);
	event_oneshot_arm(f->oneshot, now + USEC_PER_MSEC);
	event_oneshot_disarm(f->oneshot);
	assert_int_equal(
		event_timer_new(f->event, now, USEC_PER_MSEC, 0, count, f, "test", &f->timer), 0);
	assert_int_equal(sd_event_loop(f->event), 0);
}

static void on_readable(uint32_t revents, void *userdata)
{
	struct fixture *f = userdata;
	char c;

	assert_true(revents & EPOLLIN);
	assert_int_equal(read(f->fds[0], &c, 1), 1);
	if (c == 'b')
		event_io_set_events(f->io, 0);
	f->calls++;
}

static void test_io_calls_while_there_is_something(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(write(f->fds[1], "abc", 3), 3);
	assert_int_equal(
		event_io_new(f->event, f->fds[0], EPOLLIN, -1, on_readable, f, "test", &f->io), 0);
	/* Less urgent than the descriptor, so it comes when that has gone quiet. */
	assert_int_equal(event_oneshot_new(f->event, 1, stop, f, "test", &f->oneshot), 0);
	event_oneshot_arm(f->oneshot, 0);
	assert_int_equal(sd_event_loop(f->event), 0);
	assert_int_equal(f->calls, 2);
}

static void test_signals(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(kill(getpid(), SIGHUP), 0);
	assert_int_equal(kill(getpid(), SIGPIPE), 0);
	assert_int_equal(sd_event_loop(f->event), 0);
	assert_int_equal(f->reloads, 1);
}

static void assert_notified(int fd, const char *text)
{
	char buf[256];
	ssize_t n = recv(fd, buf, sizeof(buf) - 1, MSG_DONTWAIT);

	assert_true(n > 0);
	buf[n] = 0;
	assert_string_equal(buf, text);
}

static int listen_as_manager(void)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	char path[64];

	(void) snprintf(path, sizeof(path), "@hifi-test-%d", (int) getpid());
	memcpy(sa.sun_path + 1, path + 1, strlen(path) - 1);
	assert_int_equal(bind(fd, (struct sockaddr *) &sa,
			      (socklen_t) (offsetof(struct sockaddr_un, sun_path) + strlen(path))),
			 0);
	assert_int_equal(setenv("NOTIFY_SOCKET", path, 1), 0);
	return fd;
}

static void test_notifications(void **state)
{
	_cleanup_close_ int fd = listen_as_manager();

	notify_ready("%d users", 3);
	assert_notified(fd, "READY=1\nSTATUS=3 users");
	notify_status("%d users", 4);
	assert_notified(fd, "STATUS=4 users");
	notify_reloading();
	assert_notified(fd, "RELOADING=1");
	notify_stopping();
	assert_notified(fd, "STOPPING=1");
	assert_int_equal(unsetenv("NOTIFY_SOCKET"), 0);
	notify_status("nobody listens");
}

static unsigned count_meals(int fd)
{
	char buf[256];
	unsigned n = 0;

	while (recv(fd, buf, sizeof(buf), MSG_DONTWAIT) > 0)
		n++;
	return n;
}

static void on_meal(void *userdata)
{
	struct fixture *f = userdata;

	f->calls++;
}

static void run_for(struct fixture *f, uint64_t usec)
{
	uint64_t end = clock_now_usec() + usec;

	for (uint64_t now = clock_now_usec(); now < end; now = clock_now_usec())
		assert_true(sd_event_run(f->event, end - now) >= 0);
}

/* A loop that lives does not hide that the frames have stopped. */
static void test_watchdog_follows_the_timer(void **state)
{
	struct fixture *f = *state;
	_cleanup_close_ int fd = listen_as_manager();
	const uint64_t limit = 200 * 1000;

	assert_int_equal(setenv("WATCHDOG_USEC", "200000", 1), 0);
	assert_int_equal(sd_event_set_watchdog(f->event, true), 1);
	assert_int_equal(event_timer_new(f->event, 0, 1000, 0, on_meal, f, "frames", &f->timer), 0);
	assert_int_equal(event_timer_feed_watchdog(f->timer), 0);
	(void) count_meals(fd);
	run_for(f, 2 * limit);
	assert_in_range(count_meals(fd), 2, f->calls);

	f->timer = event_timer_free(f->timer);
	assert_int_equal(
		event_timer_new(f->event, UINT64_MAX / 2, 1000, 0, on_meal, f, "frames", &f->timer),
		0);
	assert_int_equal(event_timer_feed_watchdog(f->timer), 0);
	(void) count_meals(fd);
	run_for(f, 2 * limit);
	assert_int_equal(count_meals(fd), 0);

	/* Without it, the loop is what counts. */
	f->timer = event_timer_free(f->timer);
	(void) count_meals(fd);
	run_for(f, 2 * limit);
	assert_true(count_meals(fd) > 0);
	(void) sd_event_set_watchdog(f->event, false);
	assert_int_equal(unsetenv("WATCHDOG_USEC"), 0);
	assert_int_equal(unsetenv("NOTIFY_SOCKET"), 0);
}

#define event_test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		event_test(test_timer_keeps_its_rhythm),
		event_test(test_timer_far_behind_leaves_periods_out),
		event_test(test_timer_a_little_behind_catches_up),
		event_test(test_timer_that_cannot_keep_up_lets_others_run),
		event_test(test_callbacks_may_free_their_source),
		event_test(test_oneshot_can_be_armed_again),
		event_test(test_oneshot_that_was_disarmed_is_silent),
		event_test(test_io_calls_while_there_is_something),
		event_test(test_signals),
		cmocka_unit_test(test_notifications),
		event_test(test_watchdog_follows_the_timer),
	};

	return cmocka_run_group_tests_name("event", tests, NULL, NULL);
}
