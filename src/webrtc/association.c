#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "webrtc/association.h"
#include "webrtc/datagram-kind.h"
#include "webrtc/dcep.h"

#define PENDING_MAX_USEC (30 * USEC_PER_SEC)
#define CLOSING_MAX_USEC (1 * USEC_PER_SEC)
#define ECHO_PREFIX      "echo:"

/* --- the index --- */

static struct hifi_addr channel_key(uint32_t channel)
{
	return (struct hifi_addr){.type = SOCKET_TYPE_WEBRTC, .channel = channel};
}

static struct hifi_addr label_key(const struct hifi_addr *addr)
{
	struct hifi_addr key = *addr;

	key.channel = 0;
	return key;
}

static void unindex(struct association *a, const struct hifi_addr *key)
{
	/* A successor may have taken the label or the UDP source over. */
	if (hashmap_find(a->w->index, key) == a)
		(void) hashmap_remove(a->w->index, key);
}

static void unindex_label(struct association *a)
{
	struct hifi_addr key = label_key(&a->addr);

	unindex(a, &key);
}

static void unindex_all(struct association *a)
{
	struct hifi_addr key = channel_key(a->addr.channel);

	unindex_label(a);
	unindex(a, &key);
	for (size_t i = 0; i < a->n_tuples; i++)
		unindex(a, &a->tuples[i]);
	a->n_tuples = 0;
}

static void set_state(struct association *a, enum association_state state)
{
	a->w->count[a->state]--;
	a->w->count[state]++;
	a->state = state;
	list_remove(&a->link);
	list_append(&a->w->associations[state], &a->link);
}

/* --- life --- */

static uint32_t next_channel(struct webrtc *w)
{
	struct hifi_addr key;

	do {
		w->last_channel++;
		key = channel_key(w->last_channel);
	} while (w->last_channel == 0 || hashmap_find(w->index, &key));
	return w->last_channel;
}

int association_new(struct webrtc *w, const struct hifi_addr *label, const struct sdp_offer *offer,
		    struct association **ret)
{
	_cleanup_free_ struct association *a = calloc(1, sizeof(*a));
	struct hifi_addr key;
	int r;

	if (!a)
		return -ENOMEM;
	a->w = w;
	a->addr = *label;
	a->addr.channel = next_channel(w);
	a->offer = *offer;
	a->deadline_usec = w->now_usec + PENDING_MAX_USEC;
	a->last_stun_usec = w->now_usec;
	r = ice_credentials_generate(a->addr.channel, &a->ice);
	if (r < 0)
		return r;
	key = channel_key(a->addr.channel);
	r = hashmap_insert(w->index, &key, a);
	if (r < 0)
		return r;

	list_init(&a->writable);
	a->state = ASSOCIATION_PENDING;
	w->count[a->state]++;
	list_append(&w->associations[a->state], &a->link);
	*ret = TAKE_PTR(a);
	return 0;
}

struct association *association_free(struct association *a)
{
	if (!a)
		return NULL;
	unindex_all(a);
	/* ABORT, which still needs DTLS, then close_notify. */
	message_link_free(a->sctp);
	if (a->dtls)
		dtls_session_shutdown(a->dtls);
	dtls_session_free(a->dtls);
	list_remove(&a->writable);
	list_remove(&a->link);
	a->w->count[a->state]--;
	free(a);
	return NULL;
}

static void report_closed(struct association *a, enum webrtc_close_reason reason)
{
	log_debug("webrtc: %s closed (%s)", HIFI_ADDR_TEXT(&a->addr),
		  webrtc_close_reason_name(reason));
	a->w->ops->channel_closed(a->w->userdata, &a->addr, reason);
}

/* What one waits for that has no channel yet. */
static const char *missing_of(const struct association *a)
{
	if (!hifi_addr_is_set(&a->udp))
		return "ICE";
	return a->sctp ? "a channel" : "DTLS";
}

void association_end(struct association *a, enum webrtc_close_reason reason)
{
	enum association_state before = a->state;

	if (before == ASSOCIATION_DEAD)
		return;
	if (before == ASSOCIATION_PENDING)
		log_debug("webrtc: %s closed (%s) while waiting for %s", HIFI_ADDR_TEXT(&a->addr),
			  webrtc_close_reason_name(reason), missing_of(a));
	unindex_all(a);
	list_remove(&a->writable);
	set_state(a, ASSOCIATION_DEAD);
	if (before != ASSOCIATION_CLOSING)
		a->w->stats.closed[reason]++;
	if (before == ASSOCIATION_OPEN)
		report_closed(a, reason);
}

