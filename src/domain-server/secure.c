/* TLS as configured: the certificate, the HTTPS port, who may ask for wss. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/ports.h"
#include "domain-server/listen-socket.h"
#include "domain-server/server-internal.h"

/* What is configured, else the systemd credential of the same name if there is one; heap text. */
static char *find_file(const struct server *s, const char *name)
{
	const char *directory = getenv("CREDENTIALS_DIRECTORY");
	char setting[64], *path;

	(void) snprintf(setting, sizeof(setting), "http.%s", name);
	path = strdup(config_get_string(s->config, setting));
	if (!path || path[0] || !directory)
		return path;
	free(path);
	if (asprintf(&path, "%s/%s", directory, name) < 0)
		return NULL;
	if (access(path, F_OK) < 0)
		path[0] = 0;
	return path;
}

static void on_accept(void *userdata, int fd, const struct sockaddr *peer, socklen_t peer_len)
{
	struct server *s = userdata;

	http_server_add(s->https, fd, peer, peer_len);
}

/* A socket that was passed is served in any case: with nothing behind it those who connect would
 * wait for ever. */
static int open_https(struct server *s)
{
	const char *address = config_get_string(s->config, "http.address");
	uint16_t port = config_is_set(s->config, "http.https_port", NULL)
				? (uint16_t) config_get_int(s->config, "http.https_port")
				: port_get(PORT_HTTPS)->number;
	struct tls_listener_options options = {
		.fd = TAKE_FD(s->options.https_fd),
		.certificate = s->certificate,
		.accept = on_accept,
		.userdata = s,
		.description = "https",
	};
	int r;

	if (options.fd < 0 && !certificate_context(s->certificate))
		return 0;
	if (options.fd < 0)
		options.fd = listen_socket_tcp(address, port);
	r = options.fd < 0 ? options.fd : tls_listener_new(s->event, &options, &s->https_listener);
	if (r >= 0)
		r = http_server_new(s->event, -1, false, routes_handle, s, &s->https);
	if (r < 0) {
		s->https_listener = tls_listener_free(s->https_listener);
		return log_error_errno(r, "Cannot open the HTTPS port %u at %s: %m", port, address);
	}
	return 0;
}

void secure_apply(struct server *s)
{
	_cleanup_free_ char *certificate = find_file(s, "certificate");
	_cleanup_free_ char *key = find_file(s, "certificate_key");

	if (!certificate || !key) {
		(void) log_oom();
		return;
	}
	(void) certificate_configure(s->certificate, certificate, key);
	if (s->signalling)
		signalling_server_configure(
			s->signalling,
			config_get_bool(s->config, "webrtc.enable_webrtc_websocket_ssl")
				? s->certificate
				: NULL,
			config_get_json(s->config, "webrtc.allowed_origins"));
	if (!s->https)
		(void) open_https(s);
}
