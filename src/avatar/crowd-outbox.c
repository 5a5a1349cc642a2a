/* What the threads of a frame leave for the operations, which only the caller's thread runs: one
 * outbox for each listener, so that its order does not depend on who served it. */
#include "avatar/crowd-internal.h"

#define ALLOCATED_FIRST   ((size_t) 4096)
#define ENTRY_HEADER_SIZE (sizeof(uint8_t) + sizeof(uint32_t))

void outbox_done(struct crowd_outbox *outbox)
{
	free(outbox->data);
	*outbox = (struct crowd_outbox){0};
}

/* It stays as large as the largest frame was. */
static uint8_t *room(struct crowd_outbox *outbox, size_t len)
{
	size_t needed = outbox->len + len, n = MAX(outbox->allocated, ALLOCATED_FIRST);
	uint8_t *grown;

	while (n < needed)
		n *= 2;
	if (n > outbox->allocated) {
		grown = realloc(outbox->data, n);
		if (!grown)
			return NULL;
		outbox->data = grown;
		outbox->allocated = n;
	}
	outbox->len = needed;
	return outbox->data + needed - len;
}

void outbox_add(struct crowd_outbox *outbox, enum outbox_kind kind, struct span payload)
{
	size_t len = ENTRY_HEADER_SIZE + payload.len;
	uint8_t *entry = outbox->failed ? NULL : room(outbox, len);
	struct writer wr = writer_over(entry, entry ? len : 0);

	write_u8(&wr, (uint8_t) kind);
	write_u32le(&wr, (uint32_t) payload.len);
	write_bytes(&wr, payload.data, payload.len);
	outbox->failed = wr.failed;
}

static void send_identities(struct crowd *crowd, struct crowd_member *listener, struct span message)
{
	if (crowd->ops->send_identities(listener->peer, message) >= 0) {
		listener->counts.sent_identity_bytes += (uint32_t) message.len;
		return;
	}
	for (unsigned i = 0; i < crowd->n_slots; i++)
		if (listener->pairs[i].identity_tick == crowd->tick)
			listener->pairs[i].identity_tick = 0;
}

static void send_traits(struct crowd *crowd, struct crowd_member *listener, struct span message)
{
	if (crowd->ops->send_traits(listener->peer, message) >= 0) {
		listener->counts.sent_traits_bytes += (uint32_t) message.len;
		return;
	}
	for (unsigned i = 0; i < crowd->n_slots; i++)
		avatar_trait_listener_lost(&listener->pairs[i].traits, listener->traits_message);
}

static void send_kill(struct crowd *crowd, struct crowd_member *listener, struct span packet)
{
	struct reader rd = reader_over(packet.data, packet.len);
	struct uuid session = read_uuid(&rd);

	crowd->ops->send_kill(listener->peer, &session, read_u8(&rd));
}

void outbox_send(struct crowd *crowd, struct crowd_member *listener)
{
	struct crowd_outbox *outbox = &listener->outbox;
	struct reader rd = reader_over(outbox->data, outbox->len);

	while (reader_left(&rd) > 0) {
		enum outbox_kind kind = read_u8(&rd);
		struct span payload = read_span(&rd, read_u32le(&rd));

		if (kind == OUTBOX_DATA)
			crowd->ops->send_data(listener->peer, payload);
		else if (kind == OUTBOX_IDENTITIES)
			send_identities(crowd, listener, payload);
		else if (kind == OUTBOX_TRAITS)
			send_traits(crowd, listener, payload);
		else
			send_kill(crowd, listener, payload);
	}
	/* Whatever did not get in: everything is told again. */
	if (outbox->failed)
		crowd_forget_told(crowd, listener);
	outbox->len = 0;
	outbox->failed = false;
}
