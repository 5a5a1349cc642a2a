#include "audio/gap-history.h"

#include "base/macros.h"

static void merge(struct gap_second *into, const struct gap_second *from)
{
	if (from->n == 0)
		return;
	into->min_usec = into->n > 0 ? MIN(into->min_usec, from->min_usec) : from->min_usec;
	into->max_usec = MAX(into->max_usec, from->max_usec);
	into->sum_usec += from->sum_usec;
	into->n += from->n;
}

void gap_history_add(struct gap_history *history, uint64_t gap_usec)
{
	const struct gap_second one = {gap_usec, gap_usec, gap_usec, 1};

	merge(&history->total, &one);
	merge(&history->current, &one);
}

void gap_history_tick(struct gap_history *history)
{
	history->seconds[history->next] = history->current;
	history->next = (history->next + 1) % GAP_HISTORY_SECONDS;
	history->complete = MIN(history->complete + 1, (unsigned) GAP_HISTORY_SECONDS);
	history->current = (struct gap_second){0};
}

static struct gap_second window(const struct gap_history *history, unsigned seconds)
{
	struct gap_second sum = {0};

	for (unsigned i = 1; i <= MIN(seconds, history->complete); i++) {
		unsigned at = (history->next + GAP_HISTORY_SECONDS - i) % GAP_HISTORY_SECONDS;

		merge(&sum, &history->seconds[at]);
	}
	return sum;
}

uint64_t gap_history_max(const struct gap_history *history, unsigned seconds)
{
	return window(history, seconds).max_usec;
}

struct audio_gap gap_history_summary(const struct gap_history *history, unsigned seconds)
{
	struct gap_second sum = seconds > 0 ? window(history, seconds) : history->total;

	return (struct audio_gap){
		.min_usec = sum.n > 0 ? sum.min_usec : UINT64_MAX,
		.max_usec = sum.max_usec,
		.mean_usec = sum.n > 0 ? (float) sum.sum_usec / (float) sum.n : 0,
	};
}
