/* Shared by the parts of the mix: who is there (mix.c), with what ears (mix-ears.c), and what each
 * hears (mix-listen.c). */
#pragma once

#include "audio/gain.h"
#include "audio/limiter.h"
#include "audio/mix.h"
#include "audio/spectral.h"

struct mix_ears {
	struct renderer *renderer;
	struct spectral *spectral;
};

/* What a node asked for about an id. */
struct mix_opinion {
	struct uuid id;
	bool ignored, soloed;
	float gain;
};

/* The same about a connected node, both ways, found by the other's slot. */
struct mix_relation {
	bool ignores, ignored_by, soloes;
	float gain;
};

/* One stream, in a slot of its own. */
struct mix_source {
	struct inbound_stream *stream;
	struct mix_node *node;
	unsigned slot;
	/* Tells sources that had the same slot one after the other. */
	uint32_t generation;

	/* As of mix_pop(). Without a spectrum it is rendered exactly. */
	bool has_spectrum;
	struct spectrum spectrum;

	/* As of mix_settle(). */
	bool quiet, was_quiet;
	uint64_t zones;
};

/* How a listener heard the source in one slot last. */
struct mix_pair {
	uint32_t generation; /* of the source, 0 = none */
	enum mix_list list;
	/* Sources that are not placed have only gain[HRTF_LEFT]. */
	struct render_params last;
};

struct mix_node {
	const struct mix *mix;
	struct uuid id;
	unsigned slot;

	float avatar_gain, injector_gain;
	bool bubble, hears_ignorers;
	size_t n_opinions, n_soloed;
	struct mix_opinion *opinions;
	struct mix_relation *relations; /* by node slot */

	size_t n_sources;
	struct mix_source *sources[1 + MIX_INJECTORS_MAX];
	struct mix_source *microphone; /* one of those, or NULL */

	/* As a listener. */
	size_t n_pairs;
	struct mix_pair *pairs; /* by source slot */
	struct limiter limiter;
	bool flush;

	/* As of mix_settle(). */
	bool has_box;
	struct ignore_box box;
	uint64_t zones;
};

struct mix {
	struct mix_ears *ears;
	/* Those before them, heard for the last time in the frame that fades; or NULL. */
	struct mix_ears *old_ears;
	bool fading;
	bool exact;
	const struct acoustics *space;
	uint32_t generation;

	/* Both have holes where something was removed. */
	size_t n_nodes, n_sources;
	struct mix_node **nodes;
	struct mix_source **sources;
};

/* The next frame begins: it is the one that fades, or the ears before are done with. */
void mix_settle_ears(struct mix *mix);
