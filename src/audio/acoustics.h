/* What a domain's settings say about its space: zones, the loss of level with distance between
 * them, and reverb (03 sections 8, 10 and 11). */
#pragma once

#include "audio/audio-packets.h"

#define ACOUSTICS_ZONES_MAX         64
#define ACOUSTICS_COEFFICIENTS_MAX  1024
#define ACOUSTICS_COEFFICIENT_USUAL 0.5f

/* A box; both of its faces belong to it. */
struct acoustics_zone {
	struct vec3 min, max;
};

struct acoustics_coefficient {
	unsigned source, listener; /* zone numbers */
	float coefficient;
};

struct acoustics_reverb {
	unsigned zone;
	float time_s, wet_percent;
};

/* Zeroed but for coefficient_usual it is an empty space. The arrays are the caller's. */
struct acoustics {
	float coefficient_usual;
	size_t n_zones, n_coefficients, n_reverbs;
	const struct acoustics_zone *zones; /* at most ACOUSTICS_ZONES_MAX */
	const struct acoustics_coefficient *coefficients;
	const struct acoustics_reverb *reverbs;
};

/* The zones that contain a point, as bits. */
uint64_t acoustics_zones_at(const struct acoustics *space, const struct vec3 *point);
/* The coefficient between two points, given as the zones they are in: that of the first pair of
 * zones in the list that applies. */
float acoustics_coefficient(const struct acoustics *space, uint64_t source_zones,
			    uint64_t listener_zones);
/* The first reverb in the list whose zone the listener is in. */
struct audio_reverb acoustics_reverb_at(const struct acoustics *space, uint64_t listener_zones);
