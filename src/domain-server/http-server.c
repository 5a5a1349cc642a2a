#include "domain-server/http-server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "domain-server/mhd-loop.h"

#define MAX_CONNECTIONS 64
#define TIMEOUT_SEC     15
#define COOKIE          "hifi-panel"

struct http_server {
	struct mhd_loop *mhd;
	bool is_admin;
	bool is_secure; /* all connections come over TLS */
	http_handler_fn handler;
	void *userdata;
};

/* A request whose body is still coming in, or whose reply is. */
struct incoming {
	struct http_server *server;
	struct MHD_Connection *connection;
	struct writer body;
	bool is_too_long;
	bool is_deferred, has_reply;
	struct http_reply reply; /* of a deferred one */
};

void http_reply_error(struct http_reply *reply, unsigned status, const char *format, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, format);
	(void) vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	json_decref(reply->json);
	reply->status = status;
	reply->json = json_pack("{s:s}", "error", text);
}

/* --- replying --- */

/* Everything comes from here, and no script is in a page itself. */
#define CONTENT_POLICY                                                                          \
	"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src " \
	"'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/* Takes the response; NULL: out of memory. */
static enum MHD_Result send_response(struct MHD_Connection *connection, unsigned status,
				     struct MHD_Response *response)
{
	static const struct {
		const char *name, *value;
	} headers[] = {
		{"Content-Security-Policy", CONTENT_POLICY},
		{"Cross-Origin-Resource-Policy", "same-origin"},
		{"Referrer-Policy", "no-referrer"},
		{"X-Content-Type-Options", "nosniff"},
	};
	enum MHD_Result result;

	if (!response)
		return MHD_NO;
	for (size_t i = 0; i < ELEMENTSOF(headers); i++)
		(void) MHD_add_response_header(response, headers[i].name, headers[i].value);
	/* Files may be kept when they are asked for again each time. */
	if (!MHD_get_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL))
		(void) MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

static void add_session(struct MHD_Response *response, const struct http_server *h,
			const struct http_reply *reply)
{
	char cookie[HTTP_SESSION_MAX + 96];

	if (!reply->session[0] && !reply->ends_session)
		return;
	(void) snprintf(cookie, sizeof(cookie), COOKIE "=%s; Path=/; HttpOnly; SameSite=Strict%s%s",
			reply->session, reply->session[0] ? "" : "; Max-Age=0",
			h->is_secure ? "; Secure" : "");
	(void) MHD_add_response_header(response, MHD_HTTP_HEADER_SET_COOKIE, cookie);
}

static void add_retry_after(struct MHD_Response *response, unsigned seconds)
{
	char text[16];

	if (seconds == 0)
		return;
	(void) snprintf(text, sizeof(text), "%u", seconds);
	(void) MHD_add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER, text);
}

/* Takes text. */
static enum MHD_Result send_text(const struct http_server *h, struct MHD_Connection *connection,
				 const struct http_reply *reply, char *text, const char *type)
{
	struct MHD_Response *response =
		MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_FREE);

	if (!response) {
		free(text);
		return MHD_NO;
	}
	(void) MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	add_session(response, h, reply);
	add_retry_after(response, reply->retry_after_sec);
	return send_response(connection, reply->status, response);
}

static enum MHD_Result send_json(const struct http_server *h, struct MHD_Connection *connection,
				 const struct http_reply *reply)
{
	char *text = json_dumps(reply->json, JSON_COMPACT | JSON_REAL_PRECISION(15));

	json_decref(reply->json);
	return text ? send_text(h, connection, reply, text, "application/json") : MHD_NO;
}

static const char *header(struct MHD_Connection *connection, const char *name)
{
	return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

static enum MHD_Result send_file(struct MHD_Connection *connection, const struct web_file *file)
{
	bool is_known =
		web_etag_matches(header(connection, MHD_HTTP_HEADER_IF_NONE_MATCH), file->etag);
	bool is_gzip = file->gzip.len > 0 &&
		       web_accepts_gzip(header(connection, MHD_HTTP_HEADER_ACCEPT_ENCODING));
	struct span content = is_known ? (struct span){0} : is_gzip ? file->gzip : file->plain;
	struct MHD_Response *response = MHD_create_response_from_buffer(
		content.len, (void *) content.data, MHD_RESPMEM_PERSISTENT);

	if (!response)
		return MHD_NO;
	(void) MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, file->type);
	(void) MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-cache");
	(void) MHD_add_response_header(response, MHD_HTTP_HEADER_ETAG, file->etag);
	(void) MHD_add_response_header(response, MHD_HTTP_HEADER_VARY, "Accept-Encoding");
	if (is_gzip && !is_known)
		(void) MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip");
	return send_response(connection, is_known ? MHD_HTTP_NOT_MODIFIED : MHD_HTTP_OK, response);
}

