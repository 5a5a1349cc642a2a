#include "load/client.h"

#include <errno.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/log.h"

#define RECEIVE_BUFFER (1024 * 1024)

static const struct part *const parts[LOAD_MIXER_COUNT] = {
	[LOAD_MIXER_AUDIO] = &audio_part,
	[LOAD_MIXER_AVATAR] = &avatar_part,
	[LOAD_MIXER_MESSAGES] = &messages_part,
	[LOAD_MIXER_ENTITY] = &entity_part,
};

/* --- mixers come and go --- */

static void stop_part(struct client *c, enum load_mixer mixer)
{
	if (!c->mixers[mixer])
		return;
	if (parts[mixer]->stop)
		parts[mixer]->stop(c);
	c->mixers[mixer] = NULL;
}

static bool has_all_mixers(const struct client *c)
{
	for (unsigned i = 0; i < LOAD_MIXER_COUNT; i++)
		if (scene_uses(c->scene, i) && !c->mixers[i])
			return false;
	return true;
}

static void on_activated(void *userdata, struct node *node)
{
	struct client *c = userdata;
	enum load_mixer mixer = load_mixer_of(node->type);
	uint64_t now = clock_now_usec();

	if (mixer == LOAD_MIXER_COUNT || !scene_uses(c->scene, mixer) || !c->session)
		return;
	stop_part(c, mixer);
	c->mixers[mixer] = node;
	parts[mixer]->start(c, now);

	if (!c->is_complete && has_all_mixers(c)) {
		c->is_complete = true;
		c->scene->measures.run.connections++;
		histogram_add(&c->scene->measures.run.connect, now - c->asked_usec);
	}
}

static void on_killed(void *userdata, struct node *node)
{
	struct client *c = userdata;
	enum load_mixer mixer = load_mixer_of(node->type);

	if (mixer == LOAD_MIXER_COUNT)
		return;
	node_traffic_add(&c->scene->measures.gone[mixer], &node->traffic);
	if (c->mixers[mixer] != node)
		return;
	stop_part(c, mixer);
	if (!c->is_leaving) {
		c->scene->measures.run.mixers_lost++;
		log_debug("Client %u: %s-mixer lost", c->index, load_mixer_name(mixer));
	}
}

/* --- sessions --- */

static void on_connected(void *userdata)
{
	struct client *c = userdata;
	struct uuid id = domain_client_session(c->dc);
	int r;

	r = sessions_join(&c->scene->sessions, &id, c->index, &c->session);
	if (r < 0)
		(void) log_warning_errno(r, "Client %u: session %s: %m", c->index, UUID_TEXT(&id));
}

static void on_ended(void *userdata, const char *why)
{
	struct client *c = userdata;
	uint64_t now = clock_now_usec();

	/* An attempt to connect failed; the next is on its way. */
	if (!c->session)
		return;
	sessions_leave(c->session, now);
	c->session = NULL;
	c->is_complete = false;
	c->asked_usec = now;
	if (!c->is_leaving) {
		log_notice("Client %u: %s", c->index, why);
		c->scene->measures.run.ended++;
	}
}

static void on_denied(void *userdata, unsigned reason, const char *message)
{
	struct client *c = userdata;

	/* It is asked again every second. */
	if (c->scene->measures.run.denied++ == 0)
		log_warning("The domain refuses: %s", message);
}

static const struct domain_client_ops domain_client_ops = {
	.connected = on_connected,
	.ended = on_ended,
	.node_activated = on_activated,
	.node_killed = on_killed,
	.denied = on_denied,
};

/* --- packets --- */

static const struct part_handler *find_handler(const struct part *part, uint8_t type)
{
	for (size_t i = 0; i < part->n_handlers; i++)
		if (part->handlers[i].type == type)
			return &part->handlers[i];
	return NULL;
}

static int on_packet(void *userdata, const struct received *rx)
{
	struct client *c = userdata;
	enum load_mixer mixer = rx->node ? load_mixer_of(rx->node->type) : LOAD_MIXER_COUNT;
	const struct part_handler *handler;

	if (mixer == LOAD_MIXER_COUNT)
		return -EPERM;
	/* Contact was made from its side first. */
	if (c->mixers[mixer] != rx->node)
		return -ESTALE;
	handler = find_handler(parts[mixer], rx->type);
	return handler ? handler->fn(c, rx) : -EPERM;
}

int client_send(struct client *c, enum load_mixer mixer, enum packet_type type,
		const struct writer *wr)
{
	ssize_t n = writer_finish(wr);

	return n < 0 ? (int) n
		     : endpoint_send_node(c->ep, c->mixers[mixer], type,
					  span_of(wr->data, wr->len));
}

int client_send_reliable(struct client *c, enum load_mixer mixer, enum packet_type type,
			 const struct writer *wr)
{
	ssize_t n = writer_finish(wr);

	return n < 0 ? (int) n
		     : endpoint_send_node_reliable(c->ep, c->mixers[mixer], type,
						   span_of(wr->data, wr->len));
}

