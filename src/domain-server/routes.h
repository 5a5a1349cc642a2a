/* What the files of the HTTP interface share. Only for files of this folder. */
#pragma once

#include "domain-server/server-internal.h"

/* What somebody may ask for; each may also what those before it may. */
enum role {
	ROLE_NONE,
	ROLE_VIEWER,    /* see: so may every program of this machine */
	ROLE_MODERATOR, /* remove, ban and mute people */
	ROLE_OWNER,
	ROLE_OPERATOR, /* the unix socket, whose file permissions decide who may */
};

struct call {
	const struct http_request *request;
	const char *rest; /* of the path, after the route's */
	enum role role;
	const struct login_session *session; /* NULL: not logged in. Borrowed for the call */
};

enum http_status {
	STATUS_OK = 200,
	STATUS_BAD_REQUEST = 400,
	STATUS_UNAUTHORIZED = 401,
	STATUS_FORBIDDEN = 403,
	STATUS_NOT_FOUND = 404,
	STATUS_CONFLICT = 409,
	STATUS_PRECONDITION_FAILED = 412,
	STATUS_TOO_MANY_REQUESTS = 429,
	STATUS_INTERNAL = 500,
	STATUS_UNAVAILABLE = 503,
};

/* Takes json; NULL: out of memory. */
void reply_json(struct http_reply *reply, json_t *json);
void reply_success(struct http_reply *reply);
/* What came of storing settings; takes the report. */
void reply_stored(struct http_reply *reply, int r, struct config_report *report);

/* Who it is, for the journal: "anna (192.0.2.1)". */
#define CALLER_TEXT_MAX 160
char *caller_format(const struct call *call, char buf[static CALLER_TEXT_MAX]);
#define CALLER_TEXT(call) caller_format((call), (char[CALLER_TEXT_MAX]){0})
/* Says in the journal what changed since before, which is of settings_to_json(); takes it. */
void audit_settings(const struct server *s, const struct call *call, json_t *before);

/* --- accounts.c: who may log in to the panel, and who is --- */

/* Fills in role and session. */
void accounts_identify(struct server *s, struct call *call);

void accounts_get_session(struct server *s, const struct call *call, struct http_reply *reply);
/* {"user": …, "password": …} or {"link": …} */
void accounts_login(struct server *s, const struct call *call, struct http_reply *reply);
void accounts_logout(struct server *s, const struct call *call, struct http_reply *reply);
/* Makes a link that logs in once, as owner. */
void accounts_new_link(struct server *s, const struct call *call, struct http_reply *reply);
void accounts_list(struct server *s, const struct call *call, struct http_reply *reply);
/* {"role"?: …, "password"?: …} */
void accounts_put(struct server *s, const struct call *call, struct http_reply *reply);
void accounts_delete(struct server *s, const struct call *call, struct http_reply *reply);
