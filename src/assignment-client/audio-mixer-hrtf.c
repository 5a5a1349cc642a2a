/* Loads an HRTF set beside the loop: preparing one takes most of a second, and even one that was
 * prepared has to be read from a disk that may be slow, while the mixer has to serve within a tenth
 * of a second. */
#include "assignment-client/audio-mixer.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

struct hrtf_loader {
	char *path, *cache_path;
	void (*loaded)(struct mix_ears *ears, int error, void *userdata);
	void *userdata;
	int fd;
	struct event_io *io;
	bool has_thread;
	pthread_t thread;

	/* The thread's until it wrote to fd. */
	struct mix_ears *ears;
	int error;
};

static int make_ears(struct hrtf_loader *loader)
{
	struct hrtf *set;
	int r = hrtf_load(loader->path, loader->cache_path, &set);

	return r < 0 ? r : mix_ears_new(set, &loader->ears);
}

static void *thread_main(void *userdata)
{
	struct hrtf_loader *loader = userdata;

	loader->error = make_ears(loader);
	(void) eventfd_write(loader->fd, 1);
	return NULL;
}

static void on_done(uint32_t revents, void *userdata)
{
	struct hrtf_loader *loader = userdata;
	eventfd_t ignored;

	(void) eventfd_read(loader->fd, &ignored);
	loader->loaded(TAKE_PTR(loader->ears), loader->error, loader->userdata);
}

static int start_thread(struct hrtf_loader *loader)
{
	sigset_t all, before;
	int r;

	(void) sigfillset(&all);
	(void) pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&loader->thread, NULL, thread_main, loader);
	(void) pthread_sigmask(SIG_SETMASK, &before, NULL);
	loader->has_thread = r == 0;
	return -r;
}

int hrtf_loader_new(sd_event *event, const char *path, const char *cache_path,
		    void (*loaded)(struct mix_ears *ears, int error, void *userdata), void *userdata,
		    struct hrtf_loader **ret)
{
	_cleanup_(hrtf_loader_freep) struct hrtf_loader *loader = NULL;
	int r;

	loader = calloc(1, sizeof(*loader));
	if (!loader)
		return -ENOMEM;
	loader->loaded = loaded;
	loader->userdata = userdata;
	loader->path = strdup(path);
	loader->cache_path = strdup(cache_path);
	loader->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (!loader->path || !loader->cache_path)
		return -ENOMEM;
	if (loader->fd < 0)
		return -errno;
	r = event_io_new(event, loader->fd, EPOLLIN, 0, on_done, loader, "HRTF set", &loader->io);
	if (r < 0)
		return r;
	r = start_thread(loader);
	if (r < 0)
		return r;

	*ret = TAKE_PTR(loader);
	return 0;
}

struct hrtf_loader *hrtf_loader_free(struct hrtf_loader *loader)
{
	if (!loader)
		return NULL;

	if (loader->has_thread)
		(void) pthread_join(loader->thread, NULL);
	event_io_free(loader->io);
	closep(&loader->fd);
	mix_ears_free(loader->ears);
	free(loader->path);
	free(loader->cache_path);
	free(loader);
	return NULL;
}
