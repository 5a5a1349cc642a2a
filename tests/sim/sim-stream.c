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

/* The number, then words that differ between items and between the parts of one. On the heap. */
static uint8_t *make_item(uint32_t item, size_t len)
{
	uint8_t *data = malloc(len);

	if (!data)
		abort();
	for (size_t i = 0; i < len; i += sizeof(uint32_t)) {
		uint32_t word = i == 0 ? item : mix(item) + (uint32_t) i * 0x9e3779b1U;

		memcpy(data + i, &word, MIN(sizeof(word), len - i));
	}
	return data;
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
	data = make_item(item, *ret_len);
	stream->sent_usec[item] = now_usec;
	stream->next_usec += stream->interval_usec;
	return data;
}

static bool is_intact(const struct sim_stream *stream, uint32_t item, const uint8_t *data,
		      size_t len)
{
	_cleanup_free_ uint8_t *expected = NULL;

	if (item >= stream->n_sent || len != item_len(stream, item))
		return false;
	expected = make_item(item, len);
	return memcmp(data, expected, len) == 0;
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
