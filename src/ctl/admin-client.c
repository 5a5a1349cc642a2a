#include "ctl/admin-client.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include "base/bytes.h"
#include "base/macros.h"

#define REPLY_MAX   (64 * 1024 * 1024)
#define TIMEOUT_SEC 10

static int connect_to(const char *path)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const struct timeval timeout = {.tv_sec = TIMEOUT_SEC};
	struct sockaddr_un un = {.sun_family = AF_UNIX};

	if (fd < 0)
		return -errno;
	if (strlen(path) >= sizeof(un.sun_path))
		return -ENAMETOOLONG;
	strcpy(un.sun_path, path);
	(void) setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	(void) setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	if (connect(fd, (const struct sockaddr *) &un, sizeof(un)) < 0)
		return -errno;
	return TAKE_FD(fd);
}

static int send_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

		if (n < 0)
			return -errno;
		data += n;
		len -= (size_t) n;
	}
	return 0;
}

/* Everything until the server closes: we ask it to, so no length has to be understood. */
static int receive_all(int fd, struct writer *wr)
{
	char data[16384];
	ssize_t n;

	while ((n = recv(fd, data, sizeof(data), 0)) > 0)
		write_bytes(wr, data, (size_t) n);
	if (n < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	return (int) MIN(writer_finish(wr), (ssize_t) 0);
}

static int send_request(int fd, const char *method, const char *target, const json_t *body)
{
	_cleanup_free_ char *text = body ? json_dumps(body, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
	_cleanup_free_ char *request = NULL;
	int n;

	if (body && !text)
		return -ENOMEM;
	n = asprintf(&request,
		     "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
		     "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
		     method, target, text ? strlen(text) : 0, text ? text : "");
	if (n < 0)
		return -ENOMEM;
	return send_all(fd, request, (size_t) n);
}

/* HTTP/1.x NNN …, headers, an empty line, JSON. */
static int parse_reply(const char *data, size_t len, json_t **ret)
{
	const char *body = memmem(data, len, "\r\n\r\n", 4);
	unsigned status;
	json_t *json;

	if (!body || sscanf(data, "HTTP/1.%*1[01] %3u", &status) != 1)
		return -EBADMSG;
	body += 4;
	json = json_loadb(body, len - (size_t) (body - data), JSON_DECODE_ANY, NULL);
	if (!json)
		return -EBADMSG;
	*ret = json;
	return status >= 200 && status < 300 ? 0 : -EREMOTEIO;
}

int admin_call(const char *socket_path, const char *method, const char *target, const json_t *body,
	       json_t **ret)
{
	_cleanup_close_ int fd = connect_to(socket_path);
	struct writer wr = writer_growing(REPLY_MAX);
	int r;

	if (fd < 0)
		return fd;
	r = send_request(fd, method, target, body);
	if (r >= 0)
		r = receive_all(fd, &wr);
	if (r >= 0) {
		write_u8(&wr, 0); /* sscanf() wants an end */
		r = (int) MIN(writer_finish(&wr), (ssize_t) 0);
	}
	if (r >= 0)
		r = parse_reply((const char *) wr.data, wr.len - 1, ret);
	writer_done(&wr);
	return r;
}
