#include "firewall/advice.h"

#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "firewall/profiles.h"

/* The plan with nothing open but what the blocker drops. */
static struct plan blocked_plan(const struct blocker *blocker, const struct plan *plan)
{
	struct plan blocked = *plan;

	for (size_t i = 0; i < PORT_COUNT; i++)
		if (!blocker->blocks[i])
			blocked.ports[i].access = ACCESS_CLOSED;
	return blocked;
}

/* Whether the files that the package installs name these ports. */
static bool is_in_profile(const struct plan *plan)
{
	for (size_t i = 0; i < PORT_COUNT; i++)
		if (plan->ports[i].access == ACCESS_EVERYONE &&
		    plan->ports[i].number != plan->ports[i].port->number)
			return false;
	return plan->port_base == 0;
}

/* A command per port, also where one could take a list: of that iptables and ufw make a match of
 * iptables' own, which foreign.c cannot read afterwards. */
static void print_commands(const struct blocker *blocker, const struct plan *plan,
			   enum port_transport transport, FILE *f)
{
	const char *t = port_transport_name(transport);
	char begin[64], end[64], separator[sizeof(begin) + sizeof(end)];

	switch (blocker->manager) {
	case FOREIGN_FIREWALLD:
		(void) snprintf(begin, sizeof(begin), "firewall-cmd --permanent --add-port=");
		(void) snprintf(end, sizeof(end), "/%s\n", t);
		break;
	case FOREIGN_UFW:
		(void) snprintf(begin, sizeof(begin), "ufw allow ");
		(void) snprintf(end, sizeof(end), "/%s\n", t);
		break;
	case FOREIGN_IPTABLES:
		(void) snprintf(begin, sizeof(begin), "%s -I INPUT -p %s --dport ",
				strcmp(blocker->family, "ip6") == 0 ? "ip6tables" : "iptables", t);
		(void) snprintf(end, sizeof(end), " -j ACCEPT\n");
		break;
	default:
		(void) fprintf(f, "nft insert rule %s %s %s %s dport '{ ", blocker->family,
			       blocker->table, blocker->chain, t);
		(void) profile_print_ports(plan, transport, ", ", f);
		(void) fputs(" }' accept\n", f);
		return;
	}
	(void) snprintf(separator, sizeof(separator), "%s%s", end, begin);
	(void) fputs(begin, f);
	(void) profile_print_ports(plan, transport, separator, f);
	(void) fputs(end, f);
}

char *advice_commands(const struct blocker *blocker, const struct plan *plan)
{
	const struct plan blocked = blocked_plan(blocker, plan);
	bool by_name = is_in_profile(&blocked);
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	if (by_name && blocker->manager == FOREIGN_FIREWALLD)
		(void) fputs("firewall-cmd --permanent --add-service=" PROFILE_NAME "\n", f);
	else if (by_name && blocker->manager == FOREIGN_UFW)
		(void) fputs("ufw allow " PROFILE_NAME "\n", f);
	else
		for (enum port_transport t = PORT_UDP; t <= PORT_TCP; t++)
			if (profile_print_ports(&blocked, t, "", NULL))
				print_commands(blocker, &blocked, t, f);
	if (blocker->manager == FOREIGN_FIREWALLD)
		(void) fputs("firewall-cmd --reload\n", f);
	if (fclose(f) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

char *advice_problem(const struct blocker *blocker, const struct plan *plan)
{
	const struct plan blocked = blocked_plan(blocker, plan);
	const char *and = "";
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	(void) fprintf(f, "Chain %s of table %s %s drops what comes to ", blocker->chain,
		       blocker->family, blocker->table);
	for (enum port_transport t = PORT_UDP; t <= PORT_TCP; t++) {
		if (!profile_print_ports(&blocked, t, "", NULL))
			continue;
		(void) fprintf(f, "%s%s ", and, port_transport_name(t));
		(void) profile_print_ports(&blocked, t, ", ", f);
		and = " and ";
	}
	(void) fputs(".", f);
	if (fclose(f) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

/* The lines of text. */
static json_t *lines_json(const char *text)
{
	json_t *lines = json_array();

	while (*text) {
		size_t len = strcspn(text, "\n");

		(void) json_array_append_new(lines, json_stringn(text, len));
		text += len + (text[len] == '\n');
	}
	return lines;
}

json_t *advice_json(const struct blocker *blockers, size_t n, const struct plan *plan)
{
	json_t *list = json_array();

	for (const struct blocker *b = blockers; list && b < blockers + n; b++) {
		_cleanup_free_ char *problem = advice_problem(b, plan);
		_cleanup_free_ char *commands = advice_commands(b, plan);
		json_t *object = NULL;

		if (problem && commands)
			object = json_pack("{s:s, s:s, s:s, s:s, s:o}", "family", b->family,
					   "table", b->table, "chain", b->chain, "problem", problem,
					   "commands", lines_json(commands));
		if (json_array_append_new(list, object) < 0) {
			json_decref(list);
			list = NULL;
		}
	}
	return list;
}
