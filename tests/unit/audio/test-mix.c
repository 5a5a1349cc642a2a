/* Who hears what, protocol 03 sections 3.10, 7 and 8. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "audio/mix.h"

/* A room of three: a listener at the origin looking ahead, and two more. */
enum {
	LISTENER,
	ALICE,
	BOB,
	PEOPLE,
};

#define WALK_FRAMES 60

static const struct jitter_config config = {.dynamic = true};
static const struct uuid sound_id = {{0xff}};

static struct mix *mix;
static struct mix_node *nodes[PEOPLE];
static struct inbound_stream *voices[PEOPLE];
static uint64_t now_usec;
static unsigned frame_number;
static int16_t out[AUDIO_FRAME_SAMPLES_MAX];
static struct mix_counts counts;

static struct uuid id_of(unsigned person)
{
	return (struct uuid){{0, 0, (uint8_t) (person + 1)}};
}

static void join(unsigned person, float x, float z)
{
	struct uuid id = id_of(person);

	assert_int_equal(mix_node_add(mix, &id, &nodes[person]), 0);
	assert_int_equal(mix_stream_open(mix, nodes[person], AUDIO_STREAM_MICROPHONE, &UUID_NULL,
					 &config, &voices[person]),
			 0);
	voices[person]->pose.position = (struct vec3){x, 0, z};
	voices[person]->pose.box_corner = (struct vec3){x - 0.5f, -1, z - 0.5f};
	voices[person]->pose.box_size = (struct vec3){1, 2, 1};
}

static void leave(unsigned person)
{
	mix_node_remove(mix, nodes[person]);
	nodes[person] = NULL;
}

/* A sphere's ears, one of which hears nothing; HRTF_EARS: both hear. */
static struct mix_ears *deaf_on(enum hrtf_ear ear)
{
	struct mix_ears *ears;
	struct hrtf *set;

	assert_int_equal(hrtf_synthesise(&set), 0);
	for (unsigned d = 0; ear != HRTF_EARS && d < HRTF_DIRECTIONS; d++)
		memset(set->taps[d][ear], 0, sizeof(set->taps[d][ear]));
	assert_int_equal(mix_ears_new(set, &ears), 0);
	return ears;
}

static int setup(void **state)
{
	if (mix_new(deaf_on(HRTF_EARS), &mix) < 0)
		return -1;
	now_usec = 0;
	frame_number = 0;
	counts = (struct mix_counts){0};
	join(LISTENER, 0, 0);
	join(ALICE, 4, 0);
	join(BOB, -4, 0);
	return 0;
}

static int teardown(void **state)
{
	mix = mix_free(mix);
	return 0;
}

/* One packet of a tone; 0 Hz is a packet of silence. */
static void say(struct inbound_stream *stream, unsigned hz)
{
	uint8_t pcm[AUDIO_FRAME_SAMPLES * 2];
	struct writer wr = writer_over(pcm, sizeof(pcm));

	if (hz == 0) {
		inbound_stream_receive_silence(stream, (uint16_t) frame_number, now_usec);
		return;
	}
	for (unsigned i = 0; i < AUDIO_FRAME_SAMPLES; i++) {
		double t = (frame_number * AUDIO_FRAME_SAMPLES + i) / (double) AUDIO_RATE_HZ;

		write_u16le(&wr, (uint16_t) (int16_t) lrint(8000 * sin(2 * M_PI * hz * t)));
	}
	assert_int_equal(inbound_stream_receive(stream, (uint16_t) frame_number, "", false,
						span_of(pcm, sizeof(pcm)), now_usec),
			 0);
}

static enum mix_result listen_as(unsigned person)
{
	return mix_listen(mix, nodes[person], out, &counts);
}

/* One frame in which Alice and Bob say tones of these frequencies. */
static enum mix_result frame(unsigned alice_hz, unsigned bob_hz)
{
	now_usec += AUDIO_FRAME_USEC;
	frame_number++;
	if (nodes[ALICE])
		say(voices[ALICE], alice_hz);
	if (nodes[BOB])
		say(voices[BOB], bob_hz);
	say(voices[LISTENER], 0);
	for (unsigned i = 0; i < PEOPLE; i++)
		if (nodes[i])
			mix_pop(nodes[i], now_usec);
	mix_settle(mix);
	return listen_as(LISTENER);
}

