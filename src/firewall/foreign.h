/* What other tables do to our ports. Read from a listing of tables, by following a new flow to a
 * port through each base chain that incoming packets pass.
 *
 * A rule may depend on what is not known here (from where, on which interface, a match of
 * iptables' own). Such a rule lets a port through only when it names the port, and never counts
 * as one that drops: so nothing is reported that only some people meet. */
#pragma once

#include <jansson.h>

#include "firewall/plan.h"

#define FOREIGN_BLOCKERS_MAX 32

enum foreign_manager {
	FOREIGN_NFTABLES,
	FOREIGN_IPTABLES,
	FOREIGN_UFW,
	FOREIGN_FIREWALLD,
};

/* A base chain that drops new flows to a port that everyone may reach. Names are borrowed from
 * the listing. */
struct blocker {
	const char *family, *table, *chain;
	enum foreign_manager manager;
	bool blocks[PORT_COUNT];
};

/* Fills in at most FOREIGN_BLOCKERS_MAX; returns how many. -ENOMEM. */
int foreign_find_blockers(const json_t *listing, const struct plan *plan,
			  struct blocker ret[static FOREIGN_BLOCKERS_MAX]);
