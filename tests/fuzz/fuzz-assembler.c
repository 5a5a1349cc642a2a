/* Message parts of any kind: what is held stays within the limits and is all given back. */
#include <string.h>

#include "net/message-assembler.h"

#define BUDGET 300000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct packet read_part(struct reader *rd)
{
	static const uint8_t filling[1500];
	struct packet p = {.type = PACKET_MESSAGES_DATA,
			   .info = packet_info_find(PACKET_MESSAGES_DATA)};
	uint8_t head = read_u8(rd);

	p.udt.reliable = p.udt.in_message = true;
	p.udt.position = (enum message_position)(head & 3);
	p.udt.message = head >> 2 & 7;
	p.version = head >> 7;
	/* Mostly near, sometimes anywhere. */
	p.udt.part = head & 0x40 ? read_u32le(rd) : read_u8(rd);
	p.payload = span_of(filling, read_u16le(rd) % sizeof(filling));
	return p;
}

/* Touches every byte, for a sanitizer to see. */
static uint8_t sum(struct span s)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < s.len; i++)
		sum ^= s.data[i];
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct message_budget budget = {.limit_bytes = BUDGET};
	struct reader rd = reader_over(data, size);
	struct message_assembler *a;
	uint64_t now_usec = USEC_PER_SEC;

	if (message_assembler_new(&budget, &a) < 0)
		return 0;
	while (reader_left(&rd) > 0) {
		struct packet p = read_part(&rd), first;
		struct span whole;

		if (message_assembler_add(a, &p, now_usec, &whole, &first) == 1 && sum(whole) != 0)
			abort(); /* the parts are all zeros */
		if (message_assembler_held_bytes(a) > BUDGET ||
		    message_assembler_held_bytes(a) != budget.used_bytes)
			abort();
		now_usec += USEC_PER_SEC;
		if (p.payload.len == 7)
			(void) message_assembler_expire(a, now_usec);
		if (p.payload.len == 8)
			message_assembler_reset(a);
	}
	a = message_assembler_free(a);
	if (budget.used_bytes != 0)
		abort();
	return 0;
}
