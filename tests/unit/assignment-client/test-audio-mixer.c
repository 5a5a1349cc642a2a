/* The audio-mixer with real clients around it: protocol 03, above all sections 3, 5, 7 and 11. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "assignment-client/audio-mixer.h"
#include "assignment-client/hats.h"
#include "base/clock.h"
#include "base/qt-stream.h"
#include "mixer-fixture.h"
#include "node/permissions.h"

#define DEADLINE_FRAMES 500
#define TONE_HZ         400

static struct fixture f;

static const uint8_t pose[52] = {
	/* position 1, 2, −3; identity; a box around it */
	0x00, 0x00, 0x80, 0x3f, 0x00, 0x00, 0x00, 0x40, 0x00, 0x00, 0x40, 0xc0, 0,
	0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0x00, 0x00,
	0x80, 0x3f, 0,    0,    0,    0x3f, 0,    0,    0x80, 0x3f, 0x00, 0x00, 0x60,
	0xc0, 0,    0,    0x80, 0x3f, 0,    0,    0,    0x40, 0,    0,    0x80, 0x3f,
};

/* What a client keeps between its packets. */
struct speaker {
	struct fixture_client *client;
	uint16_t sequence;
	const char *codec;
};

static void send_silence(struct speaker *s)
{
	uint8_t data[128];
	struct writer wr = writer_over(data, sizeof(data));

	write_u16le(&wr, s->sequence++);
	write_string32(&wr, s->codec, strlen(s->codec));
	write_u16le(&wr, AUDIO_FRAME_SAMPLES);
	write_bytes(&wr, pose, sizeof(pose));
	fixture_send(s->client, PACKET_SILENT_AUDIO_FRAME, data, wr.len);
}

static void write_tone(struct writer *wr)
{
	for (unsigned i = 0; i < AUDIO_FRAME_SAMPLES; i++)
		write_u16le(wr, (uint16_t) (int16_t) lrint(
					8000 * sin(2 * M_PI * TONE_HZ * i / AUDIO_RATE_HZ)));
}

static void speak(struct speaker *s, enum packet_type type)
{
	uint8_t data[1024];
	struct writer wr = writer_over(data, sizeof(data));

	write_u16le(&wr, s->sequence++);
	write_string32(&wr, s->codec, strlen(s->codec));
	write_u8(&wr, 0);
	write_bytes(&wr, pose, sizeof(pose));
	write_tone(&wr);
	fixture_send(s->client, type, data, wr.len);
}

static void play(struct speaker *s, const struct uuid *id)
{
	struct audio_inject packet = {.sequence = s->sequence++, .stream = *id, .volume = 1};
	uint8_t data[1024], pcm[480];
	struct writer tone = writer_over(pcm, sizeof(pcm)), wr = writer_over(data, sizeof(data));

	write_tone(&tone);
	packet.pcm = span_of(pcm, sizeof(pcm));
	packet.pose.orientation.w = 1;
	audio_inject_encode(&packet, &wr);
	fixture_send(s->client, PACKET_INJECT_AUDIO, data, wr.len);
}

/* The loudness of the tone in a frame of samples. */
static double tone_level(const int16_t *pcm)
{
	double re = 0, im = 0;

	for (unsigned i = 0; i < AUDIO_FRAME_SAMPLES; i++) {
		re += pcm[2 * i] * cos(2 * M_PI * TONE_HZ * i / AUDIO_RATE_HZ);
		im += pcm[2 * i] * sin(2 * M_PI * TONE_HZ * i / AUDIO_RATE_HZ);
	}
	return hypot(re, im) * 2 / AUDIO_FRAME_SAMPLES;
}

/* Whether the last mix a client got has the tone in it; decoder is NULL for raw PCM. */
static bool last_mix_has_tone(struct fixture_client *c, const char *codec,
			      struct codec_decoder *decoder)
{
	const struct fixture_packet *packet = fixture_last(c, PACKET_MIXED_AUDIO);
	int16_t pcm[AUDIO_FRAME_SAMPLES_MAX];
	struct audio_mixed mixed;

	if (!packet)
		return false;
	assert_int_equal(audio_mixed_decode(span_of(packet->data, packet->len), &mixed), 0);
	assert_string_equal(mixed.codec, codec);
	if (decoder)
		(void) codec_decode(decoder, mixed.audio.data, mixed.audio.len, pcm);
	else
		(void) codec_pcm.decode(NULL, 2, mixed.audio.data, mixed.audio.len, pcm);
	if (!decoder)
		assert_int_equal(mixed.audio.len, AUDIO_FRAME_BYTES_MAX);
	return tone_level(pcm) > 500;
}

