/* Payloads of the audio packets against the vectors of protocol 03 section 18, and what
 * section 3.10 wants refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <string.h>

#include "audio/audio-packets.h"

#define SPAN(array) span_of((array), sizeof(array))

/* Of vector (b): position (1, 2, −3), a quarter turn about y, the Web SDK's constant box. */
#define POSE_B                                                                                    \
	0x00, 0x00, 0x80, 0x3f, 0x00, 0x00, 0x00, 0x40, 0x00, 0x00, 0x40, 0xc0, 0x00, 0x00, 0x00, \
		0x00, 0xf4, 0x04, 0x35, 0x3f, 0x00, 0x00, 0x00, 0x00, 0xf4, 0x04, 0x35, 0x3f,     \
		0x00, 0x00, 0x00, 0xbf, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xbf, 0x00,     \
		0x00, 0x80, 0x3f, 0x00, 0x00, 0x00, 0x40, 0x00, 0x00, 0x80, 0x3f
#define ID_1                                                                                      \
	0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, \
		0xff

static const uint8_t vector_b[] = {0x01, 0x00, 0x03, 0x00, 0x00, 0x00,
				   'p',  'c',  'm',  0xf0, 0x00, POSE_B};
static const uint8_t vector_c[] = {0x02,   0x00, 0x03, 0x00, 0x00, 0x00, 'p',  'c',  'm', 0x00,
				   POSE_B, 0x20, 0xd1, 0x84, 0xd1, 0xe8, 0xd1, 0x4c, 0xd2};
static const uint8_t vector_l[] = {
	0x05, 0x00, 0x00, 0x00, 0x00, 0x00, ID_1, 0x00, 0x00, 0x00, 0x00, 0x80, 0x3f, 0x00, 0x00,
	0x00, 0x40, 0x00, 0x00, 0x40, 0xc0, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x80, 0x3f, 0x00, 0x00, 0x80, 0x3f, 0x00, 0x00, 0x00, 0x40,
	0x00, 0x00, 0x40, 0xc0, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xc3, 0x00};
static const struct uuid id_1 = {{ID_1}};

static void assert_pose_b(const struct audio_pose *pose)
{
	assert_true(pose->position.x == 1 && pose->position.y == 2 && pose->position.z == -3);
	assert_true(fabsf(pose->orientation.y - 0.7071068f) < 1e-6f);
	assert_true(fabsf(pose->orientation.w - 0.7071068f) < 1e-6f);
	assert_true(pose->orientation.x == 0 && pose->orientation.z == 0);
	assert_true(pose->box_corner.x == -0.5f && pose->box_corner.y == 0);
	assert_true(pose->box_size.x == 1 && pose->box_size.y == 2 && pose->box_size.z == 1);
}

static void assert_written(const struct writer *wr, const void *data, size_t len)
{
	assert_int_equal(writer_finish(wr), len);
	assert_memory_equal(wr->data, data, len);
}

/* --- 18 (a)…(g): what the Web SDK sends --- */

static void test_vector_a_negotiate(void **state)
{
	static const uint8_t data[] = {0x01, 0x03, 0x00, 0x00, 0x00, 'p', 'c', 'm'};
	struct audio_formats formats;
	uint8_t buf[64];
	struct writer wr = writer_over(buf, sizeof(buf));

	assert_int_equal(audio_formats_decode(SPAN(data), &formats), 0);
	assert_int_equal(formats.n, 1);
	assert_string_equal(formats.names[0], "pcm");
	audio_formats_encode(&formats, &wr);
	assert_written(&wr, data, sizeof(data));
}

static void test_vector_b_silent(void **state)
{
	struct audio_silent packet;
	uint8_t buf[128];
	struct writer wr = writer_over(buf, sizeof(buf));

	assert_int_equal(audio_silent_decode(SPAN(vector_b), &packet), 0);
	assert_int_equal(packet.sequence, 1);
	assert_string_equal(packet.codec, "pcm");
	assert_int_equal(packet.samples, 240);
	assert_pose_b(&packet.pose);

	packet.pose.orientation.y = packet.pose.orientation.w = 0.70710683f;
	audio_silent_encode(&packet, &wr);
	assert_written(&wr, vector_b, sizeof(vector_b));
}

