#include "entity/viewer.h"

#include <errno.h>
#include <math.h>

/* 06c section 7.4: radius over distance, below which nothing is seen. */
#define ANGULAR_SIZE_MIN   (0.0043301f * 1.7320508f)
#define DISTANCE_MIN       0.0001f
#define VIEW_MOVED         5.0f    /* m */
#define VIEW_TURNED        0.9848f /* cos 10° */
#define VIEW_CHANGED       0.01f   /* of an angle, a distance, … */
#define PRIORITY_UNBOUNDED 1.0f    /* where it is is not known */
#define PRIORITY_NO_VIEW   0.0f
#define PRIORITY_CONTINUED INFINITY
#define HALF_SQRT_3        0.8660254f
#define ADJUST_MAX         16

/* By slot. */
struct slot_set {
	uint64_t *words;
	unsigned n_slots;
};

struct waiting {
	float priority;
	unsigned slot;
};

struct viewer {
	bool has_asked;
	struct entity_query query;
	uint16_t sequence;

	struct slot_set known; /* was sent, as it is now */
	struct waiting *queue; /* a heap, the greatest priority first: in view and not known */
	unsigned n_waiting, queue_allocated;

	/* The entity of which a part was sent. */
	bool is_partial;
	unsigned partial_slot;
	struct property_set partial_left;
};

struct viewer *viewer_new(void)
{
	return calloc(1, sizeof(struct viewer));
}

struct viewer *viewer_free(struct viewer *viewer)
{
	if (!viewer)
		return NULL;
	free(viewer->known.words);
	free(viewer->queue);
	free(viewer);
	return NULL;
}

/* --- sets of slots --- */

static bool slot_set_has(const struct slot_set *set, unsigned slot)
{
	return slot < set->n_slots && set->words[slot / 64] >> (slot % 64) & 1;
}

static int slot_set_reserve(struct slot_set *set, unsigned n_slots)
{
	unsigned now = set->n_slots / 64, words = (n_slots + 63) / 64;
	uint64_t *p;

	if (words <= now)
		return 0;
	p = reallocarray(set->words, words, sizeof(uint64_t));
	if (!p)
		return -ENOMEM;
	memset(p + now, 0, (words - now) * sizeof(uint64_t));
	set->words = p;
	set->n_slots = words * 64;
	return 0;
}

static void slot_set_add(struct slot_set *set, unsigned slot)
{
	set->words[slot / 64] |= UINT64_C(1) << (slot % 64);
}

static void slot_set_clear(struct slot_set *set)
{
	if (set->words)
		memset(set->words, 0, set->n_slots / 8);
}

/* --- what is seen --- */

static float dot(struct vec3 a, struct vec3 b)
{
	return a.x * b.x + a.y * b.y + a.z * b.z;
}

/* -1: not in this view, else its angular size. */
static float size_in_view(const struct entity_view *view, const struct cube *bounds, float least)
{
	float half = bounds->scale / 2, radius = HALF_SQRT_3 * bounds->scale;
	struct vec3 to = {
		bounds->corner.x + half - view->position.x,
		bounds->corner.y + half - view->position.y,
		bounds->corner.z + half - view->position.z,
	};
	float distance = sqrtf(dot(to, to));
	float size = radius / (distance + DISTANCE_MIN);
	float edge;

	if (size <= least)
		return -1;
	if (distance < view->centre_radius + radius)
		return size;
	if (distance > view->far_clip + radius)
		return -1;
	edge = sqrtf(distance * distance - radius * radius) * cosf(view->half_angle) -
	       radius * sinf(view->half_angle);
	return dot(to, view->direction) > edge ? size : -1;
}

/* -1: in no view. */
static float priority_of(const struct viewer *viewer, const struct entity *entity)
{
	const struct entity_query *query = &viewer->query;
	int adjust = CLAMP(query->boundary_level_adjust, -ADJUST_MAX, ADJUST_MAX);
	float least = ldexpf(ANGULAR_SIZE_MIN, adjust), best = -1;

	if (query->n_views == 0)
		return PRIORITY_NO_VIEW;
	if (!entity->has_bounds)
		return PRIORITY_UNBOUNDED;
	for (unsigned i = 0; i < query->n_views; i++)
		best = fmaxf(best, size_in_view(&query->views[i], &entity->bounds, least));
	return best;
}

static bool differs(float a, float b)
{
	return fabsf(a - b) > VIEW_CHANGED * fmaxf(fabsf(a), fabsf(b));
}

static bool view_differs(const struct entity_view *a, const struct entity_view *b)
{
	struct vec3 moved = {a->position.x - b->position.x, a->position.y - b->position.y,
			     a->position.z - b->position.z};

	return dot(moved, moved) >= VIEW_MOVED * VIEW_MOVED ||
	       dot(a->direction, b->direction) < VIEW_TURNED ||
	       differs(a->half_angle, b->half_angle) || differs(a->far_clip, b->far_clip) ||
	       differs(a->centre_radius, b->centre_radius);
}

