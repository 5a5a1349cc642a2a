#include "firewall/ruleset.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/macros.h"

/* Before other tables (their usual priority is 0): what arrives is counted even where one of
 * them drops it, which tells a closed firewall here from a router that forwards nothing. */
#define INPUT_PRIORITY -10

/* Who sent new flows lately. Full sets change nothing for sources that are in them; others then
 * share NEWCOMERS_PER_SECOND. So a flood from invented addresses neither uses up memory nor gets
 * everybody past the limit nor locks everybody out. */
#define SOURCES_MAX          65536
#define NEWCOMERS_PER_SECOND 1000
/* Beyond the time in which a source's burst has grown back: forgetting it then loses nothing. */
#define SOURCE_TIMEOUT_S 10

#define IPV6_SITE_MASK "ffff:ffff:ffff:ffff::" /* what one subscriber has */

struct builder {
	const struct plan *plan;
	const json_t *listing;
	char table[RULESET_NAME_MAX];
	json_t *commands;
	bool failed; /* out of memory; sticky */
};

static const struct source_family {
	const char *protocol, *type, *sources, *admin;
	bool is_ipv6;
} families[] = {
	{"ip", "ipv4_addr", "sources4", "admin4", false},
	{"ip6", "ipv6_addr", "sources6", "admin6", true},
};

char *ruleset_table(unsigned port_base, char buf[static RULESET_NAME_MAX])
{
	(void) snprintf(buf, RULESET_NAME_MAX, port_base ? "hifi-%u" : "hifi", port_base);
	return buf;
}

bool ruleset_owns(const char *table)
{
	return strcmp(table, "hifi") == 0 || strncmp(table, "hifi-", strlen("hifi-")) == 0;
}

const json_t *ruleset_find(const json_t *listing, const char *kind, const char *name)
{
	const json_t *entry;
	size_t i;

	json_array_foreach (listing, i, entry) {
		const json_t *object = json_object_get(entry, kind);
		const char *text = json_string_value(json_object_get(object, "name"));

		if (text && strcmp(text, name) == 0)
			return object;
	}
	return NULL;
}

/* --- commands --- */

/* Takes object: {"add": {kind: object}} with family and, but for the table itself, table. */
static void command(struct builder *b, const char *verb, const char *kind, json_t *object)
{
	const char *name = strcmp(kind, "table") == 0 ? "name" : "table";

	if (json_object_set_new(object, "family", json_string(RULESET_FAMILY)) < 0 ||
	    json_object_set_new(object, name, json_string(b->table)) < 0)
		b->failed = true;
	if (json_array_append_new(b->commands, json_pack("{s:{s:o}}", verb, kind, object)) < 0)
		b->failed = true;
}

/* Takes the statements; NULL ends them. */
static void rule(struct builder *b, const char *chain, json_t *first, ...)
{
	json_t *expr = json_array();
	va_list ap;

	va_start(ap, first);
	for (json_t *s = first; s; s = va_arg(ap, json_t *))
		if (json_array_append_new(expr, s) < 0)
			b->failed = true;
	va_end(ap);
	command(b, "add", "rule", json_pack("{s:s, s:o}", "chain", chain, "expr", expr));
}

static json_t *match(const char *op, json_t *left, json_t *right)
{
	return json_pack("{s:{s:s, s:o, s:o}}", "match", "op", op, "left", left, "right", right);
}

static json_t *verdict(const char *word)
{
	return json_pack("{s:n}", word);
}

static json_t *counted(const char *counter)
{
	return json_pack("{s:s}", "counter", counter);
}

static json_t *packet_limit(unsigned per_second, unsigned burst)
{
	return json_pack("{s:{s:i, s:i, s:s}}", "limit", "rate", (int) per_second, "burst",
			 (int) burst, "per", "second");
}

static json_t *payload(const char *protocol, const char *field)
{
	return json_pack("{s:{s:s, s:s}}", "payload", "protocol", protocol, "field", field);
}

