/* entity-server: keeps the entities of a world and tells each viewer of those in view (protocol
 * 06c). Who is to be sent what is the engine's business (entity/viewer.h); here it meets nodes,
 * packets and the file. The world is read only: edits are refused and counted. */
#include <errno.h>
#include <stdio.h>

#include "assignment-client/hats.h"
#include "assignment-client/settings.h"
#include "base/clock.h"
#include "base/event.h"
#include "base/file.h"
#include "base/log.h"
#include "base/paths.h"
#include "entity/viewer.h"
#include "entity/world-file.h"
#include "node/permissions.h"

#define TICK_USEC        11111 /* 90 a second */
#define TICKS_PER_SECOND 90
/* 06c section 7.1, packets of one tick. */
#define PACKETS_EACH_MAX 10u
#define PACKETS_ALL_MAX  2000u
/* Nothing more is given to a connection with this much under way. */
#define BACKLOG_MAX (64 * 1024)

#define FILE_SETTING "persistFilePath"
#define FILE_DEFAULT "models.json.gz"
#define FIRST_WORLD  "first-world.json"

#define OCTREE_STATS_LEN               222
#define OCTREE_STATS_FULL_SCENE_OFFSET 32

/* node->data */
struct client {
	struct viewer *viewer;
	bool is_in_scene; /* something was sent since the last statistics */
	bool completed;   /* the scene was reported complete for this connection id */
	uint64_t scene_usec;
	uint64_t refused_edits;
};

struct entity_server {
	struct hat_context context;
	struct world *world;
	struct event_timer *timer; /* while somebody waits for something */
	uint64_t queries, refused_edits, packets;
};

/* --- sending --- */

/* A full scene that is through; the counts are of interest to nobody but upstream's programmers. */
static void send_octree_stats(struct entity_server *es, struct node *node)
{
	struct client *client = node->data;
	uint64_t now_usec = clock_wall_usec();
	uint8_t data[OCTREE_STATS_LEN];
	struct writer wr = writer_over(data, sizeof(data));

	write_u64le(&wr, client->scene_usec);
	write_u64le(&wr, now_usec);
	write_u64le(&wr, now_usec - client->scene_usec);
	write_zeros(&wr, OCTREE_STATS_FULL_SCENE_OFFSET - wr.len);
	write_u8(&wr, 1);
	write_zeros(&wr, OCTREE_STATS_LEN - wr.len);
	(void) endpoint_send_node_reliable(es->context.endpoint, node, PACKET_OCTREE_STATS,
					   span_of(data, wr.len));
}

static void send_completion(struct entity_server *es, struct node *node)
{
	struct client *client = node->data;
	uint8_t next_sequence[2];
	struct writer wr = writer_over(next_sequence, sizeof(next_sequence));

	write_u16le(&wr, viewer_sequence(client->viewer));
	client->completed =
		endpoint_send_node_reliable(es->context.endpoint, node,
					    PACKET_ENTITY_QUERY_INITIAL_RESULTS_COMPLETE,
					    span_of(next_sequence, sizeof(next_sequence))) >= 0;
	hat_touch(&es->context, node);
}

/* Always reliably, to everybody: web clients never tell what they miss, and for the others the
 * transport knows sooner than their nacks. */
static int send_one_packet(struct entity_server *es, struct node *node)
{
	struct client *client = node->data;
	bool may_see_private = node_may(node, PERMISSION_PRIVATE_USER_DATA);
	uint8_t payload[ENTITY_DATA_MAX];
	ssize_t len;

	len = viewer_next(client->viewer, es->world, may_see_private, clock_wall_usec(), payload);
	if (len <= 0)
		return (int) len;
	es->packets++;
	return endpoint_send_node_reliable(es->context.endpoint, node, PACKET_ENTITY_DATA,
					   span_of(payload, (size_t) len));
}

static bool is_congested(const struct entity_server *es, const struct node *node)
{
	return endpoint_queued_bytes(es->context.endpoint, node) +
		       endpoint_channel_backlog(es->context.endpoint, node) >
	       BACKLOG_MAX;
}

static unsigned allowance(const struct client *client, unsigned n_clients)
{
	int wanted = viewer_query(client->viewer)->max_packets_per_second / TICKS_PER_SECOND;
	unsigned share = MIN(PACKETS_EACH_MAX, MAX(PACKETS_ALL_MAX / n_clients, 1u));

	return MIN((unsigned) MAX(wanted, 1), share);
}

/* A scene ends when nothing in view is missing any more. */
static void end_scene(struct entity_server *es, struct node *node)
{
	struct client *client = node->data;

	if (client->is_in_scene)
		send_octree_stats(es, node);
	client->is_in_scene = false;
	if (viewer_query(client->viewer)->flags & ENTITY_QUERY_WANT_COMPLETION &&
	    !client->completed)
		send_completion(es, node);
}