/* One speaks, the other listens, until it hears the tone; false when that never happens. */
static bool hears(struct speaker *listener, struct speaker *speaker)
{
	for (unsigned i = 0; i < DEADLINE_FRAMES; i++) {
		speak(speaker, PACKET_MICROPHONE_AUDIO_NO_ECHO);
		send_silence(listener);
		fixture_run(&f, 10000);
		if (last_mix_has_tone(listener->client, listener->codec, NULL))
			return true;
	}
	return false;
}

/* The same for a while, after which the listener got nothing but silence. */
static bool hears_nothing_of(struct speaker *listener, struct speaker *speaker)
{
	for (unsigned i = 0; i < 60; i++) {
		speak(speaker, PACKET_MICROPHONE_AUDIO_NO_ECHO);
		send_silence(listener);
		fixture_run(&f, 10000);
		if (i == 30)
			fixture_clear(listener->client);
	}
	return fixture_count(listener->client, PACKET_SILENT_AUDIO_FRAME) > 0 &&
	       fixture_count(listener->client, PACKET_MIXED_AUDIO) == 0;
}

static struct speaker add(uint32_t permissions)
{
	return (struct speaker){
		.client = fixture_add(&f, NODE_TYPE_AGENT, permissions),
		.sequence = 1,
		.codec = "",
	};
}

/* --- mixes --- */

static void test_silence_at_a_hundred_per_second(void **state)
{
	struct speaker a;
	uint16_t last = 0;

	fixture_open(&f, &audio_mixer_ops, NULL);
	a = add(0);
	/* Nothing is sent before the first packet of sound or silence. */
	fixture_run(&f, 100000);
	assert_int_equal(a.client->n_packets, 0);

	send_silence(&a);
	assert_true(fixture_wait(a.client, PACKET_SILENT_AUDIO_FRAME, 100));
	for (unsigned i = 0; i < a.client->n_packets; i++) {
		const struct fixture_packet *packet = &a.client->packets[i];
		struct reader rd = reader_over(packet->data, packet->len);

		if (packet->type != PACKET_SILENT_AUDIO_FRAME)
			continue;
		/* 3.5: u16, an empty codec, 480 in four bytes, nothing after it. */
		assert_int_equal(packet->len, 10);
		assert_int_equal(read_u16le(&rd), last++);
		assert_int_equal(read_u32le(&rd), 0);
		assert_int_equal(read_u32le(&rd), 480);
	}
	assert_int_equal(fixture_count(a.client, PACKET_MIXED_AUDIO), 0);
	fixture_close(&f);
}

static void test_one_hears_the_other_but_not_itself(void **state)
{
	struct speaker a, b;

	fixture_open(&f, &audio_mixer_ops, NULL);
	a = add(0);
	b = add(0);
	assert_true(hears(&b, &a));
	assert_int_equal(fixture_count(a.client, PACKET_MIXED_AUDIO), 0);
	assert_true(fixture_count(a.client, PACKET_SILENT_AUDIO_FRAME) > 0);
	fixture_close(&f);
}

static void test_echo_when_asked_for(void **state)
{
	struct speaker a;
	bool heard = false;

	fixture_open(&f, &audio_mixer_ops, NULL);
	a = add(0);
	for (unsigned i = 0; i < DEADLINE_FRAMES && !heard; i++) {
		speak(&a, PACKET_MICROPHONE_AUDIO_WITH_ECHO);
		fixture_run(&f, 10000);
		heard = last_mix_has_tone(a.client, "", NULL);
	}
	assert_true(heard);
	fixture_close(&f);
}

static void test_a_last_frame_of_zeros_ends_a_mix(void **state)
{
	struct speaker a, b;
	const struct fixture_packet *packet;

	fixture_open(&f, &audio_mixer_ops, NULL);
	a = add(0);
	b = add(0);
	assert_true(hears(&b, &a));
	for (unsigned i = 0; i < 50; i++) {
		send_silence(&a);
		send_silence(&b);
		fixture_run(&f, 10000);
	}
	packet = fixture_last(b.client, PACKET_MIXED_AUDIO);
	for (unsigned i = 6; i < packet->len; i++)
		assert_int_equal(packet->data[i], 0);
	assert_true(b.client->packets[(b.client->n_packets - 1) % FIXTURE_PACKETS_MAX].type !=
		    PACKET_MIXED_AUDIO);
	fixture_close(&f);
}

