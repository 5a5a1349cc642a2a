#include "load/run.h"

#include <errno.h>
#include <math.h>
#include <sys/epoll.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/event.h"
#include "base/log.h"
#include "load/client.h"

/* Clients take turns: each sends in one of ten phases of a frame, so that the load is as even as
 * that of real clients, whose clocks know nothing of each other. */
#define TICK_USEC USEC_PER_MSEC
#define PHASES    (FRAME_USEC / TICK_USEC)
#define READY_MAX 8
#define READ_USEC (2 * USEC_PER_MSEC)
/* What is later than this is left out. */
#define LATE_MAX_USEC (300 * USEC_PER_MSEC)

/* From the last one's joining to the measuring. */
#define SETTLE_USEC     (3 * USEC_PER_SEC)
#define SETTLE_MAX_USEC (15 * USEC_PER_SEC)
/* From the end of the measuring to the report: what is under way arrives, avatars of those who left
 * go. */
#define DRAIN_USEC    (2 * USEC_PER_SEC)
#define GHOST_USEC    (5 * USEC_PER_SEC)
#define CHORE_USEC    (USEC_PER_SEC / 4)
#define PROGRESS_USEC (10 * USEC_PER_SEC)
/* A client that takes longer than this to connect is missing. */
#define CONNECT_MAX_USEC (10 * USEC_PER_SEC)

enum phase {
	PHASE_JOINING,
	PHASE_MEASURING,
	PHASE_DRAINING,
};

struct run {
	const struct load_options *options;
	sd_event *event;
	struct scene scene;
	struct client *clients;
	uint64_t *rejoin_usec; /* when a client that left comes back; 0: it did not leave */
	struct prng prng;

	int epoll_fd;
	struct event_io *io;
	struct event_timer *timer;
	uint64_t tick, tick_usec; /* the next one, and when it is due */
	uint64_t skipped;

	enum phase phase;
	unsigned n_started;
	uint64_t start_usec, last_start_usec, phase_usec;
	uint64_t next_churn_usec, next_chore_usec, next_progress_usec, ghosts_until_usec;

	/* At the begin of the measuring, and the difference at its end. */
	struct node_traffic traffic[LOAD_MIXER_COUNT];
	uint64_t cpu_usec, skipped_before, measured_usec;
	unsigned n_complete, n_missing;
};

/* --- joining and leaving --- */

static int join(struct run *run, unsigned i, uint64_t now_usec)
{
	struct client *c = &run->clients[i];
	struct epoll_event ready = {.events = EPOLLIN, .data.u32 = i};
	int r;

	run->rejoin_usec[i] = 0;
	r = client_join(c, now_usec);
	if (r < 0)
		return log_error_errno(r, "Cannot open client %u: %m", i);
	/* Closing the socket takes it out again. */
	if (epoll_ctl(run->epoll_fd, EPOLL_CTL_ADD, endpoint_fd(c->ep), &ready) < 0)
		return log_error_errno(errno, "Cannot wait for client %u: %m", i);
	return 0;
}

static void abandon(struct run *run, int error)
{
	(void) sd_event_exit(run->event, error);
}

static void run_ramp(struct run *run, uint64_t now_usec)
{
	double due = (double) (now_usec - run->start_usec) / 1e6 * run->options->ramp + 1;
	int r;

	while (run->n_started < run->options->clients && run->n_started < due) {
		r = join(run, run->n_started, now_usec);
		if (r < 0) {
			abandon(run, r);
			return;
		}
		run->n_started++;
		run->last_start_usec = now_usec;
	}
}

