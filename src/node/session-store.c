#include "node/session-store.h"

#include <errno.h>

#include "base/clock.h"
#include "base/event.h"
#include "base/log.h"
#include "base/state-file.h"
#include "node/session-records.h"

#define PEERS_MAX 8192
/* Ahead of what else waits in this turn: above all, of what tells peers that we know. */
#define FLUSH_PRIORITY (-10)

enum { TABLE_PULSE, TABLE_SESSION, TABLE_NODES, TABLE_PEERS, N_TABLES };
static_assert(N_TABLES <= STATE_TABLES_MAX, "they fit");

struct session_store {
	struct state_layout layout;
	struct state_file *file;
	bool is_new;
	unsigned tries; /* to take this session over */
	uint64_t opened_usec, pulse_usec;
	struct event_oneshot *settled;

	struct node_list *nodes;
	const struct session_ops *ops;
	void *userdata;

	bool keeps; /* between touch and end */
	bool left;  /* nothing changes any more */
	bool session_changed;
	struct list changed; /* nodes */
	sd_event_source *flush;
	struct log_ratelimit full_log;
};

/* --- taking over --- */

static void write_pulse(struct session_store *s, uint64_t now_usec)
{
	struct writer wr = state_file_begin(s->file, TABLE_PULSE, 0);

	s->pulse_usec = now_usec;
	write_u64le(&wr, now_usec);
	write_u32le(&wr, s->tries);
	(void) state_file_commit(s->file, TABLE_PULSE, 0, &wr);
}

/* NULL: the session there may be taken over. */
static const char *why_not(struct session_store *s, uint64_t now_usec)
{
	struct reader rd;
	struct span span;
	uint64_t last_usec;
	uint32_t tries;

	if (!state_file_read(s->file, TABLE_PULSE, 0, &span))
		return "it never lived";
	rd = reader_over(span.data, span.len);
	last_usec = read_u64le(&rd);
	tries = read_u32le(&rd);
	if (reader_finish(&rd) < 0 || last_usec > now_usec)
		return "its pulse makes no sense";
	if (now_usec - last_usec > SESSION_AGE_MAX_USEC)
		return "nobody worked on it for too long";
	if (tries >= SESSION_TRIES_MAX)
		return "each that took it over died at once";
	s->tries = tries + 1;
	write_pulse(s, last_usec);
	return NULL;
}

void session_store_refuse(struct session_store *s)
{
	struct span span;

	for (unsigned table = 0; table < N_TABLES; table++)
		for (unsigned slot = 0; slot < s->layout.tables[table].n_slots; slot++)
			if (state_file_read(s->file, table, slot, &span))
				state_file_erase(s->file, table, slot);
	/* The only slots of their tables. */
	(void) state_file_take(s->file, TABLE_PULSE);
	(void) state_file_take(s->file, TABLE_SESSION);
}

bool session_store_find(const struct session_store *s, struct span *ret)
{
	return state_file_read(s->file, TABLE_SESSION, 0, ret);
}

static int restore_node(struct session_store *s, const struct stored_node *stored, unsigned slot,
			uint64_t now_usec)
{
	struct reader rd = reader_over(stored->owners.data, stored->owners.len);
	struct node *node;
	int r;

	r = node_list_add(s->nodes, &stored->uuid, stored->local_id, stored->type, now_usec, &node);
	if (r < 0)
		return r;
	node->slot = (int) slot;
	node->permissions = stored->permissions;
	node->is_replicated = stored->is_replicated;
	node->dialect = stored->dialect;
	if (stored->has_secret)
		node_list_set_secret(s->nodes, node, &stored->secret);
	node_list_set_addresses(s->nodes, node, &stored->public_addr, &stored->local_addr);
	node_list_set_symmetric(s->nodes, node, &stored->symmetric_addr);
	if (hifi_addr_is_set(&stored->active))
		node_list_activate(s->nodes, node, &stored->active);
	r = s->ops->restore_node(s->userdata, node, &rd);
	if (r < 0)
		node_list_remove(s->nodes, node);
	return r;
}

void session_store_restore_nodes(struct session_store *s, uint64_t now_usec)
{
	for (unsigned slot = 0; slot < s->layout.tables[TABLE_NODES].n_slots; slot++) {
		struct stored_node stored;
		struct span span;
		int r;

		if (!state_file_read(s->file, TABLE_NODES, slot, &span))
			continue;
		r = stored_node_decode(span, &stored);
		if (r >= 0)
			r = restore_node(s, &stored, slot, now_usec);
		if (r >= 0)
			continue;
		(void) log_debug_errno(r, "A stored node is not taken over: %m");
		/* Unless it went with the node. */
		if (state_file_read(s->file, TABLE_NODES, slot, &span))
			state_file_erase(s->file, TABLE_NODES, slot);
	}
}

