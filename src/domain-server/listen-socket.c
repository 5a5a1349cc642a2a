#include "domain-server/listen-socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/macros.h"

#define BACKLOG 128

static int bind_and_listen(int family, const void *addr, socklen_t len)
{
	_cleanup_close_ int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	const int one = 1, zero = 0;

	if (fd < 0)
		return -errno;
	if (family != AF_UNIX)
		(void) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (family == AF_INET6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero)) < 0)
		return -errno;
	if (bind(fd, addr, len) < 0 || listen(fd, BACKLOG) < 0)
		return -errno;
	return TAKE_FD(fd);
}

int listen_socket_tcp(const char *address, uint16_t port)
{
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	struct sockaddr_in in4 = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd;

	if (address && inet_pton(AF_INET, address, &in4.sin_addr) == 1)
		return bind_and_listen(AF_INET, &in4, sizeof(in4));
	if (address && inet_pton(AF_INET6, address, &in6.sin6_addr) != 1)
		return -EINVAL;
	fd = bind_and_listen(AF_INET6, &in6, sizeof(in6));
	/* A kernel without IPv6. */
	if (!address && (fd == -EAFNOSUPPORT || fd == -EADDRNOTAVAIL))
		fd = bind_and_listen(AF_INET, &in4, sizeof(in4));
	return fd;
}

static bool is_served(const struct sockaddr_un *un)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	return fd >= 0 &&
	       (connect(fd, (const struct sockaddr *) un, sizeof(*un)) == 0 || errno == EAGAIN);
}

int listen_socket_unix(const char *path)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	struct stat st;
	int fd;

	if (strlen(path) >= sizeof(un.sun_path))
		return -ENAMETOOLONG;
	strcpy(un.sun_path, path);
	if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode)) {
		if (is_served(&un))
			return -EADDRINUSE;
		(void) unlink(path);
	}
	fd = bind_and_listen(AF_UNIX, &un, sizeof(un));
	/* Whoever may connect may do everything: the file's owner and group. */
	if (fd >= 0)
		(void) chmod(path, 0660);
	return fd;
}

uint16_t listen_socket_port(int fd)
{
	struct sockaddr_storage addr = {0};
	socklen_t len = sizeof(addr);

	if (getsockname(fd, (struct sockaddr *) &addr, &len) < 0)
		return 0;
	if (addr.ss_family == AF_INET)
		return ntohs(((const struct sockaddr_in *) &addr)->sin_port);
	if (addr.ss_family == AF_INET6)
		return ntohs(((const struct sockaddr_in6 *) &addr)->sin6_port);
	return 0;
}
