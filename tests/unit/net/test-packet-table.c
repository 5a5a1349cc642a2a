/* The packet table: signatures (protocol 01 sections 11 and 14.1) and the sets of section 9. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "hex.h"
#include "net/packet-table.h"

static void test_signatures_are_the_published_ones(void **state)
{
	uint8_t signature[16];

	packet_signature(DIALECT_VIRCADIA, signature);
	assert_bytes_hex(signature, 16, "ad15da90e07d2c7b408325383ad8b77d");
	assert_int_equal(packet_signature_dialect(signature), DIALECT_VIRCADIA);

	packet_signature(DIALECT_OVERTE, signature);
	assert_bytes_hex(signature, 16, "5622e88718593136a572e50ac20b3ade");
	assert_int_equal(packet_signature_dialect(signature), DIALECT_OVERTE);

	signature[15] ^= 1;
	assert_int_equal(packet_signature_dialect(signature), -EPROTO);
}

/* 01 section 14.1: the bytes that are hashed. */
static void test_versions_of_all_types(void **state)
{
	static const char *const inputs[DIALECT_COUNT] = {
		[DIALECT_VIRCADIA] = "6a16111912163636181818183618171616131618161613111116161616163"
				     "6121b161616161616"
				     "1212118517851685161612161616161616161612161611161611161616161"
				     "61616161616161616"
				     "168516161616161616161616161616131616161616855c301630181616",
		[DIALECT_OVERTE] = "6a1711191217373718181818371817171713171817171311111717171717371"
				   "21b171717171717"
				   "1212119a189a179a17171216171617161717171217171116161117171717171"
				   "717171617171717"
				   "179a171717171717171717171717171317171717179a5c301730181717",
	};

	for (enum dialect d = 0; d < DIALECT_COUNT; d++) {
		uint8_t versions[1 + PACKET_TYPE_COUNT] = {PACKET_TYPE_COUNT};

		for (unsigned type = 0; type < PACKET_TYPE_COUNT; type++)
			versions[1 + type] = packet_info_find(type)->version[d];
		assert_bytes_hex(versions, sizeof(versions), inputs[d]);
	}
}

static void test_sets_of_types(void **state)
{
	static const uint8_t non_sourced[] = {1,  2,  14, 15, 16, 19, 20, 21, 22, 23, 27,  31, 32,
					      35, 38, 39, 40, 46, 47, 48, 56, 60, 63, 71,  81, 83,
					      84, 85, 86, 87, 88, 89, 90, 95, 96, 97, 104, 105};
	static const uint8_t non_verified[] = {13, 33, 34, 37, 42, 55, 67, 68, 70};
	static const uint8_t domain_sourced[] = {49, 51, 61}, hash_ignored[] = {50, 52, 62};

	for (unsigned type = 0; type < PACKET_TYPE_COUNT; type++) {
		unsigned flags = packet_info_find(type)->flags;
		bool is_bare = memchr(non_sourced, (int) type, sizeof(non_sourced));
		bool is_unverified = memchr(non_verified, (int) type, sizeof(non_verified));

		assert_int_equal(packet_flags_sourced(flags), !is_bare);
		assert_int_equal(packet_flags_verified(flags), !is_bare && !is_unverified);
		assert_int_equal(packet_flags_header_len(flags), is_bare         ? 2
								 : is_unverified ? 4
										 : 20);
		assert_int_equal(!!(flags & PACKET_DOMAIN_SOURCED),
				 !!memchr(domain_sourced, (int) type, sizeof(domain_sourced)));
		assert_int_equal(!!(flags & PACKET_DS_HASH_IGNORED),
				 !!memchr(hash_ignored, (int) type, sizeof(hash_ignored)));
		assert_int_equal(!!(flags & PACKET_REPLICATED), type >= 83 && type <= 89);
	}
}

static void test_unknown_types(void **state)
{
	assert_null(packet_info_find(PACKET_TYPE_COUNT));
	assert_null(packet_info_find(255));
	assert_string_equal(packet_type_name(255), "type 255");
	assert_string_equal(packet_type_name(PACKET_WEB_RTC_SIGNALING), "WebRTCSignaling");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signatures_are_the_published_ones),
		cmocka_unit_test(test_versions_of_all_types),
		cmocka_unit_test(test_sets_of_types),
		cmocka_unit_test(test_unknown_types),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