static void run_churn(struct run *run, uint64_t now_usec)
{
	unsigned i;

	for (i = 0; i < run->options->clients; i++)
		if (run->rejoin_usec[i] > 0 && now_usec >= run->rejoin_usec[i])
			(void) join(run, i, now_usec);

	if (run->options->churn <= 0 || run->phase != PHASE_MEASURING ||
	    now_usec < run->next_churn_usec)
		return;
	run->next_churn_usec = now_usec + (uint64_t) (1e6 / run->options->churn);
	i = (unsigned) (prng_next(&run->prng) % run->options->clients);
	if (client_is_joined(&run->clients[i]) && run->clients[i].is_complete) {
		client_leave(&run->clients[i]);
		run->rejoin_usec[i] = now_usec + (uint64_t) prng_range(&run->prng, 1e6, 3e6);
		run->scene.measures.run.departures++;
	}
}

static unsigned count_complete(const struct run *run)
{
	unsigned n = 0;

	for (unsigned i = 0; i < run->options->clients; i++)
		n += run->clients[i].is_complete;
	return n;
}

static unsigned count_missing(const struct run *run, uint64_t now_usec)
{
	unsigned n = 0;

	for (unsigned i = 0; i < run->options->clients; i++) {
		const struct client *c = &run->clients[i];

		n += run->rejoin_usec[i] == 0 && !c->is_complete &&
		     (!client_is_joined(c) || now_usec > c->asked_usec + CONNECT_MAX_USEC);
	}
	return n;
}

/* --- checks that go over all clients --- */

/* How many of those who listened when it was said do not have it. */
static unsigned count_lacking(const struct run *run, const struct chat_message *message)
{
	unsigned n = 0;

	for (unsigned i = 0; i < run->options->clients; i++) {
		uint64_t listens = run->clients[i].messages.listens_usec;

		n += listens > 0 && listens <= message->sent_usec && !chat_message_has(message, i);
	}
	return n;
}

static void settle_chat(struct run *run, uint64_t now_usec)
{
	const struct chat_message *message;

	while ((message = chat_log_oldest(&run->scene.chat, now_usec))) {
		unsigned lacking = count_lacking(run, message);

		if (lacking > 0 && now_usec < message->sent_usec + CHAT_PATIENCE_USEC)
			return;
		run->scene.measures.run.faults.n[FAULT_CHAT_LOST] += lacking;
		/* A repetition would arrive soon after. */
		if (lacking == 0 && now_usec < message->sent_usec + DRAIN_USEC &&
		    !run->scene.is_over)
			return;
		chat_log_drop(&run->scene.chat, message);
	}
}

static void find_ghosts(struct run *run, uint64_t now_usec)
{
	uint64_t until = now_usec - GHOST_USEC;

	for (unsigned i = 0; i < run->options->clients; i++)
		run->scene.measures.run.faults.n[FAULT_GHOST] +=
			client_avatar_ghosts(&run->clients[i], run->ghosts_until_usec, until);
	run->ghosts_until_usec = until;
}

/* --- phases --- */

static void add_traffic(const struct run *run, struct node_traffic sum[static LOAD_MIXER_COUNT])
{
	for (unsigned i = 0; i < LOAD_MIXER_COUNT; i++)
		sum[i] = run->scene.measures.gone[i];
	for (unsigned i = 0; i < run->options->clients; i++)
		client_add_traffic(&run->clients[i], sum);
}

static void begin_measuring(struct run *run, uint64_t now_usec)
{
	log_info("%u of %u clients are connected, measuring for %g s", count_complete(run),
		 run->options->clients, run->options->duration_s);
	run->phase = PHASE_MEASURING;
	run->phase_usec = now_usec;
	run->scene.is_measuring = true;
	run->cpu_usec = clock_cpu_usec();
	run->skipped_before = run->skipped;
	add_traffic(run, run->traffic);
}

static void end_measuring(struct run *run, uint64_t now_usec)
{
	struct node_traffic end[LOAD_MIXER_COUNT];

	add_traffic(run, end);
	for (unsigned i = 0; i < LOAD_MIXER_COUNT; i++)
		node_traffic_subtract(&end[i], &run->traffic[i], &run->traffic[i]);
	run->phase = PHASE_DRAINING;
	run->measured_usec = now_usec - run->phase_usec;
	run->cpu_usec = clock_cpu_usec() - run->cpu_usec;
	run->skipped -= run->skipped_before;
	run->n_complete = count_complete(run);
	run->n_missing = count_missing(run, now_usec);
	run->phase_usec = now_usec;
	run->scene.is_measuring = false;
	run->scene.is_over = true;
}

