/* What a datagram on the shared UDP port is, as far as its own bytes tell (protocol 01 section 2).
 *
 * RFC 7983's rule (the first byte alone) is of no use here: the first byte of a native datagram is
 * the low byte of a sequence number. The cookie and the length together are never those of a native
 * packet. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

enum datagram_kind {
	DATAGRAM_RUNT, /* shorter than anything the protocol has */
	DATAGRAM_STUN_REQUEST,
	DATAGRAM_STUN_INDICATION,
	DATAGRAM_STUN_RESPONSE,  /* success or error */
	DATAGRAM_DTLS_OR_NATIVE, /* the source decides */
};

enum datagram_kind datagram_kind(struct span datagram);
/* Whether the first byte is that of a DTLS record; only asked about sources that ICE has validated.
 */
static inline bool datagram_is_dtls_record(struct span datagram)
{
	return datagram.len > 0 && datagram.data[0] >= 20 && datagram.data[0] <= 63;
}