int client_send_message(struct client *c, enum load_mixer mixer, enum packet_type type,
			const struct writer *wr)
{
	_cleanup_(shared_bytes_unrefp) struct shared_bytes *payload = NULL;
	ssize_t n = writer_finish(wr);

	if (n < 0)
		return (int) n;
	payload = shared_bytes_new(wr->data, wr->len);
	if (!payload)
		return -ENOMEM;
	return endpoint_send_node_message(c->ep, c->mixers[mixer], type, payload);
}

/* --- time --- */

void client_receive(struct client *c)
{
	endpoint_receive(c->ep);
}

void client_frame(struct client *c, uint64_t frame, uint64_t now_usec)
{
	domain_client_run(c->dc, now_usec);
	for (unsigned i = 0; i < LOAD_MIXER_COUNT; i++)
		if (c->mixers[i])
			parts[i]->frame(c, frame, now_usec);
	endpoint_run(c->ep);
}

/* --- joining and leaving --- */

static const struct endpoint_ops endpoint_ops;

/* As much as native clients ask for. More would only hide for longer that we do not keep up. */
static void limit_receive_buffer(int fd)
{
	int size = RECEIVE_BUFFER;

	(void) setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
}

static int open_endpoint(struct client *c)
{
	const struct endpoint_options options = {
		.fd = -1,
		.loopback_only = hifi_addr_is_loopback(&c->scene->domain),
	};
	int r;

	r = node_list_new(&c->nodes);
	if (r < 0)
		return r;
	r = endpoint_new(NULL, &options, c->nodes, &endpoint_ops, c, &c->ep);
	if (r < 0)
		return r;
	limit_receive_buffer(endpoint_fd(c->ep));
	for (unsigned i = 0; i < LOAD_MIXER_COUNT; i++)
		for (size_t h = 0; h < parts[i]->n_handlers; h++)
			endpoint_handle(c->ep, parts[i]->handlers[h].type, on_packet, c);
	return 0;
}

static struct uuid fingerprint(const struct client *c)
{
	struct prng prng = {.state = c->scene->run_id * UINT64_C(1000003) + c->index};
	struct uuid id;
	uint64_t half;

	for (unsigned i = 0; i < sizeof(id.b); i += sizeof(half)) {
		half = prng_next(&prng);
		memcpy(id.b + i, &half, sizeof(half));
	}
	return id;
}

static void count_faults(struct client *c)
{
	const struct drop_counts *drops = endpoint_drops(c->ep);

	for (unsigned i = 0; i < DROP_REASON_COUNT; i++) {
		enum fault fault = fault_of_drop(i);

		if (fault != FAULT_COUNT)
			c->scene->measures.run.faults.n[fault] += drops->n[i];
		c->scene->measures.run.drops.n[i] += drops->n[i];
	}
	c->scene->measures.run.kernel_drops += endpoint_udp_stats(c->ep)->kernel_drops;
	c->scene->measures.run.send_drops += endpoint_udp_stats(c->ep)->send_drops;
}

static void close_all(struct client *c)
{
	c->dc = domain_client_free(c->dc);
	if (c->ep)
		count_faults(c);
	c->ep = endpoint_free(c->ep);
	c->nodes = node_list_free(c->nodes);
}

int client_join(struct client *c, uint64_t now_usec)
{
	const struct domain_client_options options = {
		.domain = c->scene->domain,
		.as_agent = true,
		.fingerprint = fingerprint(c),
		.interest = c->scene->interest,
	};
	int r;

	c->asked_usec = now_usec;
	r = open_endpoint(c);
	if (r >= 0)
		r = domain_client_new(NULL, c->ep, c->nodes, &options, &domain_client_ops, c,
				      &c->dc);
	if (r < 0)
		close_all(c);
	return r;
}

void client_leave(struct client *c)
{
	c->is_leaving = true;
	close_all(c);
	c->is_leaving = false;
}

void client_add_traffic(const struct client *c, struct node_traffic sum[static LOAD_MIXER_COUNT])
{
	for (unsigned i = 0; i < LOAD_MIXER_COUNT; i++)
		if (c->mixers[i])
			node_traffic_add(&sum[i], &c->mixers[i]->traffic);
}

/* --- life --- */

int client_init(struct client *c, struct scene *scene, unsigned index)
{
	int r;

	*c = (struct client){
		.scene = scene,
		.index = index,
		.prng = {.state = scene->options->seed * UINT64_C(1000003) + index},
	};
	c->walker = walker_make(&c->prng, scene->options->spread_m, scene->options->move);
	for (unsigned i = 0; i < LOAD_MIXER_COUNT; i++) {
		r = parts[i]->init ? parts[i]->init(c) : 0;
		if (r < 0)
			return r;
	}
	return 0;
}

void client_done(struct client *c)
{
	if (!c->scene)
		return;
	client_leave(c);
	for (unsigned i = 0; i < LOAD_MIXER_COUNT; i++)
		if (parts[i]->done)
			parts[i]->done(c);
}
