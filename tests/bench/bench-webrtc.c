/* What WebRTC clients cost this process: setup, memory, idling, messages each way.
 *
 *	bench-webrtc [CLIENTS]
 *
 * The clients (tests/unit/webrtc/peer.c) live in a child process, one UDP socket each, so that this
 *one's CPU time is the server's alone, kernel included. Figures are per core: CPU time, not wall
 *time. */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "net/udp-socket.h"
#include "peer.h"
#include "webrtc/webrtc.h"

#define CLIENTS_DEFAULT 500
#define CLIENTS_MAX     4000
#define TEXT_MAX        4096
#define MESSAGE_LEN     100
#define PHASE_USEC      (3 * USEC_PER_SEC)
#define TICK_USEC       (20 * USEC_PER_MSEC)
#define OFFERS_AT_ONCE  16
#define CHECK_USEC      (2500 * USEC_PER_MSEC) /* as libwebrtc checks consent */

static void die(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

/* --- what parent and child tell each other --- */

enum letter_kind {
	LETTER_OFFER,
	LETTER_ANSWER,
	LETTER_SEND, /* from now on, all clients send what they can */
	LETTER_STOP,
};

struct letter {
	enum letter_kind kind;
	unsigned client;
	char text[TEXT_MAX];
};

static void post(int fd, enum letter_kind kind, unsigned client, const char *text)
{
	struct letter letter = {.kind = kind, .client = client};

	(void) snprintf(letter.text, sizeof(letter.text), "%s", text);
	if (send(fd, &letter, offsetof(struct letter, text) + strlen(letter.text) + 1, 0) < 0)
		die("send");
}

/* --- the clients --- */

struct client {
	struct peer *peer;
	int fd;
	bool started;
};

struct crowd {
	struct client clients[CLIENTS_MAX];
	unsigned n, wanted;
	uint16_t port;
	int mail, epoll;
	bool sending;
};

static void to_server(void *userdata, const void *data, size_t len)
{
	struct client *c = userdata;

	(void) send(c->fd, data, len, MSG_DONTWAIT);
}

static void ignore_message(void *userdata, uint32_t ppid, const uint8_t *data, size_t len)
{
}

static const struct peer_ops peer_ops = {
	.send = to_server,
	.message = ignore_message,
};

static void add_client(struct crowd *crowd)
{
	struct client *c = &crowd->clients[crowd->n];
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(crowd->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
	_cleanup_free_ char *offer = NULL;

	c->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || connect(c->fd, (struct sockaddr *) &to, sizeof(to)) < 0 ||
	    epoll_ctl(crowd->epoll, EPOLL_CTL_ADD, c->fd, &event) < 0 ||
	    peer_new(&peer_ops, c, &c->peer) < 0)
		die("client");
	offer = peer_offer(c->peer, false);
	post(crowd->mail, LETTER_OFFER, crowd->n++, offer);
}

static void client_receives(struct client *c)
{
	uint8_t data[2048];
	ssize_t len;

	while ((len = recv(c->fd, data, sizeof(data), MSG_DONTWAIT)) > 0) {
		peer_input(c->peer, data, (size_t) len);
		if (!c->started && peer_state(c->peer)->checks_answered > 0) {
			c->started = true;
			peer_start(c->peer);
		}
	}
}

static void read_mail(struct crowd *crowd)
{
	struct letter letter;

	if (recv(crowd->mail, &letter, sizeof(letter), 0) <= 0 || letter.kind == LETTER_STOP)
		_exit(EXIT_SUCCESS);
	crowd->sending |= letter.kind == LETTER_SEND;
	if (letter.kind != LETTER_ANSWER)
		return;
	if (peer_take_answer(crowd->clients[letter.client].peer, letter.text) < 0)
		die("answer");
	peer_send_check(crowd->clients[letter.client].peer, &(struct peer_check){.nominate = true});
	if (crowd->n < crowd->wanted)
		add_client(crowd);
}

static void send_all(struct crowd *crowd)
{
	static const uint8_t data[MESSAGE_LEN];

	for (unsigned i = 0; i < crowd->n; i++)
		if (peer_state(crowd->clients[i].peer)->acknowledged)
			(void) peer_send(crowd->clients[i].peer, MESSAGE_PPID_BINARY, data,
					 sizeof(data));
}

static void run_timers(struct crowd *crowd, uint64_t now, uint64_t *tick, uint64_t *check)
{
	if (now < *tick + TICK_USEC)
		return;
	message_link_stack_run((uint32_t) ((now - *tick) / USEC_PER_MSEC));
	*tick = now;
	for (unsigned i = 0; i < crowd->n; i++)
		peer_run(crowd->clients[i].peer);
	if (now < *check + CHECK_USEC)
		return;
	*check = now;
	for (unsigned i = 0; i < crowd->n; i++)
		if (crowd->clients[i].started)
			peer_send_check(crowd->clients[i].peer,
					&(struct peer_check){.nominate = true});
}

static void be_crowd(unsigned n, uint16_t port, int mail)
{
	static struct crowd crowd;
	struct epoll_event event = {.events = EPOLLIN}, events[64];
	uint64_t tick = clock_now_usec(), check = tick;

	crowd.wanted = n;
	crowd.port = port;
	crowd.mail = mail;
	crowd.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (crowd.epoll < 0 || epoll_ctl(crowd.epoll, EPOLL_CTL_ADD, mail, &event) < 0)
		die("epoll");
	while (crowd.n < MIN(n, (unsigned) OFFERS_AT_ONCE))
		add_client(&crowd);
	for (;;) {
		int ready =
			epoll_wait(crowd.epoll, events, ELEMENTSOF(events), crowd.sending ? 0 : 5);

		for (int i = 0; i < ready; i++) {
			if (events[i].data.ptr)
				client_receives(events[i].data.ptr);
			else
				read_mail(&crowd);
		}
		if (crowd.sending)
			send_all(&crowd);
		run_timers(&crowd, clock_now_usec(), &tick, &check);
	}
}

/* --- the server --- */

struct server {
	struct udp_socket *socket;
	struct webrtc *webrtc;
	struct hifi_addr open[CLIENTS_MAX];
	unsigned n_open;
	int mail;
};

static void to_client(void *userdata, const struct hifi_addr *to, const void *data, size_t len)
{
	struct server *s = userdata;

	(void) udp_socket_send(s->socket, to, &(struct iovec){(void *) data, len}, 1);
}

static void channel_opens(void *userdata, const struct hifi_addr *addr, const struct hifi_addr *udp)
{
	struct server *s = userdata;

	s->open[s->n_open++] = *addr;
}

static void channel_closes(void *userdata, const struct hifi_addr *addr,
			   enum webrtc_close_reason reason)
{
	fprintf(stderr, "a channel was closed: %s\n", webrtc_close_reason_name(reason));
	exit(EXIT_FAILURE);
}

static void ignore_datagram(void *userdata, const struct hifi_addr *addr, uint8_t *data, size_t len,
			    uint64_t now_usec)
{
}

static const struct webrtc_ops ops = {
	.send = to_client,
	.channel_open = channel_opens,
	.channel_closed = channel_closes,
	.datagram = ignore_datagram,
};

static void from_client(void *userdata, const struct hifi_addr *from, uint8_t *data, size_t len,
			uint64_t now_usec)
{
	struct server *s = userdata;

	(void) webrtc_input(s->webrtc, from, data, len, now_usec);
}

static void answer_letter(struct server *s)
{
	struct letter letter;
	struct hifi_addr label;
	_cleanup_free_ char *answer = NULL;

	if (recv(s->mail, &letter, sizeof(letter), 0) <= 0)
		die("mail");
	label = hifi_addr_from_ipv4(SOCKET_TYPE_WEBRTC, 0x0A000000 + letter.client, 1000);
	if (webrtc_offer(s->webrtc, &label, letter.text, clock_now_usec(), &answer) < 0)
		die("webrtc_offer");
	post(s->mail, LETTER_ANSWER, letter.client, answer);
}

static void turn(struct server *s, int wait_msec)
{
	struct pollfd fds[] = {
		{.fd = udp_socket_fd(s->socket), .events = POLLIN},
		{.fd = s->mail, .events = POLLIN},
	};

	udp_socket_flush(s->socket);
	(void) poll(fds, ELEMENTSOF(fds), wait_msec);
	if (fds[0].revents)
		(void) udp_socket_receive(s->socket, 4, from_client, s);
	if (fds[1].revents)
		answer_letter(s);
	webrtc_run(s->webrtc, clock_now_usec());
}

static int wait_msec(const struct server *s)
{
	uint64_t now = clock_now_usec(), next = webrtc_next_usec(s->webrtc);

	/* Rounded up, or the last millisecond would be spent polling. */
	return next > now ? (int) (MIN(next - now, 100 * USEC_PER_MSEC) / USEC_PER_MSEC) + 1 : 0;
}

static long resident_kib(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	long pages = 0;

	if (!f || fscanf(f, "%*d %ld", &pages) != 1)
		die("/proc/self/statm");
	fclose(f);
	return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* --- the phases --- */

static void measure_setup(struct server *s, unsigned n)
{
	uint64_t cpu = clock_cpu_usec(), begin = clock_now_usec();
	long kib = resident_kib();
	double per_client;

	while (s->n_open < n)
		turn(s, wait_msec(s));
	per_client = (double) (resident_kib() - kib) / n;
	printf("setup: %u channels in %.1f s, %.2f ms CPU each\n", n,
	       (double) (clock_now_usec() - begin) / USEC_PER_SEC,
	       (double) (clock_cpu_usec() - cpu) / n / USEC_PER_MSEC);
	printf("memory: %.1f KiB resident each, %.0f per GiB\n", per_client,
	       1024 * 1024 / per_client);
}

static void measure_idle(struct server *s, unsigned n)
{
	uint64_t end = clock_now_usec() + 2 * PHASE_USEC, cpu = clock_cpu_usec();

	while (clock_now_usec() < end)
		turn(s, wait_msec(s));
	cpu = clock_cpu_usec() - cpu;
	printf("idle: %.2f %% of a core, %.1f us CPU per channel and second\n",
	       100.0 * (double) cpu / (2 * PHASE_USEC),
	       (double) cpu / n / (2.0 * PHASE_USEC / USEC_PER_SEC));
}

static void send_to_all(struct server *s, bool reliable)
{
	static const uint8_t data[MESSAGE_LEN];
	struct iovec iov = {(void *) data, sizeof(data)};

	for (unsigned i = 0; i < s->n_open; i++)
		(void) webrtc_send(s->webrtc, &s->open[i], &iov, 1, reliable, clock_now_usec());
}

static void measure_out(struct server *s, const char *what, bool reliable)
{
	uint64_t end = clock_now_usec() + PHASE_USEC, cpu = clock_cpu_usec();
	uint64_t messages = webrtc_stats(s->webrtc)->messages_out;

	while (clock_now_usec() < end) {
		send_to_all(s, reliable);
		turn(s, 0);
	}
	cpu = clock_cpu_usec() - cpu;
	messages = webrtc_stats(s->webrtc)->messages_out - messages;
	printf("out, %s: %.0f messages/s per core, %.1f us each\n", what,
	       (double) messages * USEC_PER_SEC / (double) cpu, (double) cpu / (double) messages);
}

static void measure_in(struct server *s)
{
	uint64_t end = clock_now_usec() + PHASE_USEC, cpu = clock_cpu_usec();
	uint64_t messages = webrtc_stats(s->webrtc)->messages_in;

	post(s->mail, LETTER_SEND, 0, "");
	while (clock_now_usec() < end)
		turn(s, wait_msec(s));
	cpu = clock_cpu_usec() - cpu;
	messages = webrtc_stats(s->webrtc)->messages_in - messages;
	printf("in: %.0f messages/s per core, %.1f us each\n",
	       (double) messages * USEC_PER_SEC / (double) cpu, (double) cpu / (double) messages);
}

static void serve(struct server *s, unsigned n)
{
	measure_setup(s, n);
	measure_idle(s, n);
	measure_out(s, "unreliable", false);
	measure_out(s, "reliable", true);
	measure_in(s);
}

static void start(struct server *s, unsigned n)
{
	struct hifi_addr loopback = hifi_addr_from_ipv4(SOCKET_TYPE_UDP, INADDR_LOOPBACK, 0);
	struct webrtc_options options = {
		.port = udp_socket_port(s->socket),
		.max_associations = n,
		.max_pending = n,
		.max_pending_per_ip = n,
	};

	if (webrtc_new(&options, &ops, s, &s->webrtc) < 0)
		die("webrtc_new");
	webrtc_set_candidates(s->webrtc, &loopback, 1);
}

int main(int argc, char **argv)
{
	static struct server s;
	unsigned n = argc > 1 ? (unsigned) atoi(argv[1]) : CLIENTS_DEFAULT;
	struct rlimit files;
	int mail[2];
	pid_t child;

	if (n == 0 || n > CLIENTS_MAX || getrlimit(RLIMIT_NOFILE, &files) < 0)
		return EXIT_FAILURE;
	files.rlim_cur = files.rlim_max;
	(void) setrlimit(RLIMIT_NOFILE, &files);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, mail) < 0 ||
	    udp_socket_new(0, true, &s.socket) < 0)
		die("socket");

	child = fork();
	if (child < 0)
		die("fork");
	if (child == 0) {
		(void) prctl(PR_SET_PDEATHSIG, SIGKILL);
		be_crowd(n, udp_socket_port(s.socket), mail[1]);
	}
	s.mail = mail[0];
	start(&s, n);
	serve(&s, n);
	post(s.mail, LETTER_STOP, 0, "");
	s.webrtc = webrtc_free(s.webrtc);
	udp_socket_free(s.socket);
	return waitpid(child, NULL, 0) == child ? EXIT_SUCCESS : EXIT_FAILURE;
}
