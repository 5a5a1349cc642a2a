/* A domain-server in this process, on loopback sockets of its own, and nodes that talk to it packet
 * by packet over real UDP. */
#pragma once

#include <stdbool.h>

#include "base/file.h"
#include "domain-server/server.h"
#include "node/domain-packets.h"
#include "node/endpoint.h"

#define GUESTS_MAX  8
#define RECORDS_MAX 64

struct domain {
	sd_event *event;
	struct server *server;
	char dir[32];
	char config_path[64], admin_path[64];
	struct hifi_addr addr;
	uint16_t signalling_port, http_port;
	int notify_fd;  /* where the server talks to its service manager */
	int session_fd; /* what it gave us to hold, or -1 */
	struct guest *guests[GUESTS_MAX];
	unsigned n_guests;
};

/* One node, and what it was told. */
struct guest {
	struct domain *domain;
	struct endpoint *ep;
	struct node_list *nodes; /* stays empty */
	char type;
	const char *interests;
	struct uuid connect_uuid, fingerprint;

	unsigned counts[PACKET_TYPE_COUNT]; /* packets received */
	struct domain_list_header list;     /* the last */
	size_t last_list_len;
	struct domain_node_record known[RECORDS_MAX]; /* from lists and added-node packets */
	size_t n_known;
	struct uuid removed;
	struct domain_denied denied;
	char denied_message[256];
	struct domain_assignment offer;
	char *last_payload; /* of any other packet, NUL-terminated */
	size_t last_len;
};

/* config: contents of domain.json, or NULL for none. */
void domain_open(struct domain *d, const char *config);
void domain_close(struct domain *d);
/* Stops the server and starts it again with the file as it is now, on the same UDP port. What it
 * gave us to hold is lost. */
void domain_restart(struct domain *d);
/* The same, but the successor gets it. */
void domain_succeed(struct domain *d);
void domain_run(struct domain *d, uint64_t usec);

struct guest *guest_new(struct domain *d, char type, const char *interests);
/* The same process or person at the same address, begun anew: all memory is lost. */
void guest_forget(struct guest *g);
void guest_ask_for_assignment(struct guest *g);
void guest_connect(struct guest *g);
void guest_check_in(struct guest *g);
void guest_send(struct guest *g, enum packet_type type, const void *data, size_t len);
void guest_send_reliable(struct guest *g, enum packet_type type, const void *data, size_t len);
/* Waits until this many packets of a type have come since the beginning. */
void guest_wait(struct guest *g, enum packet_type type, unsigned count);
const struct domain_node_record *guest_knows(const struct guest *g, const struct uuid *id);
/* Asks for an assignment and takes it; returns when listed. */
void guest_become_mixer(struct guest *g);
/* Connects and checks in; returns when that was answered. */
void guest_enter(struct guest *g);

/* The text that the server replies over a stream socket, until it closes (heap). */
char *domain_http(struct domain *d, bool over_admin_socket, const char *request);
