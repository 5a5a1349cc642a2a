#include "net/outgoing.h"

/* Packets taken in a row before it is the single packets' turn again. */
#define ROUND_MAX 16

static size_t part_len_max(const struct packet_seal *seal, bool in_message)
{
	unsigned flags = packet_info_find(seal->type)->flags;

	return PACKET_MAX - (in_message ? PACKET_UDT_MESSAGE_LEN : PACKET_UDT_LEN) -
	       packet_flags_header_len(flags);
}

struct outgoing *outgoing_new(const struct packet_seal *seal, struct shared_bytes *payload,
			      bool in_message)
{
	size_t part_len = part_len_max(seal, in_message);
	struct outgoing *o;

	o = malloc(sizeof(*o) + (seal->key ? sizeof(o->key[0]) : 0));
	if (!o)
		return NULL;

	*o = (struct outgoing){
		.in_message = in_message,
		.n_parts = payload->len > 0 ? (uint32_t) ((payload->len + part_len - 1) / part_len)
					    : 1,
		.payload = shared_bytes_ref(payload),
		.seal = *seal,
	};
	list_init(&o->link);
	if (seal->key) {
		o->key[0] = *seal->key;
		o->seal.key = &o->key[0];
	}
	return o;
}

struct outgoing *outgoing_free(struct outgoing *o)
{
	if (o) {
		list_remove(&o->link);
		(void) shared_bytes_unref(o->payload);
		free(o);
	}
	return NULL;
}

size_t outgoing_cost(const struct outgoing *o)
{
	return sizeof(*o) + (o->seal.key ? sizeof(o->key[0]) : 0) + o->payload->len;
}

struct span outgoing_part(const struct outgoing *o, uint32_t part)
{
	size_t part_len = part_len_max(&o->seal, o->in_message), start = part * part_len;

	return span_of(o->payload->data + start, MIN(part_len, o->payload->len - start));
}

enum message_position outgoing_position(const struct outgoing *o, uint32_t part)
{
	if (o->n_parts == 1)
		return MESSAGE_ONLY;
	if (part == 0)
		return MESSAGE_FIRST;
	return part == o->n_parts - 1 ? MESSAGE_LAST : MESSAGE_MIDDLE;
}

/* --- the queue --- */

void outgoing_queue_init(struct outgoing_queue *q)
{
	*q = (struct outgoing_queue){0};
	list_init(&q->packets);
	list_init(&q->messages);
}

bool outgoing_queue_is_empty(const struct outgoing_queue *q)
{
	return list_is_empty(&q->packets) && list_is_empty(&q->messages);
}

void outgoing_queue_add(struct outgoing_queue *q, struct outgoing *o)
{
	list_append(o->in_message ? &q->messages : &q->packets, &o->link);
	o->is_queued = true;
}

static void take_out(struct outgoing *o)
{
	list_remove(&o->link);
	o->is_queued = false;
}

static struct outgoing *first_message(const struct outgoing_queue *q)
{
	return LIST_FIRST(&q->messages, struct outgoing, link);
}

static struct outgoing *message_after(const struct outgoing_queue *q, const struct outgoing *o)
{
	return o->link.next == &q->messages ? NULL : LIST_ITEM(o->link.next, struct outgoing, link);
}

struct outgoing *outgoing_queue_take(struct outgoing_queue *q, uint32_t *ret_part)
{
	struct outgoing *o = q->turn, *next;

	if (!o)
		o = LIST_FIRST(&q->packets, struct outgoing, link);
	if (!o)
		o = first_message(q);
	if (!o)
		return NULL;

	next = o->in_message ? message_after(q, o) : first_message(q);
	*ret_part = o->next_part++;
	if (o->next_part == o->n_parts)
		take_out(o);

	q->n_taken++;
	if (!next || q->n_taken == ROUND_MAX) {
		q->n_taken = 0;
		next = NULL;
	}
	q->turn = next;
	return o;
}

struct outgoing *outgoing_queue_remove(struct outgoing_queue *q)
{
	struct outgoing *o = LIST_FIRST(&q->packets, struct outgoing, link);

	if (!o)
		o = first_message(q);
	if (o)
		take_out(o);
	q->turn = NULL;
	q->n_taken = 0;
	return o;
}

void outgoing_queue_put_back(struct outgoing_queue *q, struct outgoing *o)
{
	o->next_part = 0;
	q->turn = NULL;
	q->n_taken = 0;
	if (o->is_queued)
		return;
	list_prepend(o->in_message ? &q->messages : &q->packets, &o->link);
	o->is_queued = true;
}
