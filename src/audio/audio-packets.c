#include "audio/audio-packets.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#define STATS_RECORD_LEN 152
#define STATS_FLAG_START 0x01
#define STATS_FLAG_END   0x02
#define REVERB_PRESENT   0x80
/* Metres from the origin on any axis, and of any box. Worlds end at 16 km; past this is nonsense,
 * and squares of distances stay far from overflow. */
#define POSITION_MAX 1e6f

/* --- parts that several packets share --- */

static bool codec_is_raw(const char *codec)
{
	return codec[0] == 0 || strcmp(codec, "pcm") == 0;
}

static void codec_name_copy(struct reader *rd, struct span name,
			    char ret[static CODEC_NAME_MAX + 1])
{
	/* A NUL inside would make two different names equal. */
	if (name.len > CODEC_NAME_MAX || (name.len > 0 && memchr(name.data, 0, name.len))) {
		reader_fail(rd);
		name.len = 0;
	}
	if (name.len > 0)
		memcpy(ret, name.data, name.len);
	ret[name.len] = 0;
}

static void read_codec(struct reader *rd, char ret[static CODEC_NAME_MAX + 1])
{
	codec_name_copy(rd, read_string32(rd, CODEC_NAME_MAX), ret);
}

static void write_codec(struct writer *wr, const char *codec)
{
	write_string32(wr, codec, strlen(codec));
}

/* Unit length, or a failed reader when it is too far from that to have been a rotation. All zeros
 * is how a client that has none yet says identity. */
static struct quat read_orientation(struct reader *rd)
{
	struct quat q = read_quat(rd);
	double norm = sqrt((double) q.x * q.x + (double) q.y * q.y + (double) q.z * q.z +
			   (double) q.w * q.w);

	if (norm == 0)
		return (struct quat){.w = 1};
	if (norm < 1e-3 || norm > 1e3) {
		reader_fail(rd);
		return (struct quat){.w = 1};
	}
	return (struct quat){(float) (q.x / norm), (float) (q.y / norm), (float) (q.z / norm),
			     (float) (q.w / norm)};
}

static struct vec3 read_position(struct reader *rd)
{
	struct vec3 v = read_vec3(rd);

	if (fabsf(v.x) > POSITION_MAX || fabsf(v.y) > POSITION_MAX || fabsf(v.z) > POSITION_MAX) {
		reader_fail(rd);
		return (struct vec3){0};
	}
	return v;
}

static struct audio_pose read_pose(struct reader *rd)
{
	struct audio_pose pose;

	pose.position = read_position(rd);
	pose.orientation = read_orientation(rd);
	pose.box_corner = read_position(rd);
	pose.box_size = read_position(rd);
	return pose;
}

static void write_pose(struct writer *wr, const struct audio_pose *pose)
{
	write_vec3(wr, &pose->position);
	write_quat(wr, &pose->orientation);
	write_vec3(wr, &pose->box_corner);
	write_vec3(wr, &pose->box_size);
}

static struct span read_pcm(struct reader *rd, bool stereo)
{
	struct span pcm = read_rest(rd);

	if (pcm.len % sizeof(int16_t) != 0 ||
	    pcm.len > AUDIO_FRAME_SAMPLES * sizeof(int16_t) * (stereo ? 2 : 1))
		reader_fail(rd);
	return pcm;
}

/* --- streams --- */

int audio_microphone_decode(struct span payload, struct audio_microphone *ret)
{
	struct reader rd = reader_over(payload.data, payload.len);

	ret->sequence = read_u16le(&rd);
	read_codec(&rd, ret->codec);
	ret->stereo = read_u8(&rd) == 1;
	ret->pose = read_pose(&rd);
	ret->audio = codec_is_raw(ret->codec) ? read_pcm(&rd, ret->stereo) : read_rest(&rd);
	return reader_finish(&rd);
}

void audio_microphone_encode(const struct audio_microphone *packet, struct writer *wr)
{
	write_u16le(wr, packet->sequence);
	write_codec(wr, packet->codec);
	write_u8(wr, packet->stereo);
	write_pose(wr, &packet->pose);
	write_bytes(wr, packet->audio.data, packet->audio.len);
}

