#include "audio/spectral-transform.h"

#include <math.h>

#include "audio/wide.h"

/* Seven halvings and a third; an even number of stages ends where it began. */
#define THIRD (TRANSFORM_N / 3)

static_assert(TRANSFORM_N == 3 << 7, "the stages fit the length");

void transform_init(struct transform *transform)
{
	for (unsigned i = 0; i < TRANSFORM_N; i++) {
		double angle = -2 * M_PI * i / TRANSFORM_N;

		transform->re[i] = (float) cos(angle);
		transform->im[i] = (float) sin(angle);
	}
}

/* Splits transforms into halves (Stockham: sorted without a pass of its own). There are as many of
 * them as stride says, interleaved. Inlined, so that each stage is compiled for its stride. */
static inline __attribute__((always_inline)) void halve(const struct transform *t, unsigned stride,
							const float *restrict re,
							const float *restrict im,
							float *restrict to_re,
							float *restrict to_im)
{
	const unsigned half = TRANSFORM_N / 2;

	for (unsigned at = 0; at < half; at += stride) {
		const float w_re = t->re[at], w_im = t->im[at];
		const float *a_re = re + at, *a_im = im + at;
		const float *b_re = a_re + half, *b_im = a_im + half;
		float *restrict sum_re = to_re + 2 * at, *restrict sum_im = to_im + 2 * at;

		for (unsigned q = 0; q < stride; q++) {
			float d_re = a_re[q] - b_re[q], d_im = a_im[q] - b_im[q];

			sum_re[q] = a_re[q] + b_re[q];
			sum_im[q] = a_im[q] + b_im[q];
			sum_re[stride + q] = d_re * w_re - d_im * w_im;
			sum_im[stride + q] = d_re * w_im + d_im * w_re;
		}
	}
}

_wide_ static void finish_thirds(const float *restrict re, const float *restrict im,
				 float *restrict to_re, float *restrict to_im)
{
	const float sin60 = 0.866025403784f;

	for (unsigned q = 0; q < THIRD; q++) {
		float sum_re = re[q + THIRD] + re[q + 2 * THIRD];
		float sum_im = im[q + THIRD] + im[q + 2 * THIRD];
		float turned_re = sin60 * (im[q + THIRD] - im[q + 2 * THIRD]);
		float turned_im = sin60 * (re[q + 2 * THIRD] - re[q + THIRD]);
		float mid_re = re[q] - 0.5f * sum_re, mid_im = im[q] - 0.5f * sum_im;

		to_re[q] = re[q] + sum_re;
		to_im[q] = im[q] + sum_im;
		to_re[q + THIRD] = mid_re + turned_re;
		to_im[q + THIRD] = mid_im + turned_im;
		to_re[q + 2 * THIRD] = mid_re - turned_re;
		to_im[q + 2 * THIRD] = mid_im - turned_im;
	}
}

_wide_ static void halve_seven_times(const struct transform *t, float re[restrict],
				     float im[restrict], float other_re[restrict],
				     float other_im[restrict])
{
	halve(t, 1, re, im, other_re, other_im);
	halve(t, 2, other_re, other_im, re, im);
	halve(t, 4, re, im, other_re, other_im);
	halve(t, 8, other_re, other_im, re, im);
	halve(t, 16, re, im, other_re, other_im);
	halve(t, 32, other_re, other_im, re, im);
	halve(t, 64, re, im, other_re, other_im);
}

void transform_run(const struct transform *transform, float re[restrict static TRANSFORM_N],
		   float im[restrict static TRANSFORM_N])
{
	float other_re[TRANSFORM_N], other_im[TRANSFORM_N];

	halve_seven_times(transform, re, im, other_re, other_im);
	finish_thirds(other_re, other_im, re, im);
}
