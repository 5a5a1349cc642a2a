#include "firewall/foreign.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/macros.h"
#include "firewall/ruleset.h"

#define JUMPS_MAX 16      /* the kernel's */
#define RULES_MAX 1000000 /* looked at for one port; chains that share others repeat them */

enum truth { NO, MAYBE, YES };

enum outcome {
	NEXT_RULE,
	END_OF_CHAIN,
	PASS,
	BLOCK,
};

/* One flow on its way through one table. */
struct walk {
	const json_t *chains; /* "family/table/chain" → array of rules' expressions */
	const json_t *sets;   /* "family/table/set" → array of elements */
	const char *family, *table;
	const struct plan_port *port;
	unsigned rules_left;
};

/* What is known when a rule is reached. */
struct context {
	enum truth reached; /* MAYBE: only some flows to the port come here */
	bool names_port;    /* what led here asked for the port */
	unsigned depth;
};

/* --- matches --- */

static const json_t *find_path(const json_t *index, const struct walk *w, const char *name)
{
	char key[512];

	(void) snprintf(key, sizeof(key), "%s/%s/%s", w->family, w->table, name);
	return json_object_get(index, key);
}

/* Whether what a rule compares with has this value, which has a name, a number or both. depth
 * bounds sets within sets. */
static enum truth has_value(const struct walk *w, const json_t *right, const char *name, int number,
			    unsigned depth)
{
	const char *text = json_string_value(right);
	const json_t *list = right, *range = json_object_get(right, "range"), *item;
	enum truth found = NO;
	size_t i;

	if (depth > 4)
		return MAYBE;
	if (json_is_integer(right))
		return json_integer_value(right) == number ? YES : NO;
	if (text && *text == '@')
		list = find_path(w->sets, w, text + 1);
	else if (text)
		return name && strcmp(text, name) == 0 ? YES : NO;
	else if (json_is_array(range))
		return json_integer_value(json_array_get(range, 0)) <= number &&
				       number <= json_integer_value(json_array_get(range, 1))
			       ? YES
			       : NO;
	else if (json_object_get(right, "set"))
		return has_value(w, json_object_get(right, "set"), name, number, depth + 1);
	else if (json_object_get(right, "elem"))
		return has_value(w, json_object_get(json_object_get(right, "elem"), "val"), name,
				 number, depth + 1);
	if (!json_is_array(list))
		return MAYBE;
	json_array_foreach (list, i, item)
		found = MAX(found, has_value(w, item, name, number, depth + 1));
	return found;
}

static bool is_text(const json_t *object, const char *member, const char *text)
{
	const char *value = json_string_value(json_object_get(object, member));

	return value && strcmp(value, text) == 0;
}

static enum truth compare_transport(const struct walk *w, const json_t *right)
{
	enum port_transport transport = w->port->port->transport;

	return has_value(w, right, port_transport_name(transport),
			 transport == PORT_UDP ? IPPROTO_UDP : IPPROTO_TCP, 0);
}

static bool is_other_transport(const struct walk *w, const json_t *payload)
{
	return is_text(payload, "protocol", w->port->port->transport == PORT_UDP ? "tcp" : "udp");
}

static enum truth compare_payload(const struct walk *w, const json_t *payload, const json_t *right,
				  bool *names_port)
{
	const char *transport = port_transport_name(w->port->port->transport);
	enum truth t;

	if (is_text(payload, "field", "protocol") || is_text(payload, "field", "nexthdr"))
		return compare_transport(w, right);
	if (is_other_transport(w, payload))
		return NO;
	if (!is_text(payload, "protocol", transport) && !is_text(payload, "protocol", "th"))
		return MAYBE;
	if (!is_text(payload, "field", "dport"))
		return MAYBE;
	t = has_value(w, right, NULL, w->port->number, 0);
	*names_port |= t == YES;
	return t;
}

static enum truth compare_meta(const struct walk *w, const json_t *meta, const json_t *right)
{
	if (is_text(meta, "key", "l4proto"))
		return compare_transport(w, right);
	/* Flows from this host itself are nobody's trouble. */
	if ((is_text(meta, "key", "iif") || is_text(meta, "key", "iifname")) &&
	    json_is_string(right) && strcmp(json_string_value(right), "lo") == 0)
		return NO;
	return MAYBE;
}

static enum truth compare(const struct walk *w, const json_t *left, const json_t *right,
			  bool *names_port)
{
	const json_t *payload = json_object_get(left, "payload");
	const json_t *meta = json_object_get(left, "meta");

	if (payload)
		return compare_payload(w, payload, right, names_port);
	if (meta)
		return compare_meta(w, meta, right);
	if (is_text(json_object_get(left, "ct"), "key", "state"))
		return has_value(w, right, "new", -1, 0);
	return MAYBE;
}

