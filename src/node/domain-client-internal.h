/* Shared by domain-client.c and domain-client-session.c (the session that outlives the process). */
#pragma once

#include "base/event.h"
#include "node/domain-client.h"
#include "node/session-store.h"

struct domain_client {
	struct endpoint *ep;
	struct node_list *nodes;
	struct domain_client_options options;
	const struct domain_client_ops *ops;
	void *userdata;

	enum domain_client_state state;
	struct hifi_addr domain;     /* options.domain, or whoever gave us the assignment */
	struct hifi_addr local_addr; /* what we say our LAN address is */
	struct uuid connect_uuid;    /* of the assignment */
	struct uuid session;
	char node_type;
	uint16_t local_id, domain_local_id;
	bool is_authenticated;
	unsigned assignment_type;
	struct shared_bytes *payload, *settings; /* of the assignment, as they came */
	const char *interest;
	uint32_t permissions;
	unsigned unanswered;
	uint64_t settings_deadline_usec;
	uint64_t connected_usec;
	bool can_redial;  /* this domain-server knows our request (signalling below) */
	bool is_restored; /* and the domain-server has not answered yet */

	struct event_timer *tick, *pings;
	uint64_t next_tick_usec, next_pings_usec; /* without a loop */
};

/* The hat starts with these settings. -EBADMSG: they are none; negative when it cannot. */
int domain_client_apply_settings(struct domain_client *dc, struct span text);
/* Clients are served from here on. */
void domain_client_run_hat(struct domain_client *dc);

extern const struct session_ops domain_client_session_ops;
