/* Codecs: each keeps a frame, survives garbage, and the right one is chosen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <string.h>

#include "audio/codec.h"

static void fill_tone(int16_t *frame, unsigned channels, unsigned from)
{
	for (unsigned i = 0; i < AUDIO_FRAME_SAMPLES; i++)
		for (unsigned c = 0; c < channels; c++)
			frame[i * channels + c] =
				(int16_t) (8000 * sin((from + i) * 2 * M_PI * 440 / AUDIO_RATE_HZ));
}

static double energy(const int16_t *frame, unsigned n)
{
	double sum = 0;

	for (unsigned i = 0; i < n; i++)
		sum += (double) frame[i] * frame[i];
	return sum / n;
}

static void check_lossless(const struct codec_ops *ops, unsigned channels)
{
	_cleanup_(codec_encoder_freep) struct codec_encoder *encoder = NULL;
	_cleanup_(codec_decoder_freep) struct codec_decoder *decoder = NULL;
	int16_t in[AUDIO_FRAME_SAMPLES_MAX], out[AUDIO_FRAME_SAMPLES_MAX];
	uint8_t bytes[CODEC_FRAME_BYTES_MAX];
	ssize_t n;

	assert_int_equal(codec_encoder_new(ops, channels, &encoder), 0);
	assert_int_equal(codec_decoder_new(ops, channels, &decoder), 0);
	fill_tone(in, channels, 0);
	in[0] = INT16_MIN;
	in[1] = INT16_MAX;
	n = codec_encode(encoder, in, bytes);
	assert_true(n > 0);
	assert_int_equal(codec_decode(decoder, bytes, (size_t) n, out), 0);
	assert_memory_equal(in, out, AUDIO_FRAME_SAMPLES * channels * sizeof(*in));

	codec_conceal(decoder, out);
	assert_true(energy(out, AUDIO_FRAME_SAMPLES * channels) == 0);
}

static void test_pcm_and_zlib_keep_every_sample(void **state)
{
	for (unsigned channels = 1; channels <= 2; channels++) {
		check_lossless(&codec_pcm, channels);
		check_lossless(&codec_zlib, channels);
	}
}

static void test_short_pcm_is_padded(void **state)
{
	_cleanup_(codec_decoder_freep) struct codec_decoder *decoder = NULL;
	int16_t out[AUDIO_FRAME_SAMPLES];

	memset(out, 0x55, sizeof(out));
	assert_int_equal(codec_decoder_new(&codec_pcm, 1, &decoder), 0);
	assert_int_equal(codec_decode(decoder, "\x01\x00\xff\xff", 4, out), 0);
	assert_int_equal(out[0], 1);
	assert_int_equal(out[1], -1);
	assert_true(energy(out + 2, AUDIO_FRAME_SAMPLES - 2) == 0);
}

/* 18 (n): one stereo frame of zeros through qCompress. The stream's inside is the compressor's
 * choice; what counts is that ours is read by any inflater and the vector by us. */
static void test_vector_n_zlib_zeros(void **state)
{
	static const uint8_t data[] = {0x00, 0x00, 0x03, 0xc0, 0x78, 0x9c, 0x63,
				       0x60, 0x18, 0x05, 0xa3, 0x60, 0x14, 0x0c,
				       0x55, 0x00, 0x00, 0x03, 0xc0, 0x00, 0x01};
	_cleanup_(codec_decoder_freep) struct codec_decoder *decoder = NULL;
	_cleanup_(codec_encoder_freep) struct codec_encoder *encoder = NULL;
	int16_t out[AUDIO_FRAME_SAMPLES_MAX];
	uint8_t bytes[CODEC_FRAME_BYTES_MAX];

	memset(out, 0x55, sizeof(out));
	assert_int_equal(codec_decoder_new(&codec_zlib, 2, &decoder), 0);
	assert_int_equal(codec_decode(decoder, data, sizeof(data), out), 0);
	assert_true(energy(out, AUDIO_FRAME_SAMPLES_MAX) == 0);

	assert_int_equal(codec_encoder_new(&codec_zlib, 2, &encoder), 0);
	assert_int_equal(codec_encode(encoder, out, bytes), sizeof(data));
	assert_memory_equal(bytes, data, sizeof(data));
}

static void test_zlib_refuses_more_than_a_frame(void **state)
{
	static const uint8_t data[] = {0x00, 0x00, 0x03, 0xc0, 0x78, 0x9c, 0x63,
				       0x60, 0x18, 0x05, 0xa3, 0x60, 0x14, 0x0c,
				       0x55, 0x00, 0x00, 0x03, 0xc0, 0x00, 0x01};
	_cleanup_(codec_decoder_freep) struct codec_decoder *decoder = NULL;
	int16_t out[AUDIO_FRAME_SAMPLES_MAX];

	/* A stereo frame where a mono one is due. */
	assert_int_equal(codec_decoder_new(&codec_zlib, 1, &decoder), 0);
	assert_int_equal(codec_decode(decoder, data, sizeof(data), out), -EBADMSG);
	assert_true(energy(out, AUDIO_FRAME_SAMPLES) == 0);
}

