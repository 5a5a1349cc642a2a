/* Our nftables table, as the JSON commands that make and remove it (libnftables-json(5)).
 *
 * One base chain on the input hook goes to the chain of a destination port that is ours; what is
 * for no port of ours is accepted, so other tables decide alone about it. In an accepting base
 * chain "accept" only ends our own say: the table restricts, it cannot open what another one
 * drops.
 *
 * Named counters of each port: NAME (let through), NAME-limited (a source with too many new
 * flows), NAME-refused (not from where this port may be reached). */
#pragma once

#include <jansson.h>

#include "firewall/plan.h"

#define RULESET_FAMILY         "inet"
#define RULESET_LIMITED_SUFFIX "-limited"
#define RULESET_REFUSED_SUFFIX "-refused"
#define RULESET_NAME_MAX       64 /* of a counter or table, with its end */

/* "hifi", or "hifi-N" of a domain with a port base: each has its own. Returns buf. */
char *ruleset_table(unsigned port_base, char buf[static RULESET_NAME_MAX]);
/* Whether a table has such a name. */
bool ruleset_owns(const char *table);
#define RULESET_TABLE(port_base) ruleset_table((port_base), (char[RULESET_NAME_MAX]){0})

/* One transaction that makes the table, or gives the one that is there these rules; its counters
 * go on. listing: what is in the table now (nftables_list_table()), or NULL. NULL when out of
 * memory. */
json_t *ruleset_start(const struct plan *plan, const json_t *listing);
/* Removes the table, also when there is none. NULL when out of memory. */
json_t *ruleset_stop(unsigned port_base);

/* The object of that kind ("counter", "chain", …) and name in a listing. Borrowed, or NULL. */
const json_t *ruleset_find(const json_t *listing, const char *kind, const char *name);
