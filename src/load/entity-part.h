/* What a client knows of the entities. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct client_entities {
	uint16_t connection_id;
	uint64_t asked_usec;
	uint64_t next_query_usec;
	bool is_complete;
};
