/* messages-mixer: relays chat and script messages by channel (protocol 05). */
#include <errno.h>
#include <stdio.h>

#include <openssl/evp.h>

#include "assignment-client/hats.h"
#include "assignment-client/settings.h"
#include "base/clock.h"
#include "base/hashmap.h"
#include "base/list.h"
#include "base/log.h"
#include "node/messages-data.h"

/* Protocol 05 sections 3 and 4. */
#define SUBSCRIPTIONS_MAX       1024
#define MESSAGE_BYTES_MAX       (1024 * 1024)
#define BACKLOG_MAX             (4 * 1024 * 1024)
#define RATE_DEFAULT            1000
#define SUBSCRIBE_RATE          100
#define FANOUT_BYTES_PER_SECOND (8 * 1024 * 1024)
#define FANOUT_BURST_BYTES      (2 * FANOUT_BYTES_PER_SECOND)

/* Channels are found by the SHA-256 of their name: a key of fixed size that nobody can make
 * collide. */
struct channel_key {
	uint8_t sha256[32];
};

struct channel {
	struct channel_key key;
	struct list subscriptions;
	unsigned n_subscriptions;
};

struct subscription {
	struct channel *channel;
	struct member *member;
	struct list in_channel, in_member;
};

/* node->data */
struct member {
	struct node *node;
	struct list subscriptions;
	unsigned n_subscriptions;

	/* Fixed windows of a second, like upstream. */
	uint64_t window_usec;
	unsigned n_messages, n_subscribes;
	/* Bytes × subscribers this member may still cause, refilled over time. */
	double fanout_budget;
	uint64_t fanout_usec;
	uint64_t warned_usec;
};

struct messages_mixer {
	struct hat_context context;
	struct hashmap *channels;
	unsigned max_per_second;
	unsigned n_subscriptions;
	uint64_t relayed, dropped_rate, dropped_malformed, dropped_backlog, repaired;
};

static struct channel_key channel_key(struct span name)
{
	struct channel_key key = {{0}};

	(void) EVP_Digest(name.data, name.len, key.sha256, NULL, EVP_sha256(), NULL);
	return key;
}

/* --- subscriptions --- */

static void subscription_free(struct messages_mixer *m, struct subscription *s)
{
	struct channel *channel = s->channel;

	list_remove(&s->in_channel);
	list_remove(&s->in_member);
	s->member->n_subscriptions--;
	m->n_subscriptions--;
	if (--channel->n_subscriptions == 0) {
		(void) hashmap_remove(m->channels, &channel->key);
		free(channel);
	}
	free(s);
}

static struct subscription *subscription_find(const struct member *member,
					      const struct channel *channel)
{
	struct subscription *s;

	list_for_each (s, &member->subscriptions, in_member)
		if (s->channel == channel)
			return s;
	return NULL;
}

static int channel_get(struct messages_mixer *m, const struct channel_key *key,
		       struct channel **ret)
{
	struct channel *channel = hashmap_find(m->channels, key);
	int r;

	if (!channel) {
		channel = calloc(1, sizeof(*channel));
		if (!channel)
			return -ENOMEM;
		channel->key = *key;
		list_init(&channel->subscriptions);
		r = hashmap_insert(m->channels, key, channel);
		if (r < 0) {
			free(channel);
			return r;
		}
	}
	*ret = channel;
	return 0;
}

static int member_of(struct received const *rx, struct member **ret)
{
	if (!rx->node || !rx->node->data)
		return -EPERM;
	*ret = rx->node->data;
	return 0;
}

static void turn_window(struct member *member, uint64_t now_usec)
{
	if (now_usec - member->window_usec < USEC_PER_SEC)
		return;
	member->window_usec = now_usec;
	member->n_messages = 0;
	member->n_subscribes = 0;
}

/* 1; 0: it is subscribed already; -ENOBUFS, -ENOMEM. */
static int subscribe(struct messages_mixer *m, struct member *member, const struct channel_key *key)
{
	struct subscription *s;
	struct channel *channel;
	int r;

	if (member->n_subscriptions >= SUBSCRIPTIONS_MAX)
		return -ENOBUFS;
	channel = hashmap_find(m->channels, key);
	if (channel && subscription_find(member, channel))
		return 0;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	r = channel_get(m, key, &channel);
	if (r < 0) {
		free(s);
		return r;
	}
	s->channel = channel;
	s->member = member;
	list_append(&channel->subscriptions, &s->in_channel);
	list_append(&member->subscriptions, &s->in_member);
	channel->n_subscriptions++;
	member->n_subscriptions++;
	m->n_subscriptions++;
	return 1;
}