static void test_vector_c_microphone(void **state)
{
	struct audio_microphone packet;
	uint8_t buf[128];
	struct writer wr = writer_over(buf, sizeof(buf));

	assert_int_equal(audio_microphone_decode(SPAN(vector_c), &packet), 0);
	assert_int_equal(packet.sequence, 2);
	assert_string_equal(packet.codec, "pcm");
	assert_false(packet.stereo);
	assert_pose_b(&packet.pose);
	assert_int_equal(packet.audio.len, 8);
	assert_memory_equal(packet.audio.data, "\x20\xd1\x84\xd1", 4);

	packet.pose.orientation.y = packet.pose.orientation.w = 0.70710683f;
	audio_microphone_encode(&packet, &wr);
	assert_written(&wr, vector_c, sizeof(vector_c));
}

static void test_vectors_d_e_f_g_control(void **state)
{
	static const uint8_t gain[] = {ID_1, 0xb7};
	static const uint8_t ignore[] = {0x01, ID_1};
	static const uint8_t on[] = {0x01};
	uint8_t master[17] = {0};
	struct audio_avatar_gain decoded;
	struct audio_ids ids;
	struct uuid id;
	bool flag;

	assert_int_equal(audio_node_mute_decode(SPAN(id_1.b), &id), 0);
	assert_true(uuid_equal(&id, &id_1));

	assert_int_equal(audio_avatar_gain_decode(SPAN(gain), &decoded), 0);
	assert_true(uuid_equal(&decoded.avatar, &id_1));
	assert_true(fabsf(20 * log10f(decoded.gain) + 6) < 0.05f);
	master[16] = 0xd7;
	assert_int_equal(audio_avatar_gain_decode(SPAN(master), &decoded), 0);
	assert_true(uuid_is_null(&decoded.avatar));
	assert_true(fabsf(20 * log10f(decoded.gain) - 10) < 0.05f);

	assert_int_equal(audio_ids_decode(SPAN(ignore), &ids), 0);
	assert_true(ids.add);
	assert_int_equal(ids.n, 1);
	id = audio_ids_get(&ids, 0);
	assert_true(uuid_equal(&id, &id_1));

	assert_int_equal(audio_flag_decode(SPAN(on), &flag), 0);
	assert_true(flag);
}

/* --- 18 (h)…(k): what the Web SDK accepts --- */

static void test_vector_h_silent_to_client(void **state)
{
	static const uint8_t data[] = {0x07, 0x00, 0x03, 0x00, 0x00, 0x00, 'p',
				       'c',  'm',  0xe0, 0x01, 0x00, 0x00};
	struct audio_mixed packet;
	uint8_t buf[64];
	struct writer wr = writer_over(buf, sizeof(buf));

	audio_mixed_silent_encode(7, "pcm", &wr);
	assert_written(&wr, data, sizeof(data));
	assert_int_equal(audio_mixed_silent_decode(SPAN(data), &packet), 0);
	assert_int_equal(packet.sequence, 7);
	assert_int_equal(audio_mixed_silent_decode(span_of(data, 11), &packet), -EBADMSG);
}

static void test_vector_i_mixed(void **state)
{
	static const uint8_t head[] = {0x08, 0x00, 0x03, 0x00, 0x00, 0x00, 'p', 'c', 'm'};
	uint8_t pcm[AUDIO_FRAME_BYTES_MAX] = {1, 2, 3}, buf[1200];
	struct audio_mixed packet = {.sequence = 8, .codec = "pcm", .audio = SPAN(pcm)};
	struct writer wr = writer_over(buf, sizeof(buf));

	audio_mixed_encode(&packet, &wr);
	assert_int_equal(writer_finish(&wr), sizeof(head) + 960);
	assert_memory_equal(buf, head, sizeof(head));
	assert_int_equal(audio_mixed_decode(span_of(buf, wr.len), &packet), 0);
	assert_int_equal(packet.audio.len, 960);
	assert_memory_equal(packet.audio.data, pcm, sizeof(pcm));
}

static void test_vectors_j_k_selected(void **state)
{
	static const uint8_t pcm[] = {3, 0, 0, 0, 'p', 'c', 'm'}, none[] = {0, 0, 0, 0};
	static const uint8_t opus[] = {4, 0, 0, 0, 'o', 'p', 'u', 's'};
	static const uint8_t longer[] = {0, 0, 0, 0, 0};
	char name[CODEC_NAME_MAX + 1];
	uint8_t buf[16];
	struct writer wr = writer_over(buf, sizeof(buf));

	audio_selected_encode("pcm", &wr);
	assert_written(&wr, pcm, sizeof(pcm));
	assert_int_equal(audio_selected_decode(SPAN(opus), name), 0);
	assert_string_equal(name, "opus");
	assert_int_equal(audio_selected_decode(SPAN(none), name), 0);
	assert_string_equal(name, "");
	assert_int_equal(audio_selected_decode(SPAN(longer), name), -EBADMSG);
}

