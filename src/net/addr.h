/* Where a peer is: a UDP socket address, or a WebRTC data channel of this process.
 *
 * For a WebRTC peer ip and port are its *signalling address*, the label that identifies it to every
 * node of the domain (protocol 02 section 14.2), and channel is the association of this process
 * that carries it. The protocol's packets know nothing of channel: compare labels with
 * hifi_addr_same_label(), connections with hifi_addr_equal().
 *
 * Held by value, zero-initialised including padding, so it can be hashed and compared as bytes.
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/bytes.h"

/* The numbers are the protocol's socket types, 01 section 12.5. */
enum socket_type {
	SOCKET_TYPE_UNKNOWN = 0,
	SOCKET_TYPE_UDP = 1,
	SOCKET_TYPE_WEBRTC = 2,
};

struct hifi_addr {
	uint8_t ip[16];   /* network order; IPv4 as ::ffff:a.b.c.d */
	uint32_t channel; /* WebRTC only, never 0 there; 0 for UDP */
	uint16_t port;    /* host order */
	uint8_t type;     /* enum socket_type */
	uint8_t zero;
};
static_assert(sizeof(struct hifi_addr) == 24, "no padding: addresses are hashed as bytes");

#define HIFI_ADDR_TEXT_MAX 72

static inline bool hifi_addr_equal(const struct hifi_addr *a, const struct hifi_addr *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

static inline bool hifi_addr_is_set(const struct hifi_addr *a)
{
	return a->type != SOCKET_TYPE_UNKNOWN;
}

/* Same type, ip and port, whatever the channel. */
bool hifi_addr_same_label(const struct hifi_addr *a, const struct hifi_addr *b);
bool hifi_addr_same_ip(const struct hifi_addr *a, const struct hifi_addr *b);
bool hifi_addr_is_ipv4(const struct hifi_addr *a);
bool hifi_addr_is_loopback(const struct hifi_addr *a);
/* Loopback, RFC 1918, link-local, unique local. */
bool hifi_addr_is_private(const struct hifi_addr *a);
/* 0.0.0.0 or ::. */
bool hifi_addr_is_any(const struct hifi_addr *a);

struct hifi_addr hifi_addr_from_ipv4(enum socket_type type, uint32_t ip_host_order, uint16_t port);
/* From what the kernel filled in: AF_INET or AF_INET6; anything else yields an unset address. */
struct hifi_addr hifi_addr_from_sockaddr(const struct sockaddr_storage *ss);
/* As AF_INET6 (dual-stack sockets take mapped IPv4). */
struct sockaddr_in6 hifi_addr_to_sockaddr(const struct hifi_addr *a);
/* IPv4 in host order, or 0. */
uint32_t hifi_addr_ipv4(const struct hifi_addr *a);

/* "192.0.2.1:40102", "[2001:db8::1]:40102", WebRTC with a "webrtc:" prefix. Returns buf. */
char *hifi_addr_format(const struct hifi_addr *a, char buf[static HIFI_ADDR_TEXT_MAX]);
#define HIFI_ADDR_TEXT(a) hifi_addr_format((a), (char[HIFI_ADDR_TEXT_MAX]){0})
/* Only the ip part. */
char *hifi_addr_format_ip(const struct hifi_addr *a, char buf[static HIFI_ADDR_TEXT_MAX]);
/* "a.b.c.d:port" or "[v6]:port" → address of that type. 0 or -EINVAL. */
int hifi_addr_parse(const char *text, enum socket_type type, struct hifi_addr *ret);

/* Qt's QHostAddress + u16 port BE (01 section 12.2 "SockAddr"). Null (`ff`) and "Any" (`02`) read
 * as 0.0.0.0, and *ret_null (may be NULL) says which; the scope id of IPv6 is skipped. type is
 * given by the caller, because it travels in a separate byte. */
struct hifi_addr read_sockaddr(struct reader *rd, enum socket_type type, bool *ret_null);
/* Always `00` + 4 bytes for IPv4 (an unset address is 0.0.0.0), `01` + 16 bytes + null scope for
 * IPv6. */
void write_sockaddr(struct writer *wr, const struct hifi_addr *a);
/* `ff` + port: "the same host as the domain-server" to native readers. Never for WebRTC readers. */
void write_sockaddr_null(struct writer *wr, uint16_t port);
