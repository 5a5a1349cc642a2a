/* One simulated client: a native client of the protocol with a socket of its own, and a part for
 * each mixer. It connects when it joins, and again by itself whenever its session ends. */
#pragma once

#include "load/audio-part.h"
#include "load/avatar-part.h"
#include "load/entity-part.h"
#include "load/messages-part.h"
#include "load/part.h"
#include "load/scene.h"
#include "load/walker.h"
#include "node/domain-client.h"

struct client {
	struct scene *scene;
	unsigned index;
	struct prng prng;
	struct walker walker;

	/* While it is joined, else NULL. */
	struct node_list *nodes;
	struct endpoint *ep;
	struct domain_client *dc;

	struct session *session; /* while it is connected */
	uint64_t asked_usec;     /* when it began to connect */
	bool is_complete;        /* all mixers are active */
	bool is_leaving;

	/* Active mixers; NULL while there is no contact. */
	struct node *mixers[LOAD_MIXER_COUNT];
	struct client_audio audio;
	struct client_avatar avatar;
	struct client_messages messages;
	struct client_entities entities;
};

/* 0 or -ENOMEM; client_done() is allowed either way. */
int client_init(struct client *c, struct scene *scene, unsigned index);
void client_done(struct client *c);

/* Opens the socket and starts to connect. 0 or -errno. */
int client_join(struct client *c, uint64_t now_usec);
/* Says goodbye and closes everything; what went wrong at its endpoint counts as faults. */
void client_leave(struct client *c);
static inline bool client_is_joined(const struct client *c)
{
	return c->dc;
}

/* Reads what arrived. */
void client_receive(struct client *c);
/* Every 10 ms while it is joined. */
void client_frame(struct client *c, uint64_t frame, uint64_t now_usec);

/* Adds what it exchanged with the mixers it has now. */
void client_add_traffic(const struct client *c, struct node_traffic sum[static LOAD_MIXER_COUNT]);

/* To the mixer of a running part. Returns like endpoint_send_node() and its siblings. */
int client_send(struct client *c, enum load_mixer mixer, enum packet_type type,
		const struct writer *wr);
int client_send_reliable(struct client *c, enum load_mixer mixer, enum packet_type type,
			 const struct writer *wr);
int client_send_message(struct client *c, enum load_mixer mixer, enum packet_type type,
			const struct writer *wr);
