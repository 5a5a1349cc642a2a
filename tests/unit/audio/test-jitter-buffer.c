/* The inbound stream of protocol 03 section 6: what is held, dropped, made up and measured. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "audio/inbound-stream.h"

static const struct jitter_config dynamic = {.dynamic = true};

static int16_t frame[AUDIO_FRAME_SAMPLES_MAX];

static int16_t *marked(unsigned mark)
{
	for (unsigned i = 0; i < AUDIO_FRAME_SAMPLES_MAX; i++)
		frame[i] = (int16_t) mark;
	return frame;
}

/* One packet whose samples all are its number; yields how many lost frames were asked for. */
static unsigned arrive(struct jitter_buffer *jitter, unsigned sequence, uint64_t now_usec)
{
	int16_t zeros[AUDIO_FRAME_SAMPLES_MAX] = {0};
	unsigned lost;
	bool wanted = jitter_buffer_receive(jitter, (uint16_t) sequence, now_usec, &lost);

	for (unsigned i = 0; i < lost; i++)
		jitter_buffer_write(jitter, zeros);
	if (wanted)
		jitter_buffer_write(jitter, marked(sequence));
	jitter_buffer_settle(jitter, now_usec);
	return lost;
}

static struct audio_stream_stats stats_of(const struct jitter_buffer *jitter)
{
	struct audio_stream_stats stats;

	jitter_buffer_stats(jitter, &stats);
	return stats;
}

/* The mark of the next frame, or minus what else the pop said. */
static int pop(struct jitter_buffer *jitter, uint64_t now_usec)
{
	enum jitter_pop r = jitter_buffer_pop(jitter, now_usec, frame);

	return r == JITTER_POP_FRAME ? frame[AUDIO_FRAME_SAMPLES - 1] : -(int) r;
}

static void test_frames_come_out_in_order(void **state)
{
	_cleanup_(jitter_buffer_freep) struct jitter_buffer *jitter = NULL;

	assert_int_equal(jitter_buffer_new(&dynamic, 1, &jitter), 0);
	assert_int_equal(pop(jitter, 0), -JITTER_POP_NONE);
	for (unsigned i = 1; i <= 250; i++) {
		assert_int_equal(arrive(jitter, i, i * 10000), 0);
		assert_int_equal(pop(jitter, i * 10000 + 5000), i);
	}
	assert_int_equal(stats_of(jitter).starves, 0);
}

static void test_a_dry_buffer_conceals_once_then_waits(void **state)
{
	_cleanup_(jitter_buffer_freep) struct jitter_buffer *jitter = NULL;

	assert_int_equal(jitter_buffer_new(&dynamic, 1, &jitter), 0);
	(void) arrive(jitter, 1, 10000);
	assert_int_equal(pop(jitter, 20000), 1);
	assert_int_equal(pop(jitter, 30000), -JITTER_POP_CONCEAL);
	assert_int_equal(jitter_buffer_not_mixed(jitter), 1);
	assert_int_equal(pop(jitter, 40000), -JITTER_POP_NONE);
	assert_int_equal(pop(jitter, 50000), -JITTER_POP_NONE);
	assert_int_equal(jitter_buffer_not_mixed(jitter), 3);
	(void) arrive(jitter, 2, 55000);
	assert_int_equal(pop(jitter, 60000), 2);
	assert_int_equal(stats_of(jitter).starves, 1);
	/* Only the next starvation restarts this count. */
	assert_int_equal(jitter_buffer_not_mixed(jitter), 3);
	assert_int_equal(pop(jitter, 70000), -JITTER_POP_CONCEAL);
	assert_int_equal(jitter_buffer_not_mixed(jitter), 1);
}

static void test_a_static_buffer_holds_what_it_was_told(void **state)
{
	const struct jitter_config three = {.static_frames = 3};
	_cleanup_(jitter_buffer_freep) struct jitter_buffer *jitter = NULL;
	uint64_t now = 0;

	assert_int_equal(jitter_buffer_new(&three, 1, &jitter), 0);
	for (unsigned round = 0; round < 5; round++) {
		(void) arrive(jitter, 3 * round + 1, now += 10000);
		(void) arrive(jitter, 3 * round + 2, now += 10000);
		assert_int_equal(pop(jitter, now), -JITTER_POP_NONE);
		(void) arrive(jitter, 3 * round + 3, now += 10000);
		for (unsigned i = 1; i <= 3; i++)
			assert_int_equal(pop(jitter, now), 3 * round + i);
		assert_int_equal(pop(jitter, now), -JITTER_POP_CONCEAL);
	}
	assert_int_equal(stats_of(jitter).desired_frames, 3);
}