/* The key under which a source is limited: an IPv4 address, or an IPv6 /64. */
static json_t *source(const struct source_family *family)
{
	json_t *address = payload(family->protocol, "saddr");

	return family->is_ipv6 ? json_pack("{s:[o, s]}", "&", address, IPV6_SITE_MASK) : address;
}

static void from_loopback_accept(struct builder *b, const char *chain)
{
	rule(b, chain, match("==", json_pack("{s:{s:s}}", "meta", "key", "iif"), json_string("lo")),
	     counted(chain), verdict("accept"), NULL);
}

/* --- ports --- */

/* Rules on a source's new flows. The element of a source carries its limit, and a look-up would
 * spend it once more; so the second rule asks only whether the source is missing, which after
 * the first one means that the set is full. */
static void limit_sources(struct builder *b, const char *chain, const struct source_family *family)
{
	const struct plan *plan = b->plan;
	char set[RULESET_NAME_MAX];

	(void) snprintf(set, sizeof(set), "@%s", family->sources);
	rule(b, chain,
	     json_pack("{s:{s:s, s:o, s:s, s:[o]}}", "set", "op", "update", "elem", source(family),
		       "set", set, "stmt", packet_limit(plan->flows_per_second, plan->flows_burst)),
	     counted(chain), verdict("accept"), NULL);
	rule(b, chain, match("!=", source(family), json_string(set)),
	     packet_limit(NEWCOMERS_PER_SECOND, NEWCOMERS_PER_SECOND), counted(chain),
	     verdict("accept"), NULL);
}

/* Flows that we answered are established; where an operator switched tracking off, nothing ever
 * is, and limiting each packet would end the service. */
static void open_chain(struct builder *b, const char *chain, const char *limited)
{
	rule(b, chain,
	     match("in", json_pack("{s:{s:s}}", "ct", "key", "state"),
		   json_pack("[s, s, s]", "established", "related", "untracked")),
	     counted(chain), verdict("accept"), NULL);
	from_loopback_accept(b, chain);
	if (b->plan->flows_per_second == 0) {
		rule(b, chain, counted(chain), verdict("accept"), NULL);
		return;
	}
	for (size_t i = 0; i < ELEMENTSOF(families); i++)
		limit_sources(b, chain, &families[i]);
	rule(b, chain, counted(limited), verdict("drop"), NULL);
}

/* All our ports but one lie where the kernel takes local ports from for outgoing connections:
 * answers to those are somebody else's, and pass. They are told by direction and not by state,
 * so that a connection that was let in ends when its subnet is taken from the list. */
static void restricted_chain(struct builder *b, const char *chain, const char *refused,
			     bool has_admins)
{
	rule(b, chain,
	     match("==", json_pack("{s:{s:s}}", "ct", "key", "direction"), json_string("reply")),
	     verdict("accept"), NULL);
	from_loopback_accept(b, chain);
	for (size_t i = 0; has_admins && i < ELEMENTSOF(families); i++) {
		char set[RULESET_NAME_MAX];

		(void) snprintf(set, sizeof(set), "@%s", families[i].admin);
		rule(b, chain,
		     match("==", payload(families[i].protocol, "saddr"), json_string(set)),
		     counted(chain), verdict("accept"), NULL);
	}
	rule(b, chain, counted(refused), verdict("drop"), NULL);
}

/* A counter that goes on where it was. */
static void add_counter(struct builder *b, const char *name)
{
	const json_t *old = ruleset_find(b->listing, "counter", name);

	command(b, "add", "counter",
		json_pack("{s:s, s:I, s:I}", "name", name, "packets",
			  json_integer_value(json_object_get(old, "packets")), "bytes",
			  json_integer_value(json_object_get(old, "bytes"))));
}