int audio_silent_decode(struct span payload, struct audio_silent *ret)
{
	struct reader rd = reader_over(payload.data, payload.len);

	ret->sequence = read_u16le(&rd);
	read_codec(&rd, ret->codec);
	ret->samples = read_u16le(&rd);
	ret->pose = read_pose(&rd);
	return reader_finish(&rd);
}

void audio_silent_encode(const struct audio_silent *packet, struct writer *wr)
{
	write_u16le(wr, packet->sequence);
	write_codec(wr, packet->codec);
	write_u16le(wr, packet->samples);
	write_pose(wr, &packet->pose);
}

/* Clients write this length big-endian and servers read it little-endian; nobody noticed, as it is
 * always 0. A name in either order is accepted and skipped: injectors send raw PCM. */
static void skip_inject_codec(struct reader *rd)
{
	uint32_t le = read_u32le(rd);
	uint32_t be = __builtin_bswap32(le);

	if (le <= CODEC_NAME_MAX)
		read_skip(rd, le);
	else if (be <= CODEC_NAME_MAX)
		read_skip(rd, be);
	else
		reader_fail(rd);
}

int audio_inject_decode(struct span payload, struct audio_inject *ret)
{
	struct reader rd = reader_over(payload.data, payload.len);

	ret->sequence = read_u16le(&rd);
	skip_inject_codec(&rd);
	ret->stream = read_uuid(&rd);
	/* Streams are found by id, and nil is the microphone's. */
	if (uuid_is_null(&ret->stream))
		reader_fail(&rd);
	ret->stereo = read_u8(&rd) != 0;
	ret->loopback = read_u8(&rd) != 0;
	ret->pose = read_pose(&rd);
	(void) read_f64be_finite(&rd); /* radius, always 0 */
	ret->volume = packed_gain_decode(read_u8(&rd));
	(void) read_u8(&rd); /* ignore-penumbra, unused */
	ret->pcm = read_pcm(&rd, ret->stereo);
	return reader_finish(&rd);
}

void audio_inject_encode(const struct audio_inject *packet, struct writer *wr)
{
	write_u16le(wr, packet->sequence);
	write_u32be(wr, 0); /* no codec */
	write_uuid(wr, &packet->stream);
	write_u8(wr, packet->stereo);
	write_u8(wr, packet->loopback);
	write_pose(wr, &packet->pose);
	write_f64be(wr, 0); /* radius */
	write_u8(wr, packed_gain_encode(packet->volume));
	write_u8(wr, 0); /* ignore-penumbra */
	write_bytes(wr, packet->pcm.data, packet->pcm.len);
}

int audio_stop_injector_decode(struct span payload, struct uuid *ret)
{
	struct reader rd = reader_over(payload.data, payload.len);

	*ret = read_uuid(&rd);
	if (uuid_is_null(ret))
		reader_fail(&rd);
	return reader_finish(&rd);
}

int audio_mixed_decode(struct span payload, struct audio_mixed *ret)
{
	struct reader rd = reader_over(payload.data, payload.len);

	ret->sequence = read_u16le(&rd);
	read_codec(&rd, ret->codec);
	ret->audio = codec_is_raw(ret->codec) ? read_pcm(&rd, true) : read_rest(&rd);
	return reader_finish(&rd);
}

void audio_mixed_encode(const struct audio_mixed *packet, struct writer *wr)
{
	write_u16le(wr, packet->sequence);
	write_codec(wr, packet->codec);
	write_bytes(wr, packet->audio.data, packet->audio.len);
}

int audio_mixed_silent_decode(struct span payload, struct audio_mixed *ret)
{
	struct reader rd = reader_over(payload.data, payload.len);

	ret->sequence = read_u16le(&rd);
	read_codec(&rd, ret->codec);
	ret->audio = (struct span){0};
	(void) read_u32le(&rd);
	return reader_finish(&rd);
}

void audio_mixed_silent_encode(uint16_t sequence, const char *codec, struct writer *wr)
{
	write_u16le(wr, sequence);
	write_codec(wr, codec);
	write_u32le(wr, AUDIO_SILENT_SAMPLES);
}

/* --- codec negotiation --- */

int audio_formats_decode(struct span payload, struct audio_formats *ret)
{
	struct reader rd = reader_over(payload.data, payload.len);

	ret->n = read_u8(&rd);
	if (ret->n > AUDIO_FORMATS_MAX) {
		ret->n = 0;
		reader_fail(&rd);
	}
	for (size_t i = 0; i < ret->n; i++)
		read_codec(&rd, ret->names[i]);
	return reader_finish(&rd);
}

