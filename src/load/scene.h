/* What the clients of a run have in common. One thread. */
#pragma once

#include "load/cast.h"
#include "load/chat-log.h"
#include "load/measures.h"
#include "load/options.h"
#include "load/sessions.h"
#include "net/addr.h"

struct scene {
	const struct load_options *options;
	struct hifi_addr domain;
	uint32_t run_id;                     /* random */
	char interest[LOAD_MIXER_COUNT + 1]; /* node types of the mixers that are used */
	struct cast cast;
	struct sessions sessions;
	struct chat_log chat;
	struct measures measures;
	bool is_measuring;  /* everybody has joined */
	bool is_over;       /* nothing new is begun; what is under way may arrive */
	unsigned n_avatars; /* clients whose avatar-mixer is active */
};

int scene_init(struct scene *scene, const struct load_options *options,
	       const struct hifi_addr *domain);
void scene_done(struct scene *scene);

bool scene_uses(const struct scene *scene, enum load_mixer mixer);
