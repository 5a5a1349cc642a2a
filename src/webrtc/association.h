/* Inside src/webrtc only: one client's connection, from its offer to its end, and the object it
 *belongs to. webrtc.c finds the association for what comes in; association.c runs its layers.
 *
 *	PENDING   offered; ICE, DTLS, SCTP and the channel come up in that order
 *	OPEN      the owner knows its channel
 *	CLOSING   we reset the stream and wait until the client has done the same; the owner has
 *forgotten it DEAD      in no index any more; freed when the outermost public function returns,
 *because callbacks of the layers may still be on the stack
 */
#pragma once

#include "base/hashmap.h"
#include "base/list.h"
#include "webrtc/dtls-session.h"
#include "webrtc/ice-lite.h"
#include "webrtc/message-link.h"
#include "webrtc/sdp.h"
#include "webrtc/webrtc.h"

/* A client may validate several of our addresses, or roam, and any of them may still deliver. */
#define ASSOCIATION_TUPLES_MAX 4

enum association_state {
	ASSOCIATION_PENDING,
	ASSOCIATION_OPEN,
	ASSOCIATION_CLOSING,
	ASSOCIATION_DEAD,
	ASSOCIATION_STATE_COUNT,
};

struct webrtc {
	struct webrtc_options options;
	const struct webrtc_ops *ops;
	void *userdata;
	struct webrtc_stats stats;

	struct ice_lite ice;
	struct dtls_context *dtls;
	struct hifi_addr candidates[WEBRTC_CANDIDATES_MAX];
	size_t n_candidates;

	/* Labels (channel 0), channels (no ip and port) and validated UDP sources, to associations.
	 */
	struct hashmap *index;
	struct list associations[ASSOCIATION_STATE_COUNT]; /* each in the order of deadlines */
	unsigned count[ASSOCIATION_STATE_COUNT];
	struct list writable; /* owe the owner a writable() */
	uint32_t last_channel;

	unsigned depth;     /* public functions on the stack */
	uint64_t now_usec;  /* of the outermost one */
	uint64_t tick_usec; /* when timers and lifetimes were last looked at */
};

struct association {
	struct webrtc *w;
	enum association_state state;
	struct list link;     /* in w->associations[state] */
	struct list writable; /* in w->writable */
	struct hifi_addr addr;
	struct ice_credentials ice;
	struct sdp_offer offer;

	struct hifi_addr udp; /* nominated: where we send */
	struct hifi_addr tuples[ASSOCIATION_TUPLES_MAX];
	size_t n_tuples;

	struct dtls_session *dtls; /* since the first record */
	struct message_link *sctp; /* since DTLS is up */
	uint16_t stream;           /* of the channel, once OPEN */
	bool wants_room;           /* a reliable message was refused */
	uint64_t deadline_usec;    /* PENDING, CLOSING */
	uint64_t last_stun_usec;   /* authenticated */
};

/* Makes a PENDING one with a new channel number and puts it in the index, except under its label.
 * -ENOMEM, -EIO. */
int association_new(struct webrtc *w, const struct hifi_addr *label, const struct sdp_offer *offer,
		    struct association **ret);
/* Sends what tells the client, in so far as its layers are up. Calls nothing of the owner but send.
 */
struct association *association_free(struct association *a);
DEFINE_CLEANUP_FUNC(struct association *, association_free);

/* An authenticated check came from there. 0 or -ENOMEM. */
int association_validated(struct association *a, const struct hifi_addr *udp, bool nominated);
/* A datagram from a validated source. */
void association_input(struct association *a, struct span datagram);
/* For PENDING ones: sends a lost handshake flight again. */
void association_retransmit(struct association *a);
/* Closes an OPEN channel in a way that the client notices; ends what is not open. */
void association_close(struct association *a, enum webrtc_close_reason reason);
/* Makes it DEAD; tells the owner if it was OPEN. */
void association_end(struct association *a, enum webrtc_close_reason reason);

static inline void webrtc_count_drop(struct webrtc *w, enum webrtc_drop drop)
{
	w->stats.dropped[drop]++;
}

static inline void webrtc_send_datagram(struct webrtc *w, const struct hifi_addr *to,
					const void *data, size_t len)
{
	w->stats.datagrams_out++;
	w->ops->send(w->userdata, to, data, len);
}
