/* What a successor finds of its predecessor's nodes, peers and session, and when it must not trust
 * it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "node/session-store.h"

#define T0 (1000 * USEC_PER_SEC)

static const struct session_store_options options = {
	.kind = "test/1",
	.nodes_max = 4,
	.session_bytes = 64,
	.node_bytes = 64,
};

/* One process's life: its nodes' own parts are texts in node->data, and so is that of its session.
 */
struct life {
	sd_event *event;
	struct node_list *nodes;
	struct session_store *store;
	const char *session;
	char texts[8][64];
	unsigned n_texts;
	bool refuses_nodes;
};

static void save_session(void *userdata, struct writer *wr)
{
	struct life *l = userdata;

	write_bytes(wr, l->session, strlen(l->session));
}

static void save_node(void *userdata, const struct node *node, struct writer *wr)
{
	if (node->data)
		write_bytes(wr, node->data, strlen(node->data));
}

static int restore_node(void *userdata, struct node *node, struct reader *rd)
{
	struct life *l = userdata;
	struct span text = read_rest(rd);

	if (l->refuses_nodes)
		return -EBADMSG;
	node->data = l->texts[l->n_texts++];
	(void) snprintf(node->data, sizeof(l->texts[0]), "%.*s", (int) text.len,
			(const char *) text.data);
	return 0;
}

static const struct session_ops ops = {
	.save_session = save_session,
	.save_node = save_node,
	.restore_node = restore_node,
};

static void begin(struct life *l, int fd, const struct session_store_options *o)
{
	*l = (struct life){0};
	assert_int_equal(sd_event_new(&l->event), 0);
	assert_int_equal(node_list_new(&l->nodes), 0);
	assert_int_equal(session_store_new(l->event, fd, o, &l->store), 0);
	session_store_attach(l->store, l->nodes, &ops, l);
}

static void end(struct life *l)
{
	session_store_free(l->store);
	node_list_free(l->nodes);
	sd_event_unref(l->event);
}

/* The predecessor is dead for good: nothing it does on its way out reaches the file. */
static void succeed(struct life *l)
{
	int fd = fcntl(session_store_fd(l->store), F_DUPFD_CLOEXEC, 3);

	assert_true(fd >= 0);
	end(l);
	begin(l, fd, &options);
}

static void turn(struct life *l)
{
	while (sd_event_run(l->event, 0) > 0)
		;
}

static struct node *add(struct life *l, uint8_t id, char type)
{
	struct uuid uuid = {{id}}, secret = {{0xee, id}};
	struct hifi_addr a = hifi_addr_from_ipv4(SOCKET_TYPE_UDP, 0x0a000000u + id, 1000 + id);
	struct hifi_addr b = hifi_addr_from_ipv4(SOCKET_TYPE_UDP, 0xc0a80000u + id, 2000 + id);
	struct node *node;

	assert_int_equal(node_list_add(l->nodes, &uuid, 0x100 + id, type, T0, &node), 0);
	node_list_set_addresses(l->nodes, node, &a, &b);
	node_list_set_secret(l->nodes, node, &secret);
	node->permissions = 0x700 + id;
	return node;
}

static void start_session(struct life *l, const char *text)
{
	l->session = text;
	session_store_touch(l->store);
	turn(l);
}

static void assert_session(const struct life *l, const char *text)
{
	struct span span;

	assert_true(session_store_find(l->store, &span));
	assert_int_equal(span.len, strlen(text));
	assert_memory_equal(span.data, text, span.len);
}

static void assert_clean(struct life *l)
{
	struct stored_peer peer;
	unsigned position = 0;
	struct span span;

	assert_false(session_store_find(l->store, &span));
	session_store_restore_nodes(l->store, T0);
	assert_int_equal(node_list_size(l->nodes), 0);
	assert_false(session_store_next_peer(l->store, &position, &peer));
}

