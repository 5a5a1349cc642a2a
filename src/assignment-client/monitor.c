#include "assignment-client/monitor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "assignment-client/worker.h"
#include "base/clock.h"
#include "base/event.h"
#include "base/hats.h"
#include "base/list.h"
#include "base/log.h"
#include "net/udp-socket.h"

/* A child that dies is back at once; one that keeps dying is tried less and less often. */
#define BACKOFF_MIN_USEC  (20 * USEC_PER_MSEC)
#define BACKOFF_MAX_USEC  (10 * USEC_PER_SEC)
#define LONG_LIFE_USEC    (2 * USEC_PER_SEC) /* whoever lived that long starts afresh */
#define STOP_TIMEOUT_USEC (5 * USEC_PER_SEC)
#define SPARE_CHECK_USEC  (30 * USEC_PER_SEC)

struct child {
	struct monitor *monitor;
	struct list list;
	pid_t pid;
	uint8_t wears; /* enum hat, HAT_ANY: idle */
	int status_fd;
	int udp_fd, session_fd; /* outlive the process */
	uint64_t started_usec;
	sd_event_source *exit;
	struct event_io *io;
};

struct monitor {
	sd_event *event;
	struct monitor_options options;
	struct list children;
	unsigned n_children;
	struct list lost; /* died; their successors get what they left */
	uint64_t backoff_usec;
	struct event_oneshot *respawn;
	struct event_timer *spare_check;
};

static struct child *child_free(struct child *c)
{
	sd_event_source_disable_unref(c->exit);
	event_io_free(c->io);
	closep(&c->status_fd);
	closep(&c->udp_fd);
	closep(&c->session_fd);
	list_remove(&c->list);
	free(c);
	return NULL;
}
DEFINE_CLEANUP_FUNC(struct child *, child_free);

/* What goes with the process. */
static void child_bury(struct child *c)
{
	c->exit = sd_event_source_disable_unref(c->exit);
	c->io = event_io_free(c->io);
	closep(&c->status_fd);
	c->status_fd = -1;
	list_remove(&c->list);
	c->monitor->n_children--;
}

static unsigned wanted_now(const struct monitor *m)
{
	const struct monitor_options *o = &m->options;
	unsigned idle = 0, wanted = MAX(o->n, o->min);
	struct child *c;

	if (!o->is_elastic)
		return wanted;
	list_for_each (c, &m->children, list)
		idle += c->wears == HAT_ANY;
	if (idle == 0)
		wanted = MAX(wanted, m->n_children + 1);
	return o->max > 0 ? MIN(wanted, o->max) : wanted;
}

static int on_child_exit(sd_event_source *s, const siginfo_t *si, void *userdata)
{
	struct child *c = userdata;
	struct monitor *m = c->monitor;
	bool lived_long = clock_now_usec() - c->started_usec >= LONG_LIFE_USEC;
	const char *what = c->wears == HAT_ANY ? "idle" : hat_find(c->wears)->long_name;

	if (si->si_code == CLD_EXITED)
		log_warning("Child %d (%s) exited with status %d.", c->pid, what, si->si_status);
	else
		log_warning("Child %d (%s) was killed by signal %d.", c->pid, what, si->si_status);

	child_bury(c);
	/* Who ends by itself has left nothing to go on with. */
	if (si->si_code == CLD_EXITED && si->si_status == EXIT_SUCCESS)
		(void) child_free(c);
	else
		list_append(&m->lost, &c->list);
	m->backoff_usec =
		lived_long ? 0 : CLAMP(2 * m->backoff_usec, BACKOFF_MIN_USEC, BACKOFF_MAX_USEC);
	event_oneshot_arm(m->respawn, clock_now_usec() + m->backoff_usec);
	return 0;
}

static void on_child_status(uint32_t revents, void *userdata)
{
	struct child *c = userdata;
	uint8_t type[64];
	ssize_t n = read(c->status_fd, type, sizeof(type));

	/* The end of the pipe comes with the end of the child, which is handled there. */
	if (n <= 0) {
		c->io = event_io_free(c->io);
		return;
	}
	c->wears = hat_find(type[n - 1]) ? type[n - 1] : HAT_ANY;
	event_oneshot_arm(c->monitor->respawn, clock_now_usec() + BACKOFF_MIN_USEC);
}

