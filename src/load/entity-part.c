/* A client of the entity-server (protocol 06a): asks for everything in view and waits until it is
 * told that this is all; checks that every record can be read. */
#include <errno.h>

#include "entity/entity-data.h"
#include "entity/entity-query.h"
#include "load/client.h"

#define QUERY_USEC         (3 * USEC_PER_SEC)
#define PATIENCE_USEC      (30 * USEC_PER_SEC)
#define PACKETS_PER_SECOND 600
#define SIZE_SCALE         (32768.0f * 400.0f)
#define STATS_LEN          222

static void send_query(struct client *c, uint64_t now_usec)
{
	struct entity_query query = {
		.connection_id = c->entities.connection_id,
		.n_views = 1,
		.views[0] =
			{
				.position = walker_position(&c->walker, now_usec),
				.direction = {.z = -1},
				.half_angle = 0.7018f,
				.far_clip = 16384,
				.centre_radius = 3,
			},
		.max_packets_per_second = PACKETS_PER_SECOND,
		.size_scale = SIZE_SCALE,
		.flags = ENTITY_QUERY_WANT_COMPLETION,
	};
	uint8_t data[64];
	struct writer wr = writer_over(data, sizeof(data));

	c->entities.next_query_usec = now_usec + QUERY_USEC;
	entity_query_encode(&wr, &query);
	(void) client_send(c, LOAD_MIXER_ENTITY, PACKET_ENTITY_QUERY, &wr);
}

static void entity_frame(struct client *c, uint64_t frame, uint64_t now_usec)
{
	struct client_entities *e = &c->entities;

	if (now_usec >= e->next_query_usec)
		send_query(c, now_usec);
	if (!e->is_complete && now_usec > e->asked_usec + PATIENCE_USEC) {
		measures_fault(&c->scene->measures, FAULT_ENTITIES_INCOMPLETE);
		e->is_complete = true; /* once is enough */
	}
}

static int on_data(struct client *c, const struct received *rx)
{
	static struct entity_data_reader reader;
	struct entity_record record;
	int r;

	c->scene->measures.traffic.entity_packets += c->scene->is_measuring;
	r = entity_data_open(&reader, rx->payload);
	if (r < 0)
		return r;
	while ((r = entity_data_next(&reader, &record)) > 0)
		;
	return r;
}

/* 06a section 5.6. */
static int on_erase(struct client *c, const struct received *rx)
{
	struct reader rd = reader_over(rx->payload.data, rx->payload.len);

	(void) read_u8(&rd);
	(void) read_u16le(&rd); /* sequence number */
	(void) read_u64le(&rd); /* server's clock */
	read_skip(&rd, (size_t) read_u16le(&rd) * sizeof(struct uuid));
	c->scene->measures.traffic.entity_packets += c->scene->is_measuring;
	return reader_finish(&rd);
}

static int on_stats(struct client *c, const struct received *rx)
{
	return rx->payload.len >= STATS_LEN ? 0 : -EBADMSG;
}

static int on_complete(struct client *c, const struct received *rx)
{
	struct client_entities *e = &c->entities;

	if (rx->payload.len != sizeof(uint16_t))
		return -EBADMSG;
	if (!e->is_complete)
		histogram_add(&c->scene->measures.entities.completion,
			      rx->now_usec - e->asked_usec);
	e->is_complete = true;
	return 0;
}

static void entity_start(struct client *c, uint64_t now_usec)
{
	c->entities = (struct client_entities){
		.connection_id = (uint16_t) prng_next(&c->prng),
		.asked_usec = now_usec,
	};
	c->scene->measures.entities.queries++;
	send_query(c, now_usec);
}

static const struct part_handler handlers[] = {
	{PACKET_ENTITY_DATA, on_data},
	{PACKET_ENTITY_ERASE, on_erase},
	{PACKET_OCTREE_STATS, on_stats},
	{PACKET_ENTITY_QUERY_INITIAL_RESULTS_COMPLETE, on_complete},
};

const struct part entity_part = {
	.mixer = LOAD_MIXER_ENTITY,
	.handlers = handlers,
	.n_handlers = ELEMENTSOF(handlers),
	.start = entity_start,
	.frame = entity_frame,
};
