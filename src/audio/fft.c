#include "audio/fft.h"

#include <math.h>

#include "base/macros.h"

static void reorder(double complex *data, size_t n)
{
	for (size_t i = 1, j = 0; i < n; i++) {
		size_t bit = n >> 1;

		for (; j & bit; bit >>= 1)
			j ^= bit;
		j ^= bit;
		if (i < j) {
			double complex swap = data[i];

			data[i] = data[j];
			data[j] = swap;
		}
	}
}

/* Without C's recovery of infinities, which is a function call per product. */
static double complex multiply(double complex a, double complex b)
{
	return __builtin_complex(creal(a) * creal(b) - cimag(a) * cimag(b),
				 creal(a) * cimag(b) + cimag(a) * creal(b));
}

void fft(double complex *data, size_t n, bool inverse)
{
	assert(n > 0 && (n & (n - 1)) == 0);

	reorder(data, n);
	for (size_t len = 2; len <= n; len *= 2) {
		double complex step = cexp((inverse ? 2 : -2) * M_PI / (double) len * I);
		double complex twiddle = 1;

		/* The twiddle is the outer loop's, so that a stage computes each only once. */
		for (size_t k = 0; k < len / 2; k++) {
			for (size_t i = k; i < n; i += len) {
				double complex odd = multiply(data[i + len / 2], twiddle);

				data[i + len / 2] = data[i] - odd;
				data[i] += odd;
			}
			twiddle = multiply(twiddle, step);
		}
	}
	for (size_t i = 0; inverse && i < n; i++)
		data[i] /= (double) n;
}
