#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/macros.h"

int file_read(const char *path, size_t max, char **ret, size_t *ret_len)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	_cleanup_free_ char *data = NULL;
	size_t len = 0, room;
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	if ((uint64_t) st.st_size > max)
		return -EFBIG;

	/* One byte more, to notice a file that grows meanwhile. */
	room = (size_t) st.st_size + 1;
	data = malloc(room);
	if (!data)
		return -ENOMEM;
	while (len < room) {
		n = read(fd, data + len, room - len);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0)
			break;
		if (n > 0)
			len += (size_t) n;
	}
	if (len == room)
		return -EAGAIN;

	data[len] = 0;
	*ret = TAKE_PTR(data);
	*ret_len = len;
	return 0;
}

static int write_all(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			p += n;
			len -= (size_t) n;
		}
	}
	return 0;
}

static int sync_directory_of(const char *path)
{
	_cleanup_free_ char *dir = strdup(path);
	_cleanup_close_ int fd = -1;
	char *slash;

	if (!dir)
		return -ENOMEM;
	slash = strrchr(dir, '/');
	if (slash)
		slash[slash == dir] = 0;
	fd = open(slash ? dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

static int write_and_rename(int fd, const char *temporary, const char *path, const void *data,
			    size_t len, mode_t mode)
{
	int r;

	if (fchmod(fd, mode) < 0)
		return -errno;
	r = write_all(fd, data, len);
	if (r < 0)
		return r;
	if (fsync(fd) < 0 || rename(temporary, path) < 0)
		return -errno;
	return 0;
}

int file_replace(const char *path, const void *data, size_t len, mode_t mode)
{
	_cleanup_free_ char *real = realpath(path, NULL), *temporary = NULL;
	_cleanup_close_ int fd = -1;
	struct stat st;
	int r;

	if (real)
		path = real;
	if (stat(path, &st) == 0)
		mode = st.st_mode & 07777;

	if (asprintf(&temporary, "%s.XXXXXX", path) < 0)
		return -ENOMEM;
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = write_and_rename(fd, temporary, path, data, len, mode);
	if (r < 0) {
		(void) unlink(temporary);
		return r;
	}
	return sync_directory_of(path);
}
