/* What survives this process: the domain's identity and who lives in it. A successor knows native
 * clients and mixers as if nothing had happened. Web clients it has to forget: their channels to us
 * died, and they come back by themselves (protocol 02 section 15). */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "domain-server/server-internal.h"
#include "node/session-store.h"

/* Of any text of a resident; what a datagram can hold, sanitised. */
#define TEXT_MAX 9000

static const struct session_store_options store_options = {
	.kind = "domain-server/1",
	.nodes_max = 8192,
	.session_bytes = 256,
	.node_bytes = 5 * TEXT_MAX,
};

enum {
	FLAG_ASSIGNED = 1,
	FLAG_CAN_SIGNAL = 2,
	FLAG_CHECKED_IN = 4,
};

/* --- texts --- */

static void write_text(struct writer *wr, const char *text)
{
	write_string32(wr, text, strlen(text));
}

/* On the heap; NULL and failed, or out of memory. */
static char *read_text(struct reader *rd)
{
	struct span text = read_string32(rd, TEXT_MAX);

	if (!utf8_is_valid(text.data, text.len))
		reader_fail(rd);
	return rd->failed ? NULL : strndup(text.len ? (const char *) text.data : "", text.len);
}

/* --- the domain --- */

static void save_domain(void *userdata, struct writer *wr)
{
	const struct server *s = userdata;

	write_uuid(wr, &s->id);
	write_u16le(wr, s->local_id);
	write_u16le(wr, s->local_ids.last);
	write_bytes(wr, pair_secrets_key(s->secrets), PAIR_SECRETS_KEY_LEN);
}

static int restore_domain(struct server *s, struct span data)
{
	struct reader rd = reader_over(data.data, data.len);
	struct uuid id = read_uuid(&rd);
	uint16_t local_id = read_u16le(&rd), last = read_u16le(&rd);
	const uint8_t *key = read_bytes(&rd, PAIR_SECRETS_KEY_LEN);
	struct pair_secrets *secrets;
	int r;

	r = reader_finish(&rd);
	if (r < 0 || local_id == 0)
		return -EBADMSG;
	r = pair_secrets_new(key, &secrets);
	if (r < 0)
		return r;
	pair_secrets_free(s->secrets);
	s->secrets = secrets;
	/* An id of its own, unless one is configured. */
	if (s->has_random_id)
		s->id = id;
	s->local_id = local_id;
	local_ids_init(&s->local_ids, (uint16_t) (last + 1));
	(void) local_ids_reserve(&s->local_ids, local_id);
	endpoint_set_local_id(s->ep, local_id);
	return 0;
}

/* --- residents --- */

static void save_resident(void *userdata, const struct node *node, struct writer *wr)
{
	const struct resident *r = resident_of(node);

	/* Who has not shown to exist begins anew. */
	if (!r || !r->is_proven)
		return;
	write_u8(wr, (uint8_t) ((r->assignment ? FLAG_ASSIGNED : 0) |
				(r->can_signal ? FLAG_CAN_SIGNAL : 0) |
				(r->checked_in_usec > 0 ? FLAG_CHECKED_IN : 0)));
	write_uuid(wr, &r->machine_fingerprint);
	write_uuid(wr, &r->connect_uuid);
	write_text(wr, r->interests);
	write_text(wr, r->version);
	write_text(wr, r->username ? r->username : "");
	write_text(wr, r->claimed_username);
	write_text(wr, r->place_name);
	write_text(wr, r->hardware_address);
	if (!r->assignment)
		return;
	write_uuid(wr, &r->assignment->id);
	write_u8(wr, (uint8_t) r->assignment->type);
	write_text(wr, r->assignment->pool);
	write_text(wr, r->assignment->payload);
}

static void read_short_text(struct reader *rd, char *ret, size_t size)
{
	struct span text = read_string32(rd, size - 1);

	if (text.len > 0)
		memcpy(ret, text.data, text.len);
	ret[text.len] = '\0';
}

void resident_assignment_done(struct resident_assignment *a)
{
	free(a->pool);
	free(a->payload);
}

static void read_assignment(struct reader *rd, struct resident_assignment *ret)
{
	ret->id = read_uuid(rd);
	ret->type = read_u8(rd);
	ret->pool = read_text(rd);
	ret->payload = read_text(rd);
	if (!hat_find(ret->type))
		reader_fail(rd);
}

