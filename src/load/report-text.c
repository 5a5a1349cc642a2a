#include <math.h>

#include "load/report.h"

static void print_histogram(FILE *f, const char *what, const struct histogram *h)
{
	if (h->count == 0)
		return;
	(void) fprintf(f, "  %-24s p50 %9.2f   p95 %9.2f   p99 %9.2f   max %9.2f ms\n", what,
		       (double) histogram_percentile(h, 50) / 1000,
		       (double) histogram_percentile(h, 95) / 1000,
		       (double) histogram_percentile(h, 99) / 1000, (double) h->max_usec / 1000);
}

static void print_share(FILE *f, const char *what, double share)
{
	if (!isnan(share))
		(void) fprintf(f, "  %-24s %.1f %%\n", what, 100 * share);
}

static void print_run(const struct report *report, FILE *f)
{
	const struct load_options *o = report->options;
	const struct run_measures *m = &report->measures->run;

	(void) fprintf(f, "%u clients of %s for %.1f s: %u talk (%s%s), %u joints%s, seed %llu\n\n",
		       o->clients, HIFI_ADDR_TEXT(&report->domain), report->measured_s,
		       load_options_talkers(o), o->codec ? o->codec : "no codec",
		       o->tone ? ", tones" : "", o->joints, o->move ? ", walking" : "",
		       (unsigned long long) o->seed);
	(void) fprintf(f, "connected  %u of %u", report->n_complete, o->clients);
	if (report->n_complete + report->n_missing < o->clients)
		(void) fprintf(f, ", %u on their way",
			       o->clients - report->n_complete - report->n_missing);
	(void) fprintf(f, "\n");
	print_histogram(f, "time to connect", &m->connect);
	if (m->departures > 0)
		(void) fprintf(f, "  %-24s %llu\n", "left and came back",
			       (unsigned long long) m->departures);
	if (m->denied > 0)
		(void) fprintf(f, "  %-24s %llu times\n", "refused",
			       (unsigned long long) m->denied);
}

static void print_audio(const struct report *report, FILE *f)
{
	const struct traffic_measures *m = &report->measures->traffic;

	(void) fprintf(f, "audio      %.1f mixes/s per listener, %.0f %% of them silent\n",
		       report_audio_rate(report),
		       100 * (double) m->silent_frames /
			       (double) MAX(m->silent_frames + m->mixes, 1u));
	print_histogram(f, "jitter", &m->audio_jitter);
	(void) fprintf(f, "  %-24s %.3f %%\n", "lost", report_audio_loss(report));
	(void) fprintf(f, "  %-24s %.2f per listener and minute\n", "gaps over 40 ms",
		       report_audio_gaps(report));
	print_share(f, "talkers heard", report->share_heard);
	if (report->measures->run.codecs_refused > 0)
		(void) fprintf(f, "  %-24s %llu times\n", "codec not granted",
			       (unsigned long long) report->measures->run.codecs_refused);
}

static void print_others(FILE *f, const char *what, uint64_t n)
{
	if (n > 0)
		(void) fprintf(f, "  %-24s %llu\n", what, (unsigned long long) n);
}

static void print_avatar(const struct report *report, FILE *f)
{
	const struct traffic_measures *m = &report->measures->traffic;

	(void) fprintf(f, "avatars    %.1f updates/s of each other avatar\n",
		       report_update_rate(report));
	print_histogram(f, "latency", &m->move_latency);
	print_histogram(f, "between updates", &m->move_interval);
	print_histogram(f, "the same, near ones", &m->near_interval);
	print_share(f, "others seen in full", report->share_seen);
	print_others(f, "records of strangers", m->others_records);
}

static void print_messages(const struct report *report, FILE *f)
{
	const struct traffic_measures *m = &report->measures->traffic;

	(void) fprintf(f, "messages   %llu sent, %llu received\n",
		       (unsigned long long) m->chats_sent, (unsigned long long) m->chats_received);
	print_histogram(f, "latency", &m->chat_latency);
	print_others(f, "from strangers", m->others_chats);
}

static void print_entities(const struct report *report, FILE *f)
{
	const struct measures *m = report->measures;

	(void) fprintf(f, "entities   %llu packets\n",
		       (unsigned long long) m->traffic.entity_packets);
	print_histogram(f, "query to completion", &m->entities.completion);
}

static void print_traffic(const struct report *report, FILE *f)
{
	double s = MAX(report->measured_s, 1e-9);

	(void) fprintf(f, "\n%-10s %12s %10s %12s %10s %9s\n", "payload", "packets/s in", "kB/s in",
		       "packets/s out", "kB/s out", "lost %");
	for (unsigned i = 0; i < LOAD_MIXER_COUNT; i++) {
		const struct node_traffic *t = &report->traffic[i];

		if (t->packets_in + t->packets_out > 0)
			(void) fprintf(f, "%-10s %12.0f %10.1f %13.0f %10.1f %9.3f\n",
				       load_mixer_name(i), (double) t->packets_in / s,
				       (double) t->bytes_in / s / 1000, (double) t->packets_out / s,
				       (double) t->bytes_out / s / 1000, report_loss(report, i));
	}
}

static void print_generator(const struct report *report, FILE *f)
{
	const struct measures *m = report->measures;

	(void) fprintf(f, "\nthis program used %.0f %% of a core\n",
		       report->measured_s > 0 ? (double) report->cpu_usec / report->measured_s / 1e4
					      : 0);
	print_histogram(f, "late by", &m->traffic.lateness);
	if (report->skipped + m->run.kernel_drops + m->run.send_drops > 0)
		(void) fprintf(f,
			       "  it is a bottleneck itself: %llu ms skipped, %llu packets not "
			       "read in time, "
			       "%llu not sent\n",
			       (unsigned long long) report->skipped,
			       (unsigned long long) m->run.kernel_drops,
			       (unsigned long long) m->run.send_drops);
}

/* Faults that did not happen are not worth a line. */
static void print_checks(const struct report *report, FILE *f)
{
	struct check checks[REPORT_CHECKS_MAX];
	size_t n = report_checks(report, checks), quiet = 0;

	(void) fprintf(f, "\n");
	for (size_t i = 0; i < n; i++) {
		const struct check *c = &checks[i];

		if (c->ok && !c->is_minimum && c->limit == 0) {
			quiet++;
			continue;
		}
		(void) fprintf(f, "%-4s %-20s %.6g (%s %.6g): %s\n", c->ok ? "ok" : "FAIL", c->name,
			       c->value, c->is_minimum ? "at least" : "at most", c->limit, c->what);
	}
	(void) fprintf(f, "%-4s %zu kinds of fault that did not happen\n", "ok", quiet);
}

void report_print(const struct report *report, FILE *f)
{
	const struct load_options *o = report->options;

	print_run(report, f);
	if (o->audio)
		print_audio(report, f);
	if (o->avatar)
		print_avatar(report, f);
	if (o->messages)
		print_messages(report, f);
	if (o->entities)
		print_entities(report, f);
	print_traffic(report, f);
	print_generator(report, f);
	print_checks(report, f);
}
