/* All that a run counts, over all clients. */
#pragma once

#include "base/histogram.h"
#include "load/faults.h"
#include "node/node.h"

/* The mixers of a domain that clients use. X(CONSTANT, node type, name, member of struct
 * load_options) */
#define LOAD_MIXERS(X)                         \
	X(AUDIO, 'M', "audio", audio)          \
	X(AVATAR, 'W', "avatar", avatar)       \
	X(MESSAGES, 'm', "messages", messages) \
	X(ENTITY, 'o', "entity", entities)

enum load_mixer {
#define X(constant, ...) LOAD_MIXER_##constant,
	LOAD_MIXERS(X)
#undef X
		LOAD_MIXER_COUNT,
};

/* LOAD_MIXER_COUNT for any other type. */
enum load_mixer load_mixer_of(char node_type);
const char *load_mixer_name(enum load_mixer mixer);

/* The whole run, from the first client on. */
struct run_measures {
	uint64_t connections; /* times a client had all its mixers */
	uint64_t ended;       /* sessions that the domain ended, or that went silent */
	uint64_t mixers_lost; /* while the session lasted */
	uint64_t denied;
	uint64_t departures; /* that we wanted */
	uint64_t codecs_refused;
	struct histogram connect; /* from the first packet to all mixers active */
	struct fault_counts faults;
	/* At the endpoints of clients that are gone. */
	struct drop_counts drops;
	uint64_t kernel_drops, send_drops;
};

/* The time that is measured: everybody has joined. */
struct traffic_measures {
	/* The audio-mixer's stream to each listener. */
	uint64_t listener_frames; /* periods of 10 ms of all listeners */
	uint64_t mixes, silent_frames;
	uint64_t audio_lost;
	uint64_t audio_gaps;           /* no packet for AUDIO_GAP_USEC */
	struct histogram audio_jitter; /* |interval − 10 ms| */

	uint64_t pair_frames; /* periods of 10 ms of all pairs of avatars */
	uint64_t avatar_updates;
	struct histogram move_latency;
	struct histogram move_interval; /* between updates of one avatar at one client */
	struct histogram near_interval; /* the same of those in talking distance */

	uint64_t chats_sent, chats_received;
	/* Of people who are not of this run. */
	uint64_t others_records, others_chats;
	struct histogram chat_latency;

	uint64_t entity_packets;

	/* This program itself. */
	struct histogram lateness;
};

/* Not reset: joining is part of it. */
struct entity_measures {
	uint64_t queries;
	struct histogram completion; /* from the query to its completion */
};

struct measures {
	struct run_measures run;
	struct traffic_measures traffic;
	struct entity_measures entities;
	struct node_traffic gone[LOAD_MIXER_COUNT]; /* with nodes that were removed */
};

static inline void measures_fault(struct measures *m, enum fault fault)
{
	m->run.faults.n[fault]++;
}

void node_traffic_add(struct node_traffic *sum, const struct node_traffic *t);
/* a − b, field by field. */
void node_traffic_subtract(const struct node_traffic *a, const struct node_traffic *b,
			   struct node_traffic *ret);
