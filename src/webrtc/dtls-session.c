#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

#include "webrtc/dtls-session.h"

#define CERTIFICATE_LIFE_SEC (60L * 60 * 24 * 365 * 10)
#define PLAINTEXT_MAX        SSL3_RT_MAX_PLAIN_LENGTH
/* A web client gives up on the whole connection after 5 s (02 section 15), so the first repetition
 * must not wait for OpenSSL's second. */
#define RETRANSMIT_FIRST_USEC 250000U
#define RETRANSMIT_MAX_USEC   2000000U

struct dtls_context {
	SSL_CTX *ctx;
	BIO_METHOD *datagram_bio;
	char fingerprint[DTLS_FINGERPRINT_TEXT];
};

struct dtls_session {
	SSL *ssl;
	const struct dtls_ops *ops;
	void *userdata;
	const struct sdp_fingerprint *fingerprints;
	size_t n_fingerprints;
	struct span incoming; /* the datagram being handled, until OpenSSL has taken it */
	bool fingerprint_mismatch;
};

DEFINE_CLEANUP_FUNC(EVP_PKEY *, EVP_PKEY_free);
DEFINE_CLEANUP_FUNC(X509 *, X509_free);

/* --- the BIO: a read yields the one datagram that is there, a write is one datagram --- */

static int datagram_bio_read(BIO *bio, char *buffer, int size)
{
	struct dtls_session *s = BIO_get_data(bio);
	size_t len = MIN(s->incoming.len, (size_t) size);

	BIO_clear_retry_flags(bio);
	if (len == 0) {
		BIO_set_retry_read(bio);
		return -1;
	}
	memcpy(buffer, s->incoming.data, len);
	s->incoming = (struct span){0};
	return (int) len;
}

static int datagram_bio_write(BIO *bio, const char *data, int len)
{
	struct dtls_session *s = BIO_get_data(bio);

	BIO_clear_retry_flags(bio);
	s->ops->send(s->userdata, data, (size_t) len);
	return len;
}

static long datagram_bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
	switch (command) {
	case BIO_CTRL_FLUSH:
		return 1;
	case BIO_CTRL_DGRAM_QUERY_MTU:
	case BIO_CTRL_DGRAM_GET_FALLBACK_MTU:
		return DTLS_MTU;
	default:
		return 0;
	}
}

static int datagram_bio_create(BIO *bio)
{
	BIO_set_init(bio, 1);
	return 1;
}

static BIO_METHOD *datagram_bio_method(void)
{
	BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "datagram");

	if (!method)
		return NULL;
	(void) BIO_meth_set_read(method, datagram_bio_read);
	(void) BIO_meth_set_write(method, datagram_bio_write);
	(void) BIO_meth_set_ctrl(method, datagram_bio_ctrl);
	(void) BIO_meth_set_create(method, datagram_bio_create);
	return method;
}

/* --- the certificate --- */

static X509 *certificate_new(EVP_PKEY *key)
{
	_cleanup_(X509_freep) X509 *cert = X509_new();
	static const unsigned char name[] = "hifi-domain";

	if (!cert || !X509_set_version(cert, X509_VERSION_3) ||
	    !ASN1_INTEGER_set(X509_get_serialNumber(cert), 1) ||
	    !X509_gmtime_adj(X509_getm_notBefore(cert), -60L * 60 * 24) ||
	    !X509_gmtime_adj(X509_getm_notAfter(cert), CERTIFICATE_LIFE_SEC) ||
	    !X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC, name, -1,
					-1, 0) ||
	    !X509_set_issuer_name(cert, X509_get_subject_name(cert)) ||
	    !X509_set_pubkey(cert, key) || !X509_sign(cert, key, EVP_sha256()))
		return NULL;
	return TAKE_PTR(cert);
}

static int format_fingerprint(const X509 *cert, char ret[static DTLS_FINGERPRINT_TEXT])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned len;

	if (!X509_digest(cert, EVP_sha256(), digest, &len) || len * 3 != DTLS_FINGERPRINT_TEXT)
		return -EIO;
	for (unsigned i = 0; i < len; i++)
		(void) snprintf(ret + i * 3, 4, i + 1 < len ? "%02X:" : "%02X", digest[i]);
	return 0;
}

static int use_new_certificate(struct dtls_context *c)
{
	_cleanup_(EVP_PKEY_freep) EVP_PKEY *key = EVP_EC_gen("P-256");
	_cleanup_(X509_freep) X509 *cert = key ? certificate_new(key) : NULL;

	if (!cert || !SSL_CTX_use_certificate(c->ctx, cert) || !SSL_CTX_use_PrivateKey(c->ctx, key))
		return -EIO;
	return format_fingerprint(cert, c->fingerprint);
}

/* --- the peer's certificate --- */

static const EVP_MD *digest_of(enum sdp_hash hash)
{
	switch (hash) {
	case SDP_SHA384:
		return EVP_sha384();
	case SDP_SHA512:
		return EVP_sha512();
	default:
		return EVP_sha256();
	}
}

static bool fingerprint_matches(const X509 *cert, const struct sdp_fingerprint *wanted)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned len;

	return X509_digest(cert, digest_of(wanted->hash), digest, &len) && len == wanted->len &&
	       memcmp(digest, wanted->digest, len) == 0;
}

/* Replaces OpenSSL's chain building: peers sign for themselves. */
static int verify_peer(X509_STORE_CTX *store, void *arg)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct dtls_session *s = SSL_get_app_data(ssl);
	const X509 *cert = X509_STORE_CTX_get0_cert(store);

	for (size_t i = 0; cert && i < s->n_fingerprints; i++)
		if (fingerprint_matches(cert, &s->fingerprints[i]))
			return 1;

	s->fingerprint_mismatch = true;
	X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
	return 0;
}

