#include "webrtc/datagram-kind.h"

#define DATAGRAM_MIN    4
#define STUN_HEADER_LEN 20
#define STUN_COOKIE     UINT32_C(0x2112A442)
#define STUN_CLASS_MASK 0x0110
#define STUN_INDICATION 0x0010
#define STUN_REQUEST    0x0000

enum datagram_kind datagram_kind(struct span datagram)
{
	struct reader rd = reader_over(datagram.data, datagram.len);
	uint16_t type, length;

	if (datagram.len < DATAGRAM_MIN)
		return DATAGRAM_RUNT;
	if (datagram.len < STUN_HEADER_LEN)
		return DATAGRAM_DTLS_OR_NATIVE;

	type = read_u16be(&rd);
	length = read_u16be(&rd);
	if (read_u32be(&rd) != STUN_COOKIE || type >= 0x0400 || length % 4 != 0 ||
	    length != datagram.len - STUN_HEADER_LEN)
		return DATAGRAM_DTLS_OR_NATIVE;

	switch (type & STUN_CLASS_MASK) {
	case STUN_REQUEST:
		return DATAGRAM_STUN_REQUEST;
	case STUN_INDICATION:
		return DATAGRAM_STUN_INDICATION;
	default:
		return DATAGRAM_STUN_RESPONSE;
	}
}
