/* Pseudo-random numbers that a seed repeats (splitmix64): where clients stand, when they chat. */
#pragma once

#include <stdint.h>

struct prng {
	uint64_t state;
};

static inline uint64_t prng_next(struct prng *p)
{
	uint64_t z = p->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* 0 ≤ x < 1. */
static inline double prng_unit(struct prng *p)
{
	return (double) (prng_next(p) >> 11) * 0x1p-53;
}

static inline double prng_range(struct prng *p, double low, double high)
{
	return low + (high - low) * prng_unit(p);
}
