/* A node's life with its domain-server, seen from the node (protocol 02 sections 4, 10, 11.3, 12,
 * 15): asking for an assignment (assignment clients), checking in, keeping the node list, domain
 * settings, pings and activation, silence, denial. Clients of hifi-load use the same with type 'I'.
 *
 * Runs on the endpoint's loop; one thread. */
#pragma once

#include <jansson.h>

#include "node/endpoint.h"

struct domain_client;

enum domain_client_state {
	DOMAIN_CLIENT_REQUESTING, /* asks for an assignment every second */
	DOMAIN_CLIENT_CONNECTING, /* checks in, no DomainList yet */
	DOMAIN_CLIENT_SETTINGS,   /* listed; waits for its settings (assignment clients) */
	DOMAIN_CLIENT_RUNNING,
	DOMAIN_CLIENT_STOPPED,
};

struct domain_client_options {
	struct hifi_addr domain; /* the domain-server, UDP */
	/* Assignment clients: the wanted type (HAT_ANY for any) and pool; a client sets as_agent.
	 */
	bool as_agent;
	unsigned assignment_type;
	const char *pool;    /* may be NULL; borrowed, like all strings here */
	const char *version; /* nodeVersion of RequestAssignment */
	/* Agents only. */
	const char *username;
	struct uuid fingerprint;
	const char *interest; /* agents: node types, "MWom"; hats give theirs by ops->assigned */
	/* Assignment clients: where to keep the session for a successor; may be NULL. Outlives the
	 * client. */
	struct session_store *store;
};

struct domain_client_ops {
	/* An assignment came: prepare for it. Returns the interest set (node types, borrowed), or
	 * NULL to refuse it (a hat this program does not have). Assignment clients only. */
	const char *(*assigned)(void *userdata, unsigned assignment_type, struct span payload);
	/* The settings are here (NULL object never; agents: not called) and clients can be served:
	 * negative ends the assignment. */
	int (*settings)(void *userdata, const json_t *settings);
	/* Listed for the first time in this assignment or session; agents: now connected. Optional.
	 */
	void (*connected)(void *userdata);
	/* The assignment or session is over: denial, silence, a refusal. The node list is empty;
	 * the client starts over by itself unless it was stopped. Optional. */
	void (*ended)(void *userdata, const char *why);
	void (*node_added)(void *userdata, struct node *node);
	/* First proof of two-way contact, or contact through a new channel after the old one died.
	 */
	void (*node_activated)(void *userdata, struct node *node);
	/* Free node->data here. */
	void (*node_killed)(void *userdata, struct node *node);
	/* The domain said no. Optional. */
	void (*denied)(void *userdata, unsigned reason, const char *message);
	/* With a store: what a successor has to know of a node, and its reading of it, after
	 * node_added. Negative: the node is not taken over. When it changes:
	 * session_store_touch_node(). */
	void (*save_node)(void *userdata, const struct node *node, struct writer *wr);
	int (*restore_node)(void *userdata, struct node *node, struct reader *rd);
};

/* Takes over the handlers of domain packets, pings and signalling at the endpoint, and the
 * endpoint's channel callbacks must be forwarded to domain_client_channel_*(). */
int domain_client_new(sd_event *event, struct endpoint *ep, struct node_list *nodes,
		      const struct domain_client_options *options,
		      const struct domain_client_ops *ops, void *userdata,
		      struct domain_client **ret);
/* Takes over the predecessor's session, if there is one to take over: the same callbacks come as if
 * it had been assigned just now, but for connected and node_activated. When the domain-server does
 * not know the session any more, it ends as usual. Once, before the loop runs. Returns whether. */
bool domain_client_restore(struct domain_client *dc);
/* Without a loop (event NULL), every 10 ms or so: checks in and pings when it is time. */
void domain_client_run(struct domain_client *dc, uint64_t now_usec);
/* Says goodbye (DomainDisconnectRequest) when connected. */
struct domain_client *domain_client_free(struct domain_client *dc);
DEFINE_CLEANUP_FUNC(struct domain_client *, domain_client_free);

void domain_client_channel_opened(struct domain_client *dc, const struct hifi_addr *addr);
void domain_client_channel_closed(struct domain_client *dc, const struct hifi_addr *addr,
				  enum webrtc_close_reason reason);

/* Ends the present assignment or session and starts over. */
void domain_client_end(struct domain_client *dc, const char *why);

enum domain_client_state domain_client_state(const struct domain_client *dc);
const char *domain_client_state_name(enum domain_client_state state);
struct uuid domain_client_session(const struct domain_client *dc);
uint32_t domain_client_permissions(const struct domain_client *dc);
/* Sends NodeJsonStats; takes the reference. */
int domain_client_send_stats(struct domain_client *dc, json_t *stats);
