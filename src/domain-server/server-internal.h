/* What the parts of the domain-server share: the server itself and what it knows of each node. Only
 * for files of this folder. One thread. */
#pragma once

#include <jansson.h>
#include <systemd/sd-event.h>

#include "base/config.h"
#include "base/event.h"
#include "base/list.h"
#include "base/log.h"
#include "domain-server/assignments.h"
#include "domain-server/certificate.h"
#include "domain-server/gatekeeper.h"
#include "domain-server/http-server.h"
#include "domain-server/local-ids.h"
#include "domain-server/pair-secrets.h"
#include "domain-server/server.h"
#include "domain-server/signalling-server.h"
#include "domain-server/tls-listener.h"
#include "node/domain-packets.h"
#include "node/endpoint.h"
#include "node/permissions.h"
#include "node/session-store.h"

struct server {
	sd_event *event;
	struct server_options options;
	struct schema *schema;
	struct config *config;

	struct uuid id; /* of the domain */
	bool has_random_id;
	uint16_t local_id;
	bool is_authenticated; /* nodes sign their packets to each other */
	uint64_t started_usec;
	struct pair_secrets *secrets;
	struct local_ids local_ids;
	struct hifi_addr own[WEBRTC_CANDIDATES_MAX]; /* this machine's addresses */
	size_t n_own;

	struct gatekeeper *gatekeeper;
	struct assignments *assignments;

	struct node_list *nodes;
	struct session_store *store; /* NULL when there is none to be had */
	struct list mixers, agents;  /* struct resident: all nodes, by what they are */
	unsigned n_unproven;
	struct domain_node_record *records; /* scratch of server_send_list() */
	size_t n_records;

	struct endpoint *ep;
	struct signalling_server *signalling;
	struct http_server *http, *admin, *exporter;
	uint16_t http_port;            /* as bound */
	struct logins *logins;         /* to the panel */
	struct background *background; /* for passwords */
	struct web_files *web_files; /* of the panel; NULL when they are not installed */
	struct events *events;       /* for the panel */
	struct certificate *certificate;
	struct http_server *https; /* with https_listener, or neither */
	struct tls_listener *https_listener;
	struct log_ratelimit denied_log;
	struct event_timer *tick;
	uint64_t next_expiry_usec;
	unsigned told_people, told_mixers; /* what the service manager last heard */
};

/* What the domain-server knows of a node: node->data. */
struct resident {
	struct server *server;
	struct node *node;
	struct list link; /* server->mixers or agents */

	char interests[DOMAIN_INTEREST_MAX + 1]; /* node types it wants to be told of */
	char *username;                          /* verified, else NULL */
	char *claimed_username;                  /* never NULL, like the next two */
	char *place_name;
	char *hardware_address;
	struct uuid machine_fingerprint;
	struct uuid connect_uuid; /* of its connect request */

	struct assignment *assignment; /* NULL for people */
	char version[ASSIGNMENT_VERSION_MAX];
	json_t *stats; /* what it last reported, or NULL */

	/* Packets sent to its address reach it: ICE has shown so, or it came back with the id we
	 * sent there. Before that nobody is told of it, nor it of anybody (docs/architecture.md,
	 * trust). */
	bool is_proven;
	uint64_t checked_in_usec; /* its last DomainListRequest, 0 before */
	/* A mixer that has heard of its session and can be sent offers: web clients are told of it
	 * only from then on, because they offer once (protocol 02 section 15). */
	bool can_signal;
};

static inline struct resident *resident_of(const struct node *node)
{
	return node->data;
}

/* "audio-mixer 12345678-…", or the person's name and address, for messages. */
#define RESIDENT_TEXT_MAX 160
char *resident_format(const struct resident *r, char buf[static RESIDENT_TEXT_MAX]);
#define RESIDENT_TEXT(r) resident_format((r), (char[RESIDENT_TEXT_MAX]){0})

/* --- residents.c: their life --- */

struct resident_request {
	char type;
	const struct domain_connect_request *connect;
	struct hifi_addr from, public_addr, local_addr;
	enum dialect dialect;
	bool is_proven;
	uint32_t permissions;
	struct assignment *assignment; /* the resident's from success on */
	const char *version;
};

/* Listed, active at .from, announced to nobody yet. -ENOBUFS over a limit, -ENOMEM. */
int resident_new(struct server *s, const struct resident_request *request, uint64_t now_usec,
		 struct resident **ret);
