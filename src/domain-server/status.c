/* What is going on, as JSON: the tables of protocol 09 section 1, and status.json with everything
 * that "hifictl status" and the panel show. */
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "base/ports.h"
#include "domain-server/server-internal.h"

/* How deep names are looked for in a mixer's statistics. */
#define STATS_DEPTH_MAX 8

static json_int_t seconds_since(uint64_t then_usec)
{
	return (json_int_t) ((clock_now_usec() - then_usec) / USEC_PER_SEC);
}

/* A moment of the monotonic clock as people write it. */
static json_t *moment(uint64_t then_usec)
{
	uint64_t wall = clock_wall_usec() - (clock_now_usec() - then_usec);
	time_t seconds = (time_t) (wall / USEC_PER_SEC);
	char text[32] = "";
	struct tm tm;

	if (gmtime_r(&seconds, &tm))
		(void) strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	return json_string(text);
}

static json_t *json_uuid(const struct uuid *id)
{
	return json_string(UUID_TEXT(id));
}

static json_t *json_addr(const struct node *node, const struct hifi_addr *a)
{
	char ip[HIFI_ADDR_TEXT_MAX];

	/* Null: the same host as we are; what we see is more useful to a reader. */
	return json_pack("{s:s, s:i}", "ip",
			 hifi_addr_format_ip(hifi_addr_is_any(a) ? &node->active : a, ip), "port",
			 (int) a->port);
}

static const char *name_of(const struct resident *r)
{
	return r->username ? r->username : r->claimed_username;
}

/* --- the tables that other domain-servers have, too --- */

static json_t *node_to_json(const struct resident *r)
{
	const struct node *node = r->node;
	json_t *object;
	char uptime[24];

	(void) snprintf(uptime, sizeof(uptime), "%lld",
			(long long) seconds_since(node->added_usec));
	object = json_pack("{s:o, s:s, s:o, s:o, s:s, s:s, s:s}", "uuid", json_uuid(&node->uuid),
			   "type", node_type_name(node->type), "public",
			   json_addr(node, &node->public_addr), "local",
			   json_addr(node, &node->local_addr), "uptime", uptime, "username",
			   name_of(r), "version", r->version);
	if (object && r->assignment && r->assignment->pool[0])
		(void) json_object_set_new(object, "pool", json_string(r->assignment->pool));
	return object;
}

json_t *status_nodes(const struct server *s)
{
	json_t *nodes = json_array();

	node_list_for_each (s->nodes, node)
		(void) json_array_append_new(nodes, node_to_json(resident_of(node)));
	return json_pack("{s:o}", "nodes", nodes);
}

/* Mixers give people by UUID; readers want names. */
static void name_people(const struct server *s, json_t *value, unsigned depth)
{
	json_t *member = json_object_get(value, "$username");
	const char *text = json_string_value(member), *key;
	struct node *node;
	struct uuid id;
	size_t i;

	if (text && uuid_parse(text, &id) >= 0 && (node = node_list_find(s->nodes, &id)))
		(void) json_string_set(member, name_of(resident_of(node)));
	if (depth == 0)
		return;
	json_object_foreach (value, key, member)
		name_people(s, member, depth - 1);
	json_array_foreach (value, i, member)
		name_people(s, member, depth - 1);
}

json_t *status_node(const struct resident *r)
{
	json_t *stats = r->stats ? json_deep_copy(r->stats) : json_object();

	name_people(r->server, stats, STATS_DEPTH_MAX);
	(void) json_object_set_new(stats, "node_type", json_string(node_type_name(r->node->type)));
	return stats;
}

json_t *status_assignments(const struct server *s)
{
	json_t *fulfilled = json_object();

	node_list_for_each (s->nodes, node) {
		const struct resident *r = resident_of(node);

		if (r->assignment)
			(void) json_object_set_new(fulfilled, UUID_TEXT(&r->assignment->id),
						   node_to_json(r));
	}
	return json_pack("{s:o, s:o}", "fulfilled", fulfilled, "queued",
			 assignments_queue_to_json(s->assignments));
}

