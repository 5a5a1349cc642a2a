/* AvatarData as a mixer uses it: taken apart, merged with what came before, written as records,
 * which must read as what they were made of. */
#include "avatar/avatar-record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct uuid session = {{0x11}};

/* A piece is a session, then what a packet is after its sequence number. */
static void check_pieces(const struct avatar_record *record)
{
	size_t at = 0;

	for (unsigned i = 0; i < record->n_pieces; i++) {
		uint8_t packet[2 + AVATAR_DATAGRAM_MAX] = {0};
		size_t len = record->piece_len[i];
		struct avatar_data piece;

		if (len < 18 || len > AVATAR_DATAGRAM_MAX)
			abort();
		memcpy(packet + 2, record->data + at + 16, len - 16);
		if (avatar_data_decode(packet, len - 14, &piece) < 0)
			abort();
		at += len;
	}
	if (at != record->len)
		abort();
}

static void encode(const struct avatar_state *state, enum avatar_detail detail, uint32_t since,
		   uint32_t tick)
{
	struct avatar_record record;

	for (unsigned tier = 0; tier < AVATAR_TIERS; tier++) {
		const struct avatar_variant variant = {
			.detail = detail, .tier = tier, .since = since};

		avatar_record_encode(state, &session, &variant, tick, &record);
		check_pieces(&record);
	}
}

/* The input is a row of packets, each with a u16 length before it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(avatar_state_done) struct avatar_state state = {0};
	struct reader rd = reader_over(data, size);

	for (uint32_t tick = 1; reader_left(&rd) > 0; tick++) {
		size_t len = MIN((size_t) read_u16le(&rd), reader_left(&rd));
		struct span packet = read_span(&rd, len);
		struct avatar_data d;

		if (avatar_data_decode(packet.data, packet.len, &d) == 0)
			(void) avatar_state_apply(&state, &d, tick);
		encode(&state, AVATAR_DETAIL_CHANGED, tick - 1, tick);
	}
	encode(&state, AVATAR_DETAIL_CHANGED, 0, 100);
	encode(&state, AVATAR_DETAIL_PAL, 0, 100);
	return 0;
}
