/* Statistics in the text format of Prometheus, version 0.0.4. Pure. */
#pragma once

#include <jansson.h>

#define METRICS_NAME_MAX 200

/* A key of statistics as part of a metric's name, as other domain-servers write it (protocol 09
 * section 8): "3. RTT (ms)" is "rtt_ms". May be empty. */
void metrics_name(const char *key, char ret[static METRICS_NAME_MAX]);

/* Collects numbers; all of one metric have to stand together. NULL when out of memory. */
json_t *metrics_new(void);
/* labels: as written between the braces, or "". A later value of the same name and labels replaces
 * it. type: "gauge", "counter" or "untyped". */
void metrics_add(json_t *metrics, const char *name, const char *type, const char *labels,
		 double value);
/* Every number in stats, named by the keys that lead to it after prefix. A key that is a UUID
 * becomes a label instead. */
void metrics_add_stats(json_t *metrics, const char *prefix, const char *labels,
		       const json_t *stats);
/* Heap text, NULL when out of memory. */
char *metrics_format(const json_t *metrics);
