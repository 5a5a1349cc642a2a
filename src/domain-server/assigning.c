/* Handing out assignments and settings, and hearing how the mixers fare: protocol 02 sections 10
 * to 12. */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/qt-stream.h"
#include "domain-server/server-internal.h"

/* A request this soon after the node came is one that overtook nothing: it was sent before. */
#define STALE_REQUEST_USEC (500 * USEC_PER_MSEC)
#define STATS_MAX          (256 * 1024)

/* Only an assignment client that lost its assignment asks for one: whoever worked at this address
 * died without a word. Its clients learn it now instead of after seconds of silence. */
static void bury_predecessor(struct server *s, const struct received *rx)
{
	if (rx->node && resident_of(rx->node)->assignment &&
	    rx->now_usec > rx->node->added_usec + STALE_REQUEST_USEC)
		resident_kill(resident_of(rx->node), "its process began anew");
}

static void send_assignment(struct server *s, const struct hifi_addr *to,
			    const struct assignment_offer *offer)
{
	const char *payload = offer->assignment->payload;
	uint8_t data[PACKET_MAX];
	struct writer wr = writer_over(data, sizeof(data));
	struct domain_assignment create = {
		.type = (uint8_t) offer->assignment->type,
		.id = offer->id,
		.pool = (char *) offer->assignment->pool,
		.payload = span_of(payload, strlen(payload)),
	};

	domain_create_assignment_encode(&wr, &create);
	if (writer_finish(&wr) > 0)
		(void) endpoint_send(s->ep, to, PACKET_CREATE_ASSIGNMENT, span_of(data, wr.len));
}

static int on_request_assignment(void *userdata, const struct received *rx)
{
	struct server *s = userdata;
	struct domain_assignment request;
	struct assignment_offer offer;
	int r;

	if (rx->from->type != SOCKET_TYPE_UDP ||
	    !gatekeeper_allows_assignment(s->gatekeeper, rx->from))
		return -EPERM;
	r = domain_request_assignment_decode(rx->payload, &request);
	if (r < 0)
		return r;
	bury_predecessor(s, rx);
	/* Nothing to do for it is no fault of the sender: it asks again in a second. */
	if (assignments_offer(s->assignments, request.type, request.pool, request.version,
			      &offer) >= 0)
		send_assignment(s, rx->from, &offer);
	domain_assignment_done(&request);
	return 0;
}

static int on_json_stats(void *userdata, const struct received *rx)
{
	struct resident *r = resident_of(rx->node);
	json_t *stats;
	int result;

	/* Native clients report too; that is theirs to keep. */
	if (!r->assignment)
		return 0;
	if (rx->payload.len > STATS_MAX)
		return -ENOBUFS;
	result = qbjs_decode(rx->payload.data, rx->payload.len, &stats);
	if (result < 0)
		return result;
	json_decref(r->stats);
	r->stats = stats;
	return 0;
}

/* Avatars entering and leaving screen-share zones, for a directory service that we have not. */
static int on_zone_presence(void *userdata, const struct received *rx)
{
	return rx->node ? 0 : -EPERM;
}

void assigning_register(struct server *s)
{
	endpoint_handle(s->ep, PACKET_REQUEST_ASSIGNMENT, on_request_assignment, s);
	endpoint_handle(s->ep, PACKET_NODE_JSON_STATS, on_json_stats, s);
	endpoint_handle(s->ep, PACKET_AVATAR_ZONE_PRESENCE, on_zone_presence, s);
}
