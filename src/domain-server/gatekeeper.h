/* Who may enter, and what they may do there: the permission tables of the settings group "security"
 * and the decisions taken from them (protocol 02 sections 6.1, 9.2 to 9.5). Pure. The rules do not
 * change once made: when the settings change, make new ones and swap.
 *
 * Group rows are not looked at: membership is known to a directory service only.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/macros.h"
#include "base/uuid.h"
#include "net/addr.h"
#include "node/domain-packets.h"

struct gatekeeper;

/* Someone who wants in, or is in. Everything is borrowed. */
struct gatekeeper_subject {
	/* The name, if it was verified; NULL or "" for anybody else. Any case. */
	const char *username;
	bool is_friend; /* of the domain's owner */
	const char *hardware_address;
	struct uuid machine_fingerprint;
	/* Where the packets come from: the address that ICE validated for a WebRTC peer, never its
	 * label, which is whatever a proxy in front of us says (protocol 02 section 9.3). Unset
	 * while unknown: such a subject is not local and matches no IP row. */
	struct hifi_addr transport;
};

struct gatekeeper_verdict {
	uint32_t permissions;
	uint8_t reason;      /* enum denied_reason when refused */
	const char *message; /* for the client; never NULL when refused */
	const char *extra;   /* never NULL when refused; borrows from the rules */
};

/* From the object "security" (NULL: all defaults), with our own addresses (besides loopback) for
 * the question who is local. Rows that make no sense are skipped. 0 or -ENOMEM. */
int gatekeeper_new(const json_t *security, const struct hifi_addr *own, size_t n_own,
		   struct gatekeeper **ret);
struct gatekeeper *gatekeeper_free(struct gatekeeper *g);
DEFINE_CLEANUP_FUNC(struct gatekeeper *, gatekeeper_free);

uint32_t gatekeeper_permissions(const struct gatekeeper *g, const struct gatekeeper_subject *s);
/* The whole decision for an agent; n_agents are here already. 0, or -EPERM with reason and texts.
 */
int gatekeeper_admit(const struct gatekeeper *g, const struct gatekeeper_subject *s,
		     unsigned n_agents, struct gatekeeper_verdict *ret);
/* Loopback or one of our own addresses. */
bool gatekeeper_is_local(const struct gatekeeper *g, const struct hifi_addr *transport);
/* May an assignment client ask from there: loopback and security.ac_subnet_whitelist ("ip" or
 * "ip/bits"). */
bool gatekeeper_allows_assignment(const struct gatekeeper *g, const struct hifi_addr *transport);

/* What a kick shall remember (protocol 02 section 8). */
struct gatekeeper_ban {
	const char *username; /* NULL: no row */
	const struct uuid *machine_fingerprint;
	const struct hifi_addr *transport;
};

/* Takes the right to connect from the rows of a ban in a "security" object, which may lack the
 * tables; rows that do not exist are made, without any right. 1 when something changed, 0, or
 * -ENOMEM. */
int gatekeeper_ban(json_t *security, const struct gatekeeper_ban *ban);
