/* The panel's files and the JSON interface: reading for every program of this machine, changing
 * only over the unix socket, whose file permissions decide who may. So no web page that an operator
 * visits can do anything (protocol 09 section 1). */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "domain-server/server-internal.h"

#define OK          200
#define BAD_REQUEST 400
#define FORBIDDEN   403
#define NOT_FOUND   404
#define INTERNAL    500

static void reply_json(struct http_reply *reply, json_t *json)
{
	if (!json)
		http_reply_error(reply, INTERNAL, "Out of memory.");
	else
		*reply = (struct http_reply){.status = OK, .json = json};
}

static void reply_success(struct http_reply *reply)
{
	reply_json(reply, json_pack("{s:s}", "status", "success"));
}

/* --- reading --- */

static void get_id(struct server *s, const struct http_request *request, const char *rest,
		   struct http_reply *reply)
{
	reply->text = strdup(UUID_TEXT(&s->id));
	reply->status = OK;
}

static void get_nodes(struct server *s, const struct http_request *request, const char *rest,
		      struct http_reply *reply)
{
	reply_json(reply, status_nodes(s));
}

static void get_assignments(struct server *s, const struct http_request *request, const char *rest,
			    struct http_reply *reply)
{
	reply_json(reply, status_assignments(s));
}

static void get_status(struct server *s, const struct http_request *request, const char *rest,
		       struct http_reply *reply)
{
	reply_json(reply, status_everything(s));
}

static void get_events(struct server *s, const struct http_request *request, const char *rest,
		       struct http_reply *reply)
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

static void get_node(struct server *s, const struct http_request *request, const char *rest,
		     struct http_reply *reply)
{
	struct resident *r = find_resident(s, rest, ".json");

	if (r)
		reply_json(reply, status_node(r));
}

/* --- people --- */

static void delete_node(struct server *s, const struct http_request *request, const char *rest,
			struct http_reply *reply)
{
	struct resident *r = find_resident(s, rest, "/");

	if (!r)
		return;
	resident_kill(r, "removed by the operator");
	reply_success(reply);
}

static void delete_nodes(struct server *s, const struct http_request *request, const char *rest,
			 struct http_reply *reply)
{
	node_list_for_each (s->nodes, node)
		resident_kill(resident_of(node), "removed by the operator");
	reply_success(reply);
}

/* {"uuid": …, "flags"?: …}: removes and bans. */
static void post_kick(struct server *s, const struct http_request *request, const char *rest,
		      struct http_reply *reply)
{
	const char *text = json_string_value(json_object_get(request->json, "uuid"));
	const json_t *flags = json_object_get(request->json, "flags");
	struct resident *r = text ? find_resident(s, text, "") : NULL;
	int result;

	if (!r || r->assignment)
		return http_reply_error(reply, NOT_FOUND, "There is nobody with that UUID.");
	result = moderation_kick(s, r, flags ? (int) (json_integer_value(flags) & 7) : -1);
	if (result == -EPERM)
		http_reply_error(reply, BAD_REQUEST, "That would lock this machine out.");
	else if (result < 0)
		http_reply_error(reply, INTERNAL, "Cannot store the ban: %s", strerror(-result));
	else
		reply_success(reply);
}

/* --- settings --- */

static void get_settings(struct server *s, const struct http_request *request, const char *rest,
			 struct http_reply *reply)
{
	reply_json(reply, json_pack("{s:O, s:o}", "descriptions",
				    json_object_get(schema_json(s->schema), "settings"), "values",
				    settings_to_json(s)));
}

/* Takes the report. */
static void reply_stored(struct http_reply *reply, int r, struct config_report *report)
{
	_cleanup_free_ char *text = config_report_text(report);

	if (r >= 0)
		reply_success(reply);
	else if (report->errors > 0)
		http_reply_error(reply, BAD_REQUEST, "%s", text ? text : "Invalid settings.");
	else
		http_reply_error(reply, INTERNAL, "Cannot store the settings: %s", strerror(-r));
	config_report_done(report);
}

