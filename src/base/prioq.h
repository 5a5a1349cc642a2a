/* A priority queue (binary heap) of embedded items ordered by a time; O(log n) to change one, O(1)
 * to see the first. The items belong to the caller. One thread. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/macros.h"

/* Embed in the queued object; zero-initialise. */
struct prioq_item {
	uint64_t key; /* smallest first */
	size_t index; /* 1-based place in the heap; 0 = not queued */
};

struct prioq {
	struct prioq_item **items;
	size_t n, allocated;
};

void prioq_done(struct prioq *q);
/* Inserts the item or moves it to its new key. 0 or -ENOMEM. */
int prioq_put(struct prioq *q, struct prioq_item *item, uint64_t key);
/* Takes the item out; fine when it is not in. */
void prioq_remove(struct prioq *q, struct prioq_item *item);
/* The item with the smallest key, or NULL. */
struct prioq_item *prioq_first(const struct prioq *q);
