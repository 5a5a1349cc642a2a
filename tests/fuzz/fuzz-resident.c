/* What a domain-server left of a resident. */
#include <string.h>

#include "domain-server/server-internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void need(bool condition)
{
	if (!condition)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct resident *r = calloc(1, sizeof(*r));
	struct reader rd = reader_over(data, size);
	struct resident_assignment assignment;

	need(r);
	list_init(&r->link);
	if (resident_decode(&rd, r, &assignment) >= 0) {
		need(r->claimed_username && r->place_name && r->hardware_address);
		need(strlen(r->interests) < sizeof(r->interests));
		need(strlen(r->version) < sizeof(r->version));
		need(!r->username || r->username[0]);
		need(!assignment.exists || (assignment.pool && hat_find(assignment.type)));
	}
	resident_assignment_done(&assignment);
	(void) resident_free(r);
	return 0;
}
