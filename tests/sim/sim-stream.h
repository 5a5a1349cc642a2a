/* A stream of numbered items and the account of what came out of it. Length and bytes of an item
 * depend on its number alone, so the receiving side can tell whether it is whole, and whether it
 * came once. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sim_stream {
	uint32_t n_items;
	uint32_t message_every; /* every so many items an ordered message; the others are packets;
				   0: none */
	uint32_t message_max;   /* bytes of a message */
	uint32_t packet_max;    /* bytes of a packet */
	uint64_t interval_usec; /* between two items */

	uint32_t n_sent;
	uint64_t next_usec;
	uint64_t *sent_usec; /* by item */
};

struct sim_sink {
	const struct sim_stream *stream;
	uint8_t *n_received; /* by item */
	uint32_t n_distinct;
	uint32_t n_damaged;
	uint64_t *delay_usec; /* by item, from sending to its first delivery */
	uint64_t longest_delay_usec;
};

/* Begins a stream of the given shape at now_usec, and its account. */
void sim_stream_start(struct sim_stream *stream, const struct sim_stream *shape,
		      struct sim_sink *sink, uint64_t now_usec);
void sim_stream_done(struct sim_stream *stream);
void sim_sink_done(struct sim_sink *sink);

static inline bool sim_stream_has_more(const struct sim_stream *stream)
{
	return stream->n_sent < stream->n_items;
}

/* The next item, on the heap; it is due at stream->next_usec. */
uint8_t *sim_stream_take(struct sim_stream *stream, size_t *ret_len, bool *ret_is_message,
			 uint64_t now_usec);

/* Books a payload that arrived. */
void sim_sink_take(struct sim_sink *sink, const uint8_t *data, size_t len, uint64_t now_usec);
bool sim_sink_is_complete(const struct sim_sink *sink);
/* How many items came more than once. */
uint32_t sim_sink_repeated(const struct sim_sink *sink);