static bool is_drained(const struct run *run, uint64_t now_usec)
{
	uint64_t least = run->options->churn > 0 ? GHOST_USEC + USEC_PER_SEC : DRAIN_USEC;

	return now_usec > run->phase_usec + least && !chat_log_oldest(&run->scene.chat, now_usec);
}

static void run_phase(struct run *run, uint64_t now_usec)
{
	bool all_started = run->n_started == run->options->clients;

	switch (run->phase) {
	case PHASE_JOINING:
		if (all_started && now_usec > run->last_start_usec + SETTLE_USEC &&
		    (count_complete(run) == run->options->clients ||
		     now_usec > run->last_start_usec + SETTLE_MAX_USEC))
			begin_measuring(run, now_usec);
		break;
	case PHASE_MEASURING:
		if (now_usec > run->phase_usec + (uint64_t) (run->options->duration_s * 1e6))
			end_measuring(run, now_usec);
		break;
	case PHASE_DRAINING:
		if (is_drained(run, now_usec))
			(void) sd_event_exit(run->event, 0);
		break;
	}
}

static void tell_progress(struct run *run, uint64_t now_usec)
{
	if (now_usec < run->next_progress_usec)
		return;
	run->next_progress_usec = now_usec + PROGRESS_USEC;
	log_info("%u of %u clients started, %u connected", run->n_started, run->options->clients,
		 count_complete(run));
}

static void run_chores(struct run *run, uint64_t now_usec)
{
	if (now_usec < run->next_chore_usec)
		return;
	run->next_chore_usec = now_usec + CHORE_USEC;
	settle_chat(run, now_usec);
	find_ghosts(run, now_usec);
	sessions_sweep(&run->scene.sessions, now_usec);
	tell_progress(run, now_usec);
	run_phase(run, now_usec);
}

/* --- the loop --- */

static void run_frames(struct run *run, uint64_t now_usec)
{
	for (unsigned i = (unsigned) (run->tick % PHASES); i < run->n_started; i += PHASES)
		if (client_is_joined(&run->clients[i]))
			client_frame(&run->clients[i], run->tick / PHASES, now_usec);
	run->tick++;
	run->tick_usec += TICK_USEC;
}

static void on_tick(void *userdata)
{
	struct run *run = userdata;
	uint64_t now = clock_now_usec();
	uint64_t late = now > run->tick_usec ? now - run->tick_usec : 0;

	if (run->scene.is_measuring)
		histogram_add(&run->scene.measures.traffic.lateness, late);
	if (late > LATE_MAX_USEC) {
		run->skipped += late / TICK_USEC;
		run->tick_usec = now;
	}
	run_ramp(run, now);
	run_churn(run, now);
	while (run->tick_usec <= now)
		run_frames(run, now);
	run_chores(run, now);
}

/* Reads for a while only, since sending must not wait; few sockets at a time, so that those left
 * over come first the next time. */
static void on_sockets(uint32_t revents, void *userdata)
{
	struct run *run = userdata;
	uint64_t end = clock_now_usec() + READ_USEC;
	struct epoll_event ready[READY_MAX];
	int n;

	do {
		n = epoll_wait(run->epoll_fd, ready, READY_MAX, 0);
		for (int i = 0; i < n; i++)
			if (client_is_joined(&run->clients[ready[i].data.u32]))
				client_receive(&run->clients[ready[i].data.u32]);
	} while (n == READY_MAX && clock_now_usec() < end);
}

/* A socket for each client, and those of the program. */
static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		(void) setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static int make_clients(struct run *run)
{
	unsigned n = run->options->clients;
	int r;

	run->clients = calloc(n, sizeof(*run->clients));
	run->rejoin_usec = calloc(n, sizeof(*run->rejoin_usec));
	if (!run->clients || !run->rejoin_usec)
		return -ENOMEM;
	for (unsigned i = 0; i < n; i++) {
		r = client_init(&run->clients[i], &run->scene, i);
		if (r < 0)
			return r;
	}
	return 0;
}

