#include <math.h>

#include "load/report.h"

/* NAN is null. */
static json_t *real(double value)
{
	return isnan(value) ? json_null() : json_real(value);
}

static json_t *count(uint64_t n)
{
	return json_integer((json_int_t) n);
}

static json_t *run_json(const struct report *report)
{
	const struct load_options *o = report->options;

	return json_pack(
		"{s:s, s:I, s:f, s:f, s:f, s:I, s:I, s:s, s:b, s:b, s:f, s:I, s:f}", "domain",
		HIFI_ADDR_TEXT(&report->domain), "clients", (json_int_t) o->clients, "measured_s",
		report->measured_s, "ramp", o->ramp, "churn", o->churn, "seed",
		(json_int_t) o->seed, "talkers", (json_int_t) load_options_talkers(o), "codec",
		o->codec ? o->codec : "none", "tone", (int) o->tone, "move", (int) o->move,
		"spread_m", o->spread_m, "joints", (json_int_t) o->joints, "chat", o->chat);
}

static json_t *connect_json(const struct report *report)
{
	const struct run_measures *m = &report->measures->run;

	return json_pack("{s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o}", "complete",
			 (json_int_t) report->n_complete, "missing", (json_int_t) report->n_missing,
			 "connections", count(m->connections), "departures", count(m->departures),
			 "ended", count(m->ended), "mixers_lost", count(m->mixers_lost), "denied",
			 count(m->denied), "time_ms", histogram_json(&m->connect));
}

static json_t *mixer_json(const struct report *report, enum load_mixer mixer)
{
	const struct node_traffic *t = &report->traffic[mixer];
	double s = report->measured_s > 0 ? report->measured_s : NAN;

	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "packets_in_per_s",
			 real((double) t->packets_in / s), "bytes_in_per_s",
			 real((double) t->bytes_in / s), "packets_out_per_s",
			 real((double) t->packets_out / s), "bytes_out_per_s",
			 real((double) t->bytes_out / s), "packets_lost", count(t->packets_lost),
			 "loss_percent", real(report_loss(report, mixer)));
}

static json_t *mixers_json(const struct report *report)
{
	json_t *object = json_object();

	for (unsigned i = 0; i < LOAD_MIXER_COUNT; i++)
		(void) json_object_set_new(object, load_mixer_name(i), mixer_json(report, i));
	return object;
}

static json_t *audio_json(const struct report *report)
{
	const struct traffic_measures *m = &report->measures->traffic;

	return json_pack(
		"{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "mixes", count(m->mixes),
		"silent_frames", count(m->silent_frames), "rate", real(report_audio_rate(report)),
		"loss_percent", real(report_audio_loss(report)), "gaps_per_minute",
		real(report_audio_gaps(report)), "jitter_ms", histogram_json(&m->audio_jitter),
		"codecs_refused", count(report->measures->run.codecs_refused), "share_heard",
		real(report->share_heard));
}

static json_t *avatar_json(const struct report *report)
{
	const struct traffic_measures *m = &report->measures->traffic;

	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "updates", count(m->avatar_updates),
			 "update_rate", real(report_update_rate(report)), "latency_ms",
			 histogram_json(&m->move_latency), "interval_ms",
			 histogram_json(&m->move_interval), "near_interval_ms",
			 histogram_json(&m->near_interval), "share_seen", real(report->share_seen),
			 "others_records", count(m->others_records));
}

static json_t *messages_json(const struct report *report)
{
	const struct traffic_measures *m = &report->measures->traffic;

	return json_pack("{s:o, s:o, s:o, s:o}", "sent", count(m->chats_sent), "received",
			 count(m->chats_received), "latency_ms", histogram_json(&m->chat_latency),
			 "others", count(m->others_chats));
}

static json_t *entities_json(const struct report *report)
{
	const struct measures *m = report->measures;

	return json_pack("{s:o, s:o, s:o}", "packets", count(m->traffic.entity_packets), "queries",
			 count(m->entities.queries), "completion_ms",
			 histogram_json(&m->entities.completion));
}

static json_t *generator_json(const struct report *report)
{
	const struct measures *m = report->measures;

	return json_pack("{s:o, s:o, s:o, s:o, s:o}", "cpu_percent",
			 real(report->measured_s > 0
				      ? (double) report->cpu_usec / report->measured_s / 1e4
				      : NAN),
			 "lateness_ms", histogram_json(&m->traffic.lateness), "skipped_ms",
			 count(report->skipped), "kernel_drops", count(m->run.kernel_drops),
			 "send_drops", count(m->run.send_drops));
}

static json_t *drops_json(const struct report *report)
{
	json_t *object = json_object();

	for (unsigned i = 0; i < DROP_REASON_COUNT; i++)
		if (report->measures->run.drops.n[i] > 0)
			(void) json_object_set_new(object, drop_reason_name(i),
						   count(report->measures->run.drops.n[i]));
	return object;
}

static json_t *checks_json(const struct report *report)
{
	struct check checks[REPORT_CHECKS_MAX];
	size_t n = report_checks(report, checks);
	json_t *array = json_array();

	for (size_t i = 0; i < n; i++)
		(void) json_array_append_new(
			array, json_pack("{s:s, s:s, s:o, s:f, s:b}", "name", checks[i].name,
					 "what", checks[i].what, "value", real(checks[i].value),
					 checks[i].is_minimum ? "least" : "most", checks[i].limit,
					 "ok", (int) checks[i].ok));
	return array;
}

json_t *report_json(const struct report *report)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b}", "run",
			 run_json(report), "connect", connect_json(report), "mixers",
			 mixers_json(report), "audio", audio_json(report), "avatar",
			 avatar_json(report), "messages", messages_json(report), "entities",
			 entities_json(report), "generator", generator_json(report), "drops",
			 drops_json(report), "checks", checks_json(report), "ok",
			 (int) report_is_ok(report));
}
