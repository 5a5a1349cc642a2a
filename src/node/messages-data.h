/* MessagesData (57): one chat or script message, the same layout in both directions (protocol 05
 * sections 1.1 and 3.1). Pure. */
#pragma once

#include "base/bytes.h"

#define MESSAGES_CHANNEL_MAX    1024
#define MESSAGES_DATA_FIXED_LEN 23 /* everything but channel and data */

/* Everything borrows from the payload. */
struct messages_data {
	struct span channel; /* UTF-8 */
	bool is_text;
	struct span data; /* UTF-8 or raw */
	struct uuid sender;
};

/* 0; 1 when the channel's length had to be repaired (the SDK counts UTF-16 units instead of bytes);
 * -EBADMSG. */
int messages_data_decode(struct span payload, struct messages_data *ret);
/* sender instead of message->sender. */
void messages_data_encode(struct writer *wr, const struct messages_data *message,
			  const struct uuid *sender);