static void test_nodes_are_the_same(void **state)
{
	struct hifi_addr far = hifi_addr_from_ipv4(SOCKET_TYPE_UDP, 0x08080808, 53);
	struct hifi_addr label = hifi_addr_from_ipv4(SOCKET_TYPE_WEBRTC, 0x7f000001, 777);
	struct node *node, *web, *gone;
	struct hifi_addr channel;
	struct life l;

	clock_simulate(T0);
	begin(&l, -1, &options);
	assert_true(session_store_is_new(l.store));
	node = add(&l, 1, 'I');
	node->is_replicated = true;
	node->dialect = DIALECT_OVERTE;
	node->data = (char[]){"subscriptions"};
	node_list_set_symmetric(l.nodes, node, &far);
	node_list_activate(l.nodes, node, &far);
	web = add(&l, 2, 'I');
	node_list_set_addresses(l.nodes, web, &label, &label);
	channel = label;
	channel.channel = 5;
	node_list_activate(l.nodes, web, &channel);
	gone = add(&l, 3, 'S');
	start_session(&l, "audio");
	node_list_remove(l.nodes, gone);

	succeed(&l);
	assert_false(session_store_is_new(l.store));
	assert_session(&l, "audio");
	session_store_restore_nodes(l.store, T0 + 5);
	assert_int_equal(node_list_size(l.nodes), 2);
	node = node_list_find_by_id(l.nodes, 0x101);
	assert_non_null(node);
	assert_int_equal(node->uuid.b[0], 1);
	assert_int_equal(node->type, 'I');
	assert_true(node->is_replicated);
	assert_int_equal(node->dialect, DIALECT_OVERTE);
	assert_int_equal(node->permissions, 0x701);
	assert_int_equal(node->heard_usec, T0 + 5);
	assert_true(node->has_secret);
	assert_int_equal(node->secret.b[1], 1);
	assert_true(hifi_addr_equal(&node->active, &far));
	assert_ptr_equal(node_list_find_by_addr(l.nodes, &far), node);
	assert_string_equal(node->data, "subscriptions");

	/* A web client's channel is no more. */
	web = node_list_find_by_addr(l.nodes, &label);
	assert_non_null(web);
	assert_true(node_is_web(web));
	assert_false(node_is_active(web));
	end(&l);
}

static void test_only_what_was_written_counts(void **state)
{
	struct life l;
	struct node *node;

	clock_simulate(T0);
	begin(&l, -1, &options);
	node = add(&l, 1, 'I');
	turn(&l);
	succeed(&l);
	/* No session, no nodes. */
	assert_clean(&l);

	node = add(&l, 1, 'I');
	node->data = (char[]){"one"};
	start_session(&l, "s");
	node->data = (char[]){"two"};
	session_store_touch_node(l.store, node);
	turn(&l);
	node->data = (char[]){"three"};
	session_store_touch_node(l.store, node);
	succeed(&l);
	session_store_restore_nodes(l.store, T0);
	assert_string_equal(node_list_first(l.nodes)->data, "two");
	end(&l);
}

static void test_what_does_not_fit(void **state)
{
	char longest[100];
	struct life l;
	struct node *node;

	clock_simulate(T0);
	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - 1] = 0;
	begin(&l, -1, &options);
	for (uint8_t i = 1; i <= 6; i++)
		(void) add(&l, i, 'I');
	start_session(&l, "s");
	node = node_list_find_by_id(l.nodes, 0x101);
	node->data = longest;
	session_store_touch_node(l.store, node);
	turn(&l);
	succeed(&l);
	session_store_restore_nodes(l.store, T0);
	/* Four fit, and one of them became too long. */
	assert_int_equal(node_list_size(l.nodes), 3);
	assert_null(node_list_find_by_id(l.nodes, 0x101));
	end(&l);
}

static void test_an_ended_session_leaves_nothing(void **state)
{
	struct life l;

	clock_simulate(T0);
	begin(&l, -1, &options);
	(void) add(&l, 1, 'I');
	start_session(&l, "s");
	session_store_end(l.store);
	node_list_clear(l.nodes);
	turn(&l);
	succeed(&l);
	assert_clean(&l);
	end(&l);
}

/* --- when it is not to be taken over --- */

static void leave_session(struct life *l)
{
	clock_simulate(T0);
	begin(l, -1, &options);
	(void) add(l, 1, 'I');
	start_session(l, "s");
	session_store_beat(l->store, T0);
}

static void test_too_old(void **state)
{
	struct life l;

	leave_session(&l);
	clock_simulate(T0 + SESSION_AGE_MAX_USEC);
	succeed(&l);
	assert_session(&l, "s");
	/* It was not worked on since. */
	clock_simulate(T0 + SESSION_AGE_MAX_USEC + 1);
	succeed(&l);
	assert_clean(&l);
	end(&l);
}

static void test_a_session_that_kills(void **state)
{
	struct life l;

	leave_session(&l);
	for (unsigned i = 0; i < SESSION_TRIES_MAX; i++) {
		succeed(&l);
		assert_session(&l, "s");
	}
	succeed(&l);
	assert_clean(&l);
	end(&l);
}

/* The loop goes by the real clock. */
static uint64_t real_now(const struct life *l)
{
	uint64_t now;

	assert_true(sd_event_now(l->event, CLOCK_MONOTONIC, &now) >= 0);
	return now;
}

static void live_for(struct life *l, uint64_t usec)
{
	uint64_t until = real_now(l) + usec;

	while (real_now(l) < until)
		assert_true(sd_event_run(l->event, 10 * USEC_PER_MSEC) >= 0);
	clock_simulate(real_now(l));
}

