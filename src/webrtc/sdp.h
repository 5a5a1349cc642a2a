/* The little of SDP that a data-channel-only, ICE-lite, DTLS-passive server needs: what to take
 * from an offer, and the answer to it (protocol 02 section 14.6). Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "net/addr.h"

#define SDP_UFRAG_MAX        256
#define SDP_MID_MAX          64
#define SDP_FINGERPRINTS_MAX 4
#define SDP_DIGEST_MAX       64

enum sdp_hash {
	SDP_SHA256,
	SDP_SHA384,
	SDP_SHA512,
};

struct sdp_fingerprint {
	enum sdp_hash hash;
	size_t len;
	uint8_t digest[SDP_DIGEST_MAX];
};

struct sdp_offer {
	char ufrag[SDP_UFRAG_MAX + 1];
	char mid[SDP_MID_MAX + 1];
	const char *transport; /* of the m-line, "UDP/DTLS/SCTP" */
	bool bundled;          /* the offer has a BUNDLE group */
	uint16_t sctp_port;
	struct sdp_fingerprint fingerprints[SDP_FINGERPRINTS_MAX]; /* any of them may match */
	size_t n_fingerprints;
};

/* Wants exactly one m-line, a data channel, from a peer that can be the DTLS client; a mid, a ufrag
 * and at least one fingerprint of a hash we know. -EBADMSG otherwise. */
int sdp_offer_parse(struct span text, struct sdp_offer *ret);

struct sdp_answer {
	const struct sdp_offer *offer;
	uint64_t session_id;
	const char *ufrag;
	const char *pwd;
	const char *fingerprint;            /* "3B:55:…", SHA-256 */
	const struct hifi_addr *candidates; /* IPs, best first; at least one */
	size_t n_candidates;
	uint16_t port; /* of every candidate */
	uint32_t max_message_size;
};

/* Heap, caller frees. 0 or -ENOMEM. */
int sdp_answer_format(const struct sdp_answer *answer, char **ret);
