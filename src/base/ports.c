#include "base/ports.h"

#include <errno.h>
#include <string.h>

#include "base/macros.h"

static struct port ports[PORT_COUNT] = {
#define X(constant, short_name, port, proto, owner, what, who, when) \
	[PORT_##constant] = {                                        \
		.name = short_name,                                  \
		.number = port,                                      \
		.transport = PORT_##proto,                           \
		.process = owner,                                    \
		.purpose = what,                                     \
		.reach = PORT_REACH_##who,                           \
		.condition = when,                                   \
	},
	PORTS_BEFORE_HATS(X) PORTS_AFTER_HATS(X)
#undef X
#define X(constant, hat_number, type, short_name, full_name, is_solo, offset, in_default) \
	[PORT_##constant] = {                                                             \
		.name = short_name,                                                       \
		.number = HATS_PORT_BASE + (offset),                                      \
		.transport = PORT_UDP,                                                    \
		.process = "assignment-client@" short_name,                               \
		.purpose = "clients of the " full_name,                                   \
		.reach = PORT_REACH_EVERYONE,                                             \
	},
		HATS(X)
#undef X
};

/* How far the table has been moved. */
static unsigned shift;

int ports_shift(unsigned offset)
{
	for (size_t i = 0; i < ELEMENTSOF(ports); i++)
		if (offset > UINT16_MAX - (ports[i].number - shift))
			return -ERANGE;
	for (size_t i = 0; i < ELEMENTSOF(ports); i++)
		ports[i].number = (uint16_t) (ports[i].number - shift + offset);
	shift = offset;
	return 0;
}

const struct port *port_get(enum port_id id)
{
	assert(id < PORT_COUNT);
	return &ports[id];
}

const struct port *port_of_hat(enum hat hat)
{
	static const enum port_id by_hat[HAT_COUNT] = {
#define X(constant, ...) [HAT_##constant] = PORT_##constant,
		HATS(X)
#undef X
	};

	assert(hat < HAT_COUNT);
	return &ports[by_hat[hat]];
}

const struct port *port_find(const char *name)
{
	for (size_t i = 0; i < ELEMENTSOF(ports); i++)
		if (strcmp(ports[i].name, name) == 0)
			return &ports[i];
	return NULL;
}

const char *port_transport_name(enum port_transport transport)
{
	return transport == PORT_UDP ? "udp" : "tcp";
}

const char *port_reach_name(enum port_reach reach)
{
	switch (reach) {
	case PORT_REACH_HOST:
		return "this host only";
	case PORT_REACH_EVERYONE:
		return "everyone";
	default:
		return "nobody";
	}
}

json_t *ports_json(void)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < ELEMENTSOF(ports); i++) {
		const struct port *p = &ports[i];
		json_t *row =
			json_pack("{s:s, s:i, s:s, s:s, s:s, s:s, s:s?}", "name", p->name, "port",
				  p->number, "transport", port_transport_name(p->transport),
				  "process", p->process, "purpose", p->purpose, "reachable_from",
				  port_reach_name(p->reach), "condition", p->condition);

		if (json_array_append_new(list, row) < 0) {
			json_decref(list);
			list = NULL;
		}
	}
	return list;
}

void ports_print(FILE *f)
{
	static const char format[] = "%-5s %-5s %-31s %-14s %s%s%s\n";

	(void) fprintf(f, format, "PORT", "PROTO", "PROCESS", "REACHABLE FROM", "FOR", "", "");
	for (size_t i = 0; i < ELEMENTSOF(ports); i++) {
		const struct port *p = &ports[i];
		char number[8];

		(void) snprintf(number, sizeof(number), "%u", p->number);
		(void) fprintf(f, format, number, port_transport_name(p->transport), p->process,
			       port_reach_name(p->reach), p->purpose, p->condition ? "; " : "",
			       p->condition ? p->condition : "");
	}
}
