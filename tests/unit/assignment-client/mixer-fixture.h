/* A hat with real clients around it: each client is an endpoint of its own on loopback that knows
 * the mixer as a node with a secret, in one event loop. The domain-server is left out. */
#pragma once

#include <systemd/sd-event.h>

#include "assignment-client/hat.h"

#define FIXTURE_CLIENTS_MAX 8
#define FIXTURE_PACKETS_MAX 512

struct fixture_packet {
	uint8_t type;
	size_t len;
	uint8_t *data;
};

struct fixture;

struct fixture_client {
	struct fixture *fixture;
	struct node_list *nodes;
	struct endpoint *ep;
	struct uuid uuid;
	struct node *mixer; /* how the client knows the mixer */
	struct node *node;  /* how the mixer knows the client; NULL once killed */
	unsigned n_packets;
	struct fixture_packet packets[FIXTURE_PACKETS_MAX]; /* what arrived, in order */
};

struct fixture {
	sd_event *event;
	struct node_list *nodes;
	struct endpoint *ep;
	const struct hat_ops *ops;
	json_t *settings;
	void *hat; /* NULL once a test has stopped it */
	unsigned n_clients;
	struct fixture_client clients[FIXTURE_CLIENTS_MAX];
};

/* settings: JSON text, or NULL for {}. Fails the test when the hat does not start. */
void fixture_open(struct fixture *f, const struct hat_ops *ops, const char *settings);
void fixture_close(struct fixture *f);

/* A client of type I (or another node type) with these permissions, known and active on both sides.
 */
struct fixture_client *fixture_add(struct fixture *f, char type, uint32_t permissions);
/* The hat dies, and its successor gets what it saved of each client. */
void fixture_succeed(struct fixture *f);
/* The client leaves: the mixer's node dies. */
void fixture_kill(struct fixture_client *c);

void fixture_send(struct fixture_client *c, enum packet_type type, const void *data, size_t len);
void fixture_send_reliable(struct fixture_client *c, enum packet_type type, const void *data,
			   size_t len);
void fixture_send_message(struct fixture_client *c, enum packet_type type, const void *data,
			  size_t len);

/* Packets of this type that the client got so far. */
unsigned fixture_count(const struct fixture_client *c, enum packet_type type);
/* The last of them, or NULL. */
const struct fixture_packet *fixture_last(const struct fixture_client *c, enum packet_type type);
/* Runs the loop until the client has at least n of them; false after half a minute. */
bool fixture_wait(struct fixture_client *c, enum packet_type type, unsigned n);
/* Runs the loop for a while: for showing that something does not happen. */
void fixture_run(struct fixture *f, uint64_t usec);
/* Forgets what arrived. */
void fixture_clear(struct fixture_client *c);