static enum mix_result frames(unsigned n, unsigned alice_hz, unsigned bob_hz)
{
	enum mix_result result = MIX_SILENT;

	for (unsigned i = 0; i < n; i++)
		result = frame(alice_hz, bob_hz);
	return result;
}

/* The amplitude of a frequency that has whole periods in a frame, in one ear of the last output. */
static double amplitude(unsigned ear, unsigned hz)
{
	double re = 0, im = 0;

	for (unsigned i = 0; i < AUDIO_FRAME_SAMPLES; i++) {
		double a = 2 * M_PI * hz * i / AUDIO_RATE_HZ;

		re += out[2 * i + ear] * cos(a);
		im += out[2 * i + ear] * sin(a);
	}
	return hypot(re, im) * 2 / AUDIO_FRAME_SAMPLES;
}

static double both_ears_db(unsigned hz)
{
	return 20 * log10(hypot(amplitude(0, hz), amplitude(1, hz)) + 1e-3);
}

#define ALICE_HZ 400
#define BOB_HZ   700

static bool hears(unsigned hz)
{
	return both_ears_db(hz) > 40;
}

static void test_each_is_heard_from_its_side(void **state)
{
	assert_int_equal(frames(5, ALICE_HZ, BOB_HZ), MIX_AUDIO);
	assert_true(amplitude(1, ALICE_HZ) > 1.1 * amplitude(0, ALICE_HZ));
	assert_true(amplitude(0, BOB_HZ) > 1.1 * amplitude(1, BOB_HZ));
	/* Nothing else is heard, oneself least of all. */
	assert_true(both_ears_db(1000) < 20);
	for (unsigned i = 0; i < 3; i++) {
		(void) frame(ALICE_HZ, BOB_HZ);
		(void) listen_as(ALICE);
	}
	assert_true(hears(BOB_HZ) && !hears(ALICE_HZ));
}

static void test_turning_turns_the_world(void **state)
{
	/* Half a turn. */
	voices[LISTENER]->pose.orientation = (struct quat){0, 1, 0, 0};
	(void) frames(5, ALICE_HZ, 0);
	assert_true(amplitude(0, ALICE_HZ) > 1.1 * amplitude(1, ALICE_HZ));
}

static void test_flush_comes_once_after_audio(void **state)
{
	assert_int_equal(frames(3, 0, 0), MIX_SILENT);
	assert_int_equal(frames(3, ALICE_HZ, 0), MIX_AUDIO);
	/* The tail of the filters still sounds. */
	assert_int_equal(frame(0, 0), MIX_AUDIO);
	assert_int_equal(frame(0, 0), MIX_FLUSH);
	for (unsigned i = 0; i < AUDIO_FRAME_SAMPLES_MAX; i++)
		assert_int_equal(out[i], 0);
	assert_int_equal(frame(0, 0), MIX_SILENT);
	assert_int_equal(frame(0, BOB_HZ), MIX_AUDIO);
}

static void test_a_missing_packet_fades_out(void **state)
{
	(void) frames(3, ALICE_HZ, 0);
	leave(BOB);
	/* Alice's packets stop. One frame is made up (of nothing, without a codec), then it
	 * ends. */
	for (unsigned i = 0; i < 4; i++) {
		now_usec += AUDIO_FRAME_USEC;
		mix_pop(nodes[ALICE], now_usec);
		mix_settle(mix);
		assert_int_equal(listen_as(LISTENER), i == 0   ? MIX_AUDIO
						      : i == 1 ? MIX_FLUSH
							       : MIX_SILENT);
	}
}

static void test_distance_costs_six_decibels_per_doubling(void **state)
{
	double near;

	for (float d = 2; d <= 32; d *= 2) {
		voices[ALICE]->pose.position = (struct vec3){0, 0, -d};
		(void) frames(3, 200, 0);
		near = both_ears_db(200);
		voices[ALICE]->pose.position = (struct vec3){0, 0, -2 * d};
		(void) frames(3, 200, 0);
		assert_true(fabs(near - both_ears_db(200) - 6.02) < 0.3);
	}
}

