/* "opus": bare Opus packets with the settings the native clients use. */
#include "audio/codec.h"

#include <errno.h>
#include <opus.h>

#define BITRATE_BPS     128000
#define COMPLEXITY_BEST 10

static int opus_errno(int error)
{
	return error == OPUS_ALLOC_FAIL ? -ENOMEM : -EINVAL;
}

static int opus_encoder_new(unsigned channels, void **ret)
{
	int error = OPUS_OK;
	OpusEncoder *encoder =
		opus_encoder_create(AUDIO_RATE_HZ, (int) channels, OPUS_APPLICATION_VOIP, &error);

	if (!encoder)
		return opus_errno(error);

	(void) opus_encoder_ctl(encoder, OPUS_SET_BITRATE(BITRATE_BPS));
	(void) opus_encoder_ctl(encoder, OPUS_SET_COMPLEXITY(COMPLEXITY_BEST));
	(void) opus_encoder_ctl(encoder, OPUS_SET_SIGNAL(OPUS_AUTO));
	*ret = encoder;
	return 0;
}

static void opus_encoder_free(void *state)
{
	opus_encoder_destroy(state);
}

static ssize_t opus_encode_frame(void *state, unsigned channels, const int16_t *pcm, uint8_t *ret,
				 size_t cap)
{
	int n = opus_encode(state, pcm, AUDIO_FRAME_SAMPLES, ret, (opus_int32) cap);

	return n < 0 ? -EINVAL : n;
}

static void opus_set_complexity(void *state, int complexity)
{
	(void) opus_encoder_ctl((OpusEncoder *) state,
				OPUS_SET_COMPLEXITY(CLAMP(complexity, 0, COMPLEXITY_BEST)));
}

static int opus_decoder_new(unsigned channels, void **ret)
{
	int error = OPUS_OK;
	OpusDecoder *decoder = opus_decoder_create(AUDIO_RATE_HZ, (int) channels, &error);

	if (!decoder)
		return opus_errno(error);

	*ret = decoder;
	return 0;
}

static void opus_decoder_free(void *state)
{
	opus_decoder_destroy(state);
}

static ssize_t opus_decode_frame(void *state, unsigned channels, const void *data, size_t len,
				 int16_t *ret)
{
	int n;

	/* The library takes "no data" for a loss; a packet without any is malformed. */
	if (len == 0)
		return -EBADMSG;

	/* A packet of more than one frame does not fit and is refused by the library. */
	n = opus_decode(state, data, (opus_int32) len, ret, AUDIO_FRAME_SAMPLES, 0);
	return n < 0 ? -EBADMSG : n;
}

static ssize_t opus_conceal(void *state, unsigned channels, int16_t *ret)
{
	int n = opus_decode(state, NULL, 0, ret, AUDIO_FRAME_SAMPLES, 1);

	return n < 0 ? -EINVAL : n;
}

const struct codec_ops codec_opus = {
	.name = "opus",
	.encoder_new = opus_encoder_new,
	.encoder_free = opus_encoder_free,
	.encode = opus_encode_frame,
	.encoder_set_complexity = opus_set_complexity,
	.decoder_new = opus_decoder_new,
	.decoder_free = opus_decoder_free,
	.decode = opus_decode_frame,
	.conceal = opus_conceal,
};
