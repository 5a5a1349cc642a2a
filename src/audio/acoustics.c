#include "audio/acoustics.h"

#include "base/macros.h"

static bool zone_has(uint64_t zones, unsigned zone)
{
	return zone < ACOUSTICS_ZONES_MAX && zones & UINT64_C(1) << zone;
}

uint64_t acoustics_zones_at(const struct acoustics *space, const struct vec3 *p)
{
	uint64_t zones = 0;

	for (size_t i = 0; i < MIN(space->n_zones, (size_t) ACOUSTICS_ZONES_MAX); i++) {
		const struct acoustics_zone *zone = &space->zones[i];

		if (zone->min.x <= p->x && p->x <= zone->max.x && zone->min.y <= p->y &&
		    p->y <= zone->max.y && zone->min.z <= p->z && p->z <= zone->max.z)
			zones |= UINT64_C(1) << i;
	}
	return zones;
}

float acoustics_coefficient(const struct acoustics *space, uint64_t source_zones,
			    uint64_t listener_zones)
{
	/* Nearly always one of the two is outside of all. */
	for (size_t i = 0; source_zones && listener_zones && i < space->n_coefficients; i++) {
		const struct acoustics_coefficient *pair = &space->coefficients[i];

		if (zone_has(source_zones, pair->source) &&
		    zone_has(listener_zones, pair->listener))
			return pair->coefficient;
	}
	return space->coefficient_usual;
}

struct audio_reverb acoustics_reverb_at(const struct acoustics *space, uint64_t listener_zones)
{
	for (size_t i = 0; i < space->n_reverbs; i++) {
		const struct acoustics_reverb *reverb = &space->reverbs[i];

		if (zone_has(listener_zones, reverb->zone))
			return (struct audio_reverb){true, reverb->time_s, reverb->wet_percent};
	}
	return (struct audio_reverb){0};
}
