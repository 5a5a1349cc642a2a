/* Data channel opening messages (RFC 8832; protocol 02 section 16 step 5). Pure. */
#pragma once

#include "base/bytes.h"

#define DCEP_TEXT_MAX 256 /* label, protocol: all we are willing to look at */

struct dcep_open {
	uint8_t channel_type; /* 0x81: unordered, limited retransmits */
	uint16_t priority;
	uint32_t reliability;
	struct span label; /* borrow from the message */
	struct span protocol;
};

/* 0; -EBADMSG when malformed; -EPROTO for another message (an ACK). */
int dcep_open_decode(struct span message, struct dcep_open *ret);

#define DCEP_ACK 0x02 /* the whole answer */
