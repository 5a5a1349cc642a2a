/* Head-related transfer functions: for each direction on a fixed grid and each ear, the filter that
 * makes a sound seem to come from there. All sets, measured or synthetic, have this one form:
 * minimum-phase responses, levelled so that the mean over all directions is flat, with the time
 * difference between the ears put back as a delay. Directions are in the listener's frame: +x
 * right, +y up, −z ahead. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/macros.h"
#include "base/packed.h"

/* 19 rings of elevation, 10° apart from straight below to straight above, with 2.5° between the
 * directions of the widest. */
#define HRTF_RINGS      19
#define HRTF_DIRECTIONS 1650
#define HRTF_TAPS       96

enum hrtf_ear {
	HRTF_LEFT,
	HRTF_RIGHT,
	HRTF_EARS,
};

struct hrtf {
	float taps[HRTF_DIRECTIONS][HRTF_EARS][HRTF_TAPS];
};

/* The grid direction nearest to v; ahead for a vector too short to point anywhere. */
unsigned hrtf_direction(const struct vec3 *v);
/* The unit vector of a grid direction. */
struct vec3 hrtf_direction_vector(unsigned direction);

/* The set of a SOFA file (AES69, free-field responses of any rate), prepared; the cost is some
 * hundred milliseconds. -ENOENT, -EBADMSG for a file that is no usable set, -ENOMEM. */
int hrtf_prepare(const char *path, struct hrtf **ret);
/* A spherical head: no measurement, no file, a few milliseconds. What is there until a measured set
 * is loaded, and where there is none. -ENOMEM. */
int hrtf_synthesise(struct hrtf **ret);
struct hrtf *hrtf_free(struct hrtf *set);
DEFINE_CLEANUP_FUNC(struct hrtf *, hrtf_free);

/* hrtf_prepare() with its result kept in a file: a few milliseconds when it is there already. A
 * cache that is damaged, of another version, or made from another file is made anew. That it could
 * not be written is no error. */
int hrtf_load(const char *path, const char *cache_path, struct hrtf **ret);
/* The same, but only if it is quick: what hrtf_cache_decode() returns, or -ENOENT. */
int hrtf_load_cached(const char *path, const char *cache_path, struct hrtf **ret);

/* --- the cache's format --- */

/* Tells which SOFA file a cache was made from. */
struct hrtf_origin {
	uint64_t size_bytes;
	int64_t mtime_sec;
	uint32_t mtime_nsec;
};

/* Returns the length of what was allocated for *ret, or -ENOMEM. */
ssize_t hrtf_cache_encode(const struct hrtf *set, const struct hrtf_origin *origin, uint8_t **ret);
/* -EBADMSG when it is damaged, -ESTALE when it is of another version or origin, -ENOMEM. */
int hrtf_cache_decode(const void *data, size_t len, const struct hrtf_origin *origin,
		      struct hrtf **ret);
