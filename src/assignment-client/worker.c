#include "assignment-client/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "assignment-client/hat.h"
#include "base/clock.h"
#include "base/event.h"
#include "base/log.h"
#include "node/domain-client.h"
#include "node/session-records.h"

#define STATS_INTERVAL_USEC USEC_PER_SEC

struct worker {
	sd_event *event;
	struct node_list *nodes;
	struct session_store *store; /* NULL when there is none to be had */
	struct endpoint *ep;
	struct domain_client *dc;
	struct event_timer *stats_timer;
	const char *data_dir;
	int status_fd;

	/* The hat while an assignment lasts. */
	const struct hat_ops *ops;
	void *hat;

	/* For rates per second. */
	struct udp_socket_stats last_udp;
	uint64_t last_stats_usec, last_cpu_usec;
};

static void tell_monitor(const struct worker *w)
{
	uint8_t type = w->ops ? (uint8_t) w->ops->hat : HAT_ANY;

	/* A monitor that is gone is noticed through SIGTERM, not here. */
	if (w->status_fd >= 0 && write(w->status_fd, &type, 1) < 0)
		log_debug_errno(errno, "Cannot tell the monitor: %m");
}

/* --- the domain client's callbacks --- */

static const char *on_assigned(void *userdata, unsigned assignment_type, struct span payload)
{
	struct worker *w = userdata;
	const struct hat_ops *ops = hat_ops_find(assignment_type);

	if (!ops) {
		log_warning("Assignment of type %u refused: this build has no such hat.",
			    assignment_type);
		return NULL;
	}
	w->ops = ops;
	tell_monitor(w);
	return ops->interest;
}

static int on_settings(void *userdata, const json_t *settings)
{
	struct worker *w = userdata;
	const struct hat_context context = {
		.event = w->event,
		.endpoint = w->ep,
		.nodes = w->nodes,
		.data_dir = w->data_dir,
		.store = w->store,
	};
	int r;

	r = w->ops->start(&context, settings, &w->hat);
	if (r < 0)
		return log_error_errno(r, "The %s cannot start: %m",
				       hat_find(w->ops->hat)->long_name);
	return 0;
}

static void on_connected(void *userdata)
{
	struct worker *w = userdata;
	struct uuid session = domain_client_session(w->dc);

	log_notice("Serving as %s, node %s, on UDP port %u.", hat_find(w->ops->hat)->long_name,
		   UUID_TEXT(&session), endpoint_port(w->ep));
}

static void on_ended(void *userdata, const char *why)
{
	struct worker *w = userdata;

	log_notice("Assignment ended: %s. Asking for a new one.", why);
	if (w->hat)
		w->ops->stop(w->hat);
	w->hat = NULL;
	w->ops = NULL;
	tell_monitor(w);
	notify_status("waiting for an assignment");
}

static void on_node_added(void *userdata, struct node *node)
{
	struct worker *w = userdata;

	if (w->hat && w->ops->node_added)
		w->ops->node_added(w->hat, node);
}

static void on_node_activated(void *userdata, struct node *node)
{
	struct worker *w = userdata;

	if (w->hat && w->ops->node_activated)
		w->ops->node_activated(w->hat, node);
}

static void on_node_killed(void *userdata, struct node *node)
{
	struct worker *w = userdata;

	if (w->hat && w->ops->node_killed)
		w->ops->node_killed(w->hat, node);
}

static void on_save_node(void *userdata, const struct node *node, struct writer *wr)
{
	struct worker *w = userdata;

	if (w->ops->save_node)
		w->ops->save_node(w->hat, node, wr);
}

static int on_restore_node(void *userdata, struct node *node, struct reader *rd)
{
	struct worker *w = userdata;

	return w->ops->restore_node ? w->ops->restore_node(w->hat, node, rd) : 0;
}

static void on_denied(void *userdata, unsigned reason, const char *message)
{
	static struct log_ratelimit limit = {.interval_usec = 60 * USEC_PER_SEC, .burst = 1};

	if (log_ratelimit_allows(&limit, NULL))
		log_error("The domain-server refuses us (reason %u): %s", reason, message);
}