static void test_facing_is_louder(void **state)
{
	double away;

	/* Alice is to the right; she looks ahead, then at the listener: left of her. */
	(void) frames(3, ALICE_HZ, 0);
	away = both_ears_db(ALICE_HZ);
	voices[ALICE]->pose.orientation = (struct quat){0, sqrtf(0.5f), 0, sqrtf(0.5f)};
	(void) frames(3, ALICE_HZ, 0);
	assert_true(fabs(both_ears_db(ALICE_HZ) - away - 20 * log10(1 / 0.6)) < 0.1);
}

/* --- echo, injectors, stereo --- */

static void test_own_echo_comes_back_as_it_is(void **state)
{
	voices[ALICE]->loopback = true;
	for (unsigned i = 0; i < 3; i++) {
		(void) frame(ALICE_HZ, 0);
		assert_int_equal(listen_as(ALICE), MIX_AUDIO);
	}
	assert_true(fabs(amplitude(0, ALICE_HZ) - 8000) < 20);
	assert_true(fabs(amplitude(1, ALICE_HZ) - 8000) < 20);
	assert_int_equal(counts.echo_mixes, 3);
}

static struct inbound_stream *open_sound(unsigned person)
{
	struct inbound_stream *stream;

	assert_int_equal(mix_stream_open(mix, nodes[person], AUDIO_STREAM_INJECTOR, &sound_id,
					 &config, &stream),
			 0);
	stream->pose.position = voices[person]->pose.position;
	return stream;
}

static void test_injectors_have_their_own_gains(void **state)
{
	struct inbound_stream *sound = open_sound(ALICE);
	double usual;

	say(sound, BOB_HZ);
	(void) frame(0, 0);
	say(sound, BOB_HZ);
	(void) frame(0, 0);
	usual = both_ears_db(BOB_HZ);
	assert_true(usual > 40);

	/* Not the gain of avatars. */
	mix_node_set_avatar_gain(nodes[LISTENER], 0);
	mix_node_set_injector_gain(nodes[LISTENER], 0.5f);
	sound->volume = 0.5f;
	for (unsigned i = 0; i < 3; i++) {
		say(sound, BOB_HZ);
		(void) frame(0, 0);
	}
	assert_true(fabs(usual - both_ears_db(BOB_HZ) - 12.04) < 0.1);
}

static void test_stereo_sounds_are_not_placed(void **state)
{
	struct inbound_stream *sound = open_sound(ALICE);
	uint8_t pcm[AUDIO_FRAME_BYTES_MAX];
	struct writer wr = writer_over(pcm, sizeof(pcm));

	for (unsigned i = 0; i < AUDIO_FRAME_SAMPLES; i++) {
		write_u16le(&wr, (uint16_t) (int16_t) lrint(8000 * sin(2 * M_PI * i / 60)));
		write_u16le(&wr, (uint16_t) (int16_t) lrint(8000 * sin(2 * M_PI * i / 40)));
	}
	for (unsigned i = 0; i < 3; i++) {
		(void) inbound_stream_receive(sound, (uint16_t) i, "", true,
					      span_of(pcm, sizeof(pcm)), now_usec);
		(void) frame(0, 0);
	}
	/* 4 m away: −6 dB, each channel in its ear. */
	assert_true(fabs(amplitude(0, 400) - 4000) < 20 && amplitude(1, 400) < 20);
	assert_true(fabs(amplitude(1, 600) - 4000) < 20 && amplitude(0, 600) < 20);
	assert_int_equal(counts.stereo_mixes, 3);
}

static void test_injectors_without_data_are_dropped(void **state)
{
	struct inbound_stream *sound = open_sound(ALICE);

	say(sound, BOB_HZ);
	(void) frames(400, 0, 0);
	assert_non_null(mix_stream_find(nodes[ALICE], &sound_id));
	(void) frames(110, 0, 0);
	assert_null(mix_stream_find(nodes[ALICE], &sound_id));
	assert_non_null(mix_stream_find(nodes[ALICE], &UUID_NULL));
}

