#include "entity/properties.h"

#include <errno.h>

/* The longest default: a user agent. */
#define DEFAULT_BYTES_MAX 256

struct property_set property_set_of(const struct entity_type *type)
{
	const struct entity_property *property;
	struct property_set set = {{0}};

	entity_property_for_each(property, type) property_set_add(&set, property->number);
	return set;
}

int properties_read(struct reader *rd, const struct entity_type *type,
		    const struct property_set *set, struct properties *ret)
{
	struct property_set left = *set;
	const struct entity_property *property;
	size_t start = rd->pos;

	entity_property_for_each(property, type)
	{
		if (!property_set_has(set, property->number))
			continue;
		(void) read_property(rd, property);
		property_set_remove(&left, property->number);
	}
	/* There is no way past a value of unknown length. */
	if (rd->failed || !property_set_is_empty(&left)) {
		reader_fail(rd);
		return -EBADMSG;
	}
	*ret = (struct properties){
		.type = type,
		.set = *set,
		.values = span_of(rd->data + start, rd->pos - start),
	};
	return 0;
}

struct property_cursor properties_begin(const struct properties *properties)
{
	return (struct property_cursor){
		.of = properties,
		.rd = reader_over(properties->values.data, properties->values.len),
	};
}

bool properties_next(struct property_cursor *cursor)
{
	for (;;) {
		cursor->property = entity_property_at(cursor->of->type, cursor->i++);
		if (!cursor->property)
			return false;
		if (property_set_has(&cursor->of->set, cursor->property->number))
			break;
	}
	cursor->value = read_property(&cursor->rd, cursor->property);
	return true;
}

struct span properties_find(const struct properties *properties, unsigned number)
{
	struct property_cursor cursor = properties_begin(properties);

	if (property_set_has(&properties->set, number))
		while (properties_next(&cursor))
			if (cursor.property->number == number)
				return cursor.value;
	return span_of(NULL, 0);
}

/* --- one value --- */

void properties_get(const struct properties *properties, unsigned number, double *ret,
		    unsigned n_components)
{
	const struct entity_property *property = entity_property_find(properties->type, number);
	struct span value = properties_find(properties, number);
	struct reader rd = reader_over(value.data, value.len);

	for (unsigned i = 0; i < n_components; i++)
		ret[i] = value.len > 0
				 ? read_component(&rd, property_kind_info(property->kind)->coding)
				 : property->initial.n[i];
}

double properties_get_number(const struct properties *properties, unsigned number)
{
	double v;

	properties_get(properties, number, &v, 1);
	return v;
}

struct vec3 properties_get_vec3(const struct properties *properties, unsigned number)
{
	double v[3];

	properties_get(properties, number, v, 3);
	return (struct vec3){(float) v[0], (float) v[1], (float) v[2]};
}

struct span properties_get_bytes(const struct properties *properties, unsigned number)
{
	struct span value = properties_find(properties, number);
	struct reader rd = reader_over(value.data, value.len);
	const char *text = entity_property_find(properties->type, number)->initial.text;

	if (value.len == 0)
		return span_of(text, text ? strlen(text) : 0);
	return read_string16(&rd, UINT16_MAX);
}

struct uuid properties_get_uuid(const struct properties *properties, unsigned number)
{
	struct span bytes = properties_get_bytes(properties, number);
	struct reader rd = reader_over(bytes.data, bytes.len);

	return bytes.len > 0 ? read_uuid(&rd) : UUID_NULL;
}

/* --- making new ones --- */

static bool is_default(const struct entity_property *property, struct span value)
{
	uint8_t scratch[DEFAULT_BYTES_MAX];
	struct writer wr = writer_over(scratch, sizeof(scratch));

	write_property_default(&wr, property);
	return wr.len == value.len && memcmp(scratch, value.data, value.len) == 0;
}

static struct properties made(const struct writer *wr, size_t start, const struct entity_type *type,
			      struct property_set set)
{
	if (wr->failed)
		return (struct properties){.type = type};
	return (struct properties){
		.type = type,
		.set = set,
		.values = span_of(wr->data ? wr->data + start : NULL, wr->len - start),
	};
}

void properties_merge(struct writer *wr, const struct entity_type *type,
		      const struct properties *base, const struct properties *changes,
		      struct properties *ret)
{
	struct reader from_base = reader_over(base->values.data, base->values.len);
	struct reader from_changes = reader_over(changes->values.data, changes->values.len);
	const struct entity_property *property;
	struct property_set set = {{0}};
	size_t start = wr->len;

	entity_property_for_each(property, type)
	{
		struct span value = {0};

		if (property_set_has(&base->set, property->number))
			value = read_property(&from_base, property);
		if (property_set_has(&changes->set, property->number))
			value = read_property(&from_changes, property);
		if (value.len == 0 || is_default(property, value))
			continue;
		write_bytes(wr, value.data, value.len);
		property_set_add(&set, property->number);
	}
	*ret = made(wr, start, type, set);
}

void properties_select(struct writer *wr, const struct properties *from,
		       const struct property_set *keep, struct properties *ret)
{
	struct property_cursor cursor = properties_begin(from);
	struct property_set set = {{0}};
	size_t start = wr->len;

	while (properties_next(&cursor)) {
		if (!property_set_has(keep, cursor.property->number))
			continue;
		write_bytes(wr, cursor.value.data, cursor.value.len);
		property_set_add(&set, cursor.property->number);
	}
	*ret = made(wr, start, from->type, set);
}

void properties_sanitise(struct writer *wr, const struct properties *from, struct properties *ret)
{
	struct property_cursor cursor = properties_begin(from);
	struct property_set set = {{0}};
	size_t start = wr->len;

	while (properties_next(&cursor))
		if (write_property_sane(wr, cursor.property, cursor.value))
			property_set_add(&set, cursor.property->number);
	*ret = made(wr, start, from->type, set);
}

bool properties_equal(const struct properties *a, const struct properties *b)
{
	return memcmp(&a->set, &b->set, sizeof(a->set)) == 0 && a->values.len == b->values.len &&
	       (a->values.len == 0 || memcmp(a->values.data, b->values.data, a->values.len) == 0);
}