static enum truth match(const struct walk *w, const json_t *test, bool *names_port)
{
	const json_t *left = json_object_get(test, "left");
	bool is_inverted = is_text(test, "op", "!="), names = false;
	enum truth t;

	if (!is_inverted && !is_text(test, "op", "==") && !is_text(test, "op", "in"))
		return MAYBE;
	/* "tcp dport != 22" is not for UDP: the header comes first. */
	if (is_other_transport(w, json_object_get(left, "payload")))
		return NO;
	t = compare(w, left, json_object_get(test, "right"), &names);
	if (is_inverted)
		return t == MAYBE ? MAYBE : t == YES ? NO : YES;
	*names_port |= names;
	return t;
}

/* --- rules --- */

static enum outcome walk_chain(struct walk *w, const char *name, struct context context);

static enum outcome jump(struct walk *w, const json_t *target, struct context context)
{
	const char *name = json_string_value(json_object_get(target, "target"));

	if (!name || context.depth == JUMPS_MAX)
		return NEXT_RULE;
	context.depth++;
	return walk_chain(w, name, context);
}

/* statement: an object with one member, its name the verdict. */
static enum outcome apply(struct walk *w, const json_t *statement, struct context context)
{
	const json_t *target = json_object_get(statement, "jump");
	enum outcome o;

	if (json_object_get(statement, "accept"))
		return context.reached == YES || context.names_port ? PASS : NEXT_RULE;
	if (json_object_get(statement, "drop") || json_object_get(statement, "reject"))
		return context.reached == YES ? BLOCK : NEXT_RULE;
	if (json_object_get(statement, "return"))
		return END_OF_CHAIN;
	if (target)
		return jump(w, target, context);
	target = json_object_get(statement, "goto");
	if (!target)
		return NEXT_RULE;
	o = jump(w, target, context);
	return o == NEXT_RULE ? END_OF_CHAIN : o;
}

/* *applies becomes MAYBE when only some flows leave the chain. */
static enum outcome apply_map(struct walk *w, const json_t *vmap, struct context context,
			      enum truth *applies)
{
	const json_t *elements = json_object_get(json_object_get(vmap, "data"), "set"), *pair;
	bool some_leave = false;
	size_t i;

	json_array_foreach (elements, i, pair) {
		struct context inner = context;
		enum truth t = compare(w, json_object_get(vmap, "key"), json_array_get(pair, 0),
				       &inner.names_port);
		enum outcome o;

		if (t == NO)
			continue;
		inner.reached = MIN(inner.reached, t);
		o = apply(w, json_array_get(pair, 1), inner);
		if (o == END_OF_CHAIN && t == MAYBE)
			some_leave = true;
		else if (o != NEXT_RULE)
			return o;
	}
	if (!some_leave)
		return NEXT_RULE;
	*applies = MAYBE;
	return END_OF_CHAIN;
}

/* Neither decide anything nor stop the rule. */
static bool is_harmless(const json_t *statement)
{
	static const char *const names[] = {"counter", "log", "mangle", "notrack", "comment"};

	for (size_t i = 0; i < ELEMENTSOF(names); i++)
		if (json_object_get(statement, names[i]))
			return true;
	return false;
}

static bool is_verdict(const json_t *statement)
{
	static const char *const names[] = {"accept", "drop", "reject", "return", "jump", "goto"};

	for (size_t i = 0; i < ELEMENTSOF(names); i++)
		if (json_object_get(statement, names[i]))
			return true;
	return false;
}

/* context->reached becomes MAYBE when only some flows leave the chain here. */
static enum outcome walk_rule(struct walk *w, const json_t *expr, struct context *context)
{
	struct context inner = *context;
	enum outcome o = NEXT_RULE;
	enum truth applies = YES;
	const json_t *statement;
	size_t i;

	json_array_foreach (expr, i, statement) {
		const json_t *test = json_object_get(statement, "match");
		const json_t *vmap = json_object_get(statement, "vmap");

		if (test)
			applies = MIN(applies, match(w, test, &inner.names_port));
		else if (!vmap && !is_verdict(statement) && !is_harmless(statement))
			applies = MAYBE;
		if (applies == NO)
			return NEXT_RULE;
		inner.reached = MIN(context->reached, applies);
		if (vmap)
			o = apply_map(w, vmap, inner, &applies);
		else if (is_verdict(statement))
			o = apply(w, statement, inner);
		if (o != NEXT_RULE)
			break;
	}
	if (o == END_OF_CHAIN && applies == MAYBE) {
		context->reached = MAYBE;
		return NEXT_RULE;
	}
	return o;
}

/* PASS, BLOCK, or NEXT_RULE when the chain ends without a verdict. */
static enum outcome walk_chain(struct walk *w, const char *name, struct context context)
{
	const json_t *rules = find_path(w->chains, w, name), *expr;
	size_t i;

