#include "domain-server/signalling-server.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <wslay/wslay.h>

#include "base/clock.h"
#include "base/event.h"
#include "base/hashmap.h"
#include "base/list.h"
#include "base/log.h"
#include "base/siphash.h"
#include "domain-server/mhd-loop.h"
#include "domain-server/tls-listener.h"
#include "webrtc/signalling.h"

#define CLIENTS_MAX        4096
#define CLIENTS_PER_IP_MAX 256 /* behind a reverse proxy all have its address */
#define HANDSHAKE_SEC      10

/* Messages a client may send at once, and per second on average: an offer and some candidates to
 * each mixer at the start, next to nothing after. */
#define MESSAGES_BURST      400
#define MESSAGES_PER_SECOND 20

#define QUEUE_MAX  (512 * 1024) /* bytes not read by a client */
#define SWEEP_USEC (5 * USEC_PER_SEC)
/* Proxies close what is idle for a minute. */
#define PING_USEC    (25 * USEC_PER_SEC)
#define SILENCE_USEC (80 * USEC_PER_SEC)

/* RFC 6455 section 1.3. */
#define WEBSOCKET_GUID       "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
#define WEBSOCKET_KEY_LEN    24
#define WEBSOCKET_ACCEPT_LEN 28

struct signalling_server {
	sd_event *event;
	struct mhd_loop *mhd;
	struct tls_listener *listener;
	json_t *origins; /* a reference; NULL or empty: all */
	signalling_message_fn message;
	void *userdata;

	struct hashmap *clients; /* label → struct client */
	struct list all;
	struct event_timer *sweep;
	uint8_t label_key[16];
	uint16_t last_port; /* of an invented label */
	uint64_t messages_in, messages_out, refused;
};

struct client {
	struct signalling_server *server;
	struct list link;
	struct hifi_addr label;
	struct MHD_UpgradeResponseHandle *upgrade;
	int fd; /* MHD's */
	struct event_io *io;
	wslay_event_context_ptr ws;

	/* What came with the handshake request, to be read before the socket. */
	uint8_t *early;
	size_t early_len, early_pos;

	bool is_receiving; /* inside wslay_event_recv(): must not be freed */
	uint64_t heard_usec, pinged_usec;
	uint64_t credit_usec; /* the time up to which its messages are paid for */
};

/* --- clients --- */

static struct client *client_free(struct client *c)
{
	struct signalling_server *s;

	if (!c)
		return NULL;
	s = c->server;
	list_remove(&c->link);
	if (hashmap_find(s->clients, &c->label) == c)
		(void) hashmap_remove(s->clients, &c->label);
	event_io_free(c->io);
	if (c->ws)
		wslay_event_context_free(c->ws);
	if (c->upgrade) {
		(void) MHD_upgrade_action(c->upgrade, MHD_UPGRADE_ACTION_CLOSE);
		mhd_loop_wake(s->mhd);
	}
	free(c->early);
	free(c);
	return NULL;
}
DEFINE_CLEANUP_FUNC(struct client *, client_free);

/* After anything that may have changed what the client waits for. Frees it when it is done. */
static void client_settle(struct client *c)
{
	bool wants_read, wants_write;

	if (c->is_receiving)
		return;
	if (wslay_event_want_write(c->ws) && wslay_event_send(c->ws) < 0) {
		(void) client_free(c);
		return;
	}
	wants_read = wslay_event_want_read(c->ws);
	wants_write = wslay_event_want_write(c->ws);
	if (!wants_read && !wants_write)
		(void) client_free(c);
	else
		event_io_set_events(c->io,
				    (wants_read ? EPOLLIN : 0u) | (wants_write ? EPOLLOUT : 0u));
}

static int client_queue(struct client *c, enum wslay_opcode opcode, const char *text)
{
	struct wslay_event_msg message = {
		.opcode = (uint8_t) opcode,
		.msg = (const uint8_t *) text,
		.msg_length = strlen(text),
	};

	if (wslay_event_get_queued_msg_length(c->ws) + message.msg_length > QUEUE_MAX)
		return -ENOBUFS;
	return wslay_event_queue_msg(c->ws, &message) == 0 ? 0 : -ENOMEM;
}

/* --- wslay's callbacks --- */

static ssize_t on_ws_recv(wslay_event_context_ptr ws, uint8_t *buf, size_t len, int flags,
			  void *userdata)
{
	struct client *c = userdata;
	ssize_t n;

	if (c->early_pos < c->early_len) {
		n = (ssize_t) MIN(len, c->early_len - c->early_pos);
		memcpy(buf, c->early + c->early_pos, (size_t) n);
		c->early_pos += (size_t) n;
		return n;
	}
	n = recv(c->fd, buf, len, 0);
	if (n > 0)
		return n;
	wslay_event_set_error(ws, n < 0 && (errno == EAGAIN || errno == EINTR)
					  ? WSLAY_ERR_WOULDBLOCK
					  : WSLAY_ERR_CALLBACK_FAILURE);
	return -1;
}

