#include "net/message-assembler.h"

#include <errno.h>
#include <string.h>

#include "base/list.h"

#define BUFFER_MIN 4096
#define EARLY_MIN  16
/* Parts ahead of the first missing one. A part further ahead cannot be in flight: the sender's
 * window is smaller. */
#define EARLY_MAX 32768
/* What the allocator adds to each block at most. */
#define BLOCK_OVERHEAD 24

/* A part that arrived before its turn. */
struct early_part {
	size_t len;
	uint8_t data[];
};

struct open_message {
	struct list link;
	uint32_t number;
	bool is_dropped; /* holds nothing; swallows what still comes */
	bool has_last;
	uint32_t last_part;
	uint32_t next_part; /* all before it are in the buffer */
	uint32_t highest_part;
	uint64_t heard_usec;
	struct packet first; /* headers */

	uint8_t *buffer;
	size_t len, capacity;
	struct early_part **early; /* by part number modulo early_size (a power of two) */
	uint32_t early_size;
	size_t charged_bytes;
};

struct message_assembler {
	struct message_budget *budget;
	size_t held_bytes;
	unsigned n_open;
	struct list open; /* last heard of first */
	struct open_message
		*finished; /* whose buffer the caller has seen; goes with the next call */
};

int message_assembler_new(struct message_budget *budget, struct message_assembler **ret)
{
	struct message_assembler *a;

	a = calloc(1, sizeof(*a));
	if (!a)
		return -ENOMEM;
	a->budget = budget;
	list_init(&a->open);

	*ret = a;
	return 0;
}

/* --- accounting --- */

static int charge(struct message_assembler *a, struct open_message *m, size_t bytes)
{
	if (bytes > MESSAGE_PEER_MAX - a->held_bytes ||
	    a->budget->used_bytes > a->budget->limit_bytes ||
	    bytes > a->budget->limit_bytes - a->budget->used_bytes)
		return -ENOBUFS;
	a->held_bytes += bytes;
	a->budget->used_bytes += bytes;
	m->charged_bytes += bytes;
	return 0;
}

static void discharge(struct message_assembler *a, struct open_message *m, size_t bytes)
{
	assert(bytes <= m->charged_bytes && bytes <= a->held_bytes &&
	       bytes <= a->budget->used_bytes);
	a->held_bytes -= bytes;
	a->budget->used_bytes -= bytes;
	m->charged_bytes -= bytes;
}

static size_t early_cost(size_t len)
{
	return sizeof(struct early_part) + BLOCK_OVERHEAD + len;
}

/* --- life of an open message --- */

static void drop_contents(struct message_assembler *a, struct open_message *m)
{
	for (uint32_t i = 0; i < m->early_size; i++)
		free(m->early[i]);
	free(m->early);
	free(m->buffer);
	m->early = NULL;
	m->early_size = 0;
	m->buffer = NULL;
	m->len = m->capacity = 0;
	discharge(a, m, m->charged_bytes - sizeof(*m));
}

static void close_message(struct message_assembler *a, struct open_message *m)
{
	drop_contents(a, m);
	discharge(a, m, m->charged_bytes);
	list_remove(&m->link);
	free(m);
}

static void close_finished(struct message_assembler *a)
{
	if (a->finished)
		close_message(a, a->finished);
	a->finished = NULL;
}

static struct packet headers_of(const struct packet *part)
{
	struct packet headers = *part;

	headers.hash = NULL;
	headers.payload = (struct span){0};
	return headers;
}

static int open_message_new(struct message_assembler *a, const struct packet *part,
			    struct open_message **ret)
{
	struct open_message *m;
	int r;

	if (a->n_open == MESSAGE_OPEN_MAX)
		return -ENOBUFS;
	m = calloc(1, sizeof(*m));
	if (!m)
		return -ENOMEM;
	list_init(&m->link);
	r = charge(a, m, sizeof(*m));
	if (r < 0) {
		free(m);
		return r;
	}

	m->number = part->udt.message;
	m->first = headers_of(part);
	list_prepend(&a->open, &m->link);
	a->n_open++;
	*ret = m;
	return 0;
}

static void forget(struct message_assembler *a, struct open_message *m)
{
	a->n_open--;
	close_message(a, m);
}

/* The open message of this number, or NULL. Parts come in runs, so it goes to the front. */
static struct open_message *find_open(struct message_assembler *a, uint32_t number)
{
	struct open_message *m;

	list_for_each (m, &a->open, link) {
		if (m->number != number)
			continue;
		list_remove(&m->link);
		list_prepend(&a->open, &m->link);
		return m;
	}
	return NULL;
}

void message_assembler_reset(struct message_assembler *a)
{
	struct open_message *m;

	close_finished(a);
	while ((m = LIST_FIRST(&a->open, struct open_message, link)))
		forget(a, m);
}

struct message_assembler *message_assembler_free(struct message_assembler *a)
{
	if (a) {
		message_assembler_reset(a);
		free(a);
	}
	return NULL;
}

unsigned message_assembler_expire(struct message_assembler *a, uint64_t now_usec)
{
	struct open_message *m;
	unsigned n = 0;

	close_finished(a);
	list_for_each (m, &a->open, link) {
		if (now_usec - m->heard_usec < MESSAGE_TIMEOUT_USEC)
			continue;
		forget(a, m);
		n++;
	}
	return n;
}

size_t message_assembler_held_bytes(const struct message_assembler *a)
{
	return a->held_bytes;
}

/* --- parts --- */

static bool ends_message(const struct packet *part)
{
	return part->udt.position == MESSAGE_ONLY || part->udt.position == MESSAGE_LAST;
}

