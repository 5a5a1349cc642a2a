/* Values out of the settings a domain-server hands to its assignment clients (protocol 02 section
 * 10). What was typed into a web page may arrive as text where a number is meant ("3600"), so every
 * getter accepts both; anything that makes no sense yields the default. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

double settings_double(const json_t *settings, const char *group, const char *key, double fallback);
bool settings_bool(const json_t *settings, const char *group, const char *key, bool fallback);
/* Borrowed from settings, or fallback. */
const char *settings_string(const json_t *settings, const char *group, const char *key,
			    const char *fallback);
/* The number in a value that may be text. False when it is neither a finite number nor text of one.
 */
bool settings_number(const json_t *value, double *ret);
/* How many threads a mixer may have by its group's auto_threads and num_threads: no more than there
 * are processors. */
unsigned settings_threads(const json_t *settings, const char *group);
