/* What a client reads from the avatar-mixer; the first byte picks which. */
#include "avatar/client-packets.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void bulk(struct reader *rd)
{
	struct avatar_data d;
	struct uuid session;

	while (avatar_bulk_next(rd, &session, &d) > 0)
		;
}

static void identities(struct reader *rd)
{
	struct avatar_identity_record record;

	while (avatar_identity_next(rd, &record) > 0)
		avatar_identity_record_done(&record);
}

static void traits(struct reader *rd)
{
	struct avatar_bulk_trait trait = {0};

	(void) avatar_bulk_traits_begin(rd);
	while (avatar_bulk_trait_next(rd, &trait) > 0)
		;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum avatar_kill_reason reason;
	struct uuid session;
	struct reader rd;

	if (size < 1)
		return 0;
	rd = reader_over(data + 1, size - 1);
	switch (data[0] % 4) {
	case 0:
		bulk(&rd);
		break;
	case 1:
		identities(&rd);
		break;
	case 2:
		traits(&rd);
		break;
	default:
		(void) avatar_kill_decode(read_rest(&rd), &session, &reason);
	}
	return 0;
}
