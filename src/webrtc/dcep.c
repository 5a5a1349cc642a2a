#include <errno.h>

#include "webrtc/dcep.h"

#define DCEP_OPEN 0x03

int dcep_open_decode(struct span message, struct dcep_open *ret)
{
	struct reader rd = reader_over(message.data, message.len);
	struct dcep_open open = {0};
	uint8_t type = read_u8(&rd);
	uint16_t label_len, protocol_len;
	int r;

	if (message.len > 0 && type != DCEP_OPEN)
		return -EPROTO;

	open.channel_type = read_u8(&rd);
	open.priority = read_u16be(&rd);
	open.reliability = read_u32be(&rd);
	label_len = read_u16be(&rd);
	protocol_len = read_u16be(&rd);
	if (label_len > DCEP_TEXT_MAX || protocol_len > DCEP_TEXT_MAX)
		return -EBADMSG;
	open.label = read_span(&rd, label_len);
	open.protocol = read_span(&rd, protocol_len);
	r = reader_finish(&rd);
	if (r < 0)
		return r;

	*ret = open;
	return 0;
}
