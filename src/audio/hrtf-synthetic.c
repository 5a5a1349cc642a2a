/* A rigid sphere for a head: the delay after Woodworth, the shadow as one pole and one zero after
 * Brown and Duda, "A structural model for binaural sound synthesis" (1998). */
#include <errno.h>
#include <math.h>

#include "audio/audio-format.h"
#include "audio/hrtf-internal.h"

#define HEAD_RADIUS_M   0.0875
#define SOUND_SPEED_M_S 343.0
/* The shadow is deepest at this angle from the ear, and this much is left there. */
#define SHADOW_ANGLE     (150 * M_PI / 180)
#define SHADOW_ALPHA_MIN 0.1

/* (1 + jωα/2ω₀)/(1 + jω/2ω₀) by the bilinear transform, as an impulse response. */
static void shadow_response(double angle, float *ret)
{
	double alpha = 1 + SHADOW_ALPHA_MIN / 2 +
		       (1 - SHADOW_ALPHA_MIN / 2) * cos(angle / SHADOW_ANGLE * M_PI);
	double k = AUDIO_RATE_HZ * HEAD_RADIUS_M / SOUND_SPEED_M_S; /* 2·rate / 2ω₀ */
	double pole = (1 - k) / (1 + k);
	double last = (1 + alpha * k) / (1 + k);

	ret[0] = (float) last;
	last = (1 - alpha * k) / (1 + k) - pole * last;
	for (unsigned i = 1; i < HRTF_MINIMUM_TAPS; i++) {
		ret[i] = (float) last;
		last *= -pole;
	}
}

int hrtf_synthesise(struct hrtf **ret)
{
	struct hrtf *set = hrtf_new();

	if (!set)
		return -ENOMEM;

	for (unsigned d = 0; d < HRTF_DIRECTIONS; d++) {
		struct vec3 v = hrtf_direction_vector(d);
		/* The angle off the median plane, positive to the right. */
		double side = asin(CLAMP((double) v.x, -1.0, 1.0));
		double lag_sec = HEAD_RADIUS_M / SOUND_SPEED_M_S * (side + sin(side));
		float responses[HRTF_EARS][HRTF_MINIMUM_TAPS];

		shadow_response(M_PI / 2 + side, responses[HRTF_LEFT]);
		shadow_response(M_PI / 2 - side, responses[HRTF_RIGHT]);
		hrtf_set_direction(set, d, responses, lag_sec * AUDIO_RATE_HZ);
	}

	*ret = set;
	return 0;
}
