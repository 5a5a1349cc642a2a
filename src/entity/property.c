#include "entity/property.h"

#include <math.h>
#include <strings.h>

#include "entity/property-names.h"

/* --- the table --- */

#define X(list, ...)                                             \
	static const char *const list##_words[] = {__VA_ARGS__}; \
	static const struct property_names list##_names = {      \
		.words = list##_words,                           \
		.n = ELEMENTSOF(list##_words),                   \
	};
PROPERTY_NAMES(X)
#undef X

#define N(...)                       \
	{                            \
		.n = { __VA_ARGS__ } \
	}
#define S(string)              \
	{                      \
		.text = string \
	}
#define NONE                 \
	{                    \
		.text = NULL \
	}
#define RANGE(min, max)                                 \
	{                                               \
		.is_set = true, .low = min, .high = max \
	}
#define NAMES(list)                    \
	{                              \
		.names = &list##_names \
	}
#define ANY                     \
	{                       \
		.is_set = false \
	}
#define ROW(name, no, of_kind, path, at_first, may_be) \
	{                                              \
		.number = no,                          \
		.kind = PROPERTY_KIND_##of_kind,       \
		.json = path,                          \
		.initial = at_first,                   \
		.limits = may_be,                      \
	},

static const struct entity_property base_properties[] = {ENTITY_PROPERTIES_BASE(ROW)};

#define X(type, no, json, id) \
	static const struct entity_property id##_properties[] = {ENTITY_PROPERTIES_##type(ROW)};
ENTITY_TYPES(X)
#undef X

