/* HTTP for programs and browsers on this machine: whole requests in; JSON, files of the panel or a
 * stream of events out. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <systemd/sd-event.h>

#include "base/bytes.h"
#include "base/macros.h"
#include "domain-server/events.h"
#include "domain-server/web-files.h"

#define HTTP_BODY_MAX    (1024 * 1024)
#define HTTP_SESSION_MAX 128

struct http_server;
struct http_deferred;

enum http_method {
	HTTP_GET, /* HEAD comes as GET, and its reply goes without a body */
	HTTP_POST,
	HTTP_PUT,
	HTTP_DELETE,
};

struct http_request {
	enum http_method method;
	const char *path;   /* decoded, without the query */
	const json_t *json; /* of the body; NULL when it is empty */
	bool is_admin;      /* came over the unix socket */
	bool is_foreign;    /* a page of another site makes the browser ask */
	bool is_local;      /* over the unix socket or a loopback address */
	const char *peer; /* the address without the port, for messages; "" over the unix socket */

	/* NULL when they are not sent. */
	const char *session;    /* secret of the cookie that a reply once set */
	const char *csrf_token; /* X-CSRF-Token, which only our pages can send along with it */

	struct http_deferred *deferred; /* for http_defer() */
};

/* Filled in by the handler; a zero status means 404. */
struct http_reply {
	unsigned status;
	json_t *json;                /* reference taken over; or … */
	char *text;                  /* … heap text, taken over, sent as text/plain; or … */
	const struct web_file *file; /* … that outlives the server; or … */
	struct events *events;       /* … to watch */

	char session[HTTP_SESSION_MAX]; /* secret for a cookie; "": none is set */
	bool ends_session;              /* the cookie is taken back */
	unsigned retry_after_sec;
};

/* Replies with {"error": …}. */
void http_reply_error(struct http_reply *reply, unsigned status, const char *format, ...)
	_printf_(3, 4);

typedef void (*http_handler_fn)(void *userdata, const struct http_request *request,
				struct http_reply *reply);

/* Within a handler: the reply is given later, by one call of http_deferred_reply() from the loop;
 * the connection waits for it, so it must be given before the server is freed. The handler's own
 * reply is not looked at. Strings of the request are borrowed until the handler returns. */
struct http_deferred *http_defer(const struct http_request *request);
void http_deferred_reply(struct http_deferred *deferred, const struct http_reply *reply);

/* Takes the listening socket, also on failure. is_admin: it is a unix socket whose permissions
 * decide who may ask. Others are answered only when they call this machine by its address or as
 * localhost, so that no web page can read by giving its own name our address. fd -1: connections
 * come by http_server_add() alone. */
int http_server_new(sd_event *event, int fd, bool is_admin, http_handler_fn handler, void *userdata,
		    struct http_server **ret);
/* Takes a connection that came over TLS: its certificate, not the Host header, says who we are. */
void http_server_add(struct http_server *h, int fd, const struct sockaddr *peer,
		     socklen_t peer_len);
struct http_server *http_server_free(struct http_server *h);
DEFINE_CLEANUP_FUNC(struct http_server *, http_server_free);
