#include "load/tones.h"

#include <math.h>

#include "base/macros.h"

#define LOWEST_HZ    200
#define HIGHEST_HZ   10000
#define STEP_HZ      (AUDIO_RATE_HZ / TONES_WINDOW_SAMPLES)
#define NARROWEST_HZ (2 * STEP_HZ) /* the Hann window's main lobe ends there */
#define WIDEST_HZ    200

/* A tone stands out by this from what is halfway to its neighbours. */
#define PEAK_RATIO 3

static_assert(LOWEST_HZ + TONES_MAX * NARROWEST_HZ <= HIGHEST_HZ, "room for all tones");

static unsigned spacing_hz(unsigned n)
{
	unsigned spacing = (HIGHEST_HZ - LOWEST_HZ) / MAX(n, 1u) / STEP_HZ * STEP_HZ;

	return CLAMP(spacing, (unsigned) NARROWEST_HZ, (unsigned) WIDEST_HZ);
}

unsigned tones_frequency(unsigned i, unsigned n)
{
	return LOWEST_HZ + i * spacing_hz(n);
}

double tones_amplitude(unsigned n)
{
	return INT16_MAX * MIN(0.1, 0.2 / sqrt(MAX(n, 1u)));
}

void tones_make(unsigned hz, double amplitude, int16_t ret[static TONES_WINDOW_SAMPLES])
{
	for (unsigned i = 0; i < TONES_WINDOW_SAMPLES; i++)
		ret[i] = (int16_t) lrint(amplitude * sin(2 * M_PI * hz * i / AUDIO_RATE_HZ));
}

void tones_prepare(const int16_t *stereo, float ret[static 2 * TONES_WINDOW_SAMPLES])
{
	for (unsigned i = 0; i < TONES_WINDOW_SAMPLES; i++) {
		/* Scaled so that an amplitude comes out as it went in. */
		double w = 1 - cos(2 * M_PI * i / TONES_WINDOW_SAMPLES);

		ret[i] = (float) (w * stereo[2 * i]);
		ret[TONES_WINDOW_SAMPLES + i] = (float) (w * stereo[2 * i + 1]);
	}
}

/* Goertzel's algorithm: one bin of a Fourier transform. */
static double measure_ear(const float *samples, double omega)
{
	double c = 2 * cos(omega), s1 = 0, s2 = 0, power;

	for (unsigned i = 0; i < TONES_WINDOW_SAMPLES; i++) {
		double s0 = samples[i] + c * s1 - s2;

		s2 = s1;
		s1 = s0;
	}
	power = s1 * s1 + s2 * s2 - c * s1 * s2;
	return sqrt(MAX(power, 0.0)) * 2 / TONES_WINDOW_SAMPLES;
}

double tones_measure(const float *prepared, unsigned hz)
{
	double omega = 2 * M_PI * hz / AUDIO_RATE_HZ;
	double left = measure_ear(prepared, omega);
	double right = measure_ear(prepared + TONES_WINDOW_SAMPLES, omega);

	return MAX(left, right);
}

bool tones_is_heard(const float *prepared, unsigned i, unsigned n, double least)
{
	unsigned hz = tones_frequency(i, n), aside = spacing_hz(n) / 2;
	double a = tones_measure(prepared, hz);

	if (a < least)
		return false;
	/* Inside the main lobe there is no telling. */
	if (aside < NARROWEST_HZ)
		return true;
	return a > PEAK_RATIO * tones_measure(prepared, hz - aside) &&
	       a > PEAK_RATIO * tones_measure(prepared, hz + aside);
}
