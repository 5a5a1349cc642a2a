/* DTLS 1.2, server side, over datagrams that the caller carries (protocol 02 section 16 step 3, 11
 * section 4). The client's certificate is checked against the fingerprints of its offer and nothing
 * else. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/macros.h"
#include "webrtc/sdp.h"

/* A record of application data adds this much (AES-GCM: header 13, nonce 8, tag 16). */
#define DTLS_OVERHEAD         37
#define DTLS_FINGERPRINT_TEXT (32 * 3)
/* Largest datagram we make: fits IPv6's smallest MTU after UDP and IP headers. */
#define DTLS_MTU 1200

struct dtls_context;
struct dtls_session;

/* The process's self-signed P-256 certificate and what all sessions share. -ENOMEM, -EIO (OpenSSL).
 */
int dtls_context_new(struct dtls_context **ret);
struct dtls_context *dtls_context_free(struct dtls_context *c);
DEFINE_CLEANUP_FUNC(struct dtls_context *, dtls_context_free);
/* SHA-256 of the certificate, "3B:55:…". */
const char *dtls_context_fingerprint(const struct dtls_context *c);

struct dtls_ops {
	/* One datagram to the peer. */
	void (*send)(void *userdata, const void *data, size_t len);
	/* The payload of one record, once the handshake is done. */
	void (*received)(void *userdata, uint8_t *data, size_t len);
};

/* fingerprints and ops are borrowed for the session's life. */
int dtls_session_new(struct dtls_context *c, const struct sdp_fingerprint *fingerprints,
		     size_t n_fingerprints, const struct dtls_ops *ops, void *userdata,
		     struct dtls_session **ret);
/* Sends nothing. */
struct dtls_session *dtls_session_free(struct dtls_session *s);
DEFINE_CLEANUP_FUNC(struct dtls_session *, dtls_session_free);

/* One datagram from the peer. 0; -ECONNRESET after close_notify; -EKEYREJECTED when the certificate
 * is not the offer's; -EPROTO when the session is broken. After a failure the session is of no more
 * use. */
int dtls_session_input(struct dtls_session *s, struct span datagram);
bool dtls_session_is_up(const struct dtls_session *s);
/* Sends one record. 0, -ENOTCONN before the handshake is done, -EMSGSIZE, -EPROTO. */
int dtls_session_write(struct dtls_session *s, struct span payload);
/* Sends close_notify if the handshake was done. */
void dtls_session_shutdown(struct dtls_session *s);

/* How long until dtls_session_retransmit() is due; USEC_INFINITY when the timer is off. OpenSSL
 * keeps this timer by the wall clock. */
uint64_t dtls_session_timeout_usec(struct dtls_session *s);
/* Sends our flight again if it is time. 0, or -ETIMEDOUT when it was sent too often. */
int dtls_session_retransmit(struct dtls_session *s);