struct resident *resident_free(struct resident *r); /* not the node */
DEFINE_CLEANUP_FUNC(struct resident *, resident_free);
/* Tells those who knew it, and frees resident and node. */
void resident_kill(struct resident *r, const char *why);
/* Tells everybody who wants to know of it, now that it is proven. */
void resident_announce(struct resident *r);
/* A mixer was heard after its connect request; announces it to web clients the first time. */
void resident_set_can_signal(struct resident *r);
void resident_set_proven(struct resident *r);
/* Takes the addresses, interests and place name of a check-in. 0 or -ENOMEM. */
int resident_update(struct resident *r, const struct domain_check_in *check_in);
/* Sends the DomainList that answers a request. At most max_len bytes of payload, though always the
 * header. */
void resident_send_list(struct resident *r, uint64_t request_time, uint64_t received_usec,
			bool is_new_connection, size_t max_len);
/* A web client is taken from the mixer's world and put back, so that it offers again (02 section
 * 15). */
void resident_redial(struct resident *client, struct resident *mixer);
/* Frees all, tells nobody: the process ends. */
void residents_free(struct server *s);
/* Kills who was silent too long. */
void residents_expire(struct server *s, uint64_t now_usec);
/* Everybody's rights anew; kills who may no longer be here. */
void residents_recheck(struct server *s);
/* The subject that the gatekeeper judges. */
struct gatekeeper_subject resident_subject(const struct resident *r);
unsigned residents_count_people(const struct server *s);

/* --- succession.c: what a successor takes over --- */

/* After the node list, before the endpoint. */
void succession_open(struct server *s);
/* Takes the predecessor's domain over if there is one to take over; then everything that may be
 * needed is there. 0 or -ENOMEM. */
int succession_restore(struct server *s);
/* What is kept of the domain, or of a resident beside its node, changed. */
void succession_touch(struct server *s);
void resident_touch(struct resident *r);

/* What was kept of a resident beside its node; the assignment is apart. Pure. -EBADMSG, -ENOMEM:
 * both are still to be freed. */
struct resident_assignment {
	bool exists;
	uint8_t type;
	struct uuid id;
	char *pool, *payload;
};
int resident_decode(struct reader *rd, struct resident *r, struct resident_assignment *ret);
void resident_assignment_done(struct resident_assignment *a);

/* --- packet handlers of the other files --- */

void connect_register(struct server *s);
void connect_version_mismatch(struct server *s, const struct hifi_addr *from,
			      const struct packet *packet);
void assigning_register(struct server *s);
void moderation_register(struct server *s);
void settings_register(struct server *s);
void relay_register(struct server *s);

/* --- moderation.c --- */

/* Removes the node and takes its right to come back, as a kick by somebody inside does. flags: enum
 * ban_flags, or -1 when none were given. 0; -EPERM when it is on this machine; what storing the
 * settings says. */
int moderation_kick(struct server *s, struct resident *target, int flags);

/* --- relay.c --- */

/* A message from a browser's WebSocket. */
void relay_from_client(void *userdata, const struct hifi_addr *label, const char *json, size_t len);

/* --- status.c: new references, NULL when out of memory --- */

json_t *status_nodes(const struct server *s);
json_t *status_node(const struct resident *r); /* its last statistics */
json_t *status_assignments(const struct server *s);
json_t *status_everything(const struct server *s);

/* --- panel.c --- */

/* What the panel shows, in a form that changes little from second to second: people and mixers by
 * UUID, no nulls. New reference, NULL when out of memory. userdata is the server. */
json_t *panel_document(void *userdata);

/* --- settings.c --- */

/* Reads the configuration and puts it to work; logs what is wrong. On failure what was running
 * stays. */
int settings_load(struct server *s);
/* Changes what the file says, as it is now, so that nothing written into it by hand is lost; then
 * stores it and puts it to work: all or nothing. -EINVAL or -ENOENT with the reasons in report, or
 * why the file cannot be read or stored. */
typedef int (*settings_change_fn)(struct server *s, struct config *config, const void *userdata,
				  struct config_report *report);
int settings_change(struct server *s, settings_change_fn change, const void *userdata,
		    struct config_report *report);
/* So with {"group": {"name": value}, "name": value}, … */
int settings_merge(struct server *s, const json_t *changes, struct config_report *report);
/* … and with one setting, "group.name", from what was typed on a command line. */
int settings_set_text(struct server *s, const char *setting, const char *text,
		      struct config_report *report);
/* All values with defaults, without the hidden ones. New reference, NULL when out of memory. */
json_t *settings_to_json(const struct server *s);

/* --- secure.c --- */

/* Puts what the configuration says of certificate, HTTPS port and origins to work; logs what cannot
 * be. To be called again when the configuration changes. */
void secure_apply(struct server *s);

/* --- exporter.c --- */

/* Serves metrics, if configured. Without the port the domain goes on: logs why. */
void exporter_open(struct server *s);

/* --- routes.c --- */

/* Files and JSON; userdata is the server. */
void routes_handle(void *userdata, const struct http_request *request, struct http_reply *reply);
