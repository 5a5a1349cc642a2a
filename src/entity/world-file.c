#include "entity/world-file.h"

#include <errno.h>
#include <stdio.h>

#include <zlib.h>

#include "entity/properties-json.h"

#define VALUES_MAX (1024 * 1024) /* of one entity */
#define CHUNK      (256 * 1024)
#define GZIP_BITS  (15 + 16) /* the largest window, with gzip's header */

static bool is_packed(struct span file)
{
	return file.len >= 2 && file.data[0] == 0x1f && file.data[1] == 0x8b;
}

static int inflate_all(z_stream *stream, struct writer *wr)
{
	int r;

	do {
		uint8_t *room = write_room(wr, CHUNK);

		if (!room)
			return writer_finish(wr) == -ENOMEM ? -ENOMEM : -EFBIG;
		stream->next_out = room;
		stream->avail_out = CHUNK;
		r = inflate(stream, Z_NO_FLUSH);
		wr->len -= stream->avail_out;
	} while (r == Z_OK);
	return r == Z_STREAM_END ? 0 : -EBADMSG;
}

static int unpack(struct span file, struct writer *wr)
{
	z_stream stream = {
		.next_in = (uint8_t *) file.data,
		.avail_in = (uInt) file.len,
	};
	int r;

	if (inflateInit2(&stream, GZIP_BITS) != Z_OK)
		return -ENOMEM;
	r = inflate_all(&stream, wr);
	(void) inflateEnd(&stream);
	return r;
}

/* Created stands among the properties in JSON, but is no property of ours. */
static struct entity_times times_of(const json_t *object, const struct properties *properties,
				    uint64_t now_usec)
{
	struct span value = properties_find(properties, PROPERTY_CREATED);
	struct reader rd = reader_over(value.data, value.len);
	uint64_t created = read_u64le(&rd);
	json_int_t edited = json_integer_value(json_object_get(object, "lastEdited"));
	struct entity_times times = {.created_usec = created > 0 ? created : now_usec};

	times.edited_usec = edited > 0 ? (uint64_t) edited : times.created_usec;
	times.created_usec = MIN(times.created_usec, now_usec);
	times.edited_usec = MIN(times.edited_usec, now_usec);
	return times;
}

static bool lives_elsewhere(const json_t *object)
{
	const char *host = json_string_value(json_object_get(object, "entityHostType"));

	return (host && strcmp(host, "domain") != 0) ||
	       json_is_true(json_object_get(object, "clientOnly"));
}

static int add_entity(const json_t *object, const struct entity_type *type, struct world *world,
		      uint64_t now_usec)
{
	struct writer wr = writer_growing(VALUES_MAX), sane = writer_growing(VALUES_MAX);
	const char *id_text = json_string_value(json_object_get(object, "id"));
	struct properties given, properties;
	struct entity_times times;
	struct entity *entity;
	struct uuid id;
	int r;

	if (!id_text || uuid_parse(id_text, &id) < 0)
		id = uuid_random();
	r = properties_from_json(&wr, object, type, &given);
	if (r >= 0) {
		properties_sanitise(&sane, &given, &properties);
		times = times_of(object, &properties, now_usec);
		r = world_add(world, &id, &properties, &times, &entity);
	}
	writer_done(&wr);
	writer_done(&sane);
	return r;
}

static int take_entity(const json_t *object, struct world *world, uint64_t now_usec,
		       struct world_file_report *report)
{
	const char *type_name = json_string_value(json_object_get(object, "type"));
	const struct entity_type *type = type_name ? entity_type_find_name(type_name) : NULL;
	int r;

	if (!type) {
		report->n_unknown++;
		return 0;
	}
	if (lives_elsewhere(object)) {
		report->n_elsewhere++;
		return 0;
	}
	r = add_entity(object, type, world, now_usec);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		report->n_refused++;
	else
		report->n_loaded++;
	return 0;
}

static int parse_json(struct span text, struct world *world, uint64_t now_usec,
		      struct world_file_report *report)
{
	json_error_t error;
	json_t *root =
		json_loadb((const char *) text.data, text.len, JSON_REJECT_DUPLICATES, &error);
	const json_t *entities = json_object_get(root, "Entities"), *object;
	size_t i;
	int r = 0;

	if (!root)
		(void) snprintf(report->error, sizeof(report->error), "%s (line %d, column %d)",
				error.text, error.line, error.column);
	else if (!json_is_array(entities))
		(void) snprintf(report->error, sizeof(report->error),
				"there is no list \"Entities\" in it");
	if (report->error[0]) {
		json_decref(root);
		return -EBADMSG;
	}
	report->version = (int) json_integer_value(json_object_get(root, "Version"));
	for (i = 0; i < json_array_size(entities) && r >= 0; i++) {
		object = json_array_get(entities, i);
		r = take_entity(object, world, now_usec, report);
	}
	json_decref(root);
	return r;
}

int world_file_parse(struct span file, struct world *world, uint64_t now_usec,
		     struct world_file_report *ret)
{
	struct writer unpacked = writer_growing(WORLD_FILE_MAX);
	int r = 0;

	*ret = (struct world_file_report){0};
	if (is_packed(file)) {
		r = unpack(file, &unpacked);
		file = span_of(unpacked.data, unpacked.len);
	}
	if (r >= 0)
		r = parse_json(file, world, now_usec, ret);
	writer_done(&unpacked);
	return r;
}
