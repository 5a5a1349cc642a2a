/* Tones in a mix are found again, also through codecs, and nothing is found that is not there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>

#include "base/macros.h"
#include "load/ear.h"
#include "load/tones.h"
#include "load/voice.h"

static void test_frequencies(void **state)
{
	static const unsigned counts[] = {1, 2, 20, 49, 50, 200, TONES_MAX};

	for (size_t i = 0; i < ELEMENTSOF(counts); i++)
		for (unsigned t = 0; t < counts[i]; t++) {
			unsigned hz = tones_frequency(t, counts[i]);

			assert_int_equal(hz % 10, 0);
			assert_in_range(hz, 200, 10000);
			if (t > 0)
				assert_true(hz >= tones_frequency(t - 1, counts[i]) + 20);
		}
}

static void test_amplitudes_in_a_mix(void **state)
{
	enum { N = 40 };
	static int16_t stereo[2 * TONES_WINDOW_SAMPLES], tone[TONES_WINDOW_SAMPLES];
	static float prepared[2 * TONES_WINDOW_SAMPLES];

	/* Every second talker is heard: at a tenth on the left, at full strength on the right. */
	for (unsigned t = 0; t < N; t += 2) {
		tones_make(tones_frequency(t, N), 300, tone);
		for (unsigned i = 0; i < TONES_WINDOW_SAMPLES; i++) {
			stereo[2 * i] = (int16_t) (stereo[2 * i] + tone[i] / 10);
			stereo[2 * i + 1] = (int16_t) (stereo[2 * i + 1] + tone[i]);
		}
	}
	tones_prepare(stereo, prepared);
	for (unsigned t = 0; t < N; t++) {
		double a = tones_measure(prepared, tones_frequency(t, N));

		if (t % 2 == 0)
			assert_true(fabs(a - 300) < 3);
		else
			assert_true(a < 1);
	}
}

/* The amplitude at listen_hz of a tone that went into a mixer and out of it in that codec. */
static double through_codec(const struct codec_ops *codec, unsigned hz, unsigned listen_hz)
{
	_cleanup_(codec_encoder_freep) struct codec_encoder *encoder = NULL;
	_cleanup_(codec_decoder_freep) struct codec_decoder *decoder = NULL;
	_cleanup_(voice_freep) struct voice *voice = NULL;
	float prepared[2 * TONES_WINDOW_SAMPLES];
	struct ear ear = {0};
	int r = 0;

	assert_int_equal(voice_new_tone(codec, hz, 1500, &voice), 0);
	assert_int_equal(codec_decoder_new(codec, 1, &decoder), 0);
	assert_int_equal(codec_encoder_new(codec, 2, &encoder), 0);
	assert_int_equal(ear_open(&ear, codec), 0);
	for (unsigned i = 0; i < 100 && r == 0; i++) {
		int16_t mono[AUDIO_FRAME_SAMPLES], stereo[AUDIO_FRAME_SAMPLES_MAX];
		struct span frame = voice_frame(voice, i, false);
		uint8_t coded[CODEC_FRAME_BYTES_MAX];
		ssize_t len;

		assert_int_equal(codec_decode(decoder, frame.data, frame.len, mono), 0);
		for (unsigned k = 0; k < AUDIO_FRAME_SAMPLES; k++)
			stereo[2 * k] = stereo[2 * k + 1] = mono[k];
		len = codec_encode(encoder, stereo, coded);
		assert_true(len > 0);
		/* Over the end of the sequence numbers. */
		r = ear_listen(&ear, (uint16_t) (65530 + i), span_of(coded, (size_t) len));
	}
	assert_int_equal(r, 1);
	ear_prepare(&ear, prepared);
	assert_false(ear_is_open(&ear));
	return tones_measure(prepared, listen_hz);
}

static void test_codecs(void **state)
{
	const struct codec_set codecs = codec_set_builtin();

	for (size_t i = 0; i < codecs.n; i++) {
		double there = through_codec(codecs.codecs[i], 800, 800);
		double elsewhere = through_codec(codecs.codecs[i], 800, 1200);

		printf("# %s: 1500 came back as %.0f, beside it %.2f\n", codecs.codecs[i]->name,
		       there, elsewhere);
		assert_true(there > 1200 && there < 1800);
		assert_true(elsewhere < 5);
	}
}

static void test_a_gap_begins_the_window_again(void **state)
{
	static const uint8_t silence[AUDIO_FRAME_BYTES_MAX];
	const struct codec_set codecs = codec_set_builtin();
	struct ear ear = {0};
	uint16_t sequence = 0;
	unsigned n = 0;

	assert_int_equal(ear_open(&ear, codec_set_find(&codecs, "pcm")), 0);
	for (unsigned i = 0; i < TONES_WINDOW_FRAMES; i++)
		assert_int_equal(ear_listen(&ear, sequence++, span_of(silence, sizeof(silence))),
				 0);
	sequence++;
	while (ear_listen(&ear, sequence++, span_of(silence, sizeof(silence))) == 0)
		n++;
	assert_true(n >= TONES_WINDOW_FRAMES - 1);
	ear_done(&ear);
}

/* A stream whose frames are missing jumps in phase, and its tone is everywhere. */
static void test_torn_streams_are_not_heard_elsewhere(void **state)
{
	enum { N = 30 };
	static int16_t stereo[2 * TONES_WINDOW_SAMPLES], tone[TONES_WINDOW_SAMPLES];
	static float prepared[2 * TONES_WINDOW_SAMPLES];

	tones_make(tones_frequency(7, N), 3000, tone);
	for (unsigned i = 0; i < TONES_WINDOW_SAMPLES; i++)
		stereo[2 * i] =
			tone[i < TONES_WINDOW_SAMPLES / 2 ? i : (i + 5) % TONES_WINDOW_SAMPLES];
	tones_prepare(stereo, prepared);
	assert_true(tones_measure(prepared, tones_frequency(8, N)) > 10);
	for (unsigned t = 0; t < N; t++)
		assert_int_equal(tones_is_heard(prepared, t, N, 10), t == 7);
}

static void test_speech_is_speech(void **state)
{
	const struct codec_set codecs = codec_set_builtin();
	_cleanup_(voice_freep) struct voice *voice = NULL;
	struct prng prng = {.state = 1};
	unsigned loud = 0, quiet = 0;

	assert_int_equal(voice_new_speech(codec_set_find(&codecs, "opus"), &prng, &voice), 0);
	for (unsigned i = 0; i < 200; i++) {
		struct span frame = voice_frame(voice, i, true);
		struct reader rd = reader_over(frame.data, frame.len);
		int peak = 0;

		assert_int_equal(frame.len, AUDIO_FRAME_SAMPLES * 2);
		while (reader_left(&rd) > 0)
			peak = MAX(peak, abs(read_i16le(&rd)));
		loud += peak > 3000;
		quiet += peak < 100;
	}
	assert_true(loud > 50);
	assert_true(quiet > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frequencies),
		cmocka_unit_test(test_amplitudes_in_a_mix),
		cmocka_unit_test(test_codecs),
		cmocka_unit_test(test_a_gap_begins_the_window_again),
		cmocka_unit_test(test_torn_streams_are_not_heard_elsewhere),
		cmocka_unit_test(test_speech_is_speech),
	};

	return cmocka_run_group_tests_name("tones", tests, NULL, NULL);
}
