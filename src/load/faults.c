#include "load/faults.h"

const char *fault_name(enum fault fault)
{
	static const char *const names[] = {
#define X(constant, name, meaning) [FAULT_##constant] = name,
		FAULTS(X)
#undef X
	};

	return names[fault];
}

const char *fault_meaning(enum fault fault)
{
	static const char *const meanings[] = {
#define X(constant, name, meaning) [FAULT_##constant] = meaning,
		FAULTS(X)
#undef X
	};

	return meanings[fault];
}

enum fault fault_of_drop(enum drop_reason reason)
{
	switch (reason) {
	case DROP_SHORT:
	case DROP_HEADER:
	case DROP_VERSION:
	case DROP_HASH:
	case DROP_MESSAGE:
		return FAULT_TRANSPORT;
	case DROP_MALFORMED:
		return FAULT_MALFORMED;
	case DROP_UNHANDLED:
	case DROP_REFUSED:
		return FAULT_UNEXPECTED;
	default:
		return FAULT_COUNT;
	}
}