static void test_lost_packets_leave_frames_to_make_up(void **state)
{
	_cleanup_(jitter_buffer_freep) struct jitter_buffer *jitter = NULL;

	assert_int_equal(jitter_buffer_new(&dynamic, 1, &jitter), 0);
	(void) arrive(jitter, 1, 10000);
	assert_int_equal(arrive(jitter, 4, 20000), 2);
	/* Too late to be of use. */
	assert_int_equal(arrive(jitter, 3, 21000), 0);
	/* A duplicate counts as one more lost. */
	assert_int_equal(arrive(jitter, 4, 22000), 1);
	assert_int_equal(pop(jitter, 30000), 1);
	assert_int_equal(pop(jitter, 40000), 0);
	assert_int_equal(pop(jitter, 50000), 0);
	assert_int_equal(pop(jitter, 60000), 4);
	assert_int_equal(pop(jitter, 70000), 0);
	assert_int_equal(stats_of(jitter).packets.lost, 1);
}

static void test_too_much_is_cut_down_to_just_above_desired(void **state)
{
	_cleanup_(jitter_buffer_freep) struct jitter_buffer *jitter = NULL;

	assert_int_equal(jitter_buffer_new(&dynamic, 1, &jitter), 0);
	for (unsigned i = 1; i <= 11; i++)
		(void) arrive(jitter, i, 10000);
	assert_int_equal(stats_of(jitter).frames_available, 11);
	(void) arrive(jitter, 12, 10000);
	assert_int_equal(stats_of(jitter).frames_available, 2);
	assert_int_equal(stats_of(jitter).dropped, 10);
	assert_int_equal(pop(jitter, 20000), 11);
}

static void test_a_jump_does_not_make_a_thousand_frames(void **state)
{
	_cleanup_(jitter_buffer_freep) struct jitter_buffer *jitter = NULL;

	assert_int_equal(jitter_buffer_new(&dynamic, 1, &jitter), 0);
	(void) arrive(jitter, 1, 10000);
	assert_int_equal(arrive(jitter, 1002, 20000), 1 + JITTER_MAX_OVER);
	assert_int_equal(stats_of(jitter).packets.lost, 1000);
	(void) pop(jitter, 20000);
	assert_int_equal(pop(jitter, 20000), 1002);
}

static void test_a_full_ring_loses_its_oldest(void **state)
{
	const struct jitter_config hundred = {.static_frames = 100};
	_cleanup_(jitter_buffer_freep) struct jitter_buffer *jitter = NULL;

	assert_int_equal(jitter_buffer_new(&hundred, 1, &jitter), 0);
	for (unsigned i = 1; i <= 105; i++)
		(void) arrive(jitter, i, 10000);
	assert_int_equal(stats_of(jitter).overflows, 5);
	jitter_buffer_write_silence(jitter);
	assert_int_equal(stats_of(jitter).overflows, 5);
	assert_int_equal(pop(jitter, 20000), 6);
}

/* Nothing is sent for 60 ms of each second: the buffer has to grow, and to shrink again once the
 * pauses stop. */
static void test_dynamic_desired_grows_and_shrinks(void **state)
{
	_cleanup_(jitter_buffer_freep) struct jitter_buffer *jitter = NULL;
	uint64_t now = 0;
	unsigned sequence = 0, starves;

	assert_int_equal(jitter_buffer_new(&dynamic, 1, &jitter), 0);
	for (unsigned i = 0; i < 4000; i++) {
		now += 10000;
		if (i % 100 >= 5)
			(void) arrive(jitter, ++sequence, now);
		(void) pop(jitter, now + 1000);
	}
	assert_in_range(stats_of(jitter).desired_frames, 5, 7);
	starves = stats_of(jitter).starves;
	assert_in_range(starves, 1, 60);

	for (unsigned i = 0; i < 6500; i++) {
		now += 10000;
		(void) arrive(jitter, ++sequence, now);
		(void) pop(jitter, now + 1000);
	}
	assert_int_equal(stats_of(jitter).desired_frames, 1);
	assert_int_equal(stats_of(jitter).starves, starves);
}

