/* What a run came to: figures, and checks that decide the exit status. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include <jansson.h>

#include "load/measures.h"
#include "load/options.h"
#include "net/addr.h"

/* Everything is borrowed. */
struct report {
	const struct load_options *options;
	struct hifi_addr domain;
	const struct measures *measures;
	double measured_s;
	unsigned n_complete;            /* clients with all mixers at the end of the measuring */
	unsigned n_missing;             /* that should have been */
	double share_heard, share_seen; /* 0…1, NAN when it was not asked for */
	struct node_traffic traffic[LOAD_MIXER_COUNT]; /* of all clients */
	uint64_t cpu_usec;                             /* of this program while it measured */
	uint64_t skipped;                              /* milliseconds it was too late to use */
};

struct check {
	const char *name;
	const char *what; /* in a few words, with the unit */
	double value, limit;
	bool is_minimum; /* limit is the least, else the most */
	bool ok;
};

#define REPORT_CHECKS_MAX (FAULT_COUNT + 16)

/* The checks of this run; returns how many. */
size_t report_checks(const struct report *report, struct check ret[static REPORT_CHECKS_MAX]);
bool report_is_ok(const struct report *report);

/* Figures made of the measures. */
double report_audio_rate(const struct report *report);  /* mixes per listener and second */
double report_audio_gaps(const struct report *report);  /* per listener and minute */
double report_audio_loss(const struct report *report);  /* percent */
double report_update_rate(const struct report *report); /* per pair of avatars and second */
double report_loss(const struct report *report, enum load_mixer mixer); /* percent */

/* New reference, or NULL when out of memory. */
json_t *report_json(const struct report *report);
void report_print(const struct report *report, FILE *f);