	json_array_foreach (rules, i, expr) {
		enum outcome o;

		if (w->rules_left == 0)
			return PASS;
		w->rules_left--;
		o = walk_rule(w, expr, &context);
		if (o == END_OF_CHAIN)
			return NEXT_RULE;
		if (o != NEXT_RULE)
			return o;
	}
	return NEXT_RULE;
}

/* --- tables --- */

/* Adds value to the array that stands in index for what an object of the listing belongs to. */
static int index_add(json_t *index, const json_t *object, const char *name, json_t *value)
{
	const char *family = json_string_value(json_object_get(object, "family"));
	const char *table = json_string_value(json_object_get(object, "table"));
	json_t *array;
	char key[512];

	if (!family || !table || !name || !value)
		return 0;
	(void) snprintf(key, sizeof(key), "%s/%s/%s", family, table, name);
	array = json_object_get(index, key);
	if (!array) {
		array = json_array();
		if (json_object_set_new(index, key, array) < 0)
			return -ENOMEM;
	}
	return json_array_append(array, value) < 0 ? -ENOMEM : 0;
}

static int index_listing(const json_t *listing, json_t *chains, json_t *sets)
{
	const json_t *entry;
	size_t i;
	int r = 0;

	json_array_foreach (listing, i, entry) {
		const json_t *rule = json_object_get(entry, "rule");
		const json_t *set = json_object_get(entry, "set");

		if (rule)
			r = index_add(chains, rule,
				      json_string_value(json_object_get(rule, "chain")),
				      json_object_get(rule, "expr"));
		else if (set)
			r = index_add(sets, set, json_string_value(json_object_get(set, "name")),
				      json_object_get(set, "elem"));
		if (r < 0)
			return r;
	}
	return 0;
}

static enum foreign_manager manager_of(const json_t *chains, const struct blocker *blocker)
{
	struct walk w = {.family = blocker->family, .table = blocker->table};

	if (strcmp(blocker->table, "firewalld") == 0)
		return FOREIGN_FIREWALLD;
	if (strcmp(blocker->table, "filter") != 0 || strcmp(blocker->chain, "INPUT") != 0)
		return FOREIGN_NFTABLES;
	if (find_path(chains, &w, "ufw-user-input") || find_path(chains, &w, "ufw-before-input") ||
	    find_path(chains, &w, "ufw6-before-input"))
		return FOREIGN_UFW;
	return strcmp(blocker->family, "inet") == 0 ? FOREIGN_NFTABLES : FOREIGN_IPTABLES;
}

/* A base chain of somebody else's that filters what comes in. */
static bool is_candidate(const json_t *chain, struct blocker *ret)
{
	const char *hook = json_string_value(json_object_get(chain, "hook"));

	*ret = (struct blocker){
		.family = json_string_value(json_object_get(chain, "family")),
		.table = json_string_value(json_object_get(chain, "table")),
		.chain = json_string_value(json_object_get(chain, "name")),
	};
	if (!hook || !ret->family || !ret->table || !ret->chain)
		return false;
	return is_text(chain, "type", "filter") && !ruleset_owns(ret->table) &&
	       (strcmp(hook, "input") == 0 || strcmp(hook, "prerouting") == 0 ||
		strcmp(hook, "ingress") == 0);
}

static bool find_blocked(const json_t *chain, const json_t *chains, const json_t *sets,
			 const struct plan *plan, struct blocker *blocker)
{
	bool any = false;

	for (size_t i = 0; i < PORT_COUNT; i++) {
		struct walk w = {.chains = chains,
				 .sets = sets,
				 .family = blocker->family,
				 .table = blocker->table,
				 .port = &plan->ports[i],
				 .rules_left = RULES_MAX};
		enum outcome o;

		if (plan->ports[i].access != ACCESS_EVERYONE)
			continue;
		o = walk_chain(&w, blocker->chain, (struct context){.reached = YES});
		if (o == NEXT_RULE && is_text(chain, "policy", "drop"))
			o = BLOCK;
		blocker->blocks[i] = o == BLOCK;
		any |= blocker->blocks[i];
	}
	return any;
}

int foreign_find_blockers(const json_t *listing, const struct plan *plan,
			  struct blocker ret[static FOREIGN_BLOCKERS_MAX])
{
	json_t *chains = json_object(), *sets = json_object();
	const json_t *entry;
	size_t i;
	int r = chains && sets ? index_listing(listing, chains, sets) : -ENOMEM, n = 0;

	json_array_foreach (listing, i, entry) {
		const json_t *chain = json_object_get(entry, "chain");
		struct blocker blocker;

		if (r < 0 || n == FOREIGN_BLOCKERS_MAX)
			break;
		if (!is_candidate(chain, &blocker) ||
		    !find_blocked(chain, chains, sets, plan, &blocker))
			continue;
		blocker.manager = manager_of(chains, &blocker);
		ret[n++] = blocker;
	}
	json_decref(chains);
	json_decref(sets);
	return r < 0 ? r : n;
}
