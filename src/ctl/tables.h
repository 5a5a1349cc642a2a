/* What hifictl shows to people: tables made from the domain-server's status.json. */
#pragma once

#include <jansson.h>
#include <stdio.h>

/* The first line answers "is anyone there?". */
void tables_print_status(FILE *f, const json_t *status);
/* Every node in one line. */
void tables_print_nodes(FILE *f, const json_t *status);
void tables_print_ports(FILE *f, const json_t *ports);
/* "group.name = value", one a line. */
void tables_print_settings(FILE *f, const json_t *values);