int resident_decode(struct reader *rd, struct resident *r, struct resident_assignment *ret)
{
	uint8_t flags = read_u8(rd);
	int result;

	*ret = (struct resident_assignment){.exists = flags & FLAG_ASSIGNED};
	r->is_proven = true;
	r->can_signal = flags & FLAG_CAN_SIGNAL;
	r->checked_in_usec = flags & FLAG_CHECKED_IN;
	r->machine_fingerprint = read_uuid(rd);
	r->connect_uuid = read_uuid(rd);
	read_short_text(rd, r->interests, sizeof(r->interests));
	read_short_text(rd, r->version, sizeof(r->version));
	r->username = read_text(rd);
	r->claimed_username = read_text(rd);
	r->place_name = read_text(rd);
	r->hardware_address = read_text(rd);
	if (ret->exists)
		read_assignment(rd, ret);
	result = reader_finish(rd);
	if (result < 0)
		return result;
	if (!r->username || !r->claimed_username || !r->place_name || !r->hardware_address ||
	    (ret->exists && (!ret->pool || !ret->payload)))
		return -ENOMEM;
	if (!r->username[0]) {
		free(r->username);
		r->username = NULL;
	}
	return 0;
}

static int restore_assignment(struct server *s, struct resident *r,
			      const struct resident_assignment *a)
{
	const struct hat_info *hat = hat_find(a->type);

	if (!a->exists)
		return 0;
	if (hat->node_type != r->node->type)
		return -EBADMSG;
	return assignments_restore(s->assignments, &a->id, hat->hat, a->pool, a->payload,
				   &r->assignment);
}

static int restore_resident(void *userdata, struct node *node, struct reader *rd)
{
	_cleanup_(resident_assignment_done) struct resident_assignment assignment = {0};
	_cleanup_(resident_freep) struct resident *r = NULL;
	struct server *s = userdata;
	int result;

	if (node_is_web(node) || !node_is_active(node))
		return -ESTALE;
	r = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	list_init(&r->link);
	r->server = s;
	r->node = node;
	result = resident_decode(rd, r, &assignment);
	if (result < 0)
		return result;
	if (!local_ids_reserve(&s->local_ids, node->local_id))
		return -EEXIST;
	result = restore_assignment(s, r, &assignment);
	if (result < 0) {
		local_ids_give_back(&s->local_ids, node->local_id);
		return result;
	}
	/* Since when it is here nobody asks. */
	r->checked_in_usec = r->checked_in_usec ? node->added_usec : 0;
	list_append(r->assignment ? &s->mixers : &s->agents, &r->link);
	node->data = TAKE_PTR(r);
	return 0;
}

static const struct session_ops session_ops = {
	.save_session = save_domain,
	.save_node = save_resident,
	.restore_node = restore_resident,
};

/* --- life --- */

void succession_open(struct server *s)
{
	int r;

	r = session_store_new(s->event, TAKE_FD(s->options.session_fd), &store_options, &s->store);
	if (r < 0) {
		(void) log_warning_errno(r, "Nothing can be kept for a successor: %m");
		return;
	}
	if (session_store_is_new(s->store))
		notify_store_fd("sessions", session_store_fd(s->store));
	session_store_attach(s->store, s->nodes, &session_ops, s);
}

int succession_restore(struct server *s)
{
	struct span span;
	int r = 0;

	if (!s->store)
		return 0;
	if (session_store_find(s->store, &span)) {
		r = restore_domain(s, span);
		if (r < 0) {
			(void) log_warning_errno(r,
						 "The predecessor's domain is not taken over: %m");
			session_store_refuse(s->store);
		} else {
			session_store_restore_nodes(s->store, clock_now_usec());
			endpoint_restore_peers(s->ep);
			log_notice("Going on with %u people and mixers of before",
				   node_list_size(s->nodes));
		}
		/* Who is at work need not be queued, and the settings may have changed. */
		r = assignments_configure(s->assignments, config_json(s->config));
		residents_recheck(s);
	}
	succession_touch(s);
	return r;
}

void succession_touch(struct server *s)
{
	if (s->store)
		session_store_touch(s->store);
}

void resident_touch(struct resident *r)
{
	if (r->server->store)
		session_store_touch_node(r->server->store, r->node);
}
