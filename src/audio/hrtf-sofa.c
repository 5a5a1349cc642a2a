/* Prepares measured sets. A raw response holds the loudspeaker's and the microphone's response and
 * the way from one to the other; what is kept is its magnitude relative to the mean over all
 * directions, as a minimum-phase filter, and the time between the ears. */
#include <errno.h>
#include <math.h>
#include <mysofa.h>
#include <string.h>

#include "audio/audio-format.h"
#include "audio/fft.h"
#include "audio/hrtf-internal.h"

#define FFT_LEN        1024
#define BINS           (FFT_LEN / 2 + 1)
#define DIRECTIONS_MAX 20000
#define RATE_MIN_HZ    AUDIO_RATE_HZ
#define RATE_MAX_HZ    384000
/* The resampler's sinc goes through so many zeros on each side. */
#define RESAMPLE_ZEROS 16
/* Points over which the share of the sphere that each direction stands for is counted. */
#define SPHERE_POINTS 4096
/* The mean is not believed below this, relative to its peak (−40 dB): the loudspeaker was silent
 * there. */
#define MEAN_FLOOR 0.01
/* Below this frequency a head does nothing to the level, and loudspeakers of measurements give
 * out. */
#define LOW_HZ 200
/* The delay between the ears is the one the ear goes by: that of low frequencies. */
#define LAG_HZ 4000
/* The last taps fade out. */
#define FADE_TAPS 16
/* Measured directions that one grid direction is made from. */
#define NEIGHBOURS 3

struct measurement {
	struct vec3 direction; /* unit */
	double weight;         /* share of the sphere */
	double left_lag;       /* samples */
	float minimum[HRTF_EARS][HRTF_MINIMUM_TAPS];
};

struct sofa {
	struct MYSOFA_HRTF *file;
	unsigned n;
	struct measurement *measurements;
	unsigned *rows; /* of the file, per measurement */
	bool swapped;   /* the first receiver is the right ear */
	double ratio;   /* samples of ours per sample of the file */
	unsigned taps;  /* of a resampled response */
	unsigned reach; /* samples of the file that one of ours is made from */
	float *kernel;  /* for each of ours, the weights of those */
	double mean[BINS];
	double complex mean_minimum[FFT_LEN];
};

static void sofa_done(struct sofa *sofa)
{
	if (sofa->file)
		mysofa_free(sofa->file);
	free(sofa->measurements);
	free(sofa->rows);
	free(sofa->kernel);
}

static float dot(const struct vec3 *a, const struct vec3 *b)
{
	return a->x * b->x + a->y * b->y + a->z * b->z;
}

/* --- reading --- */

/* SOFA's axes are +x ahead, +y left, +z up. Of a set with several distances the farthest is
 * used. */
static int sofa_directions(struct sofa *sofa)
{
	const float *position = sofa->file->SourcePosition.values;
	unsigned rows = sofa->file->M;
	float farthest = 0;

	for (unsigned i = 0; i < rows; i++)
		farthest = fmaxf(farthest, hypotf(hypotf(position[3 * i], position[3 * i + 1]),
						  position[3 * i + 2]));
	if (!(farthest > 0) || !isfinite(farthest))
		return -EBADMSG;

	for (unsigned i = 0; i < rows; i++) {
		const float *p = position + 3 * i;
		float length = hypotf(hypotf(p[0], p[1]), p[2]);

		if (!(length > 0.99f * farthest))
			continue;
		sofa->measurements[sofa->n].direction =
			(struct vec3){-p[1] / length, p[2] / length, -p[0] / length};
		sofa->rows[sofa->n++] = i;
	}
	return 0;
}

static bool all_finite(const struct MYSOFA_ARRAY *array)
{
	for (unsigned i = 0; i < array->elements; i++)
		if (!isfinite(array->values[i]))
			return false;
	return true;
}

static int sofa_open(struct sofa *sofa, const char *path)
{
	struct MYSOFA_HRTF *file;
	int err = MYSOFA_OK;

	file = sofa->file = mysofa_load(path, &err);
	if (!file)
		return err == MYSOFA_READ_ERROR  ? -ENOENT
		       : err == MYSOFA_NO_MEMORY ? -ENOMEM
						 : -EBADMSG;
	if (mysofa_check(file) != MYSOFA_OK || file->R != HRTF_EARS || file->C != 3 ||
	    file->M == 0 || file->M > DIRECTIONS_MAX || !all_finite(&file->DataIR) ||
	    !all_finite(&file->SourcePosition) || !all_finite(&file->DataDelay))
		return -EBADMSG;
	mysofa_tocartesian(file);
	if (file->SourcePosition.elements < 3 * file->M ||
	    file->DataIR.elements < (size_t) file->M * HRTF_EARS * file->N)
		return -EBADMSG;
	sofa->swapped =
		file->ReceiverPosition.elements >= 3 && file->ReceiverPosition.values[1] < 0;

	sofa->measurements = calloc(file->M, sizeof(*sofa->measurements));
	sofa->rows = calloc(file->M, sizeof(*sofa->rows));
	if (!sofa->measurements || !sofa->rows)
		return -ENOMEM;
	return sofa_directions(sofa);
}

