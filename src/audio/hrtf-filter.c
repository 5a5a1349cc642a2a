/* From a minimum-phase response and a delay to the taps of one direction. */
#include <math.h>
#include <string.h>

#include "audio/hrtf-internal.h"

/* The delay is applied by a windowed sinc of twice this width. */
#define SINC_HALF 6
/* The longest time between the ears, in samples (0.83 ms), and the delay both have when it is zero:
 * each ear gets half of the difference, so the sum of both delays is the same everywhere. */
#define LAG_MAX      20
#define DELAY_CENTRE (SINC_HALF + LAG_MAX / 2)

static_assert(HRTF_MINIMUM_TAPS + DELAY_CENTRE + LAG_MAX / 2 + SINC_HALF <= HRTF_TAPS,
	      "a delayed response fits");

struct hrtf *hrtf_new(void)
{
	struct hrtf *set = aligned_alloc(64, (sizeof(*set) + 63) / 64 * 64);

	if (set)
		memset(set, 0, sizeof(*set));
	return set;
}

/* sin(πt)/πt under a raised cosine that ends at SINC_HALF + ½. */
static double windowed_sinc(double t)
{
	if (fabs(t) < 1e-9)
		return 1;
	return sin(M_PI * t) / (M_PI * t) * (0.5 + 0.5 * cos(M_PI * t / (SINC_HALF + 0.5)));
}

static void delay_response(const float *response, double delay, float *ret)
{
	int whole = (int) floor(delay);
	double kernel[2 * SINC_HALF + 1];

	for (int i = -SINC_HALF; i <= SINC_HALF; i++)
		kernel[i + SINC_HALF] = windowed_sinc(i - (delay - whole));

	for (int k = 0; k < HRTF_MINIMUM_TAPS; k++)
		for (int i = -SINC_HALF; i <= SINC_HALF; i++)
			ret[k + whole + i] += (float) (response[k] * kernel[i + SINC_HALF]);
}

void hrtf_set_direction(struct hrtf *set, unsigned direction,
			float minimum[static HRTF_EARS][HRTF_MINIMUM_TAPS], double left_lag)
{
	double half = CLAMP(left_lag, (double) -LAG_MAX, (double) LAG_MAX) / 2;

	delay_response(minimum[HRTF_LEFT], DELAY_CENTRE + half, set->taps[direction][HRTF_LEFT]);
	delay_response(minimum[HRTF_RIGHT], DELAY_CENTRE - half, set->taps[direction][HRTF_RIGHT]);
}
