/* Chat messages that were sent, until everybody should have them: each must come exactly once and
 * unchanged to each listener. One thread. */
#pragma once

#include <stdbool.h>

#include "base/bytes.h"
#include "base/hashmap.h"
#include "base/list.h"

/* Longest way from sender to listener before a message counts as lost. */
#define CHAT_PATIENCE_USEC (10 * USEC_PER_SEC)

struct chat_message {
	uint32_t serial;
	unsigned sender; /* client */
	struct uuid sender_id;
	uint64_t sent_usec;
	size_t len;
	uint8_t *text;
	struct list list;
	uint8_t received[]; /* a bit for each client */
};

struct chat_log {
	unsigned n_clients;
	uint32_t last_serial;
	struct hashmap *by_serial;
	struct list all; /* oldest first */
};

int chat_log_init(struct chat_log *log, unsigned n_clients);
void chat_log_done(struct chat_log *log);

/* Makes up a message of about that many bytes, from that client. 0 or -ENOMEM. */
int chat_log_compose(struct chat_log *log, unsigned sender, const struct uuid *sender_id,
		     size_t len, uint64_t now_usec, const struct chat_message **ret);

enum chat_arrival {
	CHAT_FIRST, /* *ret says what arrived */
	CHAT_REPEATED,
	CHAT_FORGED,  /* another sender's id */
	CHAT_ALTERED, /* not what was sent, or nothing that was sent */
	CHAT_LATE,    /* waited for no more */
};

/* Whether a text looks like one of this program's. */
bool chat_text_is_ours(struct span text);
/* A text arrived at the client. */
enum chat_arrival chat_log_receive(struct chat_log *log, unsigned client, struct span text,
				   const struct uuid *sender_id, const struct chat_message **ret);

/* The oldest message that was sent at or before that time, or NULL; its owner asks
 * chat_message_has() for each client that listened, and drops it. */
const struct chat_message *chat_log_oldest(const struct chat_log *log, uint64_t until_usec);
bool chat_message_has(const struct chat_message *message, unsigned client);
void chat_log_drop(struct chat_log *log, const struct chat_message *message);
