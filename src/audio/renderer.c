#include "audio/renderer.h"

#include <errno.h>
#include <string.h>

#include "audio/geometry.h"
#include "audio/wide.h"

#define HEAD_RADIUS 0.0875f
/* Sources do not come nearer than this. */
#define DISTANCE_MIN 0.125f
/* Nearer than this, ears differ in direction; nearer than that, in level too. */
#define PARALLAX_DISTANCE 2.0f
#define SHADOW_DISTANCE   1.0f

/* Air lets pass what is below 55 kHz at 1 m, 10 kHz at 10 m, 1 kHz at 256 m. */
#define AIR_CUTOFF_HZ    55000.0
#define AIR_EXPONENT     0.7227
#define AIR_PER_DOUBLING 4
/* Where the shadow of a near head begins, and its step. */
#define SHADOW_CUTOFF_HZ 1000.0
#define SHADOW_STEP_DB   0.75

/* Taps of a curve from the first one below this on are left out (−100 dB). */
#define CURVE_TAP_MIN 1e-5f

/* Four taps share one pass over the output. */
#define TAP_STEP        4
#define TAPS_ROUNDED_UP ((RENDERER_TAPS + TAP_STEP - 1) / TAP_STEP * TAP_STEP)

static_assert(HRTF_TAPS % TAP_STEP == 0, "the ears' filters are whole steps");
static_assert(STREAM_HISTORY_SAMPLES >= TAPS_ROUNDED_UP - 1, "the past reaches back far enough");

struct renderer {
	struct hrtf *set;
	float curves[RENDERER_CURVES][RENDERER_CURVE_TAPS];
	unsigned curve_taps[RENDERER_CURVES]; /* how many of those count */
	float fade[AUDIO_FRAME_SAMPLES];      /* weight of the old in a cross-fade */
};

/* --- curves --- */

/* level + (1 − level)·(one-pole low-pass), with no effect at 0 Hz. */
static void low_pass_curve(double cutoff_hz, double level, float ret[static RENDERER_CURVE_TAPS])
{
	double pole = exp(-2 * M_PI * cutoff_hz / AUDIO_RATE_HZ), power = 1, sum = 0;

	for (unsigned k = 0; k < RENDERER_CURVE_TAPS; k++) {
		sum += power;
		power *= pole;
	}
	power = 1;
	for (unsigned k = 0; k < RENDERER_CURVE_TAPS; k++) {
		ret[k] = (float) ((1 - level) * power / sum);
		power *= pole;
	}
	ret[0] += (float) level;
}

static void make_curves(struct renderer *renderer)
{
	unsigned curve = 0;

	renderer->curves[curve++][0] = 1;
	for (unsigned i = 1; i <= RENDERER_CURVES_AIR; i++) {
		double distance = exp2((double) i / AIR_PER_DOUBLING);

		low_pass_curve(AIR_CUTOFF_HZ * pow(distance, -AIR_EXPONENT), 0,
			       renderer->curves[curve++]);
	}
	for (unsigned i = 1; i <= RENDERER_CURVES_SHADOW; i++)
		low_pass_curve(SHADOW_CUTOFF_HZ, pow(10, -SHADOW_STEP_DB * i / 20),
			       renderer->curves[curve++]);

	for (unsigned i = 0; i < RENDERER_CURVES; i++)
		for (unsigned k = 0; k < RENDERER_CURVE_TAPS; k++)
			if (renderer->curves[i][k] >= CURVE_TAP_MIN)
				renderer->curve_taps[i] = k + 1;
}

static uint8_t air_curve(float distance)
{
	float step = AIR_PER_DOUBLING * log2f(distance);

	return (uint8_t) (CLAMP(step, 0.0f, (float) RENDERER_CURVES_AIR) + 0.5f);
}

/* The highs lose as much again as the whole, but for a decibel. */
static uint8_t shadow_curve(float ear_gain)
{
	float loss_db = -20 * log10f(fmaxf(ear_gain, 1e-3f)) - 1;
	unsigned step = (unsigned) (CLAMP(loss_db / (float) SHADOW_STEP_DB, 0.0f,
					  (float) RENDERER_CURVES_SHADOW) +
				    0.5f);

	return (uint8_t) (step > 0 ? RENDERER_CURVES_AIR + step : 0);
}

/* --- placing --- */

