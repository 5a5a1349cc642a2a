#include "audio/codec.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

struct codec_encoder {
	const struct codec_ops *ops;
	unsigned channels;
	void *state;
};

struct codec_decoder {
	const struct codec_ops *ops;
	unsigned channels;
	void *state;
};

int codec_encoder_new(const struct codec_ops *ops, unsigned channels, struct codec_encoder **ret)
{
	_cleanup_(codec_encoder_freep) struct codec_encoder *encoder = NULL;
	int r;

	assert(channels == 1 || channels == 2);

	encoder = calloc(1, sizeof(*encoder));
	if (!encoder)
		return -ENOMEM;

	encoder->ops = ops;
	encoder->channels = channels;
	if (ops->encoder_new) {
		r = ops->encoder_new(channels, &encoder->state);
		if (r < 0)
			return r;
	}

	*ret = TAKE_PTR(encoder);
	return 0;
}

struct codec_encoder *codec_encoder_free(struct codec_encoder *encoder)
{
	if (!encoder)
		return NULL;

	if (encoder->state)
		encoder->ops->encoder_free(encoder->state);
	free(encoder);
	return NULL;
}

ssize_t codec_encode(struct codec_encoder *encoder, const int16_t *pcm,
		     uint8_t ret[static CODEC_FRAME_BYTES_MAX])
{
	return encoder->ops->encode(encoder->state, encoder->channels, pcm, ret,
				    CODEC_FRAME_BYTES_MAX);
}

void codec_encoder_set_complexity(struct codec_encoder *encoder, int complexity)
{
	if (encoder->ops->encoder_set_complexity)
		encoder->ops->encoder_set_complexity(encoder->state, complexity);
}

int codec_decoder_new(const struct codec_ops *ops, unsigned channels, struct codec_decoder **ret)
{
	_cleanup_(codec_decoder_freep) struct codec_decoder *decoder = NULL;
	int r;

	assert(channels == 1 || channels == 2);

	decoder = calloc(1, sizeof(*decoder));
	if (!decoder)
		return -ENOMEM;

	decoder->ops = ops;
	decoder->channels = channels;
	if (ops->decoder_new) {
		r = ops->decoder_new(channels, &decoder->state);
		if (r < 0)
			return r;
	}

	*ret = TAKE_PTR(decoder);
	return 0;
}

struct codec_decoder *codec_decoder_free(struct codec_decoder *decoder)
{
	if (!decoder)
		return NULL;

	if (decoder->state)
		decoder->ops->decoder_free(decoder->state);
	free(decoder);
	return NULL;
}

static void zero_after(int16_t *frame, unsigned channels, ssize_t samples)
{
	size_t from = samples > 0 ? (size_t) samples * channels : 0;

	memset(frame + from, 0, (AUDIO_FRAME_SAMPLES * channels - from) * sizeof(*frame));
}

int codec_decode(struct codec_decoder *decoder, const void *data, size_t len, int16_t *ret)
{
	ssize_t n = decoder->ops->decode(decoder->state, decoder->channels, data, len, ret);

	zero_after(ret, decoder->channels, n);
	return n < 0 ? -EBADMSG : 0;
}

void codec_conceal(struct codec_decoder *decoder, int16_t *ret)
{
	ssize_t n = 0;

	if (decoder->ops->conceal)
		n = decoder->ops->conceal(decoder->state, decoder->channels, ret);
	zero_after(ret, decoder->channels, n);
}

/* --- which codecs there are --- */

struct codec_set codec_set_builtin(void)
{
	return (struct codec_set){
		.n = 3,
		.codecs = {&codec_opus, &codec_zlib, &codec_pcm},
	};
}

const struct codec_ops *codec_set_find(const struct codec_set *set, const char *name)
{
	if (name[0] == 0)
		return &codec_pcm;
	for (size_t i = 0; i < set->n; i++)
		if (strcmp(set->codecs[i]->name, name) == 0)
			return set->codecs[i];
	return NULL;
}

int codec_set_add(struct codec_set *set, const struct codec_ops *ops)
{
	if (ops->name[0] == 0 || strlen(ops->name) > CODEC_NAME_MAX)
		return -EINVAL;
	if (codec_set_find(set, ops->name))
		return -EEXIST;
	if (set->n == CODEC_SET_MAX)
		return -ENOBUFS;

	set->codecs[set->n++] = ops;
	return 0;
}

struct audio_formats codec_preference_parse(const char *text)
{
	struct audio_formats formats = {0};

	while (*text && formats.n < AUDIO_FORMATS_MAX) {
		size_t len = strcspn(text, ","), from = 0, to = len;

		while (from < to && isspace((unsigned char) text[from]))
			from++;
		while (to > from && isspace((unsigned char) text[to - 1]))
			to--;
		if (to > from && to - from <= CODEC_NAME_MAX) {
			memcpy(formats.names[formats.n], text + from, to - from);
			formats.n++;
		}
		text += len;
		text += *text == ',';
	}
	return formats;
}

static bool formats_contain(const struct audio_formats *formats, const char *name)
{
	for (size_t i = 0; i < formats->n; i++)
		if (strcmp(formats->names[i], name) == 0)
			return true;
	return false;
}

const struct codec_ops *codec_negotiate(const struct codec_set *set,
					const struct audio_formats *preference,
					const struct audio_formats *offered)
{
	for (size_t i = 0; i < preference->n; i++) {
		const struct codec_ops *ops = codec_set_find(set, preference->names[i]);

		if (ops && formats_contain(offered, preference->names[i]))
			return ops;
	}
	return NULL;
}
