#include "firewall/status.h"

#include <errno.h>
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

static json_t *port_json(const json_t *listing, const char *transport, const json_t *number,
			 const char *name)
{
	const json_t *limited = find_counter(listing, name, RULESET_LIMITED_SUFFIX);
	const json_t *refused = find_counter(listing, name, RULESET_REFUSED_SUFFIX);
	const struct port *port = port_find(name);
	enum access access = limited ? ACCESS_EVERYONE : ACCESS_CLOSED;

	if (!limited && port && port->reach != PORT_REACH_EVERYONE)
		access = ACCESS_ADMIN;
	return json_pack("{s:s, s:I, s:s, s:s, s:o, s:o, s:o}", "name", name, "port",
			 json_integer_value(number), "transport", transport, "access",
			 access_name(access), "accepted",
			 count_json(find_counter(listing, name, "")), "limited",
			 count_json(limited), "refused", count_json(refused));
}

/* Adds the ports that a rule of the input chain looks up. */
static int append_ports(json_t *list, const json_t *listing, const json_t *vmap)
{
	const json_t *payload = json_object_get(json_object_get(vmap, "key"), "payload");
	const char *transport = json_string_value(json_object_get(payload, "protocol"));
	const json_t *elements = json_object_get(json_object_get(vmap, "data"), "set"), *pair;
	size_t i;

	json_array_foreach (elements, i, pair) {
		const json_t *to = json_object_get(json_array_get(pair, 1), "goto");
		const char *name = json_string_value(json_object_get(to, "target"));

		if (name && transport &&
		    json_array_append_new(
			    list, port_json(listing, transport, json_array_get(pair, 0), name)) < 0)
			return -ENOMEM;
	}
	return 0;
}

json_t *status_json(const json_t *listing)
{
	json_t *list = json_array();
	const json_t *entry;
	size_t i;

	json_array_foreach (listing, i, entry) {
		const json_t *expr = json_object_get(json_object_get(entry, "rule"), "expr");
		const json_t *vmap = json_object_get(json_array_get(expr, 0), "vmap");

		if (append_ports(list, listing, vmap) < 0) {
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
		ret->has[i] =
			find_counter(listing, port_get(i)->name, RULESET_LIMITED_SUFFIX) != NULL;
}
