#include "base/prioq.h"

#include <errno.h>

void prioq_done(struct prioq *q)
{
	for (size_t i = 0; i < q->n; i++)
		q->items[i]->index = 0;
	free(q->items);
	*q = (struct prioq){0};
}

static void place(struct prioq *q, size_t i, struct prioq_item *item)
{
	q->items[i] = item;
	item->index = i + 1;
}

static void move_up(struct prioq *q, size_t i)
{
	struct prioq_item *item = q->items[i];

	while (i > 0 && q->items[(i - 1) / 2]->key > item->key) {
		place(q, i, q->items[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	place(q, i, item);
}

static void move_down(struct prioq *q, size_t i)
{
	struct prioq_item *item = q->items[i];

	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= q->n)
			break;
		if (child + 1 < q->n && q->items[child + 1]->key < q->items[child]->key)
			child++;
		if (q->items[child]->key >= item->key)
			break;
		place(q, i, q->items[child]);
		i = child;
	}
	place(q, i, item);
}

int prioq_put(struct prioq *q, struct prioq_item *item, uint64_t key)
{
	uint64_t old = item->key;

	if (item->index > 0) {
		item->key = key;
		if (key < old)
			move_up(q, item->index - 1);
		else
			move_down(q, item->index - 1);
		return 0;
	}

	if (q->n == q->allocated) {
		size_t n = q->allocated ? 2 * q->allocated : 16;
		struct prioq_item **items = reallocarray(q->items, n, sizeof(*items));

		if (!items)
			return -ENOMEM;
		q->items = items;
		q->allocated = n;
	}
	item->key = key;
	q->items[q->n] = item;
	move_up(q, q->n++);
	return 0;
}

void prioq_remove(struct prioq *q, struct prioq_item *item)
{
	size_t i = item->index;
	struct prioq_item *last;

	if (i == 0)
		return;

	item->index = 0;
	last = q->items[--q->n];
	if (last == item)
		return;
	place(q, i - 1, last);
	move_up(q, i - 1);
	move_down(q, last->index - 1);
}

struct prioq_item *prioq_first(const struct prioq *q)
{
	return q->n > 0 ? q->items[0] : NULL;
}