static ssize_t on_ws_send(wslay_event_context_ptr ws, const uint8_t *data, size_t len, int flags,
			  void *userdata)
{
	struct client *c = userdata;
	ssize_t n = send(c->fd, data, len, MSG_NOSIGNAL | (flags & WSLAY_MSG_MORE ? MSG_MORE : 0));

	if (n >= 0)
		return n;
	wslay_event_set_error(ws, errno == EAGAIN || errno == EINTR ? WSLAY_ERR_WOULDBLOCK
								    : WSLAY_ERR_CALLBACK_FAILURE);
	return -1;
}

/* A bucket of MESSAGES_BURST tokens, kept as the time that the messages so far have cost. */
static bool client_may_speak(struct client *c, uint64_t now_usec)
{
	const uint64_t cost = USEC_PER_SEC / MESSAGES_PER_SECOND;

	c->credit_usec = MAX(c->credit_usec + cost, now_usec);
	return c->credit_usec - now_usec < MESSAGES_BURST * cost;
}

static void on_ws_message(wslay_event_context_ptr ws,
			  const struct wslay_event_on_msg_recv_arg *message, void *userdata)
{
	struct client *c = userdata;
	struct signalling_server *s = c->server;

	/* wslay answers pings and closes; data frames in binary mean nothing here. */
	if (message->opcode != WSLAY_TEXT_FRAME)
		return;
	if (!client_may_speak(c, c->heard_usec)) {
		s->refused++;
		log_info("Signalling client %s sends too much; closing", HIFI_ADDR_TEXT(&c->label));
		(void) wslay_event_queue_close(ws, WSLAY_CODE_POLICY_VIOLATION, NULL, 0);
		wslay_event_shutdown_read(ws);
		return;
	}
	s->messages_in++;
	s->message(s->userdata, &c->label, (const char *) message->msg, message->msg_length);
}

static const struct wslay_event_callbacks ws_callbacks = {
	.recv_callback = on_ws_recv,
	.send_callback = on_ws_send,
	.on_msg_recv_callback = on_ws_message,
};

static void client_receive(struct client *c)
{
	int r;

	c->heard_usec = clock_now_usec();
	c->is_receiving = true;
	r = wslay_event_recv(c->ws);
	c->is_receiving = false;
	if (r < 0)
		(void) client_free(c);
	else
		client_settle(c);
}

static void on_socket(uint32_t revents, void *userdata)
{
	struct client *c = userdata;

	if (revents & (EPOLLIN | EPOLLHUP | EPOLLERR))
		client_receive(c);
	else
		client_settle(c);
}

/* --- labels --- */

/* The protocol's labels are IPv4. An IPv6 client gets an address from 240/4 that its network alone
 * decides, so that limits per address count it rightly, and a port of its own (protocol 02
 * section 14.2). */
static int invent_label(struct signalling_server *s, const struct hifi_addr *peer,
			struct hifi_addr *ret)
{
	uint64_t hash = siphash13(peer->ip, 8, s->label_key);
	uint32_t ip = UINT32_C(0xf0000000) | (hash & UINT32_C(0x0fffffff));

	for (unsigned i = 0; i < UINT16_MAX; i++) {
		struct hifi_addr label;

		s->last_port = s->last_port == UINT16_MAX ? 1 : s->last_port + 1;
		label = hifi_addr_from_ipv4(SOCKET_TYPE_WEBRTC, ip, s->last_port);
		if (!hashmap_find(s->clients, &label)) {
			*ret = label;
			return 0;
		}
	}
	return -ENOBUFS;
}

static int find_label(struct signalling_server *s, struct MHD_Connection *connection,
		      struct hifi_addr *ret)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	struct sockaddr_storage ss = {0};
	struct hifi_addr peer;

	if (!info || !info->client_addr)
		return -EIO;
	memcpy(&ss, info->client_addr,
	       info->client_addr->sa_family == AF_INET ? sizeof(struct sockaddr_in)
						       : sizeof(struct sockaddr_in6));
	peer = hifi_addr_from_sockaddr(&ss);
	if (!hifi_addr_is_ipv4(&peer))
		return invent_label(s, &peer, ret);
	*ret = hifi_addr_from_ipv4(SOCKET_TYPE_WEBRTC, hifi_addr_ipv4(&peer), peer.port);
	return 0;
}

/* --- the handshake --- */

static void on_upgrade(void *userdata, struct MHD_Connection *connection, void *state,
		       const char *early, size_t early_len, MHD_socket fd,
		       struct MHD_UpgradeResponseHandle *upgrade)
{
	struct signalling_server *s = userdata;
	_cleanup_(client_freep) struct client *c = calloc(1, sizeof(*c));
	int flags = fcntl(fd, F_GETFL);

