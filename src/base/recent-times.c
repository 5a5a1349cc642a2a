#include "base/recent-times.h"

void recent_times_add(struct recent_times *times, uint64_t usec)
{
	if (times->now.count == RECENT_TIMES_TURN) {
		times->before = times->now;
		times->now = (struct histogram){0};
	}
	histogram_add(&times->now, usec);
}

json_t *recent_times_json(const struct recent_times *times)
{
	struct histogram all = times->before;

	histogram_merge(&all, &times->now);
	if (all.count == 0)
		return json_object();
	return json_pack("{s:f, s:f, s:f, s:f}", "p50", histogram_percentile(&all, 50) / 1e3, "p99",
			 histogram_percentile(&all, 99) / 1e3, "p99.9",
			 histogram_percentile(&all, 99.9) / 1e3, "max", all.max_usec / 1e3);
}
