#include "domain-server/mhd-loop.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>

#include "base/clock.h"
#include "base/event.h"

struct mhd_loop {
	struct MHD_Daemon *daemon;
	struct event_io *io;
	struct event_oneshot *timer;
};

/* Requests that are under way, and what a half-open connection may hold. */
#define CONNECTION_MEMORY (16 * 1024)

static void run(struct mhd_loop *m)
{
	MHD_UNSIGNED_LONG_LONG timeout_msec;

	(void) MHD_run(m->daemon);
	if (MHD_get_timeout(m->daemon, &timeout_msec) == MHD_YES)
		event_oneshot_arm(m->timer, clock_now_usec() + timeout_msec * USEC_PER_MSEC);
	else
		event_oneshot_disarm(m->timer);
}

static void on_readable(uint32_t revents, void *userdata)
{
	run(userdata);
}

static void on_timeout(void *userdata)
{
	run(userdata);
}

static int make_nonblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ? -errno : 0;
}

int mhd_loop_new(sd_event *event, const struct mhd_loop_options *options, struct mhd_loop **ret)
{
	_cleanup_close_ int fd = options->fd;
	_cleanup_(mhd_loop_freep) struct mhd_loop *m = calloc(1, sizeof(*m));
	/* The option is refused when there is to be no listening socket. */
	const struct MHD_OptionItem listening[] = {
		{fd < 0 ? MHD_OPTION_END : MHD_OPTION_LISTEN_SOCKET, fd, NULL},
		{MHD_OPTION_END, 0, NULL},
	};
	const union MHD_DaemonInfo *info;
	int r;

	if (!m)
		return -ENOMEM;
	r = fd < 0 ? 0 : make_nonblocking(fd);
	if (r < 0)
		return r;
	m->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_UPGRADE | MHD_ALLOW_SUSPEND_RESUME |
					     (fd < 0 ? MHD_USE_NO_LISTEN_SOCKET : 0),
				     0, NULL, NULL, options->handler, options->userdata,
				     MHD_OPTION_ARRAY, listening, MHD_OPTION_CONNECTION_LIMIT,
				     options->max_connections, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
				     options->max_per_ip, MHD_OPTION_CONNECTION_TIMEOUT,
				     options->timeout_sec, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
				     (size_t) CONNECTION_MEMORY, MHD_OPTION_NOTIFY_COMPLETED,
				     options->completed, options->userdata, MHD_OPTION_END);
	if (!m->daemon)
		return -EIO;
	(void) TAKE_FD(fd);

	info = MHD_get_daemon_info(m->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	if (!info)
		return -EOPNOTSUPP;
	r = event_io_new(event, info->epoll_fd, EPOLLIN, 0, on_readable, m, options->description,
			 &m->io);
	if (r < 0)
		return r;
	r = event_oneshot_new(event, 0, on_timeout, m, options->description, &m->timer);
	if (r < 0)
		return r;

	*ret = TAKE_PTR(m);
	return 0;
}

struct mhd_loop *mhd_loop_free(struct mhd_loop *m)
{
	if (!m)
		return NULL;
	event_io_free(m->io);
	event_oneshot_free(m->timer);
	if (m->daemon)
		MHD_stop_daemon(m->daemon);
	free(m);
	return NULL;
}

void mhd_loop_add(struct mhd_loop *m, int fd, const struct sockaddr *peer, socklen_t peer_len)
{
	/* It closes what it cannot take. */
	(void) MHD_add_connection(m->daemon, fd, peer, peer_len);
	mhd_loop_wake(m);
}

void mhd_loop_wake(struct mhd_loop *m)
{
	event_oneshot_arm(m->timer, 0);
}
