/* UUIDs as the protocol carries them: 16 bytes in RFC 4122 (textual) order. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define UUID_TEXT_LEN 36

struct uuid {
	uint8_t b[16];
};

static const struct uuid UUID_NULL = {{0}};

static inline bool uuid_equal(const struct uuid *a, const struct uuid *b)
{
	return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

static inline bool uuid_is_null(const struct uuid *u)
{
	return uuid_equal(u, &UUID_NULL);
}

/* A random (version 4) UUID from the kernel's generator. */
struct uuid uuid_random(void);
/* Accepts 36 characters, with or without braces, either case. 0 or -EINVAL. */
int uuid_parse(const char *text, struct uuid *ret);
/* Writes 36 lower-case characters without braces and a NUL. Returns buf. */
char *uuid_format(const struct uuid *u, char buf[static UUID_TEXT_LEN + 1]);
/* For messages: the text in a compound literal that lives as long as the enclosing block. */
#define UUID_TEXT(u) uuid_format((u), (char[UUID_TEXT_LEN + 1]){0})