	if (!c) {
		(void) MHD_upgrade_action(upgrade, MHD_UPGRADE_ACTION_CLOSE);
		return;
	}
	c->server = s;
	list_init(&c->link);
	c->upgrade = upgrade;
	c->fd = fd;
	c->heard_usec = c->pinged_usec = c->credit_usec = clock_now_usec();
	if (early_len > 0) {
		c->early = malloc(early_len);
		if (!c->early)
			return;
		memcpy(c->early, early, early_len);
		c->early_len = early_len;
	}
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
	    find_label(s, connection, &c->label) < 0 ||
	    hashmap_insert(s->clients, &c->label, c) < 0)
		return;
	if (wslay_event_context_server_init(&c->ws, &ws_callbacks, c) != 0)
		return;
	wslay_event_config_set_max_recv_msg_length(c->ws, SIGNALLING_MESSAGE_MAX);
	if (event_io_new(s->event, fd, EPOLLIN, 0, on_socket, c, "signalling-client", &c->io) < 0)
		return;
	list_append(&s->all, &c->link);
	log_debug("Signalling client %s is here", HIFI_ADDR_TEXT(&c->label));
	client_receive(TAKE_PTR(c));
}

static enum MHD_Result send_plain(struct MHD_Connection *connection, unsigned status,
				  const char *text)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(strlen(text), (void *) text,
									MHD_RESPMEM_PERSISTENT);
	enum MHD_Result result;

	if (!response)
		return MHD_NO;
	if (status == MHD_HTTP_UPGRADE_REQUIRED)
		(void) MHD_add_response_header(response, MHD_HTTP_HEADER_UPGRADE, "websocket");
	result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

static bool header_has_token(const char *value, const char *token)
{
	size_t len = strlen(token);

	while (value && *value) {
		value += strspn(value, ", \t");
		if (strncasecmp(value, token, len) == 0 && strchr(", \t", value[len]))
			return true;
		value += strcspn(value, ",");
	}
	return false;
}

static bool make_accept(const char *key, char ret[static WEBSOCKET_ACCEPT_LEN + 1])
{
	char text[WEBSOCKET_KEY_LEN + sizeof(WEBSOCKET_GUID)];
	uint8_t hash[SHA_DIGEST_LENGTH];
	unsigned len = sizeof(hash);

	if (!key || strlen(key) != WEBSOCKET_KEY_LEN)
		return false;
	memcpy(text, key, WEBSOCKET_KEY_LEN);
	memcpy(text + WEBSOCKET_KEY_LEN, WEBSOCKET_GUID, sizeof(WEBSOCKET_GUID));
	if (!EVP_Digest(text, sizeof(text) - 1, hash, &len, EVP_sha1(), NULL))
		return false;
	return EVP_EncodeBlock((unsigned char *) ret, hash, (int) len) == WEBSOCKET_ACCEPT_LEN;
}

/* Programs that are no browsers send none; who may enter is for the gatekeeper to decide. */
static bool origin_is_allowed(const struct signalling_server *s, const char *origin)
{
	const json_t *allowed;
	size_t i;

	if (!origin || json_array_size(s->origins) == 0)
		return true;
	json_array_foreach (s->origins, i, allowed)
		if (strcasecmp(json_string_value(allowed), origin) == 0)
			return true;
	return false;
}

/* Any path. */
static enum MHD_Result on_request(void *userdata, struct MHD_Connection *connection,
				  const char *url, const char *method, const char *version,
				  const char *data, size_t *size, void **state)
{
	static int seen;
	struct signalling_server *s = userdata;
	char accept[WEBSOCKET_ACCEPT_LEN + 1];
	struct MHD_Response *response;
	enum MHD_Result result;
#define HEADER(name) MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name)

	if (!*state) {
		*state = &seen;
		return MHD_YES;
	}
	if (strcmp(method, "GET") != 0 || *size > 0 ||
	    !header_has_token(HEADER(MHD_HTTP_HEADER_CONNECTION), "upgrade") ||
	    !header_has_token(HEADER(MHD_HTTP_HEADER_UPGRADE), "websocket"))
		return send_plain(connection, MHD_HTTP_UPGRADE_REQUIRED,
				  "This is the WebSocket of a virtual world.\n");
	if (!header_has_token(HEADER("Sec-WebSocket-Version"), "13") ||
	    !make_accept(HEADER("Sec-WebSocket-Key"), accept))
		return send_plain(connection, MHD_HTTP_BAD_REQUEST, "Not a WebSocket handshake.\n");
	if (!origin_is_allowed(s, HEADER(MHD_HTTP_HEADER_ORIGIN))) {
		s->refused++;
		return send_plain(connection, MHD_HTTP_FORBIDDEN,
				  "Pages of this origin may not connect here.\n");
	}
#undef HEADER

	response = MHD_create_response_for_upgrade(on_upgrade, s);
	if (!response)
		return MHD_NO;
	(void) MHD_add_response_header(response, MHD_HTTP_HEADER_UPGRADE, "websocket");
	(void) MHD_add_response_header(response, "Sec-WebSocket-Accept", accept);
	result = MHD_queue_response(connection, MHD_HTTP_SWITCHING_PROTOCOLS, response);
	MHD_destroy_response(response);
	return result;
}

