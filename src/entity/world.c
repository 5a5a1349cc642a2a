#include "entity/world.h"

#include <errno.h>
#include <math.h>

#include "base/hashmap.h"

#define VALUES_MAX (1024 * 1024) /* of one entity; a packet cannot bring more than 14 kB */

/* Everybody whose parent has this id, whether or not there is such an entity. */
struct family {
	struct uuid parent;
	struct list children;
};

struct world {
	struct entity **slots;
	unsigned n_slots, allocated, n_entities;
	struct hashmap *by_id;
	struct hashmap *families;
};

int world_new(struct world **ret)
{
	_cleanup_(world_freep) struct world *world = calloc(1, sizeof(*world));

	if (!world)
		return -ENOMEM;
	world->by_id = hashmap_new(sizeof(struct uuid));
	world->families = hashmap_new(sizeof(struct uuid));
	if (!world->by_id || !world->families)
		return -ENOMEM;
	*ret = TAKE_PTR(world);
	return 0;
}

static void entity_free(struct entity *entity)
{
	free((void *) entity->properties.values.data);
	free(entity);
}

struct world *world_free(struct world *world)
{
	struct family *family;

	if (!world)
		return NULL;
	for (unsigned i = 0; i < world->n_slots; i++)
		if (world->slots[i])
			entity_free(world->slots[i]);
	if (world->families)
		hashmap_for_each (family, world->families)
			free(family);
	hashmap_free(world->families);
	hashmap_free(world->by_id);
	free(world->slots);
	free(world);
	return NULL;
}

struct entity *world_find(const struct world *world, const struct uuid *id)
{
	return hashmap_find(world->by_id, id);
}

unsigned world_size(const struct world *world)
{
	return world->n_entities;
}

unsigned world_slots(const struct world *world)
{
	return world->n_slots;
}

struct entity *world_at(const struct world *world, unsigned slot)
{
	return slot < world->n_slots ? world->slots[slot] : NULL;
}

/* --- parents --- */

static struct family *family_get(struct world *world, const struct uuid *parent)
{
	struct family *family = hashmap_find(world->families, parent);

	if (family)
		return family;
	family = calloc(1, sizeof(*family));
	if (!family)
		return NULL;
	family->parent = *parent;
	list_init(&family->children);
	if (hashmap_insert(world->families, parent, family) < 0) {
		free(family);
		return NULL;
	}
	return family;
}

static int join_family(struct world *world, struct entity *entity)
{
	struct uuid parent = properties_get_uuid(&entity->properties, PROPERTY_PARENT_ID);

	if (uuid_is_null(&parent))
		return 0;
	entity->family = family_get(world, &parent);
	if (!entity->family)
		return -ENOMEM;
	list_append(&entity->family->children, &entity->siblings);
	return 0;
}

/* --- where things are --- */

struct frame {
	struct vec3 position;
	struct quat rotation;
};

static struct vec3 rotate(const struct quat *q, struct vec3 v)
{
	/* v + 2w(q × v) + 2q × (q × v) */
	struct vec3 t = {
		2 * (q->y * v.z - q->z * v.y),
		2 * (q->z * v.x - q->x * v.z),
		2 * (q->x * v.y - q->y * v.x),
	};

	return (struct vec3){
		v.x + q->w * t.x + q->y * t.z - q->z * t.y,
		v.y + q->w * t.y + q->z * t.x - q->x * t.z,
		v.z + q->w * t.z + q->x * t.y - q->y * t.x,
	};
}

static struct quat multiply(const struct quat *a, const struct quat *b)
{
	return (struct quat){
		.x = a->w * b->x + a->x * b->w + a->y * b->z - a->z * b->y,
		.y = a->w * b->y - a->x * b->z + a->y * b->w + a->z * b->x,
		.z = a->w * b->z + a->x * b->y - a->y * b->x + a->z * b->w,
		.w = a->w * b->w - a->x * b->x - a->y * b->y - a->z * b->z,
	};
}

/* An entity's own frame in the world's. False when a parent is not known (an avatar is not), or
 * there are too many of them. */
static bool frame_of(const struct world *world, const struct entity *entity, struct frame *ret)
{
	struct frame frame = {.rotation = {.w = 1}};

	for (unsigned depth = 0; depth <= WORLD_DEPTH_MAX; depth++) {
		double q[4];
		struct quat rotation;
		struct vec3 offset;

		properties_get(&entity->properties, PROPERTY_ROTATION, q, 4);
		rotation = (struct quat){(float) q[0], (float) q[1], (float) q[2], (float) q[3]};
		offset = rotate(&rotation, frame.position);
		frame.position = properties_get_vec3(&entity->properties, PROPERTY_POSITION);
		frame.position.x += offset.x;
		frame.position.y += offset.y;
		frame.position.z += offset.z;
		frame.rotation = multiply(&rotation, &frame.rotation);
		if (!entity->family) {
			*ret = frame;
			return true;
		}
		entity = world_find(world, &entity->family->parent);
		if (!entity)
			return false;
	}
	return false;
}

