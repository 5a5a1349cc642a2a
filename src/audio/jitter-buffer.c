#include "audio/jitter-buffer.h"

#include <errno.h>
#include <string.h>

#include "audio/gap-history.h"

/* Gaps count only after the stream ran for 10 s: at its start they say more about the client's. */
#define GAPS_AFTER_PACKETS 1000
#define STARVE_HISTORY     50
#define STARVES_TO_GROW    3
#define GROW_WINDOW_SEC    50
#define SHRINK_WINDOW_SEC  10
#define STATS_WINDOW_SEC   30
#define LEVEL_WINDOW_USEC  (10 * USEC_PER_SEC)
#define UNPLAYED_SEC       5

struct jitter_buffer {
	bool dynamic;
	size_t frame_samples; /* of all channels */
	int16_t *ring;
	unsigned first, frames;

	unsigned desired;    /* frames to hold before playing starts */
	unsigned calculated; /* what the gaps of the grow window ask for */
	bool starved;
	uint32_t starves, not_mixed, overflows, dropped;
	uint64_t starve_usec[STARVE_HISTORY]; /* when; a ring indexed by starves */

	struct sequence_stats sequence;
	struct sequence_counts counts_before[STATS_WINDOW_SEC]; /* a ring indexed by seconds */
	struct gap_history gaps;
	uint64_t last_packet_usec;

	/* The time-weighted mean number of frames held. */
	uint64_t level_start_usec, level_last_usec;
	double level_frame_usec;
	unsigned level_mean; /* of the last full window, rounded up */

	uint64_t tick_usec; /* when the current second ends, 0 before the first call */
	unsigned seconds;
	unsigned unplayed_max[UNPLAYED_SEC]; /* frames; a ring indexed by seconds */
};

int jitter_buffer_new(const struct jitter_config *config, unsigned channels,
		      struct jitter_buffer **ret)
{
	_cleanup_(jitter_buffer_freep) struct jitter_buffer *jitter = NULL;

	jitter = calloc(1, sizeof(*jitter));
	if (!jitter)
		return -ENOMEM;

	jitter->dynamic = config->dynamic;
	jitter->desired = config->dynamic
				  ? 1
				  : CLAMP(config->static_frames, 1U, (unsigned) JITTER_RING_FRAMES);
	jitter->starved = true;
	jitter->frame_samples = AUDIO_FRAME_SAMPLES * channels;
	jitter->ring = calloc(JITTER_RING_FRAMES, jitter->frame_samples * sizeof(*jitter->ring));
	if (!jitter->ring)
		return -ENOMEM;

	*ret = TAKE_PTR(jitter);
	return 0;
}

struct jitter_buffer *jitter_buffer_free(struct jitter_buffer *jitter)
{
	if (!jitter)
		return NULL;

	free(jitter->ring);
	free(jitter);
	return NULL;
}

/* --- time --- */

static unsigned frames_in(uint64_t usec)
{
	return (unsigned) MIN((usec + AUDIO_FRAME_USEC - 1) / AUDIO_FRAME_USEC,
			      (uint64_t) JITTER_RING_FRAMES);
}

static void end_second(struct jitter_buffer *jitter)
{
	unsigned needed;

	gap_history_tick(&jitter->gaps);
	jitter->calculated = frames_in(gap_history_max(&jitter->gaps, GROW_WINDOW_SEC));
	needed = MAX(frames_in(gap_history_max(&jitter->gaps, SHRINK_WINDOW_SEC)), 1U);
	if (jitter->dynamic && jitter->gaps.complete >= SHRINK_WINDOW_SEC)
		jitter->desired = MIN(jitter->desired, needed);

	jitter->counts_before[jitter->seconds % STATS_WINDOW_SEC] = jitter->sequence.counts;
	jitter->seconds++;
	jitter->unplayed_max[jitter->seconds % UNPLAYED_SEC] = 0;
}

static void advance(struct jitter_buffer *jitter, uint64_t now_usec)
{
	if (jitter->tick_usec == 0)
		jitter->tick_usec = now_usec + USEC_PER_SEC;

	/* After a pause of the caller's, the seconds nobody lived through are not made up for. */
	if (now_usec > jitter->tick_usec + GROW_WINDOW_SEC * USEC_PER_SEC)
		jitter->tick_usec = now_usec;
	for (; now_usec >= jitter->tick_usec; jitter->tick_usec += USEC_PER_SEC)
		end_second(jitter);
}

static void level_update(struct jitter_buffer *jitter, uint64_t now_usec)
{
	unsigned *unplayed = &jitter->unplayed_max[jitter->seconds % UNPLAYED_SEC];

	*unplayed = MAX(*unplayed, jitter->frames);

	if (jitter->level_start_usec == 0)
		jitter->level_start_usec = jitter->level_last_usec = now_usec;
	jitter->level_frame_usec +=
		(double) jitter->frames * (double) (now_usec - jitter->level_last_usec);
	jitter->level_last_usec = now_usec;

	if (now_usec - jitter->level_start_usec < LEVEL_WINDOW_USEC)
		return;
	jitter->level_mean = (unsigned) (jitter->level_frame_usec /
						 (double) (now_usec - jitter->level_start_usec) +
					 0.999999);
	jitter->level_start_usec = now_usec;
	jitter->level_frame_usec = 0;
}

/* --- arrival --- */

static void count_gap(struct jitter_buffer *jitter, uint64_t now_usec)
{
	if (jitter->sequence.counts.received > GAPS_AFTER_PACKETS)
		gap_history_add(&jitter->gaps, now_usec - jitter->last_packet_usec);
	jitter->last_packet_usec = now_usec;
}

