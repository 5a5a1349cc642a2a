/* A plain complex Fourier transform of power-of-two length, for preparing filters; nothing that
 * runs per frame uses it. */
#pragma once

#include <complex.h>
#include <stdbool.h>
#include <stddef.h>

/* In place. n is a power of two. The inverse divides by n. */
void fft(double complex *data, size_t n, bool inverse);
