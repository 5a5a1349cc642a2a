/* WebRTC signalling between browsers and the servers they want a channel to: protocol 02
 * section 14.4. It works for clients that are not in the domain yet. */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "domain-server/server-internal.h"
#include "webrtc/signalling.h"

static int to_mixer(struct server *s, struct node *mixer, const char *json)
{
	struct writer wr = writer_growing(DOMAIN_SIGNALING_MAX + 4);
	int r;

	domain_signaling_encode(&wr, span_of(json, strlen(json)));
	r = (int) writer_finish(&wr);
	if (r > 0) {
		_cleanup_(shared_bytes_unrefp) struct shared_bytes *payload =
			shared_bytes_new(wr.data, wr.len);

		r = payload ? endpoint_send_node_message(s->ep, mixer, PACKET_WEB_RTC_SIGNALING,
							 payload)
			    : -ENOMEM;
	}
	writer_done(&wr);
	return r;
}

/* This machine's addresses, for a mixer on it: its sandbox does not let it see them. */
static size_t addresses_for(const struct node *mixer,
			    struct hifi_addr ret[static SIGNALLING_ADDRESSES_MAX])
{
	int n = webrtc_local_addresses(true, ret, SIGNALLING_ADDRESSES_MAX);

	for (int i = 0; i < n; i++)
		if (hifi_addr_same_ip(&ret[i], &mixer->active))
			return (size_t) n;
	return 0;
}

static int relay(struct server *s, const struct hifi_addr *label, const struct signalling *message)
{
	struct node *mixer = node_list_find_solo(s->nodes, message->node_type);
	struct hifi_addr addresses[SIGNALLING_ADDRESSES_MAX];
	_cleanup_free_ char *json = NULL;
	size_t n = 0;
	int r;

	/* The client is not told: it has no way to understand (02 section 14.4). */
	if (!mixer)
		return -ENOENT;
	if (message->kind == SIGNALLING_OFFER)
		n = addresses_for(mixer, addresses);
	r = signalling_format_relay(message, label, addresses, n, &json);
	if (r < 0)
		return r;
	return to_mixer(s, mixer, json);
}

/* What a message to ourselves is answered with; NULL: nothing. */
static int answer(struct server *s, const struct hifi_addr *label, const struct signalling *message,
		  char **ret)
{
	_cleanup_free_ char *sdp = NULL;
	int r;

	switch (message->kind) {
	case SIGNALLING_ECHO:
		return signalling_format_echo(NODE_TYPE_DOMAIN_SERVER, label, message->text, ret);
	case SIGNALLING_OFFER:
		r = endpoint_offer(s->ep, label, message->text, &sdp);
		if (r < 0)
			return r;
		return signalling_format_answer(NODE_TYPE_DOMAIN_SERVER, label, sdp, ret);
	default:
		return 0;
	}
}

static int from_client(struct server *s, const struct hifi_addr *label, const char *json,
		       size_t len)
{
	_cleanup_(signalling_freep) struct signalling *message = NULL;
	_cleanup_free_ char *reply = NULL;
	int r;

	r = signalling_decode(json, len, SIGNALLING_FROM_CLIENT, &message);
	if (r < 0)
		return r;
	if (message->node_type != NODE_TYPE_DOMAIN_SERVER)
		return relay(s, label, message);
	r = answer(s, label, message, &reply);
	if (r < 0 || !reply)
		return r;
	return signalling_server_send(s->signalling, label, reply);
}

void relay_from_client(void *userdata, const struct hifi_addr *label, const char *json, size_t len)
{
	int r = from_client(userdata, label, json, len);

	if (r < 0)
		(void) log_debug_errno(r, "Signalling message of %s dropped: %m",
				       HIFI_ADDR_TEXT(label));
}

static int redial(struct server *s, struct node *mixer, const struct hifi_addr *label)
{
	struct node *client = node_list_find_by_addr(s->nodes, label);

	if (!client || !node_is_web(client))
		return -ENOENT;
	/* An offer would come by a new WebSocket, whose label no mixer knows. Without its channel
	 * to us the SDK starts over, with everything under one label. */
	if (!signalling_server_has(s->signalling, label))
		endpoint_close_channel(s->ep, &client->active);
	else
		resident_redial(resident_of(client), resident_of(mixer));
	return 0;
}

static int on_signaling(void *userdata, const struct received *rx)
{
	struct server *s = userdata;
	_cleanup_(signalling_freep) struct signalling *message = NULL;
	_cleanup_free_ char *text = NULL;
	struct span json;
	int r;

	if (!rx->node || !resident_of(rx->node)->assignment)
		return -EPERM;
	r = domain_signaling_decode(rx->payload, &json);
	if (r < 0)
		return r;
	r = signalling_decode((const char *) json.data, json.len, SIGNALLING_FROM_NODE, &message);
	if (r < 0)
		return r;
	if (message->node_type != rx->node->type)
		return -EPERM;
	if (message->kind == SIGNALLING_REDIAL)
		return redial(s, rx->node, &message->label);
	text = json_dumps(message->json, JSON_COMPACT);
	if (!text)
		return -ENOMEM;
	return signalling_server_send(s->signalling, &message->label, text);
}

void relay_register(struct server *s)
{
	endpoint_handle(s->ep, PACKET_WEB_RTC_SIGNALING, on_signaling, s);
}
