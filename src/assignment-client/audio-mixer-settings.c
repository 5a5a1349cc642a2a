/* The audio groups of the domain's settings (protocol 03 section 11). */
#include "assignment-client/audio-mixer.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "assignment-client/settings.h"
#include "base/log.h"

#define CODECS_USUAL "opus,zlib,pcm"

/* --- zones and what refers to them --- */

static bool get_number(const json_t *object, const char *key, float *ret)
{
	double v;

	if (!settings_number(json_object_get(object, key), &v) || fabs(v) > 1e9)
		return false;
	*ret = (float) v;
	return true;
}

static bool parse_zone(const json_t *value, struct acoustics_zone *ret)
{
	return get_number(value, "x_min", &ret->min.x) && get_number(value, "x_max", &ret->max.x) &&
	       get_number(value, "y_min", &ret->min.y) && get_number(value, "y_max", &ret->max.y) &&
	       get_number(value, "z_min", &ret->min.z) && get_number(value, "z_max", &ret->max.z);
}

/* The names are borrowed from the settings while those are read. */
struct zone_names {
	unsigned n;
	const char *names[ACOUSTICS_ZONES_MAX];
};

static int read_zones(const json_t *table, struct audio_settings *settings,
		      struct zone_names *names)
{
	const char *name;
	json_t *value;

	settings->zones = calloc(ACOUSTICS_ZONES_MAX, sizeof(*settings->zones));
	if (!settings->zones)
		return -ENOMEM;

	json_object_foreach ((json_t *) table, name, value) {
		if (names->n == ACOUSTICS_ZONES_MAX) {
			log_warning("Only the first %u audio zones are used.", ACOUSTICS_ZONES_MAX);
			break;
		}
		if (!parse_zone(value, &settings->zones[names->n])) {
			log_warning("Audio zone '%s' is left out: it needs six numbers, x_min to "
				    "z_max.",
				    name);
			continue;
		}
		names->names[names->n++] = name;
	}
	settings->space.zones = settings->zones;
	settings->space.n_zones = names->n;
	return 0;
}

static bool get_zone(const struct zone_names *names, const json_t *row, const char *key,
		     unsigned *ret)
{
	const char *name = json_string_value(json_object_get(row, key));

	for (unsigned i = 0; name && i < names->n; i++)
		if (strcmp(names->names[i], name) == 0) {
			*ret = i;
			return true;
		}
	return false;
}

static int read_coefficients(const json_t *table, const struct zone_names *names,
			     struct audio_settings *settings)
{
	size_t n = MIN(json_array_size(table), (size_t) ACOUSTICS_COEFFICIENTS_MAX), used = 0;

	settings->coefficients = calloc(n + 1, sizeof(*settings->coefficients));
	if (!settings->coefficients)
		return -ENOMEM;

	for (size_t i = 0; i < n; i++) {
		struct acoustics_coefficient *c = &settings->coefficients[used];
		const json_t *row = json_array_get(table, i);

		if (get_zone(names, row, "source", &c->source) &&
		    get_zone(names, row, "listener", &c->listener) &&
		    get_number(row, "coefficient", &c->coefficient) && c->coefficient <= 1)
			used++;
		else
			log_warning("Audio attenuation %zu is left out: it needs two known zones "
				    "and a number up to 1.",
				    i + 1);
	}
	settings->space.coefficients = settings->coefficients;
	settings->space.n_coefficients = used;
	return 0;
}

static int read_reverbs(const json_t *table, const struct zone_names *names,
			struct audio_settings *settings)
{
	size_t n = MIN(json_array_size(table), (size_t) ACOUSTICS_ZONES_MAX), used = 0;

	settings->reverbs = calloc(n + 1, sizeof(*settings->reverbs));
	if (!settings->reverbs)
		return -ENOMEM;

	for (size_t i = 0; i < n; i++) {
		struct acoustics_reverb *reverb = &settings->reverbs[used];
		const json_t *row = json_array_get(table, i);

		if (get_zone(names, row, "zone", &reverb->zone) &&
		    get_number(row, "reverb_time", &reverb->time_s) &&
		    get_number(row, "wet_level", &reverb->wet_percent))
			used++;
		else
			log_warning("Audio reverb %zu is left out: it needs a known zone, a time "
				    "and a level.",
				    i + 1);
	}
	settings->space.reverbs = settings->reverbs;
	settings->space.n_reverbs = used;
	return 0;
}

/* --- all --- */

int audio_settings_read(const json_t *settings, struct audio_settings *ret)
{
	_cleanup_(audio_settings_done) struct audio_settings s = {0};
	const json_t *environment = json_object_get(settings, "audio_env");
	double frames =
		settings_double(settings, "audio_buffer", "static_desired_jitter_buffer_frames", 1);
	struct zone_names names = {0};
	int r;

	s.jitter.dynamic = settings_bool(settings, "audio_buffer", "dynamic_jitter_buffer", true);
	s.jitter.static_frames = (unsigned) CLAMP(frames, 1.0, (double) JITTER_RING_FRAMES);
	s.noise_muting_threshold =
		(float) settings_double(settings, "audio_env", "noise_muting_threshold", 1);
	s.threads = settings_threads(settings, "audio_threading");
	s.codecs = codec_preference_parse(
		settings_string(settings, "audio_env", "codec_preference_order", CODECS_USUAL));
	s.space.coefficient_usual = (float) settings_double(settings, "audio_env",
							    "attenuation_per_doubling_in_distance",
							    ACOUSTICS_COEFFICIENT_USUAL);

	r = read_zones(json_object_get(environment, "zones"), &s, &names);
	if (r >= 0)
		r = read_coefficients(json_object_get(environment, "attenuation_coefficients"),
				      &names, &s);
	if (r >= 0)
		r = read_reverbs(json_object_get(environment, "reverb"), &names, &s);
	if (r < 0)
		return r;

	*ret = s;
	s = (struct audio_settings){0};
	return 0;
}

void audio_settings_done(struct audio_settings *settings)
{
	free(settings->zones);
	free(settings->coefficients);
	free(settings->reverbs);
	*settings = (struct audio_settings){0};
}
