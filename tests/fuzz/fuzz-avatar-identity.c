/* AvatarIdentity, and what the mixer makes of it. */
#include "avatar/identity.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(avatar_identity_packet_done) struct avatar_identity_packet packet = {0};
	_cleanup_(session_names_freep) struct session_names *names = NULL;
	struct avatar_identity identity = {0};
	uint8_t out[8192];
	struct writer wr = writer_over(out, sizeof(out));

	if (avatar_identity_decode(data, size, &packet) < 0 || session_names_new(&names) < 0)
		return 0;
	if (avatar_identity_apply(&identity, names, &packet, 1) == 0) {
		avatar_identity_write(&wr, &UUID_NULL, &identity);
		avatar_identity_packet_done(&packet);
		/* what is sent out can be read */
		if (writer_finish(&wr) < 0 || avatar_identity_decode(out, wr.len, &packet) < 0)
			abort();
	}
	avatar_identity_done(&identity, names);
	return 0;
}
