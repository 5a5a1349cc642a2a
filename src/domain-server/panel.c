/* What the panel shows, as one JSON document (domain-server(8) tells of it). Between two seconds
 * little of it changes, because it tells since when and not for how long, and numbers as coarse as
 * people read them. */
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/ports.h"
#include "domain-server/server-internal.h"
#include "net/packet-table.h"

#define SILENT_USEC    (4 * USEC_PER_SEC) /* mixers and people are heard each second */
#define LEVEL_MAX      8
#define LEVEL_RANGE_DB 60
#define MAP_MAX_M      1e6 /* a client may claim anything */

/* What the last statistics of all mixers say of people. */
struct heard {
	const json_t *avatars, *voices; /* by UUID; NULL when no mixer told */
};

static json_int_t wall_seconds(uint64_t then_usec)
{
	return (json_int_t) ((clock_wall_usec() - (clock_now_usec() - then_usec)) / USEC_PER_SEC);
}

/* A voice from 0 to LEVEL_MAX, in steps of equal loudness. */
static int level_of(const json_t *voice)
{
	double loudness = json_number_value(json_object_get(voice, "loudness"));
	double db = loudness > 0 ? 20 * log10(loudness) : -LEVEL_RANGE_DB;

	return (int) CLAMP(ceil((db / LEVEL_RANGE_DB + 1) * LEVEL_MAX), 0, LEVEL_MAX);
}

/* A web client has no user name, only the name of its avatar. */
static const char *name_of(const struct resident *r, const json_t *avatar)
{
	const char *name = r->username ? r->username : r->claimed_username;
	const char *display_name = json_string_value(json_object_get(avatar, "display_name"));

	return name[0] || !display_name ? name : display_name;
}

/* What people and mixers have in common. */
static json_t *resident_to_json(const struct resident *r)
{
	const struct node *node = r->node;
	struct hifi_addr transport = endpoint_transport_addr(r->server->ep, &node->active);
	bool is_silent = clock_now_usec() - node->heard_usec > SILENT_USEC;

	return json_pack("{s:I, s:s, s:b}", "since", wall_seconds(node->added_usec), "address",
			 HIFI_ADDR_TEXT(&transport), "is_silent", is_silent);
}

/* Decimetres east and south of the world's origin; NULL when nobody knows. */
static json_t *position_dm(const json_t *avatar)
{
	const json_t *position = json_object_get(avatar, "position");
	double x = json_number_value(json_array_get(position, 0));
	double z = json_number_value(json_array_get(position, 2));

	if (!(fabs(x) < MAP_MAX_M && fabs(z) < MAP_MAX_M) || json_array_size(position) != 3)
		return NULL;
	return json_pack("[I, I]", (json_int_t) lround(10 * x), (json_int_t) lround(10 * z));
}

static json_t *person_to_json(const struct resident *r, const struct heard *heard)
{
	const char *id = UUID_TEXT(&r->node->uuid);
	const json_t *avatar = json_object_get(heard->avatars, id);
	const json_t *voice = json_object_get(heard->voices, id);
	json_t *position = position_dm(avatar);
	json_t *object = resident_to_json(r);

	(void) json_object_set_new(object, "name", json_string(name_of(r, avatar)));
	(void) json_object_set_new(object, "is_verified", json_boolean(r->username));
	(void) json_object_set_new(object, "is_web", json_boolean(node_is_web(r->node)));
	(void) json_object_set_new(object, "place", json_string(r->place_name));
	if (voice)
		(void) json_object_set_new(object, "level", json_integer(level_of(voice)));
	if (position)
		(void) json_object_set_new(object, "position_dm", position);
	return object;
}

/* In percent of what it can bear, where it tells. */
static json_t *load_of(const json_t *stats)
{
	const json_t *ratio = json_object_get(stats, "trailing_mix_ratio");
	double percent = ratio ? 100 * json_number_value(ratio)
			       : json_number_value(json_object_get(stats, "cpu_percent"));

	return json_integer((json_int_t) lround(CLAMP(percent, 0, 999)));
}

