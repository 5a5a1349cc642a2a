#include "firewall/plan.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/macros.h"

#define HAT_PROCESS "assignment-client@"

/* Those of the schema, for when there is no configuration to ask. */
#define FLOWS_PER_SECOND_DEFAULT 50
#define FLOWS_BURST_DEFAULT      500

static bool is_hat(const struct port *port)
{
	return strncmp(port->process, HAT_PROCESS, strlen(HAT_PROCESS)) == 0;
}

/* Hats of the port table, which knows more of them than the protocol has numbers for. */
static int add_hat(struct hat_set *hats, const char *name)
{
	const struct hat_info *hat = hat_find_by_name(name);

	if (strcmp(name, "default") == 0) {
		for (unsigned i = 0; i < HAT_COUNT; i++)
			if (hat_find(i)->is_default)
				(void) add_hat(hats, hat_find(i)->name);
		return 0;
	}
	for (unsigned i = 0; i < PORT_COUNT; i++) {
		const struct port *port = port_get(i);

		if (is_hat(port) && strcmp(port->name, hat ? hat->name : name) == 0) {
			hats->has[i] = true;
			return 0;
		}
	}
	return -EINVAL;
}

int hat_set_add(struct hat_set *hats, const char *list, char **ret_unknown)
{
	while (*(list += strspn(list, ", "))) {
		_cleanup_free_ char *name = strndup(list, strcspn(list, ", "));
		int r;

		if (!name)
			return -ENOMEM;
		r = add_hat(hats, name);
		if (r < 0) {
			*ret_unknown = TAKE_PTR(name);
			return r;
		}
		list += strlen(name);
	}
	return 0;
}

static enum access access_of(const struct port *port, bool runs)
{
	if (port->reach != PORT_REACH_EVERYONE)
		return ACCESS_ADMIN;
	return runs || !is_hat(port) ? ACCESS_EVERYONE : ACCESS_CLOSED;
}

void plan_init(struct plan *plan, const struct hat_set *hats, unsigned port_base)
{
	*plan = (struct plan){
		.enabled = true,
		.port_base = port_base,
		.flows_per_second = FLOWS_PER_SECOND_DEFAULT,
		.flows_burst = FLOWS_BURST_DEFAULT,
	};
	for (unsigned i = 0; i < PORT_COUNT; i++) {
		const struct port *port = port_get(i);

		plan->ports[i] = (struct plan_port){
			.port = port,
			.number = port->number,
			.access = access_of(port, hats->has[i]),
		};
	}
}

/* The same choice that the domain-server makes: a setting wins only when somebody made it, so
 * that --port-base moves the rest. */
static int configure_ports(struct plan *plan, const struct config *config, char **ret_error)
{
	static const struct {
		enum port_id id;
		const char *setting;
	} movable[] = {
		{PORT_DOMAIN, "metaverse.local_port"},
		{PORT_HTTP, "http.port"},
		{PORT_HTTPS, "http.https_port"},
		{PORT_METRICS, "monitoring.prometheus_exporter_port"},
	};

	for (size_t i = 0; i < ELEMENTSOF(movable); i++)
		if (config_is_set(config, movable[i].setting, NULL))
			plan->ports[movable[i].id].number =
				(uint16_t) config_get_int(config, movable[i].setting);

	for (const struct plan_port *a = plan->ports; a < plan->ports + PORT_COUNT; a++)
		for (const struct plan_port *b = plan->ports; b < a; b++)
			if (a->number == b->number && a->port->transport == b->port->transport) {
				if (asprintf(ret_error, "%s and %s are both on port %u/%s",
					     b->port->name, a->port->name, a->number,
					     port_transport_name(a->port->transport)) < 0)
					*ret_error = NULL;
				return -EINVAL;
			}
	return 0;
}

/* Keeps no subnet that lies in another: nft 1.0.6 refuses sets that name an address twice. */
static int add_subnet(struct plan *plan, const struct subnet *subnet)
{
	size_t n = 0;

	for (size_t i = 0; i < plan->n_subnets; i++)
		if (subnet_contains(&plan->subnets[i], subnet))
			return 0;
	for (size_t i = 0; i < plan->n_subnets; i++)
		if (!subnet_contains(subnet, &plan->subnets[i]))
			plan->subnets[n++] = plan->subnets[i];
	plan->n_subnets = n;
	if (n == PLAN_SUBNETS_MAX)
		return -ENOBUFS;
	plan->subnets[plan->n_subnets++] = *subnet;
	return 0;
}

static int configure_subnets(struct plan *plan, const json_t *list, char **ret_error)
{
	const json_t *value;
	size_t i;

	json_array_foreach (list, i, value) {
		struct subnet subnet;

		/* The schema has checked the format. */
		if (subnet_parse(json_string_value(value), &subnet) < 0)
			return -EINVAL;
		if (add_subnet(plan, &subnet) < 0) {
			if (asprintf(ret_error, "firewall.admin_subnets has more than %d subnets",
				     PLAN_SUBNETS_MAX) < 0)
				*ret_error = NULL;
			return -EINVAL;
		}
	}
	return 0;
}

int plan_configure(struct plan *plan, const struct config *config, char **ret_error)
{
	int r;

	*ret_error = NULL;
	plan->enabled = config_get_bool(config, "firewall.enabled");
	plan->flows_per_second = (unsigned) config_get_int(config, "firewall.new_flows_per_second");
	plan->flows_burst = (unsigned) config_get_int(config, "firewall.new_flows_burst");
	r = configure_subnets(plan, config_get_json(config, "firewall.admin_subnets"), ret_error);
	if (r < 0)
		return r;
	return configure_ports(plan, config, ret_error);
}

const char *access_name(enum access access)
{
	switch (access) {
	case ACCESS_EVERYONE:
		return "everyone";
	case ACCESS_ADMIN:
		return "this host and admin subnets";
	default:
		return "nobody";
	}
}
