/* What a predecessor left of a member: whatever it is, the crowd lives on with the member or
 * without it, and what was understood is saved the same way. */
#include <string.h>

#include "avatar/crowd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void send_data(void *peer, struct span payload)
{
}

static int send_message(void *peer, struct span message)
{
	return 0;
}

static void send_kill(void *peer, const struct uuid *session, enum avatar_kill_reason reason)
{
}

static const struct crowd_ops ops = {send_data, send_message, send_message, send_kill};

static struct crowd_member *join(struct crowd *crowd, uint8_t id)
{
	struct uuid session = {{id}};
	struct crowd_member *member;

	if (crowd_join(crowd, &session, NULL, true, &member) < 0)
		abort();
	member->can_listen = member->present = true;
	return member;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct writer once = writer_growing(1 << 20), twice = writer_growing(1 << 20);
	struct reader rd = reader_over(data, size);
	struct crowd_member *member;
	struct crowd *crowd;

	if (crowd_new(&ops, 1, &crowd) < 0)
		abort();
	(void) join(crowd, 1);
	member = join(crowd, 2);
	if (crowd_member_restore(crowd, member, &rd) >= 0) {
		crowd_member_save(member, &once);
		crowd_leave(crowd, member);
		member = join(crowd, 2);
		rd = reader_over(once.data, once.len);
		if (crowd_member_restore(crowd, member, &rd) < 0)
			abort();
		crowd_member_save(member, &twice);
		if (once.len != twice.len)
			abort();
	}
	(void) crowd_frame(crowd);
	crowd_free(crowd);
	writer_done(&once);
	writer_done(&twice);
	return 0;
}