void audio_formats_encode(const struct audio_formats *formats, struct writer *wr)
{
	write_u8(wr, (uint8_t) formats->n);
	for (size_t i = 0; i < formats->n; i++)
		write_codec(wr, formats->names[i]);
}

int audio_selected_decode(struct span payload, char ret[static CODEC_NAME_MAX + 1])
{
	struct reader rd = reader_over(payload.data, payload.len);

	read_codec(&rd, ret);
	return reader_finish(&rd);
}

void audio_selected_encode(const char *codec, struct writer *wr)
{
	write_codec(wr, codec);
}

/* --- control --- */

int audio_ids_decode(struct span payload, struct audio_ids *ret)
{
	struct reader rd = reader_over(payload.data, payload.len);

	ret->add = read_u8(&rd) != 0;
	ret->ids = read_rest(&rd);
	ret->n = ret->ids.len / sizeof(struct uuid);
	if (ret->n == 0 || ret->ids.len % sizeof(struct uuid) != 0)
		reader_fail(&rd);
	return reader_finish(&rd);
}

struct uuid audio_ids_get(const struct audio_ids *ids, size_t i)
{
	struct reader rd = reader_over(ids->ids.data, ids->ids.len);

	assert(i < ids->n);
	read_skip(&rd, i * sizeof(struct uuid));
	return read_uuid(&rd);
}

int audio_avatar_gain_decode(struct span payload, struct audio_avatar_gain *ret)
{
	struct reader rd = reader_over(payload.data, payload.len);

	ret->avatar = read_uuid(&rd);
	ret->gain = packed_gain_decode(read_u8(&rd));
	return reader_finish(&rd);
}

int audio_injector_gain_decode(struct span payload, float *ret)
{
	struct reader rd = reader_over(payload.data, payload.len);

	*ret = packed_gain_decode(read_u8(&rd));
	return reader_finish(&rd);
}

int audio_flag_decode(struct span payload, bool *ret)
{
	struct reader rd = reader_over(payload.data, payload.len);

	*ret = read_u8(&rd) != 0;
	return reader_finish(&rd);
}

int audio_node_mute_decode(struct span payload, struct uuid *ret)
{
	struct reader rd = reader_over(payload.data, payload.len);

	*ret = read_uuid(&rd);
	return reader_finish(&rd);
}

int audio_mute_environment_decode(struct span payload, struct audio_mute_environment *ret)
{
	struct reader rd = reader_over(payload.data, payload.len);

	ret->position = read_position(&rd);
	ret->radius = read_f32le_finite(&rd);
	return reader_finish(&rd);
}

void audio_mute_environment_encode(const struct audio_mute_environment *mute, struct writer *wr)
{
	write_vec3(wr, &mute->position);
	write_f32le(wr, mute->radius);
}

int audio_reverb_decode(struct span payload, struct audio_reverb *ret)
{
	struct reader rd = reader_over(payload.data, payload.len);

	*ret = (struct audio_reverb){.present = read_u8(&rd) & REVERB_PRESENT};
	if (ret->present) {
		ret->time_s = read_f32le_finite(&rd);
		ret->wet_percent = read_f32le_finite(&rd);
	}
	return reader_finish(&rd);
}

void audio_reverb_encode(const struct audio_reverb *reverb, struct writer *wr)
{
	write_u8(wr, reverb->present ? REVERB_PRESENT : 0);
	if (!reverb->present)
		return;
	write_f32le(wr, reverb->time_s);
	write_f32le(wr, reverb->wet_percent);
}

int audio_replicated_decode(struct span payload, struct audio_replicated *ret)
{
	struct reader rd = reader_over(payload.data, payload.len);

	ret->sender = read_uuid(&rd);
	ret->payload = read_rest(&rd);
	return reader_finish(&rd);
}

void audio_replicated_encode(const struct audio_replicated *packet, struct writer *wr)
{
	write_uuid(wr, &packet->sender);
	write_bytes(wr, packet->payload.data, packet->payload.len);
}

/* --- stream statistics: a dump of upstream's object, with its padding --- */

