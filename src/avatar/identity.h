/* Who an avatar is: names and flags (protocol 04 section 5). A client sends its identity when it
 * changes; the mixer adds the session display name and passes it on to everybody, the client itself
 * included. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "avatar/session-names.h"
#include "base/bytes.h"

#define AVATAR_NAME_MAX        256  /* UTF-16 units kept of a display name */
#define AVATAR_NAME_SENT_MAX   4096 /* more than this is no name */
#define AVATAR_ATTACHMENTS_MAX 64
#define AVATAR_ATTACHMENT_MAX  8192 /* bytes of its model URL, or of its joint name */

enum avatar_identity_flags {
	AVATAR_IDENTITY_REPLICATED = 1,
	AVATAR_IDENTITY_LOOK_AT_SNAPPING = 2,
	/* 4 is verificationFailed: native clients would replace the model. Never passed on. */
};

/* --- the packet --- */

struct avatar_identity_packet {
	uint32_t sequence; /* 27 bits */
	uint32_t flags;
	char *display_name; /* UTF-8, "" when null or empty */
};

void avatar_identity_packet_done(struct avatar_identity_packet *packet);
/* Attachments are checked and dropped; the names of the mixer's making and the UUID are ignored.
 * Longer names are cut. 0, -EBADMSG, -ENOMEM. */
int avatar_identity_decode(const void *data, size_t len, struct avatar_identity_packet *ret);

/* --- the state --- */

struct avatar_identity {
	bool known;            /* a packet was accepted */
	uint32_t in_sequence;  /* of the client's newest packet */
	uint32_t out_sequence; /* of what was last sent */
	uint32_t flags;
	uint32_t changed_tick; /* when others have to be told */
	uint32_t echo_tick;    /* when the client itself has to be told */
	char *display_name;
	const struct session_name *name; /* the session display name */
};

/* Releases the name. */
void avatar_identity_done(struct avatar_identity *identity, struct session_names *names);

/* Takes what is new from the packet (and its display name). 0; -ESTALE for an old sequence number;
 * -ENOMEM, and nothing changed. */
int avatar_identity_apply(struct avatar_identity *identity, struct session_names *names,
			  struct avatar_identity_packet *packet, uint32_t tick);

/* For a successor, and its reading of it: everybody is told again. 0, -EBADMSG, -ENOMEM. */
void avatar_identity_save(const struct avatar_identity *identity, struct writer *wr);
int avatar_identity_restore(struct avatar_identity *identity, struct session_names *names,
			    struct reader *rd, uint32_t tick);

/* Appends the record of a known identity. */
void avatar_identity_write(struct writer *wr, const struct uuid *session,
			   const struct avatar_identity *identity);
