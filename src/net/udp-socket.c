#include "net/udp-socket.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"

#define BATCH             64
#define DATAGRAM_MAX      2048
#define KERNEL_BUFFER_MAX (8 * 1024 * 1024)

union address {
	struct sockaddr_storage storage;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

union drop_counter {
	struct cmsghdr align;
	uint8_t space[CMSG_SPACE(sizeof(uint32_t))];
};

/* One system call's worth of datagrams, wired together once. */
struct batch {
	struct mmsghdr messages[BATCH];
	struct iovec iov[BATCH];
	union address addresses[BATCH];
	union drop_counter counters[BATCH];
	uint8_t data[BATCH][DATAGRAM_MAX];
};

struct udp_socket {
	int fd;
	int family;
	uint16_t port;
	uint32_t last_drop_counter;
	unsigned n_queued; /* in out */
	struct udp_socket_stats stats;
	struct batch in, out;
};

static void batch_init(struct batch *b)
{
	for (unsigned i = 0; i < BATCH; i++) {
		b->iov[i] = (struct iovec){.iov_base = b->data[i], .iov_len = DATAGRAM_MAX};
		b->messages[i].msg_hdr = (struct msghdr){
			.msg_name = &b->addresses[i],
			.msg_namelen = sizeof(b->addresses[i]),
			.msg_iov = &b->iov[i],
			.msg_iovlen = 1,
		};
	}
}

/* Room for some 20,000 small datagrams: what arrives while a mixer computes a frame, or all the
 * acknowledgements of a message to hundreds of people, has to wait somewhere. Upstream's megabyte
 * overflowed at 500 people who chat, and the retransmissions took seconds. FORCE goes past
 * net.core.rmem_max but needs a capability; never shrinks what the service manager has set. */
static void grow_kernel_buffer(int fd, int option, int force_option)
{
	int size = 0, wanted = KERNEL_BUFFER_MAX;
	socklen_t len = sizeof(size);

	/* The kernel reports twice what was asked for. */
	if (getsockopt(fd, SOL_SOCKET, option, &size, &len) == 0 && size >= 2 * KERNEL_BUFFER_MAX)
		return;
	if (setsockopt(fd, SOL_SOCKET, force_option, &wanted, sizeof(wanted)) < 0)
		(void) setsockopt(fd, SOL_SOCKET, option, &wanted, sizeof(wanted));
}

/* The socket's family, or -errno when it is no UDP socket. */
static int check_socket(int fd)
{
	int type = 0, family = 0;
	socklen_t len = sizeof(type);

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) < 0)
		return -errno;
	len = sizeof(family);
	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &len) < 0)
		return -errno;
	if (type != SOCK_DGRAM || (family != AF_INET && family != AF_INET6))
		return -EPROTOTYPE;
	return family;
}

static int bound_port(int fd, uint16_t *ret)
{
	union address bound = {0};
	socklen_t len = sizeof(bound);

	if (getsockname(fd, (struct sockaddr *) &bound, &len) < 0)
		return -errno;
	*ret = hifi_addr_from_sockaddr(&bound.storage).port;
	return 0;
}

int udp_socket_new_from_fd(int fd, struct udp_socket **ret)
{
	struct udp_socket *s;
	uint16_t port = 0;
	int family, r, on = 1;

	family = check_socket(fd);
	if (family < 0)
		return family;
	r = bound_port(fd, &port);
	if (r < 0)
		return r;

	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->fd = fd;
	s->family = family;
	s->port = port;
	batch_init(&s->in);
	batch_init(&s->out);
	grow_kernel_buffer(fd, SO_RCVBUF, SO_RCVBUFFORCE);
	grow_kernel_buffer(fd, SO_SNDBUF, SO_SNDBUFFORCE);
	(void) setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof(on));

	*ret = s;
	return 0;
}

static socklen_t make_sockaddr(int family, const struct hifi_addr *a, union address *ret)
{
	if (family == AF_INET6) {
		ret->in6 = hifi_addr_to_sockaddr(a);
		return sizeof(ret->in6);
	}
	ret->in = (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons(a->port),
		.sin_addr.s_addr = htonl(hifi_addr_ipv4(a)),
	};
	return sizeof(ret->in);
}

/* The new descriptor, or -errno. */
static int open_and_bind(int family, const struct hifi_addr *where)
{
	_cleanup_close_ int fd = -1;
	union address address;
	socklen_t len;
	int off = 0;

	fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) < 0)
		return -errno;

	len = make_sockaddr(family, where, &address);
	if (bind(fd, (struct sockaddr *) &address, len) < 0)
		return -errno;
	return TAKE_FD(fd);
}

int udp_socket_new(uint16_t port, bool loopback_only, struct udp_socket **ret)
{
	struct hifi_addr where =
		loopback_only ? hifi_addr_from_ipv4(SOCKET_TYPE_UDP, INADDR_LOOPBACK, port)
			      : (struct hifi_addr){.type = SOCKET_TYPE_UDP, .port = port};
	_cleanup_close_ int fd = -1;
	int r;

	fd = open_and_bind(AF_INET6, &where);
	if (fd == -EAFNOSUPPORT || fd == -EADDRNOTAVAIL)
		fd = open_and_bind(AF_INET, &where);
	if (fd < 0)
		return fd;

	r = udp_socket_new_from_fd(fd, ret);
	if (r < 0)
		return r;
	TAKE_FD(fd);
	return 0;
}

