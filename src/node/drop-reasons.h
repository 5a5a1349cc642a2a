/* Why a datagram or message was not acted upon: counted per endpoint and per node, shown by
 * "hifictl status". X(CONSTANT, name in JSON and metrics, meaning) */
#pragma once

#include <stdint.h>

#define DROP_REASONS(X)                                                       \
	X(SHORT, "short", "shorter than its headers")                         \
	X(HEADER, "header", "malformed headers or unknown packet type")       \
	X(VERSION, "version", "packet version of another protocol")           \
	X(SOURCE, "source", "unknown sender")                                 \
	X(ADDRESS, "address", "not from the address of the node it names")    \
	X(HASH, "hash", "wrong hash")                                         \
	X(HANDSHAKE, "handshake", "reliable packet before a handshake")       \
	X(DUPLICATE, "duplicate", "reliable packet seen before")              \
	X(MESSAGE, "message", "message over a limit or contradicting itself") \
	X(UNHANDLED, "unhandled", "a type this process does not act upon")    \
	X(MALFORMED, "malformed", "malformed payload")                        \
	X(REFUSED, "refused", "not permitted")                                \
	X(RATE, "rate", "over a rate or size limit")                          \
	X(STALE, "stale", "older than what is known")

enum drop_reason {
#define X(constant, ...) DROP_##constant,
	DROP_REASONS(X)
#undef X
		DROP_REASON_COUNT,
};

struct drop_counts {
	uint64_t n[DROP_REASON_COUNT];
};

const char *drop_reason_name(enum drop_reason reason);
/* What a handler's negative return counts as: -EBADMSG malformed, -EPERM refused, -ENOBUFS rate,
 * -ESTALE stale, anything else refused. */
enum drop_reason drop_reason_of(int error);
