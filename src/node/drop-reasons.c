#include "node/drop-reasons.h"

#include <errno.h>

#include "base/macros.h"

const char *drop_reason_name(enum drop_reason reason)
{
	static const char *const names[] = {
#define X(constant, name, meaning) [DROP_##constant] = name,
		DROP_REASONS(X)
#undef X
	};

	static_assert(ELEMENTSOF(names) == DROP_REASON_COUNT, "every reason has a name");
	return names[reason];
}

enum drop_reason drop_reason_of(int error)
{
	switch (error) {
	case -EBADMSG:
		return DROP_MALFORMED;
	case -ENOBUFS:
	case -ENOMEM:
		return DROP_RATE;
	case -ESTALE:
		return DROP_STALE;
	default:
		return DROP_REFUSED;
	}
}
