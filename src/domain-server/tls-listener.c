#include "domain-server/tls-listener.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>

#include <openssl/err.h>

#include "base/clock.h"
#include "base/event.h"
#include "base/list.h"
#include "base/log.h"
#include "domain-server/tls-tunnel.h"
#include "net/addr.h"

#define ARRIVAL_USEC (10 * USEC_PER_SEC)
#define SWEEP_USEC   USEC_PER_SEC
#define BATCH        64

/* RFC 8446 section 5.1: the content type of a handshake, which begins every TLS connection. No HTTP
 * method begins with it. */
#define TLS_HANDSHAKE 22

static const char refusal_plain[] =
	"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n"
	"Content-Length: 38\r\nConnection: close\r\n\r\n"
	"This port speaks TLS: ask by https://\n";
/* RFC 8446 section 6: fatal, handshake_failure. */
static const char refusal_tls[] = {0x15, 3, 1, 0, 2, 2, 40};

struct tls_listener {
	struct tls_listener_options options;
	sd_event *event;
	struct event_io *io;
	struct event_timer *sweep;
	struct list arrivals, tunnels;
	unsigned n_arrivals;
	struct log_ratelimit refusal_log;
	uint64_t handshakes, failed, refused;
};

/* A connection of which nobody has been told yet. */
struct arrival {
	struct tls_listener *listener;
	struct list link;
	int fd;
	struct event_io *io;
	struct sockaddr_storage peer;
	socklen_t peer_len;
	struct hifi_addr source;
	uint64_t deadline_usec;
	SSL *ssl;        /* from the first byte on, when that begins TLS */
	bool is_refused; /* has its answer; is read until it goes */
};

/* --- arrivals --- */

static struct arrival *arrival_free(struct arrival *a)
{
	list_remove(&a->link);
	a->listener->n_arrivals--;
	event_io_free(a->io);
	SSL_free(a->ssl);
	closep(&a->fd);
	free(a);
	return NULL;
}

/* Closing with something unread would be a reset, which may overtake the answer. */
static void arrival_refuse(struct arrival *a, const void *answer, size_t len)
{
	a->listener->refused++;
	a->is_refused = true;
	(void) send(a->fd, answer, len, MSG_NOSIGNAL);
	(void) shutdown(a->fd, SHUT_WR);
}

static void arrival_drain(struct arrival *a)
{
	uint8_t rest[4096];
	ssize_t n = recv(a->fd, rest, sizeof(rest), 0);

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		(void) arrival_free(a);
}

static void arrival_hand_over(struct arrival *a, int fd)
{
	struct tls_listener *l = a->listener;

	l->options.accept(l->options.userdata, fd, (const struct sockaddr *) &a->peer, a->peer_len);
	(void) arrival_free(a);
}

static void arrival_is_secure(struct arrival *a)
{
	struct tls_listener *l = a->listener;
	int pair[2];

	l->handshakes++;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) < 0) {
		(void) arrival_free(a);
		return;
	}
	/* The descriptor is the tunnel's, which watches it itself. */
	a->io = event_io_free(a->io);
	(void) TAKE_FD(a->fd);
	if (tls_tunnel_new(l->event, &l->tunnels, TAKE_PTR(a->ssl), pair[0]) < 0) {
		(void) close(pair[1]);
		(void) arrival_free(a);
		return;
	}
	arrival_hand_over(a, pair[1]);
}

static void arrival_shake_hands(struct arrival *a)
{
	int r;

	ERR_clear_error();
	r = SSL_accept(a->ssl);
	if (r == 1) {
		arrival_is_secure(a);
		return;
	}
	switch (SSL_get_error(a->ssl, r)) {
	case SSL_ERROR_WANT_READ:
		event_io_set_events(a->io, EPOLLIN);
		break;
	case SSL_ERROR_WANT_WRITE:
		event_io_set_events(a->io, EPOLLOUT);
		break;
	default:
		a->listener->failed++;
		(void) arrival_free(a);
	}
}

static void arrival_begin_tls(struct arrival *a)
{
	struct tls_listener *l = a->listener;
	const struct certificate *certificate = l->options.certificate;
	SSL_CTX *context = certificate ? certificate_context(certificate) : NULL;

	if (!context) {
		if (log_ratelimit_allows(&l->refusal_log, NULL))
			log_info("A client asks for TLS on the %s port, where no certificate is in "
				 "use",
				 l->options.description);
		arrival_refuse(a, refusal_tls, sizeof(refusal_tls));
		return;
	}
	a->ssl = SSL_new(context);
	if (!a->ssl || SSL_set_fd(a->ssl, a->fd) != 1)
		(void) arrival_free(a);
	else
		arrival_shake_hands(a);
}

static void arrival_look(struct arrival *a)
{
	uint8_t first;
	ssize_t n = recv(a->fd, &first, 1, MSG_PEEK);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0)
		(void) arrival_free(a);
	else if (first == TLS_HANDSHAKE)
		arrival_begin_tls(a);
	else if (a->listener->options.takes_plain) {
		a->io = event_io_free(a->io);
		arrival_hand_over(a, TAKE_FD(a->fd));
	} else
		arrival_refuse(a, refusal_plain, sizeof(refusal_plain) - 1);
}

