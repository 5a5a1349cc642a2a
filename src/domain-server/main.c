/* domain-server: who may enter a virtual world, and what runs in it. See domain-server(8). */
#include <argp.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <systemd/sd-daemon.h>

#include "base/event.h"
#include "base/log.h"
#include "base/ports.h"
#include "domain-server/server.h"

static const char *arg_config;
static const char *arg_data_dir;
static const char *arg_admin_socket;
static const char *arg_domain_id;
static int arg_udp_port, arg_signalling_port, arg_http_port;
static pid_t arg_parent_pid;

enum {
	OPT_CONFIG = 256,
	OPT_DATA,
	OPT_ADMIN_SOCKET,
	OPT_PORT_BASE,
	OPT_UDP_PORT,
	OPT_SIGNALLING_PORT,
	OPT_HTTP_PORT,
	OPT_LOG_LEVEL,
	OPT_PARENT_PID,
	OPT_USER_CONFIG,
	OPT_MASTER_CONFIG,
	OPT_GET_TEMP_NAME,
};

static const struct argp_option options[] = {
	{"config", OPT_CONFIG, "FILE", 0, "The configuration (" HIFI_SYSCONFDIR "/domain.json)", 0},
	{"user-config", OPT_USER_CONFIG, "FILE", OPTION_ALIAS, NULL, 0},
	{"data", OPT_DATA, "DIR", 0, "Use DIR/domain.json, unless --config is given", 0},
	{NULL, 'd', "UUID", 0, "The domain's id (metaverse.id, or a new one each time)", 0},
	{"admin-socket", OPT_ADMIN_SOCKET, "PATH", 0,
	 "Where hifictl reaches us ($RUNTIME_DIRECTORY/admin.sock)", 0},
	{"udp-port", OPT_UDP_PORT, "PORT", 0, "For every client (40102)", 1},
	{"signalling-port", OPT_SIGNALLING_PORT, "PORT", 0, "TCP, for browsers' WebSockets (40102)",
	 1},
	{"http-port", OPT_HTTP_PORT, "PORT", 0, "TCP, for status pages (40100)", 1},
	{"port-base", OPT_PORT_BASE, "N", 0, "Move every port by N", 1},
	{"log-level", OPT_LOG_LEVEL, "LEVEL", 0, "error, warning, notice, info or debug (info)", 2},
	{"parent-pid", OPT_PARENT_PID, "PID", 0,
	 "Stop when the parent process ends, which must be PID", 2},
	{NULL, 'i', "HOST:PORT", 0,
	 "Ignored: clients reach this server directly, without an ice-server", 3},
	{"get-temp-name", OPT_GET_TEMP_NAME, NULL, 0, "Ignored: no directory service is asked", 3},
	{"master-config", OPT_MASTER_CONFIG, "FILE", 0, "Ignored", 3},
	{NULL, 'v', NULL, OPTION_HIDDEN, NULL, 0},
	{0},
};

const char *argp_program_version = "domain-server " PACKAGE_VERSION;

static bool number_parse(const char *text, long low, long high, int *ret)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(text, &end, 10);
	if (errno || end == text || *end || n < low || n > high)
		return false;
	*ret = (int) n;
	return true;
}

