#include "assignment-client/settings.h"

#include <math.h>
#include <stdlib.h>
#include <strings.h>

#include "base/worker-pool.h"

#define THREADS_MAX 64

static const json_t *find(const json_t *settings, const char *group, const char *key)
{
	return json_object_get(json_object_get(settings, group), key);
}

bool settings_number(const json_t *value, double *ret)
{
	const char *text = json_string_value(value);
	char *end;
	double v;

	if (json_is_number(value)) {
		v = json_number_value(value);
	} else if (text) {
		v = strtod(text, &end);
		if (end == text || *end)
			return false;
	} else {
		return false;
	}
	if (!isfinite(v))
		return false;
	*ret = v;
	return true;
}

double settings_double(const json_t *settings, const char *group, const char *key, double fallback)
{
	double v;

	return settings_number(find(settings, group, key), &v) ? v : fallback;
}

bool settings_bool(const json_t *settings, const char *group, const char *key, bool fallback)
{
	const json_t *value = find(settings, group, key);
	double v;

	if (json_is_boolean(value))
		return json_is_true(value);
	if (json_is_string(value) && strcasecmp(json_string_value(value), "true") == 0)
		return true;
	if (json_is_string(value) && strcasecmp(json_string_value(value), "false") == 0)
		return false;
	return settings_number(value, &v) ? v != 0 : fallback;
}

const char *settings_string(const json_t *settings, const char *group, const char *key,
			    const char *fallback)
{
	const char *text = json_string_value(find(settings, group, key));

	return text ? text : fallback;
}

unsigned settings_threads(const json_t *settings, const char *group)
{
	unsigned cpus = MIN(worker_pool_cpus(), (unsigned) THREADS_MAX);
	double n;

	if (settings_bool(settings, group, "auto_threads", true))
		return cpus;
	n = settings_double(settings, group, "num_threads", cpus);
	return (unsigned) CLAMP(n, 1.0, (double) cpus);
}
