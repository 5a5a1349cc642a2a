/* Shared by avatar-mixer.c (the hat) and avatar-mixer-stats.c (what it reports). */
#pragma once

#include "assignment-client/hat.h"
#include "avatar/crowd.h"
#include "avatar/throttle.h"
#include "base/event.h"
#include "base/recent-times.h"

#define AVATAR_FRAME_USEC (USEC_PER_SEC / AVATAR_TICKS_PER_SECOND)

/* node->data of agents and entity script servers. */
struct avatar_client {
	struct avatar_mixer *mixer;
	struct node *node;
	struct crowd_member *member;
	bool may_have_entities;
	struct backpressure pressure;
	struct node_traffic reported_traffic;
	uint64_t out_of_order; /* ever */
};

/* Packet types in the order of avatar-mixer.c's table. */
#define AVATAR_HANDLERS_MAX 12

/* Since the last report. */
struct avatar_mixer_counts {
	unsigned frames, served;
	uint64_t frame_usec;
	uint64_t handler_usec[AVATAR_HANDLERS_MAX];
};

struct avatar_mixer {
	struct hat_context context;
	struct crowd *crowd;
	unsigned n_clients;
	struct event_timer *timer; /* only while somebody is here */
	struct model_whitelist *whitelist;
	char *replacement;
	unsigned budget_bytes; /* of a listener's frame */
	unsigned threads;

	struct avatar_mixer_counts counts;
	uint64_t reported_usec;
	struct recent_times frame_times;
	struct throttle throttle;
};

/* How upstream calls the work on a packet type in its statistics; i up to AVATAR_HANDLERS_MAX.
 * NULL: counted as avatar data. */
const char *avatar_mixer_handler_name(unsigned i);

json_t *avatar_mixer_stats(void *hat);
void avatar_mixer_status(void *hat, char *buf, size_t size);