bool session_store_next_peer(struct session_store *s, unsigned *position, struct stored_peer *ret)
{
	while (*position < s->layout.tables[TABLE_PEERS].n_slots) {
		unsigned slot = (*position)++;
		struct span span;

		if (!state_file_read(s->file, TABLE_PEERS, slot, &span))
			continue;
		if (stored_peer_decode(span, &ret->addr, &ret->state) < 0) {
			state_file_erase(s->file, TABLE_PEERS, slot);
			continue;
		}
		ret->slot = (int) slot;
		return true;
	}
	return false;
}

/* --- what changes --- */

static void schedule(struct session_store *s)
{
	if (s->keeps)
		(void) sd_event_source_set_enabled(s->flush, SD_EVENT_ONESHOT);
}

void session_store_touch(struct session_store *s)
{
	if (s->left)
		return;
	if (!s->keeps) {
		s->keeps = true;
		write_pulse(s, clock_now_usec());
		node_list_for_each (s->nodes, node)
			session_store_touch_node(s, node);
	}
	s->session_changed = true;
	schedule(s);
}

void session_store_touch_node(struct session_store *s, struct node *node)
{
	if (list_is_empty(&node->changed))
		list_append(&s->changed, &node->changed);
	schedule(s);
}

static void on_node_changed(void *userdata, struct node *node)
{
	session_store_touch_node(userdata, node);
}

static void forget_slot(struct session_store *s, unsigned table, int *slot)
{
	if (*slot >= 0 && !s->left)
		state_file_erase(s->file, table, (unsigned) *slot);
	*slot = -1;
}

static void on_node_killed(void *userdata, struct node *node)
{
	list_remove(&node->changed);
	forget_slot(userdata, TABLE_NODES, &node->slot);
}

/* *slot, or a free one. */
static int reserve(struct session_store *s, unsigned table, int *slot)
{
	if (*slot < 0)
		*slot = state_file_take(s->file, table);
	if (*slot < 0 && log_ratelimit_allows(&s->full_log, NULL))
		log_warning(
			"More is known than can be kept for a successor; it will have to learn the "
			"rest anew.");
	return *slot < 0 ? -ENOBUFS : 0;
}

static void write_node(struct session_store *s, struct node *node)
{
	struct writer wr;

	if (reserve(s, TABLE_NODES, &node->slot) < 0)
		return;
	wr = state_file_begin(s->file, TABLE_NODES, (unsigned) node->slot);
	stored_node_encode(&wr, node);
	s->ops->save_node(s->userdata, node, &wr);
	/* Rather none than what is no longer true. */
	if (state_file_commit(s->file, TABLE_NODES, (unsigned) node->slot, &wr) < 0)
		forget_slot(s, TABLE_NODES, &node->slot);
}

static void write_session(struct session_store *s)
{
	struct writer wr = state_file_begin(s->file, TABLE_SESSION, 0);

	s->ops->save_session(s->userdata, &wr);
	if (state_file_commit(s->file, TABLE_SESSION, 0, &wr) < 0)
		session_store_end(s);
}

void session_store_flush(struct session_store *s)
{
	struct node *node;

	list_for_each (node, &s->changed, changed) {
		list_remove(&node->changed);
		if (s->keeps)
			write_node(s, node);
	}
	if (s->keeps && s->session_changed)
		write_session(s);
	s->session_changed = false;
}

void session_store_leave(struct session_store *s)
{
	session_store_flush(s);
	s->left = true;
	s->keeps = false;
}

static int on_flush(sd_event_source *source, void *userdata)
{
	session_store_flush(userdata);
	return 0;
}

void session_store_end(struct session_store *s)
{
	struct span span;

	s->keeps = false;
	if (!s->left && state_file_read(s->file, TABLE_SESSION, 0, &span)) {
		struct writer wr = state_file_begin(s->file, TABLE_SESSION, 0);

		(void) state_file_commit(s->file, TABLE_SESSION, 0, &wr);
	}
}

void session_store_beat(struct session_store *s, uint64_t now_usec)
{
	write_pulse(s, now_usec);
}

