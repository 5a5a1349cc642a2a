/* The little vector arithmetic the engine needs. */
#pragma once

#include <math.h>

#include "base/packed.h"

static inline struct vec3 vec3_sub(const struct vec3 *a, const struct vec3 *b)
{
	return (struct vec3){a->x - b->x, a->y - b->y, a->z - b->z};
}

static inline float vec3_dot(const struct vec3 *a, const struct vec3 *b)
{
	return a->x * b->x + a->y * b->y + a->z * b->z;
}

static inline float vec3_length(const struct vec3 *v)
{
	return sqrtf(vec3_dot(v, v));
}

static inline struct vec3 vec3_scale(const struct vec3 *v, float factor)
{
	return (struct vec3){v->x * factor, v->y * factor, v->z * factor};
}

/* v as seen from a frame that is turned by the unit quaternion q: the inverse of q applied to v. */
static inline struct vec3 quat_unrotate(const struct quat *q, const struct vec3 *v)
{
	/* 2·(v × q), since the conjugate turns the cross product around. */
	struct vec3 t = {
		2 * (v->y * q->z - v->z * q->y),
		2 * (v->z * q->x - v->x * q->z),
		2 * (v->x * q->y - v->y * q->x),
	};

	return (struct vec3){
		v->x + q->w * t.x + (t.y * q->z - t.z * q->y),
		v->y + q->w * t.y + (t.z * q->x - t.x * q->z),
		v->z + q->w * t.z + (t.x * q->y - t.y * q->x),
	};
}
