#include <errno.h>
#include <string.h>

#include "webrtc/signalling.h"

struct signalling *signalling_free(struct signalling *s)
{
	if (!s)
		return NULL;
	json_decref(s->json);
	free(s);
	return NULL;
}

int signalling_label_parse(const char *text, struct hifi_addr *ret)
{
	struct hifi_addr label;

	if (hifi_addr_parse(text, SOCKET_TYPE_WEBRTC, &label) < 0 || !hifi_addr_is_ipv4(&label) ||
	    label.port == 0)
		return -EBADMSG;
	*ret = label;
	return 0;
}

static int get_node_type(const json_t *object, const char *key, char *ret)
{
	const char *text = json_string_value(json_object_get(object, key));

	if (!text || text[0] <= ' ' || text[0] > '~' || text[1] != '\0')
		return -EBADMSG;
	*ret = text[0];
	return 0;
}

static int get_label(const json_t *object, const char *key, struct hifi_addr *ret)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? signalling_label_parse(text, ret) : -EBADMSG;
}

static int get_ends(const json_t *object, enum signalling_direction direction, struct signalling *s)
{
	bool from_node = direction == SIGNALLING_FROM_NODE;
	int r;

	r = get_node_type(object, from_node ? "from" : "to", &s->node_type);
	if (r < 0 || direction == SIGNALLING_FROM_CLIENT)
		return r;
	return get_label(object, from_node ? "to" : "from", &s->label);
}

/* Only clients offer, only servers answer. */
static int get_description(const json_t *description, enum signalling_direction direction,
			   struct signalling *s)
{
	const char *type = json_string_value(json_object_get(description, "type"));

	s->kind = direction == SIGNALLING_FROM_NODE ? SIGNALLING_ANSWER : SIGNALLING_OFFER;
	s->text = json_string_value(json_object_get(description, "sdp"));
	if (!type || !s->text ||
	    strcmp(type, s->kind == SIGNALLING_ANSWER ? "answer" : "offer") != 0)
		return -EBADMSG;
	return 0;
}

static int get_content(const json_t *object, enum signalling_direction direction,
		       struct signalling *s)
{
	const json_t *echo = json_object_get(object, "echo");
	const json_t *data = json_object_get(object, "data");
	const json_t *description = json_object_get(data, "description");

	if (echo) {
		s->kind = SIGNALLING_ECHO;
		s->text = json_string_value(echo);
		return s->text ? 0 : -EBADMSG;
	}
	if (description)
		return get_description(description, direction, s);
	if (direction == SIGNALLING_FROM_NODE && json_is_true(json_object_get(object, "redial"))) {
		s->kind = SIGNALLING_REDIAL;
		s->text = "";
		return 0;
	}

	s->kind = SIGNALLING_CANDIDATE;
	s->text =
		json_string_value(json_object_get(json_object_get(data, "candidate"), "candidate"));
	return s->text ? 0 : -EBADMSG;
}

static int get_addresses(const json_t *object, struct signalling *s)
{
	const json_t *list = json_object_get(object, "addresses"), *item;
	size_t i;

	if (json_array_size(list) > SIGNALLING_ADDRESSES_MAX)
		return -EBADMSG;
	json_array_foreach (list, i, item) {
		const char *text = json_string_value(item);

		if (!text || hifi_addr_parse(text, SOCKET_TYPE_UDP, &s->addresses[i]) < 0)
			return -EBADMSG;
	}
	s->n_addresses = json_array_size(list);
	return 0;
}

int signalling_decode(const char *data, size_t len, enum signalling_direction direction,
		      struct signalling **ret)
{
	_cleanup_(signalling_freep) struct signalling *s = NULL;
	int r;

	if (len > SIGNALLING_MESSAGE_MAX)
		return -EBADMSG;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->json = json_loadb(data, len, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(s->json))
		return -EBADMSG;
	r = get_ends(s->json, direction, s);
	if (r < 0)
		return r;
	r = get_content(s->json, direction, s);
	if (r < 0)
		return r;
	if (direction == SIGNALLING_TO_NODE) {
		r = get_addresses(s->json, s);
		if (r < 0)
			return r;
	}

	*ret = TAKE_PTR(s);
	return 0;
}

static int format(json_t *object, char **ret)
{
	char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;

	json_decref(object);
	if (!text)
		return -ENOMEM;
	*ret = text;
	return 0;
}

static char *format_label(const struct hifi_addr *label, char buf[static HIFI_ADDR_TEXT_MAX])
{
	struct hifi_addr plain = *label;

	/* Without the prefix that messages for people have. */
	plain.type = SOCKET_TYPE_UDP;
	plain.channel = 0;
	return hifi_addr_format(&plain, buf);
}

int signalling_format_relay(const struct signalling *s, const struct hifi_addr *label,
			    const struct hifi_addr *addresses, size_t n_addresses, char **ret)
{
	json_t *object = json_copy(s->json), *list = json_array();
	char text[HIFI_ADDR_TEXT_MAX];
	int r;

	/* Not what the client itself put there. */
	(void) json_object_del(object, "addresses");
	r = json_object_set_new(object, "from", json_string(format_label(label, text)));
	for (size_t i = 0; i < n_addresses; i++)
		r |= json_array_append_new(list,
					   json_string(hifi_addr_format(&addresses[i], text)));
	if (n_addresses > 0)
		r |= json_object_set(object, "addresses", list);
	json_decref(list);
	if (r < 0) {
		json_decref(object);
		return -ENOMEM;
	}
	return format(object, ret);
}

int signalling_format_answer(char node_type, const struct hifi_addr *label, const char *sdp,
			     char **ret)
{
	const char from[] = {node_type, '\0'};
	char to[HIFI_ADDR_TEXT_MAX];

	return format(json_pack("{s:s, s:s, s:{s:{s:s, s:s}}}", "from", from, "to",
				format_label(label, to), "data", "description", "type", "answer",
				"sdp", sdp),
		      ret);
}

int signalling_format_echo(char node_type, const struct hifi_addr *label, const char *text,
			   char **ret)
{
	const char from[] = {node_type, '\0'};
	char to[HIFI_ADDR_TEXT_MAX];

	return format(json_pack("{s:s, s:s, s:s}", "from", from, "to", format_label(label, to),
				"echo", text),
		      ret);
}
