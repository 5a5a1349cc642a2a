#include "entity/properties-json.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <time.h>

#include <openssl/evp.h>

#define GROUP_NAME_MAX 32
#define ISO_TIME       "%Y-%m-%dT%H:%M:%SZ"

static const char *const collision_groups[] = {"static", "dynamic", "kinematic", "myAvatar",
					       "otherAvatar"};

/* --- out --- */

/* The shortest decimal number that is this float: 0.1, not 0.10000000149011612. */
static double shortest(float v)
{
	char text[32];

	for (int digits = 6; digits < 9; digits++) {
		(void) snprintf(text, sizeof(text), "%.*g", digits, (double) v);
		if (strtof(text, NULL) == v)
			return strtod(text, NULL);
	}
	return (double) v;
}

static json_t *component_to_json(struct reader *rd, enum component_coding coding)
{
	double v;

	if (coding == COMPONENT_U64)
		return json_integer((json_int_t) read_u64le(rd));
	v = read_component(rd, coding);
	if (coding == COMPONENT_F32 || coding == COMPONENT_UNIT16)
		return isfinite(v) ? json_real(shortest((float) v)) : json_null();
	return json_integer((json_int_t) v);
}

static json_t *components_to_json(struct reader *rd, const struct property_kind_info *kind)
{
	json_t *object;

	if (!kind->members)
		return component_to_json(rd, kind->coding);
	object = json_object();
	for (unsigned i = 0; i < kind->n_components; i++)
		(void) json_object_set_new(object, kind->members[i],
					   component_to_json(rd, kind->coding));
	return object;
}

static json_t *uuid_to_json(struct reader *rd)
{
	struct uuid uuid = reader_left(rd) > 0 ? read_uuid(rd) : UUID_NULL;

	return json_sprintf("{%s}", UUID_TEXT(&uuid));
}

static json_t *owner_to_json(struct reader *rd)
{
	json_t *id = uuid_to_json(rd);

	return json_pack("{s:o, s:i}", "ownerID", id, "priority", read_u8(rd));
}

static json_t *base64_to_json(struct span bytes)
{
	_cleanup_free_ char *text = malloc((bytes.len + 2) / 3 * 4 + 1);

	if (!text)
		return NULL;
	(void) EVP_EncodeBlock((unsigned char *) text, bytes.data, (int) bytes.len);
	return json_string(text);
}

static json_t *bytes_to_json(enum property_kind kind, struct span bytes)
{
	struct reader rd = reader_over(bytes.data, bytes.len);

	if (kind == PROPERTY_KIND_STR)
		return json_stringn(bytes.data ? (const char *) bytes.data : "", bytes.len);
	if (kind == PROPERTY_KIND_UUID)
		return uuid_to_json(&rd);
	if (kind == PROPERTY_KIND_OWNER)
		return owner_to_json(&rd);
	return base64_to_json(bytes);
}

static json_t *list_to_json(struct reader *rd, enum property_kind kind)
{
	const struct property_kind_info *info = property_kind_info(kind);
	json_t *array = json_array();
	unsigned n = read_u16le(rd);

	for (unsigned i = 0; i < n && !rd->failed; i++)
		(void) json_array_append_new(array, kind == PROPERTY_KIND_UUIDS
							    ? uuid_to_json(rd)
							    : components_to_json(rd, info));
	return array;
}

static json_t *bits_to_json(struct reader *rd)
{
	json_t *array = json_array();
	unsigned n = read_u16le(rd);
	const uint8_t *bits = read_bytes(rd, (n + 7) / 8);

	for (unsigned i = 0; bits && i < n; i++)
		(void) json_array_append_new(array, json_boolean(bits[i / 8] >> i % 8 & 1));
	return array;
}

static json_t *word_to_json(struct reader *rd, const struct property_names *names)
{
	uint32_t number = read_u32le(rd);

	return number < names->n ? json_string(names->words[number]) : json_integer(number);
}

static json_t *created_to_json(struct reader *rd)
{
	time_t seconds = (time_t) (read_u64le(rd) / USEC_PER_SEC);
	char text[32] = "";
	struct tm tm;

	if (gmtime_r(&seconds, &tm))
		(void) strftime(text, sizeof(text), ISO_TIME, &tm);
	return json_string(text);
}