static void test_killing_the_avatar_ends_voice_and_ear(void **state)
{
	struct speaker a, b;

	fixture_open(&f, &audio_mixer_ops, NULL);
	a = add(0);
	b = add(0);
	assert_true(hears(&b, &a));
	fixture_send_reliable(b.client, PACKET_KILL_AVATAR, &(uint8_t[17]){0}, 17);
	fixture_run(&f, 200000);
	fixture_clear(b.client);
	fixture_run(&f, 100000);
	assert_int_equal(fixture_count(b.client, PACKET_SILENT_AUDIO_FRAME), 0);
	assert_int_equal(fixture_count(b.client, PACKET_MIXED_AUDIO), 0);
	assert_true(hears(&b, &a));
	fixture_close(&f);
}

/* --- codecs --- */

static void negotiate(struct speaker *s, const char *first, const char *second,
		      const char *expected)
{
	struct audio_formats formats = {.n = second ? 2 : 1};
	char selected[CODEC_NAME_MAX + 1];
	const struct fixture_packet *packet;
	uint8_t data[128];
	struct writer wr = writer_over(data, sizeof(data));

	(void) strcpy(formats.names[0], first);
	if (second)
		(void) strcpy(formats.names[1], second);
	audio_formats_encode(&formats, &wr);
	fixture_clear(s->client);
	fixture_send(s->client, PACKET_NEGOTIATE_AUDIO_FORMAT, data, wr.len);
	assert_true(fixture_wait(s->client, PACKET_SELECTED_AUDIO_FORMAT, 1));
	packet = fixture_last(s->client, PACKET_SELECTED_AUDIO_FORMAT);
	assert_int_equal(audio_selected_decode(span_of(packet->data, packet->len), selected), 0);
	assert_string_equal(selected, expected);
	s->codec = expected;
}

static void test_codecs_are_negotiated(void **state)
{
	struct speaker a;

	fixture_open(&f, &audio_mixer_ops,
		     "{\"audio_env\":{\"codec_preference_order\":\"zlib, opus\"}}");
	a = add(0);
	negotiate(&a, "opus", "zlib", "zlib");
	negotiate(&a, "opus", "hifiAC", "opus");
	negotiate(&a, "pcm", NULL, "");
	fixture_close(&f);
}

static void test_opus_both_ways(void **state)
{
	_cleanup_(codec_encoder_freep) struct codec_encoder *encoder = NULL;
	_cleanup_(codec_decoder_freep) struct codec_decoder *decoder = NULL;
	int16_t pcm[AUDIO_FRAME_SAMPLES];
	struct speaker a, b;
	bool heard = false;

	fixture_open(&f, &audio_mixer_ops, NULL);
	a = add(0);
	b = add(0);
	negotiate(&a, "opus", "pcm", "opus");
	negotiate(&b, "opus", "pcm", "opus");
	assert_int_equal(codec_encoder_new(&codec_opus, 1, &encoder), 0);
	assert_int_equal(codec_decoder_new(&codec_opus, 2, &decoder), 0);
	for (unsigned i = 0; i < AUDIO_FRAME_SAMPLES; i++)
		pcm[i] = (int16_t) lrint(8000 * sin(2 * M_PI * TONE_HZ * i / AUDIO_RATE_HZ));

	for (unsigned i = 0; i < DEADLINE_FRAMES && !heard; i++) {
		uint8_t bytes[CODEC_FRAME_BYTES_MAX], data[2048];
		struct audio_microphone packet = {.sequence = a.sequence++, .codec = "opus"};
		struct writer wr = writer_over(data, sizeof(data));

		packet.pose.orientation.w = 1;
		packet.audio = span_of(bytes, (size_t) codec_encode(encoder, pcm, bytes));
		audio_microphone_encode(&packet, &wr);
		fixture_send(a.client, PACKET_MICROPHONE_AUDIO_NO_ECHO, data, wr.len);
		send_silence(&b);
		fixture_run(&f, 10000);
		heard = last_mix_has_tone(b.client, "opus", decoder);
	}
	assert_true(heard);
	fixture_close(&f);
}

static void test_a_client_that_uses_another_codec_is_told_again(void **state)
{
	struct speaker a;

	fixture_open(&f, &audio_mixer_ops, NULL);
	a = add(0);
	negotiate(&a, "opus", NULL, "opus");
	fixture_clear(a.client);
	a.codec = "pcm";
	for (unsigned i = 0; i < 10; i++)
		speak(&a, PACKET_MICROPHONE_AUDIO_NO_ECHO);
	fixture_run(&f, 100000);
	assert_int_equal(fixture_count(a.client, PACKET_SELECTED_AUDIO_FORMAT), 0);
	speak(&a, PACKET_MICROPHONE_AUDIO_NO_ECHO);
	assert_true(fixture_wait(a.client, PACKET_SELECTED_AUDIO_FORMAT, 1));
	fixture_close(&f);
}

