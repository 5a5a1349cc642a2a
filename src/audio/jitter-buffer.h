/* Holds the frames of one stream until their turn, and decides how many to hold (03 section 6). It
 * knows frames, sequence numbers and times, not codecs: its owner turns packets into frames, makes
 * the frames that stand in for lost ones, and passes the time in. */
#pragma once

#include "audio/audio-packets.h"

#define JITTER_RING_FRAMES 100
/* Frames above the desired number that are tolerated before the oldest go. */
#define JITTER_MAX_OVER 10

struct jitter_config {
	bool dynamic;
	/* Frames to hold when not dynamic; at least 1. */
	unsigned static_frames;
};

enum jitter_pop {
	JITTER_POP_FRAME,   /* *ret is the next frame */
	JITTER_POP_CONCEAL, /* ran dry just now: the owner makes a frame up */
	JITTER_POP_NONE,    /* waiting for enough frames */
};

struct jitter_buffer;

/* -ENOMEM is the only failure. */
int jitter_buffer_new(const struct jitter_config *config, unsigned channels,
		      struct jitter_buffer **ret);
struct jitter_buffer *jitter_buffer_free(struct jitter_buffer *jitter);
DEFINE_CLEANUP_FUNC(struct jitter_buffer *, jitter_buffer_free);

/* --- one packet: _receive, then the frames, then _settle --- */

/* Counts the packet. *ret_lost is how many frames have to be made up for lost packets: they are
 * written first, with jitter_buffer_write(). Returns true when the packet's own frame is to be
 * written after them, false when it came too late to be of use. */
bool jitter_buffer_receive(struct jitter_buffer *jitter, uint16_t sequence, uint64_t now_usec,
			   unsigned *ret_lost);
/* One frame of all channels. A full ring loses its oldest frame. */
void jitter_buffer_write(struct jitter_buffer *jitter, const int16_t *frame);
/* One silent frame, unless there is no room or the stream is better served by catching up. */
void jitter_buffer_write_silence(struct jitter_buffer *jitter);
/* Ends the starvation once enough is there; drops what is too much. */
void jitter_buffer_settle(struct jitter_buffer *jitter, uint64_t now_usec);

/* --- once per frame --- */

enum jitter_pop jitter_buffer_pop(struct jitter_buffer *jitter, uint64_t now_usec, int16_t *ret);

/* Frames since the last starvation began that were not there, the concealed one included. */
uint32_t jitter_buffer_not_mixed(const struct jitter_buffer *jitter);
/* Frames that the widest gap of the last 50 s asks to hold. */
unsigned jitter_buffer_calculated(const struct jitter_buffer *jitter);
/* Everything in the record but the stream's type and id. */
void jitter_buffer_stats(const struct jitter_buffer *jitter, struct audio_stream_stats *ret);
