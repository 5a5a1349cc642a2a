/* Every port that anything of ours listens on. This table is the only source: daemons, units,
 * firewall, hifictl, the panel and the manual all read it (docs/architecture.md). Nothing else
 * listens. */
#pragma once

#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

#include "base/hats.h"

/* X(CONSTANT, name, port, transport, process, purpose, who reaches it by default, condition or
 * NULL) */
#define PORTS_BEFORE_HATS(X)                                                                      \
	X(HTTP, "http", 40100, TCP, "domain-server", "control panel and REST, HTTP", HOST, NULL)  \
	X(HTTPS, "https", 40101, TCP, "domain-server", "control panel and REST, HTTPS", NOBODY,   \
	  "off until a certificate is configured")                                                \
	X(DOMAIN, "domain", 40102, UDP, "domain-server", "every client, native and WebRTC",       \
	  EVERYONE, NULL)                                                                         \
	X(SIGNALLING, "signalling", 40102, TCP, "domain-server", "WebRTC signalling, ws and wss", \
	  EVERYONE, NULL)
#define PORTS_AFTER_HATS(X)                                                                \
	X(VOXEL, "voxel", HATS_PORT_BASE + 10, UDP, "assignment-client@voxel",             \
	  "clients of the voxel server", EVERYONE, "only while enabled")                   \
	X(PARTICLE, "particle", HATS_PORT_BASE + 11, UDP, "assignment-client@particle",    \
	  "clients of the particle server", EVERYONE, "only while enabled")                \
	X(METAVOXEL, "metavoxel", HATS_PORT_BASE + 12, UDP, "assignment-client@metavoxel", \
	  "clients of the metavoxel server", EVERYONE, "only while enabled")               \
	X(METRICS, "metrics", 9703, TCP, "domain-server", "Prometheus /metrics", HOST, NULL)

enum port_id {
#define X(constant, ...) PORT_##constant,
	PORTS_BEFORE_HATS(X) HATS(X) PORTS_AFTER_HATS(X)
#undef X
		PORT_COUNT,
};

enum port_transport {
	PORT_UDP,
	PORT_TCP,
};

enum port_reach {
	PORT_REACH_NOBODY,
	PORT_REACH_HOST,
	PORT_REACH_EVERYONE,
};

struct port {
	const char *name; /* a hat's instance name, or what it is for in a word */
	uint16_t number;
	enum port_transport transport;
	const char *process; /* systemd unit without its suffix */
	const char *purpose;
	enum port_reach reach; /* by default */
	const char *condition; /* when it is not always open, or NULL */
};

/* Moves every port by offset from its place in the table (--port-base): several domains on one
 * host, tests. Not cumulative. -ERANGE, and nothing moved, when one would pass 65535. Call it
 * first in main(). */
int ports_shift(unsigned offset);

/* id < PORT_COUNT. */
const struct port *port_get(enum port_id id);
const struct port *port_of_hat(enum hat hat);
/* NULL when there is none of this name. */
const struct port *port_find(const char *name);

const char *port_transport_name(enum port_transport transport); /* "udp", "tcp" */
const char *port_reach_name(enum port_reach reach);             /* "everyone", … */

/* An array of objects: name, port, transport, process, purpose, reachable_from, condition. NULL
 * when out of memory. */
json_t *ports_json(void);
/* The same as a table for people. */
void ports_print(FILE *f);