static void test_silence_is_dropped_while_too_much_is_held(void **state)
{
	_cleanup_(jitter_buffer_freep) struct jitter_buffer *jitter = NULL;
	uint64_t now = 0;
	unsigned sequence = 0;

	/* Six frames held for more than ten seconds where one is desired. */
	assert_int_equal(jitter_buffer_new(&dynamic, 1, &jitter), 0);
	for (unsigned i = 0; i < 5; i++)
		(void) arrive(jitter, ++sequence, now);
	for (unsigned i = 0; i < 1100; i++) {
		now += 10000;
		(void) arrive(jitter, ++sequence, now);
		(void) pop(jitter, now);
	}
	assert_in_range(stats_of(jitter).frames_available, 5, 6);
	assert_in_range(stats_of(jitter).frames_available_mean, 5, 7);

	for (unsigned i = 0; i < 10; i++) {
		unsigned lost;

		now += 10000;
		assert_true(jitter_buffer_receive(jitter, (uint16_t) ++sequence, now, &lost));
		jitter_buffer_write_silence(jitter);
		jitter_buffer_settle(jitter, now);
		(void) pop(jitter, now);
	}
	assert_in_range(stats_of(jitter).frames_available, 1, 2);
	assert_in_range(stats_of(jitter).dropped, 3, 5);
	assert_int_equal(stats_of(jitter).starves, 0);
}

static void test_statistics(void **state)
{
	_cleanup_(jitter_buffer_freep) struct jitter_buffer *jitter = NULL;
	struct audio_stream_stats stats;
	uint64_t now = 1000000;

	assert_int_equal(jitter_buffer_new(&dynamic, 1, &jitter), 0);
	stats = stats_of(jitter);
	assert_true(stats.gap.min_usec == UINT64_MAX && stats.gap.max_usec == 0);

	for (unsigned i = 0; i < 7000; i++) {
		now += 10000;
		(void) arrive(jitter, i, now + (i % 2) * 4000);
		(void) pop(jitter, now + 5000);
	}
	stats = stats_of(jitter);
	assert_int_equal(stats.packets.received, 7000);
	assert_in_range(stats.packets_30s.received, 2900, 3100);
	assert_int_equal(stats.gap.min_usec, 6000);
	assert_int_equal(stats.gap.max_usec, 14000);
	assert_true(fabsf(stats.gap_30s.mean_usec - 10000) < 10);
	assert_int_equal(stats.desired_frames, 1);
	assert_in_range(stats.unplayed_ms_max, 10, 20);
}

/* --- the stream around it --- */

static struct inbound_stream *new_stream(enum audio_stream_type type)
{
	struct inbound_stream *stream;

	assert_int_equal(inbound_stream_new(type, &UUID_NULL, &dynamic, &stream), 0);
	return stream;
}

static int speak(struct inbound_stream *stream, unsigned sequence, const char *codec, int16_t value,
		 uint64_t now_usec)
{
	uint8_t data[480];
	struct writer wr = writer_over(data, sizeof(data));

	for (unsigned i = 0; i < AUDIO_FRAME_SAMPLES; i++)
		write_u16le(&wr, (uint16_t) value);
	return inbound_stream_receive(stream, (uint16_t) sequence, codec, false,
				      span_of(data, sizeof(data)), now_usec);
}

static float heard(const struct inbound_stream *stream, unsigned i)
{
	return stream->block[0][STREAM_HISTORY_SAMPLES + i];
}