/* Where the new process finds what it is passed; the first two as sd_listen_fds(3) has it. */
enum { UDP_FD = 3, SESSION_FD, STATUS_FD, N_FDS = 3 };

/* Numbers may overlap, so all go out of the way first. */
static int place_fds(const struct child *c, int status_fd)
{
	const int from[N_FDS] = {c->udp_fd, c->session_fd, status_fd};
	int away[N_FDS];

	for (int i = 0; i < N_FDS; i++) {
		away[i] = fcntl(from[i], F_DUPFD_CLOEXEC, UDP_FD + N_FDS);
		if (away[i] < 0)
			return -errno;
	}
	for (int i = 0; i < N_FDS; i++)
		if (dup2(away[i], UDP_FD + i) < 0)
			return -errno;
	return 0;
}

static int set_environment(void)
{
	char pid[16];

	(void) snprintf(pid, sizeof(pid), "%d", getpid());
	/* The service manager listens to the monitor alone. */
	if (unsetenv("NOTIFY_SOCKET") < 0 || setenv("LISTEN_PID", pid, true) < 0 ||
	    setenv("LISTEN_FDS", "2", true) < 0 ||
	    setenv("LISTEN_FDNAMES", "udp:sessions", true) < 0)
		return -errno;
	return 0;
}

/* In the new process: dies with the monitor, has default signals, and knows where to report. */
static _Noreturn void exec_child(const struct child *c, int status_fd)
{
	char **argv = c->monitor->options.argv;
	char status_arg[32];
	sigset_t none;
	unsigned n = 0;
	char **args;

	(void) sigemptyset(&none);
	(void) sigprocmask(SIG_SETMASK, &none, NULL);
	(void) prctl(PR_SET_PDEATHSIG, SIGTERM);

	while (argv[n])
		n++;
	args = calloc(n + 2, sizeof(*args));
	if (!args || place_fds(c, status_fd) < 0 || set_environment() < 0)
		_exit(EXIT_FAILURE);
	memcpy(args, argv, n * sizeof(*args));
	(void) snprintf(status_arg, sizeof(status_arg), "--status-fd=%d", STATUS_FD);
	args[n] = status_arg;
	(void) execv("/proc/self/exe", args);
	_exit(EXIT_FAILURE);
}

static int fork_child(struct child *c)
{
	int fds[2];

	if (pipe2(fds, O_NONBLOCK | O_CLOEXEC) < 0)
		return -errno;
	c->pid = fork();
	if (c->pid == 0)
		exec_child(c, fds[1]);
	(void) close(fds[1]);
	c->status_fd = fds[0];
	return c->pid < 0 ? -errno : 0;
}

/* The first free port of the range. */
static int bind_udp(const struct monitor *m)
{
	_cleanup_(udp_socket_freep) struct udp_socket *socket = NULL;
	unsigned port = m->options.port;
	int r;

	do
		r = udp_socket_new((uint16_t) port, false, &socket);
	while (r == -EADDRINUSE && ++port <= m->options.port_last);
	if (r == -EADDRINUSE)
		return log_error_errno(
			r, "No UDP port from %u to %u is free for another assignment client.",
			m->options.port, MAX(m->options.port, m->options.port_last));
	if (r < 0)
		return r;
	r = fcntl(udp_socket_fd(socket), F_DUPFD_CLOEXEC, 3);
	return r < 0 ? -errno : r;
}

/* A child without a process: one that was lost, or a new one. */
static int child_get(struct monitor *m, struct child **ret)
{
	_cleanup_(child_freep) struct child *c = LIST_FIRST(&m->lost, struct child, list);

	if (c) {
		list_remove(&c->list);
		*ret = TAKE_PTR(c);
		return 0;
	}
	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	list_init(&c->list);
	c->monitor = m;
	c->status_fd = c->session_fd = -1;
	c->udp_fd = bind_udp(m);
	if (c->udp_fd < 0)
		return c->udp_fd;
	c->session_fd = worker_session_fd_new(m->event);
	if (c->session_fd < 0)
		return c->session_fd;
	*ret = TAKE_PTR(c);
	return 0;
}

