/* The ports that everyone may reach by a plan, in the words of other packet filters. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "firewall/plan.h"

#define PROFILE_NAME "hifi-domain" /* of firewalld's service and ufw's application */

/* The files that the package installs. They come from a plan in which all hats run: our own
 * rules close the ports of those that do not. */
void profile_print_firewalld(const struct plan *plan, FILE *f);
void profile_print_ufw(const struct plan *plan, FILE *f);
/* Rules for somebody's own chain. */
void profile_print_nft(const struct plan *plan, FILE *f);

/* Prints "40102, 48000" of a transport, with the separator asked for, and tells whether there
 * was any. f may be NULL. */
bool profile_print_ports(const struct plan *plan, enum port_transport transport,
			 const char *separator, FILE *f);
