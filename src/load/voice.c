#include "load/voice.h"

#include <errno.h>
#include <math.h>

#include "load/tones.h"

#define SPEECH_FRAMES    200
#define SPEECH_SYLLABLES 8 /* in the loop */
#define PITCH_HZ         120.0
#define HARMONICS        20

struct frame {
	uint16_t len;
	uint8_t data[CODEC_FRAME_BYTES_MAX];
};

struct voice {
	unsigned n;
	uint8_t (*raw)[AUDIO_FRAME_SAMPLES * sizeof(int16_t)];
	struct frame *coded;
};

/* The encoder goes round once before its frames are kept, so that the loop has no seam in its
 * state. */
static int encode(struct voice *voice, const struct codec_ops *codec, const int16_t *pcm)
{
	_cleanup_(codec_encoder_freep) struct codec_encoder *encoder = NULL;
	int r;

	r = codec_encoder_new(codec, 1, &encoder);
	if (r < 0)
		return r;
	for (unsigned i = 0; i < 2 * voice->n; i++) {
		struct frame *frame = &voice->coded[i % voice->n];
		ssize_t len = codec_encode(encoder, pcm + (i % voice->n) * AUDIO_FRAME_SAMPLES,
					   frame->data);

		if (len < 0)
			return (int) len;
		frame->len = (uint16_t) len;
	}
	return 0;
}

static int voice_new(const struct codec_ops *codec, const int16_t *pcm, unsigned n_frames,
		     struct voice **ret)
{
	_cleanup_(voice_freep) struct voice *voice = NULL;
	struct writer wr;
	int r;

	voice = calloc(1, sizeof(*voice));
	if (!voice)
		return -ENOMEM;
	voice->n = n_frames;
	voice->raw = calloc(n_frames, sizeof(*voice->raw));
	voice->coded = calloc(n_frames, sizeof(*voice->coded));
	if (!voice->raw || !voice->coded)
		return -ENOMEM;

	wr = writer_over(voice->raw, n_frames * sizeof(*voice->raw));
	for (unsigned i = 0; i < n_frames * AUDIO_FRAME_SAMPLES; i++)
		write_u16le(&wr, (uint16_t) pcm[i]);
	r = encode(voice, codec, pcm);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(voice);
	return 0;
}

/* Harmonics of a pitch that glides within each syllable, under an envelope that opens and closes.
 */
static void make_speech(struct prng *prng, int16_t ret[static SPEECH_FRAMES * AUDIO_FRAME_SAMPLES])
{
	const unsigned syllable = SPEECH_FRAMES * AUDIO_FRAME_SAMPLES / SPEECH_SYLLABLES;
	double phase = 0, tilt = 1;

	for (unsigned i = 0; i < SPEECH_FRAMES * AUDIO_FRAME_SAMPLES; i++) {
		double at = (double) (i % syllable) / syllable, sum = 0;
		double envelope = at < 0.8 ? sin(M_PI * at / 0.8) : 0;

		if (i % syllable == 0)
			tilt = prng_range(prng, 0.6, 1.4);
		phase += 2 * M_PI * PITCH_HZ * (1.1 - 0.2 * at) / AUDIO_RATE_HZ;
		for (unsigned h = 1; h <= HARMONICS; h++)
			sum += sin(h * phase) / pow(h, tilt);
		ret[i] = (int16_t) lrint(envelope * (2500 * sum + prng_range(prng, -60, 60)));
	}
}

int voice_new_speech(const struct codec_ops *codec, struct prng *prng, struct voice **ret)
{
	_cleanup_free_ int16_t *pcm = calloc(SPEECH_FRAMES * AUDIO_FRAME_SAMPLES, sizeof(*pcm));

	if (!pcm)
		return -ENOMEM;
	make_speech(prng, pcm);
	return voice_new(codec, pcm, SPEECH_FRAMES, ret);
}

int voice_new_tone(const struct codec_ops *codec, unsigned hz, double amplitude, struct voice **ret)
{
	int16_t pcm[TONES_WINDOW_SAMPLES];

	tones_make(hz, amplitude, pcm);
	return voice_new(codec, pcm, TONES_WINDOW_FRAMES, ret);
}

struct voice *voice_free(struct voice *voice)
{
	if (voice) {
		free(voice->raw);
		free(voice->coded);
		free(voice);
	}
	return NULL;
}

struct span voice_frame(const struct voice *voice, uint64_t i, bool raw)
{
	unsigned at = (unsigned) (i % voice->n);

	return raw ? span_of(voice->raw[at], sizeof(voice->raw[at]))
		   : span_of(voice->coded[at].data, voice->coded[at].len);
}