static bool query_differs(const struct entity_query *a, const struct entity_query *b)
{
	if (a->n_views != b->n_views || a->boundary_level_adjust != b->boundary_level_adjust)
		return true;
	for (unsigned i = 0; i < a->n_views; i++)
		if (view_differs(&a->views[i], &b->views[i]))
			return true;
	return false;
}

/* --- the queue --- */

static void sink(struct waiting *queue, unsigned n, unsigned i)
{
	for (;;) {
		unsigned child = 2 * i + 1;
		struct waiting item;

		if (child >= n)
			return;
		if (child + 1 < n && queue[child + 1].priority > queue[child].priority)
			child++;
		if (queue[i].priority >= queue[child].priority)
			return;
		item = queue[i];
		queue[i] = queue[child];
		queue[child] = item;
		i = child;
	}
}

static struct waiting queue_pop(struct viewer *viewer)
{
	struct waiting first = viewer->queue[0];

	viewer->queue[0] = viewer->queue[--viewer->n_waiting];
	sink(viewer->queue, viewer->n_waiting, 0);
	return first;
}

static int queue_reserve(struct viewer *viewer, unsigned n)
{
	struct waiting *queue;

	if (n <= viewer->queue_allocated)
		return 0;
	queue = reallocarray(viewer->queue, n, sizeof(*queue));
	if (!queue)
		return -ENOMEM;
	viewer->queue = queue;
	viewer->queue_allocated = n;
	return 0;
}

/* Everything that is in view and not known. */
static int queue_rebuild(struct viewer *viewer, const struct world *world)
{
	unsigned n_slots = world_slots(world);
	int r;

	r = slot_set_reserve(&viewer->known, n_slots);
	if (r >= 0)
		r = queue_reserve(viewer, n_slots);
	if (r < 0)
		return r;
	viewer->n_waiting = 0;
	for (unsigned slot = 0; slot < n_slots; slot++) {
		const struct entity *entity = world_at(world, slot);
		float priority;

		if (!entity || slot_set_has(&viewer->known, slot))
			continue;
		priority = viewer->is_partial && viewer->partial_slot == slot
				   ? PRIORITY_CONTINUED
				   : priority_of(viewer, entity);
		if (priority >= 0)
			viewer->queue[viewer->n_waiting++] =
				(struct waiting){.priority = priority, .slot = slot};
	}
	for (unsigned i = viewer->n_waiting / 2; i-- > 0;)
		sink(viewer->queue, viewer->n_waiting, i);
	return 0;
}

/* --- for the server --- */

int viewer_ask(struct viewer *viewer, const struct world *world, const struct entity_query *query)
{
	bool is_new = !viewer->has_asked || viewer->query.connection_id != query->connection_id;
	bool differs = is_new || query_differs(&viewer->query, query);
	struct entity_query before = viewer->query;

	viewer->query = *query;
	viewer->query.filter = span_of(NULL, 0);
	viewer->has_asked = true;
	if (is_new) {
		slot_set_clear(&viewer->known);
		viewer->is_partial = false;
	}
	if (differs)
		return queue_rebuild(viewer, world);
	/* Small steps add up: they are measured from where the queue was made. */
	memcpy(viewer->query.views, before.views, sizeof(before.views));
	return 0;
}

bool viewer_has_asked(const struct viewer *viewer)
{
	return viewer->has_asked;
}

const struct entity_query *viewer_query(const struct viewer *viewer)
{
	return &viewer->query;
}

bool viewer_is_waiting(const struct viewer *viewer)
{
	return viewer->n_waiting > 0;
}

uint16_t viewer_sequence(const struct viewer *viewer)
{
	return viewer->sequence;
}

ssize_t viewer_next(struct viewer *viewer, const struct world *world, bool may_see_private,
		    uint64_t wall_usec, uint8_t ret[static ENTITY_DATA_MAX])
{
	struct entity_data data;
	ssize_t len;

	entity_data_begin(&data);
	while (viewer->n_waiting > 0) {
		unsigned slot = viewer->queue[0].slot;
		const struct entity *entity = world_at(world, slot);
		bool goes_on = viewer->is_partial && viewer->partial_slot == slot;
		struct property_set left =
			goes_on ? viewer->partial_left : property_set_of(entity->properties.type);
		bool is_whole = entity_data_add(&data, entity, !may_see_private, &left);

		viewer->is_partial = !is_whole;
		if (!is_whole) {
			viewer->partial_slot = slot;
			viewer->partial_left = left;
			viewer->queue[0].priority = PRIORITY_CONTINUED;
			break;
		}
		slot_set_add(&viewer->known, slot);
		(void) queue_pop(viewer);
	}
	if (data.n_records == 0)
		return 0;
	len = entity_data_finish(&data, viewer->sequence, wall_usec, ret);
	if (len > 0)
		viewer->sequence++;
	return len;
}
