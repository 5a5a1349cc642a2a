#include "domain-server/tls-tunnel.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <openssl/err.h>

#include "base/clock.h"
#include "base/event.h"

#define CHUNK       4096
#define LINGER_USEC (10 * USEC_PER_SEC)

/* Bytes on their way in one direction. */
struct flow {
	uint8_t data[CHUNK];
	size_t pos, len;
	bool has_ended; /* nothing comes after these */
};

struct tls_tunnel {
	struct list link;
	SSL *ssl;
	int net_fd, plain_fd;
	struct event_io *net_io, *plain_io;
	struct flow in, out;
	bool is_broken;             /* TLS cannot go on */
	bool reading_wants_writing; /* TLS's own messages */
	uint64_t linger_usec;       /* the end of its time to take the rest; 0: it goes on */
};

static struct tls_tunnel *tunnel_free(struct tls_tunnel *t)
{
	list_remove(&t->link);
	event_io_free(t->net_io);
	event_io_free(t->plain_io);
	SSL_free(t->ssl);
	closep(&t->net_fd);
	closep(&t->plain_fd);
	free(t);
	return NULL;
}
DEFINE_CLEANUP_FUNC(struct tls_tunnel *, tunnel_free)

static void flow_filled(struct flow *f, size_t len)
{
	f->pos = 0;
	f->len = len;
}

static void flow_drained(struct flow *f, size_t len)
{
	f->pos += len;
	f->len -= len;
}

static bool would_block(void)
{
	return errno == EAGAIN || errno == EINTR;
}

/* Each step is true when it got something done. */

static bool read_net(struct tls_tunnel *t)
{
	int n;

	if (t->in.len > 0 || t->in.has_ended)
		return false;
	t->reading_wants_writing = false;
	ERR_clear_error();
	n = SSL_read(t->ssl, t->in.data, sizeof(t->in.data));
	if (n > 0) {
		flow_filled(&t->in, (size_t) n);
		return true;
	}
	switch (SSL_get_error(t->ssl, n)) {
	case SSL_ERROR_WANT_READ:
		return false;
	case SSL_ERROR_WANT_WRITE:
		t->reading_wants_writing = true;
		return false;
	case SSL_ERROR_ZERO_RETURN:
		break;
	default:
		t->is_broken = true;
	}
	t->in.has_ended = true;
	(void) shutdown(t->plain_fd, SHUT_WR);
	return true;
}

static bool write_plain(struct tls_tunnel *t)
{
	ssize_t n;

	if (t->in.len == 0)
		return false;
	n = send(t->plain_fd, t->in.data + t->in.pos, t->in.len, MSG_NOSIGNAL);
	if (n < 0 && would_block())
		return false;
	/* Nobody reads there any more: its end will be read. */
	flow_drained(&t->in, n < 0 ? t->in.len : (size_t) n);
	return true;
}

static bool read_plain(struct tls_tunnel *t)
{
	ssize_t n;

	if (t->out.len > 0 || t->out.has_ended)
		return false;
	n = recv(t->plain_fd, t->out.data, sizeof(t->out.data), 0);
	if (n > 0) {
		flow_filled(&t->out, (size_t) n);
		return true;
	}
	if (n < 0 && would_block())
		return false;
	/* Whoever ends writing has also ended reading. */
	t->out.has_ended = t->in.has_ended = true;
	t->in.len = 0;
	t->plain_io = event_io_free(t->plain_io);
	t->linger_usec = clock_now_usec() + LINGER_USEC;
	return true;
}

static bool write_net(struct tls_tunnel *t)
{
	int n;

	if (t->out.len == 0)
		return false;
	ERR_clear_error();
	n = SSL_write(t->ssl, t->out.data + t->out.pos, (int) t->out.len);
	if (n > 0) {
		flow_drained(&t->out, (size_t) n);
		return true;
	}
	switch (SSL_get_error(t->ssl, n)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		return false;
	default:
		t->is_broken = true;
		return false;
	}
}

/* Carries what can be carried; that is bounded by what the sockets hold, since nobody else runs
 * meanwhile. */
static void tunnel_carry(struct tls_tunnel *t)
{
	bool is_going;

	do {
		is_going = read_net(t);
		is_going |= write_plain(t);
		is_going |= read_plain(t);
		is_going |= write_net(t);
	} while (is_going && !t->is_broken);

	if (t->is_broken || (t->out.has_ended && t->out.len == 0)) {
		if (!t->is_broken)
			(void) SSL_shutdown(t->ssl);
		(void) tunnel_free(t);
		return;
	}
	event_io_set_events(t->net_io,
			    (t->in.len == 0 && !t->in.has_ended ? EPOLLIN : 0u) |
				    (t->out.len > 0 || t->reading_wants_writing ? EPOLLOUT : 0u));
	if (t->plain_io)
		event_io_set_events(t->plain_io, (t->out.len == 0 ? EPOLLIN : 0u) |
							 (t->in.len > 0 ? EPOLLOUT : 0u));
}

static void on_net(uint32_t revents, void *userdata)
{
	struct tls_tunnel *t = userdata;

	/* Reset: when nothing is wanted of it, it would be reported for ever. */
	if (revents & (EPOLLERR | EPOLLHUP) && t->in.has_ended)
		(void) tunnel_free(t);
	else
		tunnel_carry(t);
}

static void on_plain(uint32_t revents, void *userdata)
{
	tunnel_carry(userdata);
}

int tls_tunnel_new(sd_event *event, struct list *all, SSL *ssl, int plain_fd)
{
	_cleanup_(tunnel_freep) struct tls_tunnel *t = calloc(1, sizeof(*t));
	int r;

	if (!t) {
		int fd = SSL_get_fd(ssl);

		SSL_free(ssl);
		closep(&fd);
		closep(&plain_fd);
		return -ENOMEM;
	}
	list_init(&t->link);
	t->ssl = ssl;
	t->net_fd = SSL_get_fd(ssl);
	t->plain_fd = plain_fd;
	r = event_io_new(event, t->net_fd, EPOLLIN, 0, on_net, t, "tls-net", &t->net_io);
	if (r < 0)
		return r;
	r = event_io_new(event, plain_fd, EPOLLIN, 0, on_plain, t, "tls-plain", &t->plain_io);
	if (r < 0)
		return r;
	list_append(all, &t->link);
	/* The request may have come in with the end of the handshake. */
	tunnel_carry(TAKE_PTR(t));
	return 0;
}

void tls_tunnels_expire(struct list *all, uint64_t now_usec)
{
	struct tls_tunnel *t;

	list_for_each (t, all, link)
		if (t->linger_usec && now_usec > t->linger_usec)
			(void) tunnel_free(t);
}

void tls_tunnels_free(struct list *all)
{
	struct tls_tunnel *t;

	list_for_each (t, all, link)
		(void) tunnel_free(t);
}
