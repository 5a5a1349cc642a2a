/* A client of the messages-mixer (protocol 05): subscribes to the run's own channel, says something
 * now and then, and checks that everything that anybody says arrives once, unchanged, under the
 * right id. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "load/client.h"
#include "node/messages-data.h"

/* A subscription is not confirmed; by then it has arrived. */
#define SUBSCRIBE_USEC (2 * USEC_PER_SEC)
#define CHANNEL_MAX    (LOAD_CHANNEL_MAX + 1)
#define TEXT_SHORT     200
#define TEXT_LONG      5000 /* several packets */
#define LONG_EVERY     16

/* Runs that are made at the same time do not hear each other, unless they are told to. */
static struct span channel(const struct client *c, char buf[static CHANNEL_MAX])
{
	const char *name = c->scene->options->channel;
	int n;

	if (name)
		return span_of(name, strlen(name));
	n = snprintf(buf, CHANNEL_MAX, "hifi-load-%08x", c->scene->run_id);
	return span_of(buf, (size_t) n);
}

static uint64_t chat_pause(struct client *c)
{
	return (uint64_t) (prng_range(&c->prng, 0.5, 1.5) / c->scene->options->chat * 1e6);
}

static void send_chat(struct client *c, uint64_t now_usec)
{
	size_t len = ++c->messages.n_sent % LONG_EVERY == 0 ? TEXT_LONG : TEXT_SHORT;
	const struct chat_message *message;
	uint8_t data[TEXT_LONG + 256];
	struct writer wr = writer_over(data, sizeof(data));
	struct messages_data packet = {.is_text = true};
	char name[CHANNEL_MAX];

	if (chat_log_compose(&c->scene->chat, c->index, &c->session->id, len, now_usec, &message) <
	    0)
		return;
	packet.channel = channel(c, name);
	packet.data = span_of(message->text, message->len);
	messages_data_encode(&wr, &packet, &c->session->id);
	if (client_send_message(c, LOAD_MIXER_MESSAGES, PACKET_MESSAGES_DATA, &wr) < 0)
		chat_log_drop(&c->scene->chat, message);
	else if (c->scene->is_measuring)
		c->scene->measures.traffic.chats_sent++;
}

static void messages_frame(struct client *c, uint64_t frame, uint64_t now_usec)
{
	if (c->scene->is_over || c->scene->options->chat <= 0 ||
	    now_usec < c->messages.next_chat_usec)
		return;
	c->messages.next_chat_usec = now_usec + chat_pause(c);
	send_chat(c, now_usec);
}

static void take_text(struct client *c, struct span text, const struct uuid *sender,
		      uint64_t now_usec)
{
	struct measures *m = &c->scene->measures;
	const struct chat_message *message;

	if (c->scene->options->channel && !chat_text_is_ours(text)) {
		m->traffic.others_chats += c->scene->is_measuring;
		return;
	}
	switch (chat_log_receive(&c->scene->chat, c->index, text, sender, &message)) {
	case CHAT_FIRST:
		if (c->scene->is_measuring) {
			m->traffic.chats_received++;
			histogram_add(&m->traffic.chat_latency, now_usec - message->sent_usec);
		}
		break;
	case CHAT_REPEATED:
		measures_fault(m, FAULT_CHAT_REPEATED);
		break;
	case CHAT_FORGED:
		measures_fault(m, FAULT_CHAT_FORGED);
		break;
	case CHAT_ALTERED:
		measures_fault(m, FAULT_CHAT_ALTERED);
		break;
	case CHAT_LATE:
		break; /* counted as lost already */
	}
}

static int on_data(struct client *c, const struct received *rx)
{
	struct messages_data message;
	char name[CHANNEL_MAX];
	struct span expected = channel(c, name);
	int r;

	r = messages_data_decode(rx->payload, &message);
	if (r < 0)
		return r;
	/* A repaired length is not what we sent. */
	if (r > 0 || !message.is_text || message.channel.len != expected.len ||
	    memcmp(message.channel.data, expected.data, expected.len) != 0)
		measures_fault(&c->scene->measures, FAULT_CHAT_ALTERED);
	else
		take_text(c, message.data, &message.sender, rx->now_usec);
	return 0;
}

static void messages_start(struct client *c, uint64_t now_usec)
{
	uint8_t data[CHANNEL_MAX];
	struct writer wr = writer_over(data, sizeof(data));
	char name[CHANNEL_MAX];
	struct span to = channel(c, name);

	write_bytes(&wr, to.data, to.len);
	(void) client_send_message(c, LOAD_MIXER_MESSAGES, PACKET_MESSAGES_SUBSCRIBE, &wr);
	c->messages.listens_usec = now_usec + SUBSCRIBE_USEC;
	/* In the middle of a pause, as if it had been there before. */
	c->messages.next_chat_usec = c->messages.listens_usec;
	if (c->scene->options->chat > 0)
		c->messages.next_chat_usec +=
			(uint64_t) (prng_unit(&c->prng) * (double) chat_pause(c));
}

static void messages_stop(struct client *c)
{
	c->messages.listens_usec = 0;
}

static const struct part_handler handlers[] = {
	{PACKET_MESSAGES_DATA, on_data},
};

const struct part messages_part = {
	.mixer = LOAD_MIXER_MESSAGES,
	.handlers = handlers,
	.n_handlers = ELEMENTSOF(handlers),
	.start = messages_start,
	.stop = messages_stop,
	.frame = messages_frame,
};
