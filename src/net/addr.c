#include "net/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* QHostAddress protocol bytes, protocol 01 section 12.2. */
#define QT_HOST_IPV4 0x00
#define QT_HOST_IPV6 0x01
#define QT_HOST_ANY  0x02
#define QT_HOST_NULL 0xff

#define SCOPE_MAX_BYTES 64
#define PORT_DIGITS_MAX 5

static const uint8_t mapped_prefix[12] = {[10] = 0xff, [11] = 0xff};

bool hifi_addr_same_ip(const struct hifi_addr *a, const struct hifi_addr *b)
{
	return memcmp(a->ip, b->ip, sizeof(a->ip)) == 0;
}

bool hifi_addr_same_label(const struct hifi_addr *a, const struct hifi_addr *b)
{
	return a->type == b->type && a->port == b->port && hifi_addr_same_ip(a, b);
}

bool hifi_addr_is_ipv4(const struct hifi_addr *a)
{
	return memcmp(a->ip, mapped_prefix, sizeof(mapped_prefix)) == 0;
}

uint32_t hifi_addr_ipv4(const struct hifi_addr *a)
{
	if (!hifi_addr_is_ipv4(a))
		return 0;
	return (uint32_t) a->ip[12] << 24 | (uint32_t) a->ip[13] << 16 | (uint32_t) a->ip[14] << 8 |
	       a->ip[15];
}

bool hifi_addr_is_loopback(const struct hifi_addr *a)
{
	static const uint8_t loopback[16] = {[15] = 1};

	return hifi_addr_is_ipv4(a) ? a->ip[12] == 127 : memcmp(a->ip, loopback, 16) == 0;
}

bool hifi_addr_is_private(const struct hifi_addr *a)
{
	uint32_t ip = hifi_addr_ipv4(a);

	if (hifi_addr_is_loopback(a))
		return true;
	if (hifi_addr_is_ipv4(a))
		return ip >> 24 == 10 || ip >> 20 == 0xac1 || ip >> 16 == 0xc0a8 ||
		       ip >> 16 == 0xa9fe;
	return (a->ip[0] == 0xfe && (a->ip[1] & 0xc0) == 0x80) || (a->ip[0] & 0xfe) == 0xfc;
}

bool hifi_addr_is_any(const struct hifi_addr *a)
{
	static const uint8_t any[16] = {0};

	return hifi_addr_is_ipv4(a) ? hifi_addr_ipv4(a) == 0 : memcmp(a->ip, any, 16) == 0;
}

struct hifi_addr hifi_addr_from_ipv4(enum socket_type type, uint32_t ip_host_order, uint16_t port)
{
	struct hifi_addr a = {.type = type, .port = port};

	memcpy(a.ip, mapped_prefix, sizeof(mapped_prefix));
	for (unsigned i = 0; i < 4; i++)
		a.ip[12 + i] = (uint8_t) (ip_host_order >> (24 - 8 * i));
	return a;
}

struct hifi_addr hifi_addr_from_sockaddr(const struct sockaddr_storage *ss)
{
	struct hifi_addr a = {.type = SOCKET_TYPE_UDP};

	if (ss->ss_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *) ss;

		return hifi_addr_from_ipv4(SOCKET_TYPE_UDP, ntohl(in->sin_addr.s_addr),
					   ntohs(in->sin_port));
	}
	if (ss->ss_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *) ss;

		memcpy(a.ip, &in6->sin6_addr, sizeof(a.ip));
		a.port = ntohs(in6->sin6_port);
		return a;
	}
	return (struct hifi_addr){0};
}

struct sockaddr_in6 hifi_addr_to_sockaddr(const struct hifi_addr *a)
{
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(a->port)};

	memcpy(&in6.sin6_addr, a->ip, sizeof(a->ip));
	return in6;
}

/* --- text --- */

char *hifi_addr_format_ip(const struct hifi_addr *a, char buf[static HIFI_ADDR_TEXT_MAX])
{
	if (hifi_addr_is_ipv4(a))
		(void) inet_ntop(AF_INET, &a->ip[12], buf, HIFI_ADDR_TEXT_MAX);
	else
		(void) inet_ntop(AF_INET6, a->ip, buf, HIFI_ADDR_TEXT_MAX);
	return buf;
}