/* --- status.json --- */

static json_t *traffic_to_json(const struct node_traffic *t)
{
	return json_pack("{s:I, s:I, s:I, s:I}", "packets_in", (json_int_t) t->packets_in,
			 "bytes_in", (json_int_t) t->bytes_in, "packets_out",
			 (json_int_t) t->packets_out, "bytes_out", (json_int_t) t->bytes_out);
}

static json_t *drops_to_json(const struct drop_counts *drops)
{
	json_t *object = json_object();

	for (unsigned i = 0; i < DROP_REASON_COUNT; i++)
		if (drops->n[i] > 0)
			(void) json_object_set_new(object, drop_reason_name(i),
						   json_integer((json_int_t) drops->n[i]));
	return object;
}

/* What people and mixers have in common. */
static json_t *resident_to_json(const struct resident *r)
{
	const struct node *node = r->node;
	struct hifi_addr transport = endpoint_transport_addr(r->server->ep, &node->active);

	return json_pack("{s:o, s:s, s:o, s:I, s:s, s:s, s:I, s:o, s:o}", "uuid",
			 json_uuid(&node->uuid), "type", node_type_name(node->type), "since",
			 moment(node->added_usec), "seconds", seconds_since(node->added_usec),
			 "address", HIFI_ADDR_TEXT(&transport), "transport",
			 node_is_web(node) ? "web" : "native", "heard_seconds_ago",
			 seconds_since(node->heard_usec), "traffic",
			 traffic_to_json(&node->traffic), "drops", drops_to_json(&node->drops));
}

static json_t *person_to_json(const struct resident *r)
{
	json_t *object = resident_to_json(r);

	(void) json_object_set_new(object, "name", json_string(name_of(r)));
	(void) json_object_set_new(object, "name_is_verified", json_boolean(r->username));
	(void) json_object_set_new(object, "place", json_string(r->place_name));
	(void) json_object_set_new(object, "machine_fingerprint",
				   json_uuid(&r->machine_fingerprint));
	(void) json_object_set_new(object, "permissions", permissions_names(r->node->permissions));
	return object;
}

static json_t *mixer_to_json(const struct resident *r)
{
	json_t *object = resident_to_json(r);

	(void) json_object_set_new(object, "hat", json_string(hat_find(r->assignment->type)->name));
	(void) json_object_set_new(object, "pool", json_string(r->assignment->pool));
	(void) json_object_set_new(object, "version", json_string(r->version));
	(void) json_object_set_new(object, "takes_web_clients", json_boolean(r->can_signal));
	(void) json_object_set_new(object, "load",
				   r->stats ? json_incref(r->stats) : json_object());
	return object;
}

static json_t *each(struct list *residents, json_t *(*to_json)(const struct resident *r))
{
	json_t *array = json_array();
	struct resident *r;

	list_for_each (r, residents, link)
		(void) json_array_append_new(array, to_json(r));
	return array;
}

static json_t *domain_to_json(const struct server *s)
{
	return json_pack("{s:o, s:s, s:s, s:o, s:I}", "id", json_uuid(&s->id), "name",
			 config_get_string(s->config, "descriptors.world_name"), "version",
			 PACKAGE_VERSION, "since", moment(s->started_usec), "seconds",
			 seconds_since(s->started_usec));
}

json_t *status_everything(const struct server *s)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o?, s:o, s:o}", "domain", domain_to_json(s),
			 "people", each((struct list *) &s->agents, person_to_json), "mixers",
			 each((struct list *) &s->mixers, mixer_to_json), "waiting_assignments",
			 assignments_queue_to_json(s->assignments), "network",
			 endpoint_stats(s->ep), "signalling",
			 s->signalling ? signalling_server_stats(s->signalling) : NULL,
			 "certificate", certificate_status(s->certificate), "ports", ports_json());
}