static void add_port(struct builder *b, const struct plan_port *port)
{
	const char *name = port->port->name;
	bool is_open = port->access == ACCESS_EVERYONE;
	char dropped[RULESET_NAME_MAX];

	(void) snprintf(dropped, sizeof(dropped), "%s%s", name,
			is_open ? RULESET_LIMITED_SUFFIX : RULESET_REFUSED_SUFFIX);
	add_counter(b, name);
	add_counter(b, dropped);
	command(b, "add", "chain", json_pack("{s:s}", "name", name));
	if (is_open)
		open_chain(b, name, dropped);
	else
		restricted_chain(b, name, dropped, port->access == ACCESS_ADMIN);
}

/* --- the table --- */

static void add_sets(struct builder *b, const struct source_family *family)
{
	const struct plan *plan = b->plan;
	json_t *elements = json_array(), *admin;

	for (size_t i = 0; i < plan->n_subnets; i++)
		if (plan->subnets[i].is_ipv6 == family->is_ipv6 &&
		    json_array_append_new(elements, subnet_json(&plan->subnets[i])) < 0)
			b->failed = true;
	admin = json_pack("{s:s, s:s, s:[s]}", "name", family->admin, "type", family->type, "flags",
			  "interval");
	/* An empty list is a syntax error. */
	if (json_array_size(elements) > 0 && json_object_set(admin, "elem", elements) < 0)
		b->failed = true;
	json_decref(elements);
	command(b, "add", "set", admin);

	if (plan->flows_per_second > 0)
		command(b, "add", "set",
			json_pack("{s:s, s:s, s:i, s:[s], s:i}", "name", family->sources, "type",
				  family->type, "size", SOURCES_MAX, "flags", "timeout", "timeout",
				  (int) (plan->flows_burst / plan->flows_per_second) +
					  SOURCE_TIMEOUT_S));
}

static void add_dispatch(struct builder *b, enum port_transport transport)
{
	json_t *targets = json_array();

	for (size_t i = 0; i < PORT_COUNT; i++) {
		const struct plan_port *p = &b->plan->ports[i];

		if (p->port->transport == transport &&
		    json_array_append_new(targets, json_pack("[i, {s:{s:s}}]", p->number, "goto",
							     "target", p->port->name)) < 0)
			b->failed = true;
	}
	rule(b, "input",
	     json_pack("{s:{s:o, s:{s:o}}}", "vmap", "key",
		       payload(port_transport_name(transport), "dport"), "data", "set", targets),
	     NULL);
}

static bool builder_init(struct builder *b, unsigned port_base)
{
	(void) ruleset_table(port_base, b->table);
	b->commands = json_array();
	/* So that "delete" finds one. */
	if (b->commands)
		command(b, "add", "table", json_object());
	return b->commands != NULL;
}

static json_t *builder_finish(struct builder *b)
{
	json_t *all = NULL;

	if (!b->failed)
		all = json_pack("{s:O}", "nftables", b->commands);
	json_decref(b->commands);
	return all;
}

json_t *ruleset_start(const struct plan *plan, const json_t *listing)
{
	struct builder b = {.plan = plan, .listing = listing};

	if (!builder_init(&b, plan->port_base))
		return NULL;
	command(&b, "delete", "table", json_object());
	command(&b, "add", "table", json_object());
	for (size_t i = 0; i < ELEMENTSOF(families); i++)
		add_sets(&b, &families[i]);
	for (size_t i = 0; i < PORT_COUNT; i++)
		add_port(&b, &plan->ports[i]);
	command(&b, "add", "chain",
		json_pack("{s:s, s:s, s:s, s:i, s:s}", "name", "input", "type", "filter", "hook",
			  "input", "prio", INPUT_PRIORITY, "policy", "accept"));
	add_dispatch(&b, PORT_UDP);
	add_dispatch(&b, PORT_TCP);
	return builder_finish(&b);
}

json_t *ruleset_stop(unsigned port_base)
{
	struct builder b = {0};

	if (!builder_init(&b, port_base))
		return NULL;
	command(&b, "delete", "table", json_object());
	return builder_finish(&b);
}
