/* The metrics port: what the domain-server knows, and each mixer's statistics. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/ports.h"
#include "domain-server/listen-socket.h"
#include "domain-server/metrics.h"
#include "domain-server/server-internal.h"

static void add_people(json_t *metrics, struct server *s)
{
	unsigned native = 0, web = 0;
	struct resident *r;

	list_for_each (r, &s->agents, link)
		*(node_is_web(r->node) ? &web : &native) += 1;
	metrics_add(metrics, "hifi_people", "gauge", "transport=\"native\"", native);
	metrics_add(metrics, "hifi_people", "gauge", "transport=\"web\"", web);
}

static void add_mixers(json_t *metrics, struct server *s)
{
	struct resident *r;

	list_for_each (r, &s->mixers, link) {
		char labels[128], prefix[METRICS_NAME_MAX];

		(void) snprintf(labels, sizeof(labels), "node=\"%s\"", UUID_TEXT(&r->node->uuid));
		metrics_name(node_type_name(r->node->type), prefix);
		metrics_add_stats(metrics, prefix, labels, r->stats);
		(void) snprintf(labels, sizeof(labels), "hat=\"%s\",node=\"%s\"",
				hat_find(r->assignment->type)->name, UUID_TEXT(&r->node->uuid));
		metrics_add(metrics, "hifi_mixer_up_seconds", "gauge", labels,
			    (double) (clock_now_usec() - r->node->added_usec) / USEC_PER_SEC);
	}
}

static void add_own(json_t *metrics, const struct server *s)
{
	json_t *stats = json_pack("{s:o, s:o*}", "network", endpoint_stats(s->ep), "signalling",
				  s->signalling ? signalling_server_stats(s->signalling) : NULL);
	json_t *certificate = certificate_status(s->certificate);
	const json_t *left = json_object_get(certificate, "seconds_left");

	metrics_add(metrics, "hifi_up_seconds", "gauge", "",
		    (double) (clock_now_usec() - s->started_usec) / USEC_PER_SEC);
	metrics_add(metrics, "hifi_waiting_assignments", "gauge", "",
		    assignments_queued(s->assignments));
	if (left)
		metrics_add(metrics, "hifi_certificate_seconds_left", "gauge", "",
			    json_number_value(left));
	metrics_add_stats(metrics, "domain_server", "", stats);
	json_decref(certificate);
	json_decref(stats);
}

static void on_request(void *userdata, const struct http_request *request, struct http_reply *reply)
{
	struct server *s = userdata;
	json_t *metrics;

	if (request->method != HTTP_GET || strcmp(request->path, "/metrics") != 0)
		return;
	metrics = metrics_new();
	add_own(metrics, s);
	add_people(metrics, s);
	add_mixers(metrics, s);
	reply->text = metrics_format(metrics);
	reply->status = reply->text ? 200 : 500;
	json_decref(metrics);
}

void exporter_open(struct server *s)
{
	const char *address =
		config_get_string(s->config, "monitoring.prometheus_exporter_address");
	uint16_t port = config_is_set(s->config, "monitoring.prometheus_exporter_port", NULL)
				? (uint16_t) config_get_int(s->config,
							    "monitoring.prometheus_exporter_port")
				: port_get(PORT_METRICS)->number;
	int fd, r;

	if (!config_get_bool(s->config, "monitoring.enable_prometheus_exporter"))
		return;
	fd = listen_socket_tcp(address, port);
	r = fd < 0 ? fd : http_server_new(s->event, fd, false, on_request, s, &s->exporter);
	if (r < 0)
		log_error_errno(r, "Cannot open the metrics port %u at %s, going on without: %m",
				port, address);
}
