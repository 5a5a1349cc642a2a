/* What the audio-mixer reports of itself, under upstream's names, its spelling included (protocol
 * 03 section 12). What has no counterpart here is left out. */
#include "assignment-client/audio-mixer.h"

#include <stdio.h>

#include "base/clock.h"

/* A report's share in the trailing figures: some ten seconds of one a second. */
#define TRAILING_REPORTS 10

static double per(double sum, double n)
{
	return n > 0 ? sum / n : 0;
}

static void set(json_t *object, const char *key, json_t *value)
{
	(void) json_object_set_new(object, key, value);
}

/* --- streams --- */

static const char *usec_text(double usec, char buf[static 32])
{
	if (usec < 1e3)
		(void) snprintf(buf, 32, "%.0f usecs", usec);
	else if (usec < 1e6)
		(void) snprintf(buf, 32, "%.1f msecs", usec / 1e3);
	else
		(void) snprintf(buf, 32, "%.2f secs", usec / 1e6);
	return buf;
}

/* One time, in words and as a number; a gap nobody saw is 0. */
static void set_gap(json_t *object, const char *name, double usec)
{
	char key[64], text[32];

	if (usec >= (double) UINT64_MAX)
		usec = 0;
	set(object, name, json_string(usec_text(usec, text)));
	(void) snprintf(key, sizeof(key), "%s_usecs", name);
	set(object, key, json_integer((json_int_t) usec));
}

static double lost_percent(const struct sequence_counts *packets)
{
	return 100 * per(packets->lost, packets->expected);
}

static json_t *stream_stats(const struct audio_stream_stats *s, const char *desired_key)
{
	json_t *object = json_pack(
		"{s:i, s:i, s:i, s:f, s:i, s:i, s:i, s:f, s:f}", desired_key, s->desired_frames,
		"available_avg_10s", s->frames_available_mean, "available", s->frames_available,
		"unplayed", (double) s->unplayed_ms_max, "starves", s->starves, "not_mixed",
		s->not_mixed, "overflows", s->overflows, "lost%", lost_percent(&s->packets),
		"lost%_30s", lost_percent(&s->packets_30s));

	if (!object)
		return NULL;
	set_gap(object, "min_gap", (double) s->gap.min_usec);
	set_gap(object, "max_gap", (double) s->gap.max_usec);
	set_gap(object, "avg_gap", (double) s->gap.mean_usec);
	set_gap(object, "min_gap_30s", (double) s->gap_30s.min_usec);
	set_gap(object, "max_gap_30s", (double) s->gap_30s.max_usec);
	set_gap(object, "avg_gap_30s", (double) s->gap_30s.mean_usec);
	return object;
}

/* One of ours: with what only the receiving side knows. */
static json_t *inbound_stats(const struct inbound_stream *stream, const char *desired_key)
{
	struct audio_stream_stats s;
	json_t *object;

	inbound_stream_stats(stream, &s);
	object = stream_stats(&s, desired_key);
	if (object) {
		set(object, "desired_calc", json_integer(inbound_stream_calculated(stream)));
		set(object, "silents_dropped", json_integer(s.dropped));
	}
	return object;
}

static void append_injector(struct inbound_stream *stream, void *userdata)
{
	if (stream->type == AUDIO_STREAM_INJECTOR)
		(void) json_array_append_new(userdata, inbound_stats(stream, "inj.desired"));
}

/* --- clients --- */

static json_t *jitter_stats(const struct audio_client *client)
{
	const struct inbound_stream *microphone = audio_client_microphone(client);
	json_t *jitter = json_object(), *injectors = json_array();

	if (client->has_downstream)
		set(jitter, "downstream", stream_stats(&client->downstream, "desired"));
	set(jitter, "upstream",
	    microphone ? inbound_stats(microphone, "mic.desired") : json_string("mic unknown"));
	mix_stream_foreach(client->mix, append_injector, injectors);
	set(jitter, "injectors", injectors);
	return jitter;
}

/* For level meters. */
static double loudness_of(const struct audio_client *client)
{
	const struct inbound_stream *microphone = audio_client_microphone(client);

	return microphone ? (double) microphone->trailing_loudness : 0;
}

static json_t *client_stats(struct audio_client *client, double seconds)
{
	uint64_t bytes = client->node->traffic.bytes_out;
	double kbps = per((double) (bytes - client->reported_bytes_out) / 125, seconds);

	client->reported_bytes_out = bytes;
	return json_pack("{s:f, s:s, s:f, s:o}", "outbound_kbps", kbps, "$username",
			 UUID_TEXT(&client->uuid), "loudness", loudness_of(client), "jitter",
			 jitter_stats(client));
}

static json_t *all_clients_stats(struct audio_mixer *m, double seconds)
{
	json_t *listeners = json_object();
	struct audio_client *client;

	list_for_each (client, &m->clients, list)
		if (client->node)
			set(listeners, UUID_TEXT(&client->uuid), client_stats(client, seconds));
	return listeners;
}

/* --- the mix --- */

static json_t *percent_text(unsigned part, unsigned whole)
{
	char text[32];

	if (whole == 0)
		return json_string("0.0");
	(void) snprintf(text, sizeof(text), "%.2f", 100.0 * part / whole);
	return json_string(text);
}

