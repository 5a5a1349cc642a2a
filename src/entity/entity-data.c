#include "entity/entity-data.h"

#include <errno.h>

#include "base/qt-stream.h"

#define DATA_FLAGS 0xc0 /* colour, compressed */
#define LEVEL      6    /* 9 costs twice as much for nothing at these lengths */
/* A section: octal code of the root, colour mask, children in the tree, children in the packet.
 * "All children are there" is true whichever way round a client reads the bits. */
static const uint8_t section_head[] = {0x00, 0x00, 0xff, 0x00};
#define COUNT_OFFSET sizeof(section_head)
/* Id, type, times, deltas, flags at their longest. */
#define RECORD_HEAD_MAX (16 + 1 + 8 + 8 + 10 + 10 + 19)

void entity_data_begin(struct entity_data *data)
{
	data->wr = writer_over(data->bytes, sizeof(data->bytes));
	data->n_records = 0;
	write_bytes(&data->wr, section_head, sizeof(section_head));
	write_u16le(&data->wr, 0); /* the count, known at the end */
}

static void write_value(struct writer *wr, const struct entity *entity,
			const struct entity_property *property, struct span stored,
			bool hide_private)
{
	if (property->number == PROPERTY_CREATED)
		write_u64le(wr, entity->times.created_usec);
	else if (property->number == PROPERTY_QUERY_AA_CUBE && entity->has_bounds) {
		write_vec3(wr, &entity->bounds.corner);
		write_f32le(wr, entity->bounds.scale);
	} else if (property->number == PROPERTY_PRIVATE_USER_DATA && hide_private)
		write_string16(wr, NULL, 0);
	else if (stored.len > 0)
		write_bytes(wr, stored.data, stored.len);
	else
		write_property_default(wr, property);
}

/* Those of left that find room in wr. Returns which they are. */
static struct property_set write_values(struct writer *wr, const struct entity *entity,
					bool hide_private, const struct property_set *left)
{
	struct reader rd =
		reader_over(entity->properties.values.data, entity->properties.values.len);
	const struct entity_property *property;
	struct property_set written = {{0}};

	entity_property_for_each(property, entity->properties.type)
	{
		struct span stored = {0};
		size_t start = wr->len;

		if (property_set_has(&entity->properties.set, property->number))
			stored = read_property(&rd, property);
		if (!property_set_has(left, property->number))
			continue;
		write_value(wr, entity, property, stored, hide_private);
		if (!wr->failed) {
			property_set_add(&written, property->number);
			continue;
		}
		/* Shorter ones may still fit. */
		wr->len = start;
		wr->failed = false;
	}
	return written;
}

static uint64_t later_by(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

bool entity_data_add(struct entity_data *data, const struct entity *entity, bool hide_private,
		     struct property_set *left)
{
	const struct entity_times *times = &entity->times;
	size_t room = writer_left(&data->wr);
	uint8_t scratch[ENTITY_SECTION_MAX];
	struct property_set written;
	struct writer values;

	if (room <= RECORD_HEAD_MAX)
		return false;
	values = writer_over(scratch, room - RECORD_HEAD_MAX);
	written = write_values(&values, entity, hide_private, left);
	if (property_set_is_empty(&written)) {
		/* Nothing fits even when there is nothing else: it never will. */
		if (data->n_records == 0)
			*left = written;
		return data->n_records == 0;
	}
	write_uuid(&data->wr, &entity->id);
	write_bcc(&data->wr, entity->properties.type->number);
	write_u64le(&data->wr, times->created_usec);
	write_u64le(&data->wr, times->edited_usec);
	write_bcc(&data->wr, later_by(times->updated_usec, times->edited_usec));
	write_bcc(&data->wr, later_by(times->simulated_usec, times->edited_usec));
	write_property_flags(&data->wr, &written);
	write_bytes(&data->wr, scratch, values.len);
	data->n_records++;
	*left = property_set_without(*left, written);
	return property_set_is_empty(left);
}

ssize_t entity_data_finish(const struct entity_data *data, uint16_t sequence, uint64_t sent_usec,
			   uint8_t ret[static ENTITY_DATA_MAX])
{
	struct writer wr = writer_over(ret, ENTITY_DATA_MAX), count;
	uint8_t section[ENTITY_SECTION_MAX];
	struct writer length;
	size_t start;
	int r;

	memcpy(section, data->bytes, data->wr.len);
	count = writer_over(section + COUNT_OFFSET, sizeof(uint16_t));
	write_u16le(&count, (uint16_t) data->n_records);

	write_u8(&wr, DATA_FLAGS);
	write_u16le(&wr, sequence);
	write_u64le(&wr, sent_usec);
	length = writer_over(ret + wr.len, sizeof(uint16_t));
	write_u16le(&wr, 0);
	start = wr.len;
	r = qcompress_encode(section, data->wr.len, LEVEL, &wr);
	if (r < 0)
		return r;
	write_u16le(&length, (uint16_t) (wr.len - start));
	return writer_finish(&wr);
}

/* --- reading --- */

int entity_data_open(struct entity_data_reader *reader, struct span payload)
{
	struct reader rd = reader_over(payload.data, payload.len);
	uint8_t flags = read_u8(&rd);
	struct span section;
	ssize_t len;

	reader->sequence = read_u16le(&rd);
	reader->sent_usec = read_u64le(&rd);
	reader->n_records = 0;
	reader->rd = reader_over(NULL, 0);
	if (reader_left(&rd) == 0)
		return reader_check(&rd); /* nothing in it */
	section = read_span(&rd, read_u16le(&rd));
	if (flags != DATA_FLAGS || reader_finish(&rd) < 0)
		return -EBADMSG;
	len = qcompress_decode(section.data, section.len, reader->bytes, sizeof(reader->bytes));
	if (len < 0)
		return -EBADMSG;
	reader->rd = reader_over(reader->bytes, (size_t) len);
	/* Only the root has entities; the mask of its children says nothing to us. */
	if (read_u8(&reader->rd) != 0 || read_u8(&reader->rd) != 0)
		return -EBADMSG;
	(void) read_u8(&reader->rd);
	if (read_u8(&reader->rd) != 0)
		return -EBADMSG;
	reader->n_records = read_u16le(&reader->rd);
	return reader_check(&reader->rd);
}

int entity_data_next(struct entity_data_reader *reader, struct entity_record *ret)
{
	struct reader *rd = &reader->rd;
	const struct entity_type *type;
	struct property_set set;

	if (reader->n_records == 0)
		return reader_finish(rd);
	reader->n_records--;
	ret->id = read_uuid(rd);
	type = entity_type_find(read_bcc(rd));
	if (!type)
		return -EBADMSG;
	ret->times.created_usec = read_u64le(rd);
	ret->times.edited_usec = read_u64le(rd);
	ret->times.updated_usec = ret->times.edited_usec + read_bcc(rd);
	ret->times.simulated_usec = ret->times.edited_usec + read_bcc(rd);
	set = read_property_flags(rd);
	return properties_read(rd, type, &set, &ret->properties) < 0 ? -EBADMSG : 1;
}
