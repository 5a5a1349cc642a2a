#include "load/report.h"

#include <math.h>

#include "base/macros.h"

/* A listener plays 100 frames a second; a mixer that delivers fewer does not keep up. */
#define AUDIO_RATE_LEAST  95
#define FRAMES_PER_SECOND 100.0
/* Past this the figures are those of this program, not of the domain. */
#define MISSED_PERCENT_MOST 2

static double per(double a, double b)
{
	return b > 0 ? a / b : 0;
}

static double percent_lost(uint64_t lost, uint64_t received)
{
	return 100 * per((double) lost, (double) (lost + received));
}

double report_audio_rate(const struct report *report)
{
	const struct traffic_measures *m = &report->measures->traffic;

	return FRAMES_PER_SECOND *
	       per((double) (m->mixes + m->silent_frames), (double) m->listener_frames);
}

double report_audio_gaps(const struct report *report)
{
	const struct traffic_measures *m = &report->measures->traffic;

	return 60 * FRAMES_PER_SECOND * per((double) m->audio_gaps, (double) m->listener_frames);
}

double report_audio_loss(const struct report *report)
{
	const struct traffic_measures *m = &report->measures->traffic;

	return percent_lost(m->audio_lost, m->mixes + m->silent_frames);
}

double report_update_rate(const struct report *report)
{
	const struct traffic_measures *m = &report->measures->traffic;

	return FRAMES_PER_SECOND * per((double) m->avatar_updates, (double) m->pair_frames);
}

double report_loss(const struct report *report, enum load_mixer mixer)
{
	return percent_lost(report->traffic[mixer].packets_lost, report->traffic[mixer].packets_in);
}

/* --- checks --- */

struct check_list {
	size_t n;
	struct check *checks;
};

static void expect_most(struct check_list *list, const char *name, const char *what, double value,
			double limit)
{
	if (isnan(limit))
		return;
	list->checks[list->n++] = (struct check){
		.name = name,
		.what = what,
		.value = value,
		.limit = limit,
		.ok = value <= limit,
	};
}

static void expect_least(struct check_list *list, const char *name, const char *what, double value,
			 double limit)
{
	if (isnan(limit))
		return;
	list->checks[list->n++] = (struct check){
		.name = name,
		.what = what,
		.value = value,
		.limit = limit,
		.is_minimum = true,
		.ok = value >= limit,
	};
}

static double worst_loss(const struct report *report)
{
	double worst = report_audio_loss(report);

	for (unsigned i = 0; i < LOAD_MIXER_COUNT; i++)
		worst = MAX(worst, report_loss(report, i));
	return worst;
}

static double p99_ms(const struct histogram *h)
{
	return (double) histogram_percentile(h, 99) / 1000;
}

/* Of the time, because it was late; of the packets, because it did not read them. */
static double percent_missed(const struct report *report)
{
	uint64_t received = 0;

	for (unsigned i = 0; i < LOAD_MIXER_COUNT; i++)
		received += report->traffic[i].packets_in;
	return 100 * per((double) report->skipped / 1000, report->measured_s) +
	       percent_lost(report->measures->run.kernel_drops, received);
}

/* What any domain must do for its clients, whatever the load. */
static void check_always(const struct report *report, struct check_list *list)
{
	const struct load_options *o = report->options;
	const struct measures *m = report->measures;

	expect_most(list, "missing", "clients without all their mixers", report->n_missing, 0);
	expect_most(list, "ended", "sessions that the domain ended", (double) m->run.ended, 0);
	expect_most(list, "mixers_lost", "contacts with a mixer that broke off",
		    (double) m->run.mixers_lost, 0);
	if (o->audio)
		expect_least(list, "audio_rate", "mixes per listener and second",
			     report_audio_rate(report), AUDIO_RATE_LEAST);
	if (o->avatar && o->clients > 1)
		expect_least(list, "avatar_updates", "updates of others",
			     (double) m->traffic.avatar_updates, 1);
	expect_most(list, "generator", "percent that this program could not keep up with",
		    percent_missed(report), MISSED_PERCENT_MOST);
	for (unsigned i = 0; i < FAULT_COUNT; i++)
		expect_most(list, fault_name(i), fault_meaning(i), (double) m->run.faults.n[i], 0);
}

size_t report_checks(const struct report *report, struct check ret[static REPORT_CHECKS_MAX])
{
	const struct load_options *o = report->options;
	const struct measures *m = report->measures;
	struct check_list list = {.checks = ret};

	check_always(report, &list);
	expect_most(&list, "loss", "percent lost on the way from the worst mixer",
		    worst_loss(report), o->max_loss_percent);
	expect_most(&list, "avatar_p99", "ms, 99th percentile of avatar latency",
		    p99_ms(&m->traffic.move_latency), o->avatar ? o->max_p99_ms : NAN);
	expect_most(&list, "chat_p99", "ms, 99th percentile of chat latency",
		    p99_ms(&m->traffic.chat_latency), o->messages ? o->max_p99_ms : NAN);
	expect_most(&list, "connect", "ms, slowest connection",
		    (double) m->run.connect.max_usec / 1000, o->max_connect_ms);
	expect_most(&list, "gaps", "audio gaps per listener and minute", report_audio_gaps(report),
		    o->max_gaps);
	expect_least(&list, "heard", "share of talkers heard", report->share_heard, o->min_heard);
	expect_least(&list, "seen", "share of avatars seen", report->share_seen, o->min_seen);
	return list.n;
}

bool report_is_ok(const struct report *report)
{
	struct check checks[REPORT_CHECKS_MAX];
	size_t n = report_checks(report, checks);

	for (size_t i = 0; i < n; i++)
		if (!checks[i].ok)
			return false;
	return true;
}
