#include "audio/inbound-stream.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#define QUIETEST_FRAMES 401
#define FADE_FULL       2
#define FADE_END        34
/* Packets of silence after which a decoder has nothing left to fade. */
#define CONCEALED_SILENCES 20

int inbound_stream_new(enum audio_stream_type type, const struct uuid *id,
		       const struct jitter_config *config, struct inbound_stream **ret)
{
	_cleanup_(inbound_stream_freep) struct inbound_stream *stream = NULL;
	int r;

	stream = calloc(1, sizeof(*stream));
	if (!stream)
		return -ENOMEM;

	stream->type = type;
	stream->id = *id;
	stream->config = *config;
	stream->volume = 1;
	stream->pose.orientation.w = 1;
	r = jitter_buffer_new(config, 1, &stream->jitter);
	if (r < 0)
		return r;

	*ret = TAKE_PTR(stream);
	return 0;
}

struct inbound_stream *inbound_stream_free(struct inbound_stream *stream)
{
	if (!stream)
		return NULL;

	codec_decoder_free(stream->decoder);
	jitter_buffer_free(stream->jitter);
	free(stream);
	return NULL;
}

static unsigned channels_of(bool stereo)
{
	return stereo ? 2 : 1;
}

/* A decoder for the codec, or NULL where none is needed. */
static int decoder_for(const struct codec_ops *codec, bool stereo, struct codec_decoder **ret)
{
	*ret = NULL;
	return codec ? codec_decoder_new(codec, channels_of(stereo), ret) : 0;
}

int inbound_stream_set_codec(struct inbound_stream *stream, const struct codec_ops *codec)
{
	struct codec_decoder *decoder;
	int r;

	if (codec == &codec_pcm)
		codec = NULL;
	r = decoder_for(codec, stream->stereo, &decoder);
	if (r < 0)
		return r;

	codec_decoder_free(stream->decoder);
	stream->decoder = decoder;
	stream->codec = codec;
	stream->codec_mismatches = 0;
	return 0;
}

static int set_channels(struct inbound_stream *stream, bool stereo)
{
	_cleanup_(jitter_buffer_freep) struct jitter_buffer *jitter = NULL;
	struct codec_decoder *decoder;
	int r;

	if (stereo == stream->stereo)
		return 0;

	r = jitter_buffer_new(&stream->config, channels_of(stereo), &jitter);
	if (r < 0)
		return r;
	r = decoder_for(stream->codec, stereo, &decoder);
	if (r < 0)
		return r;

	codec_decoder_free(stream->decoder);
	stream->decoder = decoder;
	jitter_buffer_free(stream->jitter);
	stream->jitter = TAKE_PTR(jitter);
	stream->stereo = stereo;
	memset(stream->block, 0, sizeof(stream->block));
	memset(stream->last, 0, sizeof(stream->last));
	return 0;
}

/* --- arrival --- */

static void conceal(struct inbound_stream *stream, int16_t *frame)
{
	if (stream->decoder)
		codec_conceal(stream->decoder, frame);
	else
		memset(frame, 0, AUDIO_FRAME_BYTES_MAX);
}

static bool receive_packet(struct inbound_stream *stream, uint16_t sequence, uint64_t now_usec)
{
	int16_t frame[AUDIO_FRAME_SAMPLES_MAX];
	unsigned lost;
	bool wanted = jitter_buffer_receive(stream->jitter, sequence, now_usec, &lost);

	for (unsigned i = 0; i < lost; i++) {
		conceal(stream, frame);
		jitter_buffer_write(stream->jitter, frame);
	}
	return wanted;
}

static int decode_raw(struct inbound_stream *stream, struct span audio, int16_t *frame)
{
	ssize_t n;

	memset(frame, 0, AUDIO_FRAME_BYTES_MAX);
	n = codec_pcm.decode(NULL, channels_of(stream->stereo), audio.data, audio.len, frame);
	return n < 0 ? (int) n : 0;
}

/* Turns the packet into a frame. Around a change of codec packets of the old one are still on their
 * way: raw ones are understood, others count as lost. Returns as inbound_stream_receive(). */
static int decode_frame(struct inbound_stream *stream, const char *codec, struct span audio,
			int16_t *frame)
{
	bool raw = codec[0] == 0 || strcmp(codec, codec_pcm.name) == 0;
	int r = 0;

	if (stream->codec ? strcmp(codec, stream->codec->name) == 0 : raw) {
		stream->codec_mismatches = 0;
		return stream->decoder ? codec_decode(stream->decoder, audio.data, audio.len, frame)
				       : decode_raw(stream, audio, frame);
	}

	if (++stream->codec_mismatches > STREAM_CODEC_MISMATCH_MAX) {
		stream->codec_mismatches = 0;
		r = 1;
	}
	if (raw)
		(void) decode_raw(stream, audio, frame);
	else
		conceal(stream, frame);
	return r;
}