static int start_loop(struct run *run)
{
	uint64_t now = clock_now_usec();
	int r;

	run->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (run->epoll_fd < 0)
		return -errno;
	r = event_io_new(run->event, run->epoll_fd, EPOLLIN, 0, on_sockets, run, "sockets",
			 &run->io);
	if (r < 0)
		return r;
	run->start_usec = now;
	run->tick_usec = now;
	run->ghosts_until_usec = now;
	run->next_progress_usec = now + PROGRESS_USEC;
	/* Sending comes before reading: its rhythm is what others hear. */
	return event_timer_new(run->event, now, TICK_USEC, -10, on_tick, run, "tick", &run->timer);
}

int run_new(sd_event *event, const struct load_options *options, const struct hifi_addr *domain,
	    struct run **ret)
{
	_cleanup_(run_freep) struct run *run = NULL;
	int r;

	run = calloc(1, sizeof(*run));
	if (!run)
		return -ENOMEM;
	run->options = options;
	run->event = event;
	run->epoll_fd = -1;
	run->prng.state = options->seed ^ UINT64_C(0x5deece66d);
	raise_descriptor_limit();

	r = scene_init(&run->scene, options, domain);
	if (r < 0)
		return r;
	r = make_clients(run);
	if (r < 0)
		return r;
	r = start_loop(run);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(run);
	return 0;
}

struct run *run_free(struct run *run)
{
	if (!run)
		return NULL;
	for (unsigned i = 0; run->clients && i < run->options->clients; i++)
		client_done(&run->clients[i]);
	free(run->clients);
	free(run->rejoin_usec);
	event_timer_free(run->timer);
	event_io_free(run->io);
	if (run->epoll_fd >= 0)
		(void) close(run->epoll_fd);
	scene_done(&run->scene);
	free(run);
	return NULL;
}

/* --- the end --- */

/* Mean share, over the clients that were there, of others who talk that each heard. */
static double share_heard(const struct run *run)
{
	unsigned talkers = run->scene.cast.n_talkers, n = 0;
	double sum = 0;

	for (unsigned i = 0; i < run->options->clients; i++) {
		unsigned others = talkers - cast_talks(&run->scene.cast, i);

		if (others > 0) {
			sum += client_audio_heard(&run->clients[i].audio, talkers) /
			       (double) others;
			n++;
		}
	}
	return n > 0 && run->options->tone ? sum / n : NAN;
}

static double share_seen(const struct run *run)
{
	unsigned n = run->options->clients;
	double sum = 0;

	for (unsigned i = 0; i < n; i++)
		sum += client_avatar_seen(&run->clients[i]);
	return n > 1 && run->options->avatar ? sum / n / (n - 1) : NAN;
}

void run_finish(struct run *run, struct report *ret)
{
	uint64_t now = clock_now_usec();

	/* Interrupted: what there is. */
	if (run->phase == PHASE_JOINING)
		begin_measuring(run, now);
	if (run->phase == PHASE_MEASURING)
		end_measuring(run, now);

	*ret = (struct report){
		.options = run->options,
		.domain = run->scene.domain,
		.measures = &run->scene.measures,
		.measured_s = (double) run->measured_usec / 1e6,
		.n_complete = run->n_complete,
		.n_missing = run->n_missing,
		.share_heard = share_heard(run),
		.share_seen = share_seen(run),
		.cpu_usec = run->cpu_usec,
		.skipped = run->skipped,
	};
	for (unsigned i = 0; i < LOAD_MIXER_COUNT; i++)
		ret->traffic[i] = run->traffic[i];
	/* Only now is known what went wrong at their endpoints. */
	for (unsigned i = 0; i < run->options->clients; i++)
		client_leave(&run->clients[i]);
}
