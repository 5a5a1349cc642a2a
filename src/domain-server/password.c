#include "domain-server/password.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "base/macros.h"

#define LOG_N   15
#define BLOCK   8
#define LANES   1
#define LOG_MAX 17 /* of a hash from elsewhere */

#define SALT_LEN   16
#define KEY_LEN    32
#define SHA256_LEN 32
#define MEMORY_MAX ((uint64_t) 256 << 20)

static void format_hex(const uint8_t *data, size_t len, char *ret)
{
	for (size_t i = 0; i < len; i++)
		(void) snprintf(ret + 2 * i, 3, "%02x", data[i]);
}

static int digit_of(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Exactly len bytes; what stands after them in *end. */
static bool parse_hex(const char *text, uint8_t *ret, size_t len, const char **end)
{
	for (size_t i = 0; i < len; i++) {
		int high = digit_of(text[2 * i]);
		int low = high < 0 ? -1 : digit_of(text[2 * i + 1]);

		if (low < 0)
			return false;
		ret[i] = (uint8_t) (high << 4 | low);
	}
	*end = text + 2 * len;
	return true;
}

static bool derive(const char *password, const uint8_t salt[static SALT_LEN], unsigned log_n,
		   uint8_t ret[static KEY_LEN])
{
	return EVP_PBE_scrypt(password, strlen(password), salt, SALT_LEN, UINT64_C(1) << log_n,
			      BLOCK, LANES, MEMORY_MAX, ret, KEY_LEN) == 1;
}

int password_hash(const char *password, char ret[static PASSWORD_HASH_MAX])
{
	char salt_text[2 * SALT_LEN + 1], key_text[2 * KEY_LEN + 1];
	uint8_t salt[SALT_LEN], key[KEY_LEN];

	if (getrandom(salt, sizeof(salt), 0) != sizeof(salt) || !derive(password, salt, LOG_N, key))
		return -EIO;
	format_hex(salt, sizeof(salt), salt_text);
	format_hex(key, sizeof(key), key_text);
	(void) snprintf(ret, PASSWORD_HASH_MAX, "scrypt$%d$%d$%d$%s$%s", LOG_N, BLOCK, LANES,
			salt_text, key_text);
	return 0;
}

static bool fits_scrypt(const char *password, const char *hash)
{
	uint8_t salt[SALT_LEN], expected[KEY_LEN], key[KEY_LEN];
	unsigned log_n, block, lanes;
	const char *at;
	int n = 0;

	if (sscanf(hash, "scrypt$%2u$%2u$%2u$%n", &log_n, &block, &lanes, &n) != 3 || n == 0)
		return false;
	if (log_n < 1 || log_n > LOG_MAX || block != BLOCK || lanes != LANES)
		return false;
	return parse_hex(hash + n, salt, sizeof(salt), &at) && *at == '$' &&
	       parse_hex(at + 1, expected, sizeof(expected), &at) && !*at &&
	       derive(password, salt, log_n, key) && CRYPTO_memcmp(key, expected, sizeof(key)) == 0;
}

static bool fits_sha256(const char *password, const char *hash)
{
	uint8_t expected[SHA256_LEN], digest[EVP_MAX_MD_SIZE];
	const char *end;

	return parse_hex(hash, expected, sizeof(expected), &end) && !*end &&
	       EVP_Digest(password, strlen(password), digest, NULL, EVP_sha256(), NULL) == 1 &&
	       CRYPTO_memcmp(digest, expected, sizeof(expected)) == 0;
}

bool password_fits(const char *password, const char *hash)
{
	if (!password[0] || strlen(password) > PASSWORD_MAX)
		return false;
	return fits_scrypt(password, hash) || fits_sha256(password, hash);
}

bool password_hash_is_current(const char *hash)
{
	char begin[32];

	(void) snprintf(begin, sizeof(begin), "scrypt$%d$%d$%d$", LOG_N, BLOCK, LANES);
	return strncmp(hash, begin, strlen(begin)) == 0;
}