/* Where the ray from an ear through the source meets the sphere on which responses count as
 * measured: the direction whose response fits that ear. */
static struct vec3 ear_direction(const struct vec3 *offset, const struct vec3 *ear)
{
	struct vec3 ray = vec3_sub(offset, ear);
	float length = fmaxf(vec3_length(&ray), 1e-6f);
	float along;

	ray = vec3_scale(&ray, 1 / length);
	along = vec3_dot(ear, &ray);
	along = sqrtf(along * along - HEAD_RADIUS * HEAD_RADIUS +
		      PARALLAX_DISTANCE * PARALLAX_DISTANCE) -
		along;
	return (struct vec3){ear->x + along * ray.x, ear->y + along * ray.y,
			     ear->z + along * ray.z};
}

/* How much of a near source's level the head leaves for an ear; angle is that between ear and
 * source. The polynomial is 0 at 0 and 1 at π. */
static float shadow_gain(float angle, float distance)
{
	float t = angle * angle;
	float depth = ((-0.000452339f * t - 0.00173192f) * t + 0.162476536f) * t;

	return 1 - (SHADOW_DISTANCE - distance) / (SHADOW_DISTANCE - HEAD_RADIUS) * depth;
}

static void place_near(const struct vec3 *offset, float distance, struct render_params *params)
{
	for (unsigned ear = 0; ear < HRTF_EARS; ear++) {
		float side = ear == HRTF_LEFT ? -1 : 1;
		struct vec3 position = {side * HEAD_RADIUS, 0, 0};
		struct vec3 direction = ear_direction(offset, &position);
		float shadow;

		params->direction[ear] = (uint16_t) hrtf_direction(&direction);
		if (distance >= SHADOW_DISTANCE)
			continue;
		shadow = shadow_gain(acosf(CLAMP(side * offset->x / distance, -1.0f, 1.0f)),
				     distance);
		params->gain[ear] *= shadow;
		params->curve[ear] = shadow_curve(shadow);
	}
}

struct render_params renderer_place(const struct vec3 *offset, float gain)
{
	float distance = vec3_length(offset);
	struct render_params params = {.gain = {gain, gain}};
	struct vec3 near = *offset;

	if (distance >= PARALLAX_DISTANCE) {
		params.direction[HRTF_LEFT] = params.direction[HRTF_RIGHT] =
			(uint16_t) hrtf_direction(offset);
		params.curve[HRTF_LEFT] = params.curve[HRTF_RIGHT] = air_curve(distance);
		return params;
	}

	/* Inside of one's own head there is no direction but ahead. */
	if (distance < 1e-6f)
		near = (struct vec3){0, 0, -DISTANCE_MIN};
	else if (distance < DISTANCE_MIN)
		near = vec3_scale(offset, DISTANCE_MIN / distance);
	distance = fmaxf(distance, DISTANCE_MIN);
	if (distance >= SHADOW_DISTANCE)
		params.curve[HRTF_LEFT] = params.curve[HRTF_RIGHT] = air_curve(distance);
	place_near(&near, distance, &params);
	return params;
}

/* --- rendering --- */

int renderer_new(struct hrtf *set, struct renderer **ret)
{
	struct renderer *renderer = calloc(1, sizeof(*renderer));

	if (!renderer)
		return -ENOMEM;

	make_curves(renderer);
	for (unsigned i = 0; i < AUDIO_FRAME_SAMPLES; i++) {
		double c = i < 8 ? 1 : cos(M_PI * (i - 7) / 466);

		renderer->fade[i] = (float) (c * c);
	}
	renderer->set = set;
	*ret = renderer;
	return 0;
}

struct renderer *renderer_free(struct renderer *renderer)
{
	if (!renderer)
		return NULL;

	hrtf_free(renderer->set);
	free(renderer);
	return NULL;
}

const struct hrtf *renderer_hrtf(const struct renderer *renderer)
{
	return renderer->set;
}

const float *renderer_fade(const struct renderer *renderer)
{
	return renderer->fade;
}

void renderer_curve(const struct renderer *renderer, unsigned curve,
		    float ret[static RENDERER_CURVE_TAPS])
{
	assert(curve < RENDERER_CURVES);

	for (unsigned i = 0; i < RENDERER_CURVE_TAPS; i++)
		ret[i] = i < renderer->curve_taps[curve] ? renderer->curves[curve][i] : 0;
}

