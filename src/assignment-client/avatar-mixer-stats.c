/* What the avatar-mixer reports of itself, under upstream's names (protocol 04 section 14). What
 * has no counterpart here, such as waiting for locks, is left out; "position" is ours, for maps. */
#include "assignment-client/avatar-mixer.h"

#include <stdio.h>

#include "base/clock.h"

#define BYTES_PER_SECOND_PER_KBPS 125.0

static double kbps(double bytes, double seconds)
{
	return bytes / BYTES_PER_SECOND_PER_KBPS / seconds;
}

static double ratio(double a, double b)
{
	return b > 0 ? a / b : 0;
}

/* --- per avatar --- */

static const char *display_name(const struct avatar_client *client)
{
	const struct crowd_member *member = client->member;

	if (!member->is_source)
		return "ENTITY SCRIPT SERVER";
	return member->identity.known ? member->identity.name->text : "";
}

/* Metres; nothing that sends no avatar is anywhere. */
static json_t *position(const struct crowd_member *member)
{
	struct vec3 at;

	if (!member->is_source || member->state.updated_tick == 0)
		return NULL;
	at = avatar_state_position(&member->state);
	return json_pack("[f, f, f]", (double) at.x, (double) at.y, (double) at.z);
}

/* Takes the counts. */
static json_t *client_stats(struct avatar_client *client, double seconds)
{
	const struct node_traffic *now = &client->node->traffic,
				  *before = &client->reported_traffic;
	struct crowd_counts counts = client->member->counts;
	double in = kbps((double) (now->bytes_in - before->bytes_in), seconds);
	double out = kbps((double) (now->bytes_out - before->bytes_out), seconds);
	double out_data = kbps(counts.sent_data_bytes, seconds);

	client->reported_traffic = *now;
	client->out_of_order += counts.out_of_order;
	client->member->counts = (struct crowd_counts){
		.last_frame_records = counts.last_frame_records,
		.last_frame_seen = counts.last_frame_seen,
	};
	return json_pack(
		"{s:s, s:f, s:f, s:s, s:i, s:f, s:f, s:I, s:f, s:f, s:f, s:f, s:i, s:f, s:o*}",
		"$username", UUID_TEXT(&client->node->uuid), "outbound_kbps", out, "inbound_kbps",
		in, "display_name", display_name(client), "num_avs_sent_last_frame",
		(int) counts.last_frame_records, "avg_other_av_starves_per_second",
		counts.starved / seconds, "avg_other_av_skips_per_second", counts.skipped / seconds,
		"total_num_out_of_order_sends", (json_int_t) client->out_of_order,
		"outbound_av_data_kbps", out_data, "outbound_av_traits_kbps",
		kbps(counts.sent_traits_bytes, seconds), "inbound_av_data_kbps",
		kbps(counts.data_bytes, seconds), "av_data_receive_rate",
		counts.data_packets / seconds, "recent_other_av_in_view",
		(int) counts.last_frame_seen, "delta_full_vs_avatar_data_kbps", out - out_data,
		"position", position(client->member));
}

/* --- the whole --- */

struct sums {
	uint64_t records, over_budget, data_bytes, traits_bytes, identity_bytes;
};

static struct sums sum_up(const struct avatar_mixer *m)
{
	struct crowd_member *member;
	struct sums sums = {0};

	crowd_for_each(member, m->crowd)
	{
		sums.records += member->counts.sent_records;
		sums.over_budget += member->counts.reduced;
		sums.data_bytes += member->counts.sent_data_bytes;
		sums.traits_bytes += member->counts.sent_traits_bytes;
		sums.identity_bytes += member->counts.sent_identity_bytes;
	}
	return sums;
}

static uint64_t avatar_data_usec(const struct avatar_mixer_counts *counts)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < AVATAR_HANDLERS_MAX; i++)
		if (!avatar_mixer_handler_name(i))
			sum += counts->handler_usec[i];
	return sum;
}