static json_t *value_to_json(const struct entity_property *property, struct span value)
{
	const struct property_kind_info *kind = property_kind_info(property->kind);
	struct reader rd = reader_over(value.data, value.len);

	if (property->number == PROPERTY_CREATED)
		return created_to_json(&rd);
	if (property->kind == PROPERTY_KIND_BOOL)
		return json_boolean(read_u8(&rd));
	if (property->kind == PROPERTY_KIND_ENUM)
		return word_to_json(&rd, property->limits.names);
	switch (kind->framing) {
	case PROPERTY_FRAMING_PLAIN:
		return components_to_json(&rd, kind);
	case PROPERTY_FRAMING_BYTES:
		return bytes_to_json(property->kind, read_string16(&rd, UINT16_MAX));
	case PROPERTY_FRAMING_LIST:
		return list_to_json(&rd, property->kind);
	case PROPERTY_FRAMING_BITS:
		return bits_to_json(&rd);
	}
	return NULL;
}

/* "group.name": the object that is to have it, and the name in there. */
static json_t *group_of(json_t *object, const char *path, bool make, const char **ret_name)
{
	const char *dot = strchr(path, '.');
	char group[GROUP_NAME_MAX];
	json_t *member;

	*ret_name = dot ? dot + 1 : path;
	if (!dot)
		return object;
	(void) snprintf(group, sizeof(group), "%.*s", (int) (dot - path), path);
	member = json_object_get(object, group);
	if (!member && make && json_object_set_new(object, group, json_object()) >= 0)
		member = json_object_get(object, group);
	return member;
}

int properties_to_json(const struct properties *properties, json_t *object)
{
	struct property_cursor cursor = properties_begin(properties);
	const char *name;

	while (properties_next(&cursor)) {
		json_t *group = group_of(object, cursor.property->json, true, &name);

		if (json_object_set_new(group, name, value_to_json(cursor.property, cursor.value)) <
		    0)
			return -ENOMEM;
	}
	return 0;
}

/* --- in --- */

static void json_to_component(struct writer *wr, const json_t *value, enum component_coding coding,
			      bool *ok)
{
	if (json_is_null(value) && coding == COMPONENT_F32)
		write_f32le(wr, NAN);
	else if (json_is_integer(value) && coding == COMPONENT_U64)
		write_u64le(wr, (uint64_t) json_integer_value(value));
	else if (json_is_number(value))
		write_component(wr, coding, json_number_value(value));
	else
		*ok = false;
}

static void json_to_components(struct writer *wr, const json_t *value,
			       const struct property_kind_info *kind, bool *ok)
{
	if (!kind->members) {
		json_to_component(wr, value, kind->coding, ok);
		return;
	}
	for (unsigned i = 0; i < kind->n_components; i++) {
		const json_t *member = json_object_get(value, kind->members[i]);

		/* Colours whose parts are "the same as something else" leave them out. */
		if (!member && kind->coding == COMPONENT_F32 && json_is_object(value))
			write_f32le(wr, NAN);
		else
			json_to_component(wr, member, kind->coding, ok);
	}
}

static struct uuid json_to_uuid(const json_t *value, bool *ok)
{
	struct uuid uuid = UUID_NULL;

	if (!json_is_string(value) || uuid_parse(json_string_value(value), &uuid) < 0)
		*ok = *ok && json_is_string(value) && json_string_length(value) == 0;
	return uuid;
}

static void write_uuid_bytes(struct writer *wr, const struct uuid *uuid)
{
	write_string16(wr, uuid->b, uuid_is_null(uuid) ? 0 : sizeof(uuid->b));
}

static void json_to_owner(struct writer *wr, const json_t *value, bool *ok)
{
	struct uuid id = json_to_uuid(json_object_get(value, "ownerID"), ok);

	write_u16le(wr, sizeof(id) + 1);
	write_uuid(wr, &id);
	write_component(wr, COMPONENT_U8, json_number_value(json_object_get(value, "priority")));
}

static void json_to_base64(struct writer *wr, const json_t *value, bool *ok)
{
	const char *text = json_string_value(value);
	size_t len = text ? json_string_length(value) : 0, padding = 0;
	_cleanup_free_ uint8_t *bytes = malloc(len + 1);

	if (!text || !bytes || len % 4 != 0 ||
	    EVP_DecodeBlock(bytes, (const unsigned char *) text, (int) len) < 0) {
		*ok = false;
		return;
	}
	while (padding < 2 && padding < len && text[len - 1 - padding] == '=')
		padding++;
	write_string16(wr, bytes, len / 4 * 3 - padding);
}

static void json_to_bytes(struct writer *wr, const json_t *value, enum property_kind kind, bool *ok)
{
	struct uuid uuid;

	if (kind == PROPERTY_KIND_STR && json_is_string(value)) {
		write_string16(wr, json_string_value(value), json_string_length(value));
	} else if (kind == PROPERTY_KIND_UUID) {
		uuid = json_to_uuid(value, ok);
		write_uuid_bytes(wr, &uuid);
	} else if (kind == PROPERTY_KIND_OWNER) {
		json_to_owner(wr, value, ok);
	} else if (kind == PROPERTY_KIND_BYTES) {
		json_to_base64(wr, value, ok);
	} else {
		*ok = false;
	}
}

