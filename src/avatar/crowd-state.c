/* What a successor of the crowd's owner has to know of a member. What others were told of it is not
 * kept: they are told again. What they see of its body comes with its next packets. */
#include <errno.h>

#include "avatar/crowd-internal.h"

enum {
	FLAG_PRESENT = 1,
	FLAG_BUBBLE = 2,
	FLAG_PAL = 4,
};

/* Messages that were on their way may still be acknowledged: they must not be taken for new ones.
 */
#define MESSAGES_AHEAD (INT64_C(1) << 20)

void crowd_member_save(const struct crowd_member *member, struct writer *wr)
{
	size_t position = 0;
	const struct uuid *ignored;

	write_u8(wr, (uint8_t) ((member->present ? FLAG_PRESENT : 0) |
				(member->bubble ? FLAG_BUBBLE : 0) | (member->pal ? FLAG_PAL : 0)));
	write_u64le(wr, (uint64_t) member->traits_message);
	write_u32le(wr, (uint32_t) hashmap_size(member->ignored));
	while ((ignored = hashmap_next_key(member->ignored, &position)))
		write_uuid(wr, ignored);
	avatar_identity_save(&member->identity, wr);
	avatar_traits_save(&member->traits, wr);
}

static int restore_ignored(struct crowd *crowd, struct crowd_member *member, struct reader *rd)
{
	uint32_t n = read_u32le(rd);
	int r = 0;

	if (n > CROWD_IGNORED_MAX)
		return -EBADMSG;
	for (uint32_t i = 0; i < n && r >= 0; i++) {
		struct uuid session = read_uuid(rd);

		if (rd->failed)
			return -EBADMSG;
		r = crowd_ignore(crowd, member, &session, true);
	}
	return r;
}

int crowd_member_restore(struct crowd *crowd, struct crowd_member *member, struct reader *rd)
{
	uint8_t flags = read_u8(rd);
	int64_t message = read_i64le(rd);
	int r;

	if (message < 0 || message > INT64_MAX - MESSAGES_AHEAD)
		return -EBADMSG;
	r = restore_ignored(crowd, member, rd);
	if (r >= 0)
		r = avatar_identity_restore(&member->identity, crowd->names, rd, crowd->tick);
	if (r >= 0)
		r = avatar_traits_restore(&member->traits, rd, crowd->tick);
	if (r >= 0)
		r = reader_finish(rd);
	if (r < 0)
		return r;
	member->traits_message = message + MESSAGES_AHEAD;
	member->present = flags & FLAG_PRESENT;
	member->bubble = flags & FLAG_BUBBLE;
	member->pal = flags & FLAG_PAL;
	return 0;
}
