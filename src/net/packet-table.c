/* OpenSSL's MD5 without its provider machinery: the signature must also exist where FIPS mode
 * refuses MD5. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "net/packet-table.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <openssl/md5.h>

#include "base/macros.h"

static const struct packet_info packet_table[] = {
#define X(constant, number, type_name, vircadia, overte, type_flags)                   \
	[number] = {                                                                   \
		.name = type_name,                                                     \
		.version = {[DIALECT_VIRCADIA] = vircadia, [DIALECT_OVERTE] = overte}, \
		.flags = type_flags,                                                   \
	},
	PACKET_TYPES(X)
#undef X
};

static_assert(ELEMENTSOF(packet_table) == PACKET_TYPE_COUNT, "types are numbered without gaps");

const struct packet_info *packet_info_find(unsigned type)
{
	return type < PACKET_TYPE_COUNT ? &packet_table[type] : NULL;
}

const char *packet_type_name(unsigned type)
{
	static _Thread_local char unknown[24];

	if (type < PACKET_TYPE_COUNT)
		return packet_table[type].name;

	(void) snprintf(unknown, sizeof(unknown), "type %u", type);
	return unknown;
}

void packet_signature(enum dialect dialect, uint8_t ret[static 16])
{
	uint8_t input[1 + PACKET_TYPE_COUNT];

	input[0] = PACKET_TYPE_COUNT;
	for (unsigned i = 0; i < PACKET_TYPE_COUNT; i++)
		input[1 + i] = packet_table[i].version[dialect];
	(void) MD5(input, sizeof(input), ret);
}

int packet_signature_dialect(const uint8_t signature[static 16])
{
	for (enum dialect d = 0; d < DIALECT_COUNT; d++) {
		uint8_t ours[16];

		packet_signature(d, ours);
		if (memcmp(ours, signature, sizeof(ours)) == 0)
			return d;
	}
	return -EPROTO;
}