static int spawn_child(struct monitor *m)
{
	struct child *c;
	int r;

	r = child_get(m, &c);
	if (r < 0)
		return r;
	c->wears = HAT_ANY;
	c->started_usec = clock_now_usec();
	list_append(&m->children, &c->list);
	m->n_children++;

	r = fork_child(c);
	if (r >= 0)
		r = sd_event_add_child(m->event, &c->exit, c->pid, WEXITED, on_child_exit, c);
	if (r >= 0)
		r = event_io_new(m->event, c->status_fd, EPOLLIN, 0, on_child_status, c,
				 "child-status", &c->io);
	if (r < 0) {
		if (c->pid > 0)
			(void) kill(c->pid, SIGTERM);
		child_bury(c);
		(void) child_free(c);
	}
	return r;
}

static void stop_one_idle(struct monitor *m)
{
	struct child *c;

	list_for_each (c, &m->children, list)
		if (c->wears == HAT_ANY) {
			log_info("Stopping idle child %d: more than one is in reserve.", c->pid);
			(void) kill(c->pid, SIGTERM);
			return;
		}
}

static void on_respawn(void *userdata)
{
	struct monitor *m = userdata;
	int r;

	while (m->n_children < wanted_now(m)) {
		r = spawn_child(m);
		if (r < 0) {
			(void) log_error_errno(r, "Cannot start a child, trying again later: %m");
			event_oneshot_arm(m->respawn, clock_now_usec() + BACKOFF_MAX_USEC);
			break;
		}
	}
	notify_status("%u assignment clients", m->n_children);
}

static void on_spare_check(void *userdata)
{
	struct monitor *m = userdata;
	unsigned idle = 0;
	struct child *c;

	on_respawn(m);
	if (!m->options.is_elastic)
		return;
	list_for_each (c, &m->children, list)
		idle += c->wears == HAT_ANY;
	if (idle > 1 && m->n_children > MAX(m->options.min, m->options.n))
		stop_one_idle(m);
}

int monitor_new(sd_event *event, const struct monitor_options *options, struct monitor **ret)
{
	_cleanup_(monitor_freep) struct monitor *m = NULL;
	uint64_t now = clock_now_usec();
	sigset_t chld;
	int r;

	/* Else the loop refuses to watch children. */
	(void) sigemptyset(&chld);
	(void) sigaddset(&chld, SIGCHLD);
	(void) sigprocmask(SIG_BLOCK, &chld, NULL);

	m = calloc(1, sizeof(*m));
	if (!m)
		return -ENOMEM;
	m->event = event;
	m->options = *options;
	list_init(&m->children);
	list_init(&m->lost);

	r = event_oneshot_new(event, 0, on_respawn, m, "respawn", &m->respawn);
	if (r < 0)
		return r;
	r = event_timer_new(event, now + SPARE_CHECK_USEC, SPARE_CHECK_USEC, 0, on_spare_check, m,
			    "spare-check", &m->spare_check);
	if (r < 0)
		return r;
	event_oneshot_arm(m->respawn, now);

	*ret = TAKE_PTR(m);
	return 0;
}

/* Waits for all children, killing those that do not go. Runs after the loop. */
static void reap_children(struct monitor *m)
{
	uint64_t deadline = clock_now_usec() + STOP_TIMEOUT_USEC;
	struct child *c;
	sigset_t chld;

	(void) sigemptyset(&chld);
	(void) sigaddset(&chld, SIGCHLD);
	list_for_each (c, &m->children, list)
		(void) kill(c->pid, SIGTERM);

	list_for_each (c, &m->children, list) {
		bool gone;

		/* SIGCHLD is blocked for the loop, so it ends this wait. */
		while (!(gone = waitpid(c->pid, NULL, WNOHANG) != 0) && clock_now_usec() < deadline)
			(void) sigtimedwait(&chld, NULL, &(struct timespec){.tv_nsec = 100000000});
		if (!gone) {
			log_warning("Child %d does not stop, killing it.", c->pid);
			(void) kill(c->pid, SIGKILL);
			(void) waitpid(c->pid, NULL, 0);
		}
	}
}

struct monitor *monitor_free(struct monitor *m)
{
	struct child *c;

	if (!m)
		return NULL;

	reap_children(m);
	list_for_each (c, &m->children, list)
		(void) child_free(c);
	list_for_each (c, &m->lost, list)
		(void) child_free(c);
	event_oneshot_free(m->respawn);
	event_timer_free(m->spare_check);
	free(m);
	return NULL;
}
