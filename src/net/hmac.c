/* The low-level MD5 contexts are deprecated but plain structs: copying one is how a key's two first
 * blocks are computed once per secret. EVP contexts would cost two heap objects per packet. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "net/hmac.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/md5.h>

static_assert(sizeof(MD5_CTX) <= sizeof(((struct hmac_key *) NULL)->inner),
	      "struct hmac_key holds MD5 states by value");
static_assert(HMAC_LEN == MD5_DIGEST_LENGTH, "HMAC-MD5");

/* The state after the key's block XORed with pad. */
static void key_state(uint64_t *state, const struct uuid *secret, uint8_t pad)
{
	uint8_t block[MD5_CBLOCK];
	MD5_CTX md5 = {0};

	memset(block, pad, sizeof(block));
	for (size_t i = 0; i < sizeof(secret->b); i++)
		block[i] ^= secret->b[i];
	(void) MD5_Init(&md5);
	(void) MD5_Update(&md5, block, sizeof(block));
	memcpy(state, &md5, sizeof(md5));
	OPENSSL_cleanse(block, sizeof(block));
}

void hmac_key_init(struct hmac_key *key, const struct uuid *secret)
{
	*key = (struct hmac_key){0};
	key_state(key->inner, secret, 0x36);
	key_state(key->outer, secret, 0x5c);
}

void hmac_compute(const struct hmac_key *key, const struct span *pieces, size_t n_pieces,
		  uint8_t ret[static HMAC_LEN])
{
	uint8_t digest[HMAC_LEN];
	MD5_CTX md5;

	memcpy(&md5, key->inner, sizeof(md5));
	for (size_t i = 0; i < n_pieces; i++)
		if (pieces[i].len > 0)
			(void) MD5_Update(&md5, pieces[i].data, pieces[i].len);
	(void) MD5_Final(digest, &md5);

	memcpy(&md5, key->outer, sizeof(md5));
	(void) MD5_Update(&md5, digest, sizeof(digest));
	(void) MD5_Final(ret, &md5);
}

bool hmac_verify(const struct hmac_key *key, struct span data, const uint8_t hash[static HMAC_LEN])
{
	uint8_t computed[HMAC_LEN];

	hmac_compute(key, &data, 1, computed);
	return CRYPTO_memcmp(computed, hash, HMAC_LEN) == 0;
}
