#include "avatar/traits.h"

#include <errno.h>
#include <string.h>

#define TRAIT_DELETED        (-1)
#define SKELETON_HEADER_SIZE 11
#define SKELETON_COUNT_AT    8
#define SKELETON_JOINT_SIZE  22

/* --- SetAvatarTraits --- */

/* Readers size their arrays by these counts (protocol 04 section 8.4). */
static bool skeleton_is_valid(struct span value)
{
	struct reader rd = reader_over(value.data, value.len);
	uint8_t joints;
	uint16_t names;

	read_skip(&rd, SKELETON_COUNT_AT);
	joints = read_u8(&rd);
	names = read_u16le(&rd);
	return !rd.failed &&
	       value.len == SKELETON_HEADER_SIZE + joints * SKELETON_JOINT_SIZE + (size_t) names;
}

int avatar_trait_read(struct reader *rd, int8_t type, struct avatar_trait *ret)
{
	struct avatar_trait trait = {0};
	int16_t size;

	if (type < 0 || type >= AVATAR_TRAIT_TYPES) {
		reader_fail(rd);
		return -EBADMSG;
	}
	trait.id.type = type;
	if (avatar_trait_is_instanced(trait.id.type))
		trait.id.instance = read_uuid(rd);
	size = read_i16le(rd);
	if (size == TRAIT_DELETED && avatar_trait_is_instanced(trait.id.type))
		trait.deleted = true;
	else if (size < 0)
		reader_fail(rd);
	else
		trait.value = read_span(rd, (size_t) size);
	if (trait.id.type == AVATAR_TRAIT_SKELETON_DATA && !skeleton_is_valid(trait.value))
		reader_fail(rd);

	if (rd->failed)
		return -EBADMSG;
	*ret = trait;
	return 1;
}

int avatar_trait_decode(struct reader *rd, struct avatar_trait *ret)
{
	if (reader_left(rd) == 0)
		return reader_check(rd);
	return avatar_trait_read(rd, (int8_t) read_u8(rd), ret);
}

void avatar_trait_override_write(struct writer *wr, int32_t version, struct span url)
{
	write_u8(wr, AVATAR_TRAIT_SKELETON_URL);
	write_u32le(wr, (uint32_t) version);
	write_u16le(wr, (uint16_t) url.len);
	write_bytes(wr, url.data, url.len);
}

/* --- what an avatar has --- */

static bool same_id(const struct avatar_trait_id *a, const struct avatar_trait_id *b)
{
	return a->type == b->type && uuid_equal(&a->instance, &b->instance);
}

static struct avatar_trait_value *find_value(const struct avatar_traits *traits,
					     const struct avatar_trait_id *id)
{
	for (unsigned i = 0; i < traits->n; i++)
		if (same_id(&traits->values[i].id, id))
			return &traits->values[i];
	return NULL;
}

void avatar_traits_done(struct avatar_traits *traits)
{
	for (unsigned i = 0; i < traits->n; i++)
		free(traits->values[i].data);
	free(traits->values);
	*traits = (struct avatar_traits){0};
}

static void remove_value(struct avatar_traits *traits, struct avatar_trait_value *value,
			 uint32_t tick)
{
	traits->bytes -= value->len;
	free(value->data);
	*value = traits->values[--traits->n];
	traits->changed_tick = tick;
}

static unsigned instances_max(enum avatar_trait_type type)
{
	return type == AVATAR_TRAIT_ENTITY ? AVATAR_TRAIT_ENTITIES_MAX
	       : type == AVATAR_TRAIT_GRAB ? AVATAR_TRAIT_GRABS_MAX
					   : 1;
}

static int add_value(struct avatar_traits *traits, const struct avatar_trait_id *id,
		     struct avatar_trait_value **ret)
{
	unsigned of_type = 0;

	for (unsigned i = 0; i < traits->n; i++)
		of_type += traits->values[i].id.type == id->type;
	if (of_type >= instances_max(id->type))
		return -ENOBUFS;
	if (!traits->values)
		traits->values = calloc(AVATAR_TRAIT_VALUES_MAX, sizeof(*traits->values));
	if (!traits->values)
		return -ENOMEM;

	*ret = &traits->values[traits->n++];
	**ret = (struct avatar_trait_value){.id = *id};
	return 0;
}

