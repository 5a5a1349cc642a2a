#include "audio/gain.h"

#include "audio/geometry.h"

#define DISTANCE_REFERENCE   2.0f
#define DISTANCE_MIN         0.125f
#define LINEAR_LIMIT_MIN     3.0f
#define LOSS_MIN             0.001f
#define DIRECTIVITY_BEHIND   0.2f
#define DIRECTIVITY_PER_TURN 0.4f /* a quarter of one */

float gain_distance(float distance, float coefficient)
{
	if (coefficient >= 1)
		return 0;
	if (coefficient < 0) {
		float limit = fmaxf(-coefficient, LINEAR_LIMIT_MIN);

		return fmaxf(0, 1 - (distance - DISTANCE_REFERENCE) / (limit - DISTANCE_REFERENCE));
	}
	return powf(CLAMP(1 - coefficient, LOSS_MIN, 1.0f),
		    log2f(fmaxf(distance, DISTANCE_MIN) / DISTANCE_REFERENCE));
}

float gain_directivity(const struct quat *source, const struct vec3 *offset)
{
	struct vec3 v = quat_unrotate(source, offset);
	float length = vec3_length(&v), angle = 0;

	if (length > 0)
		angle = acosf(CLAMP(-v.z / length, -1.0f, 1.0f));
	return DIRECTIVITY_BEHIND + DIRECTIVITY_PER_TURN * angle / (float) M_PI_2;
}

/* --- the space bubble --- */

#define BUBBLE_GROWTH  2.4f
#define BOX_WIDTH_MIN  0.3f
#define BOX_HEIGHT_MIN 1.3f
#define BOX_SLACK      1.0f

static bool box_contains(const struct vec3 *corner, const struct vec3 *size, const struct vec3 *p)
{
	return p->x >= corner->x - BOX_SLACK && p->x <= corner->x + size->x + BOX_SLACK &&
	       p->y >= corner->y - BOX_SLACK && p->y <= corner->y + size->y + BOX_SLACK &&
	       p->z >= corner->z - BOX_SLACK && p->z <= corner->z + size->z + BOX_SLACK;
}

struct ignore_box ignore_box_of(const struct audio_pose *pose)
{
	struct vec3 size = pose->box_size, corner = pose->box_corner;

	if (!box_contains(&corner, &size, &pose->position)) {
		struct vec3 half = vec3_scale(&size, 0.5f);

		corner = vec3_sub(&pose->position, &half);
	}
	if (size.x < BOX_WIDTH_MIN || size.y < BOX_HEIGHT_MIN || size.z < BOX_WIDTH_MIN)
		size = (struct vec3){BOX_WIDTH_MIN, BOX_HEIGHT_MIN, BOX_WIDTH_MIN};
	return (struct ignore_box){corner, vec3_scale(&size, BUBBLE_GROWTH)};
}

static bool spans_touch(float corner_a, float size_a, float corner_b, float size_b)
{
	return fabsf((corner_a + size_a / 2) - (corner_b + size_b / 2)) <= (size_a + size_b) / 2;
}

bool ignore_box_touches(const struct ignore_box *a, const struct ignore_box *b)
{
	return spans_touch(a->corner.x, a->size.x, b->corner.x, b->size.x) &&
	       spans_touch(a->corner.y, a->size.y, b->corner.y, b->size.y) &&
	       spans_touch(a->corner.z, a->size.z, b->corner.z, b->size.z);
}