static void post_settings(struct server *s, const struct http_request *request, const char *rest,
			  struct http_reply *reply)
{
	struct config_report report = {0};

	if (!json_is_object(request->json))
		http_reply_error(reply, BAD_REQUEST, "A JSON object is needed.");
	else
		reply_stored(reply, settings_merge(s, request->json, &report), &report);
}

/* {"setting": "group.name", "text": "as typed"} */
static void put_setting(struct server *s, const struct http_request *request, const char *rest,
			struct http_reply *reply)
{
	const char *setting = json_string_value(json_object_get(request->json, "setting"));
	const char *text = json_string_value(json_object_get(request->json, "text"));
	struct config_report report = {0};

	if (!setting || !text)
		http_reply_error(reply, BAD_REQUEST, "setting and text are needed.");
	else
		reply_stored(reply, settings_set_text(s, setting, text, &report), &report);
}

static void post_reload(struct server *s, const struct http_request *request, const char *rest,
			struct http_reply *reply)
{
	if (server_reload(s) < 0)
		http_reply_error(
			reply, BAD_REQUEST,
			"The configuration has errors; the running one stays. See the log.");
	else
		reply_success(reply);
}

static void get_log_level(struct server *s, const struct http_request *request, const char *rest,
			  struct http_reply *reply)
{
	reply_json(reply, json_pack("{s:s}", "level", log_level_name(log_max_level())));
}

static void put_log_level(struct server *s, const struct http_request *request, const char *rest,
			  struct http_reply *reply)
{
	const char *text = json_string_value(json_object_get(request->json, "level"));
	int level = text ? log_level_parse(text) : -EINVAL;

	if (level < 0)
		return http_reply_error(reply, BAD_REQUEST,
					"The level is one of error, warning, notice, info, debug.");
	log_set_max_level(level);
	reply_success(reply);
}

/* --- which is which --- */

static const struct route {
	enum http_method method;
	const char *path; /* one that ends in "/" takes all below it */
	bool is_admin;
	void (*fn)(struct server *s, const struct http_request *request, const char *rest,
		   struct http_reply *reply);
} routes[] = {
	{HTTP_GET, "/id", false, get_id},
	{HTTP_GET, "/nodes.json", false, get_nodes},
	{HTTP_GET, "/nodes/", false, get_node},
	{HTTP_GET, "/assignments.json", false, get_assignments},
	{HTTP_GET, "/status.json", false, get_status},
	{HTTP_GET, "/api/v1/events", false, get_events},
	{HTTP_DELETE, "/nodes", true, delete_nodes},
	{HTTP_DELETE, "/nodes/", true, delete_node},
	{HTTP_POST, "/kick", true, post_kick},
	{HTTP_GET, "/settings.json", true, get_settings},
	{HTTP_POST, "/settings.json", true, post_settings},
	{HTTP_PUT, "/setting", true, put_setting},
	{HTTP_POST, "/reload", true, post_reload},
	{HTTP_GET, "/loglevel", true, get_log_level},
	{HTTP_PUT, "/loglevel", true, put_log_level},
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

void routes_handle(void *userdata, const struct http_request *request, struct http_reply *reply)
{
	const struct server *s = userdata;

	if (request->method == HTTP_GET)
		reply->file = web_files_find(s->web_files, request->path);
	if (reply->file)
		return;
	if (request->is_foreign)
		return http_reply_error(reply, FORBIDDEN, "Not for pages of other sites.");
	for (size_t i = 0; i < ELEMENTSOF(routes); i++) {
		const char *rest = match(&routes[i], request);

		if (!rest)
			continue;
		if (routes[i].is_admin && !request->is_admin)
			return http_reply_error(reply, FORBIDDEN,
						"Only over the admin socket: use hifictl.");
		routes[i].fn(userdata, request, rest, reply);
		return;
	}
}