char *hifi_addr_format(const struct hifi_addr *a, char buf[static HIFI_ADDR_TEXT_MAX])
{
	const char *prefix = a->type == SOCKET_TYPE_WEBRTC ? "webrtc:" : "";
	char ip[HIFI_ADDR_TEXT_MAX];

	(void) hifi_addr_format_ip(a, ip);
	(void) snprintf(buf, HIFI_ADDR_TEXT_MAX,
			hifi_addr_is_ipv4(a) ? "%s%.46s:%u" : "%s[%.46s]:%u", prefix, ip, a->port);
	return buf;
}

/* 1 to 5 digits and nothing else; sscanf and strtoul would take signs and blanks. */
static int parse_port(const char *text, uint16_t *ret)
{
	size_t len = strspn(text, "0123456789");
	unsigned long port;

	if (len == 0 || len > PORT_DIGITS_MAX || text[len] != '\0')
		return -EINVAL;
	port = strtoul(text, NULL, 10);
	if (port > UINT16_MAX)
		return -EINVAL;

	*ret = (uint16_t) port;
	return 0;
}

int hifi_addr_parse(const char *text, enum socket_type type, struct hifi_addr *ret)
{
	struct hifi_addr a = {.type = type};
	bool is_ipv6 = text[0] == '[';
	const char *ip = text + is_ipv6, *end = strchr(ip, is_ipv6 ? ']' : ':');
	char buf[INET6_ADDRSTRLEN];
	int r;

	if (!end || (size_t) (end - ip) >= sizeof(buf) || (is_ipv6 && end[1] != ':'))
		return -EINVAL;
	memcpy(buf, ip, (size_t) (end - ip));
	buf[end - ip] = '\0';

	if (!is_ipv6)
		memcpy(a.ip, mapped_prefix, sizeof(mapped_prefix));
	if (inet_pton(is_ipv6 ? AF_INET6 : AF_INET, buf, is_ipv6 ? a.ip : a.ip + 12) != 1)
		return -EINVAL;
	r = parse_port(end + 1 + is_ipv6, &a.port);
	if (r < 0)
		return r;

	*ret = a;
	return 0;
}

/* --- wire --- */

struct hifi_addr read_sockaddr(struct reader *rd, enum socket_type type, bool *ret_null)
{
	uint8_t protocol = read_u8(rd);
	struct hifi_addr a = hifi_addr_from_ipv4(type, 0, 0);
	uint32_t scope_len;
	const uint8_t *ip;

	switch (protocol) {
	case QT_HOST_IPV4:
		a = hifi_addr_from_ipv4(type, read_u32be(rd), 0);
		break;
	case QT_HOST_IPV6:
		ip = read_bytes(rd, sizeof(a.ip));
		if (ip)
			memcpy(a.ip, ip, sizeof(a.ip));
		scope_len = read_u32be(rd);
		if (scope_len != UINT32_MAX && scope_len > SCOPE_MAX_BYTES)
			reader_fail(rd);
		else if (scope_len != UINT32_MAX)
			read_skip(rd, scope_len);
		break;
	case QT_HOST_ANY:
	case QT_HOST_NULL:
		break;
	default:
		reader_fail(rd);
	}
	a.port = read_u16be(rd);

	if (ret_null)
		*ret_null = protocol == QT_HOST_NULL || protocol == QT_HOST_ANY;
	return rd->failed ? (struct hifi_addr){0} : a;
}

void write_sockaddr(struct writer *wr, const struct hifi_addr *a)
{
	if (hifi_addr_is_ipv4(a) || hifi_addr_is_any(a)) {
		write_u8(wr, QT_HOST_IPV4);
		write_u32be(wr, hifi_addr_ipv4(a));
	} else {
		write_u8(wr, QT_HOST_IPV6);
		write_bytes(wr, a->ip, sizeof(a->ip));
		write_u32be(wr, UINT32_MAX);
	}
	write_u16be(wr, a->port);
}

void write_sockaddr_null(struct writer *wr, uint16_t port)
{
	write_u8(wr, QT_HOST_NULL);
	write_u16be(wr, port);
}
