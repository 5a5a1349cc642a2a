#include "domain-server/pair-secrets.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

int pair_secrets_init(struct pair_secrets *s)
{
	/* At most 256 bytes come whole once the kernel's generator is seeded. */
	ssize_t n = getrandom(s->key, sizeof(s->key), 0);

	if (n < 0)
		return -errno;
	return n == sizeof(s->key) ? 0 : -EIO;
}

struct uuid pair_secrets_get(const struct pair_secrets *s, const struct uuid *a,
			     const struct uuid *b)
{
	uint8_t pair[2 * sizeof(a->b)], hash[EVP_MAX_MD_SIZE];
	bool ordered = memcmp(a->b, b->b, sizeof(a->b)) < 0;
	unsigned len = sizeof(hash);
	struct uuid secret;
	uint8_t *ok;

	memcpy(pair, ordered ? a->b : b->b, sizeof(a->b));
	memcpy(pair + sizeof(a->b), ordered ? b->b : a->b, sizeof(a->b));
	ok = HMAC(EVP_sha256(), s->key, sizeof(s->key), pair, sizeof(pair), hash, &len);
	/* Fails only without memory for its context; a predictable secret would be worse than none.
	 */
	if (!ok)
		abort();
	memcpy(secret.b, hash, sizeof(secret.b));
	return secret;
}
