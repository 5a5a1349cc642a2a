#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>
#include <stun/stunagent.h>
#include <stun/usages/ice.h>

#include "peer.h"
#include "webrtc/dtls-session.h"

#define UFRAG    "peer"
#define PWD      "a peer's password, long"
#define STREAM   0
#define PRIORITY 1845501695

static const uint16_t known_attributes[] = {
	STUN_ATTRIBUTE_XOR_MAPPED_ADDRESS, STUN_ATTRIBUTE_MESSAGE_INTEGRITY,
	STUN_ATTRIBUTE_USERNAME,           STUN_ATTRIBUTE_ERROR_CODE,
	STUN_ATTRIBUTE_UNKNOWN_ATTRIBUTES, 0};

struct peer {
	const struct peer_ops *ops;
	void *userdata;
	struct peer_state state;
	char ufrag[64], pwd[64]; /* the server's */
	StunAgent stun;

	SSL_CTX *ctx;
	SSL *ssl;
	BIO_METHOD *bio;
	char fingerprint[DTLS_FINGERPRINT_TEXT];
	const uint8_t *incoming;
	size_t incoming_len;

	bool has_stack;
	struct message_link *sctp;
};

/* --- DTLS --- */

static int bio_read(BIO *bio, char *buffer, int size)
{
	struct peer *p = BIO_get_data(bio);
	size_t len = MIN(p->incoming_len, (size_t) size);

	BIO_clear_retry_flags(bio);
	if (len == 0) {
		BIO_set_retry_read(bio);
		return -1;
	}
	memcpy(buffer, p->incoming, len);
	p->incoming_len = 0;
	return (int) len;
}

static int bio_write(BIO *bio, const char *data, int len)
{
	struct peer *p = BIO_get_data(bio);

	p->ops->send(p->userdata, data, (size_t) len);
	return len;
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
	return command == BIO_CTRL_FLUSH;
}

static int bio_create(BIO *bio)
{
	BIO_set_init(bio, 1);
	return 1;
}

static int accept_any(X509_STORE_CTX *store, void *arg)
{
	return 1;
}

static int make_certificate(struct peer *p)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned len;
	int ok = key && cert && X509_gmtime_adj(X509_getm_notBefore(cert), 0) &&
		 X509_gmtime_adj(X509_getm_notAfter(cert), 3600) && X509_set_pubkey(cert, key) &&
		 X509_sign(cert, key, EVP_sha256()) && SSL_CTX_use_certificate(p->ctx, cert) &&
		 SSL_CTX_use_PrivateKey(p->ctx, key) &&
		 X509_digest(cert, EVP_sha256(), digest, &len);

	for (unsigned i = 0; ok && i < len; i++)
		(void) snprintf(p->fingerprint + i * 3, 4, i + 1 < len ? "%02X:" : "%02X",
				digest[i]);
	X509_free(cert);
	EVP_PKEY_free(key);
	return ok ? 0 : -EIO;
}

static int make_dtls(struct peer *p)
{
	unsigned char names[500];
	BIO *bio;

	p->ctx = SSL_CTX_new(DTLS_client_method());
	p->bio = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "peer");
	if (!p->ctx || !p->bio || make_certificate(p) < 0)
		return -ENOMEM;
	BIO_meth_set_read(p->bio, bio_read);
	BIO_meth_set_write(p->bio, bio_write);
	BIO_meth_set_ctrl(p->bio, bio_ctrl);
	BIO_meth_set_create(p->bio, bio_create);
	SSL_CTX_set_verify(p->ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(p->ctx, accept_any, NULL);
	SSL_CTX_set_options(p->ctx, SSL_OP_NO_QUERY_MTU);

	p->ssl = SSL_new(p->ctx);
	bio = BIO_new(p->bio);
	if (!p->ssl || !bio)
		return -ENOMEM;
	BIO_set_data(bio, p);
	SSL_set_bio(p->ssl, bio, bio);
	/* A ClientHello that needs several datagrams, as Chromium's does. */
	SSL_set_mtu(p->ssl, 300);
	memset(names, 'x', sizeof(names));
	names[0] = names[250] = 249;
	if (SSL_set_alpn_protos(p->ssl, names, sizeof(names)) != 0)
		return -ENOMEM;
	SSL_set_connect_state(p->ssl);
	return 0;
}

/* --- SCTP and the channel --- */

static void on_output(void *userdata, const void *packet, size_t len)
{
	struct peer *p = userdata;

	ERR_clear_error();
	(void) SSL_write(p->ssl, packet, (int) len);
}

