/* A WebRTC client for tests: full ICE's half of the checks, a DTLS client, SCTP and one data
 * channel, over datagrams that the test carries. It keeps no timer of its own but peer_run()'s. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macros.h"
#include "net/addr.h"
#include "webrtc/message-link.h"

struct peer;

struct peer_ops {
	/* A datagram to the server. */
	void (*send)(void *userdata, const void *data, size_t len);
	void (*message)(void *userdata, uint32_t ppid, const uint8_t *data, size_t len);
};

/* What has happened. */
struct peer_state {
	unsigned checks_answered; /* success responses with a right MESSAGE-INTEGRITY */
	unsigned checks_refused;  /* error responses */
	int refusal;              /* STUN error code of the last */
	struct hifi_addr mapped;  /* what the server saw as our address */
	bool dtls_up;
	bool dtls_failed;
	bool sctp_up;
	bool sctp_down;
	bool acknowledged; /* DCEP ACK */
	bool stream_reset; /* by the server */
};

int peer_new(const struct peer_ops *ops, void *userdata, struct peer **ret);
struct peer *peer_free(struct peer *p);
DEFINE_CLEANUP_FUNC(struct peer *, peer_free);
const struct peer_state *peer_state(const struct peer *p);

/* The offer, as libwebrtc words it. wrong_fingerprint: of another certificate. Heap. */
char *peer_offer(const struct peer *p, bool wrong_fingerprint);
/* Takes what it needs from the answer. 0 or -EBADMSG. */
int peer_take_answer(struct peer *p, const char *sdp);

/* One connectivity check. */
struct peer_check {
	bool nominate;
	bool controlled; /* claim the server's role */
	bool wrong_password;
	bool unknown_user;
	bool other_peer;          /* our half of the USERNAME is not that of the offer */
	uint16_t extra_attribute; /* 0: none */
};
void peer_send_check(struct peer *p, const struct peer_check *check);
/* Starts DTLS; when it is up SCTP, then the channel. */
void peer_start(struct peer *p);
void peer_input(struct peer *p, const uint8_t *data, size_t len);
/* Repeats a lost DTLS flight when it is time. */
void peer_run(struct peer *p);

/* -EAGAIN etc. as message_link_send_reliable(). */
int peer_send(struct peer *p, uint32_t ppid, const void *data, size_t len);
/* Opens a further channel on that stream. */
int peer_open_channel(struct peer *p, uint16_t stream);
void peer_reset_stream(struct peer *p);
void peer_abort(struct peer *p);        /* SCTP ABORT */
void peer_close_notify(struct peer *p); /* DTLS */
