/* The 106 packet types: name, version per dialect and class, in one X-macro (protocol 01 sections 9
 * and 11). The protocol signature is computed from this table.
 *
 * X(CONSTANT, type, name, version in Vircadia 2022 / Web SDK, version in Overte, flags)
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

enum packet_flags {
	PACKET_NON_SOURCED = 1 << 0,    /* no local id in the header, hence no hash */
	PACKET_NON_VERIFIED = 1 << 1,   /* local id but no hash */
	PACKET_DOMAIN_SOURCED = 1 << 2, /* may be sent by the domain-server itself */
	PACKET_DS_HASH_IGNORED = 1
				 << 3, /* the domain-server accepts it without checking the hash */
	PACKET_REPLICATED = 1 << 4,    /* mixer to mixer, only from configured upstream addresses */
};

enum dialect {
	DIALECT_VIRCADIA, /* signature ad15da90e07d2c7b408325383ad8b77d */
	DIALECT_OVERTE,   /* signature 5622e88718593136a572e50ac20b3ade */
	DIALECT_COUNT,
};

#define PACKET_TYPE_COUNT 106

/* PACKET_TYPES(X) and enum packet_type { PACKET_DOMAIN_LIST = 2, … } live in packet-types.h. */
#include "net/packet-types.h"

struct packet_info {
	const char *name;
	uint8_t version[DIALECT_COUNT];
	uint8_t flags; /* enum packet_flags */
};

/* NULL for a type that does not exist. */
const struct packet_info *packet_info_find(unsigned type);
/* "DomainList", or "type 123". Never NULL. */
const char *packet_type_name(unsigned type);

static inline bool packet_flags_sourced(unsigned flags)
{
	return !(flags & PACKET_NON_SOURCED);
}

static inline bool packet_flags_verified(unsigned flags)
{
	return !(flags & (PACKET_NON_SOURCED | PACKET_NON_VERIFIED));
}

/* Bytes of the NL header: 2, 4 or 20. */
static inline unsigned packet_flags_header_len(unsigned flags)
{
	return flags & PACKET_NON_SOURCED ? 2 : flags & PACKET_NON_VERIFIED ? 4 : 20;
}

/* MD5 over the count and all version bytes (01 section 11). */
void packet_signature(enum dialect dialect, uint8_t ret[static 16]);
/* The dialect with this signature, or -EPROTO. */
int packet_signature_dialect(const uint8_t signature[static 16]);
