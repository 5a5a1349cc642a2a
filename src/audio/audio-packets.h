/* Payloads of the audio packets, protocol 03 section 3: what follows the packet header.
 *
 * Decoders are pure and refuse (-EBADMSG) what section 3.10 asks to drop: short or over-long
 * payloads, codec names past 30 bytes, numbers that are not finite, orientations that are no
 * rotation, raw PCM of odd length or past one frame. What they return is safe for the engine. Spans
 * borrow from the payload. Encoders append to a writer; what does not fit shows in
 * writer_finish(). */
#pragma once

#include "audio/audio-format.h"
#include "audio/sequence-stats.h"
#include "base/bytes.h"
#include "base/packed.h"

#define CODEC_NAME_MAX 30
/* More names in one NegotiateAudioFormat are refused. */
#define AUDIO_FORMATS_MAX 64
/* Records that fit one AudioStreamStats packet. */
#define AUDIO_STATS_MAX 9
/* Samples announced by SilentAudioFrame from the mixer: always one stereo frame. */
#define AUDIO_SILENT_SAMPLES AUDIO_FRAME_SAMPLES_MAX

/* Where a source is, which way it faces, and its avatar's bounding box. The orientation is a unit
 * quaternion once decoded. */
struct audio_pose {
	struct vec3 position;
	struct quat orientation;
	struct vec3 box_corner, box_size;
};

/* MicrophoneAudioNoEcho and WithEcho, section 3.1. An empty codec name and "pcm" both mean raw
 * PCM. */
struct audio_microphone {
	uint16_t sequence;
	char codec[CODEC_NAME_MAX + 1];
	bool stereo;
	struct audio_pose pose;
	struct span audio;
};

/* SilentAudioFrame from a client, section 3.2: one frame of silence whatever the sample count
 * says. */
struct audio_silent {
	uint16_t sequence;
	char codec[CODEC_NAME_MAX + 1];
	uint16_t samples;
	struct audio_pose pose;
};

/* InjectAudio, section 3.3. The stream id is never nil. */
struct audio_inject {
	uint16_t sequence;
	struct uuid stream;
	bool stereo, loopback;
	struct audio_pose pose;
	float volume; /* linear */
	struct span pcm;
};

/* MixedAudio, and SilentAudioFrame from the mixer (audio empty), section 3.5. */
struct audio_mixed {
	uint16_t sequence;
	char codec[CODEC_NAME_MAX + 1];
	struct span audio;
};

/* NegotiateAudioFormat, section 3.6. */
struct audio_formats {
	size_t n;
	char names[AUDIO_FORMATS_MAX][CODEC_NAME_MAX + 1];
};

/* NodeIgnoreRequest and AudioSoloRequest: the ids are read with audio_ids_get(). */
struct audio_ids {
	bool add; /* else remove */
	size_t n; /* at least 1 */
	struct span ids;
};

struct audio_avatar_gain {
	struct uuid avatar; /* nil: the master gain of all avatars */
	float gain;
};

struct audio_mute_environment {
	struct vec3 position;
	float radius;
};

/* AudioEnvironment, section 3.8. */
struct audio_reverb {
	bool present;
	float time_s, wet_percent;
};

/* A Replicated… packet: the payload of the packet it wraps, and who sent that. */
struct audio_replicated {
	struct uuid sender;
	struct span payload;
};

/* Gaps between the packets of a stream. Without samples: min all ones, max and mean 0. */
struct audio_gap {
	uint64_t min_usec, max_usec;
	float mean_usec;
};

enum audio_stream_type {
	AUDIO_STREAM_MIXED = -1, /* as a client reports what it receives */
	AUDIO_STREAM_MICROPHONE = 0,
	AUDIO_STREAM_INJECTOR = 1,
};

/* One record of AudioStreamStats, section 3.7. */
struct audio_stream_stats {
	int32_t type;
	struct uuid id; /* nil for a microphone */
	struct audio_gap gap, gap_30s;
	uint32_t frames_available;
	uint16_t frames_available_mean, unplayed_ms_max, desired_frames;
	uint32_t starves, not_mixed, overflows, dropped;
	struct sequence_counts packets, packets_30s;
};

struct audio_stats_report {
	bool start, end; /* the first and the last packet of a report */
	size_t n;
	struct audio_stream_stats streams[AUDIO_STATS_MAX];
};

int audio_microphone_decode(struct span payload, struct audio_microphone *ret);
void audio_microphone_encode(const struct audio_microphone *packet, struct writer *wr);
int audio_silent_decode(struct span payload, struct audio_silent *ret);
void audio_silent_encode(const struct audio_silent *packet, struct writer *wr);
int audio_inject_decode(struct span payload, struct audio_inject *ret);
void audio_inject_encode(const struct audio_inject *packet, struct writer *wr);
/* StopInjector: a stream id that is not nil. */
int audio_stop_injector_decode(struct span payload, struct uuid *ret);

int audio_mixed_decode(struct span payload, struct audio_mixed *ret);
void audio_mixed_encode(const struct audio_mixed *packet, struct writer *wr);
/* The mixer's SilentAudioFrame. Its count is exactly four bytes, else the Web SDK throws. */
int audio_mixed_silent_decode(struct span payload, struct audio_mixed *ret);
void audio_mixed_silent_encode(uint16_t sequence, const char *codec, struct writer *wr);

int audio_formats_decode(struct span payload, struct audio_formats *ret);
void audio_formats_encode(const struct audio_formats *formats, struct writer *wr);
/* SelectedAudioFormat: one codec name, empty for none. */
int audio_selected_decode(struct span payload, char ret[static CODEC_NAME_MAX + 1]);
void audio_selected_encode(const char *codec, struct writer *wr);

int audio_ids_decode(struct span payload, struct audio_ids *ret);
struct uuid audio_ids_get(const struct audio_ids *ids, size_t i);
int audio_avatar_gain_decode(struct span payload, struct audio_avatar_gain *ret);
/* InjectorGainSet → linear gain. */
int audio_injector_gain_decode(struct span payload, float *ret);
/* RadiusIgnoreRequest and RequestsDomainListData: one byte. */
int audio_flag_decode(struct span payload, bool *ret);
/* NodeMuteRequest: whom to mute. */
int audio_node_mute_decode(struct span payload, struct uuid *ret);
int audio_mute_environment_decode(struct span payload, struct audio_mute_environment *ret);
void audio_mute_environment_encode(const struct audio_mute_environment *mute, struct writer *wr);
int audio_reverb_decode(struct span payload, struct audio_reverb *ret);
void audio_reverb_encode(const struct audio_reverb *reverb, struct writer *wr);
int audio_replicated_decode(struct span payload, struct audio_replicated *ret);
void audio_replicated_encode(const struct audio_replicated *packet, struct writer *wr);

int audio_stats_decode(struct span payload, struct audio_stats_report *ret);
void audio_stats_encode(const struct audio_stats_report *report, struct writer *wr);
