#include "audio/hrtf.h"

#include <errno.h>
#include <math.h>

/* Directions per ring, from below to above. Multiples of four, so that ahead, the sides and behind
 * are exact on every ring and left mirrors right. */
static const uint16_t ring_counts[HRTF_RINGS] = {1,   24,  48,  72,  92, 112, 124, 136, 144, 144,
						 144, 136, 124, 112, 92, 72,  48,  24,  1};
static const uint16_t ring_starts[HRTF_RINGS] = {0,    1,    25,   73,   145,  237,  349,
						 473,  609,  753,  897,  1041, 1177, 1301,
						 1413, 1505, 1577, 1625, 1649};

#define RING_STEP (M_PI / (HRTF_RINGS - 1))

unsigned hrtf_direction(const struct vec3 *v)
{
	float level = sqrtf(v->x * v->x + v->z * v->z);
	float elevation, azimuth, count;
	unsigned ring;

	if (level < 1e-15f && fabsf(v->y) < 1e-15f)
		return hrtf_direction(&(struct vec3){0, 0, -1});

	elevation = atan2f(v->y, level);
	ring = (unsigned) (elevation / (float) RING_STEP + (HRTF_RINGS - 1) / 2 + 0.5f);
	count = ring_counts[ring];
	azimuth = level < 1e-15f ? 0 : atan2f(v->x, -v->z);
	if (azimuth < 0)
		azimuth += (float) (2 * M_PI);
	return ring_starts[ring] +
	       (unsigned) (azimuth * count / (float) (2 * M_PI) + 0.5f) % ring_counts[ring];
}

struct vec3 hrtf_direction_vector(unsigned direction)
{
	double elevation, azimuth;
	unsigned ring = 0;

	assert(direction < HRTF_DIRECTIONS);

	while (direction >= (unsigned) ring_starts[ring] + ring_counts[ring])
		ring++;
	elevation = (ring - (HRTF_RINGS - 1) / 2.0) * RING_STEP;
	azimuth = (direction - ring_starts[ring]) * 2 * M_PI / ring_counts[ring];
	return (struct vec3){
		.x = (float) (sin(azimuth) * cos(elevation)),
		.y = (float) sin(elevation),
		.z = (float) (-cos(azimuth) * cos(elevation)),
	};
}

struct hrtf *hrtf_free(struct hrtf *set)
{
	free(set);
	return NULL;
}
