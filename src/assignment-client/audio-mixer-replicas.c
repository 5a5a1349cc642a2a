/* Voices of another domain: an upstream mixer wraps the packets of its replicated nodes, and here
 * they speak through clients that have no node. */
#include <errno.h>

#include "assignment-client/audio-mixer.h"

/* Nobody says when a replica is gone; one that was silent for so long is. */
#define REPLICA_SILENCE_USEC (5 * USEC_PER_SEC)
#define REPLICAS_MAX         1000

static const struct {
	enum packet_type plain, replicated;
} wrapped[] = {
	{PACKET_MICROPHONE_AUDIO_NO_ECHO, PACKET_REPLICATED_MICROPHONE_AUDIO_NO_ECHO},
	{PACKET_MICROPHONE_AUDIO_WITH_ECHO, PACKET_REPLICATED_MICROPHONE_AUDIO_WITH_ECHO},
	{PACKET_INJECT_AUDIO, PACKET_REPLICATED_INJECT_AUDIO},
	{PACKET_SILENT_AUDIO_FRAME, PACKET_REPLICATED_SILENT_AUDIO_FRAME},
};

/* --- upstream --- */

/* The replica with this id. An id that belongs to a node of our own, or to another upstream, is not
 * for this one to speak for. */
static int find_or_add(struct audio_mixer *m, const struct uuid *uuid, struct node *upstream,
		       struct audio_client **ret)
{
	struct audio_client *client;
	size_t n = 0;
	int r;

	list_for_each (client, &m->clients, list) {
		n += client->upstream != NULL;
		if (!uuid_equal(&client->uuid, uuid))
			continue;
		*ret = client;
		return client->upstream == upstream ? 0 : -EPERM;
	}
	if (n >= REPLICAS_MAX)
		return -ENOBUFS;
	r = audio_client_add(m, uuid, NULL, ret);
	if (r < 0)
		return r;
	(*ret)->upstream = upstream;
	return 0;
}

static int receive_plain(struct audio_client *client, enum packet_type type, struct span payload,
			 uint64_t now_usec)
{
	if (type == PACKET_INJECT_AUDIO)
		return audio_client_receive_injector(client, payload, now_usec);
	if (type == PACKET_SILENT_AUDIO_FRAME)
		return audio_client_receive_silence(client, payload, now_usec);
	return audio_client_receive_microphone(client, payload,
					       type == PACKET_MICROPHONE_AUDIO_WITH_ECHO, now_usec);
}

int audio_replicas_receive(struct audio_mixer *m, const struct received *rx)
{
	struct audio_replicated packet;
	struct audio_client *client;
	unsigned i = 0;
	int r;

	if (!rx->node || rx->node->type != NODE_TYPE_UPSTREAM_AUDIO)
		return -EPERM;
	r = audio_replicated_decode(rx->payload, &packet);
	if (r < 0)
		return r;
	r = find_or_add(m, &packet.sender, rx->node, &client);
	if (r < 0)
		return r;
	client->heard_usec = rx->now_usec;

	while (wrapped[i].replicated != rx->type)
		i++;
	return receive_plain(client, wrapped[i].plain, packet.payload, rx->now_usec);
}

void audio_replicas_expire(struct audio_mixer *m, const struct node *upstream, uint64_t now_usec)
{
	struct audio_client *client;

	list_for_each (client, &m->clients, list)
		if (client->upstream &&
		    (upstream ? client->upstream == upstream
			      : now_usec - client->heard_usec > REPLICA_SILENCE_USEC))
			audio_client_remove(client);
}

/* --- downstream --- */

/* A mixer that is at the sender's own place got the packet already. */
static bool is_elsewhere(const struct node *mixer, const struct node *sender)
{
	return !hifi_addr_equal(&mixer->public_addr, &sender->public_addr) &&
	       !hifi_addr_equal(&mixer->local_addr, &sender->local_addr);
}

void audio_replicas_forward(struct audio_mixer *m, const struct received *rx)
{
	uint8_t data[2048];
	struct writer wr = writer_over(data, sizeof(data));
	unsigned i = 0;

	while (wrapped[i].plain != rx->type)
		i++;
	audio_replicated_encode(&(struct audio_replicated){rx->node->uuid, rx->payload}, &wr);
	if (writer_finish(&wr) < 0)
		return;
	node_list_for_each (m->context.nodes, node)
		if (node->type == NODE_TYPE_DOWNSTREAM_AUDIO && node_is_active(node) &&
		    is_elsewhere(node, rx->node))
			(void) endpoint_send_node(m->context.endpoint, node, wrapped[i].replicated,
						  span_of(data, wr.len));
}
