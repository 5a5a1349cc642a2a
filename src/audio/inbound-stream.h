/* One source of sound: a microphone or an injector. Packets go in as they come; once a frame, a
 * frame comes out, as floats with enough of the past before it for the renderer's filters. */
#pragma once

#include "audio/codec.h"
#include "audio/jitter-buffer.h"

/* Samples kept before the current frame: room for filters of up to 145 taps. */
#define STREAM_HISTORY_SAMPLES 144
#define STREAM_BLOCK_SAMPLES   (STREAM_HISTORY_SAMPLES + AUDIO_FRAME_SAMPLES)
/* A selected codec that the client does not use is announced again after so many packets. */
#define STREAM_CODEC_MISMATCH_MAX 10
/* An injector that had nothing to play for so many frames (5 s) is over. */
#define STREAM_STALE_FRAMES 500

struct inbound_stream {
	enum audio_stream_type type;
	struct uuid id; /* nil for a microphone */
	struct jitter_config config;

	/* As of the last packet; the owner writes them. */
	struct audio_pose pose;
	bool loopback; /* the sender wants to hear it too */
	float volume;  /* injectors; linear */

	/* The current frame, after inbound_stream_pop(). One block per channel; mono in the
	 * first. */
	bool stereo;
	bool popped; /* there was a frame; else the blocks hold what stands in for it */
	float block[AUDIO_CHANNELS_MAX][STREAM_BLOCK_SAMPLES];
	float loudness, trailing_loudness; /* 0…1 */
	float quietest; /* the least loudness of the last complete four seconds */

	/* Private. */
	struct jitter_buffer *jitter;
	const struct codec_ops *codec; /* selected; NULL = raw PCM */
	struct codec_decoder *decoder; /* NULL for raw PCM */
	unsigned codec_mismatches;
	unsigned silences; /* packets in a row */
	float quietest_running;
	unsigned quietest_frames;
	int16_t last[AUDIO_FRAME_SAMPLES_MAX]; /* the last frame popped */
};

int inbound_stream_new(enum audio_stream_type type, const struct uuid *id,
		       const struct jitter_config *config, struct inbound_stream **ret);
struct inbound_stream *inbound_stream_free(struct inbound_stream *stream);
DEFINE_CLEANUP_FUNC(struct inbound_stream *, inbound_stream_free);

/* The codec agreed on with the client; NULL for none. 0, -ENOMEM or what the codec says; the old
 * one stays on failure. */
int inbound_stream_set_codec(struct inbound_stream *stream, const struct codec_ops *codec);

/* One packet of sound. A changed channel count empties the stream first. Returns 0, 1 when the
 * client should be told the selected codec again, -EBADMSG when the bytes were no frame (silence is
 * played instead), -ENOMEM. */
int inbound_stream_receive(struct inbound_stream *stream, uint16_t sequence, const char *codec,
			   bool stereo, struct span audio, uint64_t now_usec);
/* One packet of silence. */
void inbound_stream_receive_silence(struct inbound_stream *stream, uint16_t sequence,
				    uint64_t now_usec);

/* Moves on by one frame. */
void inbound_stream_pop(struct inbound_stream *stream, uint64_t now_usec);
/* True when the current frame says nothing: no frame, or exact zeros. */
bool inbound_stream_is_quiet(const struct inbound_stream *stream);
/* True for an injector nobody feeds any more; microphones stay until their node goes. */
bool inbound_stream_is_stale(const struct inbound_stream *stream);
/* How loud the last frame is still repeated when the n-th one after it is missing too (n from 0):
 * full for three frames, then falling to silence over another 32. */
float inbound_stream_fade(unsigned n);
/* Frames that the gaps of the last while ask to hold. */
unsigned inbound_stream_calculated(const struct inbound_stream *stream);
void inbound_stream_stats(const struct inbound_stream *stream, struct audio_stream_stats *ret);
