/* Who talks, and in which voice. Read only after it is made. */
#pragma once

#include "load/options.h"
#include "load/voice.h"

struct cast {
	const struct codec_ops *codec; /* that clients offer; raw PCM when they do not negotiate */
	unsigned n_talkers;
	unsigned n_voices; /* one, or one for each talker */
	struct voice **voices;
	double tone_amplitude;
};

int cast_init(struct cast *cast, const struct load_options *options);
void cast_done(struct cast *cast);

/* The first clients are the talkers. */
static inline bool cast_talks(const struct cast *cast, unsigned client)
{
	return client < cast->n_talkers;
}
const struct voice *cast_voice(const struct cast *cast, unsigned client);
