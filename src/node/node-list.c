#include "node/node-list.h"

#include <errno.h>

#include "base/hashmap.h"
#include "base/hats.h"

#define KILLED_MAX 4

struct node_list {
	struct hashmap *by_uuid;
	struct hashmap *by_id;
	struct hashmap *by_addr; /* labels: channel is 0 */
	struct list nodes;
	unsigned n_killed;
	struct {
		node_killed_fn fn;
		void *userdata;
	} killed[KILLED_MAX];
	node_changed_fn changed;
	void *changed_userdata;
};

int node_list_new(struct node_list **ret)
{
	_cleanup_(node_list_freep) struct node_list *list = NULL;

	list = calloc(1, sizeof(*list));
	if (!list)
		return -ENOMEM;
	list_init(&list->nodes);
	list->by_uuid = hashmap_new(sizeof(struct uuid));
	list->by_id = hashmap_new(sizeof(uint16_t));
	list->by_addr = hashmap_new(sizeof(struct hifi_addr));
	if (!list->by_uuid || !list->by_id || !list->by_addr)
		return -ENOMEM;

	*ret = TAKE_PTR(list);
	return 0;
}

struct node_list *node_list_free(struct node_list *list)
{
	if (!list)
		return NULL;

	node_list_for_each (list, node)
		free(node);
	hashmap_free(list->by_uuid);
	hashmap_free(list->by_id);
	hashmap_free(list->by_addr);
	free(list);
	return NULL;
}

void node_list_on_killed(struct node_list *list, node_killed_fn fn, void *userdata)
{
	assert(list->n_killed < KILLED_MAX);
	list->killed[list->n_killed].fn = fn;
	list->killed[list->n_killed++].userdata = userdata;
}

void node_list_on_changed(struct node_list *list, node_changed_fn fn, void *userdata)
{
	assert(!list->changed);
	list->changed = fn;
	list->changed_userdata = userdata;
}

static void tell_changed(struct node_list *list, struct node *node)
{
	if (list->changed)
		list->changed(list->changed_userdata, node);
}

/* --- the look-up by address --- */

static struct hifi_addr label_of(const struct hifi_addr *addr)
{
	struct hifi_addr label = *addr;

	label.channel = 0;
	return label;
}

static void index_addr(struct node_list *list, struct node *node, const struct hifi_addr *addr)
{
	struct hifi_addr label = label_of(addr);

	/* 0.0.0.0 stands for "unknown" and would be found for everybody. */
	if (!hifi_addr_is_set(addr) || (hifi_addr_is_any(addr) && addr->type == SOCKET_TYPE_UDP))
		return;
	/* The younger of two wins. Without memory the node is still found by its UUID and id. */
	(void) hashmap_remove(list->by_addr, &label);
	(void) hashmap_insert(list->by_addr, &label, node);
}

static void unindex_addr(struct node_list *list, struct node *node, const struct hifi_addr *addr)
{
	struct hifi_addr label = label_of(addr);

	if (hashmap_find(list->by_addr, &label) == node)
		(void) hashmap_remove(list->by_addr, &label);
}

static void index_node(struct node_list *list, struct node *node)
{
	index_addr(list, node, &node->local_addr);
	index_addr(list, node, &node->public_addr);
	index_addr(list, node, &node->symmetric_addr);
	index_addr(list, node, &node->active);
}

static void unindex_node(struct node_list *list, struct node *node)
{
	unindex_addr(list, node, &node->local_addr);
	unindex_addr(list, node, &node->public_addr);
	unindex_addr(list, node, &node->symmetric_addr);
	unindex_addr(list, node, &node->active);
}

/* --- adding and removing --- */

int node_list_add(struct node_list *list, const struct uuid *uuid, uint16_t local_id, char type,
		  uint64_t now_usec, struct node **ret)
{
	_cleanup_free_ struct node *node = NULL;
	int r;

	node = calloc(1, sizeof(*node));
	if (!node)
		return -ENOMEM;
	node->uuid = *uuid;
	node->type = type;
	node->added_usec = node->heard_usec = now_usec;
	list_init(&node->changed);
	node->slot = -1;

	r = hashmap_insert(list->by_uuid, uuid, node);
	if (r < 0)
		return r;
	r = node_list_set_local_id(list, node, local_id);
	if (r < 0) {
		(void) hashmap_remove(list->by_uuid, uuid);
		return r;
	}

	list_append(&list->nodes, &node->list);
	*ret = TAKE_PTR(node);
	return 0;
}