static void on_settled(void *userdata)
{
	struct session_store *s = userdata;

	s->tries = 0;
	if (s->pulse_usec > 0)
		write_pulse(s, s->pulse_usec);
}

/* --- peers --- */

void session_store_save_peer(struct session_store *s, int *slot, const struct hifi_addr *addr,
			     const struct reliable_connection *connection)
{
	struct writer wr;

	/* A web client's channel ends with us. */
	if (s->left || addr->type != SOCKET_TYPE_UDP || reserve(s, TABLE_PEERS, slot) < 0)
		return;
	wr = state_file_begin(s->file, TABLE_PEERS, (unsigned) *slot);
	write_stored_addr(&wr, addr);
	reliable_connection_save(connection, &wr);
	(void) state_file_commit(s->file, TABLE_PEERS, (unsigned) *slot, &wr);
}

void session_store_forget_peer(struct session_store *s, int *slot)
{
	forget_slot(s, TABLE_PEERS, slot);
}

/* --- life --- */

static void lay_out(struct session_store *s, const struct session_store_options *options)
{
	s->layout = (struct state_layout){
		.name = options->kind,
		.n_tables = N_TABLES,
		.tables =
			{
				[TABLE_PULSE] = {1, 12},
				[TABLE_SESSION] = {1, options->session_bytes},
				[TABLE_NODES] = {options->nodes_max,
						 STORED_NODE_MAX + options->node_bytes},
				[TABLE_PEERS] = {PEERS_MAX, STORED_ADDR_LEN + RELIABLE_STATE_LEN},
			},
	};
}

/* What fd holds, when it is of our layout and may be taken over. */
static int open_file(struct session_store *s, int fd)
{
	const char *why;
	struct span span;
	int r;

	r = state_file_open(fd, &s->layout, &s->file);
	if (r < 0) {
		closep(&fd);
		return log_warning_errno(
			r, "What a predecessor left is damaged or of another version; "
			   "starting without it: %m");
	}
	if (!session_store_find(s, &span)) {
		session_store_refuse(s);
		return 0;
	}
	why = why_not(s, s->opened_usec);
	if (why) {
		log_notice("The predecessor's session is not taken over: %s.", why);
		session_store_refuse(s);
	}
	return 0;
}

static int new_file(struct session_store *s)
{
	int r;

	r = state_file_new(&s->layout, &s->file);
	if (r < 0)
		return r;
	session_store_refuse(s);
	s->is_new = true;
	return 0;
}

int session_store_new(sd_event *event, int fd, const struct session_store_options *options,
		      struct session_store **ret)
{
	_cleanup_(session_store_freep) struct session_store *s = calloc(1, sizeof(*s));
	int r = -ENOENT;

	if (!s) {
		closep(&fd);
		return -ENOMEM;
	}
	list_init(&s->changed);
	s->opened_usec = clock_now_usec();
	s->full_log = (struct log_ratelimit){.interval_usec = 600 * USEC_PER_SEC, .burst = 1};
	lay_out(s, options);
	if (fd >= 0)
		r = open_file(s, fd);
	if (r < 0)
		r = new_file(s);
	if (r < 0)
		return r;
	r = event_oneshot_new(event, 0, on_settled, s, "session-settled", &s->settled);
	if (r < 0)
		return r;
	event_oneshot_arm(s->settled, s->opened_usec + SESSION_SETTLED_USEC);
	r = sd_event_add_defer(event, &s->flush, on_flush, s);
	if (r < 0)
		return r;
	(void) sd_event_source_set_enabled(s->flush, SD_EVENT_OFF);
	(void) sd_event_source_set_priority(s->flush, FLUSH_PRIORITY);
	(void) sd_event_source_set_description(s->flush, "session-store");
	*ret = TAKE_PTR(s);
	return 0;
}

void session_store_attach(struct session_store *s, struct node_list *nodes,
			  const struct session_ops *ops, void *userdata)
{
	s->nodes = nodes;
	s->ops = ops;
	s->userdata = userdata;
	node_list_on_changed(nodes, on_node_changed, s);
	node_list_on_killed(nodes, on_node_killed, s);
}

struct session_store *session_store_free(struct session_store *s)
{
	if (!s)
		return NULL;
	event_oneshot_free(s->settled);
	sd_event_source_disable_unref(s->flush);
	state_file_free(s->file);
	free(s);
	return NULL;
}

int session_store_fd(const struct session_store *s)
{
	return state_file_fd(s->file);
}

bool session_store_is_new(const struct session_store *s)
{
	return s->is_new;
}