static void test_vector_k_captured_silence(void **state)
{
	static const uint8_t data[] = {0x96, 0x02, 0x04, 0x00, 0x00, 0x00, 'o',
				       'p',  'u',  's',  0xe0, 0x01, 0x00, 0x00};
	uint8_t buf[32];
	struct writer wr = writer_over(buf, sizeof(buf));

	audio_mixed_silent_encode(662, "opus", &wr);
	assert_written(&wr, data, sizeof(data));
}

/* --- 18 (l)…(q): native clients --- */

static void test_vector_l_inject(void **state)
{
	struct audio_inject packet;
	uint8_t buf[128];
	struct writer wr = writer_over(buf, sizeof(buf));

	assert_int_equal(audio_inject_decode(SPAN(vector_l), &packet), 0);
	assert_int_equal(packet.sequence, 5);
	assert_true(uuid_equal(&packet.stream, &id_1));
	assert_false(packet.stereo);
	assert_false(packet.loopback);
	assert_true(packet.pose.position.z == -3);
	assert_true(packet.pose.orientation.w == 1);
	assert_true(packet.volume == 1);
	assert_int_equal(packet.pcm.len, 0);
	audio_inject_encode(&packet, &wr);
	assert_written(&wr, vector_l, sizeof(vector_l));
}

static void test_inject_codec_length_in_either_order(void **state)
{
	uint8_t data[sizeof(vector_l) + 3];
	struct audio_inject packet;

	memcpy(data, vector_l, 6);
	memcpy(data + 6, "abc", 3);
	memcpy(data + 9, vector_l + 6, sizeof(vector_l) - 6);
	data[2] = 3;
	assert_int_equal(audio_inject_decode(SPAN(data), &packet), 0);
	assert_true(uuid_equal(&packet.stream, &id_1));
	data[2] = 0;
	data[5] = 3;
	assert_int_equal(audio_inject_decode(SPAN(data), &packet), 0);
	assert_true(uuid_equal(&packet.stream, &id_1));
	data[2] = data[5] = 31;
	assert_int_equal(audio_inject_decode(SPAN(data), &packet), -EBADMSG);
}

static void test_nil_stream_ids_are_refused(void **state)
{
	uint8_t data[sizeof(vector_l)];
	struct audio_inject packet;
	struct uuid id;

	memcpy(data, vector_l, sizeof(data));
	memset(data + 6, 0, 16);
	assert_int_equal(audio_inject_decode(SPAN(data), &packet), -EBADMSG);
	assert_int_equal(audio_stop_injector_decode(span_of(data + 6, 16), &id), -EBADMSG);
	assert_int_equal(audio_stop_injector_decode(SPAN(id_1.b), &id), 0);
}

static void test_vector_o_environment(void **state)
{
	static const uint8_t with[] = {0x80, 0x00, 0x00, 0xc0, 0x3f, 0x00, 0x00, 0xc8, 0x41};
	static const uint8_t without[] = {0x00};
	struct audio_reverb reverb = {.present = true, .time_s = 1.5f, .wet_percent = 25};
	uint8_t buf[16];
	struct writer wr = writer_over(buf, sizeof(buf));

	audio_reverb_encode(&reverb, &wr);
	assert_written(&wr, with, sizeof(with));
	wr = writer_over(buf, sizeof(buf));
	audio_reverb_encode(&(struct audio_reverb){.time_s = 3}, &wr);
	assert_written(&wr, without, sizeof(without));
	assert_int_equal(audio_reverb_decode(SPAN(with), &reverb), 0);
	assert_true(reverb.time_s == 1.5f && reverb.wet_percent == 25);
	assert_int_equal(audio_reverb_decode(SPAN(without), &reverb), 0);
	assert_false(reverb.present);
}

static void test_vector_p_mute_environment(void **state)
{
	static const uint8_t data[] = {0x00, 0x00, 0x80, 0x3f, 0x00, 0x00, 0x00, 0x40,
				       0x00, 0x00, 0x40, 0xc0, 0x00, 0x00, 0xa0, 0x40};
	struct audio_mute_environment mute;
	uint8_t buf[16];
	struct writer wr = writer_over(buf, sizeof(buf));

	assert_int_equal(audio_mute_environment_decode(SPAN(data), &mute), 0);
	assert_true(mute.position.z == -3 && mute.radius == 5);
	audio_mute_environment_encode(&mute, &wr);
	assert_written(&wr, data, sizeof(data));
}

