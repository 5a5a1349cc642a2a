/* What is to become of each port: made from the port table, the hats that run, and the
 * configuration. Everything else here turns a plan into something: rules, advice, service
 * files. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/config.h"
#include "base/ports.h"
#include "firewall/subnet.h"

#define PLAN_SUBNETS_MAX 256

enum access {
	ACCESS_CLOSED,   /* a hat that does not run */
	ACCESS_ADMIN,    /* this host and the subnets of firewall.admin_subnets */
	ACCESS_EVERYONE, /* with limits */
};

struct plan_port {
	const struct port *port;
	uint16_t number; /* the table's, or that of the configuration */
	enum access access;
};

struct plan {
	bool enabled;
	unsigned port_base; /* how far the table has been moved, which names our nftables table */
	struct plan_port ports[PORT_COUNT];
	struct subnet subnets[PLAN_SUBNETS_MAX]; /* none within another */
	size_t n_subnets;
	unsigned flows_per_second; /* of one source; 0: no limit */
	unsigned flows_burst;
};

/* Hats, as a set of port ids. */
struct hat_set {
	bool has[PORT_COUNT];
};

/* Adds hats by instance name or long name, separated by commas or spaces; "default" stands for
 * those of a domain that nobody has changed. 0, or -EINVAL with the first name that is not a
 * hat's in *ret_unknown (heap, may be NULL). */
int hat_set_add(struct hat_set *hats, const char *list, char **ret_unknown);

/* The plan without a configuration, where ports_shift() was called with port_base: no subnets,
 * the schema's limits. */
void plan_init(struct plan *plan, const struct hat_set *hats, unsigned port_base);
/* The plan of a configuration. 0; -EINVAL with what is wrong in *ret_error (heap, may be NULL):
 * two services on one port, too many subnets. *plan is of no use then. */
int plan_configure(struct plan *plan, const struct config *config, char **ret_error);

const char *access_name(enum access access); /* "everyone", "this host and …", "nobody" */
