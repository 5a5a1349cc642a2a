#include "avatar/client-packets.h"

#include <errno.h>

#include "avatar/identity.h"
#include "base/qt-stream.h"

int avatar_bulk_next(struct reader *rd, struct uuid *ret_session, struct avatar_data *ret)
{
	if (reader_left(rd) == 0)
		return reader_check(rd);
	*ret_session = read_uuid(rd);
	avatar_data_read(rd, ret);
	return rd->failed ? -EBADMSG : 1;
}

void avatar_identity_record_done(struct avatar_identity_record *record)
{
	free(record->display_name);
	free(record->session_name);
	*record = (struct avatar_identity_record){0};
}

int avatar_identity_next(struct reader *rd, struct avatar_identity_record *ret)
{
	_cleanup_(avatar_identity_record_done) struct avatar_identity_record record = {0};
	int r;

	if (reader_left(rd) == 0)
		return reader_check(rd);
	record.session = read_uuid(rd);
	record.sequence = read_u32be(rd);
	/* Clients throw at attachments, so a mixer that sends any is at fault. */
	if (read_u32be(rd) != 0)
		reader_fail(rd);
	r = read_qstring(rd, AVATAR_NAME_SENT_MAX, &record.display_name);
	if (r < 0)
		return r;
	r = read_qstring(rd, AVATAR_NAME_SENT_MAX, &record.session_name);
	if (r < 0)
		return r;
	record.flags = read_u32be(rd);
	if (rd->failed)
		return -EBADMSG;

	*ret = record;
	record = (struct avatar_identity_record){0};
	return 1;
}

int64_t avatar_bulk_traits_begin(struct reader *rd)
{
	return read_i64le(rd);
}

/* A block is an avatar's UUID and its traits, up to a null trait. */
int avatar_bulk_trait_next(struct reader *rd, struct avatar_bulk_trait *trait)
{
	int8_t type;

	do {
		if (!trait->in_block) {
			if (reader_left(rd) == 0)
				return reader_check(rd);
			trait->session = read_uuid(rd);
		}
		type = (int8_t) read_u8(rd);
		trait->in_block = type != AVATAR_TRAIT_END;
	} while (!trait->in_block);

	trait->version = read_i32le(rd);
	return avatar_trait_read(rd, type, &trait->trait);
}

int avatar_kill_decode(struct span payload, struct uuid *ret_session,
		       enum avatar_kill_reason *ret_reason)
{
	struct reader rd = reader_over(payload.data, payload.len);

	*ret_session = read_uuid(&rd);
	*ret_reason = read_u8(&rd);
	if (*ret_reason > AVATAR_KILL_ENTERED_THEIR_BUBBLE)
		reader_fail(&rd);
	return reader_finish(&rd);
}
