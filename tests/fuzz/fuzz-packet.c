/* A datagram as it comes from a socket: control or data, with the obfuscation repair of web clients
 * when the first byte is odd. */
#include <string.h>

#include "net/packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_control(const uint8_t *data, size_t size)
{
	struct control_packet control, again;
	uint8_t encoded[CONTROL_MAX];
	size_t len;

	if (control_decode(data, size, &control) < 0)
		return;
	len = control_encode(&control, encoded);
	if (len > size || control_decode(encoded, len, &again) < 0)
		abort();
	if (again.type != control.type || again.seq != control.seq)
		abort();
}

/* What was decoded lies inside the datagram, and its headers encode to the bytes they came from. */
static void check_data(uint8_t *data, size_t size, bool repair)
{
	uint8_t header[PACKET_UDT_MESSAGE_LEN];
	struct packet p;
	size_t len;

	if (packet_decode(data, size, repair, &p) < 0)
		return;
	len = udt_header_encode(&p.udt, header);
	if (memcmp(header, data, len) != 0)
		abort();
	if (len + packet_flags_header_len(p.info->flags) + p.payload.len != size)
		abort();
	if (p.payload.len > 0 && p.payload.data + p.payload.len != data + size)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *datagram;

	if (size < 1 + PACKET_UDT_LEN)
		return 0;
	datagram = malloc(size - 1);
	if (!datagram)
		return 0;

	memcpy(datagram, data + 1, size - 1);
	if (datagram_is_control(datagram))
		check_control(datagram, size - 1);
	else
		check_data(datagram, size - 1, data[0] & 1);
	free(datagram);
	return 0;
}
