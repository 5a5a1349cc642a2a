#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mixer-fixture.h"

#include "base/clock.h"

#define DEADLINE_USEC (30 * USEC_PER_SEC)

static const struct endpoint_ops no_ops = {0};

static void on_killed(void *userdata, struct node *node)
{
	struct fixture *f = userdata;

	for (unsigned i = 0; i < f->n_clients; i++)
		if (f->clients[i].node == node)
			f->clients[i].node = NULL;
	if (f->ops->node_killed)
		f->ops->node_killed(f->hat, node);
}

static void open_endpoint(struct fixture *f, struct node_list **ret_nodes, struct endpoint **ret)
{
	const struct endpoint_options options = {.fd = -1, .loopback_only = true};

	assert_int_equal(node_list_new(ret_nodes), 0);
	assert_int_equal(endpoint_new(f->event, &options, *ret_nodes, &no_ops, f, ret), 0);
}

static void start_hat(struct fixture *f)
{
	const struct hat_context context = {
		.event = f->event,
		.endpoint = f->ep,
		.nodes = f->nodes,
	};

	assert_int_equal(f->ops->start(&context, f->settings, &f->hat), 0);
}

void fixture_open(struct fixture *f, const struct hat_ops *ops, const char *settings)
{
	*f = (struct fixture){.ops = ops,
			      .settings = json_loads(settings ? settings : "{}", 0, NULL)};
	assert_non_null(f->settings);
	assert_int_equal(sd_event_new(&f->event), 0);
	open_endpoint(f, &f->nodes, &f->ep);
	endpoint_set_local_id(f->ep, 1);
	start_hat(f);
	node_list_on_killed(f->nodes, on_killed, f);
}

void fixture_succeed(struct fixture *f)
{
	struct writer saved[FIXTURE_CLIENTS_MAX];

	for (unsigned i = 0; i < f->n_clients; i++) {
		struct node *node = f->clients[i].node;

		saved[i] = writer_growing(HAT_NODE_BYTES_MAX);
		if (!node)
			continue;
		f->ops->save_node(f->hat, node, &saved[i]);
		assert_true(writer_finish(&saved[i]) >= 0);
	}
	for (unsigned i = 0; i < f->n_clients; i++)
		if (f->clients[i].node && f->ops->node_killed)
			f->ops->node_killed(f->hat, f->clients[i].node);
	f->ops->stop(f->hat);
	start_hat(f);
	for (unsigned i = 0; i < f->n_clients; i++) {
		struct reader rd = reader_over(saved[i].data, saved[i].len);

		if (f->clients[i].node) {
			f->ops->node_added(f->hat, f->clients[i].node);
			assert_int_equal(f->ops->restore_node(f->hat, f->clients[i].node, &rd), 0);
		}
		writer_done(&saved[i]);
	}
}

void fixture_close(struct fixture *f)
{
	node_list_clear(f->nodes);
	if (f->hat)
		f->ops->stop(f->hat);
	endpoint_free(f->ep);
	node_list_free(f->nodes);
	json_decref(f->settings);
	for (unsigned i = 0; i < f->n_clients; i++) {
		fixture_clear(&f->clients[i]);
		endpoint_free(f->clients[i].ep);
		node_list_free(f->clients[i].nodes);
	}
	sd_event_unref(f->event);
}

static int on_packet(void *userdata, const struct received *rx)
{
	struct fixture_client *c = userdata;
	struct fixture_packet *packet = &c->packets[c->n_packets % FIXTURE_PACKETS_MAX];

	free(packet->data);
	*packet = (struct fixture_packet){
		.type = rx->type,
		.len = rx->payload.len,
		.data = malloc(rx->payload.len + 1),
	};
	assert_non_null(packet->data);
	if (rx->payload.len > 0)
		memcpy(packet->data, rx->payload.data, rx->payload.len);
	c->n_packets++;
	return 0;
}

static struct hifi_addr addr_of(const struct endpoint *ep)
{
	return hifi_addr_from_ipv4(SOCKET_TYPE_UDP, INADDR_LOOPBACK, endpoint_port(ep));
}

