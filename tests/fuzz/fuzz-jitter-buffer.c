/* A stream driven by bytes: packets in any order at any time, frames taken at any time. */
#include "audio/inbound-stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void step(struct inbound_stream *stream, struct reader *rd, uint64_t now_usec)
{
	static const char *const codecs[] = {"", "pcm", "zlib", "opus"};
	static const struct codec_ops *const selectable[] = {NULL, &codec_pcm, &codec_zlib,
							     &codec_opus};
	struct audio_stream_stats stats;
	uint8_t op = read_u8(rd);
	uint16_t sequence;

	switch (op % 5) {
	case 0:
		sequence = read_u16le(rd);
		(void) inbound_stream_receive(stream, sequence, codecs[op / 5 % 4], op >= 128,
					      read_span(rd, read_u8(rd)), now_usec);
		break;
	case 1:
		inbound_stream_receive_silence(stream, read_u16le(rd), now_usec);
		break;
	case 2:
		(void) inbound_stream_set_codec(stream, selectable[op / 5 % 4]);
		break;
	case 3:
		inbound_stream_stats(stream, &stats);
		break;
	default:
		for (unsigned i = 0; i < 1u + op / 32; i++)
			inbound_stream_pop(stream, now_usec);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader rd = reader_over(data, size);
	uint8_t flags = read_u8(&rd);
	struct jitter_config config = {.dynamic = flags & 1, .static_frames = flags >> 1};
	_cleanup_(inbound_stream_freep) struct inbound_stream *stream = NULL;
	uint64_t now_usec = 0;

	if (inbound_stream_new(flags & 2 ? AUDIO_STREAM_INJECTOR : AUDIO_STREAM_MICROPHONE,
			       &UUID_NULL, &config, &stream) < 0)
		return 0;
	while (reader_left(&rd) > 0) {
		now_usec += (uint64_t) read_u8(&rd) << 12;
		step(stream, &rd, now_usec);
	}
	return 0;
}
