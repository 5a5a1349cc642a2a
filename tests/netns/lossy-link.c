/* A bad wire between two network namespaces, for kernels without netem: a TUN device in each, and
 * this program between them, which loses, delays, repeats and reorders what passes. Nothing above
 * notices.
 *
 *   lossy-link NAMESPACE NAMESPACE [--loss PERCENT] [--delay MS] [--jitter MS] [--duplicate
 * PERCENT]
 *              [--reorder PERCENT] [--seed N]
 *
 * Both devices are called link0; the caller gives them addresses once "ready" is printed. SIGTERM
 * ends it, with a line of counts.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define PACKET_MAX 1500
/* Enough for 100 Mbit/s at a delay of a second; beyond that the wire loses, as a real queue does.
 */
#define QUEUE_MAX     8192
#define USEC_PER_MSEC 1000

struct link {
	double loss, duplicate, reorder; /* 0..1 */
	uint64_t delay_usec, jitter_usec;
	int fds[2];
	/* A binary heap by due time. */
	struct passing *queue[QUEUE_MAX];
	size_t queued;
	uint64_t passed, lost, repeated, hurried;
};

struct passing {
	uint64_t due_usec;
	int to;
	size_t len;
	uint8_t bytes[PACKET_MAX];
};

static volatile sig_atomic_t ending;

static void on_term(int signal_number)
{
	ending = 1;
}

static uint64_t now_usec(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t) ts.tv_sec * 1000000 + (uint64_t) ts.tv_nsec / 1000;
}

/* The calling thread ends up in that namespace. */
static int tun_open(const char *namespace)
{
	struct ifreq request = {.ifr_name = "link0", .ifr_flags = IFF_TUN | IFF_NO_PI};
	char path[256];
	int ns, fd;

	(void) snprintf(path, sizeof(path), "/run/netns/%s", namespace);
	ns = open(path, O_RDONLY | O_CLOEXEC);
	if (ns < 0 || setns(ns, CLONE_NEWNET) < 0)
		return -errno;
	close(ns);

	fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &request) < 0)
		return -errno;
	return fd;
}

static void queue_swap(struct link *link, size_t a, size_t b)
{
	struct passing *packet = link->queue[a];

	link->queue[a] = link->queue[b];
	link->queue[b] = packet;
}

static void queue_push(struct link *link, struct passing *packet)
{
	size_t at = link->queued++;

	link->queue[at] = packet;
	for (; at > 0 && link->queue[at]->due_usec < link->queue[(at - 1) / 2]->due_usec;
	     at = (at - 1) / 2)
		queue_swap(link, at, (at - 1) / 2);
}

static struct passing *queue_pop(struct link *link)
{
	struct passing *first = link->queue[0];
	size_t at = 0, child;

	link->queue[0] = link->queue[--link->queued];
	while ((child = 2 * at + 1) < link->queued) {
		if (child + 1 < link->queued &&
		    link->queue[child + 1]->due_usec < link->queue[child]->due_usec)
			child++;
		if (link->queue[at]->due_usec <= link->queue[child]->due_usec)
			break;
		queue_swap(link, at, child);
		at = child;
	}
	return first;
}

static void link_enqueue(struct link *link, int to, const uint8_t *bytes, size_t len)
{
	struct passing *packet;

	packet = link->queued < QUEUE_MAX ? malloc(sizeof(*packet)) : NULL;
	if (!packet) {
		link->lost++;
		return;
	}
	packet->due_usec = now_usec();
	if (drand48() >= link->reorder)
		packet->due_usec +=
			link->delay_usec + (uint64_t) (drand48() * (double) link->jitter_usec);
	else
		link->hurried++;
	packet->to = to;
	packet->len = len;
	memcpy(packet->bytes, bytes, len);
	queue_push(link, packet);
}

static void link_take(struct link *link, int from)
{
	uint8_t bytes[PACKET_MAX];
	ssize_t len;

	while ((len = read(link->fds[from], bytes, sizeof(bytes))) > 0) {
		if (drand48() < link->loss) {
			link->lost++;
			continue;
		}
		link_enqueue(link, !from, bytes, (size_t) len);
		if (drand48() < link->duplicate) {
			link->repeated++;
			link_enqueue(link, !from, bytes, (size_t) len);
		}
	}
}

static void link_deliver_due(struct link *link)
{
	while (link->queued > 0 && link->queue[0]->due_usec <= now_usec()) {
		struct passing *packet = queue_pop(link);

		/* A full receiver loses it; that is what a wire does. */
		if (write(link->fds[packet->to], packet->bytes, packet->len) > 0)
			link->passed++;
		else
			link->lost++;
		free(packet);
	}
}

static void link_wait(struct link *link)
{
	struct pollfd polls[2] = {{link->fds[0], POLLIN, 0}, {link->fds[1], POLLIN, 0}};
	struct timespec timeout = {1, 0};
	uint64_t now = now_usec();

	if (link->queued > 0) {
		uint64_t left = link->queue[0]->due_usec > now ? link->queue[0]->due_usec - now : 0;

		timeout = (struct timespec){(time_t) (left / 1000000),
					    (long) (left % 1000000) * 1000};
	}
	(void) ppoll(polls, 2, &timeout, NULL);
}

static int parse_options(struct link *link, int argc, char **argv)
{
	static const struct option options[] = {
		{"loss", required_argument, NULL, 'l'},
		{"delay", required_argument, NULL, 'd'},
		{"jitter", required_argument, NULL, 'j'},
		{"duplicate", required_argument, NULL, 'u'},
		{"reorder", required_argument, NULL, 'r'},
		{"seed", required_argument, NULL, 's'},
		{},
	};
	int c;

	srand48(1);
	while ((c = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		double value = optarg ? atof(optarg) : 0;

		switch (c) {
		case 'l':
			link->loss = value / 100;
			break;
		case 'd':
			link->delay_usec = (uint64_t) (value * USEC_PER_MSEC);
			break;
		case 'j':
			link->jitter_usec = (uint64_t) (value * USEC_PER_MSEC);
			break;
		case 'u':
			link->duplicate = value / 100;
			break;
		case 'r':
			link->reorder = value / 100;
			break;
		case 's':
			srand48((long) value);
			break;
		default:
			return -EINVAL;
		}
	}
	return argc - optind == 2 ? 0 : -EINVAL;
}

int main(int argc, char **argv)
{
	static struct link link;

	if (parse_options(&link, argc, argv) < 0) {
		fprintf(stderr,
			"usage: lossy-link NAMESPACE NAMESPACE [--loss PERCENT] [--delay MS] …\n");
		return EXIT_FAILURE;
	}
	for (int i = 0; i < 2; i++) {
		link.fds[i] = tun_open(argv[optind + i]);
		if (link.fds[i] < 0) {
			fprintf(stderr, "lossy-link: %s: %s\n", argv[optind + i],
				strerror(-link.fds[i]));
			return EXIT_FAILURE;
		}
	}
	signal(SIGTERM, on_term);
	puts("ready");
	fflush(stdout);

	while (!ending) {
		link_wait(&link);
		link_take(&link, 0);
		link_take(&link, 1);
		link_deliver_due(&link);
	}
	printf("passed %ju, lost %ju, repeated %ju, hurried %ju\n", (uintmax_t) link.passed,
	       (uintmax_t) link.lost, (uintmax_t) link.repeated, (uintmax_t) link.hurried);
	return EXIT_SUCCESS;
}
