#include "audio/limiter.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/macros.h"

#define DELAY  LIMITER_DELAY_SAMPLES
#define PAST   (2 * DELAY)
#define WINDOW (DELAY + 1)
/* Two averages in a row reach over as many samples as the minimum before them holds: no peak gets
 * out from under the gain it asked for. */
#define SMOOTH_FIRST  17
#define SMOOTH_SECOND 16

#define RELEASE_SAMPLES   (AUDIO_RATE_HZ / 4)
#define RELEASE_FASTEST   0.025f
#define SUSTAINED_SAMPLES (AUDIO_RATE_HZ / 10)
/* With this mean loss the release is the slow one. */
#define SUSTAINED_FULL  0.33f
#define SUSTAINED_DECAY 0.904818f /* (1 − 1/SUSTAINED_SAMPLES) over a frame */

static_assert(SMOOTH_FIRST + SMOOTH_SECOND - 1 == WINDOW, "smoothing reaches as far as holding");
static_assert((WINDOW & (WINDOW - 1)) == 0, "holding doubles its reach at each step");

void limiter_init(struct limiter *limiter)
{
	*limiter = (struct limiter){.dither = 0x9e3779b9};
	for (unsigned i = 0; i < PAST; i++)
		limiter->gains[i] = 1;
}

static bool has_peak(const float *left, const float *right)
{
	float peak = 0;

	for (unsigned i = 0; i < AUDIO_FRAME_SAMPLES; i++)
		peak = MAX(peak, MAX(fabsf(left[i]), fabsf(right[i])));
	return peak > LIMITER_CEILING;
}

/* The gain after each sample, appended to those of the past: down at once, up again slowly after a
 * long stretch of limiting and fast after a single peak. Returns false when nothing needs
 * limiting. */
static bool follow_peaks(struct limiter *limiter, const float *left, const float *right, float *ret)
{
	float gain = ret[-1], lowest = gain;

	if (gain == 1 && !has_peak(left, right)) {
		for (unsigned i = 0; i < AUDIO_FRAME_SAMPLES; i++)
			ret[i] = 1;
		limiter->sustained *= SUSTAINED_DECAY;
		return false;
	}
	for (unsigned i = 0; i < AUDIO_FRAME_SAMPLES; i++) {
		float peak = MAX(fabsf(left[i]), fabsf(right[i]));
		float wanted = peak > LIMITER_CEILING ? LIMITER_CEILING / peak : 1;

		if (wanted < gain) {
			gain = wanted;
		} else if (gain < 1) {
			float loss = 1 - gain, strain = limiter->sustained / SUSTAINED_FULL;
			/* Squared, so that the loss of one peak does not slow its own release. */
			float slowness = CLAMP(strain * strain, RELEASE_FASTEST, 1.0f);

			gain = MIN(gain + loss / (RELEASE_SAMPLES * slowness), wanted);
			if (gain > 0.9999f)
				gain = wanted;
		}
		limiter->sustained += ((1 - gain) - limiter->sustained) / SUSTAINED_SAMPLES;
		lowest = MIN(lowest, gain);
		ret[i] = gain;
	}
	return lowest < 1;
}

/* Each gain becomes the lowest of the last WINDOW. In place; the first few see a shorter past. */
static void hold_lowest(float *gains, unsigned n)
{
	for (unsigned reach = 1; reach < WINDOW; reach *= 2)
		for (unsigned i = n - 1; i >= reach; i--)
			gains[i] = MIN(gains[i], gains[i - reach]);
}

/* ret[i] = mean of gains[i] … gains[i + width − 1]. */
static void average(const float *restrict gains, unsigned width, unsigned n, float *restrict ret)
{
	memset(ret, 0, n * sizeof(*ret));
	for (unsigned k = 0; k < width; k++)
		for (unsigned i = 0; i < n; i++)
			ret[i] += gains[i + k];
	for (unsigned i = 0; i < n; i++)
		ret[i] /= (float) width;
}

/* The gain for each sample that leaves the delay in this frame. */
static void smooth(const float *gains, float *ret)
{
	float held[PAST + AUDIO_FRAME_SAMPLES], first[AUDIO_FRAME_SAMPLES + SMOOTH_SECOND - 1];

	memcpy(held, gains, sizeof(held));
	hold_lowest(held, ELEMENTSOF(held));
	average(held + PAST - (WINDOW - 1), SMOOTH_FIRST, ELEMENTSOF(first), first);
	average(first, SMOOTH_SECOND, AUDIO_FRAME_SAMPLES, ret);
}

/* A triangle of ±1 step. */
static float dither_next(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return ((float) (*state & 0xffff) - (float) (*state >> 16)) / 65536;
}

static int16_t round_sample(float v)
{
	return (int16_t) lrintf(CLAMP(v, -32768.0f, 32767.0f));
}

/* in is the delay's content and the frame behind it; what does not leave stays in the delay. */
static const float *run_delay(float delay[static DELAY], const float *frame, float *in)
{
	memcpy(in, delay, DELAY * sizeof(*in));
	memcpy(in + DELAY, frame, AUDIO_FRAME_SAMPLES * sizeof(*in));
	memcpy(delay, in + AUDIO_FRAME_SAMPLES, DELAY * sizeof(*in));
	return in;
}

void limiter_run(struct limiter *limiter, const float left[static AUDIO_FRAME_SAMPLES],
		 const float right[static AUDIO_FRAME_SAMPLES],
		 int16_t ret[static AUDIO_FRAME_SAMPLES_MAX])
{
	float gains[PAST + AUDIO_FRAME_SAMPLES], smoothed[AUDIO_FRAME_SAMPLES];
	float delayed[AUDIO_CHANNELS_MAX][DELAY + AUDIO_FRAME_SAMPLES];
	const float *l = run_delay(limiter->delay[0], left, delayed[0]);
	const float *r = run_delay(limiter->delay[1], right, delayed[1]);
	float oldest = 1;

	memcpy(gains, limiter->gains, sizeof(limiter->gains));
	for (unsigned i = 0; i < PAST; i++)
		oldest = MIN(oldest, gains[i]);
	if (follow_peaks(limiter, left, right, gains + PAST) || oldest < 1)
		smooth(gains, smoothed);
	else
		for (unsigned i = 0; i < AUDIO_FRAME_SAMPLES; i++)
			smoothed[i] = 1;
	memcpy(limiter->gains, gains + AUDIO_FRAME_SAMPLES, sizeof(limiter->gains));

	for (unsigned i = 0; i < AUDIO_FRAME_SAMPLES; i++) {
		float scale = smoothed[i] * 32768, noise = dither_next(&limiter->dither);

		/* Silence stays silence. */
		if (l[i] == 0 && r[i] == 0)
			noise = 0;
		ret[2 * i] = round_sample(l[i] * scale + noise);
		ret[2 * i + 1] = round_sample(r[i] * scale + noise);
	}
}