/* --- life --- */

static void on_sweep(void *userdata)
{
	struct signalling_server *s = userdata;
	uint64_t now = clock_now_usec();
	struct client *c;

	list_for_each (c, &s->all, link) {
		if (now > c->heard_usec + SILENCE_USEC) {
			log_debug("Signalling client %s is silent", HIFI_ADDR_TEXT(&c->label));
			(void) client_free(c);
		} else if (now > c->pinged_usec + PING_USEC) {
			c->pinged_usec = now;
			(void) client_queue(c, WSLAY_PING, "");
			client_settle(c);
		}
	}
}

static void on_accept(void *userdata, int fd, const struct sockaddr *peer, socklen_t peer_len)
{
	struct signalling_server *s = userdata;

	mhd_loop_add(s->mhd, fd, peer, peer_len);
}

int signalling_server_new(sd_event *event, int fd, signalling_message_fn message, void *userdata,
			  struct signalling_server **ret)
{
	_cleanup_(signalling_server_freep) struct signalling_server *s = calloc(1, sizeof(*s));
	struct tls_listener_options listener_options = {
		.fd = fd,
		.takes_plain = true,
		.accept = on_accept,
		.userdata = s,
		.description = "signalling",
	};
	struct mhd_loop_options options = {
		.fd = -1,
		.max_connections = CLIENTS_MAX,
		.max_per_ip = CLIENTS_PER_IP_MAX,
		.timeout_sec = HANDSHAKE_SEC,
		.handler = on_request,
		.userdata = s,
		.description = "signalling",
	};
	int r;

	if (!s) {
		closep(&fd);
		return -ENOMEM;
	}
	s->event = event;
	s->message = message;
	s->userdata = userdata;
	list_init(&s->all);
	r = tls_listener_new(event, &listener_options, &s->listener);
	if (r < 0)
		return r;
	r = mhd_loop_new(event, &options, &s->mhd);
	if (r < 0)
		return r;
	if (getrandom(s->label_key, sizeof(s->label_key), 0) != sizeof(s->label_key))
		return -EIO;
	s->clients = hashmap_new(sizeof(struct hifi_addr));
	if (!s->clients)
		return -ENOMEM;
	r = event_timer_new(event, clock_now_usec() + SWEEP_USEC, SWEEP_USEC, 0, on_sweep, s,
			    "signalling-sweep", &s->sweep);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(s);
	return 0;
}

void signalling_server_configure(struct signalling_server *s, const struct certificate *certificate,
				 const json_t *origins)
{
	tls_listener_set_certificate(s->listener, certificate);
	json_decref(s->origins);
	s->origins = json_incref((json_t *) origins);
}

struct signalling_server *signalling_server_free(struct signalling_server *s)
{
	struct client *c;

	if (!s)
		return NULL;
	event_timer_free(s->sweep);
	tls_listener_free(s->listener);
	list_for_each (c, &s->all, link)
		(void) client_free(c);
	mhd_loop_free(s->mhd);
	hashmap_free(s->clients);
	json_decref(s->origins);
	free(s);
	return NULL;
}

static struct client *find(const struct signalling_server *s, const struct hifi_addr *label)
{
	struct hifi_addr key = *label;

	key.channel = 0;
	return hashmap_find(s->clients, &key);
}

bool signalling_server_has(const struct signalling_server *s, const struct hifi_addr *label)
{
	return find(s, label);
}

int signalling_server_send(struct signalling_server *s, const struct hifi_addr *label,
			   const char *text)
{
	struct client *c = find(s, label);
	int r;

	if (!c)
		return -ENOTCONN;
	r = client_queue(c, WSLAY_TEXT_FRAME, text);
	if (r < 0)
		(void) wslay_event_queue_close(c->ws, WSLAY_CODE_POLICY_VIOLATION, NULL, 0);
	else
		s->messages_out++;
	client_settle(c);
	return r;
}

json_t *signalling_server_stats(const struct signalling_server *s)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:o}", "clients",
			 (json_int_t) hashmap_size(s->clients), "messages_in",
			 (json_int_t) s->messages_in, "messages_out", (json_int_t) s->messages_out,
			 "refused", (json_int_t) s->refused, "tls",
			 tls_listener_stats(s->listener));
}