static void test_blocks_carry_the_past(void **state)
{
	_cleanup_(inbound_stream_freep) struct inbound_stream *stream =
		new_stream(AUDIO_STREAM_MICROPHONE);

	assert_int_equal(speak(stream, 1, "", 8192, 0), 0);
	inbound_stream_pop(stream, 1000);
	assert_true(stream->block[0][0] == 0 && heard(stream, 0) == 0.25f);
	assert_int_equal(speak(stream, 2, "pcm", -16384, 10000), 0);
	inbound_stream_pop(stream, 11000);
	assert_true(stream->block[0][0] == 0.25f && heard(stream, 0) == -0.5f);
	assert_true(fabsf(stream->loudness - 0.5f) < 1e-4f);
	assert_false(inbound_stream_is_quiet(stream));
}

static void test_a_microphone_fades_out_an_injector_stops(void **state)
{
	_cleanup_(inbound_stream_freep) struct inbound_stream *voice =
		new_stream(AUDIO_STREAM_MICROPHONE);
	_cleanup_(inbound_stream_freep) struct inbound_stream *sound =
		new_stream(AUDIO_STREAM_INJECTOR);

	(void) speak(voice, 1, "", 8192, 0);
	(void) speak(sound, 1, "", 8192, 0);
	for (unsigned i = 0; i < 3; i++) {
		inbound_stream_pop(voice, i * 10000);
		inbound_stream_pop(sound, i * 10000);
	}
	assert_true(inbound_stream_is_quiet(voice) && inbound_stream_is_quiet(sound));
	assert_true(heard(sound, 0) == 0);
	/* Without a codec the concealed frame was zeros, and those are what is repeated. */
	assert_true(heard(voice, 0) == 0);

	for (unsigned i = 0; i < STREAM_STALE_FRAMES; i++)
		inbound_stream_pop(sound, 30000);
	assert_true(inbound_stream_is_stale(sound));
	assert_false(inbound_stream_is_stale(voice));
}

static void test_fade_of_repeated_frames(void **state)
{
	assert_true(inbound_stream_fade(0) == 1 && inbound_stream_fade(2) == 1);
	assert_true(fabsf(inbound_stream_fade(18) - powf(32767, -0.5f)) < 1e-6f);
	assert_true(inbound_stream_fade(34) > 0 && inbound_stream_fade(34) < 1 / 32000.0f);
	assert_true(inbound_stream_fade(35) == 0);
}

static void test_opus_conceals_then_fades(void **state)
{
	_cleanup_(inbound_stream_freep) struct inbound_stream *stream =
		new_stream(AUDIO_STREAM_MICROPHONE);
	_cleanup_(codec_encoder_freep) struct codec_encoder *encoder = NULL;
	float first = 0, last = 0;

	assert_int_equal(codec_encoder_new(&codec_opus, 1, &encoder), 0);
	assert_int_equal(inbound_stream_set_codec(stream, &codec_opus), 0);
	for (unsigned i = 0; i < 20; i++) {
		uint8_t data[CODEC_FRAME_BYTES_MAX];
		ssize_t n;

		for (unsigned k = 0; k < AUDIO_FRAME_SAMPLES; k++)
			frame[k] = (int16_t) (8000 * sin((i * 240 + k) * 0.115));
		n = codec_encode(encoder, frame, data);
		assert_int_equal(inbound_stream_receive(stream, (uint16_t) i, "opus", false,
							span_of(data, (size_t) n), i * 10000),
				 0);
		inbound_stream_pop(stream, i * 10000);
	}
	inbound_stream_pop(stream, 200000);
	assert_true(stream->popped);
	assert_true(stream->loudness > 0.02f);

	inbound_stream_pop(stream, 210000);
	assert_false(stream->popped);
	for (unsigned i = 0; i < 60; i++) {
		first += fabsf(heard(stream, i));
		last += fabsf(heard(stream, 180 + i));
	}
	assert_true(first > 0.1f && last < first / 2);

	inbound_stream_pop(stream, 220000);
	assert_true(heard(stream, 0) == 0 && heard(stream, 239) == 0);
}

