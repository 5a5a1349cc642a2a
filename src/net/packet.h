/* Datagrams: the UDT words and the NL header (protocol 01 sections 3, 4, 7.6 and 9). Pure functions
 * over bytes. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/bytes.h"
#include "net/hmac.h"
#include "net/packet-table.h"

#define PACKET_MAX             1464 /* bytes of a datagram */
#define PACKET_UDT_LEN         4
#define PACKET_UDT_MESSAGE_LEN 12
#define PACKET_NL_MAX          20
#define PACKET_HEADER_MAX      (PACKET_UDT_MESSAGE_LEN + PACKET_NL_MAX)

enum message_position {
	MESSAGE_ONLY = 0,
	MESSAGE_LAST = 1,
	MESSAGE_FIRST = 2,
	MESSAGE_MIDDLE = 3,
};

enum control_type {
	CONTROL_ACK = 0,
	CONTROL_HANDSHAKE = 1,
	CONTROL_HANDSHAKE_ACK = 2,
	CONTROL_HANDSHAKE_REQUEST = 3,
};

#define CONTROL_MAX 8 /* bytes of the longest control packet we send */

struct control_packet {
	enum control_type type;
	uint32_t seq; /* 0 for a handshake request */
};

/* The UDT words of a data packet. */
struct udt_header {
	bool reliable;
	bool in_message;
	uint8_t obfuscation; /* level 0…3 */
	uint32_t seq;
	enum message_position position; /* the rest only when in_message */
	uint32_t message;
	uint32_t part;
};

/* A decoded data packet. Everything borrows from the datagram. */
struct packet {
	struct udt_header udt;
	uint8_t type;
	uint8_t version;
	uint16_t source;     /* the sender's local id; 0 when the type is not sourced */
	const uint8_t *hash; /* 16 bytes, NULL when the type is not verified */
	struct span payload;
	const struct packet_info *info;
};

/* True when bit 31 of the first word is set; len must be at least 4. */
static inline bool datagram_is_control(const uint8_t *data)
{
	return data[3] & 0x80;
}

/* 0, or -EBADMSG: shorter than 4 bytes (8 for types 0-2), an unknown type, or a number of more than
 * 27 bits. Trailing bytes are accepted (the SDK pads its handshake request to 1464). */
int control_decode(const void *data, size_t len, struct control_packet *ret);
/* Returns the length, 4 or 8. */
size_t control_encode(const struct control_packet *control, uint8_t ret[static CONTROL_MAX]);

/* Decodes a data packet and undoes its obfuscation in place, so data must be writable. With
 * repair_obfuscation (a WebRTC peer) the key combinations of 01 section 7.6 are tried when the
 * plain reading of an obfuscated reliable packet is nothing a web client sends. Does not check the
 * version otherwise. -EBADMSG: too short for its headers, an unknown type, or an unreliable message
 * part. */
int packet_decode(void *data, size_t len, bool repair_obfuscation, struct packet *ret);

/* XOR with the level's key, which is its own inverse. Level 0 does nothing. */
void packet_obfuscate(uint8_t *data, size_t len, unsigned level);

/* Writes the UDT words; returns 4 or 12. */
size_t udt_header_encode(const struct udt_header *udt, uint8_t ret[static PACKET_UDT_MESSAGE_LEN]);

/* What goes between the UDT words and the payload: who sends, and how it is signed. */
struct packet_seal {
	uint8_t type;
	enum dialect dialect;
	uint16_t source;            /* our local id; ignored for non-sourced types */
	const struct hmac_key *key; /* NULL: a zero hash where the type has one */
};

/* Writes the NL header for this payload (given in pieces for the hash); returns its length, 2, 4 or
 * 20. */
size_t packet_seal_encode(const struct packet_seal *seal, const struct span *payload,
			  size_t n_payload, uint8_t ret[static PACKET_NL_MAX]);

#define MESSAGE_NUMBER_MAX UINT32_C(0x3fffffff)

/* --- sequence numbers, 01 section 5: 27 bits --- */

#define SEQ_MAX       UINT32_C(0x07ffffff)
#define SEQ_THRESHOLD UINT32_C(0x03ffffff)

static inline uint32_t seq_add(uint32_t a, uint32_t n)
{
	return (a + n) & SEQ_MAX;
}

static inline uint32_t seq_sub(uint32_t a, uint32_t n)
{
	return (a - n) & SEQ_MAX;
}

static inline bool seq_less(uint32_t a, uint32_t b)
{
	uint32_t d = a > b ? a - b : b - a;

	return d < SEQ_THRESHOLD ? a < b : b < a;
}

/* Inclusive length a…b. */
static inline uint32_t seq_length(uint32_t a, uint32_t b)
{
	return a <= b ? b - a + 1 : b - a + SEQ_MAX + 2;
}
