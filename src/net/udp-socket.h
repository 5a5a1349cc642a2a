/* One dual-stack UDP socket with batched I/O (recvmmsg, sendmmsg): buffers are made once; nothing
 * is allocated per packet. Owned by the loop thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/macros.h"
#include "net/addr.h"

struct udp_socket;

struct udp_socket_stats {
	uint64_t received_packets, received_bytes;
	uint64_t sent_packets, sent_bytes;
	uint64_t kernel_drops; /* SO_RXQ_OVFL: datagrams that found our receive buffer full */
	uint64_t send_drops;   /* the send buffer stayed full or the address was refused */
	uint64_t truncated;    /* longer than a datagram of the protocol may be (WebRTC: 2048) */
	uint64_t receive_calls, send_calls;
};

/* data is writable and valid during the call only; len ≤ 2048. now_usec is the time of the batch.
 * May send, but not free the socket. */
typedef void (*udp_receive_fn)(void *userdata, const struct hifi_addr *from, uint8_t *data,
			       size_t len, uint64_t now_usec);

/* Takes fd (a bound UDP socket, for instance from systemd) and sets buffer sizes and options. On
 * failure the caller keeps fd: -EPROTOTYPE for a socket that is not UDP, -ENOTSOCK, -ENOMEM. */
int udp_socket_new_from_fd(int fd, struct udp_socket **ret);
/* Binds port (0: any) on all addresses, IPv6 and IPv4 (IPv4 alone where there is no IPv6), or on
 * 127.0.0.1 only. -EADDRINUSE etc. */
int udp_socket_new(uint16_t port, bool loopback_only, struct udp_socket **ret);
struct udp_socket *udp_socket_free(struct udp_socket *s); /* sends what is queued; NULL is fine */
DEFINE_CLEANUP_FUNC(struct udp_socket *, udp_socket_free);

int udp_socket_fd(const struct udp_socket *s);
uint16_t udp_socket_port(const struct udp_socket *s);
const struct udp_socket_stats *udp_socket_stats(const struct udp_socket *s);

/* Reads at most max_batches batches and calls fn for each datagram. Returns how many, 0 when there
 * was nothing, or -errno for a socket that is beyond use (transient errors such as ECONNREFUSED are
 * swallowed). */
int udp_socket_receive(struct udp_socket *s, unsigned max_batches, udp_receive_fn fn,
		       void *userdata);

/* Queues one datagram (copied out of the pieces; together at most 2048 bytes) to a UDP address and
 * sends the batch when it is full. 0; -EMSGSIZE; -EINVAL for an address that is not UDP or that an
 * IPv4 socket cannot reach. */
int udp_socket_send(struct udp_socket *s, const struct hifi_addr *to, const struct iovec *iov,
		    unsigned n_iov);
/* Sends what is queued now. What the kernel refuses is dropped and counted. */
void udp_socket_flush(struct udp_socket *s);
