/* HMAC-MD5: RFC 2202 and protocol 01 section 14.3, and an independent implementation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "hex.h"
#include "net/hmac.h"

static struct hmac_key key_of(const char *hex)
{
	_cleanup_free_ uint8_t *bytes = hex_bytes(hex, NULL);
	struct hmac_key key;
	struct uuid secret;

	memcpy(secret.b, bytes, sizeof(secret.b));
	hmac_key_init(&key, &secret);
	return key;
}

static void test_vectors(void **state)
{
	struct hmac_key key = key_of("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b");
	struct span data = span_of("Hi There", 8);
	uint8_t hash[HMAC_LEN];

	/* RFC 2202, test case 1 */
	hmac_compute(&key, &data, 1, hash);
	assert_bytes_hex(hash, HMAC_LEN, "9294727a3638bb1c13f48ef8158bfc9d");

	/* 01 section 14.3 */
	key = key_of("112233445566778899aabbccddeeff00");
	data = span_of("\x01", 1);
	hmac_compute(&key, &data, 1, hash);
	assert_bytes_hex(hash, HMAC_LEN, "5c6b94693aab916b07885bc1b5823f09");
	assert_true(hmac_verify(&key, data, hash));
	hash[15] ^= 0x80;
	assert_false(hmac_verify(&key, data, hash));
}

static void test_pieces_are_one_string(void **state)
{
	struct hmac_key key = key_of("00112233445566778899aabbccddeeff");
	static uint8_t data[3000];
	uint8_t hash[HMAC_LEN], expected[HMAC_LEN];

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t) (i * 31);
	for (size_t len = 0; len < sizeof(data); len += 97) {
		struct span pieces[] = {
			{data, len / 3}, {NULL, 0}, {data + len / 3, len - len / 3}};
		_cleanup_free_ uint8_t *secret =
			hex_bytes("00112233445566778899aabbccddeeff", NULL);

		hmac_compute(&key, pieces, ELEMENTSOF(pieces), hash);
		assert_non_null(HMAC(EVP_md5(), secret, 16, data, len, expected, NULL));
		assert_memory_equal(hash, expected, HMAC_LEN);
		assert_true(hmac_verify(&key, span_of(data, len), hash));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_pieces_are_one_string),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
