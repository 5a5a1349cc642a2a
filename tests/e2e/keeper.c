/* keeper [--udp NAME:PORT] PROGRAM ARGUMENT…: a service manager in miniature. Holds a UDP socket
 * and what the program gives it to hold (FDSTORE=1), starts the program again when it ends, and
 * passes all that on (sd_listen_fds(3)). After SIGTERM, or when the program fails, it ends with the
 * program. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define HELD_MAX 8

static struct {
	char name[64];
	int fd;
} held[HELD_MAX];
static int n_held;

static _Noreturn void die(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

static void hold(const char *name, int fd)
{
	if (n_held == HELD_MAX)
		die("too many");
	(void) snprintf(held[n_held].name, sizeof(held[0].name), "%s", name);
	held[n_held++].fd = fd;
}

static void release(const char *name)
{
	for (int i = 0; i < n_held; i++)
		if (strcmp(held[i].name, name) == 0) {
			(void) close(held[i].fd);
			held[i--] = held[--n_held];
		}
}

static void hold_udp(const char *option)
{
	const char *colon = strchr(option, ':');
	struct sockaddr_in6 in = {.sin6_family = AF_INET6};
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0), off = 0;
	char name[64];

	if (!colon)
		die(option);
	in.sin6_port = htons((uint16_t) atoi(colon + 1));
	(void) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (fd < 0 || bind(fd, (struct sockaddr *) &in, sizeof(in)) < 0)
		die(option);
	(void) snprintf(name, sizeof(name), "%.*s", (int) (colon - option), option);
	hold(name, fd);
}

/* An abstract name that the kernel chose. */
static int listen_to_notifications(void)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	socklen_t len = sizeof(un);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char name[sizeof(un.sun_path) + 1];

	if (fd < 0 || bind(fd, (struct sockaddr *) &un, sizeof(sa_family_t)) < 0 ||
	    getsockname(fd, (struct sockaddr *) &un, &len) < 0)
		die("notify socket");
	(void) snprintf(name, sizeof(name), "@%s", un.sun_path + 1);
	(void) setenv("NOTIFY_SOCKET", name, true);
	return fd;
}

static void take_notification(int notify_fd)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	char text[4096];
	struct iovec iov = {text, sizeof(text) - 1};
	struct msghdr m = {.msg_iov = &iov,
			   .msg_iovlen = 1,
			   .msg_control = &control,
			   .msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(notify_fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	struct cmsghdr *c = n >= 0 ? CMSG_FIRSTHDR(&m) : NULL;
	char *name;
	int fd;

	text[n > 0 ? n : 0] = '\0';
	name = strstr(text, "FDNAME=");
	if (!name)
		return;
	name += strlen("FDNAME=");
	name[strcspn(name, "\n")] = '\0';
	if (strncmp(text, "FDSTOREREMOVE=1", 15) == 0)
		release(name);
	if (c) {
		memcpy(&fd, CMSG_DATA(c), sizeof(fd));
		hold(name, fd);
	}
}

static pid_t start(char **argv)
{
	char pid[16], n[16], names[HELD_MAX * 64] = "";
	pid_t child = fork();

	if (child != 0)
		return child;
	(void) prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (int i = 0; i < n_held; i++) {
		/* Nothing that is held has such a number: see main(). */
		if (dup2(held[i].fd, 3 + i) < 0)
			_exit(EXIT_FAILURE);
		(void) strcat(strcat(names, i > 0 ? ":" : ""), held[i].name);
	}
	(void) snprintf(pid, sizeof(pid), "%d", getpid());
	(void) snprintf(n, sizeof(n), "%d", n_held);
	(void) setenv("LISTEN_PID", pid, true);
	(void) setenv("LISTEN_FDS", n, true);
	(void) setenv("LISTEN_FDNAMES", names, true);
	(void) execv(argv[0], argv);
	_exit(EXIT_FAILURE);
}

static volatile sig_atomic_t child_pid, is_stopping;

static void on_term(int number)
{
	is_stopping = true;
	if (child_pid > 0)
		(void) kill(child_pid, SIGTERM);
}

static void on_child(int number)
{
	/* Only to end the wait for notifications. */
}

int main(int argc, char **argv)
{
	const struct sigaction term = {.sa_handler = on_term}, child = {.sa_handler = on_child};
	int notify_fd, status;

	argv++;
	/* What is held is not among the numbers that the program gets it as. */
	for (int fd = 3; fd < 3 + HELD_MAX; fd++)
		(void) fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, fd);
	while (argv[0] && argv[1] && strcmp(argv[0], "--udp") == 0) {
		hold_udp(argv[1]);
		argv += 2;
	}
	if (!argv[0])
		die("program");
	(void) sigaction(SIGTERM, &term, NULL);
	(void) sigaction(SIGCHLD, &child, NULL);
	notify_fd = listen_to_notifications();
	for (;;) {
		struct timeval wait = {.tv_usec = 100000};
		fd_set set;

		if (child_pid == 0)
			child_pid = start(argv);
		FD_ZERO(&set);
		FD_SET(notify_fd, &set);
		if (select(notify_fd + 1, &set, NULL, NULL, &wait) > 0)
			take_notification(notify_fd);
		if (waitpid(child_pid, &status, WNOHANG) <= 0)
			continue;
		if (is_stopping || (WIFEXITED(status) && WEXITSTATUS(status) != 0))
			return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE;
		/* What it said last. */
		take_notification(notify_fd);
		child_pid = 0;
	}
}
