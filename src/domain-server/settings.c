/* The configuration at work: applied, changed, told to nodes (protocol 02 sections 7 and 10). */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "domain-server/server-internal.h"

/* Where somebody lands who asks for "/" in a domain without paths. */
#define VIEWPOINT_DEFAULT "/0,0,0/0,0,0,1"

/* --- applying --- */

/* What is made from a configuration before it may replace the running one. */
struct prepared {
	struct config *config;
	struct gatekeeper *gatekeeper;
};

static void prepared_done(struct prepared *p)
{
	config_free(p->config);
	gatekeeper_free(p->gatekeeper);
}

/* Finds every reason why config cannot be used. Takes it over. */
static int prepare(struct server *s, struct config *config, struct prepared *ret)
{
	_cleanup_(assignments_freep) struct assignments *trial = NULL;
	const json_t *root = config_json(config);
	struct prepared p = {.config = config};
	int r;

	r = assignments_new(&trial);
	if (r >= 0)
		r = assignments_configure(trial, root);
	if (r == -ENOBUFS)
		log_error("More than %d assignments are configured", ASSIGNMENTS_MAX);
	if (r >= 0)
		r = gatekeeper_new(json_object_get(root, "security"), s->own, s->n_own,
				   &p.gatekeeper);
	if (r < 0) {
		prepared_done(&p);
		return r;
	}
	*ret = p;
	return 0;
}

static int commit(struct server *s, struct prepared *p)
{
	int r = assignments_configure(s->assignments, config_json(p->config));

	if (r < 0) {
		prepared_done(p);
		return r;
	}
	config_free(s->config);
	gatekeeper_free(s->gatekeeper);
	s->config = p->config;
	s->gatekeeper = p->gatekeeper;
	s->is_authenticated = config_get_bool(s->config, "metaverse.enable_packet_verification");
	residents_recheck(s);
	if (s->tick)
		secure_apply(s);
	return 0;
}

int settings_load(struct server *s)
{
	struct config_report report = {0};
	struct config *config;
	struct prepared p;
	int r;

	r = config_load(s->schema, s->options.config_path, &config, &report);
	config_report_log(&report);
	config_report_done(&report);
	if (r < 0)
		return r;
	r = prepare(s, config, &p);
	return r < 0 ? r : commit(s, &p);
}

/* --- changing --- */

static int set_members(struct config *config, const char *group, json_t *values,
		       struct config_report *report)
{
	const char *key;
	json_t *value;
	int r, result = 0;

	json_object_foreach (values, key, value) {
		char setting[256];

		(void) snprintf(setting, sizeof(setting), "%s%s%s", group, group[0] ? "." : "",
				key);
		r = config_set(config, setting, value, report);
		if (r < 0)
			result = r;
	}
	return result;
}

int settings_change(struct server *s, settings_change_fn change, const void *userdata,
		    struct config_report *report)
{
	struct config *config;
	struct prepared p;
	int r;

	r = config_load(s->schema, s->options.config_path, &config, report);
	if (r < 0)
		return r;
	r = change(s, config, userdata, report);
	if (r < 0) {
		config_free(config);
		return r;
	}
	r = prepare(s, config, &p);
	if (r < 0)
		return r;
	r = config_save(p.config);
	if (r < 0) {
		prepared_done(&p);
		return r;
	}
	return commit(s, &p);
}

/* Everything is tried, so that the report is complete. */
static int set_all(struct server *s, struct config *config, const void *userdata,
		   struct config_report *report)
{
	json_t *changes = (json_t *) userdata, *value;
	const char *key;
	int r, result = 0;

	json_object_foreach (changes, key, value) {
		if (schema_has_group(s->schema, key) && json_is_object(value))
			r = set_members(config, key, value, report);
		else
			r = config_set(config, key, value, report);
		if (r < 0)
			result = r;
	}
	return result;
}

int settings_merge(struct server *s, const json_t *changes, struct config_report *report)
{
	return settings_change(s, set_all, changes, report);
}

struct typed {
	const char *setting, *text;
};

static int set_typed(struct server *s, struct config *config, const void *userdata,
		     struct config_report *report)
{
	const struct typed *typed = userdata;

	return config_set_text(config, typed->setting, typed->text, report);
}

int settings_set_text(struct server *s, const char *setting, const char *text,
		      struct config_report *report)
{
	return settings_change(s, set_typed, &(struct typed){setting, text}, report);
}

