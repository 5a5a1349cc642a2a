/* ICE-lite: the answering half of ICE connectivity checks (RFC 8445 section 7.3) on libnice's STUN
 * library. Stateless; who has which credentials is the caller's. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stun/stunagent.h>

#include "base/bytes.h"
#include "net/addr.h"

#define ICE_UFRAG_LEN 12
#define ICE_PWD_LEN   24
#define ICE_REPLY_MAX 512

struct ice_lite {
	StunAgent agent;
};

struct ice_credentials {
	char ufrag[ICE_UFRAG_LEN + 1]; /* eight hex digits of number, then random characters */
	char pwd[ICE_PWD_LEN + 1];
};

enum ice_outcome {
	ICE_ACCEPTED, /* authenticated: reply is the success response */
	ICE_REFUSED,  /* authenticated, but not acceptable: reply is an error response */
	ICE_MALFORMED,
	ICE_UNKNOWN_USER,
	ICE_UNAUTHENTICATED,
};

struct ice_check {
	enum ice_outcome outcome;
	bool nominated;   /* USE-CANDIDATE */
	size_t reply_len; /* 0: nothing to send */
	uint8_t reply[ICE_REPLY_MAX];
};

void ice_lite_init(struct ice_lite *ice);

/* New random credentials whose ufrag leads back to number. 0 or -EIO. */
int ice_credentials_generate(uint32_t number, struct ice_credentials *ret);
/* The number in the first half of the USERNAME of a request; false when it is none of ours. Pure,
 * and nothing is authenticated yet. */
bool ice_username_number(struct span request, uint32_t *ret);
/* Handles one binding request. credentials are those of the number in the USERNAME, peer_ufrag is
 * the other half of it. */
void ice_lite_check(struct ice_lite *ice, const struct ice_credentials *credentials,
		    const char *peer_ufrag, const struct hifi_addr *from, struct span request,
		    struct ice_check *ret);
