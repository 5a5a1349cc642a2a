/* What a client does with one mixer. A part starts when contact with its mixer is made, stops when
 * the mixer or the session is gone, and may start again. */
#pragma once

#include "load/measures.h"
#include "node/endpoint.h"

struct client;

struct part_handler {
	enum packet_type type;
	/* As packet_handler_fn; the packet is from the part's mixer. */
	int (*fn)(struct client *c, const struct received *rx);
};

struct part {
	enum load_mixer mixer;
	const struct part_handler *handlers;
	size_t n_handlers;
	/* Allocates what the client keeps for it, whole life long. 0 or -ENOMEM. Optional. */
	int (*init)(struct client *c);
	void (*done)(struct client *c); /* optional */
	/* The mixer can be sent to. */
	void (*start)(struct client *c, uint64_t now_usec);
	void (*stop)(struct client *c); /* optional */
	/* Every 10 ms while it runs; frame counts them from the start of the run. */
	void (*frame)(struct client *c, uint64_t frame, uint64_t now_usec);
};

#define FRAME_USEC (10 * USEC_PER_MSEC)

extern const struct part audio_part, avatar_part, messages_part, entity_part;
