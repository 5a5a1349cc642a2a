/* What a client knows of the chat. */
#pragma once

#include <stdint.h>

struct client_messages {
	uint64_t listens_usec; /* its subscription is in force since then; 0: it is not */
	uint64_t next_chat_usec;
	uint32_t n_sent;
};