static enum MHD_Result send_reply(struct http_server *h, struct MHD_Connection *connection,
				  struct http_reply *reply)
{
	struct MHD_Response *response = NULL;

	if (reply->file)
		return send_file(connection, reply->file);
	if (reply->events) {
		response = events_watch(reply->events, h->mhd, connection);
		if (response)
			return send_response(connection, MHD_HTTP_OK, response);
		http_reply_error(reply, MHD_HTTP_SERVICE_UNAVAILABLE,
				 "As many watch as there may be.");
	}
	if (reply->status == 0)
		http_reply_error(reply, MHD_HTTP_NOT_FOUND, "Resource not found.");
	if (reply->json) {
		free(reply->text);
		return send_json(h, connection, reply);
	}
	if (!reply->text)
		reply->text = strdup("");
	return reply->text
		       ? send_text(h, connection, reply, reply->text, "text/plain; charset=utf-8")
		       : MHD_NO;
}

/* --- receiving --- */

static int method_parse(const char *method, enum http_method *ret)
{
	static const struct {
		const char *name;
		enum http_method method;
	} methods[] = {
		{"GET", HTTP_GET}, {"HEAD", HTTP_GET},      {"POST", HTTP_POST},
		{"PUT", HTTP_PUT}, {"DELETE", HTTP_DELETE},
	};

	for (size_t i = 0; i < ELEMENTSOF(methods); i++)
		if (strcmp(methods[i].name, method) == 0) {
			*ret = methods[i].method;
			return 0;
		}
	return -EOPNOTSUPP;
}

/* An address, or a name that always means this machine. HTTP/1.0 has no Host, and no browser
 * either. */
static bool host_is_ours(const char *host)
{
	char name[INET6_ADDRSTRLEN + 2];
	struct in6_addr addr;
	size_t len;

	if (!host)
		return true;
	if (host[0] == '[')
		len = strcspn(++host, "]");
	else
		len = strcspn(host, ":");
	if (len >= sizeof(name))
		return false;
	memcpy(name, host, len);
	name[len] = 0;
	return strcmp(name, "localhost") == 0 || inet_pton(AF_INET, name, &addr) == 1 ||
	       inet_pton(AF_INET6, name, &addr) == 1;
}

/* What browsers say of who asks (Fetch Metadata, and Origin in those without); a link, a script or
 * an image of another site is told from our pages, from the address bar and from programs. */
static bool is_foreign(struct MHD_Connection *connection)
{
	const char *site = header(connection, "Sec-Fetch-Site");
	const char *origin = header(connection, MHD_HTTP_HEADER_ORIGIN);
	const char *host = header(connection, MHD_HTTP_HEADER_HOST);

	if (site && strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0)
		return true;
	if (!origin)
		return false;
	origin = strstr(origin, "://");
	return !origin || !host || strcmp(origin + 3, host) != 0;
}

/* The address in text, and whether it is this machine's. */
static bool find_peer(struct MHD_Connection *connection, char ret[static INET6_ADDRSTRLEN])
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const struct sockaddr *peer = info ? info->client_addr : NULL;

	ret[0] = 0;
	if (peer && peer->sa_family == AF_INET) {
		const struct in_addr *in = &((const struct sockaddr_in *) peer)->sin_addr;

		(void) inet_ntop(AF_INET, in, ret, INET6_ADDRSTRLEN);
		return ntohl(in->s_addr) >> 24 == IN_LOOPBACKNET;
	}
	if (peer && peer->sa_family == AF_INET6) {
		const struct in6_addr *in6 = &((const struct sockaddr_in6 *) peer)->sin6_addr;

		(void) inet_ntop(AF_INET6, in6, ret, INET6_ADDRSTRLEN);
		return IN6_IS_ADDR_LOOPBACK(in6) ||
		       (IN6_IS_ADDR_V4MAPPED(in6) && in6->s6_addr[12] == IN_LOOPBACKNET);
	}
	return false;
}

struct http_deferred *http_defer(const struct http_request *request)
{
	struct incoming *in = (struct incoming *) request->deferred;

	in->is_deferred = true;
	return request->deferred;
}

