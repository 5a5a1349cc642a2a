#include "firewall/status.h"

#include <string.h>

#include "base/macros.h"
#include "firewall/ruleset.h"

/* "NAME", "NAME-limited", "NAME-refused"; NULL when there is none. */
static const json_t *find_counter(const json_t *listing, const char *name, const char *suffix)
{
	char text[RULESET_NAME_MAX];

	(void) snprintf(text, sizeof(text), "%s%s", name, suffix);
	return ruleset_find(listing, "counter", text);
}

static json_t *count_json(const json_t *counter)
{
	return json_pack("{s:I, s:I}", "packets",
			 json_integer_value(json_object_get(counter, "packets")), "bytes",
			 json_integer_value(json_object_get(counter, "bytes")));
}

/* Whether a rule of a port's chain uses the port's counter of that suffix. */
static bool uses_counter(const json_t *listing, const char *chain, const char *suffix)
{
	const json_t *entry, *statement;
	char counter[RULESET_NAME_MAX];
	size_t i, j;

	(void) snprintf(counter, sizeof(counter), "%s%s", chain, suffix);
	json_array_foreach (listing, i, entry) {
		const json_t *rule = json_object_get(entry, "rule");
		const char *in = json_string_value(json_object_get(rule, "chain"));

		if (!in || strcmp(in, chain) != 0)
			continue;
		json_array_foreach (json_object_get(rule, "expr"), j, statement) {
			const char *name = json_string_value(json_object_get(statement, "counter"));

			if (name && strcmp(name, counter) == 0)
				return true;
		}
	}
	return false;
}

/* What the rules of a port's chain amount to. */
static enum access access_of(const json_t *listing, const struct port *port)
{
	if (!uses_counter(listing, port->name, ""))
		return ACCESS_CLOSED;
	if (!uses_counter(listing, port->name, RULESET_REFUSED_SUFFIX))
		return ACCESS_EVERYONE;
	return port->reach == PORT_REACH_EVERYONE ? ACCESS_CLOSED : ACCESS_ADMIN;
}

static json_t *port_json(const json_t *listing, const struct port *port, const json_t *number)
{
	const char *name = port->name;

	return json_pack("{s:s, s:I, s:s, s:s, s:o, s:o, s:o}", "name", name, "port",
			 json_integer_value(number), "transport",
			 port_transport_name(port->transport), "access",
			 access_name(access_of(listing, port)), "accepted",
			 count_json(find_counter(listing, name, "")), "limited",
			 count_json(find_counter(listing, name, RULESET_LIMITED_SUFFIX)), "refused",
			 count_json(find_counter(listing, name, RULESET_REFUSED_SUFFIX)));
}

/* The port whose chain a rule goes to, and its number; NULL for any other rule. */
static const struct port *dispatched_port(const json_t *rule, const json_t **ret_number)
{
	const json_t *expr = json_object_get(rule, "expr");
	const json_t *match = json_object_get(json_array_get(expr, 0), "match");
	const json_t *to = json_object_get(json_array_get(expr, 1), "goto");
	const char *name = json_string_value(json_object_get(to, "target"));

	*ret_number = json_object_get(match, "right");
	return name ? port_find(name) : NULL;
}

json_t *status_json(const json_t *listing)
{
	json_t *list = json_array();
	const json_t *entry, *number;
	size_t i;

	json_array_foreach (listing, i, entry) {
		const struct port *port = dispatched_port(json_object_get(entry, "rule"), &number);

		if (port && json_array_append_new(list, port_json(listing, port, number)) < 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static json_int_t packets(const json_t *port, const char *what)
{
	return json_integer_value(json_object_get(json_object_get(port, what), "packets"));
}

void status_print(const json_t *status, FILE *f)
{
	static const char format[] = "%-5s %-5s %-13s %-27s %14s %14s %9s %9s\n";
	const json_t *port;
	size_t i;

	(void) fprintf(f, format, "PORT", "PROTO", "NAME", "OPEN TO", "PACKETS", "BYTES", "LIMITED",
		       "REFUSED");
	json_array_foreach (status, i, port) {
		const json_t *accepted = json_object_get(port, "accepted");

		(void) fprintf(f, "%-5lld %-5s %-13s %-27s %14lld %14lld %9lld %9lld\n",
			       json_integer_value(json_object_get(port, "port")),
			       json_string_value(json_object_get(port, "transport")),
			       json_string_value(json_object_get(port, "name")),
			       json_string_value(json_object_get(port, "access")),
			       packets(port, "accepted"),
			       json_integer_value(json_object_get(accepted, "bytes")),
			       packets(port, "limited"), packets(port, "refused"));
	}
}

void status_hats(const json_t *listing, struct hat_set *ret)
{
	*ret = (struct hat_set){0};
	for (unsigned i = 0; i < PORT_COUNT; i++)
		ret->has[i] = access_of(listing, port_get(i)) == ACCESS_EVERYONE;
}