static int on_subscribe(void *userdata, const struct received *rx)
{
	struct messages_mixer *m = userdata;
	struct channel_key key = channel_key(rx->payload);
	struct member *member;
	int r;

	r = member_of(rx, &member);
	if (r < 0)
		return r;
	if (rx->payload.len > MESSAGES_CHANNEL_MAX)
		return -EBADMSG;
	turn_window(member, rx->now_usec);
	if (member->n_subscribes++ >= SUBSCRIBE_RATE)
		return -ENOBUFS;

	r = subscribe(m, member, &key);
	if (r > 0)
		hat_touch(&m->context, rx->node);
	return MIN(r, 0);
}

static int on_unsubscribe(void *userdata, const struct received *rx)
{
	struct messages_mixer *m = userdata;
	struct channel_key key = channel_key(rx->payload);
	struct channel *channel = hashmap_find(m->channels, &key);
	struct subscription *s;
	struct member *member;
	int r;

	r = member_of(rx, &member);
	if (r < 0)
		return r;
	turn_window(member, rx->now_usec);
	if (member->n_subscribes++ >= SUBSCRIBE_RATE)
		return -ENOBUFS;
	s = channel ? subscription_find(member, channel) : NULL;
	if (s) {
		subscription_free(m, s);
		hat_touch(&m->context, rx->node);
	}
	return 0;
}

/* --- messages --- */

static struct shared_bytes *relayed_payload(const struct messages_data *message,
					    const struct node *sender)
{
	struct writer wr =
		writer_growing(MESSAGE_BYTES_MAX + MESSAGES_CHANNEL_MAX + MESSAGES_DATA_FIXED_LEN);
	struct shared_bytes *shared;

	/* Never the sender that the message names: nobody speaks for another. */
	messages_data_encode(&wr, message, &sender->uuid);
	shared = writer_finish(&wr) < 0 ? NULL : shared_bytes_new(wr.data, wr.len);
	writer_done(&wr);
	return shared;
}

/* Whether this member may still cause that many bytes of traffic. */
static bool take_fanout(struct member *member, size_t bytes, uint64_t now_usec)
{
	double seconds = (double) (now_usec - member->fanout_usec) / 1e6;

	member->fanout_usec = now_usec;
	member->fanout_budget = MIN(member->fanout_budget + seconds * FANOUT_BYTES_PER_SECOND,
				    (double) FANOUT_BURST_BYTES);
	if ((double) bytes > member->fanout_budget)
		return false;
	member->fanout_budget -= (double) bytes;
	return true;
}

static int over_rate(struct messages_mixer *m, struct member *member, uint64_t now_usec)
{
	m->dropped_rate++;
	if (member->warned_usec == 0 || now_usec - member->warned_usec > 60 * USEC_PER_SEC) {
		member->warned_usec = now_usec;
		log_warning("Node %s sends messages faster than allowed; the excess is dropped.",
			    UUID_TEXT(&member->node->uuid));
	}
	return -ENOBUFS;
}

static void fan_out(struct messages_mixer *m, struct channel *channel, struct shared_bytes *payload)
{
	struct endpoint *ep = m->context.endpoint;
	struct subscription *s;

	list_for_each (s, &channel->subscriptions, in_channel) {
		struct node *node = s->member->node;

		if (!node_is_active(node))
			continue;
		if (endpoint_queued_bytes(ep, node) + payload->len > BACKLOG_MAX ||
		    endpoint_send_node_message(ep, node, PACKET_MESSAGES_DATA, payload) < 0) {
			m->dropped_backlog++;
			endpoint_count_drop(ep, node, DROP_RATE);
		} else {
			m->relayed++;
		}
	}
}

static int on_data(void *userdata, const struct received *rx)
{
	struct messages_mixer *m = userdata;
	_cleanup_(shared_bytes_unrefp) struct shared_bytes *payload = NULL;
	struct channel_key key;
	struct channel *channel;
	struct messages_data message;
	struct member *member;
	int r;

	r = member_of(rx, &member);
	if (r < 0)
		return r;
	turn_window(member, rx->now_usec);
	if (member->n_messages++ >= MAX(m->max_per_second, 1u))
		return over_rate(m, member, rx->now_usec);
	if (rx->payload.len > MESSAGE_BYTES_MAX)
		return over_rate(m, member, rx->now_usec);

	r = messages_data_decode(rx->payload, &message);
	if (r < 0) {
		m->dropped_malformed++;
		return r;
	}
	m->repaired += r > 0;

	key = channel_key(message.channel);
	channel = hashmap_find(m->channels, &key);
	if (!channel)
		return 0;
	if (!take_fanout(member, rx->payload.len * channel->n_subscriptions, rx->now_usec))
		return over_rate(m, member, rx->now_usec);
	payload = relayed_payload(&message, rx->node);
	if (!payload)
		return -ENOMEM;
	fan_out(m, channel, payload);
	return 0;
}

/* --- nodes --- */

