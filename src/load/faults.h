/* What must never happen, counted: any of these fails the run.
 *
 * X(CONSTANT, name in the report, meaning)
 */
#pragma once

#include <stdint.h>

#include "node/drop-reasons.h"

#define FAULTS(X)                                                                           \
	X(TRANSPORT, "transport",                                                           \
	  "datagram with malformed headers, another version or a wrong hash")               \
	X(MALFORMED, "malformed", "payload that its decoder refuses")                       \
	X(UNEXPECTED, "unexpected", "packet that no client expects")                        \
	X(AUDIO_CODEC, "audio_codec", "mix in a codec that was not agreed on")              \
	X(AUDIO_FRAME, "audio_frame", "mix that is not one frame")                          \
	X(OWN_VOICE, "own_voice", "own voice in the mix")                                   \
	X(OWN_AVATAR, "own_avatar", "own avatar among the others")                          \
	X(GHOST, "ghost", "avatar of somebody who has left")                                \
	X(ALTERED_MOVE, "altered_move", "position that was never sent")                     \
	X(ALTERED_IDENTITY, "altered_identity", "wrong name")                               \
	X(ALTERED_TRAITS, "altered_traits", "wrong avatar model or skeleton, or version 0") \
	X(CHAT_ALTERED, "chat_altered", "chat message that was never sent like that")       \
	X(CHAT_FORGED, "chat_forged", "chat message under another sender's id")             \
	X(CHAT_REPEATED, "chat_repeated", "chat message that came twice")                   \
	X(CHAT_LOST, "chat_lost", "chat message that did not come")                         \
	X(ENTITIES_INCOMPLETE, "entities_incomplete", "entity query that was never completed")

enum fault {
#define X(constant, ...) FAULT_##constant,
	FAULTS(X)
#undef X
		FAULT_COUNT,
};

struct fault_counts {
	uint64_t n[FAULT_COUNT];
};

const char *fault_name(enum fault fault);
const char *fault_meaning(enum fault fault);

/* The fault that a drop at a client's endpoint is, or FAULT_COUNT for one that may happen:
 * duplicates, packets of those who are not introduced yet or not any more. */
enum fault fault_of_drop(enum drop_reason reason);