static void test_vector_q_stats_record(void **state)
{
	static const uint8_t guid[] = {0x33, 0x22, 0x11, 0x00, 0x55, 0x44, 0x77, 0x66,
				       0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff};
	struct audio_stats_report report = {
		.start = true,
		.end = true,
		.n = 1,
		.streams[0] =
			{
				.type = AUDIO_STREAM_INJECTOR,
				.id = id_1,
				.gap = {UINT64_MAX, 0, 0},
				.gap_30s = {9000, 21000, 10000},
				.frames_available = 3,
				.frames_available_mean = 2,
				.unplayed_ms_max = 40,
				.desired_frames = 1,
				.starves = 5,
				.not_mixed = 6,
				.overflows = 7,
				.dropped = 8,
				.packets = {1, 2, 3, 4, 5, 6, 7},
				.packets_30s = {11, 12, 13, 14, 15, 16, 17},
			},
	};
	struct audio_stats_report decoded;
	uint8_t buf[256];
	struct writer wr = writer_over(buf, sizeof(buf));

	audio_stats_encode(&report, &wr);
	assert_int_equal(writer_finish(&wr), 3 + 152);
	assert_memory_equal(buf, "\x03\x01\x00\x01\x00\x00\x00", 7);
	assert_memory_equal(buf + 3 + 4, guid, sizeof(guid));
	assert_int_equal(buf[3 + 24], 0xff);
	assert_int_equal(buf[3 + 48], 9000 & 0xff);
	assert_int_equal(buf[3 + 68], 3);
	assert_int_equal(buf[3 + 72], 2);
	assert_int_equal(buf[3 + 74], 40);
	assert_int_equal(buf[3 + 76], 1);
	assert_int_equal(buf[3 + 80], 5);
	assert_int_equal(buf[3 + 92], 8);
	assert_int_equal(buf[3 + 96], 1);
	assert_int_equal(buf[3 + 124], 11);
	assert_int_equal(buf[3 + 148], 17);

	assert_int_equal(audio_stats_decode(span_of(buf, 155), &decoded), 0);
	assert_true(uuid_equal(&decoded.streams[0].id, &id_1));
	assert_int_equal(decoded.streams[0].packets_30s.expected, 17);
	assert_int_equal(audio_stats_decode(span_of(buf, 154), &decoded), -EBADMSG);
}

/* --- 3.10: bad input --- */

static void test_every_truncation_is_refused(void **state)
{
	struct audio_silent silent;
	struct audio_inject inject;
	struct audio_microphone microphone;

	for (size_t i = 0; i < sizeof(vector_b); i++)
		assert_int_equal(audio_silent_decode(span_of(vector_b, i), &silent), -EBADMSG);
	for (size_t i = 0; i < sizeof(vector_l); i++)
		assert_int_equal(audio_inject_decode(span_of(vector_l, i), &inject), -EBADMSG);
	for (size_t i = 0; i < sizeof(vector_c) - 8; i++)
		assert_int_equal(audio_microphone_decode(span_of(vector_c, i), &microphone),
				 -EBADMSG);
	/* An odd number of bytes of PCM. */
	assert_int_equal(
		audio_microphone_decode(span_of(vector_c, sizeof(vector_c) - 1), &microphone),
		-EBADMSG);
}

static int decode_with_f32(size_t at, const char *bits, struct audio_silent *ret)
{
	uint8_t data[sizeof(vector_b)];

	memcpy(data, vector_b, sizeof(data));
	memcpy(data + at, bits, 4);
	return audio_silent_decode(SPAN(data), ret);
}

static void test_numbers_that_are_none(void **state)
{
	static const char nan_bits[] = "\x00\x00\xc0\x7f", inf_bits[] = "\x00\x00\x80\x7f";
	static const char far_bits[] = "\xca\xf2\x49\x71"; /* 1e30 */
	struct audio_silent silent;

	for (size_t at = 11; at < sizeof(vector_b); at += 4) {
		assert_int_equal(decode_with_f32(at, nan_bits, &silent), -EBADMSG);
		assert_int_equal(decode_with_f32(at, inf_bits, &silent), -EBADMSG);
		assert_int_equal(decode_with_f32(at, far_bits, &silent), -EBADMSG);
	}
}

