#include "base/histogram.h"

#include <math.h>

#include "base/macros.h"

#define SUB_BITS  5
#define SUB       (1u << SUB_BITS)
#define VALUE_MAX ((UINT64_C(1) << 36) - 1)

/* The position of the highest bit decides how many low bits do not matter. */
static unsigned shift_of(uint64_t value)
{
	unsigned bits = value ? 64 - (unsigned) __builtin_clzll(value) : 0;

	return bits > SUB_BITS + 1 ? bits - SUB_BITS - 1 : 0;
}

static unsigned bucket_of(uint64_t usec)
{
	uint64_t value = MIN(usec, VALUE_MAX);
	unsigned shift = shift_of(value);

	return shift * SUB + (unsigned) (value >> shift);
}

/* The largest value that falls into the bucket. */
static uint64_t bucket_end(unsigned bucket)
{
	unsigned shift = bucket < 2 * SUB ? 0 : bucket / SUB - 1;
	uint64_t top = bucket - shift * SUB;

	return ((top + 1) << shift) - 1;
}

void histogram_add(struct histogram *h, uint64_t usec)
{
	h->buckets[bucket_of(usec)]++;
	h->count++;
	h->sum_usec += usec;
	h->max_usec = MAX(h->max_usec, usec);
}

void histogram_merge(struct histogram *h, const struct histogram *other)
{
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
		h->buckets[i] += other->buckets[i];
	h->count += other->count;
	h->sum_usec += other->sum_usec;
	h->max_usec = MAX(h->max_usec, other->max_usec);
}

uint64_t histogram_percentile(const struct histogram *h, double percent)
{
	uint64_t rank = (uint64_t) ceil((double) h->count * percent / 100), seen = 0;

	rank = MAX(rank, UINT64_C(1));
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
		seen += h->buckets[i];
		if (seen >= rank)
			return MIN(bucket_end(i), h->max_usec);
	}
	return h->max_usec;
}

double histogram_mean_usec(const struct histogram *h)
{
	return h->count ? (double) h->sum_usec / (double) h->count : 0;
}

static double ms(uint64_t usec)
{
	return (double) usec / 1000;
}

json_t *histogram_json(const struct histogram *h)
{
	if (h->count == 0)
		return json_pack("{s:i}", "count", 0);
	return json_pack("{s:I, s:f, s:f, s:f, s:f, s:f}", "count", (json_int_t) h->count, "mean",
			 histogram_mean_usec(h) / 1000, "p50", ms(histogram_percentile(h, 50)),
			 "p95", ms(histogram_percentile(h, 95)), "p99",
			 ms(histogram_percentile(h, 99)), "max", ms(h->max_usec));
}