/* A part must agree with itself, and with what is known of its message. */
static bool part_fits(const struct open_message *m, const struct packet *part)
{
	const struct udt_header *udt = &part->udt;
	bool starts = udt->position == MESSAGE_ONLY || udt->position == MESSAGE_FIRST;
	bool ends = ends_message(part);

	if (starts != (udt->part == 0))
		return false;
	if (part->type != m->first.type || part->version != m->first.version ||
	    part->source != m->first.source)
		return false;
	if (m->has_last && (udt->part > m->last_part || ends != (udt->part == m->last_part)))
		return false;
	return !ends || udt->part >= m->highest_part;
}

static int grow_buffer(struct message_assembler *a, struct open_message *m, size_t needed)
{
	size_t capacity = MAX(m->capacity, (size_t) BUFFER_MIN);
	uint8_t *buffer;
	int r;

	if (needed > MESSAGE_MAX)
		return -ENOBUFS;
	while (capacity < needed)
		capacity *= 2;
	if (capacity == m->capacity)
		return 0;

	r = charge(a, m, capacity - m->capacity);
	if (r < 0)
		return r;
	buffer = realloc(m->buffer, capacity);
	if (!buffer) {
		discharge(a, m, capacity - m->capacity);
		return -ENOMEM;
	}
	m->buffer = buffer;
	m->capacity = capacity;
	return 0;
}

static int append(struct message_assembler *a, struct open_message *m, struct span payload)
{
	int r;

	r = grow_buffer(a, m, m->len + payload.len);
	if (r < 0)
		return r;
	if (payload.len > 0)
		memcpy(m->buffer + m->len, payload.data, payload.len);
	m->len += payload.len;
	m->next_part++;
	return 0;
}

static struct early_part **early_slot(struct open_message *m, uint32_t part)
{
	return &m->early[part & (m->early_size - 1)];
}

/* Appends the early parts whose turn it is. */
static int drain_early(struct message_assembler *a, struct open_message *m)
{
	while (m->early_size > 0 && *early_slot(m, m->next_part)) {
		struct early_part **slot = early_slot(m, m->next_part);
		_cleanup_free_ struct early_part *early = *slot;
		int r;

		*slot = NULL;
		discharge(a, m, early_cost(early->len));
		r = append(a, m, span_of(early->data, early->len));
		if (r < 0)
			return r;
	}
	return 0;
}

/* Makes the table reach from the next part to this one. */
static int grow_early(struct message_assembler *a, struct open_message *m, uint32_t part)
{
	uint32_t distance = part - m->next_part, size = MAX(m->early_size, (uint32_t) EARLY_MIN);
	struct early_part **early;
	int r;

	if (distance >= EARLY_MAX)
		return -ENOBUFS;
	while (size <= distance)
		size *= 2;
	if (size == m->early_size)
		return 0;

	r = charge(a, m, (size - m->early_size) * sizeof(*early));
	if (r < 0)
		return r;
	early = calloc(size, sizeof(*early));
	if (!early) {
		discharge(a, m, (size - m->early_size) * sizeof(*early));
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < m->early_size; i++)
		early[(m->next_part + i) & (size - 1)] = *early_slot(m, m->next_part + i);
	free(m->early);
	m->early = early;
	m->early_size = size;
	return 0;
}

static int keep_early(struct message_assembler *a, struct open_message *m,
		      const struct packet *part)
{
	struct early_part *early;
	int r;

	r = grow_early(a, m, part->udt.part);
	if (r < 0)
		return r;
	if (*early_slot(m, part->udt.part))
		return 0;
	r = charge(a, m, early_cost(part->payload.len));
	if (r < 0)
		return r;
	early = malloc(sizeof(*early) + part->payload.len);
	if (!early) {
		discharge(a, m, early_cost(part->payload.len));
		return -ENOMEM;
	}

	early->len = part->payload.len;
	if (early->len > 0)
		memcpy(early->data, part->payload.data, early->len);
	*early_slot(m, part->udt.part) = early;
	return 0;
}

static int add_part(struct message_assembler *a, struct open_message *m, const struct packet *part)
{
	uint32_t number = part->udt.part;
	int r;

	if (!part_fits(m, part))
		return -EBADMSG;
	if (ends_message(part)) {
		m->has_last = true;
		m->last_part = number;
	}
	m->highest_part = MAX(m->highest_part, number);

	if (number < m->next_part)
		return 0;
	if (number > m->next_part)
		return keep_early(a, m, part);
	r = append(a, m, part->payload);
	if (r < 0)
		return r;
	return drain_early(a, m);
}

/* What is left of a message that went wrong swallows its later parts until the last or the timeout:
 * they would otherwise open it again. */
static void drop_message(struct message_assembler *a, struct open_message *m)
{
	m->is_dropped = true;
	drop_contents(a, m);
}

int message_assembler_add(struct message_assembler *a, const struct packet *part, uint64_t now_usec,
			  struct span *ret, struct packet *ret_first)
{
	struct open_message *m;
	int r;

	close_finished(a);
	m = find_open(a, part->udt.message);
	if (!m && part->udt.position == MESSAGE_ONLY && part->udt.part == 0) {
		*ret = part->payload;
		*ret_first = headers_of(part);
		return 1;
	}
	if (!m) {
		r = open_message_new(a, part, &m);
		if (r < 0)
			return r;
	}

	m->heard_usec = now_usec;
	r = m->is_dropped ? -ENOBUFS : add_part(a, m, part);
	if (r < 0) {
		if (ends_message(part))
			forget(a, m);
		else
			drop_message(a, m);
		return r;
	}
	if (!m->has_last || m->next_part <= m->last_part)
		return 0;

	list_remove(&m->link);
	a->n_open--;
	a->finished = m;
	*ret = span_of(m->buffer, m->len);
	*ret_first = m->first;
	return 1;
}
