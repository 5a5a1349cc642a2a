/* The panel's files and the JSON interface (protocol 09 section 1). Every program of this machine
 * may read; changing needs a log-in with the role for it, or the unix socket. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "domain-server/logins.h"
#include "domain-server/merge-patch.h"
#include "domain-server/routes.h"

void reply_json(struct http_reply *reply, json_t *json)
{
	if (!json)
		return http_reply_error(reply, STATUS_INTERNAL, "Out of memory.");
	reply->status = STATUS_OK;
	reply->json = json;
}

void reply_success(struct http_reply *reply)
{
	reply_json(reply, json_pack("{s:s}", "status", "success"));
}

/* --- the journal --- */

#define AUDIT_VALUE_MAX 200

char *caller_format(const struct call *call, char buf[static CALLER_TEXT_MAX])
{
	const struct login_session *session = call->session;

	if (call->role == ROLE_OPERATOR)
		(void) snprintf(buf, CALLER_TEXT_MAX, "the admin socket");
	else
		(void) snprintf(buf, CALLER_TEXT_MAX, "%s (%s)",
				!session           ? "somebody"
				: session->user[0] ? session->user
						   : "the holder of a link",
				call->request->peer);
	return buf;
}

static char *value_text(const json_t *value)
{
	char *text = value ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_ENSURE_ASCII)
			   : strdup("nothing");

	if (text && strlen(text) > AUDIT_VALUE_MAX)
		(void) snprintf(text + AUDIT_VALUE_MAX - 4, 4, "...");
	return text;
}

static void audit_value(const struct call *call, const char *group, const char *name,
			const json_t *before, const json_t *after)
{
	_cleanup_free_ char *old = value_text(before), *new = value_text(after);

	log_notice("Panel: %s changed %s%s%s from %s to %s", CALLER_TEXT(call), group,
		   group[0] ? "." : "", name, old ? old : "?", new ? new : "?");
}

void audit_settings(const struct server *s, const struct call *call, json_t *before)
{
	json_t *after = settings_to_json(s), *group, *value;
	const char *name, *member;

	json_object_foreach (after, name, group) {
		const json_t *old = json_object_get(before, name);

		if (json_equal((json_t *) old, group))
			continue;
		if (!schema_has_group(s->schema, name)) {
			audit_value(call, "", name, old, group);
			continue;
		}
		json_object_foreach (group, member, value)
			if (!json_equal(json_object_get(old, member), value))
				audit_value(call, name, member, json_object_get(old, member),
					    value);
	}
	json_decref(after);
	json_decref(before);
}

static void audit_request(const struct call *call)
{
	static const char *const methods[] = {"GET", "POST", "PUT", "DELETE"};
	_cleanup_free_ char *path = utf8_sanitise(call->request->path, strlen(call->request->path));

	log_notice("Panel: %s asks for %s %.256s", CALLER_TEXT(call),
		   methods[call->request->method], path ? path : "");
}

/* --- reading --- */

static void get_id(struct server *s, const struct call *call, struct http_reply *reply)
{
	reply->text = strdup(UUID_TEXT(&s->id));
	reply->status = STATUS_OK;
}

static void get_nodes(struct server *s, const struct call *call, struct http_reply *reply)
{
	reply_json(reply, status_nodes(s));
}

static void get_assignments(struct server *s, const struct call *call, struct http_reply *reply)
{
	reply_json(reply, status_assignments(s));
}

static void get_status(struct server *s, const struct call *call, struct http_reply *reply)
{
	reply_json(reply, status_everything(s));
}

static void get_events(struct server *s, const struct call *call, struct http_reply *reply)
{
	reply->events = s->events;
}

/* rest: a UUID, then suffix or nothing. */
static struct resident *find_resident(struct server *s, const char *rest, const char *suffix)
{
	char text[UUID_TEXT_LEN + 1];
	struct node *node;
	struct uuid id;

	if (strlen(rest) < UUID_TEXT_LEN)
		return NULL;
	memcpy(text, rest, UUID_TEXT_LEN);
	text[UUID_TEXT_LEN] = 0;
	rest += UUID_TEXT_LEN;
	if (uuid_parse(text, &id) < 0 || (rest[0] && strcmp(rest, suffix) != 0))
		return NULL;
	node = node_list_find(s->nodes, &id);
	return node ? resident_of(node) : NULL;
}