static void test_surviving_counts(void **state)
{
	struct life l;

	leave_session(&l);
	clock_simulate(real_now(&l));
	for (unsigned i = 0; i < 3 * SESSION_TRIES_MAX; i++) {
		session_store_beat(l.store, clock_now_usec());
		succeed(&l);
		assert_session(&l, "s");
		if (i % SESSION_TRIES_MAX == 1)
			live_for(&l, SESSION_SETTLED_USEC + 20 * USEC_PER_MSEC);
	}
	end(&l);
}

static void test_of_another_version(void **state)
{
	struct session_store_options other = options;
	struct life l;
	int fd;

	leave_session(&l);
	fd = fcntl(session_store_fd(l.store), F_DUPFD_CLOEXEC, 3);
	end(&l);
	other.kind = "test/2";
	begin(&l, fd, &other);
	assert_true(session_store_is_new(l.store));
	assert_clean(&l);
	end(&l);
}

static void test_refused(void **state)
{
	struct life l;

	leave_session(&l);
	succeed(&l);
	session_store_refuse(l.store);
	assert_clean(&l);
	/* And it can be used. */
	(void) add(&l, 2, 'I');
	start_session(&l, "t");
	succeed(&l);
	assert_session(&l, "t");
	end(&l);
}

static void test_nodes_the_owner_refuses(void **state)
{
	struct life l;

	leave_session(&l);
	succeed(&l);
	l.refuses_nodes = true;
	session_store_restore_nodes(l.store, T0);
	assert_int_equal(node_list_size(l.nodes), 0);
	succeed(&l);
	session_store_restore_nodes(l.store, T0);
	assert_int_equal(node_list_size(l.nodes), 0);
	end(&l);
}

/* --- peers --- */

static int drop(void *userdata, const struct iovec *iov, unsigned n_iov, bool control)
{
	return 0;
}

static void test_peers(void **state)
{
	const struct reliable_connection_ops connection_ops = {.send = drop};
	const struct reliable_connection_options connection_options = {.queue_limit_bytes = 1000};
	struct hifi_addr udp = hifi_addr_from_ipv4(SOCKET_TYPE_UDP, 0x01020304, 5);
	struct hifi_addr web = hifi_addr_from_ipv4(SOCKET_TYPE_WEBRTC, 0x01020304, 6);
	int slot = -1, web_slot = -1, gone_slot = -1;
	struct reliable_connection *c;
	struct stored_peer stored;
	unsigned position = 0;
	struct reader rd;
	struct life l;

	leave_session(&l);
	assert_int_equal(reliable_connection_new(&connection_options, &connection_ops, NULL, 1, &c),
			 0);
	reliable_connection_receive_control(c, &(struct control_packet){CONTROL_HANDSHAKE, 100},
					    T0);
	assert_true(reliable_connection_receive_data(c, 100, T0));
	session_store_save_peer(l.store, &slot, &udp, c);
	assert_true(reliable_connection_receive_data(c, 101, T0));
	session_store_save_peer(l.store, &slot, &udp, c);
	session_store_save_peer(l.store, &web_slot, &web, c);
	assert_int_equal(web_slot, -1);
	session_store_save_peer(l.store, &gone_slot, &udp, c);
	assert_true(gone_slot >= 0);
	session_store_forget_peer(l.store, &gone_slot);
	assert_int_equal(gone_slot, -1);
	reliable_connection_free(c);

	succeed(&l);
	assert_true(session_store_next_peer(l.store, &position, &stored));
	assert_true(hifi_addr_equal(&stored.addr, &udp));
	assert_int_equal(stored.slot, slot);
	assert_int_equal(reliable_connection_new(&connection_options, &connection_ops, NULL, 1, &c),
			 0);
	rd = reader_over(stored.state.data, stored.state.len);
	assert_int_equal(reliable_connection_restore(c, &rd), 0);
	assert_int_equal(reader_finish(&rd), 0);
	assert_false(reliable_connection_receive_data(c, 101, T0));
	assert_true(reliable_connection_receive_data(c, 102, T0));
	assert_false(session_store_next_peer(l.store, &position, &stored));
	reliable_connection_free(c);
	end(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nodes_are_the_same),
		cmocka_unit_test(test_only_what_was_written_counts),
		cmocka_unit_test(test_what_does_not_fit),
		cmocka_unit_test(test_an_ended_session_leaves_nothing),
		cmocka_unit_test(test_too_old),
		cmocka_unit_test(test_a_session_that_kills),
		cmocka_unit_test(test_surviving_counts),
		cmocka_unit_test(test_of_another_version),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_nodes_the_owner_refuses),
		cmocka_unit_test(test_peers),
	};

	return cmocka_run_group_tests_name("session-store", tests, NULL, NULL);
}