static void on_arrival(uint32_t revents, void *userdata)
{
	struct arrival *a = userdata;

	if (a->is_refused)
		arrival_drain(a);
	else if (a->ssl)
		arrival_shake_hands(a);
	else
		arrival_look(a);
}

/* --- accepting --- */

static bool same_source(const struct hifi_addr *a, const struct hifi_addr *b)
{
	bool is_ipv4 = hifi_addr_is_ipv4(a);

	return is_ipv4 == hifi_addr_is_ipv4(b) && memcmp(a->ip, b->ip, is_ipv4 ? 16 : 8) == 0;
}

static bool has_room(struct tls_listener *l, const struct hifi_addr *source)
{
	struct arrival *a;
	unsigned n = 0;

	if (l->n_arrivals >= TLS_ARRIVALS_MAX)
		return false;
	list_for_each (a, &l->arrivals, link)
		n += same_source(&a->source, source);
	return n < TLS_ARRIVALS_PER_SOURCE_MAX;
}

/* Takes fd. */
static void arrive(struct tls_listener *l, int fd, const struct sockaddr_storage *peer,
		   socklen_t peer_len)
{
	struct hifi_addr source = hifi_addr_from_sockaddr(peer);
	struct arrival *a = has_room(l, &source) ? calloc(1, sizeof(*a)) : NULL;

	if (!a) {
		l->refused++;
		(void) close(fd);
		return;
	}
	a->listener = l;
	a->fd = fd;
	a->peer = *peer;
	a->peer_len = peer_len;
	a->source = source;
	a->deadline_usec = clock_now_usec() + ARRIVAL_USEC;
	list_init(&a->link);
	list_append(&l->arrivals, &a->link);
	l->n_arrivals++;
	if (event_io_new(l->event, fd, EPOLLIN, 0, on_arrival, a, l->options.description, &a->io) <
	    0)
		(void) arrival_free(a);
}

static void on_listening(uint32_t revents, void *userdata)
{
	struct tls_listener *l = userdata;

	for (unsigned i = 0; i < BATCH; i++) {
		struct sockaddr_storage peer = {0};
		socklen_t len = sizeof(peer);
		int fd = accept4(l->options.fd, (struct sockaddr *) &peer, &len,
				 SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			arrive(l, fd, &peer, len);
			continue;
		}
		/* Out of descriptors or memory: the sweep tries again, since those who wait would
		 * be reported without end. */
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
			event_io_set_events(l->io, 0);
		return;
	}
}

static void on_sweep(void *userdata)
{
	struct tls_listener *l = userdata;
	uint64_t now = clock_now_usec();
	struct arrival *a;

	list_for_each (a, &l->arrivals, link)
		if (now > a->deadline_usec) {
			l->failed += !a->is_refused;
			(void) arrival_free(a);
		}
	tls_tunnels_expire(&l->tunnels, now);
	event_io_set_events(l->io, EPOLLIN);
}

/* --- life --- */

int tls_listener_new(sd_event *event, const struct tls_listener_options *options,
		     struct tls_listener **ret)
{
	_cleanup_(tls_listener_freep) struct tls_listener *l = calloc(1, sizeof(*l));
	int fd = options->fd, flags = fcntl(fd, F_GETFL), r;

	if (!l) {
		closep(&fd);
		return -ENOMEM;
	}
	l->options = *options;
	l->event = event;
	l->refusal_log = (struct log_ratelimit){.interval_usec = 60 * USEC_PER_SEC, .burst = 1};
	list_init(&l->arrivals);
	list_init(&l->tunnels);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return -errno;
	r = event_io_new(event, fd, EPOLLIN, 0, on_listening, l, options->description, &l->io);
	if (r < 0)
		return r;
	r = event_timer_new(event, clock_now_usec() + SWEEP_USEC, SWEEP_USEC, 0, on_sweep, l,
			    options->description, &l->sweep);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(l);
	return 0;
}

struct tls_listener *tls_listener_free(struct tls_listener *l)
{
	struct arrival *a;

	if (!l)
		return NULL;
	event_timer_free(l->sweep);
	event_io_free(l->io);
	list_for_each (a, &l->arrivals, link)
		(void) arrival_free(a);
	tls_tunnels_free(&l->tunnels);
	closep(&l->options.fd);
	free(l);
	return NULL;
}

void tls_listener_set_certificate(struct tls_listener *l, const struct certificate *certificate)
{
	l->options.certificate = certificate;
}

json_t *tls_listener_stats(const struct tls_listener *l)
{
	return json_pack("{s:I, s:I, s:I}", "handshakes", (json_int_t) l->handshakes, "failed",
			 (json_int_t) l->failed, "refused", (json_int_t) l->refused);
}