/* --- injectors --- */

static void test_scripts_play_sounds_until_they_stop_them(void **state)
{
	const struct uuid id = {{7}};
	struct speaker script, b;
	bool heard = false;

	fixture_open(&f, &audio_mixer_ops, NULL);
	b = add(0);
	script = (struct speaker){.client = fixture_add(&f, 'S', 0)};
	for (unsigned i = 0; i < DEADLINE_FRAMES && !heard; i++) {
		play(&script, &id);
		send_silence(&b);
		fixture_run(&f, 10000);
		heard = last_mix_has_tone(b.client, "", NULL);
	}
	assert_true(heard);
	/* It injects and hears nothing itself. */
	assert_int_equal(script.client->n_packets, 0);

	fixture_send(script.client, PACKET_STOP_INJECTOR, id.b, sizeof(id.b));
	fixture_run(&f, 200000);
	fixture_clear(b.client);
	fixture_run(&f, 100000);
	assert_int_equal(fixture_count(b.client, PACKET_MIXED_AUDIO), 0);
	fixture_close(&f);
}

/* --- who hears whom --- */

static void test_ignore_solo_and_gain(void **state)
{
	uint8_t ignore[17] = {1}, gain[17] = {0};
	struct speaker a, b;

	fixture_open(&f, &audio_mixer_ops, NULL);
	a = add(0);
	b = add(0);
	assert_true(hears(&b, &a));

	/* Whoever of the two asked. */
	memcpy(ignore + 1, b.client->uuid.b, 16);
	fixture_send_reliable(a.client, PACKET_NODE_IGNORE_REQUEST, ignore, sizeof(ignore));
	assert_true(hears_nothing_of(&b, &a));
	ignore[0] = 0;
	fixture_send_reliable(a.client, PACKET_NODE_IGNORE_REQUEST, ignore, sizeof(ignore));
	assert_true(hears(&b, &a));

	memcpy(gain, a.client->uuid.b, 16);
	fixture_send_reliable(b.client, PACKET_PER_AVATAR_GAIN_SET, gain, sizeof(gain));
	assert_true(hears_nothing_of(&b, &a));
	gain[16] = 195;
	fixture_send_reliable(b.client, PACKET_PER_AVATAR_GAIN_SET, gain, sizeof(gain));
	assert_true(hears(&b, &a));

	ignore[0] = 1;
	ignore[1] ^= 0xff;
	fixture_send_reliable(b.client, PACKET_AUDIO_SOLO_REQUEST, ignore, sizeof(ignore));
	assert_true(hears_nothing_of(&b, &a));
	fixture_close(&f);
}

static uint16_t last_sequence(struct fixture_client *c)
{
	const struct fixture_packet *packet = fixture_last(c, PACKET_SILENT_AUDIO_FRAME);

	assert_non_null(packet);
	return (uint16_t) (packet->data[0] | packet->data[1] << 8);
}

/* Codec, opinions and sequence numbers go on; a listener sees the time in between as lost packets.
 */
static void test_successor(void **state)
{
	uint8_t ignore[17] = {1};
	struct speaker a, b;
	uint16_t before, gap;

	fixture_open(&f, &audio_mixer_ops, NULL);
	a = add(0);
	b = add(0);
	negotiate(&b, "pcm", NULL, "pcm");
	send_silence(&a);
	assert_true(fixture_wait(a.client, PACKET_SILENT_AUDIO_FRAME, 20));
	assert_true(hears(&a, &b));
	memcpy(ignore + 1, b.client->uuid.b, 16);
	fixture_send_reliable(a.client, PACKET_NODE_IGNORE_REQUEST, ignore, sizeof(ignore));
	assert_true(hears_nothing_of(&a, &b));
	before = last_sequence(a.client);

	fixture_succeed(&f);
	fixture_clear(a.client);
	send_silence(&a);
	assert_true(fixture_wait(a.client, PACKET_SILENT_AUDIO_FRAME, 1));
	gap = (uint16_t) (last_sequence(a.client) - before);
	assert_in_range(gap, 1, 100);
	assert_true(hears_nothing_of(&a, &b));
	/* It is not told again what it agreed to. */
	fixture_clear(b.client);
	for (unsigned i = 0; i < 2 * STREAM_CODEC_MISMATCH_MAX; i++)
		speak(&b, PACKET_MICROPHONE_AUDIO_NO_ECHO);
	fixture_run(&f, 50000);
	assert_int_equal(fixture_count(b.client, PACKET_SELECTED_AUDIO_FORMAT), 0);
	fixture_close(&f);
}