bool jitter_buffer_receive(struct jitter_buffer *jitter, uint16_t sequence, uint64_t now_usec,
			   unsigned *ret_lost)
{
	enum sequence_arrival arrival;
	unsigned skipped, lost;

	advance(jitter, now_usec);
	arrival = sequence_stats_receive(&jitter->sequence, sequence, &skipped);
	count_gap(jitter, now_usec);

	if (arrival == SEQUENCE_UNREASONABLE) {
		*ret_lost = 1;
		return false;
	}

	/* Whatever is past the tolerated number would be dropped at once: it is not made up at all,
	 * so that a jump in the numbers does not buy a thousand runs of the decoder. */
	lost = MIN(skipped, jitter->desired + JITTER_MAX_OVER);
	jitter->dropped += skipped - lost;
	*ret_lost = lost;
	return arrival != SEQUENCE_RECOVERED;
}

static void drop_oldest(struct jitter_buffer *jitter, unsigned n)
{
	jitter->first = (jitter->first + n) % JITTER_RING_FRAMES;
	jitter->frames -= n;
}

static int16_t *frame_at(struct jitter_buffer *jitter, unsigned i)
{
	return jitter->ring + (jitter->first + i) % JITTER_RING_FRAMES * jitter->frame_samples;
}

void jitter_buffer_write(struct jitter_buffer *jitter, const int16_t *frame)
{
	if (jitter->frames == JITTER_RING_FRAMES) {
		drop_oldest(jitter, 1);
		jitter->overflows++;
	}
	memcpy(frame_at(jitter, jitter->frames), frame, jitter->frame_samples * sizeof(*frame));
	jitter->frames++;
}

void jitter_buffer_write_silence(struct jitter_buffer *jitter)
{
	if (jitter->level_mean > jitter->desired + 1) {
		jitter->level_mean--;
		jitter->dropped++;
		return;
	}
	if (jitter->frames == JITTER_RING_FRAMES)
		return;
	memset(frame_at(jitter, jitter->frames), 0, jitter->frame_samples * sizeof(*jitter->ring));
	jitter->frames++;
}

void jitter_buffer_settle(struct jitter_buffer *jitter, uint64_t now_usec)
{
	if (jitter->frames >= jitter->desired)
		jitter->starved = false;
	if (jitter->frames > jitter->desired + JITTER_MAX_OVER) {
		jitter->dropped += jitter->frames - (jitter->desired + 1);
		drop_oldest(jitter, jitter->frames - (jitter->desired + 1));
	}
	level_update(jitter, now_usec);
}

/* --- playing --- */

static void starve(struct jitter_buffer *jitter, uint64_t now_usec)
{
	unsigned recent = 0;

	jitter->starve_usec[jitter->starves % STARVE_HISTORY] = now_usec;
	jitter->starves++;
	jitter->not_mixed = 1;
	jitter->starved = jitter->frames < jitter->desired;
	if (!jitter->dynamic)
		return;

	for (unsigned i = 0; i < MIN(jitter->starves, (uint32_t) STARVE_HISTORY); i++)
		recent += now_usec - jitter->starve_usec[i] <= GROW_WINDOW_SEC * USEC_PER_SEC;
	if (recent < STARVES_TO_GROW)
		return;
	jitter->desired = MAX(jitter->desired, jitter->calculated);
	jitter->desired = MAX(jitter->desired, frames_in(now_usec - jitter->last_packet_usec));
}

enum jitter_pop jitter_buffer_pop(struct jitter_buffer *jitter, uint64_t now_usec, int16_t *ret)
{
	advance(jitter, now_usec);

	if (jitter->starved) {
		jitter->not_mixed++;
		level_update(jitter, now_usec);
		return JITTER_POP_NONE;
	}
	if (jitter->frames == 0) {
		starve(jitter, now_usec);
		level_update(jitter, now_usec);
		return JITTER_POP_CONCEAL;
	}

	level_update(jitter, now_usec);
	memcpy(ret, frame_at(jitter, 0), jitter->frame_samples * sizeof(*ret));
	drop_oldest(jitter, 1);
	return JITTER_POP_FRAME;
}

uint32_t jitter_buffer_not_mixed(const struct jitter_buffer *jitter)
{
	return jitter->not_mixed;
}

unsigned jitter_buffer_calculated(const struct jitter_buffer *jitter)
{
	return jitter->calculated;
}

void jitter_buffer_stats(const struct jitter_buffer *jitter, struct audio_stream_stats *ret)
{
	const struct sequence_counts *now = &jitter->sequence.counts;
	/* The oldest second kept, or nothing yet. */
	const struct sequence_counts *then =
		&jitter->counts_before[jitter->seconds % STATS_WINDOW_SEC];
	unsigned unplayed = 0;

	for (unsigned i = 0; i < UNPLAYED_SEC; i++)
		unplayed = MAX(unplayed, jitter->unplayed_max[i]);

	*ret = (struct audio_stream_stats){
		.gap = gap_history_summary(&jitter->gaps, 0),
		.gap_30s = gap_history_summary(&jitter->gaps, STATS_WINDOW_SEC),
		.frames_available = jitter->frames,
		.frames_available_mean = (uint16_t) jitter->level_mean,
		.unplayed_ms_max = (uint16_t) (unplayed * 10),
		.desired_frames = (uint16_t) jitter->desired,
		.starves = jitter->starves,
		.not_mixed = jitter->not_mixed,
		.overflows = jitter->overflows,
		.dropped = jitter->dropped,
		.packets = *now,
		.packets_30s = sequence_counts_since(now, then),
	};
}