/* The first three fields of a GUID lie in memory as little-endian integers. */
static struct uuid uuid_swap_guid(const struct uuid *u)
{
	static const uint8_t order[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
	struct uuid swapped;

	for (unsigned i = 0; i < sizeof(swapped.b); i++)
		swapped.b[i] = u->b[order[i]];
	return swapped;
}

static struct audio_gap read_gap(struct reader *rd)
{
	struct audio_gap gap;

	gap.min_usec = read_u64le(rd);
	gap.max_usec = read_u64le(rd);
	gap.mean_usec = read_f32le_finite(rd);
	return gap;
}

static void write_gap(struct writer *wr, const struct audio_gap *gap)
{
	write_u64le(wr, gap->min_usec);
	write_u64le(wr, gap->max_usec);
	write_f32le(wr, gap->mean_usec);
}

static struct sequence_counts read_counts(struct reader *rd)
{
	struct sequence_counts counts;

	counts.received = read_u32le(rd);
	counts.unreasonable = read_u32le(rd);
	counts.early = read_u32le(rd);
	counts.late = read_u32le(rd);
	counts.lost = read_u32le(rd);
	counts.recovered = read_u32le(rd);
	counts.expected = read_u32le(rd);
	return counts;
}

static void write_counts(struct writer *wr, const struct sequence_counts *counts)
{
	write_u32le(wr, counts->received);
	write_u32le(wr, counts->unreasonable);
	write_u32le(wr, counts->early);
	write_u32le(wr, counts->late);
	write_u32le(wr, counts->lost);
	write_u32le(wr, counts->recovered);
	write_u32le(wr, counts->expected);
}

static void read_stream_stats(struct reader *rd, struct audio_stream_stats *ret)
{
	struct uuid id;

	ret->type = read_i32le(rd);
	id = read_uuid(rd);
	ret->id = uuid_swap_guid(&id);
	read_skip(rd, 4);
	ret->gap = read_gap(rd);
	read_skip(rd, 4);
	ret->gap_30s = read_gap(rd);
	ret->frames_available = read_u32le(rd);
	ret->frames_available_mean = read_u16le(rd);
	ret->unplayed_ms_max = read_u16le(rd);
	ret->desired_frames = read_u16le(rd);
	read_skip(rd, 2);
	ret->starves = read_u32le(rd);
	ret->not_mixed = read_u32le(rd);
	ret->overflows = read_u32le(rd);
	ret->dropped = read_u32le(rd);
	ret->packets = read_counts(rd);
	ret->packets_30s = read_counts(rd);
}

static void write_stream_stats(struct writer *wr, const struct audio_stream_stats *stats)
{
	struct uuid id = uuid_swap_guid(&stats->id);

	write_u32le(wr, (uint32_t) stats->type);
	write_uuid(wr, &id);
	write_zeros(wr, 4);
	write_gap(wr, &stats->gap);
	write_zeros(wr, 4);
	write_gap(wr, &stats->gap_30s);
	write_u32le(wr, stats->frames_available);
	write_u16le(wr, stats->frames_available_mean);
	write_u16le(wr, stats->unplayed_ms_max);
	write_u16le(wr, stats->desired_frames);
	write_zeros(wr, 2);
	write_u32le(wr, stats->starves);
	write_u32le(wr, stats->not_mixed);
	write_u32le(wr, stats->overflows);
	write_u32le(wr, stats->dropped);
	write_counts(wr, &stats->packets);
	write_counts(wr, &stats->packets_30s);
}

int audio_stats_decode(struct span payload, struct audio_stats_report *ret)
{
	struct reader rd = reader_over(payload.data, payload.len);
	uint8_t flags = read_u8(&rd);

	ret->start = flags & STATS_FLAG_START;
	ret->end = flags & STATS_FLAG_END;
	ret->n = read_u16le(&rd);
	if (ret->n > AUDIO_STATS_MAX || reader_left(&rd) != ret->n * STATS_RECORD_LEN) {
		ret->n = 0;
		reader_fail(&rd);
	}
	for (size_t i = 0; i < ret->n; i++)
		read_stream_stats(&rd, &ret->streams[i]);
	return reader_finish(&rd);
}

void audio_stats_encode(const struct audio_stats_report *report, struct writer *wr)
{
	write_u8(wr, (report->start ? STATS_FLAG_START : 0) | (report->end ? STATS_FLAG_END : 0));
	write_u16le(wr, (uint16_t) report->n);
	for (size_t i = 0; i < report->n; i++)
		write_stream_stats(wr, &report->streams[i]);
}