static json_t *incoming_stats(const struct avatar_mixer_counts *counts)
{
	json_t *incoming = json_object();

	for (unsigned i = 0; i < AVATAR_HANDLERS_MAX; i++)
		if (avatar_mixer_handler_name(i))
			(void) json_object_set_new(
				incoming, avatar_mixer_handler_name(i),
				json_real(ratio((double) counts->handler_usec[i], counts->frames)));
	return incoming;
}

/* Averages over frames, and over frames and listeners. */
static json_t *frame_stats(const struct avatar_mixer *m, const struct sums *sums)
{
	const struct avatar_mixer_counts *counts = &m->counts;
	double served = counts->served;

	return json_pack(
		"{s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f}", "received_1_nodesProcessed",
		counts->frames > 0 ? (double) m->n_clients : 0.0, "sent_1_nodesBroadcastedTo",
		ratio(served, counts->frames), "sent_2_averageOthersIncluded",
		ratio((double) sums->records, served), "sent_3_averageOverBudgetAvatars",
		ratio((double) sums->over_budget, served), "sent_4_averageDataBytes",
		ratio((double) sums->data_bytes, served), "sent_5_averageTraitsBytes",
		ratio((double) sums->traits_bytes, served), "sent_6_averageIdentityBytes",
		ratio((double) sums->identity_bytes, served), "timing_1_processIncomingPackets",
		ratio((double) avatar_data_usec(counts), counts->frames), "timing_6_jobElapsedTime",
		ratio((double) counts->frame_usec, counts->frames));
}

static json_t *avatars_stats(struct avatar_mixer *m, double seconds)
{
	struct crowd_member *member;
	json_t *avatars = json_object();

	crowd_for_each(member, m->crowd)(void) json_object_set_new(
		avatars, UUID_TEXT(&member->session), client_stats(member->peer, seconds));
	return avatars;
}

json_t *avatar_mixer_stats(void *hat)
{
	struct avatar_mixer *m = hat;
	uint64_t now = clock_now_usec();
	double seconds = (double) MAX(now - m->reported_usec, UINT64_C(1)) / 1e6;
	struct sums sums = sum_up(m);
	double frames = m->counts.frames;
	json_t *stats;

	stats = json_pack(
		"{s:f, s:i, s:f, s:f, s:f, s:{s:o}, s:{s:{s:f}, s:{s:f}}, s:o, s:o}",
		"broadcast_loop_rate", frames / seconds, "threads", (int) m->threads,
		"trailing_mix_ratio", m->throttle.load, "throttling_ratio", m->throttle.ratio,
		"average_listeners_last_second", ratio(m->counts.served, frames), "singleCoreTasks",
		"incoming_packets", incoming_stats(&m->counts), "parallelTasks",
		"processQueuedAvatarDataPackets", "1_total",
		ratio((double) avatar_data_usec(&m->counts), frames), "broadcastAvatarData",
		"1_total", ratio((double) m->counts.frame_usec, frames),
		"slaves_aggregate (per frame)", frame_stats(m, &sums), "z_avatars",
		avatars_stats(m, seconds));
	(void) json_object_set_new(stats, "frame_ms", recent_times_json(&m->frame_times));
	m->counts = (struct avatar_mixer_counts){0};
	m->reported_usec = now;
	return stats;
}

void avatar_mixer_status(void *hat, char *buf, size_t size)
{
	struct avatar_mixer *m = hat;
	struct histogram times = m->frame_times.before;
	unsigned avatars = 0;
	struct crowd_member *member;

	histogram_merge(&times, &m->frame_times.now);
	crowd_for_each(member, m->crowd) avatars += member->state.updated_tick > 0;
	(void) snprintf(buf, size, "%u people, %u avatars, %.1f %% of a frame used, p99 %.1f ms%s",
			node_list_count(m->context.nodes, NODE_TYPE_AGENT), avatars,
			100 * m->throttle.load, histogram_percentile(&times, 99) / 1e3,
			m->throttle.ratio > 0 ? ", everybody gets less for it" : "");
}