void node_list_remove(struct node_list *list, struct node *node)
{
	for (unsigned i = 0; i < list->n_killed; i++)
		list->killed[i].fn(list->killed[i].userdata, node);

	unindex_node(list, node);
	(void) hashmap_remove(list->by_uuid, &node->uuid);
	if (node->local_id != 0)
		(void) hashmap_remove(list->by_id, &node->local_id);
	list_remove(&node->list);
	list_remove(&node->changed);
	free(node);
}

void node_list_clear(struct node_list *list)
{
	struct node *node;

	while ((node = node_list_first(list)))
		node_list_remove(list, node);
}

/* --- finding --- */

struct node *node_list_find(const struct node_list *list, const struct uuid *uuid)
{
	return hashmap_find(list->by_uuid, uuid);
}

struct node *node_list_find_by_id(const struct node_list *list, uint16_t local_id)
{
	return local_id == 0 ? NULL : hashmap_find(list->by_id, &local_id);
}

struct node *node_list_find_by_addr(const struct node_list *list, const struct hifi_addr *addr)
{
	struct hifi_addr label = label_of(addr);

	return hashmap_find(list->by_addr, &label);
}

struct node *node_list_find_solo(const struct node_list *list, char type)
{
	node_list_for_each (list, node)
		if (node->type == type && node_type_is_solo(type))
			return node;
	return NULL;
}

unsigned node_list_size(const struct node_list *list)
{
	return (unsigned) hashmap_size(list->by_uuid);
}

unsigned node_list_count(const struct node_list *list, char type)
{
	unsigned n = 0;

	node_list_for_each (list, node)
		n += node->type == type;
	return n;
}

struct node *node_list_first(const struct node_list *list)
{
	return LIST_FIRST(&list->nodes, struct node, list);
}

struct node *node_list_next(const struct node_list *list, const struct node *node)
{
	return node->list.next == &list->nodes ? NULL
					       : LIST_ITEM(node->list.next, struct node, list);
}

/* --- changing --- */

int node_list_set_local_id(struct node_list *list, struct node *node, uint16_t local_id)
{
	int r;

	if (node->local_id == local_id)
		return 0;
	if (local_id != 0) {
		r = hashmap_insert(list->by_id, &local_id, node);
		if (r < 0)
			return r;
	}
	if (node->local_id != 0)
		(void) hashmap_remove(list->by_id, &node->local_id);
	node->local_id = local_id;
	tell_changed(list, node);
	return 0;
}

void node_list_set_addresses(struct node_list *list, struct node *node,
			     const struct hifi_addr *public_addr,
			     const struct hifi_addr *local_addr)
{
	bool same = hifi_addr_equal(&node->public_addr, public_addr) &&
		    hifi_addr_equal(&node->local_addr, local_addr);

	/* Even so: the younger of two that share an address is found. */
	unindex_node(list, node);
	node->public_addr = *public_addr;
	node->local_addr = *local_addr;
	index_node(list, node);
	if (!same)
		tell_changed(list, node);
}

void node_list_set_symmetric(struct node_list *list, struct node *node,
			     const struct hifi_addr *addr)
{
	unindex_node(list, node);
	node->symmetric_addr = *addr;
	index_node(list, node);
	tell_changed(list, node);
}

void node_list_activate(struct node_list *list, struct node *node, const struct hifi_addr *addr)
{
	unindex_node(list, node);
	node->active = addr ? *addr : (struct hifi_addr){0};
	index_node(list, node);
	tell_changed(list, node);
}

void node_list_set_secret(struct node_list *list, struct node *node, const struct uuid *secret)
{
	if (node->has_secret && uuid_equal(&node->secret, secret))
		return;
	node->has_secret = true;
	node->secret = *secret;
	hmac_key_init(&node->key, secret);
	tell_changed(list, node);
}
