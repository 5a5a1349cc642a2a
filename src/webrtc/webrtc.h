/* The server's end of WebRTC data channels over the process's one UDP port: ICE-lite, DTLS 1.2,
 *SCTP and data channel opening (protocol 02 sections 14.6 and 16, 01 section 2).
 *
 * One object per process (usrsctp's state is process-wide), driven by one loop thread:
 *
 *	offer text      → webrtc_offer()  → answer text, sent back by the owner's signalling
 *	UDP datagram    → webrtc_input()  → "native packet", or consumed
 *	webrtc_next_usec() → the owner's timer → webrtc_run()
 *
 * A peer is a struct hifi_addr of type SOCKET_TYPE_WEBRTC: ip and port are the signalling label,
 * channel numbers the association. channel is 0 in a bare label and set in an address given to the
 * callbacks. Numbers count up, so state tied to an address never meets a successor with the same
 *label.
 *
 * Callbacks run inside webrtc_offer(), webrtc_input(), webrtc_run() and webrtc_close(). They may
 *call everything here except webrtc_free() and webrtc_run(); an association that goes away inside a
 *callback is unknown from then on.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/macros.h"
#include "net/addr.h"

struct webrtc;

/* Longest message webrtc_send() takes; a datagram of the protocol has at most 1464 bytes. */
#define WEBRTC_MESSAGE_MAX    2048
#define WEBRTC_OFFER_MAX      16384
#define WEBRTC_CANDIDATES_MAX 16
/* Longest datagram given to the send callback. */
#define WEBRTC_DATAGRAM_MAX 1280

/* Zero means the default. */
struct webrtc_options {
	uint16_t port;             /* of the UDP socket, for the candidates */
	unsigned max_associations; /* default 4096 */
	/* Associations without an open channel; default 1024. They live 30 s at most. */
	unsigned max_pending;
	unsigned max_pending_per_ip; /* of them, with labels of one IP; default 256 */
	uint32_t send_buffer_bytes;  /* SCTP send buffer of an association; default 128 KiB */
	/* An unreliable message is dropped while this much is unsent or unacknowledged, since SCTP
	 * does not age what is queued (11 section 5); default 48 KiB. */
	uint32_t unreliable_backlog_bytes;
};

enum webrtc_close_reason {
	WEBRTC_CLOSED_LOCAL,    /* webrtc_close(), webrtc_free() */
	WEBRTC_CLOSED_REPLACED, /* a new offer from the same label */
	WEBRTC_CLOSED_PEER,     /* stream reset, SCTP ABORT or SHUTDOWN, DTLS close_notify */
	WEBRTC_CLOSED_TIMEOUT,  /* no authenticated STUN for 30 s, or SCTP gave up */
	WEBRTC_CLOSED_ERROR,    /* the peer broke DTLS */
	WEBRTC_CLOSED_REASON_COUNT,
};
/* "local", "replaced", … */
const char *webrtc_close_reason_name(enum webrtc_close_reason reason);

struct webrtc_ops {
	/* A raw UDP datagram of at most WEBRTC_DATAGRAM_MAX bytes; copied or sent
	 * before returning. */
	void (*send)(void *userdata, const struct hifi_addr *udp_to, const void *data, size_t len);
	/* The client's channel is open: addr can be sent to. udp_from as webrtc_udp_addr(). */
	void (*channel_open)(void *userdata, const struct hifi_addr *addr,
			     const struct hifi_addr *udp_from);
	/* Once for each channel_open; addr is unknown from now on. */
	void (*channel_closed)(void *userdata, const struct hifi_addr *addr,
			       enum webrtc_close_reason reason);
	/* One message = one datagram of the protocol. data is writable and valid during the call
	 * only. Never an echo test (02 section 14.5): those are answered inside. */
	void (*datagram)(void *userdata, const struct hifi_addr *addr, uint8_t *data, size_t len,
			 uint64_t now_usec);
	/* Optional: after webrtc_send() said -EAGAIN, there is room again. */
	void (*writable)(void *userdata, const struct hifi_addr *addr);
};

/* Why something from the network or for it was dropped. X(constant, name) */
#define WEBRTC_DROPS(X)                                                                          \
	X(STUN_MALFORMED, "stun-malformed")             /* not a request we can read */          \
	X(STUN_UNKNOWN_USER, "stun-unknown-user")       /* no association has that ufrag */      \
	X(STUN_UNAUTHENTICATED, "stun-unauthenticated") /* MESSAGE-INTEGRITY missing or wrong */ \
	X(STUN_REFUSED, "stun-refused")                 /* role conflict, unknown attribute */   \
	X(NOT_DTLS, "not-dtls")                         /* other bytes from a WebRTC 5-tuple */  \
	X(DTLS_FAILED, "dtls-failed")                   /* handshake or record layer error */    \
	X(FINGERPRINT, "fingerprint")                   /* the certificate is not the offer's */ \
	X(SCTP_EARLY, "sctp-early")                     /* no association to take it */          \
	X(DCEP, "dcep")                                 /* malformed or a second channel */      \
	X(PPID, "ppid")                                 /* a payload type nobody uses */         \
	X(MESSAGE_TOO_LONG, "message-too-long")         /* from the peer */                      \
	X(SEND_UNRELIABLE, "send-unreliable")           /* ours, backlog or buffer full */       \
	X(SEND_ECHO, "send-echo")                       /* no room for an echo reply */          \
	X(OFFER_MALFORMED, "offer-malformed")                                                    \
	X(OFFER_LIMIT, "offer-limit")

