/* The first byte chooses the direction. */
#include <stdlib.h>
#include <string.h>

#include "webrtc/signalling.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(signalling_freep) struct signalling *s = NULL, *relayed = NULL;
	_cleanup_free_ char *text = NULL;
	struct hifi_addr label = hifi_addr_from_ipv4(SOCKET_TYPE_WEBRTC, 0xC0000201, 5);
	struct hifi_addr address = hifi_addr_from_ipv4(SOCKET_TYPE_UDP, 0xC0000202, 0);
	enum signalling_direction direction;

	if (size == 0)
		return 0;
	direction = (enum signalling_direction)(data[0] % 3);
	if (signalling_decode((const char *) data + 1, size - 1, direction, &s) < 0 ||
	    direction != SIGNALLING_FROM_CLIENT ||
	    signalling_format_relay(s, &label, &address, 1, &text) < 0)
		return 0;

	/* What is relayed for a client is a message about that client, unless it grew over the
	 * limit. */
	if (signalling_decode(text, strlen(text), SIGNALLING_TO_NODE, &relayed) == 0 &&
	    (relayed->kind != s->kind || relayed->node_type != s->node_type ||
	     !hifi_addr_equal(&relayed->label, &label) || relayed->n_addresses != 1 ||
	     !hifi_addr_equal(&relayed->addresses[0], &address) ||
	     strcmp(relayed->text, s->text) != 0))
		abort();
	return 0;
}
