#include "domain-server/local-ids.h"

static bool is_used(const struct local_ids *ids, uint16_t id)
{
	return ids->used[id / 64] & UINT64_C(1) << id % 64;
}

void local_ids_init(struct local_ids *ids, uint16_t start)
{
	*ids = (struct local_ids){.used = {1}, .last = (uint16_t) (start - 1)};
}

uint16_t local_ids_take(struct local_ids *ids)
{
	for (unsigned i = 1; i <= UINT16_MAX; i++) {
		uint16_t id = (uint16_t) (ids->last + i);

		if (is_used(ids, id))
			continue;
		ids->used[id / 64] |= UINT64_C(1) << id % 64;
		ids->last = id;
		return id;
	}
	return 0;
}

bool local_ids_reserve(struct local_ids *ids, uint16_t id)
{
	if (is_used(ids, id))
		return false;
	ids->used[id / 64] |= UINT64_C(1) << id % 64;
	return true;
}

void local_ids_give_back(struct local_ids *ids, uint16_t id)
{
	if (id != 0)
		ids->used[id / 64] &= ~(UINT64_C(1) << id % 64);
}
