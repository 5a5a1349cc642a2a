#include "base/background.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "base/event.h"

struct job {
	void (*work)(void *userdata);
	void (*done)(void *userdata);
	void *userdata;
};

/* jobs is a ring: [n_called, n_worked) are done, [n_worked, n_given) wait. All three only grow. */
struct background {
	pthread_mutex_t lock; /* of what the thread shares: jobs, n_worked, n_given, is_ending */
	pthread_cond_t wake;
	struct job jobs[BACKGROUND_JOBS_MAX];
	unsigned n_given, n_worked;
	bool is_ending;

	pthread_t thread;
	bool has_thread;
	unsigned n_called;
	int fd; /* eventfd: n_worked grew */
	struct event_io *io;
};

static struct job *job_at(struct background *b, unsigned n)
{
	return &b->jobs[n % BACKGROUND_JOBS_MAX];
}

static void *run(void *userdata)
{
	struct background *b = userdata;
	struct job job;

	(void) pthread_mutex_lock(&b->lock);
	for (;;) {
		while (!b->is_ending && b->n_worked == b->n_given)
			(void) pthread_cond_wait(&b->wake, &b->lock);
		if (b->is_ending)
			break;
		job = *job_at(b, b->n_worked);
		(void) pthread_mutex_unlock(&b->lock);
		job.work(job.userdata);
		(void) pthread_mutex_lock(&b->lock);
		b->n_worked++;
		(void) eventfd_write(b->fd, 1);
	}
	(void) pthread_mutex_unlock(&b->lock);
	return NULL;
}

static void call_back(struct background *b, unsigned until)
{
	while (b->n_called != until) {
		struct job job = *job_at(b, b->n_called++);

		job.done(job.userdata);
	}
}

static void on_worked(uint32_t revents, void *userdata)
{
	struct background *b = userdata;
	unsigned n_worked;
	eventfd_t n;

	(void) eventfd_read(b->fd, &n);
	(void) pthread_mutex_lock(&b->lock);
	n_worked = b->n_worked;
	(void) pthread_mutex_unlock(&b->lock);
	call_back(b, n_worked);
}

/* Signals are the loop's. */
static int start_thread(struct background *b)
{
	sigset_t all, before;
	int r;

	(void) sigfillset(&all);
	(void) pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&b->thread, NULL, run, b);
	(void) pthread_sigmask(SIG_SETMASK, &before, NULL);
	b->has_thread = r == 0;
	return -r;
}

int background_new(sd_event *event, struct background **ret)
{
	_cleanup_(background_freep) struct background *b = calloc(1, sizeof(*b));
	int r;

	if (!b)
		return -ENOMEM;
	(void) pthread_mutex_init(&b->lock, NULL);
	(void) pthread_cond_init(&b->wake, NULL);
	b->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (b->fd < 0)
		return -errno;
	r = event_io_new(event, b->fd, EPOLLIN, 0, on_worked, b, "background", &b->io);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(b);
	return 0;
}

struct background *background_free(struct background *b)
{
	if (!b)
		return NULL;
	(void) pthread_mutex_lock(&b->lock);
	b->is_ending = true;
	(void) pthread_cond_signal(&b->wake);
	(void) pthread_mutex_unlock(&b->lock);
	if (b->has_thread)
		(void) pthread_join(b->thread, NULL);
	call_back(b, b->n_given);
	event_io_free(b->io);
	closep(&b->fd);
	(void) pthread_cond_destroy(&b->wake);
	(void) pthread_mutex_destroy(&b->lock);
	free(b);
	return NULL;
}

int background_run(struct background *b, void (*work)(void *userdata), void (*done)(void *userdata),
		   void *userdata)
{
	int r;

	if (b->n_given - b->n_called >= BACKGROUND_JOBS_MAX)
		return -EBUSY;
	if (!b->has_thread) {
		r = start_thread(b);
		if (r < 0)
			return r;
	}
	(void) pthread_mutex_lock(&b->lock);
	*job_at(b, b->n_given) = (struct job){work, done, userdata};
	b->n_given++;
	(void) pthread_cond_signal(&b->wake);
	(void) pthread_mutex_unlock(&b->lock);
	return 0;
}
