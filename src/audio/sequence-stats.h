/* Classifies packets by their 16-bit sequence numbers and counts what happened to them (03 section
 * 6, "Arrival"). Numbers up to SEQUENCE_GAP_MAX ahead are early; behind, only those still missing
 * count. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* A gap past this is not believed. */
#define SEQUENCE_GAP_MAX 1000
/* This many unbelievable numbers in a row, each one more than the last, are a restarted sender. */
#define SEQUENCE_RESYNC_RUN 8

enum sequence_arrival {
	SEQUENCE_ON_TIME,
	SEQUENCE_EARLY,        /* numbers were jumped over */
	SEQUENCE_RECOVERED,    /* one that was jumped over before */
	SEQUENCE_UNREASONABLE, /* a gap that is too wide, or a duplicate */
};

struct sequence_counts {
	uint32_t received, unreasonable, early, late, lost, recovered, expected;
};

/* Zero-initialised is a stream that received nothing. */
struct sequence_stats {
	struct sequence_counts counts;
	uint16_t last; /* highest number received */
	bool started;
	/* The numbers of the last 1000 that were jumped over, bit (number mod 1024). */
	uint64_t missing[16];
	uint16_t unreasonable_last;
	unsigned unreasonable_run;
};

/* Counts the packet. *ret_skipped is the number of packets jumped over, non-zero only when
 * early. */
enum sequence_arrival sequence_stats_receive(struct sequence_stats *stats, uint16_t sequence,
					     unsigned *ret_skipped);

/* now − then, field by field and at least 0: what happened in between. */
struct sequence_counts sequence_counts_since(const struct sequence_counts *now,
					     const struct sequence_counts *then);