static void test_codec_mismatch(void **state)
{
	_cleanup_(inbound_stream_freep) struct inbound_stream *stream =
		new_stream(AUDIO_STREAM_MICROPHONE);
	unsigned sequence = 0;

	assert_int_equal(inbound_stream_set_codec(stream, &codec_zlib), 0);
	/* Raw PCM of before the change is understood all the same. */
	assert_int_equal(speak(stream, ++sequence, "pcm", 8192, 10000), 0);
	inbound_stream_pop(stream, 10000);
	assert_true(heard(stream, 0) == 0.25f);
	/* Another codec is a lost frame. */
	assert_int_equal(speak(stream, ++sequence, "opus", 8192, 20000), 0);
	inbound_stream_pop(stream, 20000);
	assert_true(heard(stream, 0) == 0);

	for (unsigned i = 0; i < 8; i++)
		assert_int_equal(speak(stream, ++sequence, "", 1, 30000), 0);
	assert_int_equal(speak(stream, ++sequence, "", 1, 30000), 1);
	assert_int_equal(speak(stream, ++sequence, "", 1, 30000), 0);
}

static void test_channels_may_change(void **state)
{
	_cleanup_(inbound_stream_freep) struct inbound_stream *stream =
		new_stream(AUDIO_STREAM_MICROPHONE);
	uint8_t data[960];
	struct writer wr = writer_over(data, sizeof(data));

	for (unsigned i = 0; i < AUDIO_FRAME_SAMPLES; i++) {
		write_u16le(&wr, 16384);
		write_u16le(&wr, (uint16_t) -8192);
	}
	(void) speak(stream, 1, "", 100, 0);
	(void) speak(stream, 2, "", 100, 0);
	assert_int_equal(
		inbound_stream_receive(stream, 3, "", true, span_of(data, sizeof(data)), 0), 0);
	inbound_stream_pop(stream, 1000);
	assert_true(stream->stereo && stream->popped);
	assert_true(heard(stream, 0) == 0.5f);
	assert_true(stream->block[1][STREAM_HISTORY_SAMPLES] == -0.25f);
	inbound_stream_pop(stream, 11000);
	inbound_stream_pop(stream, 21000);
	assert_false(stream->popped);
}

static void test_loudness_trails_and_the_quietest_is_published(void **state)
{
	_cleanup_(inbound_stream_freep) struct inbound_stream *stream =
		new_stream(AUDIO_STREAM_MICROPHONE);
	unsigned sequence = 0;

	for (unsigned i = 0; i < 401; i++) {
		assert_true(stream->quietest == 0);
		(void) speak(stream, ++sequence, "", i == 7 ? 3277 : 16384, i * 10000);
		inbound_stream_pop(stream, i * 10000);
	}
	assert_true(fabsf(stream->quietest - 0.1f) < 1e-3f);
	assert_true(fabsf(stream->trailing_loudness - 0.5f) < 1e-3f);

	inbound_stream_receive_silence(stream, (uint16_t) ++sequence, 4020000);
	inbound_stream_pop(stream, 4020000);
	assert_true(stream->popped && inbound_stream_is_quiet(stream));
	assert_true(fabsf(stream->trailing_loudness - 0.5f * 199 / 200) < 1e-3f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frames_come_out_in_order),
		cmocka_unit_test(test_a_dry_buffer_conceals_once_then_waits),
		cmocka_unit_test(test_a_static_buffer_holds_what_it_was_told),
		cmocka_unit_test(test_lost_packets_leave_frames_to_make_up),
		cmocka_unit_test(test_too_much_is_cut_down_to_just_above_desired),
		cmocka_unit_test(test_a_jump_does_not_make_a_thousand_frames),
		cmocka_unit_test(test_a_full_ring_loses_its_oldest),
		cmocka_unit_test(test_dynamic_desired_grows_and_shrinks),
		cmocka_unit_test(test_silence_is_dropped_while_too_much_is_held),
		cmocka_unit_test(test_statistics),
		cmocka_unit_test(test_blocks_carry_the_past),
		cmocka_unit_test(test_a_microphone_fades_out_an_injector_stops),
		cmocka_unit_test(test_fade_of_repeated_frames),
		cmocka_unit_test(test_opus_conceals_then_fades),
		cmocka_unit_test(test_codec_mismatch),
		cmocka_unit_test(test_channels_may_change),
		cmocka_unit_test(test_loudness_trails_and_the_quietest_is_published),
	};

	return cmocka_run_group_tests_name("jitter-buffer", tests, NULL, NULL);
}
