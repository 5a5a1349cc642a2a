#include "load/ear.h"

#include <errno.h>
#include <string.h>

#define STEREO_FRAME (2 * AUDIO_FRAME_SAMPLES)
/* A decoder that starts in the middle of a stream needs these. */
#define SETTLE_FRAMES 5

void ear_done(struct ear *ear)
{
	codec_decoder_free(ear->decoder);
	free(ear->pcm);
	*ear = (struct ear){0};
}

int ear_open(struct ear *ear, const struct codec_ops *codec)
{
	int r;

	ear_done(ear);
	r = codec_decoder_new(codec, 2, &ear->decoder);
	if (r < 0)
		return r;
	ear->pcm = calloc(TONES_WINDOW_FRAMES * STEREO_FRAME, sizeof(*ear->pcm));
	if (!ear->pcm) {
		ear_done(ear);
		return -ENOMEM;
	}
	return 0;
}

int ear_listen(struct ear *ear, uint16_t sequence, struct span frame)
{
	unsigned at;
	int r;

	if (ear->n > 0 && sequence != ear->next_sequence)
		ear->n = 0;
	ear->next_sequence = (uint16_t) (sequence + 1);

	at = ear->n < SETTLE_FRAMES ? 0 : ear->n - SETTLE_FRAMES;
	r = codec_decode(ear->decoder, frame.data, frame.len, ear->pcm + at * STEREO_FRAME);
	if (r < 0)
		return r;
	return ++ear->n == SETTLE_FRAMES + TONES_WINDOW_FRAMES;
}

void ear_prepare(struct ear *ear, float ret[static 2 * TONES_WINDOW_SAMPLES])
{
	tones_prepare(ear->pcm, ret);
	ear_done(ear);
}