static void test_bubble_and_the_list_of_everybody(void **state)
{
	uint8_t ignore[17] = {1}, on = 1, off = 0;
	struct speaker a, admin;

	fixture_open(&f, &audio_mixer_ops, NULL);
	a = add(0);
	admin = add(PERMISSION_KICK);
	assert_true(hears(&admin, &a));
	fixture_send_reliable(a.client, PACKET_RADIUS_IGNORE_REQUEST, &on, 1);
	assert_true(hears_nothing_of(&admin, &a));
	fixture_send_reliable(a.client, PACKET_RADIUS_IGNORE_REQUEST, &off, 1);
	assert_true(hears(&admin, &a));

	memcpy(ignore + 1, admin.client->uuid.b, 16);
	fixture_send_reliable(a.client, PACKET_NODE_IGNORE_REQUEST, ignore, sizeof(ignore));
	assert_true(hears_nothing_of(&admin, &a));
	fixture_send_reliable(admin.client, PACKET_REQUESTS_DOMAIN_LIST_DATA, &on, 1);
	assert_true(hears(&admin, &a));
	/* Only while it may. */
	admin.client->node->permissions = 0;
	assert_true(hears_nothing_of(&admin, &a));
	fixture_close(&f);
}

/* --- muting --- */

static void test_muting_needs_the_right_to_kick(void **state)
{
	const uint8_t circle[16] = {0, 0, 0x80, 0x3f, 0, 0, 0,    0x40,
				    0, 0, 0x40, 0xc0, 0, 0, 0xa0, 0x40};
	struct speaker a, b, admin;

	fixture_open(&f, &audio_mixer_ops, NULL);
	a = add(0);
	b = add(0);
	admin = add(PERMISSION_KICK);
	assert_true(hears(&b, &a));

	fixture_send_reliable(b.client, PACKET_NODE_MUTE_REQUEST, a.client->uuid.b, 16);
	fixture_send(b.client, PACKET_MUTE_ENVIRONMENT, circle, sizeof(circle));
	fixture_run(&f, 100000);
	assert_int_equal(fixture_count(a.client, PACKET_NOISY_MUTE), 0);
	assert_int_equal(fixture_count(a.client, PACKET_MUTE_ENVIRONMENT), 0);

	fixture_send_reliable(admin.client, PACKET_NODE_MUTE_REQUEST, a.client->uuid.b, 16);
	assert_true(fixture_wait(a.client, PACKET_NOISY_MUTE, 1));
	assert_int_equal(fixture_last(a.client, PACKET_NOISY_MUTE)->len, 0);
	fixture_send(admin.client, PACKET_MUTE_ENVIRONMENT, circle, sizeof(circle));
	assert_true(fixture_wait(b.client, PACKET_MUTE_ENVIRONMENT, 1));
	assert_memory_equal(fixture_last(b.client, PACKET_MUTE_ENVIRONMENT)->data, circle, 16);
	fixture_run(&f, 100000);
	assert_int_equal(fixture_count(a.client, PACKET_NOISY_MUTE), 1);
	assert_int_equal(fixture_count(b.client, PACKET_NOISY_MUTE), 0);
	assert_int_equal(fixture_count(admin.client, PACKET_MUTE_ENVIRONMENT), 0);
	fixture_close(&f);
}

/* --- slow packets --- */

static void test_reverb_and_statistics_once_a_second(void **state)
{
	const struct fixture_packet *packet;
	struct audio_stats_report report;
	struct speaker a;

	fixture_open(&f, &audio_mixer_ops,
		     "{\"audio_env\":{\"zones\":{\"hall\":{\"x_min\":\"-5\",\"x_max\":\"5\","
		     "\"y_min\":0,\"y_max\":5,\"z_min\":\"-5\",\"z_max\":\"5\"}},"
		     "\"reverb\":[{\"zone\":\"hall\",\"reverb_time\":\"1.5\",\"wet_level\":25}]}}");
	a = add(0);
	send_silence(&a);
	assert_true(fixture_wait(a.client, PACKET_AUDIO_ENVIRONMENT, 1));
	packet = fixture_last(a.client, PACKET_AUDIO_ENVIRONMENT);
	assert_int_equal(packet->len, 9);
	assert_memory_equal(packet->data, "\x80\x00\x00\xc0\x3f\x00\x00\xc8\x41", 9);

	assert_true(fixture_wait(a.client, PACKET_AUDIO_STREAM_STATS, 1));
	packet = fixture_last(a.client, PACKET_AUDIO_STREAM_STATS);
	assert_int_equal(audio_stats_decode(span_of(packet->data, packet->len), &report), 0);
	assert_true(report.start && report.end);
	assert_int_equal(report.n, 1);
	assert_int_equal(report.streams[0].type, AUDIO_STREAM_MICROPHONE);
	assert_int_equal(report.streams[0].packets.received, 1);
	assert_true(fixture_wait(a.client, PACKET_AUDIO_ENVIRONMENT, 2));
	fixture_close(&f);
}