static void test_streams_have_limits(void **state)
{
	struct inbound_stream *stream;

	for (unsigned i = 0; i < MIX_INJECTORS_MAX; i++) {
		struct uuid id = {{1, (uint8_t) i}};

		assert_int_equal(mix_stream_open(mix, nodes[BOB], AUDIO_STREAM_INJECTOR, &id,
						 &config, &stream),
				 0);
	}
	assert_int_equal(mix_stream_open(mix, nodes[BOB], AUDIO_STREAM_INJECTOR, &sound_id, &config,
					 &stream),
			 -ENOBUFS);
	assert_int_equal(mix_stream_open(mix, nodes[BOB], AUDIO_STREAM_MICROPHONE, &UUID_NULL,
					 &config, &stream),
			 -EEXIST);
	(void) frames(2, ALICE_HZ, BOB_HZ);
	assert_true(hears(ALICE_HZ) && hears(BOB_HZ));
	/* A node that stops listening keeps its other streams. */
	mix_stream_close(mix, nodes[BOB], &UUID_NULL);
	assert_false(mix_is_listener(nodes[BOB]));
}

/* --- what people asked for about each other --- */

static void test_ignoring_works_both_ways(void **state)
{
	struct uuid alice = id_of(ALICE);

	assert_int_equal(mix_node_set_ignored(mix, nodes[LISTENER], &alice, true), 0);
	(void) frames(3, ALICE_HZ, BOB_HZ);
	assert_true(!hears(ALICE_HZ) && hears(BOB_HZ));

	/* Alice hears Bob; who speaks as the listener is not heard by her. */
	voices[LISTENER]->loopback = false;
	for (unsigned i = 0; i < 3; i++) {
		say(voices[LISTENER], 1000);
		(void) frame(ALICE_HZ, BOB_HZ);
		(void) listen_as(ALICE);
	}
	assert_true(hears(BOB_HZ) && !hears(1000));

	assert_int_equal(mix_node_set_ignored(mix, nodes[LISTENER], &alice, false), 0);
	(void) frames(2, ALICE_HZ, BOB_HZ);
	assert_true(hears(ALICE_HZ));
}

static void test_admins_hear_who_ignores_them(void **state)
{
	struct uuid listener = id_of(LISTENER), bob = id_of(BOB);

	assert_int_equal(mix_node_set_ignored(mix, nodes[ALICE], &listener, true), 0);
	mix_node_set_hears_ignorers(nodes[LISTENER], true);
	/* Who they ignore themselves they do not hear. */
	assert_int_equal(mix_node_set_ignored(mix, nodes[LISTENER], &bob, true), 0);
	(void) frames(3, ALICE_HZ, BOB_HZ);
	assert_true(hears(ALICE_HZ) && !hears(BOB_HZ));

	mix_node_set_hears_ignorers(nodes[LISTENER], false);
	(void) frames(3, ALICE_HZ, BOB_HZ);
	assert_true(!hears(ALICE_HZ));
}

static void test_opinions_outlive_and_precede_connections(void **state)
{
	struct uuid alice = id_of(ALICE);

	assert_int_equal(mix_node_set_gain(mix, nodes[LISTENER], &alice, 0), 0);
	leave(ALICE);
	(void) frames(2, 0, BOB_HZ);
	join(ALICE, 4, 0);
	(void) frames(3, ALICE_HZ, BOB_HZ);
	assert_true(!hears(ALICE_HZ) && hears(BOB_HZ));

	/* Another who gets her place in the arrays is no heir. */
	leave(ALICE);
	leave(BOB);
	join(BOB, 4, 0);
	join(ALICE, -4, 0);
	assert_int_equal(mix_node_set_gain(mix, nodes[LISTENER], &alice, 1), 0);
	(void) frames(3, ALICE_HZ, BOB_HZ);
	assert_true(hears(ALICE_HZ) && hears(BOB_HZ));
}

