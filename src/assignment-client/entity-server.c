/* entity-server: for now the server of an empty world. It takes part as a node, answers queries
 * with completion and statistics, and refuses edits. Wire: protocol 06a sections 6 and 8;
 * behaviour: 06c. */
#include <errno.h>
#include <stdio.h>

#include "assignment-client/hats.h"
#include "base/log.h"
#include "entity/entity-query.h"

#define OCTREE_STATS_LEN               222
#define OCTREE_STATS_FULL_SCENE_OFFSET 32

/* node->data: what is known of a viewer. */
struct viewer {
	bool has_query;
	bool completed; /* the scene was reported complete for this connection id */
	uint16_t connection_id;
	unsigned n_views;
	uint64_t refused_edits;
	bool warned;
};

struct entity_server {
	struct hat_context context;
	uint64_t queries, refused_edits;
};

/* One scene, complete and empty. */
static void send_octree_stats(struct entity_server *es, struct node *node, uint64_t now_usec)
{
	uint8_t data[OCTREE_STATS_LEN];
	struct writer wr = writer_over(data, sizeof(data));

	write_u64le(&wr, now_usec);
	write_u64le(&wr, now_usec);
	write_zeros(&wr, OCTREE_STATS_FULL_SCENE_OFFSET - 16);
	write_u8(&wr, 1);
	write_zeros(&wr, OCTREE_STATS_LEN - OCTREE_STATS_FULL_SCENE_OFFSET - 1);
	(void) endpoint_send_node_reliable(es->context.endpoint, node, PACKET_OCTREE_STATS,
					   span_of(data, wr.len));
}

/* The sequence number of the next octree packet: none was ever sent. */
static int send_completion(struct entity_server *es, struct node *node)
{
	static const uint8_t next_sequence[2] = {0, 0};

	return endpoint_send_node_reliable(es->context.endpoint, node,
					   PACKET_ENTITY_QUERY_INITIAL_RESULTS_COMPLETE,
					   span_of(next_sequence, sizeof(next_sequence)));
}

static int on_query(void *userdata, const struct received *rx)
{
	struct entity_server *es = userdata;
	struct entity_query query;
	struct viewer *viewer;
	int r;

	if (!rx->node || !rx->node->data)
		return -EPERM;
	r = entity_query_decode(rx->payload, &query);
	if (r < 0)
		return r;

	viewer = rx->node->data;
	hat_touch(&es->context, rx->node);
	es->queries++;
	if (!viewer->has_query || viewer->connection_id != query.connection_id) {
		/* A new connection forgets what the viewer was told. */
		viewer->completed = false;
		send_octree_stats(es, rx->node, rx->now_usec);
	}
	viewer->has_query = true;
	viewer->connection_id = query.connection_id;
	viewer->n_views = query.n_views;
	/* A viewer whose address is not proven yet asks again in three seconds. */
	if (query.flags & ENTITY_QUERY_WANT_COMPLETION && !viewer->completed)
		viewer->completed = send_completion(es, rx->node) >= 0;
	return 0;
}

static int on_edit(void *userdata, const struct received *rx)
{
	struct entity_server *es = userdata;
	struct viewer *viewer = rx->node ? rx->node->data : NULL;

	es->refused_edits++;
	if (viewer) {
		viewer->refused_edits++;
		if (!viewer->warned)
			log_warning("%s from node %s refused: this server keeps no entities.",
				    packet_type_name(rx->type), UUID_TEXT(&rx->node->uuid));
		viewer->warned = true;
	}
	return -EPERM;
}

/* Nothing was ever sent that could be missing. */
static int on_nack(void *userdata, const struct received *rx)
{
	return rx->payload.len % 2 == 0 ? 0 : -EBADMSG;
}

static const struct {
	enum packet_type type;
	packet_handler_fn fn;
} handlers[] = {
	{PACKET_ENTITY_QUERY, on_query},  {PACKET_OCTREE_DATA_NACK, on_nack},
	{PACKET_ENTITY_ADD, on_edit},     {PACKET_ENTITY_EDIT, on_edit},
	{PACKET_ENTITY_CLONE, on_edit},   {PACKET_ENTITY_ERASE, on_edit},
	{PACKET_ENTITY_PHYSICS, on_edit},
};

static void on_node_added(void *hat, struct node *node)
{
	node->data = calloc(1, sizeof(struct viewer));
}

static void on_node_killed(void *hat, struct node *node)
{
	free(node->data);
	node->data = NULL;
}

enum {
	SAVED_QUERY = 1,
	SAVED_COMPLETED = 2,
};

static void save_node(void *hat, const struct node *node, struct writer *wr)
{
	const struct viewer *viewer = node->data;

	if (!viewer)
		return;
	write_u8(wr, (uint8_t) ((viewer->has_query ? SAVED_QUERY : 0) |
				(viewer->completed ? SAVED_COMPLETED : 0)));
	write_u16le(wr, viewer->connection_id);
	write_u8(wr, (uint8_t) viewer->n_views);
}

static int restore_node(void *hat, struct node *node, struct reader *rd)
{
	struct viewer *viewer = node->data;
	uint8_t flags;

	if (!viewer)
		return -ENOMEM;
	flags = read_u8(rd);
	viewer->has_query = flags & SAVED_QUERY;
	viewer->completed = flags & SAVED_COMPLETED;
	viewer->connection_id = read_u16le(rd);
	viewer->n_views = read_u8(rd);
	return reader_finish(rd);
}

static int entity_server_start(const struct hat_context *context, const json_t *settings,
			       void **ret)
{
	struct entity_server *es = calloc(1, sizeof(*es));

	if (!es)
		return -ENOMEM;
	es->context = *context;
	for (size_t i = 0; i < ELEMENTSOF(handlers); i++)
		endpoint_handle(context->endpoint, handlers[i].type, handlers[i].fn, es);
	*ret = es;
	return 0;
}

static void entity_server_stop(void *hat)
{
	struct entity_server *es = hat;

	for (size_t i = 0; i < ELEMENTSOF(handlers); i++)
		endpoint_handle(es->context.endpoint, handlers[i].type, NULL, NULL);
	free(es);
}

static unsigned count_viewers(const struct entity_server *es)
{
	unsigned n = 0;

	node_list_for_each (es->context.nodes, node) {
		const struct viewer *viewer = node->data;

		n += viewer && viewer->has_query;
	}
	return n;
}

static json_t *entity_server_stats(void *hat)
{
	struct entity_server *es = hat;

	return json_pack("{s:I, s:I, s:I, s:I}", "viewers", (json_int_t) count_viewers(es),
			 "queries", (json_int_t) es->queries, "entities", (json_int_t) 0,
			 "refused_edits", (json_int_t) es->refused_edits);
}

static void entity_server_status(void *hat, char *buf, size_t size)
{
	struct entity_server *es = hat;

	(void) snprintf(buf, size, "%u viewers of an empty world, %llu edits refused",
			count_viewers(es), (unsigned long long) es->refused_edits);
}

const struct hat_ops entity_server_ops = {
	.hat = HAT_ENTITY,
	.interest = "ISWM",
	.start = entity_server_start,
	.stop = entity_server_stop,
	.node_added = on_node_added,
	.node_killed = on_node_killed,
	.save_node = save_node,
	.restore_node = restore_node,
	.stats = entity_server_stats,
	.status = entity_server_status,
};
