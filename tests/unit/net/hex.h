/* Test vectors as the protocol documents print them: hex digits, blanks ignored. */
#pragma once

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/bytes.h"

/* A heap copy of exactly the bytes, so that a sanitizer sees every overrun; *ret_len may be NULL.
 */
static inline uint8_t *hex_bytes(const char *hex, size_t *ret_len)
{
	uint8_t *bytes = calloc(1, strlen(hex) / 2 + 1);
	size_t n = 0;

	if (!bytes)
		abort();
	for (const char *p = hex; *p; p++) {
		int digit = isdigit((unsigned char) *p) ? *p - '0' : tolower(*p) - 'a' + 10;

		if (isspace((unsigned char) *p))
			continue;
		bytes[n / 2] = (uint8_t) (bytes[n / 2] << 4 | digit);
		n++;
	}
	if (ret_len)
		*ret_len = n / 2;
	bytes = realloc(bytes, n / 2 ? n / 2 : 1);
	return bytes;
}

#define assert_bytes_hex(data, len, hex)                                              \
	do {                                                                          \
		size_t _expected_len;                                                 \
		_cleanup_free_ uint8_t *_expected = hex_bytes((hex), &_expected_len); \
		assert_int_equal((len), _expected_len);                               \
		assert_memory_equal((data), _expected, _expected_len);                \
	} while (0)
