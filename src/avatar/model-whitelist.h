/* Which avatar models a domain allows (protocol 04 section 8.5). */
#pragma once

#include <stdbool.h>

#include "base/bytes.h"

struct model_whitelist;

/* From the setting: URLs separated by commas, with or without a scheme. *ret becomes NULL, which
 * allows everything, when there are none. 0 or -ENOMEM. */
int model_whitelist_parse(const char *text, struct model_whitelist **ret);
struct model_whitelist *model_whitelist_free(struct model_whitelist *whitelist);
DEFINE_CLEANUP_FUNC(struct model_whitelist *, model_whitelist_free);

/* True when the host of an entry is that of the URL and the URL's path begins with the entry's. */
bool model_whitelist_allows(const struct model_whitelist *whitelist, struct span url);

/* True for URLs that mean something on the client's machine only. */
bool model_url_is_local(struct span url);