static void test_nil_and_oneself_are_no_targets(void **state)
{
	struct uuid listener = id_of(LISTENER);

	assert_int_equal(mix_node_set_ignored(mix, nodes[LISTENER], &UUID_NULL, true), 0);
	assert_int_equal(mix_node_set_ignored(mix, nodes[LISTENER], &listener, true), 0);
	assert_int_equal(mix_node_set_soloed(mix, nodes[LISTENER], &listener, true), 0);
	(void) frames(3, ALICE_HZ, BOB_HZ);
	assert_true(hears(ALICE_HZ) && hears(BOB_HZ));
}

static void test_opinions_have_a_limit(void **state)
{
	for (unsigned i = 0; i <= MIX_OPINIONS_MAX; i++) {
		struct uuid id = {{9, (uint8_t) (i >> 8), (uint8_t) i}};
		int r = mix_node_set_ignored(mix, nodes[BOB], &id, true);

		assert_int_equal(r, i < MIX_OPINIONS_MAX ? 0 : -ENOBUFS);
	}
	/* One that says nothing any more makes room. */
	assert_int_equal(mix_node_set_ignored(mix, nodes[BOB], &(struct uuid){{9, 0, 5}}, false),
			 0);
	assert_int_equal(mix_node_set_ignored(mix, nodes[BOB], &(struct uuid){{7}}, true), 0);
}

static void test_bubbles_keep_the_near_away(void **state)
{
	voices[ALICE]->pose.position = (struct vec3){1, 0, 0};
	voices[ALICE]->pose.box_corner = (struct vec3){0.5f, -1, -0.5f};
	(void) frames(3, ALICE_HZ, BOB_HZ);
	assert_true(hears(ALICE_HZ) && hears(BOB_HZ));

	/* Either one's is enough. */
	mix_node_set_bubble(nodes[LISTENER], true);
	(void) frames(3, ALICE_HZ, BOB_HZ);
	assert_true(!hears(ALICE_HZ) && hears(BOB_HZ));
	mix_node_set_bubble(nodes[LISTENER], false);
	mix_node_set_bubble(nodes[ALICE], true);
	(void) frames(3, ALICE_HZ, BOB_HZ);
	assert_true(!hears(ALICE_HZ) && hears(BOB_HZ));
}

static void test_solo_hears_only_those_and_as_if_near(void **state)
{
	struct uuid alice = id_of(ALICE);
	double near;

	mix_node_set_bubble(nodes[LISTENER], true);
	assert_int_equal(mix_node_set_soloed(mix, nodes[LISTENER], &alice, true), 0);
	(void) frames(3, ALICE_HZ, BOB_HZ);
	assert_true(hears(ALICE_HZ) && !hears(BOB_HZ));
	near = both_ears_db(ALICE_HZ);
	voices[ALICE]->pose.position.x = 400;
	(void) frames(3, ALICE_HZ, BOB_HZ);
	assert_true(fabs(near - both_ears_db(ALICE_HZ)) < 0.1);
	/* The bubble does not count, an ignore does. */
	voices[ALICE]->pose.position.x = 0.5f;
	(void) frames(3, ALICE_HZ, BOB_HZ);
	assert_true(hears(ALICE_HZ));
	assert_int_equal(mix_node_set_ignored(mix, nodes[LISTENER], &alice, true), 0);
	(void) frames(3, ALICE_HZ, BOB_HZ);
	assert_true(!hears(ALICE_HZ) && !hears(BOB_HZ));
}

static void test_gains_multiply(void **state)
{
	struct uuid alice = id_of(ALICE);
	double usual, bob;

	(void) frames(3, ALICE_HZ, BOB_HZ);
	usual = both_ears_db(ALICE_HZ);
	bob = both_ears_db(BOB_HZ);
	mix_node_set_avatar_gain(nodes[LISTENER], 0.5f);
	assert_int_equal(mix_node_set_gain(mix, nodes[LISTENER], &alice, 0.25f), 0);
	(void) frames(3, ALICE_HZ, BOB_HZ);
	assert_true(fabs(usual - both_ears_db(ALICE_HZ) - 18.06) < 0.1);
	assert_true(fabs(bob - both_ears_db(BOB_HZ) - 6.02) < 0.1);
}