/* Without gain. Returns how many taps there are, a multiple of TAP_STEP. */
static unsigned compose_filter(const struct renderer *renderer, const struct render_params *params,
			       enum hrtf_ear ear, float ret[static TAPS_ROUNDED_UP])
{
	const float *taps = renderer->set->taps[params->direction[ear]][ear];
	const float *curve = renderer->curves[params->curve[ear]];
	unsigned n = renderer->curve_taps[params->curve[ear]];

	if (params->curve[ear] == 0) {
		memcpy(ret, taps, HRTF_TAPS * sizeof(*ret));
		return HRTF_TAPS;
	}
	memset(ret, 0, TAPS_ROUNDED_UP * sizeof(*ret));
	for (unsigned k = 0; k < n; k++)
		for (unsigned i = 0; i < HRTF_TAPS; i++)
			ret[k + i] += curve[k] * taps[i];
	return (HRTF_TAPS + n - 1 + TAP_STEP - 1) / TAP_STEP * TAP_STEP;
}

void renderer_filter(const struct renderer *renderer, const struct render_params *params,
		     enum hrtf_ear ear, float ret[static RENDERER_TAPS])
{
	float taps[TAPS_ROUNDED_UP] = {0};

	(void) compose_filter(renderer, params, ear, taps);
	for (unsigned i = 0; i < RENDERER_TAPS; i++)
		ret[i] = taps[i] * params->gain[ear];
}

/* One frame through a filter. x is the present, its past lies before it. */
_wide_ static void convolve(const float *restrict x, const float *restrict taps, unsigned n,
			    float *restrict ret)
{
	memset(ret, 0, AUDIO_FRAME_SAMPLES * sizeof(*ret));
	for (unsigned k = 0; k < n; k += TAP_STEP) {
		const float a = taps[k], b = taps[k + 1], c = taps[k + 2], d = taps[k + 3];
		const float *past = x - k;

		for (int i = 0; i < AUDIO_FRAME_SAMPLES; i++)
			ret[i] += a * past[i] + b * past[i - 1] + c * past[i - 2] + d * past[i - 3];
	}
}

static void add_faded(const struct renderer *renderer, const float *restrict frame, float gain_from,
		      float gain_to, float *restrict out)
{
	for (unsigned i = 0; i < AUDIO_FRAME_SAMPLES; i++)
		out[i] += frame[i] * (gain_to + (gain_from - gain_to) * renderer->fade[i]);
}

static void add_ear(const struct renderer *renderer, const float *block,
		    const struct render_params *from, const struct render_params *to,
		    enum hrtf_ear ear, float *out)
{
	const float *present = block + STREAM_HISTORY_SAMPLES;
	float taps[TAPS_ROUNDED_UP], frame[AUDIO_FRAME_SAMPLES];
	bool same = render_params_same_filter(from, to, ear);
	float gain_from = same ? from->gain[ear] : 0;
	unsigned n;

	/* Silent ways of rendering cost nothing. */
	if (to->gain[ear] != 0 || gain_from != 0) {
		n = compose_filter(renderer, to, ear, taps);
		convolve(present, taps, n, frame);
		add_faded(renderer, frame, gain_from, to->gain[ear], out);
	}
	if (!same && from->gain[ear] != 0) {
		n = compose_filter(renderer, from, ear, taps);
		convolve(present, taps, n, frame);
		add_faded(renderer, frame, from->gain[ear], 0, out);
	}
}

void renderer_add_mono(const struct renderer *renderer,
		       const float block[static STREAM_BLOCK_SAMPLES],
		       const struct render_params *from, const struct render_params *to,
		       float left[static AUDIO_FRAME_SAMPLES],
		       float right[static AUDIO_FRAME_SAMPLES])
{
	add_ear(renderer, block, from, to, HRTF_LEFT, left);
	add_ear(renderer, block, from, to, HRTF_RIGHT, right);
}

void renderer_add_direct(const struct renderer *renderer,
			 const float block[static STREAM_BLOCK_SAMPLES], float gain_from,
			 float gain_to, float out[static AUDIO_FRAME_SAMPLES])
{
	add_faded(renderer, block + STREAM_HISTORY_SAMPLES, gain_from, gain_to, out);
}
