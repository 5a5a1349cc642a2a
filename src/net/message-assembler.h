/* Puts the parts of ordered messages together again (protocol 01 section 8), within limits: a peer
 * cannot make us hold more than MESSAGE_PEER_MAX bytes, all peers together not more than their
 * shared budget. One thread. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/macros.h"
#include "net/packet.h"

#define MESSAGE_OPEN_MAX     64                 /* unfinished messages per peer */
#define MESSAGE_MAX          (8 * 1024 * 1024)  /* bytes of one message */
#define MESSAGE_PEER_MAX     (32 * 1024 * 1024) /* bytes held per peer, bookkeeping included */
#define MESSAGE_TIMEOUT_USEC (60 * USEC_PER_SEC)

/* Shared by all assemblers of a process. */
struct message_budget {
	size_t used_bytes;
	size_t limit_bytes;
};

struct message_assembler;

/* budget is borrowed. 0 or -ENOMEM. */
int message_assembler_new(struct message_budget *budget, struct message_assembler **ret);
struct message_assembler *message_assembler_free(struct message_assembler *a);
DEFINE_CLEANUP_FUNC(struct message_assembler *, message_assembler_free);

/* Adds a verified part. Returns 1 when it completes a message: *ret is then the whole payload, and
 * *ret_first the first part's headers (type, version, source; hash and payload empty); both are
 * valid until the next call on this assembler (the payload of a message of one part is that part's,
 * and lives as long). 0: waiting for more, or a duplicate. -ENOBUFS over a limit, -EBADMSG for a
 * part that contradicts the others or itself; either drops the whole message, and its later parts
 * too. -ENOMEM. */
int message_assembler_add(struct message_assembler *a, const struct packet *part, uint64_t now_usec,
			  struct span *ret, struct packet *ret_first);
/* Drops everything unfinished (the peer's connection was reset). */
void message_assembler_reset(struct message_assembler *a);
/* Drops messages that got no part for MESSAGE_TIMEOUT_USEC; returns how many. */
unsigned message_assembler_expire(struct message_assembler *a, uint64_t now_usec);
/* Bytes held for unfinished messages. */
size_t message_assembler_held_bytes(const struct message_assembler *a);