static void test_zones_change_the_loss(void **state)
{
	static const struct acoustics_zone zones[] = {{{3, -1, -1}, {5, 1, 1}},
						      {{-1, -1, -1}, {1, 1, 1}}};
	static const struct acoustics_coefficient pairs[] = {{0, 1, 1}};
	static const struct acoustics_reverb reverbs[] = {{1, 2, 30}};
	const struct acoustics space = {0.5f, 2, 1, 1, zones, pairs, reverbs};

	mix_set_acoustics(mix, &space);
	(void) frames(3, ALICE_HZ, BOB_HZ);
	assert_true(!hears(ALICE_HZ) && hears(BOB_HZ));
	assert_true(mix_reverb(mix, nodes[LISTENER]).present);
	assert_false(mix_reverb(mix, nodes[BOB]).present);
	mix_set_acoustics(mix, NULL);
	(void) frames(3, ALICE_HZ, BOB_HZ);
	assert_true(hears(ALICE_HZ));
}

static int largest_step(void)
{
	int worst = 0;

	for (unsigned i = 2; i < AUDIO_FRAME_SAMPLES_MAX; i++)
		worst = MAX(worst, abs(out[i] - out[i - 2]));
	return worst;
}

static void test_changes_of_mind_make_no_clicks(void **state)
{
	struct uuid alice = id_of(ALICE);
	int usual;

	(void) frames(5, ALICE_HZ, 0);
	usual = largest_step();
	for (unsigned i = 0; i < 6; i++) {
		assert_int_equal(mix_node_set_ignored(mix, nodes[LISTENER], &alice, i % 2 == 0), 0);
		for (unsigned k = 0; k < 3; k++) {
			(void) frame(ALICE_HZ, 0);
			assert_true(largest_step() < 2 * usual);
		}
	}
}

static void test_lists_are_counted(void **state)
{
	struct uuid alice = id_of(ALICE);

	(void) frame(ALICE_HZ, 0);
	counts = (struct mix_counts){0};
	(void) frame(ALICE_HZ, 0);
	/* Oneself is skipped, Alice active, Bob inactive. */
	assert_int_equal(counts.listed[MIX_LIST_SKIPPED], 1);
	assert_int_equal(counts.listed[MIX_LIST_INACTIVE], 1);
	assert_int_equal(counts.listed[MIX_LIST_ACTIVE], 1);
	assert_int_equal(counts.hrtf_renders, 1);
	assert_int_equal(counts.hrtf_resets, 0);

	assert_int_equal(mix_node_set_ignored(mix, nodes[LISTENER], &alice, true), 0);
	(void) frame(ALICE_HZ, BOB_HZ);
	assert_int_equal(counts.moved[MIX_LIST_ACTIVE][MIX_LIST_SKIPPED], 1);
	assert_int_equal(counts.moved[MIX_LIST_INACTIVE][MIX_LIST_ACTIVE], 1);
	assert_int_equal(counts.hrtf_renders, 3);
	assert_int_equal(counts.hrtf_resets, 1);
	(void) frame(ALICE_HZ, BOB_HZ);
	assert_int_equal(counts.hrtf_renders, 4);
}

/* From one frame to the next, too. */
static int largest_step_since(const int16_t before[static AUDIO_CHANNELS_MAX])
{
	return MAX(largest_step(), MAX(abs(out[0] - before[0]), abs(out[1] - before[1])));
}

static void change_ears(enum hrtf_ear deaf)
{
	int usual, worst = 0;

	(void) frames(5, ALICE_HZ, 0);
	usual = largest_step();
	/* The last ones count. */
	mix_set_ears(mix, deaf_on(HRTF_EARS));
	mix_set_ears(mix, deaf_on(deaf));
	for (unsigned i = 0; i < 4; i++) {
		int16_t before[] = {out[AUDIO_FRAME_SAMPLES_MAX - 2],
				    out[AUDIO_FRAME_SAMPLES_MAX - 1]};

		(void) frame(ALICE_HZ, 0);
		worst = MAX(worst, largest_step_since(before));
	}
	assert_true(worst < 2 * usual);
	assert_true(amplitude(deaf, ALICE_HZ) < 10 && amplitude(1 - deaf, ALICE_HZ) > 100);
}

