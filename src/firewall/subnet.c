#include "firewall/subnet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/macros.h"

static bool bit_of(const uint8_t *ip, unsigned i)
{
	return ip[i / 8] >> (7 - i % 8) & 1;
}

int subnet_parse(const char *text, struct subnet *ret)
{
	char address[INET6_ADDRSTRLEN] = "", slash = '/', end;
	struct subnet subnet = {0};
	unsigned bits = 0, width;
	int n;

	n = sscanf(text, "%45[^/]%c%3u%c", address, &slash, &bits, &end);
	if ((n != 1 && n != 3) || slash != '/')
		return -EINVAL;
	if (inet_pton(AF_INET, address, subnet.ip) != 1) {
		if (inet_pton(AF_INET6, address, subnet.ip) != 1)
			return -EINVAL;
		subnet.is_ipv6 = true;
	}
	width = subnet.is_ipv6 ? 128 : 32;
	if (n == 1)
		bits = width;
	if (bits > width)
		return -EINVAL;
	for (unsigned i = bits; i < width; i++)
		subnet.ip[i / 8] &= (uint8_t) ~(1 << (7 - i % 8));
	subnet.bits = (uint8_t) bits;
	*ret = subnet;
	return 0;
}

bool subnet_contains(const struct subnet *outer, const struct subnet *inner)
{
	if (outer->is_ipv6 != inner->is_ipv6 || outer->bits > inner->bits)
		return false;
	for (unsigned i = 0; i < outer->bits; i++)
		if (bit_of(outer->ip, i) != bit_of(inner->ip, i))
			return false;
	return true;
}

json_t *subnet_json(const struct subnet *subnet)
{
	char text[INET6_ADDRSTRLEN] = "";

	(void) inet_ntop(subnet->is_ipv6 ? AF_INET6 : AF_INET, subnet->ip, text, sizeof(text));
	return json_pack("{s:{s:s, s:i}}", "prefix", "addr", text, "len", subnet->bits);
}