static void json_to_list(struct writer *wr, const json_t *value, enum property_kind kind, bool *ok)
{
	const struct property_kind_info *info = property_kind_info(kind);
	size_t n = json_array_size(value);

	if (!json_is_array(value) || n > UINT16_MAX) {
		*ok = false;
		return;
	}
	write_u16le(wr, (uint16_t) n);
	for (size_t i = 0; i < n; i++) {
		const json_t *item = json_array_get(value, i);

		if (kind == PROPERTY_KIND_UUIDS) {
			struct uuid uuid = json_to_uuid(item, ok);

			write_uuid(wr, &uuid);
		} else {
			json_to_components(wr, item, info, ok);
		}
	}
}

static void json_to_bits(struct writer *wr, const json_t *value, bool *ok)
{
	size_t n = json_array_size(value);
	uint8_t *bits;

	if (!json_is_array(value) || n > UINT16_MAX) {
		*ok = false;
		return;
	}
	write_u16le(wr, (uint16_t) n);
	bits = write_room(wr, (n + 7) / 8);
	if (bits)
		memset(bits, 0, (n + 7) / 8);
	for (size_t i = 0; bits && i < n; i++)
		if (json_is_true(json_array_get(value, i)))
			bits[i / 8] |= (uint8_t) (1 << i % 8);
}

static void json_to_word(struct writer *wr, const json_t *value, const struct property_names *names,
			 bool *ok)
{
	int number = json_is_integer(value) ? (int) json_integer_value(value) : -1;

	if (json_is_string(value))
		number = property_names_find(names, json_string_value(value),
					     json_string_length(value));
	if (number < 0)
		*ok = false;
	else
		write_u32le(wr, (uint32_t) number);
}

static void json_to_created(struct writer *wr, const json_t *value, bool *ok)
{
	struct tm tm = {0};

	if (json_is_string(value) && strptime(json_string_value(value), "%Y-%m-%dT%H:%M:%S", &tm))
		write_u64le(wr, (uint64_t) MAX(timegm(&tm), (time_t) 0) * USEC_PER_SEC);
	else
		*ok = false;
}

static void json_to_value(struct writer *wr, const json_t *value,
			  const struct entity_property *property, bool *ok)
{
	const struct property_kind_info *kind = property_kind_info(property->kind);

	if (property->number == PROPERTY_CREATED)
		json_to_created(wr, value, ok);
	else if (property->kind == PROPERTY_KIND_BOOL && json_is_boolean(value))
		write_u8(wr, json_is_true(value));
	else if (property->kind == PROPERTY_KIND_ENUM)
		json_to_word(wr, value, property->limits.names, ok);
	else if (kind->framing == PROPERTY_FRAMING_PLAIN)
		json_to_components(wr, value, kind, ok);
	else if (kind->framing == PROPERTY_FRAMING_BYTES)
		json_to_bytes(wr, value, property->kind, ok);
	else if (kind->framing == PROPERTY_FRAMING_LIST)
		json_to_list(wr, value, property->kind, ok);
	else
		json_to_bits(wr, value, ok);
}

/* "static,dynamic": the other name of the collision mask. */
static json_t *collides_with(const json_t *object)
{
	const char *text = json_string_value(json_object_get(object, "collidesWith"));
	unsigned mask = 0;

	if (!text)
		return NULL;
	for (unsigned i = 0; i < ELEMENTSOF(collision_groups); i++)
		if (strstr(text, collision_groups[i]))
			mask |= 1u << i;
	return json_integer(mask);
}

static json_t *member_of(const json_t *object, const struct entity_property *property)
{
	const char *name;
	const json_t *group = group_of((json_t *) object, property->json, false, &name);
	json_t *member = json_object_get(group, name);

	if (!member && property->number == PROPERTY_COLLISION_MASK)
		return collides_with(object);
	return json_incref(member);
}

int properties_from_json(struct writer *wr, const json_t *object, const struct entity_type *type,
			 struct properties *ret)
{
	const struct entity_property *property;
	struct property_set set = {{0}};
	size_t start = wr->len;

	entity_property_for_each(property, type)
	{
		json_t *value = member_of(object, property);
		size_t before = wr->len;
		bool ok = true;

		if (!value)
			continue;
		json_to_value(wr, value, property, &ok);
		json_decref(value);
		if (ok)
			property_set_add(&set, property->number);
		else
			wr->len = before;
	}
	if (wr->failed)
		return (int) writer_finish(wr);
	*ret = (struct properties){
		.type = type,
		.set = set,
		.values = span_of(wr->data ? wr->data + start : NULL, wr->len - start),
	};
	return 0;
}