/* Is there more to be done for this node? */
static bool serve(struct entity_server *es, struct node *node)
{
	struct client *client = node->data;
	unsigned n_clients = node_list_size(es->context.nodes);

	if (!client || !viewer_has_asked(client->viewer) || !node_is_active(node))
		return false;
	for (unsigned n = allowance(client, n_clients); n > 0; n--)
		if (!viewer_is_waiting(client->viewer) || is_congested(es, node) ||
		    send_one_packet(es, node) < 0)
			break;
	if (viewer_is_waiting(client->viewer))
		return true;
	end_scene(es, node);
	return false;
}

static void on_tick(void *userdata)
{
	struct entity_server *es = userdata;
	bool more = false;

	node_list_for_each (es->context.nodes, node)
		more |= serve(es, node);
	endpoint_flush(es->context.endpoint);
	if (!more)
		es->timer = event_timer_free(es->timer);
}

static int wake(struct entity_server *es)
{
	if (es->timer)
		return 0;
	return event_timer_new(es->context.event, 0, TICK_USEC, 0, on_tick, es, "entities",
			       &es->timer);
}

/* --- packets --- */

static int on_query(void *userdata, const struct received *rx)
{
	struct entity_server *es = userdata;
	struct client *client = rx->node ? rx->node->data : NULL;
	struct entity_query query;
	int r;

	if (!client)
		return -EPERM;
	r = entity_query_decode(rx->payload, &query);
	if (r < 0)
		return r;

	es->queries++;
	if (!viewer_has_asked(client->viewer) ||
	    viewer_query(client->viewer)->connection_id != query.connection_id) {
		/* A new connection forgets what the viewer was told. */
		client->completed = false;
		client->is_in_scene = true;
		client->scene_usec = clock_wall_usec();
	}
	r = viewer_ask(client->viewer, es->world, &query);
	hat_touch(&es->context, rx->node);
	return r < 0 ? r : wake(es);
}

static int on_edit(void *userdata, const struct received *rx)
{
	struct entity_server *es = userdata;
	struct client *client = rx->node ? rx->node->data : NULL;

	es->refused_edits++;
	if (client && client->refused_edits++ == 0)
		log_warning("%s from node %s refused: this world is read only.",
			    packet_type_name(rx->type), UUID_TEXT(&rx->node->uuid));
	return -EPERM;
}

/* What was sent reliably arrives, sooner or later. */
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

static void client_free(struct client *client)
{
	if (!client)
		return;
	viewer_free(client->viewer);
	free(client);
}

/* --- nodes --- */

static void on_node_added(void *hat, struct node *node)
{
	struct client *client = calloc(1, sizeof(*client));

	if (!client)
		return; /* its packets are refused until it comes again */
	client->viewer = viewer_new();
	if (!client->viewer)
		free(client);
	else
		node->data = client;
}

/* A query can overtake the reply that proves the viewer's address. */
static void on_node_activated(void *hat, struct node *node)
{
	(void) wake(hat);
}

static void on_node_killed(void *hat, struct node *node)
{
	client_free(node->data);
	node->data = NULL;
}

/* What the viewer asked for; what it was sent is sent again. */
static void save_node(void *hat, const struct node *node, struct writer *wr)
{
	const struct client *client = node->data;

	if (!client || !viewer_has_asked(client->viewer))
		return;
	write_u8(wr, client->completed);
	entity_query_encode(wr, viewer_query(client->viewer));
}

static int restore_node(void *hat, struct node *node, struct reader *rd)
{
	struct entity_server *es = hat;
	struct client *client = node->data;
	struct entity_query query;
	int r;

	if (!client)
		return -ENOMEM;
	if (reader_left(rd) == 0)
		return 0;
	client->completed = read_u8(rd);
	r = entity_query_decode(read_rest(rd), &query);
	if (r >= 0)
		r = viewer_ask(client->viewer, es->world, &query);
	return r < 0 ? r : wake(es);
}

/* --- the file --- */

/* The setting is a name inside the folder of entities; whatever it ends in, the file is packed
 * JSON. */
static int file_path(const struct entity_server *es, const json_t *settings, const char *ending,
		     char **ret)
{
	const char *name = settings_string(settings, "entity_server_settings", FILE_SETTING, "");
	const char *cut;

	if (name[0] == 0 || strstr(name, "..") || name[0] == '/')
		name = FILE_DEFAULT;
	cut = strstr(name, ".json");
	if (asprintf(ret, "%s/entities/%.*s%s", es->context.data_dir,
		     (int) (cut ? (size_t) (cut - name) : strlen(name)), name, ending) < 0)
		return -ENOMEM;
	return 0;
}

