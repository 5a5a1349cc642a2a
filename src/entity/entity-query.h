/* EntityQuery (42): what a viewer wants to be told (protocol 06a section 6). Pure. */
#pragma once

#include "base/bytes.h"
#include "base/packed.h"

#define ENTITY_QUERY_VIEWS_MAX       16
#define ENTITY_QUERY_WANT_COMPLETION 0x0001

/* A cone of sight. */
struct entity_view {
	struct vec3 position;  /* m */
	struct vec3 direction; /* unit vector */
	float half_angle;      /* radians */
	float far_clip;        /* m */
	float centre_radius;   /* m: all around is seen up to here */
};

struct entity_query {
	uint16_t connection_id; /* any change: forget what this viewer was sent */
	uint8_t n_views;        /* 0: everything, wherever it is */
	struct entity_view views[ENTITY_QUERY_VIEWS_MAX];
	int32_t max_packets_per_second;
	float size_scale;
	int32_t boundary_level_adjust;
	struct span filter; /* Qt binary JSON, borrowed; empty: the one before stays */
	uint16_t flags;     /* ENTITY_QUERY_WANT_COMPLETION */
};

/* Whole or not at all: -EBADMSG leaves the previous query in force. */
int entity_query_decode(struct span payload, struct entity_query *ret);
void entity_query_encode(struct writer *wr, const struct entity_query *query);