static const struct domain_client_ops client_ops = {
	.assigned = on_assigned,
	.settings = on_settings,
	.connected = on_connected,
	.ended = on_ended,
	.node_added = on_node_added,
	.node_activated = on_node_activated,
	.node_killed = on_node_killed,
	.denied = on_denied,
	.save_node = on_save_node,
	.restore_node = on_restore_node,
};

/* --- the endpoint's callbacks --- */

static void on_channel_opened(void *userdata, const struct hifi_addr *addr)
{
	struct worker *w = userdata;

	domain_client_channel_opened(w->dc, addr);
}

static void on_channel_closed(void *userdata, const struct hifi_addr *addr,
			      enum webrtc_close_reason reason)
{
	struct worker *w = userdata;

	/* The endpoint outlives the domain client by a moment when we stop. */
	if (w->dc)
		domain_client_channel_closed(w->dc, addr, reason);
}

static const struct endpoint_ops endpoint_ops = {
	.channel_opened = on_channel_opened,
	.channel_closed = on_channel_closed,
};

/* --- statistics --- */

static double per_second(uint64_t now, uint64_t before, double seconds)
{
	return seconds > 0 ? (double) (now - before) / seconds : 0;
}

/* Both generations of upstream's names (protocol 02 section 12, 03 section 12), because pages and
 * tools read either. */
static json_t *io_stats(struct worker *w, double seconds)
{
	const struct udp_socket_stats *now = endpoint_udp_stats(w->ep), *before = &w->last_udp;
	double in_bytes = per_second(now->received_bytes, before->received_bytes, seconds);
	double out_bytes = per_second(now->sent_bytes, before->sent_bytes, seconds);
	double in_packets = per_second(now->received_packets, before->received_packets, seconds);
	double out_packets = per_second(now->sent_packets, before->sent_packets, seconds);

	return json_pack("{s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f}", "inbound_kbps", in_bytes / 125,
			 "inbound_pps", in_packets, "outbound_kbps", out_bytes / 125,
			 "outbound_pps", out_packets, "inbound_bytes_per_s", in_bytes,
			 "inbound_packets_per_s", in_packets, "outbound_bytes_per_s", out_bytes,
			 "outbound_packets_per_s", out_packets);
}

static json_t *collect_stats(struct worker *w, double seconds, uint64_t cpu_usec)
{
	json_t *stats = w->ops->stats ? w->ops->stats(w->hat) : json_object();

	if (!stats)
		return NULL;
	(void) json_object_set_new(stats, "io_stats", io_stats(w, seconds));
	(void) json_object_set_new(stats, "assignmentStats",
				   json_pack("{s:i}", "numQueuedCheckIns", 0));
	(void) json_object_set_new(stats, "transport", endpoint_stats(w->ep));
	(void) json_object_set_new(
		stats, "cpu_percent",
		json_real(100 * per_second(cpu_usec, w->last_cpu_usec, seconds * 1e6)));
	return stats;
}

static void on_stats_timer(void *userdata)
{
	struct worker *w = userdata;
	uint64_t now = clock_now_usec(), cpu = clock_cpu_usec();
	double seconds = (double) (now - w->last_stats_usec) / 1e6;
	char status[256] = "";
	json_t *stats;

	if (!w->hat)
		return;

	stats = collect_stats(w, seconds, cpu);
	if (stats)
		(void) domain_client_send_stats(w->dc, stats);
	if (w->ops->status) {
		w->ops->status(w->hat, status, sizeof(status));
		notify_status("%s", status);
	}

	w->last_udp = *endpoint_udp_stats(w->ep);
	w->last_stats_usec = now;
	w->last_cpu_usec = cpu;
}

/* --- what a successor takes over --- */

/* Only what is in use takes memory. */
static const struct session_store_options store_options = {
	.kind = "assignment-client/1",
	.nodes_max = 2048,
	.session_bytes = STORED_CLIENT_MAX,
	.node_bytes = HAT_NODE_BYTES_MAX,
};

