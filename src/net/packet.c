#include "net/packet.h"

#include <errno.h>
#include <string.h>

#define UDT_CONTROL           (UINT32_C(1) << 31)
#define UDT_RELIABLE          (UINT32_C(1) << 30)
#define UDT_IN_MESSAGE        (UINT32_C(1) << 29)
#define UDT_OBFUSCATION_SHIFT 27
#define UDT_OBFUSCATION_MASK  3
#define UDT_POSITION_SHIFT    30
#define CONTROL_TYPE_SHIFT    16
#define CONTROL_TYPE_MASK     0x7fff

#define KEY_LEN 8

static const uint8_t obfuscation_keys[][KEY_LEN] = {
	{0},
	{0x74, 0x65, 0x73, 0x73, 0x69, 0x72, 0x62, 0x63},
	{0x61, 0x64, 0x72, 0x61, 0x72, 0x69, 0x62, 0x73},
	{0x6e, 0x61, 0x6d, 0x66, 0x66, 0x75, 0x68, 0x72},
};

int control_decode(const void *data, size_t len, struct control_packet *ret)
{
	struct reader rd = reader_over(data, len);
	uint32_t word = read_u32le(&rd), type = word >> CONTROL_TYPE_SHIFT & CONTROL_TYPE_MASK,
		 seq = 0;

	if (!(word & UDT_CONTROL) || type > CONTROL_HANDSHAKE_REQUEST)
		return -EBADMSG;
	if (type != CONTROL_HANDSHAKE_REQUEST)
		seq = read_u32le(&rd);
	if (reader_check(&rd) < 0 || seq > SEQ_MAX)
		return -EBADMSG;

	*ret = (struct control_packet){.type = (enum control_type) type, .seq = seq};
	return 0;
}

size_t control_encode(const struct control_packet *control, uint8_t ret[static CONTROL_MAX])
{
	struct writer wr = writer_over(ret, CONTROL_MAX);

	write_u32le(&wr, UDT_CONTROL | (uint32_t) control->type << CONTROL_TYPE_SHIFT);
	if (control->type != CONTROL_HANDSHAKE_REQUEST)
		write_u32le(&wr, control->seq);
	return wr.len;
}

static void xor_key(uint8_t *data, size_t len, const uint8_t key[static KEY_LEN])
{
	for (size_t i = 0; i < len; i++)
		data[i] ^= key[i % KEY_LEN];
}

void packet_obfuscate(uint8_t *data, size_t len, unsigned level)
{
	assert(level < ELEMENTSOF(obfuscation_keys));
	if (level > 0)
		xor_key(data, len, obfuscation_keys[level]);
}

/* Could a web client have sent this reliably? The keys turn seven pairs of known types into each
 * other (MessagesData into StopNode), so types that no client sends must not count as readable. */
static bool is_plausible_from_sdk(uint8_t type, uint8_t version)
{
	const struct packet_info *info = packet_info_find(type);

	if (!info || info->version[DIALECT_VIRCADIA] != version)
		return false;
	if (type == PACKET_PING || type == PACKET_PING_REPLY)
		return false;
	return packet_flags_sourced(info->flags) || type == PACKET_DOMAIN_SERVER_PATH_QUERY;
}

/* The SDK obfuscates a buffer that an earlier resend may have left obfuscated, so the bytes carry
 * some combination of the three keys whatever the header says. Takes the first combination that
 * makes sense; with none the bytes stay as they are. */
static void repair_obfuscation(uint8_t *data, size_t len)
{
	for (unsigned combination = 0; combination < 8; combination++) {
		uint8_t key[KEY_LEN] = {0};

		for (unsigned level = 1; level < ELEMENTSOF(obfuscation_keys); level++)
			if (combination & 1U << (level - 1))
				xor_key(key, sizeof(key), obfuscation_keys[level]);
		if (is_plausible_from_sdk(data[0] ^ key[0], data[1] ^ key[1])) {
			xor_key(data, len, key);
			return;
		}
	}
}

/* 0 or -EBADMSG. */
static int read_udt_header(struct reader *rd, struct udt_header *udt)
{
	uint32_t word = read_u32le(rd), message;

	*udt = (struct udt_header){
		.reliable = word & UDT_RELIABLE,
		.in_message = word & UDT_IN_MESSAGE,
		.obfuscation = word >> UDT_OBFUSCATION_SHIFT & UDT_OBFUSCATION_MASK,
		.seq = word & SEQ_MAX,
	};
	if (word & UDT_CONTROL || (udt->in_message && !udt->reliable))
		return -EBADMSG;
	if (!udt->in_message)
		return 0;

	message = read_u32le(rd);
	udt->position = (enum message_position)(message >> UDT_POSITION_SHIFT);
	udt->message = message & MESSAGE_NUMBER_MAX;
	udt->part = read_u32le(rd);
	return 0;
}

int packet_decode(void *data, size_t len, bool repair, struct packet *ret)
{
	struct reader rd = reader_over(data, len);
	struct packet p = {0};
	size_t header_len;
	uint8_t *body;
	int r;

	r = read_udt_header(&rd, &p.udt);
	if (r < 0)
		return r;
	header_len = rd.pos;
	if (reader_left(&rd) < 2)
		return -EBADMSG;

	body = (uint8_t *) data + header_len;
	packet_obfuscate(body, len - header_len, p.udt.obfuscation);
	if (repair && p.udt.reliable && p.udt.obfuscation > 0)
		repair_obfuscation(body, len - header_len);

	p.type = read_u8(&rd);
	p.version = read_u8(&rd);
	p.info = packet_info_find(p.type);
	if (!p.info)
		return -EBADMSG;
	if (packet_flags_sourced(p.info->flags))
		p.source = read_u16le(&rd);
	if (packet_flags_verified(p.info->flags))
		p.hash = read_bytes(&rd, HMAC_LEN);
	p.payload = read_rest(&rd);
	r = reader_finish(&rd);
	if (r < 0)
		return r;

	*ret = p;
	return 0;
}

size_t udt_header_encode(const struct udt_header *udt, uint8_t ret[static PACKET_UDT_MESSAGE_LEN])
{
	struct writer wr = writer_over(ret, PACKET_UDT_MESSAGE_LEN);

	write_u32le(&wr, (udt->reliable ? UDT_RELIABLE : 0) |
				 (udt->in_message ? UDT_IN_MESSAGE : 0) |
				 (uint32_t) udt->obfuscation << UDT_OBFUSCATION_SHIFT |
				 (udt->seq & SEQ_MAX));
	if (udt->in_message) {
		write_u32le(&wr, (uint32_t) udt->position << UDT_POSITION_SHIFT |
					 (udt->message & MESSAGE_NUMBER_MAX));
		write_u32le(&wr, udt->part);
	}
	return wr.len;
}

size_t packet_seal_encode(const struct packet_seal *seal, const struct span *payload,
			  size_t n_payload, uint8_t ret[static PACKET_NL_MAX])
{
	const struct packet_info *info = packet_info_find(seal->type);
	struct writer wr = writer_over(ret, PACKET_NL_MAX);

	assert(info);
	write_u8(&wr, seal->type);
	write_u8(&wr, info->version[seal->dialect]);
	if (packet_flags_sourced(info->flags))
		write_u16le(&wr, seal->source);
	if (packet_flags_verified(info->flags)) {
		uint8_t *hash = write_room(&wr, HMAC_LEN);

		if (seal->key)
			hmac_compute(seal->key, payload, n_payload, hash);
		else
			memset(hash, 0, HMAC_LEN);
	}
	return wr.len;
}
