#include "base/uuid.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

struct uuid uuid_random(void)
{
	struct uuid u;

	/* Up to 256 bytes never come short once the pool is ready; before that the call waits. */
	if (getrandom(u.b, sizeof(u.b), 0) != sizeof(u.b))
		abort();
	u.b[6] = (u.b[6] & 0x0f) | 0x40;
	u.b[8] = (u.b[8] & 0x3f) | 0x80;
	return u;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int uuid_parse(const char *text, struct uuid *ret)
{
	size_t len = strlen(text);
	struct uuid u;
	unsigned n = 0;

	if (len == UUID_TEXT_LEN + 2 && text[0] == '{' && text[len - 1] == '}') {
		text++;
		len -= 2;
	}
	if (len != UUID_TEXT_LEN)
		return -EINVAL;

	for (unsigned i = 0; i < UUID_TEXT_LEN;) {
		int high, low;

		if (i == 8 || i == 13 || i == 18 || i == 23) {
			if (text[i++] != '-')
				return -EINVAL;
			continue;
		}
		high = hex_digit(text[i]);
		low = hex_digit(text[i + 1]);
		if (high < 0 || low < 0)
			return -EINVAL;
		u.b[n++] = (uint8_t) (high << 4 | low);
		i += 2;
	}

	*ret = u;
	return 0;
}

char *uuid_format(const struct uuid *u, char buf[static UUID_TEXT_LEN + 1])
{
	static const char digits[] = "0123456789abcdef";
	char *p = buf;

	for (unsigned i = 0; i < sizeof(u->b); i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*p++ = '-';
		*p++ = digits[u->b[i] >> 4];
		*p++ = digits[u->b[i] & 0xf];
	}
	*p = 0;
	return buf;
}