int worker_session_fd_new(sd_event *event)
{
	_cleanup_(session_store_freep) struct session_store *store = NULL;
	int r;

	r = session_store_new(event, -1, &store_options, &store);
	if (r < 0)
		return r;
	r = fcntl(session_store_fd(store), F_DUPFD_CLOEXEC, 3);
	return r < 0 ? -errno : r;
}

static void open_store(struct worker *w, int fd)
{
	int r;

	r = session_store_new(w->event, fd, &store_options, &w->store);
	if (r < 0) {
		log_warning_errno(r, "Nothing can be kept for a successor: %m");
		return;
	}
	if (session_store_is_new(w->store))
		notify_store_fd("sessions", session_store_fd(w->store));
}

static void take_over(struct worker *w, const struct worker_options *options)
{
	const struct hat_info *hat = hat_find(options->assignment_type);
	struct uuid session;

	if (!domain_client_restore(w->dc)) {
		log_info("Asking the domain-server at %s for %s.", HIFI_ADDR_TEXT(&options->domain),
			 hat ? hat->long_name : "any assignment");
		return;
	}
	session = domain_client_session(w->dc);
	log_notice("Going on as %s, node %s, on UDP port %u, with %u nodes.",
		   hat_find(w->ops->hat)->long_name, UUID_TEXT(&session), endpoint_port(w->ep),
		   node_list_size(w->nodes));
}

bool worker_is_assigned(const struct worker *w)
{
	return w->ops;
}

_Noreturn void worker_hand_over(struct worker *w)
{
	log_notice("Stopping for a successor.");
	if (w->store)
		session_store_flush(w->store);
	_exit(EXIT_SUCCESS);
}

/* --- life --- */

int worker_new(sd_event *event, const struct worker_options *options, struct worker **ret)
{
	_cleanup_(worker_freep) struct worker *w = NULL;
	struct endpoint_options endpoint_options = {
		.fd = options->fd,
		.port = options->port,
		.port_last = options->port_last,
		.with_webrtc = true,
	};
	struct domain_client_options client_options = {
		.domain = options->domain,
		.assignment_type = options->assignment_type,
		.pool = options->pool,
		.version = PACKAGE_VERSION,
	};
	int r;

	w = calloc(1, sizeof(*w));
	if (!w) {
		(void) close(options->session_fd);
		return log_oom();
	}
	w->event = event;
	w->data_dir = options->data_dir;
	w->status_fd = options->status_fd;
	w->last_stats_usec = clock_now_usec();

	r = node_list_new(&w->nodes);
	if (r < 0)
		return log_oom();
	open_store(w, options->session_fd);
	endpoint_options.store = client_options.store = w->store;
	r = endpoint_new(event, &endpoint_options, w->nodes, &endpoint_ops, w, &w->ep);
	if (r == -EADDRINUSE)
		return log_error_errno(
			r,
			"UDP port %u is taken, perhaps by another assignment client. "
			"Choose one with -p (-p 0: any).",
			options->port);
	if (r < 0)
		return log_error_errno(r, "Cannot open UDP port %u: %m", options->port);
	if (options->fd < 0)
		notify_store_fd("udp", endpoint_fd(w->ep));
	r = domain_client_new(event, w->ep, w->nodes, &client_options, &client_ops, w, &w->dc);
	if (r < 0)
		return log_error_errno(r, "Cannot start the domain client: %m");
	take_over(w, options);
	r = event_timer_new(event, clock_now_usec() + STATS_INTERVAL_USEC, STATS_INTERVAL_USEC, 0,
			    on_stats_timer, w, "stats", &w->stats_timer);
	if (r < 0)
		return log_error_errno(r, "Cannot start a timer: %m");

	tell_monitor(w);
	*ret = TAKE_PTR(w);
	return 0;
}

struct worker *worker_free(struct worker *w)
{
	if (!w)
		return NULL;

	w->dc = domain_client_free(w->dc);
	event_timer_free(w->stats_timer);
	endpoint_free(w->ep);
	session_store_free(w->store);
	node_list_free(w->nodes);
	free(w);
	return NULL;
}