static bool same_bytes(struct span a, struct span b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static int store_value(struct avatar_traits *traits, const struct avatar_trait *trait,
		       int32_t version, uint32_t tick)
{
	struct avatar_trait_value *value = find_value(traits, &trait->id);
	size_t freed = value ? value->len : 0;
	_cleanup_free_ uint8_t *data = NULL;
	int r;

	if (traits->bytes - freed + trait->value.len > AVATAR_TRAITS_BYTES_MAX)
		return -ENOBUFS;
	data = malloc(MAX(trait->value.len, (size_t) 1));
	if (!data)
		return -ENOMEM;
	if (!value) {
		r = add_value(traits, &trait->id, &value);
		if (r < 0)
			return r;
	}

	if (trait->value.len > 0)
		memcpy(data, trait->value.data, trait->value.len);
	free(value->data);
	value->data = TAKE_PTR(data);
	value->len = (uint16_t) trait->value.len;
	value->version = version;
	traits->bytes += value->len - freed;
	traits->changed_tick = tick;
	return 0;
}

/* The URL others are given: the client's own, the domain's, or none. */
static struct span model_url(struct span url, const struct avatar_trait_rules *rules,
			     bool *ret_replaced)
{
	struct span replacement = span_of(rules->replacement, strlen(rules->replacement));

	if (!model_whitelist_allows(rules->whitelist, url) && !same_bytes(url, replacement)) {
		*ret_replaced = true;
		return replacement;
	}
	return model_url_is_local(url) ? span_of(NULL, 0) : url;
}

static int apply_trait(struct avatar_traits *traits, struct avatar_trait *trait,
		       const struct avatar_trait_rules *rules, uint32_t tick, bool *ret_replaced)
{
	struct avatar_trait_value *stored = find_value(traits, &trait->id);

	if (stored && traits->version <= stored->version)
		return 0;
	if (trait->id.type == AVATAR_TRAIT_ENTITY && !rules->may_have_entities)
		trait->deleted = true;
	if (trait->deleted) {
		if (stored)
			remove_value(traits, stored, tick);
		return 0;
	}
	if (trait->id.type == AVATAR_TRAIT_SKELETON_URL)
		trait->value = model_url(trait->value, rules, ret_replaced);
	/* Listeners apply whatever they are sent, and a skeleton resets all joints. */
	if (stored && same_bytes(span_of(stored->data, stored->len), trait->value))
		return 0;
	return store_value(traits, trait, traits->version, tick);
}

int avatar_traits_apply(struct avatar_traits *traits, const void *data, size_t len,
			const struct avatar_trait_rules *rules, uint32_t tick, bool *ret_replaced)
{
	struct reader rd = reader_over(data, len);
	int32_t version = read_i32le(&rd);
	struct avatar_trait trait;
	int r;

	*ret_replaced = false;
	if (rd.failed || version <= 0 || version > AVATAR_TRAIT_VERSION_MAX)
		return -EBADMSG;
	/* A client counts from 1 for each mixer it gets to know. When it begins anew without having
	 * left, its versions go on from the last that listeners were told. */
	if (version <= traits->in_version && version != 1)
		return 0;

	traits->in_version = version;
	traits->version = MAX(version, traits->version + 1);
	while ((r = avatar_trait_decode(&rd, &trait)) > 0) {
		r = apply_trait(traits, &trait, rules, tick, ret_replaced);
		if (r < 0 && r != -ENOBUFS)
			return r;
	}
	return r;
}

void avatar_traits_drop_entities(struct avatar_traits *traits, uint32_t tick)
{
	for (unsigned i = traits->n; i-- > 0;)
		if (traits->values[i].id.type == AVATAR_TRAIT_ENTITY)
			remove_value(traits, &traits->values[i], tick);
}

void avatar_traits_save(const struct avatar_traits *traits, struct writer *wr)
{
	write_u32le(wr, (uint32_t) traits->in_version);
	write_u32le(wr, (uint32_t) traits->version);
	write_u8(wr, (uint8_t) traits->n);
	for (unsigned i = 0; i < traits->n; i++) {
		const struct avatar_trait_value *value = &traits->values[i];

		write_u32le(wr, (uint32_t) value->version);
		write_u8(wr, (uint8_t) value->id.type);
		if (avatar_trait_is_instanced(value->id.type))
			write_uuid(wr, &value->id.instance);
		write_u16le(wr, value->len);
		write_bytes(wr, value->data, value->len);
	}
}

int avatar_traits_restore(struct avatar_traits *traits, struct reader *rd, uint32_t tick)
{
	int32_t in_version = read_i32le(rd), version = read_i32le(rd);
	unsigned n = read_u8(rd);
	struct avatar_trait trait;

	for (unsigned i = 0; i < n; i++) {
		int32_t value_version = read_i32le(rd);
		int r = avatar_trait_decode(rd, &trait);

		if (r <= 0 || trait.deleted || value_version > version)
			return -EBADMSG;
		r = store_value(traits, &trait, value_version, tick);
		if (r < 0)
			return r;
	}
	if (rd->failed || in_version < 0 || version < in_version)
		return -EBADMSG;
	traits->in_version = in_version;
	traits->version = version;
	return 0;
}

/* --- what one listener was told --- */

void avatar_trait_listener_reset(struct avatar_trait_listener *listener)
{
	free(listener->sent);
	*listener = (struct avatar_trait_listener){0};
}

static struct avatar_trait_sent *find_sent(const struct avatar_trait_listener *listener,
					   const struct avatar_trait_id *id)
{
	for (unsigned i = 0; i < listener->n; i++)
		if (same_id(&listener->sent[i].id, id))
			return &listener->sent[i];
	return NULL;
}

/* There is one of these per pair of avatars: most hold the two simple traits. */
static struct avatar_trait_sent *add_sent(struct avatar_trait_listener *listener,
					  const struct avatar_trait_id *id)
{
	if (listener->n == listener->allocated) {
		unsigned allocated = listener->n ? 2u * listener->n : 2;
		struct avatar_trait_sent *sent;

		if (listener->n > AVATAR_TRAIT_SENT_MAX)
			return NULL;
		sent = reallocarray(listener->sent, allocated, sizeof(*sent));
		if (!sent)
			return NULL;
		listener->sent = sent;
		listener->allocated = (uint8_t) allocated;
	}
	listener->sent[listener->n] = (struct avatar_trait_sent){.id = *id};
	return &listener->sent[listener->n++];
}

/* A block begun only when there is something in it. */
struct block {
	struct writer *wr;
	const struct uuid *session;
	int64_t message;
	bool begun;
	bool complete; /* nothing had to be left for later */
};

static void write_header(struct block *block, const struct avatar_trait_id *id, int32_t version)
{
	if (!block->begun)
		write_uuid(block->wr, block->session);
	block->begun = true;
	write_u8(block->wr, (uint8_t) id->type);
	write_u32le(block->wr, (uint32_t) version);
	if (avatar_trait_is_instanced(id->type))
		write_uuid(block->wr, &id->instance);
}

static void write_value(struct block *block, struct avatar_trait_listener *listener,
			const struct avatar_trait_value *value)
{
	struct avatar_trait_sent *sent = find_sent(listener, &value->id);

	if (sent && !sent->deleted && sent->version >= value->version)
		return;
	if (!sent)
		sent = add_sent(listener, &value->id);
	if (!sent || sent->message != 0) {
		block->complete = false;
		return;
	}
	sent->version = value->version;
	sent->message = block->message;

	write_header(block, &value->id, value->version);
	write_u16le(block->wr, value->len);
	write_bytes(block->wr, value->data, value->len);
}

static void write_deletion(struct block *block, const struct avatar_traits *traits,
			   struct avatar_trait_sent *sent)
{
	if (sent->deleted || find_value(traits, &sent->id))
		return;
	if (sent->message != 0) {
		block->complete = false;
		return;
	}
	sent->version = MAX(traits->version, sent->version + 1);
	sent->deleted = true;
	sent->message = block->message;
	write_header(block, &sent->id, sent->version);
	write_u16le(block->wr, (uint16_t) TRAIT_DELETED);
}

bool avatar_traits_write(const struct avatar_traits *traits, const struct uuid *session,
			 struct avatar_trait_listener *listener, int64_t message, uint32_t tick,
			 struct writer *wr)
{
	struct block block = {.wr = wr, .session = session, .message = message, .complete = true};

	if (traits->changed_tick <= listener->seen_tick)
		return false;
	for (unsigned i = 0; i < listener->n; i++)
		write_deletion(&block, traits, &listener->sent[i]);
	for (unsigned i = 0; i < traits->n; i++)
		write_value(&block, listener, &traits->values[i]);
	if (block.complete)
		listener->seen_tick = tick;
	if (block.begun)
		write_u8(wr, (uint8_t) AVATAR_TRAIT_END);
	return block.begun;
}

void avatar_trait_listener_acknowledge(struct avatar_trait_listener *listener, int64_t message)
{
	for (unsigned i = listener->n; i-- > 0;) {
		struct avatar_trait_sent *sent = &listener->sent[i];

		if (sent->message != message)
			continue;
		sent->message = 0;
		if (sent->deleted)
			*sent = listener->sent[--listener->n];
	}
}

void avatar_trait_listener_lost(struct avatar_trait_listener *listener, int64_t message)
{
	for (unsigned i = 0; i < listener->n; i++) {
		struct avatar_trait_sent *sent = &listener->sent[i];

		if (sent->message != message)
			continue;
		sent->message = 0;
		sent->version--;
		sent->deleted = false;
		listener->seen_tick = 0;
	}
}
