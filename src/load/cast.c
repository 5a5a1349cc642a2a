#include "load/cast.h"

#include <errno.h>

#include "load/tones.h"

static int make_voice(struct cast *cast, const struct load_options *options, unsigned i)
{
	struct prng prng = {.state = options->seed};

	return options->tone ? voice_new_tone(cast->codec, tones_frequency(i, cast->n_talkers),
					      cast->tone_amplitude, &cast->voices[i])
			     : voice_new_speech(cast->codec, &prng, &cast->voices[i]);
}

int cast_init(struct cast *cast, const struct load_options *options)
{
	struct codec_set codecs = codec_set_builtin();
	int r;

	*cast = (struct cast){
		.codec = codec_set_find(&codecs, options->codec ? options->codec : ""),
		.n_talkers = load_options_talkers(options),
	};
	if (!cast->codec)
		return -EOPNOTSUPP;
	cast->tone_amplitude = tones_amplitude(cast->n_talkers);
	cast->n_voices = options->tone ? cast->n_talkers : MIN(cast->n_talkers, 1u);
	cast->voices = calloc(MAX(cast->n_voices, 1u), sizeof(*cast->voices));
	if (!cast->voices)
		return -ENOMEM;
	for (unsigned i = 0; i < cast->n_voices; i++) {
		r = make_voice(cast, options, i);
		if (r < 0)
			return r;
	}
	return 0;
}

void cast_done(struct cast *cast)
{
	for (unsigned i = 0; i < cast->n_voices && cast->voices; i++)
		voice_free(cast->voices[i]);
	free(cast->voices);
	*cast = (struct cast){0};
}

const struct voice *cast_voice(const struct cast *cast, unsigned client)
{
	return cast->voices[client % cast->n_voices];
}
