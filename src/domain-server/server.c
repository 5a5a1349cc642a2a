#include "domain-server/server.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/background.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/paths.h"
#include "base/ports.h"
#include "domain-server/listen-socket.h"
#include "domain-server/logins.h"
#include "domain-server/server-internal.h"

#define TICK_USEC         USEC_PER_SEC
#define SILENCE_TICK_USEC (4 * USEC_PER_SEC) /* removal 12 to 16 s after the last packet */

/* --- who we are --- */

static int find_id(struct server *s)
{
	const char *text = s->options.domain_id;

	if (!text)
		text = config_get_string(s->config, "metaverse.id");
	if (!text || !text[0]) {
		s->id = uuid_random();
		s->has_random_id = true;
		return 0;
	}
	if (uuid_parse(text, &s->id) < 0) {
		log_error("The domain's id '%s' is not a UUID", text);
		return -EINVAL;
	}
	return 0;
}

static int init_identities(struct server *s)
{
	uint16_t start;
	int r;

	if (getrandom(&start, sizeof(start), 0) != sizeof(start))
		return -EIO;
	local_ids_init(&s->local_ids, start);
	s->local_id = local_ids_take(&s->local_ids);
	r = pair_secrets_new(NULL, &s->secrets);
	if (r < 0)
		return r;
	r = webrtc_local_addresses(true, s->own, ELEMENTSOF(s->own));
	if (r < 0)
		return log_error_errno(r, "Cannot list this machine's addresses: %m");
	s->n_own = (size_t) r;
	return 0;
}

static int load_schema(struct server *s)
{
	_cleanup_free_ char *error = NULL;
	int r = schema_load(NULL, &s->schema, &error);

	if (r < 0)
		log_error("Cannot read the description of the settings: %s",
			  error ? error : strerror(-r));
	return r;
}

/* --- the network --- */

static void on_version_mismatch(void *userdata, const struct hifi_addr *from,
				const struct packet *packet)
{
	connect_version_mismatch(userdata, from, packet);
}

/* A web client never comes back on a channel that it lost (protocol 02 section 15). */
static void on_channel_closed(void *userdata, const struct hifi_addr *addr,
			      enum webrtc_close_reason reason)
{
	struct server *s = userdata;
	struct node *node = node_list_find_by_addr(s->nodes, addr);

	if (node && hifi_addr_equal(&node->active, addr))
		resident_kill(resident_of(node), "its data channel is closed");
}

static const struct endpoint_ops endpoint_ops = {
	.version_mismatch = on_version_mismatch,
	.channel_closed = on_channel_closed,
};

static uint16_t choose_port(const struct server *s, uint16_t option, const char *setting,
			    enum port_id id)
{
	if (option)
		return option;
	if (setting && config_is_set(s->config, setting, NULL))
		return (uint16_t) config_get_int(s->config, setting);
	return port_get(id)->number;
}

static int open_endpoint(struct server *s)
{
	struct endpoint_options options = {
		.fd = TAKE_FD(s->options.udp_fd),
		.port = choose_port(s, s->options.udp_port, "metaverse.local_port", PORT_DOMAIN),
		.is_domain_server = true,
		.store = s->store,
		.with_webrtc = config_get_bool(s->config, "webrtc.enable_webrtc"),
	};
	int r;

	r = endpoint_new(s->event, &options, s->nodes, &endpoint_ops, s, &s->ep);
	if (r < 0)
		return log_error_errno(r, "Cannot open UDP port %u: %m", options.port);
	endpoint_set_local_id(s->ep, s->local_id);
	connect_register(s);
	assigning_register(s);
	moderation_register(s);
	settings_register(s);
	relay_register(s);
	return 0;
}

static int open_signalling(struct server *s)
{
	uint16_t port = choose_port(s, s->options.signalling_port, NULL, PORT_SIGNALLING);
	int fd = TAKE_FD(s->options.signalling_fd), r;

	if (!config_get_bool(s->config, "webrtc.enable_webrtc")) {
		closep(&fd);
		return 0;
	}
	if (fd < 0)
		fd = listen_socket_tcp(NULL, port);
	r = fd < 0 ? fd : signalling_server_new(s->event, fd, relay_from_client, s, &s->signalling);
	if (r < 0)
		return log_error_errno(r, "Cannot open the signalling port %u/tcp: %m", port);
	return 0;
}

/* Without the pages everything else works. */
static int open_panel(struct server *s)
{
	_cleanup_free_ char *dir = NULL;
	int r;

	if (asprintf(&dir, "%s/web", path_datadir()) < 0)
		return log_oom();
	r = web_files_load(dir, &s->web_files);
	if (r < 0)
		log_warning_errno(r, "The control panel has no pages: cannot read %s: %m", dir);
	r = events_new(s->event, panel_document, s, &s->events);
	if (r >= 0)
		r = logins_new(&s->logins);
	if (r >= 0)
		r = background_new(s->event, &s->background);
	return r < 0 ? log_error_errno(r, "Cannot prepare the control panel: %m") : 0;
}