/* 06c section 3: of the sphere around the position that the entity can turn in. */
static struct cube largest_cube(const struct entity *entity, struct vec3 position)
{
	struct vec3 size = properties_get_vec3(&entity->properties, PROPERTY_DIMENSIONS);
	struct vec3 pivot = properties_get_vec3(&entity->properties, PROPERTY_REGISTRATION_POINT);
	float x = size.x * fmaxf(pivot.x, 1 - pivot.x);
	float y = size.y * fmaxf(pivot.y, 1 - pivot.y);
	float z = size.z * fmaxf(pivot.z, 1 - pivot.z);
	float radius = sqrtf(x * x + y * y + z * z);

	return (struct cube){
		.corner = {position.x - radius, position.y - radius, position.z - radius},
		.scale = 2 * radius,
	};
}

static bool cube_contains(const struct cube *outer, const struct cube *inner)
{
	return inner->corner.x >= outer->corner.x && inner->corner.y >= outer->corner.y &&
	       inner->corner.z >= outer->corner.z &&
	       inner->corner.x + inner->scale <= outer->corner.x + outer->scale &&
	       inner->corner.y + inner->scale <= outer->corner.y + outer->scale &&
	       inner->corner.z + inner->scale <= outer->corner.z + outer->scale;
}

/* What clients sent as the cube is kept while it is large enough. */
static void settle_bounds(const struct world *world, struct entity *entity)
{
	struct frame frame;
	struct cube sent;
	double v[4];

	entity->has_bounds = frame_of(world, entity, &frame);
	if (!entity->has_bounds)
		return;
	entity->bounds = largest_cube(entity, frame.position);
	properties_get(&entity->properties, PROPERTY_QUERY_AA_CUBE, v, 4);
	sent = (struct cube){{(float) v[0], (float) v[1], (float) v[2]}, (float) v[3]};
	if (cube_contains(&sent, &entity->bounds))
		entity->bounds = sent;
}

/* Also of all below. A circle of parents, which a file may have, ends at the greatest depth. */
static void settle_bounds_below(struct world *world, struct entity *entity, unsigned depth)
{
	struct family *family = hashmap_find(world->families, &entity->id);
	struct entity *child;

	settle_bounds(world, entity);
	if (!family || depth == WORLD_DEPTH_MAX)
		return;
	list_for_each (child, &family->children, siblings)
		settle_bounds_below(world, child, depth + 1);
}

/* --- adding --- */

/* Box, Sphere and Shape are one class; the shape says which it is. */
static const struct entity_type *type_by_shape(const struct entity_type *type,
					       const struct properties *properties)
{
	struct span shape;

	if (type->number > ENTITY_TYPE_SHAPE)
		return type;
	shape = properties_get_bytes(properties, PROPERTY_SHAPE_OF_BOX);
	if (shape.len == strlen("Cube") && memcmp(shape.data, "Cube", shape.len) == 0)
		return entity_type_find(ENTITY_TYPE_BOX);
	if (shape.len == strlen("Sphere") && memcmp(shape.data, "Sphere", shape.len) == 0)
		return entity_type_find(ENTITY_TYPE_SPHERE);
	return entity_type_find(ENTITY_TYPE_SHAPE);
}

/* Fills entity->properties with its own copy. */
static int keep_properties(struct entity *entity, const struct properties *properties)
{
	const struct properties nothing = {.type = properties->type};
	struct writer wr = writer_growing(VALUES_MAX);
	uint8_t *values = NULL;
	ssize_t len;

	properties_merge(&wr, type_by_shape(properties->type, properties), &nothing, properties,
			 &entity->properties);
	len = writer_take(&wr, &values);
	if (len < 0)
		return (int) len;
	entity->properties.values = span_of(values, (size_t) len);
	return 0;
}

static int take_slot(struct world *world, struct entity *entity)
{
	unsigned allocated = MAX(2 * world->allocated, 64u);
	struct entity **slots;

	if (world->n_slots == world->allocated) {
		slots = reallocarray(world->slots, allocated, sizeof(struct entity *));
		if (!slots)
			return -ENOMEM;
		world->slots = slots;
		world->allocated = allocated;
	}
	entity->slot = world->n_slots++;
	world->slots[entity->slot] = entity;
	return 0;
}

static void entity_freep(struct entity **entity)
{
	if (*entity)
		entity_free(*entity);
}

int world_add(struct world *world, const struct uuid *id, const struct properties *properties,
	      const struct entity_times *times, struct entity **ret)
{
	_cleanup_(entity_freep) struct entity *entity = calloc(1, sizeof(*entity));
	int r;

	if (!entity)
		return -ENOMEM;
	if (world->n_entities == WORLD_ENTITIES_MAX)
		return -ENOBUFS;
	entity->id = *id;
	entity->times = *times;
	list_init(&entity->siblings);
	r = keep_properties(entity, properties);
	if (r < 0)
		return r;
	r = hashmap_insert(world->by_id, id, entity);
	if (r < 0)
		return r;
	r = join_family(world, entity);
	if (r >= 0)
		r = take_slot(world, entity);
	if (r < 0) {
		list_remove(&entity->siblings);
		(void) hashmap_remove(world->by_id, id);
		return r;
	}
	world->n_entities++;
	settle_bounds_below(world, entity, 0);
	*ret = TAKE_PTR(entity);
	return 0;
}
