#include "net/udp-socket.h"

#include <errno.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"

#define BATCH             64
#define ETHERNET_MTU      1500
#define RUN_MAX_BYTES     65000 /* UDP's length field, headers off */
#define DATAGRAM_MAX      2048
#define KERNEL_BUFFER_MAX (8 * 1024 * 1024)

union address {
	struct sockaddr_storage storage;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

/* Room for the one control message of a datagram: the drop counter of what came in (SO_RXQ_OVFL),
 * the segment size of a run that goes out (UDP_SEGMENT). */
union control {
	struct cmsghdr header;
	uint8_t space[CMSG_SPACE(sizeof(uint32_t))];
};

/* One system call's worth of datagrams, wired together once. */
struct batch {
	struct mmsghdr messages[BATCH];
	struct iovec iov[BATCH];
	union address addresses[BATCH];
	union control controls[BATCH];
	uint8_t data[BATCH][DATAGRAM_MAX];
};

struct udp_socket {
	int fd;
	int family;
	uint16_t port;
	uint32_t last_drop_counter;
	unsigned n_queued; /* in out */
	bool can_segment;  /* runs of datagrams to one address go as one (UDP_SEGMENT) */
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
	int family, r, on = 1, off = 0;

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
	s->can_segment = setsockopt(fd, SOL_UDP, UDP_SEGMENT, &off, sizeof(off)) == 0;

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

static socklen_t address_len(const struct udp_socket *s)
{
	return s->family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
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
		header->msg_control = &s->in.controls[i];
		header->msg_controllen = sizeof(s->in.controls[i]);
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
	(void) make_sockaddr(s->family, to, &s->out.addresses[i]);

	if (++s->n_queued == BATCH)
		udp_socket_flush(s);
	return 0;
}

/* The longest datagram that an Ethernet frame holds whole; longer ones are fragmented, which
 * excludes cutting. */
static size_t segment_max(const union address *to)
{
	bool is_ipv4 = to->storage.ss_family == AF_INET || IN6_IS_ADDR_V4MAPPED(&to->in6.sin6_addr);

	return is_ipv4 ? ETHERNET_MTU - 28 : ETHERNET_MTU - 48;
}

/* How many datagrams from first on make a run that the kernel can cut up itself: to one address and
 * of one length, but for a shorter last one. Bulk leaves several times as fast that way
 * (bench-net). */
static unsigned run_length(const struct udp_socket *s, unsigned first)
{
	const union address *to = &s->out.addresses[first];
	size_t len = s->out.iov[first].iov_len, total = len;
	unsigned n = 1;

	if (!s->can_segment || len > segment_max(to))
		return 1;
	for (; first + n < s->n_queued && s->out.iov[first + n - 1].iov_len == len; n++) {
		size_t next_len = s->out.iov[first + n].iov_len;

		total += next_len;
		if (next_len == 0 || next_len > len || total > RUN_MAX_BYTES ||
		    memcmp(&s->out.addresses[first + n], to, address_len(s)) != 0)
			break;
	}
	return n;
}

static void set_segment_len(struct msghdr *header, union control *control, size_t len)
{
	uint16_t segment_len = (uint16_t) len;

	header->msg_control = control;
	header->msg_controllen = CMSG_SPACE(sizeof(segment_len));
	control->header = (struct cmsghdr){
		.cmsg_level = SOL_UDP,
		.cmsg_type = UDP_SEGMENT,
		.cmsg_len = CMSG_LEN(sizeof(segment_len)),
	};
	memcpy(CMSG_DATA(&control->header), &segment_len, sizeof(segment_len));
}

/* Makes one message of each run from the datagram first on; returns how many. */
static unsigned make_messages(struct udp_socket *s, unsigned first)
{
	unsigned n = 0;

	for (unsigned i = first, n_run; i < s->n_queued; i += n_run, n++) {
		struct msghdr *header = &s->out.messages[n].msg_hdr;

		n_run = run_length(s, i);
		*header = (struct msghdr){
			.msg_name = &s->out.addresses[i],
			.msg_namelen = address_len(s),
			.msg_iov = &s->out.iov[i],
			.msg_iovlen = n_run,
		};
		if (n_run > 1)
			set_segment_len(header, &s->out.controls[n], s->out.iov[i].iov_len);
	}
	return n;
}

/* A run that the route or the device does not take: its datagrams one by one. */
static void send_singly(struct udp_socket *s, unsigned first, unsigned n)
{
	for (unsigned i = first; i < first + n; i++) {
		const struct iovec *iov = &s->out.iov[i];

		s->stats.send_calls++;
		if (sendto(s->fd, iov->iov_base, iov->iov_len, MSG_DONTWAIT,
			   (struct sockaddr *) &s->out.addresses[i], address_len(s)) < 0) {
			s->stats.send_drops++;
			continue;
		}
		s->stats.sent_packets++;
		s->stats.sent_bytes += iov->iov_len;
	}
}

/* The first n messages made from the datagram first on. Returns how many datagrams are dealt with.
 */
static unsigned send_messages(struct udp_socket *s, unsigned first, unsigned n)
{
	unsigned n_done = 0, n_run = (unsigned) s->out.messages[0].msg_hdr.msg_iovlen;
	int sent;

	s->stats.send_calls++;
	sent = sendmmsg(s->fd, s->out.messages, n, MSG_DONTWAIT);
	for (int i = 0; i < sent; i++) {
		n_done += (unsigned) s->out.messages[i].msg_hdr.msg_iovlen;
		s->stats.sent_bytes += s->out.messages[i].msg_len;
	}
	if (sent > 0) {
		s->stats.sent_packets += n_done;
		return n_done;
	}

	/* A full buffer refuses the others too; any other error is about this datagram or run
	 * alone. Late media is worth nothing and reliable packets are resent, so nothing waits
	 * here. */
	if (errno == EAGAIN || errno == ENOBUFS) {
		s->stats.send_drops += s->n_queued - first;
		return s->n_queued - first;
	}
	if (n_run > 1) {
		s->can_segment = errno != EIO;
		send_singly(s, first, n_run);
		return n_run;
	}
	s->stats.send_drops++;
	return 1;
}

void udp_socket_flush(struct udp_socket *s)
{
	for (unsigned i = 0; i < s->n_queued;)
		i += send_messages(s, i, make_messages(s, i));
	s->n_queued = 0;
}