static json_t *rounded(const json_t *object, const char *key)
{
	return json_integer((json_int_t) json_number_value(json_object_get(object, key)));
}

static json_t *mixer_to_json(const struct resident *r)
{
	const json_t *io = json_object_get(r->stats, "io_stats");
	const json_t *transport = json_object_get(r->stats, "transport");
	json_t *object = resident_to_json(r);

	(void) json_object_set_new(object, "hat", json_string(hat_find(r->assignment->type)->name));
	(void) json_object_set_new(object, "type", json_string(node_type_name(r->node->type)));
	(void) json_object_set_new(object, "version", json_string(r->version));
	(void) json_object_set_new(object, "takes_web_clients", json_boolean(r->can_signal));
	if (!r->stats)
		return object;
	(void) json_object_set_new(object, "load", load_of(r->stats));
	(void) json_object_set_new(object, "kbps_in", rounded(io, "inbound_kbps"));
	(void) json_object_set_new(object, "kbps_out", rounded(io, "outbound_kbps"));
	(void) json_object_set_new(object, "kernel_drops", rounded(transport, "kernel_drops"));
	return object;
}

static struct heard heard_of_people(const struct server *s)
{
	struct heard heard = {0};
	struct resident *r;

	list_for_each (r, (struct list *) &s->mixers, link) {
		const json_t *avatars = json_object_get(r->stats, "z_avatars");
		const json_t *voices = json_object_get(r->stats, "z_listeners");

		heard.avatars = avatars ? avatars : heard.avatars;
		heard.voices = voices ? voices : heard.voices;
	}
	return heard;
}

static json_t *people_to_json(const struct server *s)
{
	struct heard heard = heard_of_people(s);
	json_t *people = json_object();
	struct resident *r;

	list_for_each (r, (struct list *) &s->agents, link)
		(void) json_object_set_new(people, UUID_TEXT(&r->node->uuid),
					   person_to_json(r, &heard));
	return people;
}

static json_t *mixers_to_json(const struct server *s)
{
	json_t *mixers = json_object();
	struct resident *r;

	list_for_each (r, (struct list *) &s->mixers, link)
		(void) json_object_set_new(mixers, UUID_TEXT(&r->node->uuid), mixer_to_json(r));
	return mixers;
}

static json_t *protocol_signature(void)
{
	uint8_t signature[16];
	char text[2 * sizeof(signature) + 1];

	packet_signature(DIALECT_VIRCADIA, signature);
	for (size_t i = 0; i < sizeof(signature); i++)
		(void) snprintf(text + 2 * i, 3, "%02x", signature[i]);
	return json_string(text);
}

static json_t *domain_to_json(const struct server *s)
{
	return json_pack("{s:s, s:s, s:b, s:s, s:I, s:o, s:b, s:b}", "id", UUID_TEXT(&s->id),
			 "name", config_get_string(s->config, "descriptors.world_name"),
			 "has_random_id", s->has_random_id, "version", PACKAGE_VERSION, "since",
			 wall_seconds(s->started_usec), "protocol", protocol_signature(),
			 "takes_web_clients", s->signalling != NULL, "has_metrics",
			 s->exporter != NULL);
}

/* Unlike the rest of the document without nulls: RFC 7396 has no way to tell of one. */
static json_t *ports_without_nulls(void)
{
	json_t *ports = ports_json(), *port;
	size_t i;

	json_array_foreach (ports, i, port)
		if (json_is_null(json_object_get(port, "condition")))
			(void) json_object_del(port, "condition");
	return ports;
}

json_t *panel_document(void *userdata)
{
	const struct server *s = userdata;
	json_t *network = endpoint_stats(s->ep);
	json_t *document = json_pack(
		"{s:I, s:o, s:o, s:o, s:o, s:o, s:o}", "now",
		(json_int_t) (clock_wall_usec() / USEC_PER_SEC), "domain", domain_to_json(s),
		"people", people_to_json(s), "mixers", mixers_to_json(s), "waiting",
		assignments_queue_to_json(s->assignments), "kernel_drops",
		rounded(network, "kernel_drops"), "ports", ports_without_nulls());

	json_decref(network);
	return document;
}