static void get_node(struct server *s, const struct call *call, struct http_reply *reply)
{
	struct resident *r = find_resident(s, call->rest, ".json");

	if (r)
		reply_json(reply, status_node(r));
}

/* --- people --- */

static void delete_node(struct server *s, const struct call *call, struct http_reply *reply)
{
	struct resident *r = find_resident(s, call->rest, "/");

	if (!r)
		return;
	resident_kill(r, "removed by the operator");
	reply_success(reply);
}

static void delete_nodes(struct server *s, const struct call *call, struct http_reply *reply)
{
	node_list_for_each (s->nodes, node)
		resident_kill(resident_of(node), "removed by the operator");
	reply_success(reply);
}

/* {"uuid": …, "flags"?: …}: removes and bans. */
static void post_kick(struct server *s, const struct call *call, struct http_reply *reply)
{
	const char *text = json_string_value(json_object_get(call->request->json, "uuid"));
	const json_t *flags = json_object_get(call->request->json, "flags");
	struct resident *r = text ? find_resident(s, text, "") : NULL;
	int result;

	if (!r || r->assignment)
		return http_reply_error(reply, STATUS_NOT_FOUND, "There is nobody with that UUID.");
	result = moderation_kick(s, r, flags ? (int) (json_integer_value(flags) & 7) : -1);
	if (result == -EPERM)
		http_reply_error(reply, STATUS_BAD_REQUEST, "That would lock this machine out.");
	else if (result < 0)
		http_reply_error(reply, STATUS_INTERNAL, "Cannot store the ban: %s",
				 strerror(-result));
	else
		reply_success(reply);
}

/* --- settings --- */

static void get_settings(struct server *s, const struct call *call, struct http_reply *reply)
{
	reply_json(reply, json_pack("{s:O, s:o}", "descriptions",
				    json_object_get(schema_json(s->schema), "settings"), "values",
				    settings_to_json(s)));
}

void reply_stored(struct http_reply *reply, int r, struct config_report *report)
{
	_cleanup_free_ char *text = config_report_text(report);

	if (r >= 0)
		reply_success(reply);
	else if (report->errors > 0)
		http_reply_error(reply, STATUS_BAD_REQUEST, "%s",
				 text ? text : "Invalid settings.");
	else
		http_reply_error(reply, STATUS_INTERNAL, "Cannot store the settings: %s",
				 strerror(-r));
	config_report_done(report);
}

static void post_settings(struct server *s, const struct call *call, struct http_reply *reply)
{
	struct config_report report = {0};
	json_t *before;

	if (!json_is_object(call->request->json))
		return http_reply_error(reply, STATUS_BAD_REQUEST, "A JSON object is needed.");
	before = settings_to_json(s);
	reply_stored(reply, settings_merge(s, call->request->json, &report), &report);
	audit_settings(s, call, before);
}

/* {"setting": "group.name", "text": "as typed"} */
static void put_setting(struct server *s, const struct call *call, struct http_reply *reply)
{
	const char *setting = json_string_value(json_object_get(call->request->json, "setting"));
	const char *text = json_string_value(json_object_get(call->request->json, "text"));
	struct config_report report = {0};
	json_t *before;

	if (!setting || !text)
		return http_reply_error(reply, STATUS_BAD_REQUEST, "setting and text are needed.");
	before = settings_to_json(s);
	reply_stored(reply, settings_set_text(s, setting, text, &report), &report);
	audit_settings(s, call, before);
}

static void post_reload(struct server *s, const struct call *call, struct http_reply *reply)
{
	if (server_reload(s) < 0)
		http_reply_error(
			reply, STATUS_BAD_REQUEST,
			"The configuration has errors; the running one stays. See the log.");
	else
		reply_success(reply);
}

static void get_log_level(struct server *s, const struct call *call, struct http_reply *reply)
{
	reply_json(reply, json_pack("{s:s}", "level", log_level_name(log_max_level())));
}

