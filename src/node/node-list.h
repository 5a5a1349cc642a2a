/* All nodes this process knows, found in O(1) by UUID, local id and address. Owns the nodes. One
 * thread.
 */
#pragma once

#include "node/node.h"

struct node_list;

/* Called for a node that is about to be freed; the node is still complete and still listed. */
typedef void (*node_killed_fn)(void *userdata, struct node *node);

int node_list_new(struct node_list **ret);
struct node_list *node_list_free(struct node_list *list); /* without calling killed */
DEFINE_CLEANUP_FUNC(struct node_list *, node_list_free);

/* Called by node_list_remove(). */
void node_list_on_killed(struct node_list *list, node_killed_fn fn, void *userdata);

/* Called after addresses, activity, local id or secret of a node changed. At most one. */
typedef void (*node_changed_fn)(void *userdata, struct node *node);
void node_list_on_changed(struct node_list *list, node_changed_fn fn, void *userdata);

/* A new node with this identity, already listed. -EEXIST when the UUID or a non-zero local id is
 * taken, -ENOMEM. */
int node_list_add(struct node_list *list, const struct uuid *uuid, uint16_t local_id, char type,
		  uint64_t now_usec, struct node **ret);
void node_list_remove(struct node_list *list, struct node *node);
void node_list_clear(struct node_list *list);

struct node *node_list_find(const struct node_list *list, const struct uuid *uuid);
struct node *node_list_find_by_id(const struct node_list *list, uint16_t local_id);
/* By any of the node's addresses. A WebRTC address is looked up by its label, whatever the channel;
 * when two nodes share an address the younger is found. */
struct node *node_list_find_by_addr(const struct node_list *list, const struct hifi_addr *addr);
/* The one node of a solo type, or NULL. */
struct node *node_list_find_solo(const struct node_list *list, char type);
unsigned node_list_size(const struct node_list *list);
unsigned node_list_count(const struct node_list *list, char type);

/* 0, or -EEXIST when another node has that id. */
int node_list_set_local_id(struct node_list *list, struct node *node, uint16_t local_id);
void node_list_set_addresses(struct node_list *list, struct node *node,
			     const struct hifi_addr *public_addr,
			     const struct hifi_addr *local_addr);
void node_list_set_symmetric(struct node_list *list, struct node *node,
			     const struct hifi_addr *addr);
/* addr becomes the node's active address; NULL deactivates it. */
void node_list_activate(struct node_list *list, struct node *node, const struct hifi_addr *addr);
void node_list_set_secret(struct node_list *list, struct node *node, const struct uuid *secret);

/* Iteration; the current node may be removed. */
struct node *node_list_first(const struct node_list *list);
struct node *node_list_next(const struct node_list *list, const struct node *node);
#define node_list_for_each(list, node)                                      \
	for (struct node *node = node_list_first(list),                     \
			 *_next = node ? node_list_next(list, node) : NULL; \
	     node; node = _next, _next = node ? node_list_next(list, node) : NULL)
