/* UTF-8 to UTF-16 and back, for the encodings that come from Qt. */
#pragma once

#include "base/bytes.h"

enum utf16_order {
	UTF16_BE,
	UTF16_LE,
};

/* The code point at **p, which moves behind it; U+FFFD for each malformed byte; 0 at the
 * terminating NUL, where it stays. */
uint32_t utf8_next(const char **p);

/* Code units that utf8 takes. */
size_t utf16_length(const char *utf8);
/* The units alone, no length and no mark. */
void write_utf16(struct writer *wr, const char *utf8, enum utf16_order order);
/* A NUL-terminated heap copy; lone surrogates and NULs become U+FFFD, an odd last byte is
 * ignored. NULL when out of memory. */
char *utf16_to_utf8(struct span units, enum utf16_order order);