static unsigned sofa_receiver(const struct sofa *sofa, enum hrtf_ear ear)
{
	return sofa->swapped ? 1 - ear : ear;
}

/* --- to our rate --- */

/* The first sample of the file that sample i of ours is made from. Everything comes RESAMPLE_ZEROS
 * later, so that nothing is cut off before the start. */
static int resample_from(const struct sofa *sofa, unsigned i)
{
	return (int) ceil((i - 2.0 * RESAMPLE_ZEROS) / sofa->ratio);
}

static double windowed_sinc(double t)
{
	if (fabs(t) >= RESAMPLE_ZEROS)
		return 0;
	if (fabs(t) < 1e-9)
		return 1;
	return sin(M_PI * t) / (M_PI * t) * (0.5 + 0.5 * cos(M_PI * t / RESAMPLE_ZEROS));
}

/* All responses are sampled alike, so the weights are worked out once: the library's resampler
 * makes its tables anew for each, which takes most of a second. */
static int make_kernel(struct sofa *sofa)
{
	double rate = sofa->file->DataSamplingRate.elements > 0
			      ? sofa->file->DataSamplingRate.values[0]
			      : 0;

	if (!(rate >= RATE_MIN_HZ && rate <= RATE_MAX_HZ) || sofa->file->N == 0)
		return -EBADMSG;
	sofa->ratio = AUDIO_RATE_HZ / rate;
	sofa->taps = (unsigned) fmin(sofa->file->N * sofa->ratio + 2 * RESAMPLE_ZEROS, FFT_LEN);
	sofa->reach = (unsigned) ceil(2 * RESAMPLE_ZEROS / sofa->ratio) + 1;
	sofa->kernel = calloc((size_t) sofa->taps * sofa->reach, sizeof(*sofa->kernel));
	if (!sofa->kernel)
		return -ENOMEM;

	for (unsigned i = 0; i < sofa->taps; i++)
		for (unsigned k = 0; k < sofa->reach; k++) {
			double at = (resample_from(sofa, i) + (int) k) * sofa->ratio;

			sofa->kernel[i * sofa->reach + k] =
				(float) windowed_sinc(i - RESAMPLE_ZEROS - at);
		}
	return 0;
}

static float resample(const struct sofa *sofa, const float *response, unsigned i)
{
	const float *kernel = sofa->kernel + i * sofa->reach;
	int from = resample_from(sofa, i);
	float sum = 0;

	for (int k = MAX(0, -from); k < (int) sofa->reach && from + k < (int) sofa->file->N; k++)
		sum += kernel[k] * response[from + k];
	return sum;
}

/* The spectrum of one raw response. */
static void sofa_spectrum(const struct sofa *sofa, unsigned i, enum hrtf_ear ear,
			  double complex ret[static FFT_LEN])
{
	const float *response =
		sofa->file->DataIR.values +
		((size_t) sofa->rows[i] * HRTF_EARS + sofa_receiver(sofa, ear)) * sofa->file->N;

	for (unsigned k = 0; k < FFT_LEN; k++)
		ret[k] = k < sofa->taps ? resample(sofa, response, k) : 0;
	fft(ret, FFT_LEN, false);
}

/* A delay the file states beside its responses: one for all directions, or one for each. */
static double sofa_stated_delay(const struct sofa *sofa, unsigned i, enum hrtf_ear ear)
{
	const struct MYSOFA_ARRAY *delays = &sofa->file->DataDelay;
	size_t row = delays->elements > HRTF_EARS ? sofa->rows[i] : 0;
	size_t at = row * HRTF_EARS + sofa_receiver(sofa, ear);

	return at < delays->elements ? delays->values[at] * sofa->ratio : 0;
}

/* --- the mean over all directions --- */