static int open_http(struct server *s)
{
	const char *address = config_get_string(s->config, "http.address");
	uint16_t port = choose_port(s, s->options.http_port, "http.port", PORT_HTTP);
	int fd = TAKE_FD(s->options.http_fd), r;

	if (fd < 0)
		fd = listen_socket_tcp(address, port);
	if (fd >= 0)
		s->http_port = listen_socket_port(fd);
	r = fd < 0 ? fd : http_server_new(s->event, fd, false, routes_handle, s, &s->http);
	if (r < 0)
		return log_error_errno(r, "Cannot open the HTTP port %u at %s: %m", port, address);
	return 0;
}

static int open_admin(struct server *s)
{
	int fd = TAKE_FD(s->options.admin_fd), r;

	if (fd < 0 && !s->options.admin_path)
		return 0;
	if (fd < 0)
		fd = listen_socket_unix(s->options.admin_path);
	r = fd < 0 ? fd : http_server_new(s->event, fd, true, routes_handle, s, &s->admin);
	if (r < 0)
		return log_error_errno(r, "Cannot open the admin socket %s: %m",
				       s->options.admin_path ? s->options.admin_path : "");
	return 0;
}

/* --- life --- */

static void notify_census(struct server *s)
{
	unsigned people = residents_count_people(s);
	unsigned mixers = node_list_size(s->nodes) - people;

	if (people == s->told_people && mixers == s->told_mixers)
		return;
	s->told_people = people;
	s->told_mixers = mixers;
	notify_status("%u %s here, %u of %u mixers running", people,
		      people == 1 ? "person" : "people", mixers,
		      mixers + assignments_queued(s->assignments));
}

static void on_tick(void *userdata)
{
	struct server *s = userdata;
	uint64_t now = clock_now_usec();

	if (now >= s->next_expiry_usec) {
		s->next_expiry_usec = now + SILENCE_TICK_USEC;
		residents_expire(s, now);
	}
	notify_census(s);
	if (s->store)
		session_store_beat(s->store, now);
}

static int start(struct server *s)
{
	int r;

	r = init_identities(s);
	if (r < 0)
		return r;
	r = load_schema(s);
	if (r < 0)
		return r;
	r = assignments_new(&s->assignments);
	if (r < 0)
		return r;
	r = node_list_new(&s->nodes);
	if (r < 0)
		return r;
	succession_open(s);
	r = certificate_new(s->event, &s->certificate);
	if (r < 0)
		return r;
	r = settings_load(s);
	if (r < 0)
		return r;
	r = find_id(s);
	if (r < 0)
		return r;
	r = open_endpoint(s);
	if (r < 0)
		return r;
	r = succession_restore(s);
	if (r < 0)
		return r;
	r = open_signalling(s);
	if (r < 0)
		return r;
	r = open_panel(s);
	if (r < 0)
		return r;
	r = open_http(s);
	if (r < 0)
		return r;
	secure_apply(s);
	exporter_open(s);
	r = open_admin(s);
	if (r < 0)
		return r;
	return event_timer_new(s->event, clock_now_usec(), TICK_USEC, 0, on_tick, s, "tick",
			       &s->tick);
}

int server_new(sd_event *event, const struct server_options *options, struct server **ret)
{
	_cleanup_(server_freep) struct server *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return log_oom();
	s->event = event;
	s->options = *options;
	s->started_usec = clock_now_usec();
	s->told_people = s->told_mixers = UINT_MAX;
	s->denied_log = (struct log_ratelimit){.interval_usec = 60 * USEC_PER_SEC, .burst = 10};
	list_init(&s->mixers);
	list_init(&s->agents);
	r = start(s);
	if (r < 0)
		return r;

	log_notice("Domain %s: %u/udp, signalling %s, %u waiting assignments", UUID_TEXT(&s->id),
		   endpoint_port(s->ep), s->signalling ? "on" : "off",
		   assignments_queued(s->assignments));
	*ret = TAKE_PTR(s);
	return 0;
}

struct server *server_free(struct server *s)
{
	if (!s)
		return NULL;
	/* Taking all down is no news to it. */
	if (s->store)
		session_store_leave(s->store);
	event_timer_free(s->tick);
	events_free(s->events);
	background_free(s->background); /* replies to connections of the servers */
	http_server_free(s->admin);
	http_server_free(s->http);
	http_server_free(s->exporter);
	tls_listener_free(s->https_listener);
	http_server_free(s->https);
	web_files_free(s->web_files);
	logins_free(s->logins);
	signalling_server_free(s->signalling);
	certificate_free(s->certificate);
	residents_free(s);
	endpoint_free(s->ep);
	session_store_free(s->store);
	node_list_free(s->nodes);
	assignments_free(s->assignments);
	pair_secrets_free(s->secrets);
	gatekeeper_free(s->gatekeeper);
	config_free(s->config);
	schema_free(s->schema);
	free(s->records);
	closep(&s->options.udp_fd);
	closep(&s->options.signalling_fd);
	closep(&s->options.http_fd);
	closep(&s->options.https_fd);
	closep(&s->options.admin_fd);
	closep(&s->options.session_fd);
	free(s);
	return NULL;
}

int server_reload(struct server *s)
{
	int r;

	notify_reloading();
	r = settings_load(s);
	if (r >= 0)
		log_notice("Configuration read again");
	else
		log_error("The running configuration stays.");
	notify_ready("%s", r < 0 ? "the new configuration has errors, the old one is in use"
				 : "configuration read again");
	s->told_people = UINT_MAX;
	return r;
}