static json_t *mix_stats(const struct mix_counts *c, unsigned frames)
{
	static const struct {
		const char *key;
		enum mix_list from, to;
	} moves[] = {
		{"3_skippped_to_active", MIX_LIST_SKIPPED, MIX_LIST_ACTIVE},
		{"3_skippped_to_inactive", MIX_LIST_SKIPPED, MIX_LIST_INACTIVE},
		{"3_inactive_to_skippped", MIX_LIST_INACTIVE, MIX_LIST_SKIPPED},
		{"3_inactive_to_active", MIX_LIST_INACTIVE, MIX_LIST_ACTIVE},
		{"3_active_to_skippped", MIX_LIST_ACTIVE, MIX_LIST_SKIPPED},
		{"3_active_to_inactive", MIX_LIST_ACTIVE, MIX_LIST_INACTIVE},
	};
	unsigned total = c->hrtf_renders + c->stereo_mixes + c->echo_mixes;
	json_t *object = json_object();

	set(object, "%_hrtf_mixes", percent_text(c->hrtf_renders, total));
	set(object, "%_manual_stereo_mixes", percent_text(c->stereo_mixes, total));
	set(object, "%_manual_echo_mixes", percent_text(c->echo_mixes, total));
	set(object, "1_hrtf_renders", json_real(per(c->hrtf_renders, frames)));
	set(object, "1_hrtf_resets", json_real(per(c->hrtf_resets, frames)));
	set(object, "2_skipped_streams", json_real(per(c->listed[MIX_LIST_SKIPPED], frames)));
	set(object, "2_inactive_streams", json_real(per(c->listed[MIX_LIST_INACTIVE], frames)));
	set(object, "2_active_streams", json_real(per(c->listed[MIX_LIST_ACTIVE], frames)));
	for (size_t i = 0; i < ELEMENTSOF(moves); i++)
		set(object, moves[i].key,
		    json_real(per(c->moved[moves[i].from][moves[i].to], frames)));
	set(object, "total_mixes", json_integer(total));
	set(object, "avg_mixes_per_block", json_real(per(total, frames)));
	return object;
}

static json_t *timing_stats(struct audio_mixer *m)
{
	static const char *const names[AUDIO_TIMES] = {
		[AUDIO_TIME_FRAME] = "frame",
		[AUDIO_TIME_PACKETS] = "packets",
		[AUDIO_TIME_MIX] = "mix",
	};
	json_t *object = json_object();
	char key[64];

	for (unsigned i = 0; i < AUDIO_TIMES; i++) {
		double usec = per((double) m->counts.times_usec[i], m->counts.frames);

		m->trailing_usec[i] += (usec - m->trailing_usec[i]) / TRAILING_REPORTS;
		(void) snprintf(key, sizeof(key), "us_per_%s", names[i]);
		set(object, key, json_real(usec));
		(void) snprintf(key, sizeof(key), "us_per_%s_trailing", names[i]);
		set(object, key, json_real(m->trailing_usec[i]));
	}
	return object;
}

json_t *audio_mixer_stats(void *hat)
{
	struct audio_mixer *m = hat;
	const struct audio_counts *c = &m->counts;
	uint64_t now = clock_now_usec();
	double seconds = (double) (now - m->reported_usec) / 1e6;
	json_t *object = json_pack(
		"{s:b, s:i, s:f, s:f, s:f, s:f, s:f, s:I, s:o, s:o, s:o}",
		"useDynamicJitterBuffers", m->settings.jitter.dynamic, "threads",
		(int) worker_pool_threads(m->pool), "trailing_mix_ratio", m->load,
		"avg_streams_per_frame", per(c->streams, c->frames), "avg_listeners_per_frame",
		per(c->listeners, c->frames), "avg_listeners_(silent)_per_frame",
		per(c->silent_listeners, c->frames), "silent_packets_per_frame",
		per(c->silent_packets, c->frames), "skipped_frames",
		(json_int_t) (m->timer ? event_timer_skipped(m->timer) : 0), "avg_timing_stats",
		timing_stats(m), "mix_stats", mix_stats(&c->mix, c->frames), "z_listeners",
		all_clients_stats(m, seconds));

	set(object, "frame_ms", recent_times_json(&m->frame_times));
	set(object, "late_frames", json_integer((json_int_t) m->late_frames));
	set(object, "lowered_steps", json_integer(m->budget.level));
	set(object, "codec_complexity", json_integer(frame_budget_complexity(&m->budget)));
	m->reported_usec = now;
	m->counts = (struct audio_counts){0};
	return object;
}

void audio_mixer_status(void *hat, char *buf, size_t size)
{
	struct audio_mixer *m = hat;
	unsigned people = node_list_count(m->context.nodes, NODE_TYPE_AGENT);
	struct histogram times = m->frame_times.before;
	char lowered[64] = "";

	histogram_merge(&times, &m->frame_times.now);
	if (m->budget.level > 0)
		(void) snprintf(lowered, sizeof(lowered), ", codecs lowered to complexity %d",
				frame_budget_complexity(&m->budget));
	(void) snprintf(buf, size,
			"%u people, %.0f %% of the frame time in use, p50 %.1f p99 %.1f p99.9 %.1f "
			"ms%s",
			people, 100 * m->load, histogram_percentile(&times, 50) / 1e3,
			histogram_percentile(&times, 99) / 1e3,
			histogram_percentile(&times, 99.9) / 1e3, lowered);
}
