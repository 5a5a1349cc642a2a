/* Listening to mixes for the tones of the talkers: now and then a window of consecutive frames is
 * decoded and searched. */
#pragma once

#include <stdbool.h>

#include "audio/codec.h"
#include "load/tones.h"

/* Zero-initialised is an ear that has never listened. */
struct ear {
	struct codec_decoder *decoder;
	unsigned n; /* frames decoded of this window, those for the decoder to settle included */
	uint16_t next_sequence;
	int16_t *pcm; /* a window while listening, else NULL */
};

void ear_done(struct ear *ear);

/* Begins a window, or begins it again. 0 or -errno. */
int ear_open(struct ear *ear, const struct codec_ops *codec);
static inline bool ear_is_open(const struct ear *ear)
{
	return ear->pcm;
}
/* Takes one frame of the stream. 1 when it completes the window, which ear_prepare() then hands
 * out. A gap in the sequence begins the window again. -EBADMSG for a frame that does not decode. */
int ear_listen(struct ear *ear, uint16_t sequence, struct span frame);
/* The complete window, ready for tones_measure(); ends it. */
void ear_prepare(struct ear *ear, float ret[static 2 * TONES_WINDOW_SAMPLES]);