enum webrtc_drop {
#define X(constant, name) WEBRTC_DROP_##constant,
	WEBRTC_DROPS(X)
#undef X
		WEBRTC_DROP_COUNT,
};
const char *webrtc_drop_name(enum webrtc_drop drop);

struct webrtc_stats {
	unsigned associations;                       /* now, whatever their state */
	unsigned open_channels;                      /* now */
	uint64_t offers;                             /* answered */
	uint64_t channels_opened;                    /* ever */
	uint64_t closed[WEBRTC_CLOSED_REASON_COUNT]; /* associations, also those never open */
	uint64_t stun_requests;                      /* answered with success */
	uint64_t messages_in, bytes_in;
	uint64_t messages_out, bytes_out;
	uint64_t datagrams_in, datagrams_out; /* UDP, all layers */
	uint64_t dropped[WEBRTC_DROP_COUNT];
};

enum webrtc_verdict {
	WEBRTC_NATIVE,        /* not ours: a native packet */
	WEBRTC_STUN_RESPONSE, /* STUN, but an answer: for the owner's STUN client, if it has one */
	WEBRTC_CONSUMED,
};

/* ops is borrowed for the object's life. Makes the process's certificate. -EBUSY when one exists,
 * -ENOMEM, -EIO for OpenSSL. */
int webrtc_new(const struct webrtc_options *options, const struct webrtc_ops *ops, void *userdata,
	       struct webrtc **ret);
/* Closes every association without callbacks to the owner other than send. NULL is fine. */
struct webrtc *webrtc_free(struct webrtc *w);
DEFINE_CLEANUP_FUNC(struct webrtc *, webrtc_free);

/* The addresses (type and port are ignored) that later answers offer as host candidates, best
 * first; at most WEBRTC_CANDIDATES_MAX, the rest is left out. Without any, offers are refused with
 * -EADDRNOTAVAIL. */
void webrtc_set_candidates(struct webrtc *w, const struct hifi_addr *addrs, size_t n);
/* This machine's addresses fit for candidates: interfaces that are up, IPv4 before IPv6, no
 * link-local ones; loopback last and only when asked. Returns how many were written (at most max)
 * or -errno. */
int webrtc_local_addresses(bool with_loopback, struct hifi_addr *ret, size_t max);

/* Makes the association for label (its channel is ignored), replacing an earlier one, and the
 * answer for it (heap, caller frees). -EBADMSG for an offer that cannot be answered, -ENOBUFS over
 * a limit, -EADDRNOTAVAIL, -ENOMEM. */
int webrtc_offer(struct webrtc *w, const struct hifi_addr *label, const char *offer_sdp,
		 uint64_t now_usec, char **ret_answer_sdp);

/* Every datagram of the socket goes through here first; for a native packet it costs one look at
 * the bytes and one hash lookup. */
enum webrtc_verdict webrtc_input(struct webrtc *w, const struct hifi_addr *udp_from, uint8_t *data,
				 size_t len, uint64_t now_usec);

/* Sends one message on the channel. reliable: ordered and retransmitted until it arrives, -EAGAIN
 * when the buffer is full (nothing was taken: keep it, writable() follows). Otherwise unordered and
 * never retransmitted; what finds too much backlog is dropped and counted, and the result is 0.
 * -ENOTCONN for an unknown or unopened channel, -EMSGSIZE, -EINVAL for an empty message. */
int webrtc_send(struct webrtc *w, const struct hifi_addr *addr, const struct iovec *iov,
		unsigned n_iov, bool reliable, uint64_t now_usec);

/* Closes the channel so that the client sees it close (stream reset), then drops the association
 * when the client has answered or after a second. channel_closed is called before this returns;
 * addr is unknown from then on. Unknown addr: nothing. addr may be a bare label. */
void webrtc_close(struct webrtc *w, const struct hifi_addr *addr, uint64_t now_usec);

/* When webrtc_run() is due (absolute); USEC_INFINITY while there is no association. It moves with
 * every call of webrtc_offer(), webrtc_input() and webrtc_send(). */
uint64_t webrtc_next_usec(const struct webrtc *w);
/* Timers of DTLS and SCTP, lifetimes. Early and late calls are harmless. */
void webrtc_run(struct webrtc *w, uint64_t now_usec);

/* The peer's nominated UDP address: the one for security checks, where addr is only a label. False
 * when ICE has not validated one yet, or addr is unknown. addr may be a bare label. */
bool webrtc_udp_addr(const struct webrtc *w, const struct hifi_addr *addr, struct hifi_addr *ret);
bool webrtc_is_open(const struct webrtc *w, const struct hifi_addr *addr);
/* Bytes given to webrtc_send() that the peer has not acknowledged; 0 for an unknown addr. */
size_t webrtc_backlog(const struct webrtc *w, const struct hifi_addr *addr);
/* The open channel of a label, as in channel_open. False when there is none. */
bool webrtc_find(const struct webrtc *w, const struct hifi_addr *label, struct hifi_addr *ret);

/* Valid until the next call of any function. */
const struct webrtc_stats *webrtc_stats(struct webrtc *w);
