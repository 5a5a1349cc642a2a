/* An address range with a prefix, as settings of the format "subnet" name it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

struct subnet {
	bool is_ipv6;
	uint8_t bits;
	uint8_t ip[16]; /* network order, zero beyond bits; IPv4 in the first four */
};

/* "192.0.2.1", "10.0.0.0/8", "fd00::/8"; bits of the host are cleared. 0 or -EINVAL. */
int subnet_parse(const char *text, struct subnet *ret);
/* Also when they are equal. */
bool subnet_contains(const struct subnet *outer, const struct subnet *inner);
/* As libnftables takes it in a set; NULL when out of memory. */
json_t *subnet_json(const struct subnet *subnet);
