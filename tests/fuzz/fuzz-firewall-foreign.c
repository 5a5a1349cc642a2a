/* Listings of the kernel's tables, as libnftables writes them. */
#include <stdlib.h>

#include "firewall/advice.h"
#include "firewall/foreign.h"
#include "firewall/status.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct blocker blockers[FOREIGN_BLOCKERS_MAX];
	struct hat_set hats = {0};
	struct plan plan;
	json_t *listing, *json;
	int n;

	listing = json_loadb((const char *) data, size, 0, NULL);
	if (!listing)
		return 0;
	status_hats(listing, &hats);
	plan_init(&plan, &hats, 0);
	n = foreign_find_blockers(listing, &plan, blockers);
	if (n < 0 || n > FOREIGN_BLOCKERS_MAX)
		abort();
	json = advice_json(blockers, (size_t) n, &plan);
	if (json_array_size(json) != (size_t) n)
		abort();
	json_decref(json);
	json = status_json(listing);
	json_decref(json);
	json_decref(listing);
	return 0;
}
