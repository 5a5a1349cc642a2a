/* The complex Fourier transform of one block, made for what runs per frame: single precision, real
 * and imaginary parts apart, one length. */
#pragma once

#include "audio/inbound-stream.h"

#define TRANSFORM_N STREAM_BLOCK_SAMPLES

struct transform {
	float re[TRANSFORM_N], im[TRANSFORM_N]; /* the roots of unity, clockwise */
};

void transform_init(struct transform *transform);
/* In place and not scaled. With re and im exchanged it is the inverse, N times too large. */
void transform_run(const struct transform *transform, float re[restrict static TRANSFORM_N],
		   float im[restrict static TRANSFORM_N]);
