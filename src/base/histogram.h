/* Durations, counted in buckets no wider than 1/32 of their value: percentiles of any number of
 * samples in fixed memory. Held by value; zero-initialised is empty. */
#pragma once

#include <stdint.h>

#include <jansson.h>

/* Exact below 64 µs, then 32 buckets per doubling up to 2^36 µs (19 hours); more counts as that. */
#define HISTOGRAM_BUCKETS 1056

struct histogram {
	uint64_t count, sum_usec, max_usec;
	uint32_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *h, uint64_t usec);
/* Adds the samples of another. */
void histogram_merge(struct histogram *h, const struct histogram *other);
/* The value that percent of the samples do not exceed, at most 1/32 too large; 0 without samples.
 */
uint64_t histogram_percentile(const struct histogram *h, double percent);
double histogram_mean_usec(const struct histogram *h);
/* {"count", "mean", "p50", "p95", "p99", "max"}, in milliseconds; only "count" without samples. New
 * reference, or NULL when out of memory. */
json_t *histogram_json(const struct histogram *h);