void http_deferred_reply(struct http_deferred *deferred, const struct http_reply *reply)
{
	struct incoming *in = (struct incoming *) deferred;

	in->reply = *reply;
	in->has_reply = true;
	MHD_resume_connection(in->connection);
	mhd_loop_wake(in->server->mhd);
}

static void handle(struct http_server *h, struct MHD_Connection *connection, const char *url,
		   const char *method, struct incoming *in, struct http_reply *reply)
{
	char peer[INET6_ADDRSTRLEN];
	struct http_request request = {
		.path = url,
		.is_admin = h->is_admin,
		.is_foreign = is_foreign(connection),
		.is_local = find_peer(connection, peer) || h->is_admin,
		.peer = peer,
		.session = MHD_lookup_connection_value(connection, MHD_COOKIE_KIND, COOKIE),
		.csrf_token = header(connection, "X-CSRF-Token"),
		.deferred = (struct http_deferred *) in,
	};
	json_t *json = NULL;

	if (!h->is_admin && !h->is_secure &&
	    !host_is_ours(header(connection, MHD_HTTP_HEADER_HOST)))
		return http_reply_error(reply, MHD_HTTP_FORBIDDEN,
					"Ask for localhost, not for another name.");
	if (method_parse(method, &request.method) < 0)
		return http_reply_error(reply, MHD_HTTP_BAD_REQUEST, "Unknown method.");
	if (in->is_too_long)
		return http_reply_error(reply, MHD_HTTP_CONTENT_TOO_LARGE, "Body too long.");
	if (in->body.len > 0) {
		json = json_loadb((const char *) in->body.data, in->body.len,
				  JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
		if (!json)
			return http_reply_error(reply, MHD_HTTP_BAD_REQUEST,
						"The body is not JSON.");
	}
	request.json = json;
	h->handler(h->userdata, &request, reply);
	json_decref(json);
}

static enum MHD_Result on_request(void *userdata, struct MHD_Connection *connection,
				  const char *url, const char *method, const char *version,
				  const char *data, size_t *size, void **state)
{
	struct incoming *in = *state;
	struct http_reply reply = {0};

	if (!in) {
		in = calloc(1, sizeof(*in));
		if (!in)
			return MHD_NO;
		in->body = writer_growing(HTTP_BODY_MAX);
		in->server = userdata;
		in->connection = connection;
		*state = in;
		return MHD_YES;
	}
	if (in->has_reply) {
		in->has_reply = false;
		return send_reply(userdata, connection, &in->reply);
	}
	if (*size > 0) {
		write_bytes(&in->body, data, *size);
		if (writer_finish(&in->body) < 0)
			in->is_too_long = true;
		*size = 0;
		return MHD_YES;
	}
	handle(userdata, connection, url, method, in, &reply);
	if (in->is_deferred) {
		MHD_suspend_connection(connection);
		return MHD_YES;
	}
	return send_reply(userdata, connection, &reply);
}

static void on_completed(void *userdata, struct MHD_Connection *connection, void **state,
			 enum MHD_RequestTerminationCode code)
{
	struct incoming *in = *state;

	if (!in)
		return;
	writer_done(&in->body);
	if (in->has_reply) { /* nobody was there any more to take it */
		json_decref(in->reply.json);
		free(in->reply.text);
	}
	free(in);
	*state = NULL;
}

int http_server_new(sd_event *event, int fd, bool is_admin, http_handler_fn handler, void *userdata,
		    struct http_server **ret)
{
	_cleanup_(http_server_freep) struct http_server *h = calloc(1, sizeof(*h));
	struct mhd_loop_options options = {
		.fd = fd,
		.max_connections = MAX_CONNECTIONS,
		.timeout_sec = TIMEOUT_SEC,
		.handler = on_request,
		.completed = on_completed,
		.userdata = h,
		.description = is_admin ? "admin" : "http",
	};
	int r;

	if (!h) {
		closep(&fd);
		return -ENOMEM;
	}
	h->is_admin = is_admin;
	h->is_secure = fd < 0;
	h->handler = handler;
	h->userdata = userdata;
	r = mhd_loop_new(event, &options, &h->mhd);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(h);
	return 0;
}

void http_server_add(struct http_server *h, int fd, const struct sockaddr *peer, socklen_t peer_len)
{
	mhd_loop_add(h->mhd, fd, peer, peer_len);
}

struct http_server *http_server_free(struct http_server *h)
{
	if (!h)
		return NULL;
	mhd_loop_free(h->mhd);
	free(h);
	return NULL;
}
