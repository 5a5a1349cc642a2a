/* An intrusive doubly linked list: the links live in the items, the list is a ring through its
 * head. */
#pragma once

#include <stdbool.h>

#include "base/macros.h"

/* The head, and the link inside an item. */
struct list {
	struct list *prev, *next;
};

/* Also for a link that is in no list yet, so that list_remove() is always allowed. */
static inline void list_init(struct list *list)
{
	list->prev = list->next = list;
}

static inline bool list_is_empty(const struct list *list)
{
	return list->next == list;
}

/* item is in no list. To a head: at its end. To an item: just before it. */
static inline void list_append(struct list *list, struct list *item)
{
	item->prev = list->prev;
	item->next = list;
	list->prev->next = item;
	list->prev = item;
}

static inline void list_prepend(struct list *list, struct list *item)
{
	list_append(list->next, item);
}

/* Takes the item out and leaves it as list_init() does: a second removal does nothing. */
static inline void list_remove(struct list *item)
{
	item->prev->next = item->next;
	item->next->prev = item->prev;
	list_init(item);
}

#define LIST_ITEM(link, type, member) CONTAINER_OF(link, type, member)
/* The first item, or NULL. */
#define LIST_FIRST(head, type, member) \
	(list_is_empty(head) ? NULL : LIST_ITEM((head)->next, type, member))

/* item: a variable of the items' type; member: the link in it. The body may remove the current
 * item, and free it, but not the one after it. */
#define list_for_each(item, head, member)                                                       \
	for (struct list *_link = (head)->next, *_next = _link->next;                           \
	     _link != (head) && ((item) = LIST_ITEM(_link, __typeof__(*(item)), member), true); \
	     _link = _next, _next = _link->next)
