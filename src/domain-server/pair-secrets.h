/* The connection secret of each pair of nodes (protocol 02 section 3): the same in both directions,
 * alike for no two pairs, and unknown to everybody else. It is derived from the two session UUIDs
 * with a key that lives as long as this process, so there is no table of pairs to keep: a node's
 * secrets end with its UUID. */
#pragma once

#include "base/macros.h"
#include "base/uuid.h"

struct pair_secrets;

/* With a random key. 0 or -errno. */
int pair_secrets_new(struct pair_secrets **ret);
struct pair_secrets *pair_secrets_free(struct pair_secrets *s);
DEFINE_CLEANUP_FUNC(struct pair_secrets *, pair_secrets_free);

struct uuid pair_secrets_get(struct pair_secrets *s, const struct uuid *a, const struct uuid *b);
