/* The connection secret of each pair of nodes (protocol 02 section 3): the same in both directions,
 * alike for no two pairs, and unknown to everybody else. It is derived from the two session UUIDs
 * with a key that lives as long as this process and its successors, so there is no table of pairs
 * to keep: a node's secrets end with its UUID. */
#pragma once

#include <stdint.h>

#include "base/macros.h"
#include "base/uuid.h"

#define PAIR_SECRETS_KEY_LEN 32

struct pair_secrets;

/* With the key of a predecessor, or (NULL) a random one. 0 or -errno. */
int pair_secrets_new(const uint8_t *key, struct pair_secrets **ret);
struct pair_secrets *pair_secrets_free(struct pair_secrets *s);
DEFINE_CLEANUP_FUNC(struct pair_secrets *, pair_secrets_free);

/* PAIR_SECRETS_KEY_LEN bytes, for a successor. */
const uint8_t *pair_secrets_key(const struct pair_secrets *s);
struct uuid pair_secrets_get(struct pair_secrets *s, const struct uuid *a, const struct uuid *b);
