/* "pcm" and no codec at all: little-endian samples as they are. */
#include "audio/codec.h"

static ssize_t pcm_encode(void *state, unsigned channels, const int16_t *pcm, uint8_t *ret,
			  size_t cap)
{
	struct writer wr = writer_over(ret, cap);
	size_t n = AUDIO_FRAME_SAMPLES * channels;
	uint8_t *p = write_room(&wr, n * sizeof(*pcm));

	/* Every listener without a codec costs this loop in every frame. */
	for (size_t i = 0; p && i < n; i++) {
		p[2 * i] = (uint8_t) pcm[i];
		p[2 * i + 1] = (uint8_t) ((uint16_t) pcm[i] >> 8);
	}
	return writer_finish(&wr);
}

static ssize_t pcm_decode(void *state, unsigned channels, const void *data, size_t len,
			  int16_t *ret)
{
	struct reader rd = reader_over(data, len);
	size_t n = MIN(len / sizeof(int16_t), (size_t) AUDIO_FRAME_SAMPLES * channels);

	for (size_t i = 0; i < n; i++)
		ret[i] = read_i16le(&rd);
	return (ssize_t) (n / channels);
}

const struct codec_ops codec_pcm = {
	.name = "pcm",
	.encode = pcm_encode,
	.decode = pcm_decode,
};