static void test_orientations_are_normalised(void **state)
{
	uint8_t data[sizeof(vector_b)];
	struct audio_silent silent;
	struct writer wr;

	memcpy(data, vector_b, sizeof(data));
	wr = writer_over(data + 23, 16);
	write_quat(&wr, &(struct quat){0, 0, 0, 0});
	assert_int_equal(audio_silent_decode(SPAN(data), &silent), 0);
	assert_true(silent.pose.orientation.w == 1 && silent.pose.orientation.y == 0);

	wr = writer_over(data + 23, 16);
	write_quat(&wr, &(struct quat){0, 30, 0, 40});
	assert_int_equal(audio_silent_decode(SPAN(data), &silent), 0);
	assert_true(fabsf(silent.pose.orientation.y - 0.6f) < 1e-6f);
	assert_true(fabsf(silent.pose.orientation.w - 0.8f) < 1e-6f);

	wr = writer_over(data + 23, 16);
	write_quat(&wr, &(struct quat){0, 0, 0, 1e-4f});
	assert_int_equal(audio_silent_decode(SPAN(data), &silent), -EBADMSG);
	wr = writer_over(data + 23, 16);
	write_quat(&wr, &(struct quat){0, 0, 0, 2e3f});
	assert_int_equal(audio_silent_decode(SPAN(data), &silent), -EBADMSG);
}

static void test_limits(void **state)
{
	uint8_t data[2048] = {0};
	struct audio_microphone microphone;
	struct audio_formats formats;
	struct audio_ids ids;
	char name[CODEC_NAME_MAX + 1];
	size_t raw = sizeof(vector_c) - 8;

	/* One frame and no more, of as many channels as stated. */
	memcpy(data, vector_c, raw);
	assert_int_equal(audio_microphone_decode(span_of(data, raw + 480), &microphone), 0);
	assert_int_equal(audio_microphone_decode(span_of(data, raw + 482), &microphone), -EBADMSG);
	data[9] = 1;
	assert_int_equal(audio_microphone_decode(span_of(data, raw + 960), &microphone), 0);
	assert_int_equal(audio_microphone_decode(span_of(data, raw + 962), &microphone), -EBADMSG);

	/* Codec names: 30 bytes, no NUL. */
	memset(data, 'a', 40);
	memcpy(data, "\x1e\0\0\0", 4);
	assert_int_equal(audio_selected_decode(span_of(data, 34), name), 0);
	assert_int_equal(strlen(name), 30);
	data[0] = 31;
	assert_int_equal(audio_selected_decode(span_of(data, 35), name), -EBADMSG);
	data[0] = 30;
	data[10] = 0;
	assert_int_equal(audio_selected_decode(span_of(data, 34), name), -EBADMSG);

	/* 64 codecs. */
	memset(data, 0, sizeof(data));
	data[0] = 64;
	assert_int_equal(audio_formats_decode(span_of(data, 1 + 64 * 4), &formats), 0);
	data[0] = 65;
	assert_int_equal(audio_formats_decode(span_of(data, 1 + 65 * 4), &formats), -EBADMSG);

	/* Whole ids, at least one. */
	assert_int_equal(audio_ids_decode(span_of(data, 1), &ids), -EBADMSG);
	assert_int_equal(audio_ids_decode(span_of(data, 16), &ids), -EBADMSG);
	assert_int_equal(audio_ids_decode(span_of(data, 33), &ids), 0);
	assert_int_equal(ids.n, 2);
}

static void test_replicated(void **state)
{
	uint8_t data[16 + sizeof(vector_b)];
	struct audio_replicated packet;
	struct audio_silent silent;
	struct writer wr = writer_over(data, sizeof(data));

	audio_replicated_encode(&(struct audio_replicated){id_1, SPAN(vector_b)}, &wr);
	assert_int_equal(writer_finish(&wr), sizeof(data));
	assert_int_equal(audio_replicated_decode(SPAN(data), &packet), 0);
	assert_true(uuid_equal(&packet.sender, &id_1));
	assert_int_equal(audio_silent_decode(packet.payload, &silent), 0);
	assert_int_equal(audio_replicated_decode(span_of(data, 15), &packet), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vector_a_negotiate),
		cmocka_unit_test(test_vector_b_silent),
		cmocka_unit_test(test_vector_c_microphone),
		cmocka_unit_test(test_vectors_d_e_f_g_control),
		cmocka_unit_test(test_vector_h_silent_to_client),
		cmocka_unit_test(test_vector_i_mixed),
		cmocka_unit_test(test_vectors_j_k_selected),
		cmocka_unit_test(test_vector_k_captured_silence),
		cmocka_unit_test(test_vector_l_inject),
		cmocka_unit_test(test_inject_codec_length_in_either_order),
		cmocka_unit_test(test_nil_stream_ids_are_refused),
		cmocka_unit_test(test_vector_o_environment),
		cmocka_unit_test(test_vector_p_mute_environment),
		cmocka_unit_test(test_vector_q_stats_record),
		cmocka_unit_test(test_every_truncation_is_refused),
		cmocka_unit_test(test_numbers_that_are_none),
		cmocka_unit_test(test_orientations_are_normalised),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_replicated),
	};

	return cmocka_run_group_tests_name("audio-packets", tests, NULL, NULL);
}
