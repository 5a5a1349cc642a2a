#include "load/chat-log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* What the text begins with; the rest is filler. */
#define TEXT_FORMAT \
	"{\"hifi-load\":%u,\"type\":\"TransmitChatMessage\",\"channel\":\"Domain\",\"message\":\""
#define TEXT_END "\"}"
#define HEAD_MAX 128

int chat_log_init(struct chat_log *log, unsigned n_clients)
{
	*log = (struct chat_log){
		.n_clients = n_clients,
		.by_serial = hashmap_new(sizeof(uint32_t)),
	};
	list_init(&log->all);
	return log->by_serial ? 0 : -ENOMEM;
}

void chat_log_drop(struct chat_log *log, const struct chat_message *message)
{
	struct chat_message *m = hashmap_remove(log->by_serial, &message->serial);

	list_remove(&m->list);
	free(m->text);
	free(m);
}

void chat_log_done(struct chat_log *log)
{
	struct chat_message *message;

	if (!log->by_serial)
		return;
	list_for_each (message, &log->all, list)
		chat_log_drop(log, message);
	log->by_serial = hashmap_free(log->by_serial);
}

/* Letters of one to four bytes, so that a mixer that counts characters is found out. */
static void fill_text(struct writer *wr, uint32_t serial, size_t len)
{
	static const char *const letters[] = {"a", "é", "漢", "🙂", " ", "z"};
	char head[HEAD_MAX];
	int n = snprintf(head, sizeof(head), TEXT_FORMAT, serial);

	write_bytes(wr, head, (size_t) n);
	for (uint32_t i = serial; wr->len + strlen(TEXT_END) < len; i = i * 7 + 1) {
		const char *letter = letters[i % ELEMENTSOF(letters)];

		write_bytes(wr, letter, strlen(letter));
	}
	write_bytes(wr, TEXT_END, strlen(TEXT_END));
}

int chat_log_compose(struct chat_log *log, unsigned sender, const struct uuid *sender_id,
		     size_t len, uint64_t now_usec, const struct chat_message **ret)
{
	struct writer wr = writer_growing(len + 2 * HEAD_MAX);
	struct chat_message *m;
	ssize_t n;

	m = calloc(1, sizeof(*m) + (log->n_clients + 7) / 8);
	if (!m)
		return -ENOMEM;
	m->serial = ++log->last_serial;
	m->sender = sender;
	m->sender_id = *sender_id;
	m->sent_usec = now_usec;
	fill_text(&wr, m->serial, len);
	n = writer_take(&wr, &m->text);
	if (n < 0 || hashmap_insert(log->by_serial, &m->serial, m) < 0) {
		free(m->text);
		free(m);
		return -ENOMEM;
	}
	m->len = (size_t) n;
	list_append(&log->all, &m->list);
	*ret = m;
	return 0;
}

static bool parse_serial(struct span text, uint32_t *ret)
{
	char head[HEAD_MAX] = {0};

	memcpy(head, text.data, MIN(text.len, sizeof(head) - 1));
	return sscanf(head, TEXT_FORMAT, ret) == 1;
}

bool chat_text_is_ours(struct span text)
{
	uint32_t serial;

	return text.len > 0 && parse_serial(text, &serial);
}

bool chat_message_has(const struct chat_message *message, unsigned client)
{
	return message->received[client / 8] >> (client % 8) & 1;
}

enum chat_arrival chat_log_receive(struct chat_log *log, unsigned client, struct span text,
				   const struct uuid *sender_id, const struct chat_message **ret)
{
	struct chat_message *m;
	uint32_t serial;

	if (text.len == 0 || !parse_serial(text, &serial) || serial > log->last_serial)
		return CHAT_ALTERED;
	m = hashmap_find(log->by_serial, &serial);
	if (!m)
		return CHAT_LATE;
	if (m->len != text.len || memcmp(m->text, text.data, text.len) != 0)
		return CHAT_ALTERED;
	if (!uuid_equal(&m->sender_id, sender_id))
		return CHAT_FORGED;
	if (chat_message_has(m, client))
		return CHAT_REPEATED;
	m->received[client / 8] |= (uint8_t) (1 << (client % 8));
	*ret = m;
	return CHAT_FIRST;
}

const struct chat_message *chat_log_oldest(const struct chat_log *log, uint64_t until_usec)
{
	const struct chat_message *m = LIST_FIRST(&log->all, struct chat_message, list);

	return m && m->sent_usec <= until_usec ? m : NULL;
}
