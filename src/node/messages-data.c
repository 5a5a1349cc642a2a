#include "node/messages-data.h"

#include <errno.h>

/* With the channel's length given: from the channel on. */
static int decode_body(struct span payload, size_t channel_len, struct messages_data *ret)
{
	struct reader rd = reader_over(payload.data, payload.len);
	struct messages_data message = {0};
	int r;

	read_skip(&rd, 2);
	message.channel = read_span(&rd, channel_len);
	message.is_text = read_u8(&rd) != 0;
	message.data = read_string32(&rd, payload.len);
	message.sender = read_uuid(&rd);
	r = reader_finish(&rd);
	if (r < 0)
		return r;
	*ret = message;
	return 0;
}

static size_t utf16_units(struct span utf8)
{
	size_t n = 0;

	for (size_t i = 0; i < utf8.len; i++)
		n += ((utf8.data[i] & 0xc0) != 0x80) + (size_t) (utf8.data[i] >= 0xf0);
	return n;
}

/* Looks for the one length in bytes, not below the stated number of UTF-16 units, that makes
 * everything fit. */
static int repair(struct span payload, size_t units, struct messages_data *ret)
{
	size_t last;

	if (payload.len < MESSAGES_DATA_FIXED_LEN)
		return -EBADMSG;
	last = MIN(3 * units, payload.len - MESSAGES_DATA_FIXED_LEN);
	for (size_t len = units + 1; len <= last; len++) {
		if (payload.data[2 + len] > 1 || decode_body(payload, len, ret) < 0)
			continue;
		if (utf8_is_valid(ret->channel.data, len) && utf16_units(ret->channel) == units)
			return 1;
	}
	return -EBADMSG;
}

int messages_data_decode(struct span payload, struct messages_data *ret)
{
	struct reader rd = reader_over(payload.data, payload.len);
	struct messages_data message;
	size_t channel_len = read_u16le(&rd);
	int r;

	if (channel_len > MESSAGES_CHANNEL_MAX)
		return -EBADMSG;
	r = decode_body(payload, channel_len, &message);
	if (r < 0)
		r = repair(payload, channel_len, &message);
	if (r < 0)
		return r;
	*ret = message;
	return r;
}

void messages_data_encode(struct writer *wr, const struct messages_data *message,
			  const struct uuid *sender)
{
	write_string16(wr, message->channel.data, message->channel.len);
	write_u8(wr, message->is_text);
	write_string32(wr, message->data.data, message->data.len);
	write_uuid(wr, sender);
}
