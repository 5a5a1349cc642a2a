/* What to do about other tables that drop what ours lets through. */
#pragma once

#include <stdio.h>

#include <jansson.h>

#include "firewall/foreign.h"

/* A sentence that says what drops what, and the commands that end it, each with a newline. Heap
 * strings; NULL when out of memory. */
char *advice_problem(const struct blocker *blocker, const struct plan *plan);
char *advice_commands(const struct blocker *blocker, const struct plan *plan);

/* An array of objects: family, table, chain, problem, commands (an array). NULL when out of
 * memory. */
json_t *advice_json(const struct blocker *blockers, size_t n, const struct plan *plan);
