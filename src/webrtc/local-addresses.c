/* Which of this machine's addresses a client may be able to reach. */
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <string.h>

#include "webrtc/webrtc.h"

DEFINE_CLEANUP_FUNC(struct ifaddrs *, freeifaddrs);

enum rank {
	RANK_IPV4,
	RANK_IPV6,
	RANK_LOOPBACK,
	RANK_NONE,
};

static enum rank rank_of(const struct ifaddrs *ifa, struct hifi_addr *ret)
{
	struct sockaddr_storage ss = {0};
	struct in6_addr ip;

	if (!ifa->ifa_addr || !(ifa->ifa_flags & IFF_UP))
		return RANK_NONE;
	if (ifa->ifa_addr->sa_family == AF_INET)
		memcpy(&ss, ifa->ifa_addr, sizeof(struct sockaddr_in));
	else if (ifa->ifa_addr->sa_family == AF_INET6)
		memcpy(&ss, ifa->ifa_addr, sizeof(struct sockaddr_in6));
	else
		return RANK_NONE;

	*ret = hifi_addr_from_sockaddr(&ss);
	memcpy(&ip, ret->ip, sizeof(ip));
	if (hifi_addr_is_loopback(ret))
		return RANK_LOOPBACK;
	if (hifi_addr_is_ipv4(ret))
		return hifi_addr_ipv4(ret) >> 16 == 0xA9FE ? RANK_NONE : RANK_IPV4; /* 169.254/16 */
	return IN6_IS_ADDR_LINKLOCAL(&ip) ? RANK_NONE : RANK_IPV6;
}

int webrtc_local_addresses(bool with_loopback, struct hifi_addr *ret, size_t max)
{
	_cleanup_(freeifaddrsp) struct ifaddrs *all = NULL;
	enum rank last = with_loopback ? RANK_LOOPBACK : RANK_IPV6;
	struct hifi_addr addr;
	size_t n = 0;

	if (getifaddrs(&all) < 0)
		return -errno;
	for (enum rank rank = RANK_IPV4; rank <= last; rank++)
		for (const struct ifaddrs *ifa = all; ifa && n < max; ifa = ifa->ifa_next)
			if (rank_of(ifa, &addr) == rank)
				ret[n++] = addr;
	return (int) n;
}