/* Measurements crowd in places; each counts as much as the part of the sphere it is nearest to. */
static void weigh_directions(struct sofa *sofa)
{
	for (unsigned k = 0; k < SPHERE_POINTS; k++) {
		/* A spiral of evenly spread points. */
		double y = 1 - (2 * k + 1.0) / SPHERE_POINTS, angle = k * M_PI * (3 - sqrt(5));
		struct vec3 point = {(float) (cos(angle) * sqrt(1 - y * y)), (float) y,
				     (float) (sin(angle) * sqrt(1 - y * y))};
		unsigned nearest = 0;
		float best = -2;

		for (unsigned i = 0; i < sofa->n; i++) {
			float d = dot(&point, &sofa->measurements[i].direction);

			if (d > best) {
				best = d;
				nearest = i;
			}
		}
		sofa->measurements[nearest].weight += 1.0 / SPHERE_POINTS;
	}
}

/* Replaces a magnitude (bins 0…N/2 in data) by the spectrum of the minimum-phase response that has
 * it: the phase is the Hilbert transform of the logarithm, got by folding its cepstrum. */
static void minimum_phase(const double magnitude[static BINS], double complex ret[static FFT_LEN])
{
	for (unsigned k = 0; k < BINS; k++)
		ret[k] = log(fmax(magnitude[k], 1e-8));
	for (unsigned k = BINS; k < FFT_LEN; k++)
		ret[k] = ret[FFT_LEN - k];
	fft(ret, FFT_LEN, true);
	for (unsigned k = 1; k < FFT_LEN / 2; k++)
		ret[k] *= 2;
	for (unsigned k = BINS; k < FFT_LEN; k++)
		ret[k] = 0;
	fft(ret, FFT_LEN, false);
	for (unsigned k = 0; k < FFT_LEN; k++)
		ret[k] = cexp(ret[k]);
}

static int diffuse_mean(struct sofa *sofa)
{
	double complex spectrum[FFT_LEN];
	double peak = 0;

	weigh_directions(sofa);
	for (unsigned i = 0; i < sofa->n; i++)
		for (unsigned ear = 0; ear < HRTF_EARS; ear++) {
			sofa_spectrum(sofa, i, ear, spectrum);
			for (unsigned k = 0; k < BINS; k++)
				sofa->mean[k] += sofa->measurements[i].weight / HRTF_EARS *
						 creal(spectrum[k] * conj(spectrum[k]));
		}
	for (unsigned k = 0; k < BINS; k++) {
		sofa->mean[k] = sqrt(sofa->mean[k]);
		peak = fmax(peak, sofa->mean[k]);
	}
	if (!(peak > 0) || !isfinite(peak))
		return -EBADMSG;

	for (unsigned k = 0; k < BINS; k++)
		sofa->mean[k] = fmax(sofa->mean[k], MEAN_FLOOR * peak);
	minimum_phase(sofa->mean, sofa->mean_minimum);
	return 0;
}

/* --- one direction --- */

/* The delay of a response beyond that of its minimum-phase form: where the two correlate best. */
static double excess_delay(const double complex *raw, const double complex *minimum)
{
	double complex correlation[FFT_LEN] = {0};
	unsigned limit = LAG_HZ * FFT_LEN / AUDIO_RATE_HZ, peak = 0;
	double before, at, after, curve;

	for (unsigned k = 0; k < limit; k++) {
		double weight = 0.5 + 0.5 * cos(M_PI * k / limit);

		correlation[k] = weight * raw[k] * conj(minimum[k]);
		if (k > 0)
			correlation[FFT_LEN - k] = conj(correlation[k]);
	}
	fft(correlation, FFT_LEN, true);

	for (unsigned k = 1; k < FFT_LEN; k++)
		if (creal(correlation[k]) > creal(correlation[peak]))
			peak = k;

	/* The top of the parabola through the peak and its neighbours. */
	before = creal(correlation[(peak + FFT_LEN - 1) % FFT_LEN]);
	at = creal(correlation[peak]);
	after = creal(correlation[(peak + 1) % FFT_LEN]);
	curve = before - 2 * at + after;
	return (peak < FFT_LEN / 2 ? (double) peak : (double) peak - FFT_LEN) +
	       (curve < 0 ? 0.5 * (before - after) / curve : 0);
}

/* Levels the magnitude by the mean; the lowest bins become flat. */
static void level_magnitude(const struct sofa *sofa, const double complex *raw,
			    double ret[static BINS])
{
	unsigned low = LOW_HZ * FFT_LEN / AUDIO_RATE_HZ + 1;

	for (unsigned k = 0; k < BINS; k++)
		ret[k] = cabs(raw[k]) / sofa->mean[k];
	for (unsigned k = 0; k < low; k++)
		ret[k] = pow(ret[low], (double) k / low);
}

