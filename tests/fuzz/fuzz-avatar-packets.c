/* The small packets; the first byte picks which. */
#include "avatar/avatar-packets.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ignore(const uint8_t *data, size_t size)
{
	struct avatar_ignore_request request;

	if (avatar_ignore_decode(data, size, &request) < 0)
		return;
	for (unsigned i = 0; i < request.n; i++)
		(void) avatar_ignore_get(&request, i);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct avatar_query query;
	struct avatar_sorting sorting;
	int64_t message;
	bool flag;

	if (size < 1)
		return 0;
	switch (data[0] % 5) {
	case 0:
		(void) avatar_query_decode(data + 1, size - 1, &query);
		break;
	case 1:
		ignore(data + 1, size - 1);
		break;
	case 2:
		(void) avatar_flag_decode(data + 1, size - 1, &flag);
		break;
	case 3:
		(void) avatar_sorting_decode(data + 1, size - 1, &sorting);
		break;
	default:
		(void) avatar_traits_ack_decode(data + 1, size - 1, &message);
	}
	return 0;
}
