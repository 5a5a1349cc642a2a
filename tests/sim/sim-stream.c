#include "sim-stream.h"

#include <stdlib.h>
#include <string.h>

#include "base/macros.h"

#define ITEM_LEN_MIN 4

static uint32_t mix(uint32_t x)
{
	x = (x ^ x >> 16) * 0x7feb352dU;
	x = (x ^ x >> 15) * 0x846ca68bU;
	return x ^ x >> 16;
}

static bool is_message(const struct sim_stream *stream, uint32_t item)
{
	return stream->message_every > 0 && item % stream->message_every == 0;
}

static size_t item_len(const struct sim_stream *stream, uint32_t item)
{
	uint32_t max = is_message(stream, item) ? stream->message_max : stream->packet_max;

	return ITEM_LEN_MIN + mix(item + 1) % (max - ITEM_LEN_MIN + 1);
}

/* Differs between items, and between the parts of one. */
static uint8_t item_byte(uint32_t item, size_t i)
{
	return (uint8_t) (mix(item) >> i % 4 * 8) ^ (uint8_t) (i / 4) ^ (uint8_t) (i >> 10);
}

void sim_stream_start(struct sim_stream *stream, const struct sim_stream *shape,
		      struct sim_sink *sink, uint64_t now_usec)
{
	*stream = *shape;
	stream->next_usec = now_usec;
	stream->sent_usec = calloc(stream->n_items, sizeof(*stream->sent_usec));
	*sink = (struct sim_sink){.stream = stream};
	sink->n_received = calloc(stream->n_items, sizeof(*sink->n_received));
	sink->delay_usec = calloc(stream->n_items, sizeof(*sink->delay_usec));
	if (!stream->sent_usec || !sink->n_received || !sink->delay_usec)
		abort();
}

void sim_stream_done(struct sim_stream *stream)
{
	free(stream->sent_usec);
}

void sim_sink_done(struct sim_sink *sink)
{
	free(sink->n_received);
	free(sink->delay_usec);
}

uint8_t *sim_stream_take(struct sim_stream *stream, size_t *ret_len, bool *ret_is_message,
			 uint64_t now_usec)
{
	uint32_t item = stream->n_sent++;
	uint8_t *data;

	*ret_len = item_len(stream, item);
	*ret_is_message = is_message(stream, item);
	data = malloc(*ret_len);
	if (!data)
		abort();
	memcpy(data, &item, sizeof(item));
	for (size_t i = sizeof(item); i < *ret_len; i++)
		data[i] = item_byte(item, i);

	stream->sent_usec[item] = now_usec;
	stream->next_usec += stream->interval_usec;
	return data;
}

static bool is_intact(const struct sim_stream *stream, uint32_t item, const uint8_t *data,
		      size_t len)
{
	if (item >= stream->n_sent || len != item_len(stream, item))
		return false;
	for (size_t i = sizeof(item); i < len; i++)
		if (data[i] != item_byte(item, i))
			return false;
	return true;
}

void sim_sink_take(struct sim_sink *sink, const uint8_t *data, size_t len, uint64_t now_usec)
{
	uint32_t item = 0;

	if (len >= sizeof(item))
		memcpy(&item, data, sizeof(item));
	if (len < sizeof(item) || !is_intact(sink->stream, item, data, len)) {
		sink->n_damaged++;
		return;
	}
	if (sink->n_received[item]++ > 0)
		return;
	sink->n_distinct++;
	sink->delay_usec[item] = now_usec - sink->stream->sent_usec[item];
	sink->longest_delay_usec = MAX(sink->longest_delay_usec, sink->delay_usec[item]);
}

bool sim_sink_is_complete(const struct sim_sink *sink)
{
	return sink->n_distinct == sink->stream->n_items;
}

uint32_t sim_sink_repeated(const struct sim_sink *sink)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < sink->stream->n_items; i++)
		n += sink->n_received[i] > 1;
	return n;
}