static void test_other_ears_take_over_without_a_click(void **state)
{
	for (unsigned exact = 0; exact < 2; exact++) {
		mix_set_exact(mix, exact);
		change_ears(HRTF_LEFT);
		change_ears(HRTF_RIGHT);
	}
}

static void test_crowds_come_and_go(void **state)
{
	struct mix_node *crowd[150];
	struct inbound_stream *stream;

	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 0; i < ELEMENTSOF(crowd); i++) {
			struct uuid id = {{3, (uint8_t) i}};

			assert_int_equal(mix_node_add(mix, &id, &crowd[i]), 0);
			assert_int_equal(mix_node_add(mix, &id, &crowd[i]), -EEXIST);
			assert_int_equal(mix_stream_open(mix, crowd[i], AUDIO_STREAM_MICROPHONE,
							 &UUID_NULL, &config, &stream),
					 0);
		}
		(void) frames(2, ALICE_HZ, 0);
		assert_true(hears(ALICE_HZ));
		assert_int_equal(mix_listen(mix, crowd[149], out, &counts), MIX_AUDIO);
		for (unsigned i = 0; i < ELEMENTSOF(crowd); i++)
			mix_node_remove(mix, crowd[i]);
	}
	(void) frames(2, ALICE_HZ, 0);
	assert_true(hears(ALICE_HZ));
}

#define in_room(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

/* Alice walks around the listener, Bob speaks now and then. */
static void record_walk(int16_t ret[static WALK_FRAMES * AUDIO_FRAME_SAMPLES_MAX])
{
	for (unsigned i = 0; i < WALK_FRAMES; i++) {
		float a = (float) i * 0.2f;

		voices[ALICE]->pose.position = (struct vec3){3 * cosf(a), 0.5f, 1.5f * sinf(a)};
		(void) frame(500, i / 10 % 2 ? 700 : 0);
		memcpy(ret + i * AUDIO_FRAME_SAMPLES_MAX, out, sizeof(out));
	}
}

static void test_both_renderers_sound_the_same(void **state)
{
	static int16_t fast[WALK_FRAMES * AUDIO_FRAME_SAMPLES_MAX], exact[ELEMENTSOF(fast)];
	int loudest = 0;

	record_walk(fast);
	teardown(state);
	assert_int_equal(setup(state), 0);
	mix_set_exact(mix, true);
	record_walk(exact);
	for (unsigned i = 0; i < ELEMENTSOF(fast); i++) {
		assert_true(abs(fast[i] - exact[i]) <= 1);
		loudest = MAX(loudest, abs(exact[i]));
	}
	assert_true(loudest > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_room(test_each_is_heard_from_its_side),
		in_room(test_turning_turns_the_world),
		in_room(test_flush_comes_once_after_audio),
		in_room(test_a_missing_packet_fades_out),
		in_room(test_distance_costs_six_decibels_per_doubling),
		in_room(test_facing_is_louder),
		in_room(test_own_echo_comes_back_as_it_is),
		in_room(test_injectors_have_their_own_gains),
		in_room(test_stereo_sounds_are_not_placed),
		in_room(test_injectors_without_data_are_dropped),
		in_room(test_streams_have_limits),
		in_room(test_ignoring_works_both_ways),
		in_room(test_admins_hear_who_ignores_them),
		in_room(test_opinions_outlive_and_precede_connections),
		in_room(test_nil_and_oneself_are_no_targets),
		in_room(test_opinions_have_a_limit),
		in_room(test_bubbles_keep_the_near_away),
		in_room(test_solo_hears_only_those_and_as_if_near),
		in_room(test_gains_multiply),
		in_room(test_zones_change_the_loss),
		in_room(test_changes_of_mind_make_no_clicks),
		in_room(test_lists_are_counted),
		in_room(test_other_ears_take_over_without_a_click),
		in_room(test_crowds_come_and_go),
		in_room(test_both_renderers_sound_the_same),
	};

	return cmocka_run_group_tests_name("mix", tests, NULL, NULL);
}