void association_close(struct association *a, enum webrtc_close_reason reason)
{
	if (a->state == ASSOCIATION_CLOSING || a->state == ASSOCIATION_DEAD)
		return;
	if (a->state == ASSOCIATION_PENDING || message_link_reset(a->sctp, a->stream) < 0) {
		association_end(a, reason);
		return;
	}
	/* ICE and DTLS go on until the client's answer has come. */
	unindex_label(a);
	list_remove(&a->writable);
	set_state(a, ASSOCIATION_CLOSING);
	a->deadline_usec = a->w->now_usec + CLOSING_MAX_USEC;
	a->w->stats.closed[reason]++;
	report_closed(a, reason);
}

/* --- ICE --- */

int association_validated(struct association *a, const struct hifi_addr *udp, bool nominated)
{
	struct hashmap *index = a->w->index;
	int r;

	a->last_stun_usec = a->w->now_usec;
	if (a->state == ASSOCIATION_OPEN)
		set_state(a, ASSOCIATION_OPEN); /* to the end of the list */
	if (hashmap_find(index, udp) != a) {
		(void) hashmap_remove(index, udp);
		r = hashmap_insert(index, udp, a);
		if (r < 0)
			return r;
		if (a->n_tuples == ASSOCIATION_TUPLES_MAX) {
			unindex(a, &a->tuples[0]);
			memmove(a->tuples, a->tuples + 1, (--a->n_tuples) * sizeof(a->tuples[0]));
		}
		a->tuples[a->n_tuples++] = *udp;
	}
	if (nominated || !hifi_addr_is_set(&a->udp))
		a->udp = *udp;
	return 0;
}

/* --- the channel --- */

static void open_channel(struct association *a, uint16_t stream, struct span message)
{
	static const uint8_t ack = DCEP_ACK;
	struct webrtc *w = a->w;
	struct dcep_open open;
	int r = dcep_open_decode(message, &open);

	if (r == -EPROTO)
		return;
	/* The first channel is the only one. */
	if (r < 0 || a->state != ASSOCIATION_PENDING ||
	    message_link_send_reliable(a->sctp, stream, MESSAGE_PPID_DCEP, span_of(&ack, 1)) < 0) {
		webrtc_count_drop(w, WEBRTC_DROP_DCEP);
		return;
	}
	a->stream = stream;
	set_state(a, ASSOCIATION_OPEN);
	w->stats.channels_opened++;
	log_debug("webrtc: %s open from %s", HIFI_ADDR_TEXT(&a->addr), HIFI_ADDR_TEXT(&a->udp));
	w->ops->channel_open(w->userdata, &a->addr, &a->udp);
}

/* The echo test comes as a string and is answered as binary (02 section 14.5). */
static void handle_string(struct association *a, struct span message)
{
	if (message.len < strlen(ECHO_PREFIX) ||
	    memcmp(message.data, ECHO_PREFIX, strlen(ECHO_PREFIX)) != 0)
		webrtc_count_drop(a->w, WEBRTC_DROP_PPID);
	else if (message_link_send_large(a->sctp, a->stream, MESSAGE_PPID_BINARY, message) < 0)
		webrtc_count_drop(a->w, WEBRTC_DROP_SEND_ECHO);
}

static void handle_binary(struct association *a, uint8_t *data, size_t len)
{
	struct webrtc *w = a->w;

	w->stats.messages_in++;
	w->stats.bytes_in += len;
	w->ops->datagram(w->userdata, &a->addr, data, len, w->now_usec);
}

static void on_message(void *userdata, uint16_t stream, uint32_t ppid, uint8_t *data, size_t len)
{
	struct association *a = userdata;
	bool ours = a->state == ASSOCIATION_OPEN && stream == a->stream;

	if (a->state == ASSOCIATION_CLOSING || a->state == ASSOCIATION_DEAD ||
	    ppid == MESSAGE_PPID_STRING_EMPTY || ppid == MESSAGE_PPID_BINARY_EMPTY)
		return;
	if (ppid == MESSAGE_PPID_DCEP)
		open_channel(a, stream, span_of(data, len));
	else if (ours && ppid == MESSAGE_PPID_BINARY)
		handle_binary(a, data, len);
	else if (ours && ppid == MESSAGE_PPID_STRING)
		handle_string(a, span_of(data, len));
	else
		webrtc_count_drop(a->w, WEBRTC_DROP_PPID);
}