static void test_report_to_the_domain(void **state)
{
	json_t *stats, *listener, *jitter;
	struct audio_stats_report report = {.start = true, .end = true, .n = 1};
	struct speaker a, b;
	uint8_t data[256];
	struct writer wr = writer_over(data, sizeof(data));
	char status[128];

	report.streams[0].type = AUDIO_STREAM_MIXED;
	report.streams[0].starves = 42;
	audio_stats_encode(&report, &wr);
	fixture_open(&f, &audio_mixer_ops, NULL);
	a = add(0);
	b = add(0);
	fixture_send(b.client, PACKET_AUDIO_STREAM_STATS, data, wr.len);
	assert_true(hears(&b, &a));

	stats = audio_mixer_ops.stats(f.hat);
	assert_true(json_is_true(json_object_get(stats, "useDynamicJitterBuffers")));
	assert_true(json_real_value(json_object_get(stats, "avg_streams_per_frame")) > 0);
	assert_true(json_real_value(json_object_get(json_object_get(stats, "mix_stats"),
						    "1_hrtf_renders")) > 0);
	assert_string_equal(json_string_value(json_object_get(json_object_get(stats, "mix_stats"),
							      "%_hrtf_mixes")),
			    "100.00");
	assert_true(json_real_value(json_object_get(json_object_get(stats, "avg_timing_stats"),
						    "us_per_mix")) > 0);
	listener =
		json_object_get(json_object_get(stats, "z_listeners"), UUID_TEXT(&b.client->uuid));
	jitter = json_object_get(listener, "jitter");
	assert_int_equal(json_integer_value(
				 json_object_get(json_object_get(jitter, "downstream"), "starves")),
			 42);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(jitter, "upstream"),
							    "mic.desired")),
			 1);
	assert_non_null(json_object_get(json_object_get(jitter, "upstream"), "min_gap_30s_usecs"));
	json_decref(stats);
	audio_mixer_ops.status(f.hat, status, sizeof(status));
	assert_non_null(strstr(status, "2 people"));
	fixture_close(&f);
}

/* --- replicas --- */

static void test_voices_of_an_upstream_mixer(void **state)
{
	const struct uuid stranger = {{0x55}};
	struct fixture_client *upstream;
	struct speaker b;
	uint16_t sequence = 0;
	bool heard = false;

	fixture_open(&f, &audio_mixer_ops, NULL);
	b = add(0);
	upstream = fixture_add(&f, NODE_TYPE_UPSTREAM_AUDIO, 0);
	for (unsigned i = 0; i < DEADLINE_FRAMES && !heard; i++) {
		struct audio_microphone packet = {.sequence = sequence++, .codec = "zlib"};
		uint8_t pcm[AUDIO_FRAME_SAMPLES * 2], inner[2048], data[2048];
		struct writer tone = writer_over(pcm, sizeof(pcm)), audio, wr;
		uint8_t zlib[1024];

		write_tone(&tone);
		audio = writer_over(zlib, sizeof(zlib));
		assert_int_equal(qcompress_encode(pcm, sizeof(pcm), -1, &audio), 0);
		packet.pose.orientation.w = 1;
		packet.audio = span_of(zlib, audio.len);
		wr = writer_over(inner, sizeof(inner));
		audio_microphone_encode(&packet, &wr);
		tone = writer_over(data, sizeof(data));
		audio_replicated_encode(
			&(struct audio_replicated){stranger, span_of(inner, wr.len)}, &tone);
		fixture_send(upstream, PACKET_REPLICATED_MICROPHONE_AUDIO_NO_ECHO, data, tone.len);
		send_silence(&b);
		fixture_run(&f, 10000);
		heard = last_mix_has_tone(b.client, "", NULL);
	}
	assert_true(heard);
	assert_int_equal(upstream->n_packets, 0);

	/* They go with their mixer. */
	fixture_kill(upstream);
	fixture_run(&f, 100000);
	fixture_clear(b.client);
	fixture_run(&f, 100000);
	assert_int_equal(fixture_count(b.client, PACKET_MIXED_AUDIO), 0);
	fixture_close(&f);
}