json_t *settings_to_json(const struct server *s)
{
	size_t n;
	const struct setting *settings = schema_settings(s->schema, &n);
	json_t *values = json_pack("{s:f}", "version", schema_version(s->schema));

	for (size_t i = 0; i < n; i++) {
		const struct setting *setting = &settings[i];
		char path[256];
		json_t *group = values;

		if (setting->value_hidden)
			continue;
		(void) snprintf(path, sizeof(path), "%s%s%s", setting->group,
				setting->group[0] ? "." : "", setting->name);
		if (setting->group[0]) {
			group = json_object_get(values, setting->group);
			if (!group) {
				group = json_object();
				(void) json_object_set_new(values, setting->group, group);
			}
		}
		(void) json_object_set_new(group, setting->name,
					   json_deep_copy(config_get_json(s->config, path)));
	}
	return values;
}

/* --- telling nodes --- */

static int on_settings_request(void *userdata, const struct received *rx)
{
	struct server *s = userdata;
	_cleanup_(shared_bytes_unrefp) struct shared_bytes *payload = NULL;
	_cleanup_free_ char *text = NULL;
	json_t *settings;
	uint8_t type;
	int r;

	r = domain_settings_request_decode(rx->payload, &type);
	if (r < 0)
		return r;
	/* They hold file paths and the like: nothing for strangers, little for people. */
	if (!rx->node || (type != HAT_AGENT && !resident_of(rx->node)->assignment))
		return -EPERM;
	settings = config_settings_for_assignment(s->config, type);
	if (settings && type != HAT_AGENT)
		(void) json_object_set_new(settings, "redial", json_true());
	text = settings ? json_dumps(settings, JSON_COMPACT | JSON_REAL_PRECISION(15)) : NULL;
	json_decref(settings);
	payload = text ? shared_bytes_new(text, strlen(text)) : NULL;
	if (!payload)
		return -ENOMEM;
	r = endpoint_send_node_message(s->ep, rx->node, PACKET_DOMAIN_SETTINGS, payload);
	if (r < 0)
		return r;
	/* Whoever asks has had its DomainList, and can answer a browser. */
	resident_set_can_signal(resident_of(rx->node));
	return 0;
}

/* The viewpoint of a path, compared without case, as lower-case heap text in *ret; 0 or -ENOENT. */
static int find_viewpoint(const struct server *s, const char *path, char **ret)
{
	json_t *paths = (json_t *) config_get_json(s->config, "paths"), *value;
	const char *key, *viewpoint = NULL;

	json_object_foreach (paths, key, value)
		if (strcasecmp(key, path) == 0)
			viewpoint = json_string_value(json_object_get(value, "viewpoint"));
	if ((!viewpoint || !viewpoint[0]) && strcmp(path, "/") == 0)
		viewpoint = VIEWPOINT_DEFAULT;
	if (!viewpoint || !viewpoint[0])
		return -ENOENT;

	*ret = strdup(viewpoint);
	if (!*ret)
		return -ENOMEM;
	for (char *c = *ret; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char) (*c - 'A' + 'a');
	return 0;
}

static int on_path_query(void *userdata, const struct received *rx)
{
	struct server *s = userdata;
	_cleanup_free_ char *viewpoint = NULL;
	uint8_t data[DOMAIN_LIST_PAYLOAD_MAX];
	struct writer wr = writer_over(data, sizeof(data));
	struct domain_path_response response;
	struct span asked;
	char path[PACKET_MAX + 2];
	int r;

	r = domain_path_query_decode(rx->payload, &asked);
	if (r < 0)
		return r;
	if (!rx->node)
		return -EPERM;
	if (!utf8_is_valid(asked.data, asked.len))
		return -EBADMSG;
	(void) snprintf(path, sizeof(path), "%s%.*s",
			asked.len > 0 && asked.data[0] == '/' ? "" : "/", (int) asked.len,
			asked.len > 0 ? (const char *) asked.data : "");
	r = find_viewpoint(s, path, &viewpoint);
	if (r < 0)
		return r;

	/* An echo of the query, except that the web client cannot read an empty text. */
	response.path = asked.len > 0 ? asked : span_of(path, strlen(path));
	response.viewpoint = span_of(viewpoint, strlen(viewpoint));
	domain_path_response_encode(&wr, &response);
	r = (int) writer_finish(&wr);
	return r < 0 ? r
		     : endpoint_send_node_reliable(s->ep, rx->node,
						   PACKET_DOMAIN_SERVER_PATH_RESPONSE,
						   span_of(data, wr.len));
}

void settings_register(struct server *s)
{
	endpoint_handle(s->ep, PACKET_DOMAIN_SETTINGS_REQUEST, on_settings_request, s);
	endpoint_handle(s->ep, PACKET_DOMAIN_SERVER_PATH_QUERY, on_path_query, s);
}
