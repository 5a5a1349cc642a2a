#include "entity/entity-query.h"

#include <errno.h>

static struct entity_view read_view(struct reader *rd)
{
	struct entity_view view;

	view.position = read_vec3(rd);
	view.direction = read_vec3(rd);
	/* Radians through the packer that was meant for degrees (06a section 6.1). */
	view.half_angle = packed_angle_decode(read_u16le(rd));
	view.far_clip = packed_clip_decode(read_i16le(rd));
	view.centre_radius = read_f32le_finite(rd);
	return view;
}

static void write_view(struct writer *wr, const struct entity_view *view)
{
	write_vec3(wr, &view->position);
	write_vec3(wr, &view->direction);
	write_u16le(wr, packed_angle_encode(view->half_angle));
	write_u16le(wr, (uint16_t) packed_clip_encode(view->far_clip));
	write_f32le(wr, view->centre_radius);
}

int entity_query_decode(struct span payload, struct entity_query *ret)
{
	struct reader rd = reader_over(payload.data, payload.len);
	struct entity_query query = {0};
	int r;

	query.connection_id = read_u16le(&rd);
	query.n_views = read_u8(&rd);
	if (query.n_views > ENTITY_QUERY_VIEWS_MAX)
		return -EBADMSG;
	for (unsigned i = 0; i < query.n_views; i++)
		query.views[i] = read_view(&rd);
	query.max_packets_per_second = read_i32le(&rd);
	query.size_scale = read_f32le_finite(&rd);
	query.boundary_level_adjust = read_i32le(&rd);
	query.filter = read_string16(&rd, payload.len);
	query.flags = read_u16le(&rd);
	r = reader_finish(&rd);
	if (r < 0)
		return r;
	*ret = query;
	return 0;
}

void entity_query_encode(struct writer *wr, const struct entity_query *query)
{
	write_u16le(wr, query->connection_id);
	write_u8(wr, query->n_views);
	for (unsigned i = 0; i < query->n_views; i++)
		write_view(wr, &query->views[i]);
	write_u32le(wr, (uint32_t) query->max_packets_per_second);
	write_f32le(wr, query->size_scale);
	write_u32le(wr, (uint32_t) query->boundary_level_adjust);
	write_string16(wr, query->filter.data, query->filter.len);
	write_u16le(wr, query->flags);
}
