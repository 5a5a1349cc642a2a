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
 * everybody past the limit nor locks everybody out. A set that is there cannot become larger: one
 * of another size needs another name. */
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
	int timeout_s = (int) (plan->flows_burst / plan->flows_per_second) + SOURCE_TIMEOUT_S;
	char set[RULESET_NAME_MAX];

	(void) snprintf(set, sizeof(set), "@%s", family->sources);
	rule(b, chain,
	     json_pack("{s:{s:s, s:{s:{s:o, s:i}}, s:s, s:[o]}}", "set", "op", "update", "elem",
		       "elem", "val", source(family), "timeout", timeout_s, "set", set, "stmt",
		       packet_limit(plan->flows_per_second, plan->flows_burst)),
	     counted(chain), verdict("accept"), NULL);
	rule(b, chain, match("!=", source(family), json_string(set)),
	     packet_limit(NEWCOMERS_PER_SECOND, NEWCOMERS_PER_SECOND), counted(chain),
	     verdict("accept"), NULL);
}

/* Flows that we answered are established; where an operator switched tracking off, nothing ever
 * is, and limiting each packet would end the service. */
static void open_chain(struct builder *b, const char *chain)
{
	char limited[RULESET_NAME_MAX];

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
	(void) snprintf(limited, sizeof(limited), "%s" RULESET_LIMITED_SUFFIX, chain);
	rule(b, chain, counted(limited), verdict("drop"), NULL);
}

/* All our ports but one lie where the kernel takes local ports from for outgoing connections:
 * answers to those are somebody else's, and pass. They are told by direction and not by state,
 * so that a connection that was let in ends when its subnet is taken from the list. */
static void restricted_chain(struct builder *b, const char *chain, bool has_admins)
{
	char set[RULESET_NAME_MAX], refused[RULESET_NAME_MAX];

	rule(b, chain,
	     match("==", json_pack("{s:{s:s}}", "ct", "key", "direction"), json_string("reply")),
	     verdict("accept"), NULL);
	from_loopback_accept(b, chain);
	for (size_t i = 0; has_admins && i < ELEMENTSOF(families); i++) {
		(void) snprintf(set, sizeof(set), "@%s", families[i].admin);
		rule(b, chain,
		     match("==", payload(families[i].protocol, "saddr"), json_string(set)),
		     counted(chain), verdict("accept"), NULL);
	}
	(void) snprintf(refused, sizeof(refused), "%s" RULESET_REFUSED_SUFFIX, chain);
	rule(b, chain, counted(refused), verdict("drop"), NULL);
}

static void add_port(struct builder *b, const struct plan_port *port)
{
	static const char *const suffixes[] = {"", RULESET_LIMITED_SUFFIX, RULESET_REFUSED_SUFFIX};
	const char *name = port->port->name;
	char counter[RULESET_NAME_MAX];

	for (size_t i = 0; i < ELEMENTSOF(suffixes); i++) {
		(void) snprintf(counter, sizeof(counter), "%s%s", name, suffixes[i]);
		command(b, "add", "counter", json_pack("{s:s}", "name", counter));
	}
	command(b, "add", "chain", json_pack("{s:s}", "name", name));
	if (port->access == ACCESS_EVERYONE)
		open_chain(b, name);
	else
		restricted_chain(b, name, port->access == ACCESS_ADMIN);
}

/* --- the table --- */

/* Takes definition. The set is empty after the transaction, but for what is added behind. One that
 * is there is not added again: only by the rules that follow a new one does libnftables 1.0.6 tell
 * that it is dynamic, which JSON has no word for, and the kernel refuses other flags. */
static void add_set(struct builder *b, const char *name, json_t *definition)
{
	if (json_object_set_new(definition, "name", json_string(name)) < 0)
		b->failed = true;
	if (ruleset_find(b->listing, "set", name))
		json_decref(definition);
	else
		command(b, "add", "set", definition);
	command(b, "flush", "set", json_pack("{s:s}", "name", name));
}

static void add_sets(struct builder *b, const struct source_family *family)
{
	const struct plan *plan = b->plan;
	json_t *elements = json_array();

	add_set(b, family->admin,
		json_pack("{s:s, s:[s]}", "type", family->type, "flags", "interval"));
	for (size_t i = 0; i < plan->n_subnets; i++)
		if (plan->subnets[i].is_ipv6 == family->is_ipv6 &&
		    json_array_append_new(elements, subnet_json(&plan->subnets[i])) < 0)
			b->failed = true;
	if (json_array_size(elements) > 0)
		command(b, "add", "element",
			json_pack("{s:s, s:O}", "name", family->admin, "elem", elements));
	json_decref(elements);

	/* Emptied too, since the element of a source keeps the limit that it began with. */
	if (plan->flows_per_second > 0)
		add_set(b, family->sources,
			json_pack("{s:s, s:i, s:[s]}", "type", family->type, "size", SOURCES_MAX,
				  "flags", "timeout"));
}

/* A rule for each port, and no map: when rules are replaced, the elements of their map are gone at
 * once, also for a packet that is just going through them, which then finds no port and passes
 * (measured: 5 datagrams in 950 swaps under a flood; by rules, none). The base chain stays for a
 * like reason: of two, one could be asked by its old rules and the other by its new ones. */
static void add_dispatch(struct builder *b)
{
	command(b, "add", "chain",
		json_pack("{s:s, s:s, s:s, s:i, s:s}", "name", "input", "type", "filter", "hook",
			  "input", "prio", INPUT_PRIORITY, "policy", "accept"));
	for (size_t i = 0; i < PORT_COUNT; i++) {
		const struct plan_port *p = &b->plan->ports[i];

		rule(b, "input",
		     match("==", payload(port_transport_name(p->port->transport), "dport"),
			   json_integer(p->number)),
		     json_pack("{s:{s:s}}", "goto", "target", p->port->name), NULL);
	}
}

static bool builder_init(struct builder *b, unsigned port_base)
{
	(void) ruleset_table(port_base, b->table);
	b->commands = json_array();
	/* So that what follows finds one. */
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
	/* The rules; what they use stays, and adding it again changes nothing. */
	command(&b, "flush", "table", json_object());
	for (size_t i = 0; i < ELEMENTSOF(families); i++)
		add_sets(&b, &families[i]);
	for (size_t i = 0; i < PORT_COUNT; i++)
		add_port(&b, &plan->ports[i]);
	add_dispatch(&b);
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