static void check_opus(unsigned channels)
{
	_cleanup_(codec_encoder_freep) struct codec_encoder *encoder = NULL;
	_cleanup_(codec_decoder_freep) struct codec_decoder *decoder = NULL;
	int16_t in[AUDIO_FRAME_SAMPLES_MAX], out[AUDIO_FRAME_SAMPLES_MAX];
	uint8_t bytes[CODEC_FRAME_BYTES_MAX];
	double sent = 0, heard = 0;
	ssize_t n;

	assert_int_equal(codec_encoder_new(&codec_opus, channels, &encoder), 0);
	assert_int_equal(codec_decoder_new(&codec_opus, channels, &decoder), 0);
	for (unsigned i = 0; i < 50; i++) {
		fill_tone(in, channels, i * AUDIO_FRAME_SAMPLES);
		codec_encoder_set_complexity(encoder, i < 25 ? 10 : 0);
		n = codec_encode(encoder, in, bytes);
		assert_in_range(n, 20, 400);
		assert_int_equal(codec_decode(decoder, bytes, (size_t) n, out), 0);
		if (i >= 10) {
			sent += energy(in, AUDIO_FRAME_SAMPLES * channels);
			heard += energy(out, AUDIO_FRAME_SAMPLES * channels);
		}
	}
	assert_true(fabs(10 * log10(heard / sent)) < 1);

	/* A lost frame goes on with the tone. */
	codec_conceal(decoder, out);
	assert_true(energy(out, AUDIO_FRAME_SAMPLES * channels) > energy(in, 240) / 10);
}

static void test_opus_keeps_the_level_and_conceals(void **state)
{
	check_opus(1);
	check_opus(2);
}

static void test_garbage_decodes_to_silence(void **state)
{
	static const uint8_t garbage[] = {0xff, 0xff, 0xff, 0xff, 0x00, 0x12, 0x34};
	const struct codec_ops *lossy[] = {&codec_opus, &codec_zlib};

	for (unsigned i = 0; i < ELEMENTSOF(lossy); i++) {
		_cleanup_(codec_decoder_freep) struct codec_decoder *decoder = NULL;
		int16_t out[AUDIO_FRAME_SAMPLES];

		memset(out, 0x55, sizeof(out));
		assert_int_equal(codec_decoder_new(lossy[i], 1, &decoder), 0);
		assert_int_equal(codec_decode(decoder, garbage, sizeof(garbage), out), -EBADMSG);
		assert_true(energy(out, AUDIO_FRAME_SAMPLES) == 0);
		assert_int_equal(codec_decode(decoder, NULL, 0, out), -EBADMSG);
	}
}

static struct audio_formats offer(const char *a, const char *b)
{
	struct audio_formats formats = {.n = b ? 2 : 1};

	(void) strcpy(formats.names[0], a);
	if (b)
		(void) strcpy(formats.names[1], b);
	return formats;
}

static void test_negotiation_follows_the_servers_order(void **state)
{
	struct codec_set set = codec_set_builtin();
	struct audio_formats preference = codec_preference_parse(" opus, zlib ,,pcm");
	struct audio_formats both = offer("pcm", "opus"), pcm = offer("pcm", NULL);
	struct audio_formats unknown = offer("hifiAC", NULL), none = {0};

	assert_int_equal(preference.n, 3);
	assert_string_equal(preference.names[1], "zlib");
	assert_ptr_equal(codec_negotiate(&set, &preference, &both), &codec_opus);
	assert_ptr_equal(codec_negotiate(&set, &preference, &pcm), &codec_pcm);
	assert_null(codec_negotiate(&set, &preference, &unknown));
	assert_null(codec_negotiate(&set, &preference, &none));
	assert_null(codec_negotiate(&set, &none, &both));

	/* What is preferred but not there is passed over. */
	preference = codec_preference_parse("hifiAC,pcm,opus");
	both = offer("hifiAC", "opus");
	assert_ptr_equal(codec_negotiate(&set, &preference, &both), &codec_opus);
}

static void test_set_takes_other_codecs(void **state)
{
	static const struct codec_ops other = {.name = "other"}, twin = {.name = "opus"};
	static const struct codec_ops nameless = {.name = ""};
	struct codec_set set = codec_set_builtin();

	assert_int_equal(codec_set_add(&set, &other), 0);
	assert_ptr_equal(codec_set_find(&set, "other"), &other);
	assert_int_equal(codec_set_add(&set, &twin), -EEXIST);
	assert_int_equal(codec_set_add(&set, &nameless), -EINVAL);
	assert_ptr_equal(codec_set_find(&set, ""), &codec_pcm);
	assert_null(codec_set_find(&set, "nothing"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pcm_and_zlib_keep_every_sample),
		cmocka_unit_test(test_short_pcm_is_padded),
		cmocka_unit_test(test_vector_n_zlib_zeros),
		cmocka_unit_test(test_zlib_refuses_more_than_a_frame),
		cmocka_unit_test(test_opus_keeps_the_level_and_conceals),
		cmocka_unit_test(test_garbage_decodes_to_silence),
		cmocka_unit_test(test_negotiation_follows_the_servers_order),
		cmocka_unit_test(test_set_takes_other_codecs),
	};

	return cmocka_run_group_tests_name("codec", tests, NULL, NULL);
}
