/* Passwords as the configuration has them: salted scrypt (RFC 7914), "scrypt$15$8$1$salt$key" with
 * the base-2 logarithm of N, r, p, and both texts in hexadecimal. And, from the configurations of
 * other domain-servers, the bare SHA-256 in hexadecimal (protocol 09 section 3), which is taken but
 * never made. Pure; may run in any thread, and takes a tenth of a second and 32 MiB. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define PASSWORD_MIN      10 /* bytes of a new one */
#define PASSWORD_MAX      256
#define PASSWORD_HASH_MAX 128 /* with the NUL */

/* 0 or -EIO. */
int password_hash(const char *password, char ret[static PASSWORD_HASH_MAX]);
/* hash: of either form; anything else fits no password, nor does a hash that would need far more
 * memory than ours. */
bool password_fits(const char *password, const char *hash);
/* What password_hash() makes, and so needs no upgrade. */
bool password_hash_is_current(const char *hash);