struct udp_socket *udp_socket_free(struct udp_socket *s)
{
	if (s) {
		udp_socket_flush(s);
		(void) close(s->fd);
		free(s);
	}
	return NULL;
}

int udp_socket_fd(const struct udp_socket *s)
{
	return s->fd;
}

uint16_t udp_socket_port(const struct udp_socket *s)
{
	return s->port;
}

const struct udp_socket_stats *udp_socket_stats(const struct udp_socket *s)
{
	return &s->stats;
}

/* --- receiving --- */

/* Our own mistakes. All else comes from the network (ICMP errors of earlier sends, for one) or
 * passes. */
static bool is_fatal(int error)
{
	return error == EBADF || error == ENOTSOCK || error == EFAULT || error == EINVAL;
}

/* The counter says how many datagrams were dropped since the socket was made, and comes only along
 * with a datagram that arrived after a drop. */
static void count_kernel_drops(struct udp_socket *s, struct msghdr *header)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
		uint32_t counter;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SO_RXQ_OVFL)
			continue;
		memcpy(&counter, CMSG_DATA(c), sizeof(counter));
		s->stats.kernel_drops += counter - s->last_drop_counter;
		s->last_drop_counter = counter;
	}
}

/* Up to BATCH datagrams into s->in; how many, or -errno. */
static int receive_batch(struct udp_socket *s)
{
	int n;

	/* The kernel shortened these to what it used. */
	for (unsigned i = 0; i < BATCH; i++) {
		struct msghdr *header = &s->in.messages[i].msg_hdr;

		header->msg_namelen = sizeof(s->in.addresses[i]);
		header->msg_control = &s->in.counters[i];
		header->msg_controllen = sizeof(s->in.counters[i]);
		header->msg_flags = 0;
	}

	s->stats.receive_calls++;
	n = recvmmsg(s->fd, s->in.messages, BATCH, MSG_DONTWAIT, NULL);
	return n < 0 ? -errno : n;
}

static void deliver_batch(struct udp_socket *s, unsigned n, udp_receive_fn fn, void *userdata)
{
	uint64_t now_usec = clock_now_usec();

	for (unsigned i = 0; i < n; i++) {
		struct mmsghdr *m = &s->in.messages[i];
		struct hifi_addr from = hifi_addr_from_sockaddr(&s->in.addresses[i].storage);

		count_kernel_drops(s, &m->msg_hdr);
		if (m->msg_hdr.msg_flags & MSG_TRUNC) {
			s->stats.truncated++;
			continue;
		}
		s->stats.received_packets++;
		s->stats.received_bytes += m->msg_len;
		fn(userdata, &from, s->in.data[i], m->msg_len, now_usec);
	}
}

int udp_socket_receive(struct udp_socket *s, unsigned max_batches, udp_receive_fn fn,
		       void *userdata)
{
	int total = 0;

	for (unsigned i = 0; i < max_batches; i++) {
		int n = receive_batch(s);

		if (n == -EAGAIN || n == -ENOMEM || n == -ENOBUFS)
			break;
		if (n < 0 && is_fatal(-n))
			return n;
		if (n < 0)
			continue;

		deliver_batch(s, (unsigned) n, fn, userdata);
		total += n;
		if (n < BATCH)
			break;
	}
	return total;
}

/* --- sending --- */

/* 0, or -EMSGSIZE when the pieces do not fit. */
static int gather(uint8_t *data, const struct iovec *iov, unsigned n_iov, size_t *ret_len)
{
	size_t len = 0;

	for (unsigned i = 0; i < n_iov; i++) {
		if (iov[i].iov_len > DATAGRAM_MAX - len)
			return -EMSGSIZE;
		if (iov[i].iov_len > 0)
			memcpy(data + len, iov[i].iov_base, iov[i].iov_len);
		len += iov[i].iov_len;
	}
	*ret_len = len;
	return 0;
}

int udp_socket_send(struct udp_socket *s, const struct hifi_addr *to, const struct iovec *iov,
		    unsigned n_iov)
{
	unsigned i = s->n_queued;
	int r;

	if (to->type != SOCKET_TYPE_UDP || (s->family == AF_INET && !hifi_addr_is_ipv4(to)))
		return -EINVAL;
	r = gather(s->out.data[i], iov, n_iov, &s->out.iov[i].iov_len);
	if (r < 0)
		return r;
	s->out.messages[i].msg_hdr.msg_namelen = make_sockaddr(s->family, to, &s->out.addresses[i]);

	if (++s->n_queued == BATCH)
		udp_socket_flush(s);
	return 0;
}

/* How many of the n datagrams from first on are dealt with, at least one. */
static unsigned send_some(struct udp_socket *s, unsigned first, unsigned n)
{
	int sent;

	s->stats.send_calls++;
	sent = sendmmsg(s->fd, s->out.messages + first, n, MSG_DONTWAIT);
	if (sent > 0) {
		s->stats.sent_packets += (unsigned) sent;
		for (int i = 0; i < sent; i++)
			s->stats.sent_bytes += s->out.messages[first + (unsigned) i].msg_len;
		return (unsigned) sent;
	}

	/* A full buffer refuses the others too; any other error is about this datagram alone. Late
	 * media is worth nothing and reliable packets are resent, so nothing waits here. */
	if (errno != EAGAIN && errno != ENOBUFS)
		n = 1;
	s->stats.send_drops += n;
	return n;
}

void udp_socket_flush(struct udp_socket *s)
{
	for (unsigned i = 0; i < s->n_queued;)
		i += send_some(s, i, s->n_queued - i);
	s->n_queued = 0;
}
