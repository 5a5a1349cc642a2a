/* HMAC-MD5 of packets (protocol 01 section 9) with the two key states computed once per secret, so
 * that a packet costs only its own blocks. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/uuid.h"

#define HMAC_LEN 16

/* By value inside its owner; no heap, nothing to free. */
struct hmac_key {
	uint64_t inner[12]; /* MD5 states after the first block; opaque, see hmac.c */
	uint64_t outer[12];
};

void hmac_key_init(struct hmac_key *key, const struct uuid *secret);
/* The hash over the concatenation of the pieces. */
void hmac_compute(const struct hmac_key *key, const struct span *pieces, size_t n_pieces,
		  uint8_t ret[static HMAC_LEN]);
/* Constant-time comparison with the computed hash. */
bool hmac_verify(const struct hmac_key *key, struct span data, const uint8_t hash[static HMAC_LEN]);
