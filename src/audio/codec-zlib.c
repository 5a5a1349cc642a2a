/* "zlib": raw PCM through Qt's qCompress(). */
#include "audio/codec.h"

#include <errno.h>

#include "base/qt-stream.h"

static ssize_t zlib_encode(void *state, unsigned channels, const int16_t *pcm, uint8_t *ret,
			   size_t cap)
{
	uint8_t raw[AUDIO_FRAME_BYTES_MAX];
	struct writer wr = writer_over(ret, cap);
	ssize_t n = codec_pcm.encode(NULL, channels, pcm, raw, sizeof(raw));
	int r = qcompress_encode(raw, (size_t) n, -1, &wr);

	return r < 0 ? r : writer_finish(&wr);
}

static ssize_t zlib_decode(void *state, unsigned channels, const void *data, size_t len,
			   int16_t *ret)
{
	uint8_t raw[AUDIO_FRAME_BYTES_MAX];
	ssize_t n =
		qcompress_decode(data, len, raw, AUDIO_FRAME_SAMPLES * channels * sizeof(int16_t));

	if (n < 0)
		return n;
	if (n % (ssize_t) sizeof(int16_t) != 0)
		return -EBADMSG;
	return codec_pcm.decode(NULL, channels, raw, (size_t) n, ret);
}

const struct codec_ops codec_zlib = {
	.name = "zlib",
	.encode = zlib_encode,
	.decode = zlib_decode,
};
