/* What a property of an entity is: its number, how its value looks on the wire, what it is when
 * nobody set it, and what it may be. All of it comes from property-table.h. Pure. */
#pragma once

#include "base/bytes.h"
#include "entity/property-table.h"

/* X(KIND, framing, coding of a component, components, their JSON names) */
#define PROPERTY_KINDS(X)                 \
	X(BOOL, PLAIN, U8, 1, none)       \
	X(U8, PLAIN, U8, 1, none)         \
	X(U16, PLAIN, U16, 1, none)       \
	X(U32, PLAIN, U32, 1, none)       \
	X(U64, PLAIN, U64, 1, none)       \
	X(F32, PLAIN, F32, 1, none)       \
	X(ENUM, PLAIN, U32, 1, none)      \
	X(VEC2, PLAIN, F32, 2, xyzw)      \
	X(VEC3, PLAIN, F32, 3, xyzw)      \
	X(QUAT, PLAIN, UNIT16, 4, xyzw)   \
	X(RGB, PLAIN, U8, 3, rgb)         \
	X(FCOL, PLAIN, F32, 3, rgb)       \
	X(CUBE, PLAIN, F32, 4, xyz_scale) \
	X(RECT, PLAIN, U32, 4, rectangle) \
	X(STR, BYTES, U8, 1, none)        \
	X(UUID, BYTES, U8, 1, none)       \
	X(OWNER, BYTES, U8, 1, none)      \
	X(BYTES, BYTES, U8, 1, none)      \
	X(VEC3S, LIST, F32, 3, xyzw)      \
	X(QUATS, LIST, UNIT16, 4, xyzw)   \
	X(F32S, LIST, F32, 1, none)       \
	X(UUIDS, LIST, U8, 16, none)      \
	X(BOOLS, BITS, U8, 1, none)

enum property_kind {
#define X(kind, framing, coding, n, members) PROPERTY_KIND_##kind,
	PROPERTY_KINDS(X)
#undef X
};

enum property_framing {
	PROPERTY_FRAMING_PLAIN, /* the components */
	PROPERTY_FRAMING_LIST,  /* u16 count of such */
	PROPERTY_FRAMING_BYTES, /* u16 length */
	PROPERTY_FRAMING_BITS,  /* u16 count, the first in the lowest bit */
};

enum component_coding {
	COMPONENT_U8,
	COMPONENT_U16,
	COMPONENT_U32,
	COMPONENT_U64,
	COMPONENT_F32,
	COMPONENT_UNIT16, /* −1…1 in 16 bits */
};

struct property_kind_info {
	enum property_framing framing;
	enum component_coding coding;
	unsigned n_components;
	const char *const *members; /* of the JSON object; NULL: not one */
	size_t size;                /* bytes of all components */
};

struct property_names {
	const char *const *words;
	unsigned n;
};

struct entity_property {
	uint8_t number;
	enum property_kind kind;
	const char *json; /* a dot stands between group and name */
	struct {
		double n[4];
		const char *text;
	} initial;
	struct {
		bool is_set;
		double low, high;
		const struct property_names *names;
	} limits;
};

/* Numbers of the properties that all types have … */
enum {
#define X(name, number, ...) PROPERTY_##name = number,
	ENTITY_PROPERTIES_BASE(X)
#undef X
};

/* … and of some that only one has. */
enum {
	PROPERTY_SHAPE_OF_BOX = 92,
	PROPERTY_FILTER_URL_OF_ZONE = 119,
};

#define PROPERTY_NUMBER_MAX 127

/* Types by their number on the wire. */
enum {
#define X(type, number, ...) ENTITY_TYPE_##type = number,
	ENTITY_TYPES(X)
#undef X
		ENTITY_TYPE_COUNT,
};

struct entity_type {
	const char *name;
	uint8_t number;
	const struct entity_property *own; /* those after the base properties */
	unsigned n_own;
};

/* NULL for a number or name that is no type. */
const struct entity_type *entity_type_find(uint64_t number);
const struct entity_type *entity_type_find_name(const char *name);

/* All properties of a type, in the order of the wire. NULL past the end. */
const struct entity_property *entity_property_at(const struct entity_type *type, unsigned i);
/* NULL when the type has no such number. */
const struct entity_property *entity_property_find(const struct entity_type *type, unsigned number);
#define entity_property_for_each(property, type) \
	for (unsigned _i = 0; ((property) = entity_property_at(type, _i)); _i++)

const struct property_kind_info *property_kind_info(enum property_kind kind);

double read_component(struct reader *rd, enum component_coding coding);
/* The nearest value that the coding can hold. */
void write_component(struct writer *wr, enum component_coding coding, double v);

/* Passes one value and returns its bytes; fails the reader when it is malformed. */
struct span read_property(struct reader *rd, const struct entity_property *property);
void write_property_default(struct writer *wr, const struct entity_property *property);

/* The number of a word, whatever its case; -1: not in the list. */
int property_names_find(const struct property_names *names, const char *word, size_t len);

/* Copies a value that was read, made fit: numbers clamped, words as they are spelled. False when it
 * is nothing this property can be (infinite, no such word, not UTF-8), and nothing was written. */
bool write_property_sane(struct writer *wr, const struct entity_property *property,
			 struct span value);