static double prepare_response(const struct sofa *sofa, unsigned i, enum hrtf_ear ear,
			       float ret[static HRTF_MINIMUM_TAPS])
{
	double complex raw[FFT_LEN], minimum[FFT_LEN], with_mean[FFT_LEN];
	double magnitude[BINS];

	sofa_spectrum(sofa, i, ear, raw);
	level_magnitude(sofa, raw, magnitude);
	minimum_phase(magnitude, minimum);
	for (unsigned k = 0; k < FFT_LEN; k++)
		with_mean[k] = minimum[k] * sofa->mean_minimum[k];

	fft(minimum, FFT_LEN, true);
	for (unsigned k = 0; k < HRTF_MINIMUM_TAPS; k++) {
		unsigned left = HRTF_MINIMUM_TAPS - k;
		double fade = left > FADE_TAPS ? 1 : 0.5 - 0.5 * cos(M_PI * left / (FADE_TAPS + 1));

		ret[k] = (float) (creal(minimum[k]) * fade);
	}
	return excess_delay(raw, with_mean) + sofa_stated_delay(sofa, i, ear);
}

static void prepare_measurement(struct sofa *sofa, unsigned i)
{
	struct measurement *m = &sofa->measurements[i];
	double left = prepare_response(sofa, i, HRTF_LEFT, m->minimum[HRTF_LEFT]);

	m->left_lag = left - prepare_response(sofa, i, HRTF_RIGHT, m->minimum[HRTF_RIGHT]);
}

/* --- the grid --- */

/* The measurements nearest to v, nearest first; returns how many. */
static unsigned nearest_measurements(const struct sofa *sofa, const struct vec3 *v,
				     unsigned ret[static NEIGHBOURS])
{
	float best[NEIGHBOURS];
	unsigned n = 0;

	for (unsigned i = 0; i < sofa->n; i++) {
		float d = dot(v, &sofa->measurements[i].direction);
		unsigned at = n;

		while (at > 0 && best[at - 1] < d)
			at--;
		if (at == NEIGHBOURS)
			continue;
		n = MIN(n + 1, (unsigned) NEIGHBOURS);
		for (unsigned k = n - 1; k > at; k--) {
			best[k] = best[k - 1];
			ret[k] = ret[k - 1];
		}
		best[at] = d;
		ret[at] = i;
	}
	return n;
}

/* Means of the neighbours by the inverse cube of their distance: a measured direction comes out as
 * it is, and one between two as their mean. */
static void interpolate(const struct sofa *sofa, unsigned direction, struct hrtf *set)
{
	struct vec3 v = hrtf_direction_vector(direction);
	float minimum[HRTF_EARS][HRTF_MINIMUM_TAPS] = {0};
	unsigned near[NEIGHBOURS] = {0}, n = nearest_measurements(sofa, &v, near);
	double weights[NEIGHBOURS], sum = 0, left_lag = 0;

	for (unsigned i = 0; i < n; i++) {
		float d = dot(&v, &sofa->measurements[near[i]].direction);

		weights[i] = 1 / pow(fmax(acos(CLAMP(d, -1.0f, 1.0f)), 1e-3), 3);
		sum += weights[i];
	}
	for (unsigned i = 0; i < n; i++) {
		const struct measurement *m = &sofa->measurements[near[i]];
		float weight = (float) (weights[i] / sum);

		left_lag += weight * m->left_lag;
		for (unsigned ear = 0; ear < HRTF_EARS; ear++)
			for (unsigned k = 0; k < HRTF_MINIMUM_TAPS; k++)
				minimum[ear][k] += weight * m->minimum[ear][k];
	}
	hrtf_set_direction(set, direction, minimum, left_lag);
}

int hrtf_prepare(const char *path, struct hrtf **ret)
{
	_cleanup_(sofa_done) struct sofa sofa = {0};
	struct hrtf *set;
	int r;

	r = sofa_open(&sofa, path);
	if (r < 0)
		return r;
	r = make_kernel(&sofa);
	if (r < 0)
		return r;
	r = diffuse_mean(&sofa);
	if (r < 0)
		return r;
	for (unsigned i = 0; i < sofa.n; i++)
		prepare_measurement(&sofa, i);

	set = hrtf_new();
	if (!set)
		return -ENOMEM;
	for (unsigned d = 0; d < HRTF_DIRECTIONS; d++)
		interpolate(&sofa, d, set);

	*ret = set;
	return 0;
}
