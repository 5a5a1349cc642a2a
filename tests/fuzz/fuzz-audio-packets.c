/* Every decoder of audio payloads; the first byte picks one. What was decoded is written again, so
 * that its spans are touched. */
#include "audio/audio-packets.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void decode_stream(unsigned which, struct span payload, struct writer *wr)
{
	struct audio_microphone microphone;
	struct audio_silent silent;
	struct audio_inject inject;
	struct audio_mixed mixed;

	switch (which) {
	case 0:
		if (audio_microphone_decode(payload, &microphone) >= 0)
			audio_microphone_encode(&microphone, wr);
		break;
	case 1:
		if (audio_silent_decode(payload, &silent) >= 0)
			audio_silent_encode(&silent, wr);
		break;
	case 2:
		if (audio_inject_decode(payload, &inject) >= 0)
			audio_inject_encode(&inject, wr);
		break;
	case 3:
		if (audio_mixed_decode(payload, &mixed) >= 0)
			audio_mixed_encode(&mixed, wr);
		break;
	default:
		if (audio_mixed_silent_decode(payload, &mixed) >= 0)
			audio_mixed_silent_encode(mixed.sequence, mixed.codec, wr);
	}
}

static void decode_lists(unsigned which, struct span payload, struct writer *wr)
{
	struct audio_formats formats;
	struct audio_ids ids;
	struct audio_stats_report report;
	struct audio_replicated replicated;
	char name[CODEC_NAME_MAX + 1];

	switch (which) {
	case 0:
		if (audio_formats_decode(payload, &formats) >= 0)
			audio_formats_encode(&formats, wr);
		break;
	case 1:
		if (audio_selected_decode(payload, name) >= 0)
			audio_selected_encode(name, wr);
		break;
	case 2:
		if (audio_ids_decode(payload, &ids) < 0)
			break;
		for (size_t i = 0; i < ids.n; i++) {
			struct uuid id = audio_ids_get(&ids, i);

			write_uuid(wr, &id);
		}
		break;
	case 3:
		if (audio_stats_decode(payload, &report) >= 0)
			audio_stats_encode(&report, wr);
		break;
	default:
		if (audio_replicated_decode(payload, &replicated) >= 0)
			audio_replicated_encode(&replicated, wr);
	}
}

static void decode_control(unsigned which, struct span payload, struct writer *wr)
{
	struct audio_avatar_gain avatar_gain;
	struct audio_mute_environment mute;
	struct audio_reverb reverb;
	struct uuid id;
	float gain;
	bool flag;

	switch (which) {
	case 0:
		(void) audio_avatar_gain_decode(payload, &avatar_gain);
		break;
	case 1:
		(void) audio_injector_gain_decode(payload, &gain);
		break;
	case 2:
		(void) audio_flag_decode(payload, &flag);
		(void) audio_node_mute_decode(payload, &id);
		break;
	case 3:
		if (audio_mute_environment_decode(payload, &mute) >= 0)
			audio_mute_environment_encode(&mute, wr);
		break;
	default:
		(void) audio_stop_injector_decode(payload, &id);
		if (audio_reverb_decode(payload, &reverb) >= 0)
			audio_reverb_encode(&reverb, wr);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t out[1 << 20];
	struct reader rd = reader_over(data, size);
	unsigned which = read_u8(&rd) % 15;
	struct span payload = read_rest(&rd);
	struct writer wr = writer_over(out, sizeof(out));

	if (which < 5)
		decode_stream(which, payload, &wr);
	else if (which < 10)
		decode_lists(which - 5, payload, &wr);
	else
		decode_control(which - 10, payload, &wr);
	return 0;
}