static void put_log_level(struct server *s, const struct call *call, struct http_reply *reply)
{
	const char *text = json_string_value(json_object_get(call->request->json, "level"));
	int level = text ? log_level_parse(text) : -EINVAL;

	if (level < 0)
		return http_reply_error(reply, STATUS_BAD_REQUEST,
					"The level is one of error, warning, notice, info, debug.");
	log_set_max_level(level);
	reply_success(reply);
}

/* --- which is which --- */

static const struct route {
	enum http_method method;
	const char *path; /* one that ends in "/" takes all below it */
	enum role role;   /* at least */
	void (*fn)(struct server *s, const struct call *call, struct http_reply *reply);
} routes[] = {
	{HTTP_GET, "/id", ROLE_NONE, get_id},
	{HTTP_GET, "/nodes.json", ROLE_VIEWER, get_nodes},
	{HTTP_GET, "/nodes/", ROLE_VIEWER, get_node},
	{HTTP_GET, "/assignments.json", ROLE_VIEWER, get_assignments},
	{HTTP_GET, "/status.json", ROLE_VIEWER, get_status},
	{HTTP_GET, "/api/v1/events", ROLE_VIEWER, get_events},
	{HTTP_GET, "/api/v1/session", ROLE_NONE, accounts_get_session},
	{HTTP_POST, "/api/v1/login", ROLE_NONE, accounts_login},
	{HTTP_POST, "/api/v1/logout", ROLE_VIEWER, accounts_logout},
	{HTTP_POST, "/api/v1/link", ROLE_OPERATOR, accounts_new_link},
	{HTTP_GET, "/api/v1/users", ROLE_OWNER, accounts_list},
	{HTTP_PUT, "/api/v1/users/", ROLE_OWNER, accounts_put},
	{HTTP_DELETE, "/api/v1/users/", ROLE_OWNER, accounts_delete},
	{HTTP_DELETE, "/nodes", ROLE_OWNER, delete_nodes},
	{HTTP_DELETE, "/nodes/", ROLE_MODERATOR, delete_node},
	{HTTP_POST, "/kick", ROLE_MODERATOR, post_kick},
	{HTTP_GET, "/settings.json", ROLE_OWNER, get_settings},
	{HTTP_POST, "/settings.json", ROLE_OWNER, post_settings},
	{HTTP_PUT, "/setting", ROLE_OWNER, put_setting},
	{HTTP_POST, "/reload", ROLE_OWNER, post_reload},
	{HTTP_GET, "/loglevel", ROLE_OWNER, get_log_level},
	{HTTP_PUT, "/loglevel", ROLE_OWNER, put_log_level},
};

/* What follows the route's path, or NULL when it is another's. */
static const char *match(const struct route *route, const struct http_request *request)
{
	size_t len = strlen(route->path);

	if (route->method != request->method || strncmp(request->path, route->path, len) != 0)
		return NULL;
	if (route->path[len - 1] != '/' && request->path[len])
		return NULL;
	return request->path + len;
}

static void refuse(const struct call *call, struct http_reply *reply)
{
	if (call->session)
		http_reply_error(reply, STATUS_FORBIDDEN, "Not with your role.");
	else
		http_reply_error(reply, STATUS_UNAUTHORIZED,
				 "Log in first, with the token of the session; or use hifictl.");
}

void routes_handle(void *userdata, const struct http_request *request, struct http_reply *reply)
{
	struct server *s = userdata;
	struct call call = {.request = request};

	if (request->method == HTTP_GET)
		reply->file = web_files_find(s->web_files, request->path);
	if (reply->file)
		return;
	if (request->is_foreign)
		return http_reply_error(reply, STATUS_FORBIDDEN, "Not for pages of other sites.");
	accounts_identify(s, &call);
	for (size_t i = 0; i < ELEMENTSOF(routes); i++) {
		call.rest = match(&routes[i], request);
		if (!call.rest)
			continue;
		if (call.role < routes[i].role)
			return refuse(&call, reply);
		if (request->method != HTTP_GET && routes[i].role > ROLE_VIEWER)
			audit_request(&call);
		routes[i].fn(s, &call, reply);
		return;
	}
}
