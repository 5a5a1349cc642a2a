/* The kinds of node and assignment, and what each is called where: one X-macro table (protocol 02
 * section 2; ports: architecture section 2).
 *
 * X(CONSTANT, number, type character, instance name, long name, solo, port offset from
 * HATS_PORT_BASE, in the default set of a domain)
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define HATS_PORT_BASE    48000
#define HAT_INSTANCES_MAX 9
/* avatar-2 has the port of avatar and this, avatar-3 twice this. */
#define HAT_INSTANCE_PORTS 20

#define HATS(X)                                                                           \
	X(AUDIO, 0, 'M', "audio", "audio-mixer", true, 0, true)                           \
	X(AVATAR, 1, 'W', "avatar", "avatar-mixer", true, 1, true)                        \
	X(AGENT, 2, 'I', "agent", "agent", false, 2, false)                               \
	X(ASSET, 3, 'A', "asset", "asset-server", true, 3, false)                         \
	X(MESSAGES, 4, 'm', "messages", "messages-mixer", true, 4, true)                  \
	X(ENTITY_SCRIPT, 5, 'S', "entity-script", "entity-script-server", true, 5, false) \
	X(ENTITY, 6, 'o', "entity", "entity-server", true, 6, true)

/* The numbers are the protocol's assignment types. */
enum hat {
#define X(constant, number, ...) HAT_##constant = number,
	HATS(X)
#undef X
		HAT_COUNT,
	HAT_ANY = 7, /* in RequestAssignment: whatever there is */
};

/* Node types that are not hats. */
#define NODE_TYPE_DOMAIN_SERVER     'D'
#define NODE_TYPE_AGENT             'I'
#define NODE_TYPE_UNASSIGNED        '1'
#define NODE_TYPE_UPSTREAM_AUDIO    'B'
#define NODE_TYPE_UPSTREAM_AVATAR   'C'
#define NODE_TYPE_DOWNSTREAM_AUDIO  'a'
#define NODE_TYPE_DOWNSTREAM_AVATAR 'w'

struct hat_info {
	enum hat hat;
	char node_type;
	const char *name;      /* instance name: assignment-client@NAME */
	const char *long_name; /* "audio-mixer" */
	bool solo;             /* a node list keeps one node of this type */
	uint16_t port;         /* default UDP port */
	bool is_default;       /* runs unless an operator says otherwise */
};

/* NULL for a number or type that is not a hat. */
const struct hat_info *hat_find(unsigned number);
const struct hat_info *hat_find_by_node_type(char node_type);
/* Instance name, long name or upstream's number; "any" is not a hat. NULL when unknown. */
const struct hat_info *hat_find_by_name(const char *text);

/* The same with "-N" at its end, for a further one of its kind on a host: avatar-2. *ret_number is
 * 1 without it, at most HAT_INSTANCES_MAX with it. NULL when unknown. */
const struct hat_info *hat_find_by_instance(const char *text, unsigned *ret_number);

/* "audio-mixer", "agent", "domain-server", "unassigned", …; "unknown" for anything else. */
const char *node_type_name(char node_type);
bool node_type_is_solo(char node_type);