int peer_open_channel(struct peer *p, uint16_t stream)
{
	uint8_t open[64];
	struct writer wr = writer_over(open, sizeof(open));

	write_u8(&wr, 0x03);
	write_u8(&wr, 0x81);
	write_u16be(&wr, 256);
	write_u32be(&wr, 0);
	write_u16be(&wr, 5);
	write_u16be(&wr, 8);
	write_bytes(&wr, "labelprotocol", 13);
	return message_link_send_reliable(p->sctp, stream, MESSAGE_PPID_DCEP,
					  span_of(open, wr.len));
}

static void on_up(void *userdata)
{
	struct peer *p = userdata;

	p->state.sctp_up = true;
	(void) peer_open_channel(p, STREAM);
}

static void on_down(void *userdata, bool timed_out)
{
	struct peer *p = userdata;

	p->state.sctp_down = true;
}

static void on_message(void *userdata, uint16_t stream, uint32_t ppid, uint8_t *data, size_t len)
{
	struct peer *p = userdata;

	if (ppid == MESSAGE_PPID_DCEP)
		p->state.acknowledged |= len == 1 && data[0] == 0x02;
	else
		p->ops->message(p->userdata, ppid, data, len);
}

static void on_stream_reset(void *userdata, uint16_t stream)
{
	struct peer *p = userdata;

	/* As libwebrtc: answered by resetting our half. */
	if (!p->state.stream_reset)
		(void) message_link_reset(p->sctp, stream);
	p->state.stream_reset = true;
}

static void ignore(void *userdata)
{
}

static const struct message_link_ops sctp_ops = {
	.output = on_output,
	.up = on_up,
	.down = on_down,
	.message = on_message,
	.overlong = ignore,
	.stream_reset = on_stream_reset,
	.room = ignore,
};

static void start_sctp(struct peer *p)
{
	struct message_link_options options = {
		.remote_port = MESSAGE_LINK_PORT,
		.packet_max = 1160,
		.send_buffer_bytes = 256 * 1024,
	};
	char number[9] = {0};

	/* Apart from the server's own number, which its ufrag begins with. */
	memcpy(number, p->ufrag, 8);
	options.id = (uint32_t) strtoul(number, NULL, 16) ^ UINT32_C(0x80000000);
	p->state.dtls_up = true;
	if (message_link_new(&options, &sctp_ops, p, &p->sctp) < 0)
		p->state.sctp_down = true;
}

static void read_dtls(struct peer *p)
{
	uint8_t buffer[2048];
	int n;

	for (;;) {
		ERR_clear_error();
		n = SSL_read(p->ssl, buffer, sizeof(buffer));
		if (!p->sctp && SSL_is_init_finished(p->ssl))
			start_sctp(p);
		if (n <= 0)
			break;
		if (p->sctp)
			message_link_input(p->sctp, span_of(buffer, (size_t) n));
	}
	n = SSL_get_error(p->ssl, n);
	p->state.dtls_failed |= n != SSL_ERROR_WANT_READ && n != SSL_ERROR_WANT_WRITE;
}

void peer_start(struct peer *p)
{
	read_dtls(p);
}

void peer_run(struct peer *p)
{
	if (SSL_in_init(p->ssl))
		(void) DTLSv1_handle_timeout(p->ssl);
}

/* --- ICE --- */

static bool give_password(StunAgent *agent, StunMessage *message, uint8_t *username, uint16_t len,
			  uint8_t **ret, size_t *ret_len, void *userdata)
{
	struct peer *p = userdata;

	*ret = (uint8_t *) p->pwd;
	*ret_len = strlen(p->pwd);
	return true;
}

static void handle_stun(struct peer *p, const uint8_t *data, size_t len)
{
	struct sockaddr_storage mapped = {0};
	socklen_t mapped_len = sizeof(mapped);
	StunMessage message;

	switch (stun_agent_validate(&p->stun, &message, data, len, give_password, p)) {
	case STUN_VALIDATION_SUCCESS:
	case STUN_VALIDATION_UNAUTHORIZED: /* errors are not signed */
		break;
	default:
		return;
	}
	if (stun_message_get_class(&message) == STUN_ERROR) {
		p->state.checks_refused++;
		(void) stun_message_find_error(&message, &p->state.refusal);
	} else if (stun_message_find_xor_addr(&message, STUN_ATTRIBUTE_XOR_MAPPED_ADDRESS, &mapped,
					      &mapped_len) == STUN_MESSAGE_RETURN_SUCCESS) {
		p->state.checks_answered++;
		p->state.mapped = hifi_addr_from_sockaddr(&mapped);
	}
}