static int need_number(struct argp_state *state, const char *arg, long low, long high,
		       const char *what)
{
	int n = 0;

	if (!number_parse(arg, low, high, &n))
		argp_error(state, "%s must be a number from %ld to %ld, not '%s'", what, low, high,
			   arg);
	return n;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	int level;

	switch (key) {
	case OPT_CONFIG:
	case OPT_USER_CONFIG:
		arg_config = arg;
		break;
	case OPT_DATA:
		arg_data_dir = arg;
		break;
	case 'd':
		arg_domain_id = arg;
		break;
	case OPT_ADMIN_SOCKET:
		arg_admin_socket = arg;
		break;
	case OPT_UDP_PORT:
		arg_udp_port = need_number(state, arg, 1, 65535, "--udp-port");
		break;
	case OPT_SIGNALLING_PORT:
		arg_signalling_port = need_number(state, arg, 1, 65535, "--signalling-port");
		break;
	case OPT_HTTP_PORT:
		arg_http_port = need_number(state, arg, 1, 65535, "--http-port");
		break;
	case OPT_PORT_BASE:
		if (ports_shift((unsigned) need_number(state, arg, 0, 17000, "--port-base")) < 0)
			argp_error(state, "--port-base %s moves a port past 65535", arg);
		break;
	case OPT_LOG_LEVEL:
		level = log_level_parse(arg);
		if (level < 0)
			argp_error(state, "'%s' is not a log level", arg);
		log_set_max_level(level);
		break;
	case OPT_PARENT_PID:
		arg_parent_pid = need_number(state, arg, 1, INT32_MAX, "--parent-pid");
		break;
	case 'v':
		(void) puts(argp_program_version);
		exit(EXIT_SUCCESS);
	case 'i':
	case OPT_GET_TEMP_NAME:
	case OPT_MASTER_CONFIG:
		(void) fprintf(stderr, "domain-server: option %s is ignored\n",
			       state->argv[state->next - 1]);
		break;
	case ARGP_KEY_ARG:
		argp_error(state, "unexpected argument '%s'", arg);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp argp = {
	.options = options,
	.parser = parse_option,
	.doc = "Runs a virtual world's front door: who may enter, which mixers run, where browsers "
	       "knock."
	       "\vUnder systemd, domain-server.service starts this program. See domain-server(8).",
};

/* A port that the command line leaves open (0) may come from the environment (protocol 09 section
 * 12). */
static int port_from_environment(int port, const char *name)
{
	const char *e = getenv(name);
	int n;

	if (port || !e)
		return port;
	if (number_parse(e, 1, 65535, &n))
		return n;
	log_warning("%s is not a port: '%s'", name, e);
	return 0;
}

/* Sockets that the service manager opened, by the names of the port table. */
static void take_sockets(struct server_options *options)
{
	char **names = NULL;
	int n = sd_listen_fds_with_names(true, &names);

	for (int i = 0; i < n; i++) {
		int fd = SD_LISTEN_FDS_START + i;

		if (strcmp(names[i], "domain") == 0)
			options->udp_fd = fd;
		else if (strcmp(names[i], "signalling") == 0)
			options->signalling_fd = fd;
		else if (strcmp(names[i], "http") == 0)
			options->http_fd = fd;
		else if (strcmp(names[i], "https") == 0)
			options->https_fd = fd;
		else if (strcmp(names[i], "admin") == 0)
			options->admin_fd = fd;
		else if (strcmp(names[i], "sessions") == 0)
			options->session_fd = fd;
		else
			log_warning("A socket was passed under the unknown name '%s'", names[i]);
		free(names[i]);
	}
	free(names);
}

static void on_reload(void *userdata)
{
	struct server **server = userdata;

	if (*server)
		(void) server_reload(*server);
}

static int serve(const struct server_options *server_options)
{
	_cleanup_(sd_event_unrefp) sd_event *event = NULL;
	_cleanup_(server_freep) struct server *server = NULL;
	int r;

	r = event_new(on_reload, &server, &event);
	if (r < 0)
		return log_error_errno(r, "Cannot make an event loop: %m");
	r = server_new(event, server_options, &server);
	if (r < 0)
		return r;
	notify_ready("waiting for mixers");
	r = sd_event_loop(event);
	notify_stopping();
	return r;
}

/* A browser over TLS takes three descriptors; the usual limit of 1024 is there for select(). */
static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		(void) setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static int run(void)
{
	_cleanup_free_ char *config = NULL, *admin = NULL;
	const char *runtime_dir = getenv("RUNTIME_DIRECTORY");
	struct server_options server_options = {
		.config_path = arg_config ? arg_config : HIFI_SYSCONFDIR "/domain.json",
		.domain_id = arg_domain_id,
		.admin_path = arg_admin_socket,
		.udp_fd = -1,
		.signalling_fd = -1,
		.http_fd = -1,
		.https_fd = -1,
		.admin_fd = -1,
		.session_fd = -1,
	};

	if (arg_parent_pid > 0) {
		(void) prctl(PR_SET_PDEATHSIG, SIGTERM);
		if (getppid() != arg_parent_pid) {
			log_error("The parent process is not %d", arg_parent_pid);
			return -ESRCH;
		}
	}
	if (!arg_config && arg_data_dir) {
		if (asprintf(&config, "%s/domain.json", arg_data_dir) < 0)
			return log_oom();
		server_options.config_path = config;
	}
	if (!arg_admin_socket && runtime_dir) {
		/* There may be several, with colons between. */
		if (asprintf(&admin, "%.*s/admin.sock", (int) strcspn(runtime_dir, ":"),
			     runtime_dir) < 0)
			return log_oom();
		server_options.admin_path = admin;
	}
	server_options.udp_port =
		(uint16_t) port_from_environment(arg_udp_port, "HIFI_DOMAIN_SERVER_PORT");
	server_options.signalling_port = (uint16_t) port_from_environment(
		arg_signalling_port, "VIRCADIA_DOMAIN_SERVER_WS_PORT");
	server_options.http_port =
		(uint16_t) port_from_environment(arg_http_port, "HIFI_DOMAIN_SERVER_HTTP_PORT");
	raise_descriptor_limit();
	take_sockets(&server_options);
	return serve(&server_options);
}

int main(int argc, char **argv)
{
	int r;

	(void) argp_parse(&argp, argc, argv, 0, NULL, NULL);
	log_init("domain-server", NULL);
	r = run();
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