static void test_replicated_nodes_are_forwarded_downstream(void **state)
{
	struct fixture_client *downstream;
	const struct fixture_packet *packet;
	struct audio_replicated wrapped;
	struct speaker a, b;

	fixture_open(&f, &audio_mixer_ops, NULL);
	a = add(0);
	b = add(0);
	downstream = fixture_add(&f, NODE_TYPE_DOWNSTREAM_AUDIO, 0);
	a.client->node->is_replicated = true;
	speak(&b, PACKET_MICROPHONE_AUDIO_NO_ECHO);
	speak(&a, PACKET_MICROPHONE_AUDIO_NO_ECHO);
	assert_true(fixture_wait(downstream, PACKET_REPLICATED_MICROPHONE_AUDIO_NO_ECHO, 1));
	packet = fixture_last(downstream, PACKET_REPLICATED_MICROPHONE_AUDIO_NO_ECHO);
	assert_int_equal(audio_replicated_decode(span_of(packet->data, packet->len), &wrapped), 0);
	assert_true(uuid_equal(&wrapped.sender, &a.client->uuid));
	assert_int_equal(wrapped.payload.len, 2 + 4 + 1 + 52 + 480);
	fixture_run(&f, 50000);
	assert_int_equal(downstream->n_packets, 1);
	fixture_close(&f);
}

/* --- HRTF sets --- */

#define SOFA_FILE "/usr/share/libmysofa/default.sofa"

struct loading {
	struct hrtf_loader *loader;
	struct mix_ears *ears;
	int error;
	bool done;
};

static void on_loaded(struct mix_ears *ears, int error, void *userdata)
{
	struct loading *loading = userdata;

	loading->ears = ears;
	loading->error = error;
	loading->done = true;
	loading->loader = hrtf_loader_free(loading->loader);
}

static void load(const char *path, const char *cache_path, struct loading *loading)
{
	sd_event *event;

	assert_int_equal(sd_event_new(&event), 0);
	assert_int_equal(
		hrtf_loader_new(event, path, cache_path, on_loaded, loading, &loading->loader), 0);
	for (unsigned i = 0; i < 600 && !loading->done; i++)
		assert_true(sd_event_run(event, 100 * USEC_PER_MSEC) >= 0);
	assert_true(loading->done);
	sd_event_unref(event);
}

static void test_measured_sets_are_prepared_beside_the_loop(void **state)
{
	char directory[] = "/tmp/hifi-audio-XXXXXX", cache[64];
	struct loading good = {0}, bad = {0};
	struct hrtf *cached;

	assert_non_null(mkdtemp(directory));
	(void) snprintf(cache, sizeof(cache), "%s/cache", directory);
	load("/nowhere", cache, &bad);
	assert_null(bad.ears);
	assert_int_equal(bad.error, -ENOENT);

	if (access(SOFA_FILE, R_OK) < 0) {
		(void) rmdir(directory);
		skip();
	}
	load(SOFA_FILE, cache, &good);
	assert_non_null(good.ears);
	assert_int_equal(hrtf_load_cached(SOFA_FILE, cache, &cached), 0);
	mix_ears_free(good.ears);
	hrtf_free(cached);
	(void) unlink(cache);
	(void) rmdir(directory);
}

/* --- settings --- */

static void test_settings(void **state)
{
	static const char text[] =
		"{\"audio_env\":{\"attenuation_per_doubling_in_distance\":\"0.25\","
		"\"noise_muting_threshold\":\"0.003\",\"codec_preference_order\":\"zlib, pcm\","
		"\"zones\":{\"a\":{\"x_min\":\"0\",\"x_max\":\"1\",\"y_min\":\"0\",\"y_max\":\"1\","
		"\"z_min\":\"0\",\"z_max\":\"1\"},\"broken\":{\"x_min\":\"0\"},"
		"\"b\":{\"x_min\":2,\"x_max\":3,\"y_min\":0,\"y_max\":1,\"z_min\":0,\"z_max\":1}},"
		"\"attenuation_coefficients\":["
		"{\"source\":\"a\",\"listener\":\"b\",\"coefficient\":\"-20\"},"
		"{\"source\":\"a\",\"listener\":\"nowhere\",\"coefficient\":\"0.1\"},"
		"{\"source\":\"b\",\"listener\":\"a\",\"coefficient\":\"1.5\"}]},"
		"\"audio_buffer\":{\"dynamic_jitter_buffer\":false,"
		"\"static_desired_jitter_buffer_frames\":\"7\"},"
		"\"audio_threading\":{\"auto_threads\":false,\"num_threads\":\"1\"}}";
	json_t *json = json_loads(text, 0, NULL);
	struct audio_settings s;

	assert_non_null(json);
	assert_int_equal(audio_settings_read(json, &s), 0);
	assert_true(s.space.coefficient_usual == 0.25f);
	assert_true(s.noise_muting_threshold == 0.003f);
	assert_int_equal(s.codecs.n, 2);
	assert_string_equal(s.codecs.names[1], "pcm");
	assert_false(s.jitter.dynamic);
	assert_int_equal(s.jitter.static_frames, 7);
	assert_int_equal(s.threads, 1);
	assert_int_equal(s.space.n_zones, 2);
	assert_true(s.zones[1].min.x == 2);
	assert_int_equal(s.space.n_coefficients, 1);
	assert_int_equal(s.coefficients[0].source, 0);
	assert_int_equal(s.coefficients[0].listener, 1);
	assert_true(s.coefficients[0].coefficient == -20);
	audio_settings_done(&s);
	json_decref(json);
}

