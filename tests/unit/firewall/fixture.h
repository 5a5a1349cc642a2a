/* Plans and listings for the tests of src/firewall. */
#pragma once

#include <jansson.h>

#include "firewall/plan.h"

/* The plan of these hats and this domain.json, which must be in order; with its message, the one
 * that must not be. */
struct plan plan_of(const char *hats, const char *config);
void assert_refused(const char *config, const char *message);

/* JSON from text with ' for ", and from tests/unit/firewall/listings/NAME.json. */
json_t *json_of(const char *text);
json_t *listing_of(const char *name);
/* Fails with both texts when they differ; takes neither. */
void assert_json_equal(const json_t *got, const char *expected);
