/* What an endpoint did, for status pages. */
#include "node/endpoint.h"

static json_t *drops_json(const struct drop_counts *drops)
{
	json_t *object = json_object();

	for (unsigned i = 0; i < DROP_REASON_COUNT; i++)
		if (drops->n[i] > 0)
			(void) json_object_set_new(object, drop_reason_name((enum drop_reason) i),
						   json_integer((json_int_t) drops->n[i]));
	return object;
}

static json_t *webrtc_json(const struct webrtc_stats *stats)
{
	json_t *dropped = json_object();

	for (unsigned i = 0; i < WEBRTC_DROP_COUNT; i++)
		if (stats->dropped[i] > 0)
			(void) json_object_set_new(dropped, webrtc_drop_name((enum webrtc_drop) i),
						   json_integer((json_int_t) stats->dropped[i]));
	return json_pack("{s:i, s:i, s:I, s:I, s:o}", "associations", (int) stats->associations,
			 "channels", (int) stats->open_channels, "messages_in",
			 (json_int_t) stats->messages_in, "messages_out",
			 (json_int_t) stats->messages_out, "dropped", dropped);
}

json_t *endpoint_stats(const struct endpoint *ep)
{
	struct webrtc *webrtc = endpoint_webrtc(ep);
	const struct udp_socket_stats *udp = endpoint_udp_stats(ep);
	json_t *object;

	object = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "received_packets",
			   (json_int_t) udp->received_packets, "received_bytes",
			   (json_int_t) udp->received_bytes, "sent_packets",
			   (json_int_t) udp->sent_packets, "sent_bytes",
			   (json_int_t) udp->sent_bytes, "kernel_drops",
			   (json_int_t) udp->kernel_drops, "send_drops",
			   (json_int_t) udp->send_drops, "drops", drops_json(endpoint_drops(ep)));
	if (object && webrtc)
		(void) json_object_set_new(object, "webrtc", webrtc_json(webrtc_stats(webrtc)));
	return object;
}
