/* What is loaded and what it has counted, read from a listing of our table. */
#pragma once

#include <stdio.h>

#include <jansson.h>

#include "firewall/plan.h"

/* An array of objects: name, port, transport, access ("everyone", …), and packets and bytes that
 * were let through, limited (new flows of a source that had too many) and refused. NULL when out
 * of memory. listing may be NULL: an empty array. */
json_t *status_json(const json_t *listing);
/* The same as a table for people. */
void status_print(const json_t *status, FILE *f);

/* The hats that were named when the table was made. */
void status_hats(const json_t *listing, struct hat_set *ret);
