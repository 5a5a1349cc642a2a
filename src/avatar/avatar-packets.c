#include "avatar/avatar-packets.h"

#include <errno.h>

#define UUID_SIZE sizeof(struct uuid)

void avatar_kill_encode(const struct uuid *session, enum avatar_kill_reason reason,
			uint8_t ret[static AVATAR_KILL_SIZE])
{
	struct writer wr = writer_over(ret, AVATAR_KILL_SIZE);

	write_uuid(&wr, session);
	write_u8(&wr, (uint8_t) reason);
}

/* --- AvatarQuery --- */

static struct avatar_view read_view(struct reader *rd)
{
	struct avatar_view view;

	view.position = read_vec3(rd);
	view.direction = read_vec3(rd);
	view.half_angle = packed_angle_decode(read_u16le(rd));
	view.far_clip = packed_clip_decode(read_i16le(rd));
	view.keyhole = read_f32le_finite(rd);
	return view;
}

int avatar_query_decode(const void *data, size_t len, struct avatar_query *ret)
{
	struct reader rd = reader_over(data, len);
	struct avatar_query query = {0};
	int r;

	query.n = read_u8(&rd);
	if (query.n > AVATAR_VIEWS_MAX)
		return -EBADMSG;
	for (unsigned i = 0; i < query.n; i++)
		query.views[i] = read_view(&rd);
	r = reader_finish(&rd);
	if (r < 0)
		return r;
	*ret = query;
	return 0;
}

/* --- NodeIgnoreRequest --- */

int avatar_ignore_decode(const void *data, size_t len, struct avatar_ignore_request *ret)
{
	struct reader rd = reader_over(data, len);
	struct avatar_ignore_request request = {0};

	request.add = read_u8(&rd) != 0;
	request.n = (unsigned) (reader_left(&rd) / UUID_SIZE);
	request.uuids = read_span(&rd, request.n * UUID_SIZE);
	if (request.n == 0)
		return -EBADMSG;
	*ret = request;
	return 0;
}

struct uuid avatar_ignore_get(const struct avatar_ignore_request *request, unsigned i)
{
	struct reader rd = reader_over(request->uuids.data, request->uuids.len);

	read_skip(&rd, i * UUID_SIZE);
	return read_uuid(&rd);
}

/* --- the others --- */

int avatar_flag_decode(const void *data, size_t len, bool *ret)
{
	struct reader rd = reader_over(data, len);

	*ret = read_u8(&rd) != 0;
	return reader_check(&rd);
}

int avatar_sorting_decode(const void *data, size_t len, struct avatar_sorting *ret)
{
	struct reader rd = reader_over(data, len);

	ret->size = read_f32le_finite(&rd);
	ret->centre = read_f32le_finite(&rd);
	ret->age = read_f32le_finite(&rd);
	return reader_check(&rd);
}

int avatar_traits_ack_decode(const void *data, size_t len, int64_t *ret)
{
	struct reader rd = reader_over(data, len);

	*ret = read_i64le(&rd);
	return reader_check(&rd);
}