static struct node *introduce(struct node_list *nodes, const struct uuid *uuid, uint16_t local_id,
			      char type, const struct endpoint *at, const struct uuid *secret)
{
	struct hifi_addr addr = addr_of(at);
	struct node *node;

	assert_int_equal(node_list_add(nodes, uuid, local_id, type, clock_now_usec(), &node), 0);
	node_list_set_addresses(nodes, node, &addr, &addr);
	node_list_activate(nodes, node, &addr);
	node_list_set_secret(nodes, node, secret);
	return node;
}

struct fixture_client *fixture_add(struct fixture *f, char type, uint32_t permissions)
{
	struct fixture_client *c = &f->clients[f->n_clients];
	uint16_t local_id = (uint16_t) (0x100 + f->n_clients);
	struct uuid secret = uuid_random(), mixer_uuid = uuid_random();

	assert_true(f->n_clients < FIXTURE_CLIENTS_MAX);
	f->n_clients++;
	c->fixture = f;
	c->uuid = uuid_random();
	open_endpoint(f, &c->nodes, &c->ep);
	endpoint_set_local_id(c->ep, local_id);
	for (unsigned type_number = 0; type_number < PACKET_TYPE_COUNT; type_number++)
		endpoint_handle(c->ep, (enum packet_type) type_number, on_packet, c);

	c->mixer = introduce(c->nodes, &mixer_uuid, 1, hat_find(f->ops->hat)->node_type, f->ep,
			     &secret);
	c->node = introduce(f->nodes, &c->uuid, local_id, type, c->ep, &secret);
	c->node->permissions = permissions;
	if (f->ops->node_added)
		f->ops->node_added(f->hat, c->node);
	if (f->ops->node_activated)
		f->ops->node_activated(f->hat, c->node);
	return c;
}

void fixture_kill(struct fixture_client *c)
{
	node_list_remove(c->fixture->nodes, c->node);
}

void fixture_send(struct fixture_client *c, enum packet_type type, const void *data, size_t len)
{
	assert_int_equal(endpoint_send_node(c->ep, c->mixer, type, span_of(data, len)), 0);
}

void fixture_send_reliable(struct fixture_client *c, enum packet_type type, const void *data,
			   size_t len)
{
	assert_int_equal(endpoint_send_node_reliable(c->ep, c->mixer, type, span_of(data, len)), 0);
}

void fixture_send_message(struct fixture_client *c, enum packet_type type, const void *data,
			  size_t len)
{
	_cleanup_(shared_bytes_unrefp) struct shared_bytes *payload = shared_bytes_new(data, len);

	assert_non_null(payload);
	assert_int_equal(endpoint_send_node_message(c->ep, c->mixer, type, payload), 0);
}

unsigned fixture_count(const struct fixture_client *c, enum packet_type type)
{
	unsigned n = 0;

	for (unsigned i = 0; i < MIN(c->n_packets, (unsigned) FIXTURE_PACKETS_MAX); i++)
		n += c->packets[i].type == type;
	return n;
}

const struct fixture_packet *fixture_last(const struct fixture_client *c, enum packet_type type)
{
	for (unsigned i = c->n_packets; i > 0 && c->n_packets - i < FIXTURE_PACKETS_MAX; i--)
		if (c->packets[(i - 1) % FIXTURE_PACKETS_MAX].type == type)
			return &c->packets[(i - 1) % FIXTURE_PACKETS_MAX];
	return NULL;
}

bool fixture_wait(struct fixture_client *c, enum packet_type type, unsigned n)
{
	uint64_t deadline = clock_now_usec() + DEADLINE_USEC;

	while (fixture_count(c, type) < n && clock_now_usec() < deadline)
		assert_true(sd_event_run(c->fixture->event, 20 * USEC_PER_MSEC) >= 0);
	return fixture_count(c, type) >= n;
}

void fixture_run(struct fixture *f, uint64_t usec)
{
	uint64_t deadline = clock_now_usec() + usec;

	while (clock_now_usec() < deadline)
		assert_true(sd_event_run(f->event, 5 * USEC_PER_MSEC) >= 0);
}

void fixture_clear(struct fixture_client *c)
{
	for (unsigned i = 0; i < FIXTURE_PACKETS_MAX; i++) {
		free(c->packets[i].data);
		c->packets[i] = (struct fixture_packet){0};
	}
	c->n_packets = 0;
}
