#include "firewall/profiles.h"

#include "base/macros.h"

#define DESCRIPTION "A virtual world: its domain-server and mixers, for native and web clients"

bool profile_print_ports(const struct plan *plan, enum port_transport transport,
			 const char *separator, FILE *f)
{
	bool any = false;

	for (size_t i = 0; i < PORT_COUNT; i++) {
		const struct plan_port *p = &plan->ports[i];

		if (p->access != ACCESS_EVERYONE || p->port->transport != transport)
			continue;
		if (f)
			(void) fprintf(f, "%s%u", any ? separator : "", p->number);
		any = true;
	}
	return any;
}

void profile_print_firewalld(const struct plan *plan, FILE *f)
{
	(void) fputs("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
		     "<service>\n"
		     "  <short>High Fidelity domain</short>\n"
		     "  <description>" DESCRIPTION ".</description>\n",
		     f);
	for (size_t i = 0; i < PORT_COUNT; i++)
		if (plan->ports[i].access == ACCESS_EVERYONE)
			(void) fprintf(f, "  <port protocol=\"%s\" port=\"%u\"/>\n",
				       port_transport_name(plan->ports[i].port->transport),
				       plan->ports[i].number);
	(void) fputs("</service>\n", f);
}

void profile_print_ufw(const struct plan *plan, FILE *f)
{
	const char *separator = "";

	(void) fputs("[" PROFILE_NAME "]\n"
		     "title=High Fidelity domain\n"
		     "description=" DESCRIPTION "\n"
		     "ports=",
		     f);
	/* ufw writes "a,b/udp" as one rule with a match of iptables' own, which no other program
	 * can read; each port for itself becomes a rule that foreign.c understands. */
	for (size_t i = 0; i < PORT_COUNT; i++) {
		if (plan->ports[i].access != ACCESS_EVERYONE)
			continue;
		(void) fprintf(f, "%s%u/%s", separator, plan->ports[i].number,
			       port_transport_name(plan->ports[i].port->transport));
		separator = "|";
	}
	(void) fputs("\n", f);
}

void profile_print_nft(const struct plan *plan, FILE *f)
{
	for (enum port_transport t = PORT_UDP; t <= PORT_TCP; t++) {
		if (!profile_print_ports(plan, t, "", NULL))
			continue;
		(void) fprintf(f, "%s dport { ", port_transport_name(t));
		(void) profile_print_ports(plan, t, ", ", f);
		(void) fputs(" } accept\n", f);
	}
}