void peer_send_check(struct peer *p, const struct peer_check *check)
{
	uint8_t buffer[512];
	StunMessage message;
	char username[128];
	const char *pwd = check->wrong_password ? "not the password at all." : p->pwd;
	size_t len;

	(void) snprintf(username, sizeof(username), "%s:%s",
			check->unknown_user ? "ffffffffAAAA" : p->ufrag,
			check->other_peer ? "somebody" : UFRAG);
	if (check->extra_attribute) {
		stun_agent_init_request(&p->stun, &message, buffer, sizeof(buffer), STUN_BINDING);
		stun_message_append32(&message, check->extra_attribute, 1);
		stun_message_append32(&message, STUN_ATTRIBUTE_PRIORITY, PRIORITY);
		stun_message_append_bytes(&message, STUN_ATTRIBUTE_USERNAME, username,
					  strlen(username));
		len = stun_agent_finish_message(&p->stun, &message, (const uint8_t *) pwd,
						strlen(pwd));
	} else {
		len = stun_usage_ice_conncheck_create(
			&p->stun, &message, buffer, sizeof(buffer), (uint8_t *) username,
			strlen(username), (const uint8_t *) pwd, strlen(pwd), check->nominate,
			!check->controlled, PRIORITY, 1234, NULL,
			STUN_USAGE_ICE_COMPATIBILITY_RFC5245);
	}
	p->ops->send(p->userdata, buffer, len);
}

void peer_input(struct peer *p, const uint8_t *data, size_t len)
{
	if (len > 0 && data[0] < 4) {
		handle_stun(p, data, len);
		return;
	}
	p->incoming = data;
	p->incoming_len = len;
	read_dtls(p);
	p->incoming_len = 0;
}

/* --- signalling --- */

char *peer_offer(const struct peer *p, bool wrong_fingerprint)
{
	char fingerprint[DTLS_FINGERPRINT_TEXT];
	char *text = NULL;

	(void) snprintf(fingerprint, sizeof(fingerprint), "%s", p->fingerprint);
	if (wrong_fingerprint)
		fingerprint[0] = fingerprint[0] == '0' ? '1' : '0';
	if (asprintf(&text,
		     "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n"
		     "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\n"
		     "a=ice-ufrag:" UFRAG "\r\na=ice-pwd:" PWD "\r\na=fingerprint:sha-256 %s\r\n"
		     "a=setup:actpass\r\na=mid:0\r\na=sctp-port:5000\r\n",
		     fingerprint) < 0)
		return NULL;
	return text;
}

static int take_value(const char *sdp, const char *name, char *ret, size_t size)
{
	const char *at = strstr(sdp, name);
	size_t len;

	if (!at)
		return -EBADMSG;
	at += strlen(name);
	len = strcspn(at, "\r\n");
	if (len + 1 > size)
		return -EBADMSG;
	memcpy(ret, at, len);
	ret[len] = '\0';
	return 0;
}

int peer_take_answer(struct peer *p, const char *sdp)
{
	int r = take_value(sdp, "a=ice-ufrag:", p->ufrag, sizeof(p->ufrag));

	return r < 0 ? r : take_value(sdp, "a=ice-pwd:", p->pwd, sizeof(p->pwd));
}

/* --- the object --- */

int peer_new(const struct peer_ops *ops, void *userdata, struct peer **ret)
{
	_cleanup_(peer_freep) struct peer *p = calloc(1, sizeof(*p));
	int r;

	if (!p)
		return -ENOMEM;
	p->ops = ops;
	p->userdata = userdata;
	stun_agent_init(&p->stun, known_attributes, STUN_COMPATIBILITY_RFC5389,
			STUN_AGENT_USAGE_SHORT_TERM_CREDENTIALS | STUN_AGENT_USAGE_USE_FINGERPRINT);
	r = message_link_stack_ref();
	if (r < 0)
		return r;
	p->has_stack = true;
	r = make_dtls(p);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(p);
	return 0;
}

struct peer *peer_free(struct peer *p)
{
	if (!p)
		return NULL;
	message_link_free(p->sctp);
	if (p->has_stack)
		message_link_stack_unref();
	SSL_free(p->ssl);
	SSL_CTX_free(p->ctx);
	BIO_meth_free(p->bio);
	free(p);
	return NULL;
}

const struct peer_state *peer_state(const struct peer *p)
{
	return &p->state;
}

int peer_send(struct peer *p, uint32_t ppid, const void *data, size_t len)
{
	return message_link_send_reliable(p->sctp, STREAM, ppid, span_of(data, len));
}

void peer_reset_stream(struct peer *p)
{
	p->state.stream_reset = true; /* the server's answer is not answered */
	(void) message_link_reset(p->sctp, STREAM);
}

void peer_abort(struct peer *p)
{
	p->sctp = message_link_free(p->sctp);
}

void peer_close_notify(struct peer *p)
{
	(void) SSL_shutdown(p->ssl);
}