/* --- the shared context --- */

static int configure(struct dtls_context *c)
{
	if (!SSL_CTX_set_min_proto_version(c->ctx, DTLS1_2_VERSION) ||
	    !SSL_CTX_set_cipher_list(c->ctx, "ECDHE-ECDSA-AES128-GCM-SHA256:"
					     "ECDHE-ECDSA-AES256-GCM-SHA384:"
					     "ECDHE-ECDSA-CHACHA20-POLY1305") ||
	    !SSL_CTX_set1_groups_list(c->ctx, "X25519:P-256") ||
	    /* The write buffer of a session is as large as this. */
	    !SSL_CTX_set_max_send_fragment(c->ctx, DTLS_MTU))
		return -EIO;

	SSL_CTX_set_options(c->ctx, SSL_OP_NO_QUERY_MTU | SSL_OP_NO_RENEGOTIATION |
					    SSL_OP_NO_TICKET | SSL_OP_CIPHER_SERVER_PREFERENCE);
	(void) SSL_CTX_set_session_cache_mode(c->ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_read_ahead(c->ctx, 1);
	SSL_CTX_set_verify(c->ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_cert_verify_callback(c->ctx, verify_peer, NULL);
	return use_new_certificate(c);
}

int dtls_context_new(struct dtls_context **ret)
{
	_cleanup_(dtls_context_freep) struct dtls_context *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return -ENOMEM;
	c->ctx = SSL_CTX_new(DTLS_server_method());
	c->datagram_bio = datagram_bio_method();
	if (!c->ctx || !c->datagram_bio)
		return -ENOMEM;
	r = configure(c);
	if (r < 0)
		return r;

	*ret = TAKE_PTR(c);
	return 0;
}

struct dtls_context *dtls_context_free(struct dtls_context *c)
{
	if (!c)
		return NULL;
	SSL_CTX_free(c->ctx);
	BIO_meth_free(c->datagram_bio);
	free(c);
	return NULL;
}

const char *dtls_context_fingerprint(const struct dtls_context *c)
{
	return c->fingerprint;
}

/* --- sessions --- */

static unsigned next_timeout(SSL *ssl, unsigned last_usec)
{
	return last_usec == 0 ? RETRANSMIT_FIRST_USEC : MIN(last_usec * 2, RETRANSMIT_MAX_USEC);
}

int dtls_session_new(struct dtls_context *c, const struct sdp_fingerprint *fingerprints,
		     size_t n_fingerprints, const struct dtls_ops *ops, void *userdata,
		     struct dtls_session **ret)
{
	_cleanup_(dtls_session_freep) struct dtls_session *s = calloc(1, sizeof(*s));
	BIO *bio;

	if (!s)
		return -ENOMEM;
	s->ops = ops;
	s->userdata = userdata;
	s->fingerprints = fingerprints;
	s->n_fingerprints = n_fingerprints;

	s->ssl = SSL_new(c->ctx);
	bio = s->ssl ? BIO_new(c->datagram_bio) : NULL;
	if (!bio)
		return -ENOMEM;
	BIO_set_data(bio, s);
	SSL_set_bio(s->ssl, bio, bio);
	(void) SSL_set_app_data(s->ssl, s);
	(void) SSL_set_mtu(s->ssl, DTLS_MTU);
	DTLS_set_timer_cb(s->ssl, next_timeout);
	SSL_set_accept_state(s->ssl);

	*ret = TAKE_PTR(s);
	return 0;
}

struct dtls_session *dtls_session_free(struct dtls_session *s)
{
	if (!s)
		return NULL;
	SSL_free(s->ssl);
	free(s);
	return NULL;
}

static int failure_of(struct dtls_session *s, int result)
{
	switch (SSL_get_error(s->ssl, result)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		return 0;
	case SSL_ERROR_ZERO_RETURN:
		return -ECONNRESET;
	default:
		return s->fingerprint_mismatch ? -EKEYREJECTED : -EPROTO;
	}
}

int dtls_session_input(struct dtls_session *s, struct span datagram)
{
	uint8_t plaintext[PLAINTEXT_MAX];
	int n;

	s->incoming = datagram;
	for (;;) {
		ERR_clear_error();
		/* Does the handshake as well. */
		n = SSL_read(s->ssl, plaintext, sizeof(plaintext));
		if (n <= 0)
			break;
		s->ops->received(s->userdata, plaintext, (size_t) n);
	}
	s->incoming = (struct span){0};
	return failure_of(s, n);
}

bool dtls_session_is_up(const struct dtls_session *s)
{
	return SSL_is_init_finished(s->ssl);
}

int dtls_session_write(struct dtls_session *s, struct span payload)
{
	int n;

	if (!SSL_is_init_finished(s->ssl))
		return -ENOTCONN;
	if (payload.len + DTLS_OVERHEAD > DTLS_MTU)
		return -EMSGSIZE;
	ERR_clear_error();
	n = SSL_write(s->ssl, payload.data, (int) payload.len);
	return n > 0 ? 0 : -EPROTO;
}

void dtls_session_shutdown(struct dtls_session *s)
{
	ERR_clear_error();
	if (SSL_is_init_finished(s->ssl))
		(void) SSL_shutdown(s->ssl);
}

uint64_t dtls_session_timeout_usec(struct dtls_session *s)
{
	struct timeval left;

	if (!DTLSv1_get_timeout(s->ssl, &left))
		return USEC_INFINITY;
	return (uint64_t) left.tv_sec * USEC_PER_SEC + (uint64_t) left.tv_usec;
}

int dtls_session_retransmit(struct dtls_session *s)
{
	ERR_clear_error();
	return DTLSv1_handle_timeout(s->ssl) < 0 ? -ETIMEDOUT : 0;
}