static const struct entity_type types[] = {
#define X(type, no, json, id)                         \
	{                                             \
		.name = json,                         \
		.number = no,                         \
		.own = id##_properties,               \
		.n_own = ELEMENTSOF(id##_properties), \
	},
	ENTITY_TYPES(X)
#undef X
};

/* The first type is number 1. */
static_assert(ELEMENTSOF(types) == ENTITY_TYPE_COUNT - 1, "numbered without gaps");

const struct entity_type *entity_type_find(uint64_t number)
{
	return number >= 1 && number < ENTITY_TYPE_COUNT ? &types[number - 1] : NULL;
}

const struct entity_type *entity_type_find_name(const char *name)
{
	for (unsigned i = 0; i < ELEMENTSOF(types); i++)
		if (strcmp(types[i].name, name) == 0)
			return &types[i];
	return NULL;
}

const struct entity_property *entity_property_at(const struct entity_type *type, unsigned i)
{
	if (i < ELEMENTSOF(base_properties))
		return &base_properties[i];
	i -= ELEMENTSOF(base_properties);
	return i < type->n_own ? &type->own[i] : NULL;
}

const struct entity_property *entity_property_find(const struct entity_type *type, unsigned number)
{
	const struct entity_property *property;

	entity_property_for_each(property, type) if (property->number == number) return property;
	return NULL;
}

/* --- kinds --- */

static const char *const xyzw_members[] = {"x", "y", "z", "w"};
static const char *const rgb_members[] = {"red", "green", "blue"};
static const char *const xyz_scale_members[] = {"x", "y", "z", "scale"};
static const char *const rectangle_members[] = {"x", "y", "width", "height"};
#define none_members NULL

#define SIZE_U8     1
#define SIZE_U16    2
#define SIZE_U32    4
#define SIZE_U64    8
#define SIZE_F32    4
#define SIZE_UNIT16 2

static const struct property_kind_info kinds[] = {
#define X(kind, of_framing, of_coding, n, list)           \
	[PROPERTY_KIND_##kind] = {                        \
		.framing = PROPERTY_FRAMING_##of_framing, \
		.coding = COMPONENT_##of_coding,          \
		.n_components = n,                        \
		.members = list##_members,                \
		.size = SIZE_##of_coding * (n),           \
	},
	PROPERTY_KINDS(X)
#undef X
};

const struct property_kind_info *property_kind_info(enum property_kind kind)
{
	return &kinds[kind];
}

double read_component(struct reader *rd, enum component_coding coding)
{
	switch (coding) {
	case COMPONENT_U8:
		return read_u8(rd);
	case COMPONENT_U16:
		return read_u16le(rd);
	case COMPONENT_U32:
		return read_u32le(rd);
	case COMPONENT_U64:
		return (double) read_u64le(rd);
	case COMPONENT_F32:
		return (double) read_f32le(rd);
	case COMPONENT_UNIT16:
		return read_u16le(rd) / 32767.5 - 1;
	}
	return 0;
}

/* Also of NaN: 0. */
static uint64_t whole(double v, double max)
{
	return v >= max ? (uint64_t) max : v > 0 ? (uint64_t) v : 0;
}

void write_component(struct writer *wr, enum component_coding coding, double v)
{
	switch (coding) {
	case COMPONENT_U8:
		write_u8(wr, (uint8_t) whole(v, UINT8_MAX));
		break;
	case COMPONENT_U16:
		write_u16le(wr, (uint16_t) whole(v, UINT16_MAX));
		break;
	case COMPONENT_U32:
		write_u32le(wr, (uint32_t) whole(v, UINT32_MAX));
		break;
	case COMPONENT_U64:
		write_u64le(wr, whole(v, (double) (UINT64_C(1) << 63)));
		break;
	case COMPONENT_F32:
		write_f32le(wr, (float) v);
		break;
	case COMPONENT_UNIT16:
		/* Rounded down, but not because a number lost its last digit in JSON. */
		write_u16le(wr, (uint16_t) whole((v + 1) * 32767.5 + 0.004, UINT16_MAX));
		break;
	}
}

/* --- values --- */

/* Ids are whole or absent. */
static bool length_is_right(enum property_kind kind, size_t len)
{
	return kind == PROPERTY_KIND_UUID    ? len == 0 || len == sizeof(struct uuid)
	       : kind == PROPERTY_KIND_OWNER ? len == 0 || len == sizeof(struct uuid) + 1
					     : true;
}

struct span read_property(struct reader *rd, const struct entity_property *property)
{
	const struct property_kind_info *kind = &kinds[property->kind];
	size_t start = rd->pos, n;

	if (kind->framing == PROPERTY_FRAMING_PLAIN) {
		read_skip(rd, kind->size);
	} else {
		n = read_u16le(rd);
		if (!length_is_right(property->kind, n))
			reader_fail(rd);
		read_skip(rd,
			  kind->framing == PROPERTY_FRAMING_BITS ? (n + 7) / 8 : n * kind->size);
	}
	return rd->failed ? span_of(NULL, 0) : span_of(rd->data + start, rd->pos - start);
}

void write_property_default(struct writer *wr, const struct entity_property *property)
{
	const struct property_kind_info *kind = &kinds[property->kind];
	const char *text = property->initial.text;

	if (kind->framing == PROPERTY_FRAMING_PLAIN)
		for (unsigned i = 0; i < kind->n_components; i++)
			write_component(wr, kind->coding, property->initial.n[i]);
	else
		write_string16(wr, text, text ? strlen(text) : 0);
}

int property_names_find(const struct property_names *names, const char *word, size_t len)
{
	for (unsigned i = 0; i < names->n; i++)
		if (strlen(names->words[i]) == len && strncasecmp(names->words[i], word, len) == 0)
			return (int) i;
	return -1;
}

static bool write_sane_string(struct writer *wr, const struct entity_property *property,
			      struct reader *rd)
{
	struct span text = read_string16(rd, UINT16_MAX);
	const struct property_names *names = property->limits.names;
	int word;

	/* Older clients count and send the end of a C string. */
	if (text.len > 0 && text.data[text.len - 1] == 0)
		text.len--;
	if (!names) {
		if (!utf8_is_valid(text.data, text.len))
			return false;
		write_string16(wr, text.data, text.len);
		return true;
	}
	word = property_names_find(names, (const char *) text.data, text.len);
	if (word < 0)
		return false;
	write_string16(wr, names->words[word], strlen(names->words[word]));
	return true;
}

/* NaN where the default is: "the same as something else". */
static bool component_is_sane(const struct entity_property *property, unsigned i, double v)
{
	return isfinite(v) || (isnan(v) && isnan(property->initial.n[i]));
}

static bool write_sane_components(struct writer *wr, const struct entity_property *property,
				  struct reader *rd)
{
	const struct property_kind_info *kind = &kinds[property->kind];
	size_t start = wr->len;

	for (unsigned i = 0; i < kind->n_components; i++) {
		double v = read_component(rd, kind->coding);

		if (!component_is_sane(property, i, v) ||
		    (property->limits.names && v >= property->limits.names->n)) {
			wr->len = start;
			return false;
		}
		if (property->kind == PROPERTY_KIND_BOOL)
			v = v != 0;
		else if (property->limits.is_set && !isnan(v))
			v = CLAMP(v, property->limits.low, property->limits.high);
		write_component(wr, kind->coding, v);
	}
	return true;
}

static bool list_is_sane(const struct property_kind_info *kind, struct reader *rd)
{
	if (kind->coding != COMPONENT_F32)
		return true;
	read_skip(rd, sizeof(uint16_t));
	while (reader_left(rd) > 0)
		if (!isfinite(read_f32le(rd)))
			return false;
	return true;
}

bool write_property_sane(struct writer *wr, const struct entity_property *property,
			 struct span value)
{
	const struct property_kind_info *kind = &kinds[property->kind];
	struct reader rd = reader_over(value.data, value.len);

	if (property->kind == PROPERTY_KIND_STR)
		return write_sane_string(wr, property, &rd);
	/* Whole numbers of 64 bits do not go through a double. */
	if (kind->framing == PROPERTY_FRAMING_PLAIN && kind->coding != COMPONENT_U64 &&
	    kind->coding != COMPONENT_UNIT16)
		return write_sane_components(wr, property, &rd);
	if (kind->framing == PROPERTY_FRAMING_LIST && !list_is_sane(kind, &rd))
		return false;
	write_bytes(wr, value.data, value.len);
	return true;
}