static void test_settings_that_are_missing(void **state)
{
	json_t *json = json_object();
	struct audio_settings s;

	assert_int_equal(audio_settings_read(json, &s), 0);
	assert_true(s.space.coefficient_usual == 0.5f);
	assert_true(s.noise_muting_threshold == 1);
	assert_true(s.jitter.dynamic);
	assert_string_equal(s.codecs.names[0], "opus");
	assert_true(s.threads >= 1);
	audio_settings_done(&s);
	json_decref(json);
}

static int leave(void *userdata, const struct received *rx)
{
	fixture_kill(userdata);
	return 0;
}

static int end_assignment(void *userdata, const struct received *rx)
{
	fixture_kill(userdata);
	f.ops->stop(TAKE_PTR(f.hat));
	return 0;
}

/* A frame that is due reads what waits at the socket first, and what that brings comes before it.
 */
static void make_a_frame_read(packet_handler_fn handler)
{
	struct fixture_client *c;
	uint64_t late;

	fixture_open(&f, &audio_mixer_ops, NULL);
	c = fixture_add(&f, 'I', 0);
	endpoint_handle(f.ep, PACKET_MUTE_ENVIRONMENT, handler, c);
	fixture_run(&f, 30000);
	fixture_send(c, PACKET_MUTE_ENVIRONMENT, c->uuid.b, sizeof(c->uuid.b));
	endpoint_flush(c->ep);
	/* The frame's time comes before the loop looks at the socket. */
	late = clock_now_usec() + 2 * AUDIO_FRAME_USEC;
	while (clock_now_usec() < late)
		;
	for (unsigned i = 0; i < DEADLINE_FRAMES && c->node; i++)
		fixture_run(&f, AUDIO_FRAME_USEC);
	assert_null(c->node);
	endpoint_handle(f.ep, PACKET_MUTE_ENVIRONMENT, NULL, NULL);
	fixture_close(&f);
}

static void test_the_last_client_leaves_while_a_frame_reads(void **state)
{
	make_a_frame_read(leave);
}

static void test_the_assignment_ends_while_a_frame_reads(void **state)
{
	make_a_frame_read(end_assignment);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_silence_at_a_hundred_per_second),
		cmocka_unit_test(test_one_hears_the_other_but_not_itself),
		cmocka_unit_test(test_echo_when_asked_for),
		cmocka_unit_test(test_a_last_frame_of_zeros_ends_a_mix),
		cmocka_unit_test(test_killing_the_avatar_ends_voice_and_ear),
		cmocka_unit_test(test_codecs_are_negotiated),
		cmocka_unit_test(test_opus_both_ways),
		cmocka_unit_test(test_a_client_that_uses_another_codec_is_told_again),
		cmocka_unit_test(test_scripts_play_sounds_until_they_stop_them),
		cmocka_unit_test(test_ignore_solo_and_gain),
		cmocka_unit_test(test_successor),
		cmocka_unit_test(test_bubble_and_the_list_of_everybody),
		cmocka_unit_test(test_muting_needs_the_right_to_kick),
		cmocka_unit_test(test_reverb_and_statistics_once_a_second),
		cmocka_unit_test(test_report_to_the_domain),
		cmocka_unit_test(test_voices_of_an_upstream_mixer),
		cmocka_unit_test(test_replicated_nodes_are_forwarded_downstream),
		cmocka_unit_test(test_measured_sets_are_prepared_beside_the_loop),
		cmocka_unit_test(test_the_last_client_leaves_while_a_frame_reads),
		cmocka_unit_test(test_the_assignment_ends_while_a_frame_reads),
		cmocka_unit_test(test_settings),
		cmocka_unit_test(test_settings_that_are_missing),
	};

	return cmocka_run_group_tests_name("audio-mixer", tests, NULL, NULL);
}
