/* Garbage for every decoder: the first byte picks codec and channels, then frames of a length byte
 * and so many bytes follow. */
#include "audio/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct codec_ops *const codecs[] = {&codec_pcm, &codec_zlib, &codec_opus};
	_cleanup_(codec_decoder_freep) struct codec_decoder *decoder = NULL;
	struct reader rd = reader_over(data, size);
	uint8_t which = read_u8(&rd);
	unsigned channels = 1 + which % 2;
	/* Exactly one frame, so that a sanitizer sees more. */
	int16_t *frame = malloc(AUDIO_FRAME_SAMPLES * channels * sizeof(*frame));

	if (frame && codec_decoder_new(codecs[which / 2 % 3], channels, &decoder) >= 0)
		while (reader_left(&rd) > 0) {
			struct span bytes = read_span(&rd, read_u8(&rd));

			(void) codec_decode(decoder, bytes.data, bytes.len, frame);
			codec_conceal(decoder, frame);
		}
	free(frame);
	return 0;
}