int inbound_stream_receive(struct inbound_stream *stream, uint16_t sequence, const char *codec,
			   bool stereo, struct span audio, uint64_t now_usec)
{
	int16_t frame[AUDIO_FRAME_SAMPLES_MAX];
	int r;

	r = set_channels(stream, stereo);
	if (r < 0)
		return r;

	stream->silences = 0;
	if (receive_packet(stream, sequence, now_usec)) {
		r = decode_frame(stream, codec, audio, frame);
		jitter_buffer_write(stream->jitter, frame);
	}
	jitter_buffer_settle(stream->jitter, now_usec);
	return r;
}

void inbound_stream_receive_silence(struct inbound_stream *stream, uint16_t sequence,
				    uint64_t now_usec)
{
	int16_t frame[AUDIO_FRAME_SAMPLES_MAX];

	if (receive_packet(stream, sequence, now_usec)) {
		/* Lets the decoder fade down; what it says is not wanted. */
		if (stream->silences++ < CONCEALED_SILENCES)
			conceal(stream, frame);
		jitter_buffer_write_silence(stream->jitter);
	}
	jitter_buffer_settle(stream->jitter, now_usec);
}

/* --- playing --- */

float inbound_stream_fade(unsigned n)
{
	if (n <= FADE_FULL)
		return 1;
	if (n > FADE_END)
		return 0;
	return powf(32767, -(float) (n - FADE_FULL) / (FADE_END - FADE_FULL));
}

static void measure(struct inbound_stream *stream)
{
	unsigned n = AUDIO_FRAME_SAMPLES * channels_of(stream->stereo);
	uint32_t sum = 0;

	for (unsigned i = 0; i < n; i++)
		sum += (uint32_t) abs(stream->last[i]);
	stream->loudness = (float) sum / (float) n / 32767;

	if (stream->loudness >= stream->trailing_loudness)
		stream->trailing_loudness = stream->loudness;
	else
		stream->trailing_loudness += (stream->loudness - stream->trailing_loudness) / 200;
	if (stream->trailing_loudness < 1e-6f)
		stream->trailing_loudness = 0;

	if (stream->quietest_frames == 0 || stream->loudness < stream->quietest_running)
		stream->quietest_running = stream->loudness;
	if (++stream->quietest_frames == QUIETEST_FRAMES) {
		stream->quietest = stream->quietest_running;
		stream->quietest_frames = 0;
	}
}

/* Appends the last frame to the blocks, its gain going from one value to the other. */
static void fill_blocks(struct inbound_stream *stream, float gain_from, float gain_to)
{
	unsigned channels = channels_of(stream->stereo);
	float step = (gain_to - gain_from) / AUDIO_FRAME_SAMPLES;

	for (unsigned c = 0; c < channels; c++) {
		float *block = stream->block[c];

		memmove(block, block + AUDIO_FRAME_SAMPLES,
			STREAM_HISTORY_SAMPLES * sizeof(*block));
		block += STREAM_HISTORY_SAMPLES;
		for (unsigned i = 0; i < AUDIO_FRAME_SAMPLES; i++)
			block[i] = (float) stream->last[i * channels + c] *
				   ((gain_from + step * (float) i) / 32768);
	}
}

/* A microphone repeats its last frame once, fading out, so that the gap starts without a click; an
 * injector's sound simply ended. After that there is silence until frames come again. */
static void fill_missing(struct inbound_stream *stream)
{
	uint32_t repeated = jitter_buffer_not_mixed(stream->jitter);
	bool repeat = stream->type == AUDIO_STREAM_MICROPHONE && stream->popped && repeated > 0;

	fill_blocks(stream, repeat ? inbound_stream_fade(repeated - 1) : 0, 0);
}

void inbound_stream_pop(struct inbound_stream *stream, uint64_t now_usec)
{
	enum jitter_pop pop = jitter_buffer_pop(stream->jitter, now_usec, stream->last);

	if (pop == JITTER_POP_NONE) {
		fill_missing(stream);
		stream->popped = false;
		return;
	}

	/* One missing packet is bridged by the decoder before the stream stops. */
	if (pop == JITTER_POP_CONCEAL)
		conceal(stream, stream->last);
	stream->popped = true;
	measure(stream);
	fill_blocks(stream, 1, 1);
}

bool inbound_stream_is_quiet(const struct inbound_stream *stream)
{
	return !stream->popped || stream->loudness == 0;
}

bool inbound_stream_is_stale(const struct inbound_stream *stream)
{
	return stream->type == AUDIO_STREAM_INJECTOR &&
	       jitter_buffer_not_mixed(stream->jitter) > STREAM_STALE_FRAMES;
}

unsigned inbound_stream_calculated(const struct inbound_stream *stream)
{
	return jitter_buffer_calculated(stream->jitter);
}

void inbound_stream_stats(const struct inbound_stream *stream, struct audio_stream_stats *ret)
{
	jitter_buffer_stats(stream->jitter, ret);
	ret->type = stream->type;
	ret->id = stream->id;
}