/* False when there is no such file. One that cannot be loaded leaves the world empty. */
static bool load_file(struct entity_server *es, const char *path)
{
	_cleanup_free_ char *file = NULL;
	struct world_file_report report;
	uint64_t start = clock_now_usec();
	size_t len;
	int r;

	r = file_read(path, WORLD_FILE_PACKED_MAX, &file, &len);
	if (r == -ENOENT)
		return false;
	if (r < 0) {
		log_error_errno(r, "Cannot read the entities in %s: %m", path);
		return true;
	}
	r = world_file_parse(span_of(file, len), es->world, clock_wall_usec(), &report);
	if (r < 0) {
		log_error_errno(r, "Cannot load the entities in %s: %s", path,
				report.error[0] ? report.error : strerror(-r));
		return true;
	}
	log_notice("%u entities loaded from %s in %u ms.", report.n_loaded, path,
		   (unsigned) ((clock_now_usec() - start) / USEC_PER_MSEC));
	if (report.n_unknown + report.n_elsewhere + report.n_refused > 0)
		log_warning("Left out of %s: %u of unknown types, %u avatar or local entities, %u "
			    "malformed.",
			    path, report.n_unknown, report.n_elsewhere, report.n_refused);
	if (report.version < WORLD_FILE_VERSION)
		log_warning("%s is of version %d; entities from before %d may look different.",
			    path, report.version, WORLD_FILE_VERSION);
	return true;
}

/* The packed file goes before the plain one. A domain that has neither gets the world that comes
 * with the package. */
static int load_world(struct entity_server *es, const json_t *settings)
{
	static const char *const endings[] = {".json.gz", ".json"};
	_cleanup_free_ char *first = NULL;

	if (!es->context.data_dir)
		return 0;
	for (size_t i = 0; i < ELEMENTSOF(endings); i++) {
		_cleanup_free_ char *path = NULL;

		if (file_path(es, settings, endings[i], &path) < 0)
			return -ENOMEM;
		if (load_file(es, path))
			return 0;
	}
	if (asprintf(&first, "%s/" FIRST_WORLD, path_datadir()) < 0)
		return -ENOMEM;
	if (!load_file(es, first))
		log_warning("The world is empty: there is no %s either.", first);
	return 0;
}

/* --- life --- */

static void entity_server_stop(void *hat)
{
	struct entity_server *es = hat;

	for (size_t i = 0; i < ELEMENTSOF(handlers); i++)
		endpoint_handle(es->context.endpoint, handlers[i].type, NULL, NULL);
	event_timer_free(es->timer);
	world_free(es->world);
	free(es);
}

static int entity_server_start(const struct hat_context *context, const json_t *settings,
			       void **ret)
{
	struct entity_server *es = calloc(1, sizeof(*es));
	int r;

	if (!es)
		return -ENOMEM;
	es->context = *context;
	for (size_t i = 0; i < ELEMENTSOF(handlers); i++)
		endpoint_handle(context->endpoint, handlers[i].type, handlers[i].fn, es);
	r = world_new(&es->world);
	if (r >= 0)
		r = load_world(es, settings);
	if (r < 0) {
		entity_server_stop(es);
		return r;
	}
	*ret = es;
	return 0;
}

static unsigned count_viewers(const struct entity_server *es)
{
	unsigned n = 0;

	node_list_for_each (es->context.nodes, node) {
		const struct client *client = node->data;

		n += client && viewer_has_asked(client->viewer);
	}
	return n;
}

static json_t *entity_server_stats(void *hat)
{
	struct entity_server *es = hat;

	return json_pack("{s:I, s:I, s:I, s:I, s:I}", "viewers", (json_int_t) count_viewers(es),
			 "queries", (json_int_t) es->queries, "entities",
			 (json_int_t) world_size(es->world), "packets", (json_int_t) es->packets,
			 "refused_edits", (json_int_t) es->refused_edits);
}

static void entity_server_status(void *hat, char *buf, size_t size)
{
	struct entity_server *es = hat;

	(void) snprintf(buf, size, "%u viewers of %u entities, %llu edits refused",
			count_viewers(es), world_size(es->world),
			(unsigned long long) es->refused_edits);
}

const struct hat_ops entity_server_ops = {
	.hat = HAT_ENTITY,
	.interest = "ISWM",
	.start = entity_server_start,
	.stop = entity_server_stop,
	.node_added = on_node_added,
	.node_activated = on_node_activated,
	.node_killed = on_node_killed,
	.save_node = save_node,
	.restore_node = restore_node,
	.stats = entity_server_stats,
	.status = entity_server_status,
};
