/* The 16-bit numbers that stand for nodes in packet headers (protocol 02 section 3): unique among
 * the living, and a freed one comes again only after all others, because packets of its last owner
 * may still be on their way. By value, 8 KB, nothing to free. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct local_ids {
	uint64_t used[65536 / 64];
	uint16_t last;
};

/* start: where to begin, best random. 0 is never given out. */
void local_ids_init(struct local_ids *ids, uint16_t start);
/* A new id, or 0 when all are in use. */
uint16_t local_ids_take(struct local_ids *ids);
/* Takes this one; false when it is in use. */
bool local_ids_reserve(struct local_ids *ids, uint16_t id);
void local_ids_give_back(struct local_ids *ids, uint16_t id);