static void on_stream_reset(void *userdata, uint16_t stream)
{
	struct association *a = userdata;

	if (a->state == ASSOCIATION_PENDING || stream != a->stream)
		return;
	if (a->state == ASSOCIATION_CLOSING)
		association_end(a,
				WEBRTC_CLOSED_LOCAL); /* the answer to ours: not answered in turn */
	else
		association_close(a, WEBRTC_CLOSED_PEER);
}

static void on_room(void *userdata)
{
	struct association *a = userdata;

	if (!a->wants_room || a->state != ASSOCIATION_OPEN ||
	    message_link_backlog(a->sctp) > a->w->options.send_buffer_bytes / 2)
		return;
	/* usrsctp is in the middle of an acknowledgement: the owner is told afterwards. */
	a->wants_room = false;
	list_append(&a->w->writable, &a->writable);
}

/* --- SCTP and DTLS --- */

static void on_up(void *userdata)
{
	struct association *a = userdata;

	log_debug("webrtc: %s has SCTP", HIFI_ADDR_TEXT(&a->addr));
}

static void on_down(void *userdata, bool timed_out)
{
	association_end(userdata, timed_out ? WEBRTC_CLOSED_TIMEOUT : WEBRTC_CLOSED_PEER);
}

static void on_overlong(void *userdata)
{
	struct association *a = userdata;

	webrtc_count_drop(a->w, WEBRTC_DROP_MESSAGE_TOO_LONG);
}

static void on_output(void *userdata, const void *packet, size_t len)
{
	struct association *a = userdata;

	/* A failure here is a packet lost: SCTP copes, and DTLS reports at its next input. */
	(void) dtls_session_write(a->dtls, span_of(packet, len));
}

static const struct message_link_ops sctp_ops = {
	.output = on_output,
	.up = on_up,
	.down = on_down,
	.message = on_message,
	.overlong = on_overlong,
	.stream_reset = on_stream_reset,
	.room = on_room,
};

static int start_sctp(struct association *a)
{
	struct message_link_options options = {
		.id = a->addr.channel,
		.remote_port = a->offer.sctp_port,
		.packet_max = DTLS_MTU - DTLS_OVERHEAD,
		.send_buffer_bytes = a->w->options.send_buffer_bytes,
	};

	return message_link_new(&options, &sctp_ops, a, &a->sctp);
}

static void on_dtls_send(void *userdata, const void *data, size_t len)
{
	struct association *a = userdata;

	webrtc_send_datagram(a->w, &a->udp, data, len);
}

static void on_dtls_received(void *userdata, uint8_t *data, size_t len)
{
	struct association *a = userdata;

	if (a->sctp && a->state != ASSOCIATION_DEAD)
		message_link_input(a->sctp, span_of(data, len));
	else
		webrtc_count_drop(a->w, WEBRTC_DROP_SCTP_EARLY);
}

static const struct dtls_ops dtls_ops = {
	.send = on_dtls_send,
	.received = on_dtls_received,
};

static void handle_dtls_failure(struct association *a, int error)
{
	if (error == -ECONNRESET) {
		association_end(a, WEBRTC_CLOSED_PEER);
		return;
	}
	webrtc_count_drop(a->w, error == -EKEYREJECTED ? WEBRTC_DROP_FINGERPRINT
						       : WEBRTC_DROP_DTLS_FAILED);
	association_end(a, WEBRTC_CLOSED_ERROR);
}

void association_input(struct association *a, struct span datagram)
{
	int r = 0;

	if (!datagram_is_dtls_record(datagram)) {
		webrtc_count_drop(a->w, WEBRTC_DROP_NOT_DTLS);
		return;
	}
	if (!a->dtls)
		r = dtls_session_new(a->w->dtls, a->offer.fingerprints, a->offer.n_fingerprints,
				     &dtls_ops, a, &a->dtls);
	if (r >= 0)
		r = dtls_session_input(a->dtls, datagram);
	if (r >= 0 && !a->sctp && dtls_session_is_up(a->dtls))
		r = start_sctp(a);
	if (r < 0)
		handle_dtls_failure(a, r);
}

void association_retransmit(struct association *a)
{
	if (a->dtls && !a->sctp && dtls_session_retransmit(a->dtls) < 0)
		association_end(a, WEBRTC_CLOSED_TIMEOUT);
}
