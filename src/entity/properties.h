/* Some properties of an entity and their values: an entity's that are not the default, or those of
 * an edit. The values are kept as they are on the wire, one after the other in the order of the
 * table. Pure; what is made goes into a writer of the caller's. */
#pragma once

#include "base/packed.h"
#include "entity/property.h"

/* By number. */
struct property_set {
	uint64_t bits[2];
};

static inline bool property_set_has(const struct property_set *set, unsigned number)
{
	return set->bits[number / 64] >> (number % 64) & 1;
}

static inline void property_set_add(struct property_set *set, unsigned number)
{
	set->bits[number / 64] |= UINT64_C(1) << (number % 64);
}

static inline void property_set_remove(struct property_set *set, unsigned number)
{
	set->bits[number / 64] &= ~(UINT64_C(1) << (number % 64));
}

static inline bool property_set_is_empty(const struct property_set *set)
{
	return (set->bits[0] | set->bits[1]) == 0;
}

static inline struct property_set property_set_without(struct property_set a, struct property_set b)
{
	return (struct property_set){{a.bits[0] & ~b.bits[0], a.bits[1] & ~b.bits[1]}};
}

/* All that a type has. */
struct property_set property_set_of(const struct entity_type *type);

/* PropertyFlags of protocol 06a section 2.3. */
struct property_set read_property_flags(struct reader *rd);
void write_property_flags(struct writer *wr, const struct property_set *set);
/* Bytes the above writes. */
size_t property_flags_size(const struct property_set *set);

struct properties {
	const struct entity_type *type;
	struct property_set set;
	struct span values; /* borrowed */
};

/* Takes the values of set from the wire. -EBADMSG when the type has not got one of them or a value
 * is malformed. *ret borrows from the reader. */
int properties_read(struct reader *rd, const struct entity_type *type,
		    const struct property_set *set, struct properties *ret);

/* One after the other, in the order of the table:
 *	struct property_cursor cursor = properties_begin(properties);
 *	while (properties_next(&cursor)) … cursor.property, cursor.value … */
struct property_cursor {
	const struct properties *of;
	struct reader rd;
	unsigned i;
	const struct entity_property *property;
	struct span value;
};

struct property_cursor properties_begin(const struct properties *properties);
bool properties_next(struct property_cursor *cursor);

/* The value on the wire; empty when it is not among them. */
struct span properties_find(const struct properties *properties, unsigned number);

/* The value, or the default. The type has the property. */
void properties_get(const struct properties *properties, unsigned number, double *ret,
		    unsigned n_components);
double properties_get_number(const struct properties *properties, unsigned number);
struct vec3 properties_get_vec3(const struct properties *properties, unsigned number);
struct uuid properties_get_uuid(const struct properties *properties, unsigned number);
/* Text, or the bytes of another counted kind, without the length. */
struct span properties_get_bytes(const struct properties *properties, unsigned number);

/* In all of these *ret has its values in wr, from where wr was; a writer that failed leaves *ret
 * empty. wr is not written to again while *ret is used. */

/* base with the changes over it, without what is the default of type (which may be another one of
 * the same class than base's). */
void properties_merge(struct writer *wr, const struct entity_type *type,
		      const struct properties *base, const struct properties *changes,
		      struct properties *ret);
/* Those that are in keep. */
void properties_select(struct writer *wr, const struct properties *from,
		       const struct property_set *keep, struct properties *ret);
/* Those whose values are, or could be made, legal. */
void properties_sanitise(struct writer *wr, const struct properties *from, struct properties *ret);

bool properties_equal(const struct properties *a, const struct properties *b);
