/* Audio codecs (03 section 5): a table of operations per codec, encoder and decoder objects over
 * it, and the choice between them. Every packet carries one 10 ms frame, so every call takes or
 * yields exactly AUDIO_FRAME_SAMPLES samples per channel, interleaved. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "audio/audio-format.h"
#include "audio/audio-packets.h"
#include "base/macros.h"

/* No codec makes more of one frame: a packet has to carry it, beside its headers. */
#define CODEC_FRAME_BYTES_MAX 1276
#define CODEC_SET_MAX         16

/* What a codec has to provide. A codec without state leaves the _new and _free operations NULL and
 * is called with a NULL state. State belongs to one stream and is used by one thread at a time. */
struct codec_ops {
	const char *name;

	int (*encoder_new)(unsigned channels, void **ret);
	void (*encoder_free)(void *state);
	/* One frame → bytes written, or -errno. */
	ssize_t (*encode)(void *state, unsigned channels, const int16_t *pcm, uint8_t *ret,
			  size_t cap);
	/* Optional. 0 (cheapest) … 10 (best). */
	void (*encoder_set_complexity)(void *state, int complexity);

	int (*decoder_new)(unsigned channels, void **ret);
	void (*decoder_free)(void *state);
	/* Bytes from a peer → samples per channel (at most a frame) or -errno. */
	ssize_t (*decode)(void *state, unsigned channels, const void *data, size_t len,
			  int16_t *ret);
	/* Optional: what was probably in a packet that did not come. */
	ssize_t (*conceal)(void *state, unsigned channels, int16_t *ret);
};

extern const struct codec_ops codec_pcm, codec_zlib, codec_opus;

/* --- encoding and decoding --- */

struct codec_encoder;
struct codec_decoder;

/* Returns 0, -ENOMEM, or what the codec says. ops must outlive the object. */
int codec_encoder_new(const struct codec_ops *ops, unsigned channels, struct codec_encoder **ret);
struct codec_encoder *codec_encoder_free(struct codec_encoder *encoder);
DEFINE_CLEANUP_FUNC(struct codec_encoder *, codec_encoder_free);
/* Writes at most CODEC_FRAME_BYTES_MAX bytes; returns their number or -errno. */
ssize_t codec_encode(struct codec_encoder *encoder, const int16_t *pcm,
		     uint8_t ret[static CODEC_FRAME_BYTES_MAX]);
/* 0 … 10; without effect on codecs that have no such choice. */
void codec_encoder_set_complexity(struct codec_encoder *encoder, int complexity);

int codec_decoder_new(const struct codec_ops *ops, unsigned channels, struct codec_decoder **ret);
struct codec_decoder *codec_decoder_free(struct codec_decoder *decoder);
DEFINE_CLEANUP_FUNC(struct codec_decoder *, codec_decoder_free);
/* Always fills one frame: zeros for bytes that are no frame, and after a short one. Returns 0 or
 * -EBADMSG so that the caller can count. */
int codec_decode(struct codec_decoder *decoder, const void *data, size_t len, int16_t *ret);
/* The frame that stands in for a lost packet; zeros when the codec has no better idea. */
void codec_conceal(struct codec_decoder *decoder, int16_t *ret);

/* --- which codecs there are --- */

struct codec_set {
	size_t n;
	const struct codec_ops *codecs[CODEC_SET_MAX];
};

/* The ones this library has: opus, zlib, pcm. */
struct codec_set codec_set_builtin(void);
/* -EEXIST when the name is taken, -ENOBUFS when full, -EINVAL for a name no packet can carry. */
int codec_set_add(struct codec_set *set, const struct codec_ops *ops);
/* NULL when there is none of that name; "" is raw PCM and found as codec_pcm. */
const struct codec_ops *codec_set_find(const struct codec_set *set, const char *name);

/* The settings' order of preference: comma-separated names, blanks around them ignored, as are
 * names no packet can carry and what is past AUDIO_FORMATS_MAX. */
struct audio_formats codec_preference_parse(const char *text);
/* The most preferred codec that the client offers and the set has, or NULL. */
const struct codec_ops *codec_negotiate(const struct codec_set *set,
					const struct audio_formats *preference,
					const struct audio_formats *offered);