static void on_node_added(void *hat, struct node *node)
{
	struct member *member = calloc(1, sizeof(*member));

	/* Without it the node's packets are refused until it comes again. */
	if (!member)
		return;
	member->node = node;
	member->fanout_budget = FANOUT_BURST_BYTES;
	member->fanout_usec = clock_now_usec();
	list_init(&member->subscriptions);
	node->data = member;
}

static void on_node_killed(void *hat, struct node *node)
{
	struct messages_mixer *m = hat;
	struct member *member = node->data;
	struct subscription *s;

	if (!member)
		return;
	list_for_each (s, &member->subscriptions, in_member)
		subscription_free(m, s);
	free(member);
	node->data = NULL;
}

/* --- for a successor --- */

static void save_node(void *hat, const struct node *node, struct writer *wr)
{
	struct member *member = node->data;
	struct subscription *s;

	if (!member)
		return;
	list_for_each (s, &member->subscriptions, in_member)
		write_bytes(wr, s->channel->key.sha256, sizeof(s->channel->key.sha256));
}

static int restore_node(void *hat, struct node *node, struct reader *rd)
{
	int r = 0;

	while (node->data && reader_left(rd) > 0 && r >= 0) {
		const uint8_t *sha256 = read_bytes(rd, sizeof(struct channel_key));
		struct channel_key key;

		if (!sha256)
			return -EBADMSG;
		memcpy(key.sha256, sha256, sizeof(key.sha256));
		r = subscribe(hat, node->data, &key);
	}
	return MIN(r, 0);
}

/* --- life --- */

static const struct {
	enum packet_type type;
	packet_handler_fn fn;
} handlers[] = {
	{PACKET_MESSAGES_DATA, on_data},
	{PACKET_MESSAGES_SUBSCRIBE, on_subscribe},
	{PACKET_MESSAGES_UNSUBSCRIBE, on_unsubscribe},
};

static void messages_mixer_stop(void *hat)
{
	struct messages_mixer *m = hat;

	for (size_t i = 0; i < ELEMENTSOF(handlers); i++)
		endpoint_handle(m->context.endpoint, handlers[i].type, NULL, NULL);
	hashmap_free(m->channels);
	free(m);
}

static int messages_mixer_start(const struct hat_context *context, const json_t *settings,
				void **ret)
{
	double limit = settings_double(settings, "messages_mixer", "max_node_messages_per_second",
				       RATE_DEFAULT);
	struct messages_mixer *m;

	m = calloc(1, sizeof(*m));
	if (!m)
		return -ENOMEM;
	m->context = *context;
	m->max_per_second = (unsigned) CLAMP(limit, 0.0, 1e6);
	m->channels = hashmap_new(sizeof(struct channel_key));
	if (!m->channels) {
		free(m);
		return -ENOMEM;
	}

	for (size_t i = 0; i < ELEMENTSOF(handlers); i++)
		endpoint_handle(context->endpoint, handlers[i].type, handlers[i].fn, m);
	*ret = m;
	return 0;
}

static json_t *node_stats(const struct node *node)
{
	return json_pack("{s:s, s:I, s:I}", "$username", UUID_TEXT(&node->uuid), "inbound_bytes",
			 (json_int_t) node->traffic.bytes_in, "outbound_bytes",
			 (json_int_t) node->traffic.bytes_out);
}

static json_t *messages_mixer_stats(void *hat)
{
	struct messages_mixer *m = hat;
	json_t *nodes = json_object();

	node_list_for_each (m->context.nodes, node)
		(void) json_object_set_new(nodes, UUID_TEXT(&node->uuid), node_stats(node));
	return json_pack("{s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "messages", nodes, "channels",
			 (json_int_t) hashmap_size(m->channels), "subscriptions",
			 (json_int_t) m->n_subscriptions, "relayed", (json_int_t) m->relayed,
			 "dropped_rate", (json_int_t) m->dropped_rate, "dropped_malformed",
			 (json_int_t) m->dropped_malformed, "dropped_backlog",
			 (json_int_t) m->dropped_backlog, "repaired_channels",
			 (json_int_t) m->repaired);
}

static void messages_mixer_status(void *hat, char *buf, size_t size)
{
	struct messages_mixer *m = hat;

	(void) snprintf(buf, size, "%u people, %u subscriptions, %llu messages relayed",
			node_list_count(m->context.nodes, NODE_TYPE_AGENT), m->n_subscriptions,
			(unsigned long long) m->relayed);
}

const struct hat_ops messages_mixer_ops = {
	.hat = HAT_MESSAGES,
	.interest = "IS",
	.start = messages_mixer_start,
	.stop = messages_mixer_stop,
	.node_added = on_node_added,
	.node_killed = on_node_killed,
	.save_node = save_node,
	.restore_node = restore_node,
	.stats = messages_mixer_stats,
	.status = messages_mixer_status,
};
