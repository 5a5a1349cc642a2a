#include "audio/sequence-stats.h"

#include "base/macros.h"

#define MISSING_BITS 1024

static_assert(MISSING_BITS > SEQUENCE_GAP_MAX,
	      "the window of missing numbers holds the widest gap");

static bool missing_take(struct sequence_stats *stats, uint16_t sequence)
{
	unsigned bit = sequence % MISSING_BITS;
	uint64_t mask = UINT64_C(1) << bit % 64;
	bool was = stats->missing[bit / 64] & mask;

	stats->missing[bit / 64] &= ~mask;
	return was;
}

static void missing_add(struct sequence_stats *stats, uint16_t sequence)
{
	unsigned bit = sequence % MISSING_BITS;

	stats->missing[bit / 64] |= UINT64_C(1) << bit % 64;
}

static void restart(struct sequence_stats *stats, uint16_t sequence)
{
	*stats = (struct sequence_stats){
		.counts = {.received = 1, .expected = 1},
		.last = sequence,
		.started = true,
	};
}

/* A number nobody would expect. A sender that restarted its counter sends a run of them, and the
 * end of such a run is the new truth. */
static enum sequence_arrival receive_unreasonable(struct sequence_stats *stats, uint16_t sequence)
{
	bool follows = stats->unreasonable_run > 0 &&
		       sequence == (uint16_t) (stats->unreasonable_last + 1);

	stats->counts.unreasonable++;
	stats->unreasonable_run = follows ? stats->unreasonable_run + 1 : 1;
	stats->unreasonable_last = sequence;
	if (stats->unreasonable_run >= SEQUENCE_RESYNC_RUN)
		restart(stats, sequence);
	return SEQUENCE_UNREASONABLE;
}

static void receive_ahead(struct sequence_stats *stats, uint16_t sequence, unsigned skipped)
{
	for (unsigned i = 1; i <= skipped; i++)
		missing_add(stats, (uint16_t) (stats->last + i));
	(void) missing_take(stats, sequence);

	stats->last = sequence;
	stats->unreasonable_run = 0;
	stats->counts.expected += skipped + 1;
	stats->counts.lost += skipped;
	stats->counts.early += skipped > 0;
}

enum sequence_arrival sequence_stats_receive(struct sequence_stats *stats, uint16_t sequence,
					     unsigned *ret_skipped)
{
	/* Ahead of (≥ 0) or behind the expected number, across the wrap. */
	int ahead = (int16_t) (uint16_t) (sequence - stats->last - 1);

	*ret_skipped = 0;
	if (!stats->started) {
		restart(stats, sequence);
		return SEQUENCE_ON_TIME;
	}

	stats->counts.received++;
	if (ahead > SEQUENCE_GAP_MAX || ahead < -SEQUENCE_GAP_MAX)
		return receive_unreasonable(stats, sequence);
	if (ahead >= 0) {
		receive_ahead(stats, sequence, (unsigned) ahead);
		*ret_skipped = (unsigned) ahead;
		return ahead > 0 ? SEQUENCE_EARLY : SEQUENCE_ON_TIME;
	}
	if (!missing_take(stats, sequence))
		return receive_unreasonable(stats, sequence);

	stats->unreasonable_run = 0;
	stats->counts.late++;
	stats->counts.lost--;
	stats->counts.recovered++;
	return SEQUENCE_RECOVERED;
}

/* Counters restart when the sender does, and "lost" also shrinks: never below nothing. */
static uint32_t since(uint32_t now, uint32_t then)
{
	return now > then ? now - then : 0;
}

struct sequence_counts sequence_counts_since(const struct sequence_counts *now,
					     const struct sequence_counts *then)
{
	return (struct sequence_counts){
		.received = since(now->received, then->received),
		.unreasonable = since(now->unreasonable, then->unreasonable),
		.early = since(now->early, then->early),
		.late = since(now->late, then->late),
		.lost = since(now->lost, then->lost),
		.recovered = since(now->recovered, then->recovered),
		.expected = since(now->expected, then->expected),
	};
}
