/* assignment-client: the program that wears whatever hat the domain-server hands it. See
 * assignment-client(8). */
#include <argp.h>
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include <systemd/sd-daemon.h>

#include "assignment-client/monitor.h"
#include "assignment-client/worker.h"
#include "base/clock.h"
#include "base/event.h"
#include "base/hats.h"
#include "base/log.h"
#include "base/ports.h"

#define PORT_UNSET -1

static const char *arg_domain_host = "127.0.0.1";
static int arg_domain_port = PORT_UNSET;
static const struct hat_info *arg_hat;
static unsigned arg_instance = 1;
static const char *arg_pool;
static int arg_port = PORT_UNSET;
static int arg_n = -1, arg_min = -1, arg_max = -1;
static int arg_status_fd = -1;
static pid_t arg_parent_pid;
static const char *arg_data_dir = HIFI_LOCALSTATEDIR;

enum {
	OPT_SERVER_PORT = 256,
	OPT_POOL,
	OPT_MIN,
	OPT_MAX,
	OPT_PORT_BASE,
	OPT_PARENT_PID,
	OPT_DATA,
	OPT_LOG_LEVEL,
	OPT_STATUS_FD,
};

static const struct argp_option options[] = {
	{NULL, 't', "TYPE", 0,
	 "Ask only for this assignment: a name such as audio or audio-mixer, or its number; "
	 "avatar-2 is a second one of its kind on this host",
	 0},
	{NULL, 'a', "HOST", 0, "The domain-server's host (127.0.0.1)", 0},
	{"server-port", OPT_SERVER_PORT, "PORT", 0, "The domain-server's UDP port (40102)", 0},
	{NULL, 'p', "PORT", 0,
	 "Our own UDP port; 0: any (the port of the table for TYPE, such as 48000)", 0},
	{"pool", OPT_POOL, "NAME", 0, "Only assignments of this pool", 0},
	{"data", OPT_DATA, "DIR", 0, "Where hats keep their state (" HIFI_LOCALSTATEDIR ")", 0},
	{NULL, 'n', "N", 0, "Run N assignment clients under a monitor", 1},
	{"min", OPT_MIN, "N", 0, "Run at least N, and one idle in reserve", 1},
	{"max", OPT_MAX, "N", 0, "Never run more than N (0: no limit)", 1},
	{"port-base", OPT_PORT_BASE, "N", 0, "Move every port by N", 2},
	{"log-level", OPT_LOG_LEVEL, "LEVEL", 0, "error, warning, notice, info or debug (info)", 2},
	{"parent-pid", OPT_PARENT_PID, "PID", 0,
	 "Stop when the parent process ends, which must be PID", 2},
	{"status-fd", OPT_STATUS_FD, "FD", OPTION_HIDDEN, NULL, 2},
	{0},
};

static int parse_number(struct argp_state *state, const char *arg, long low, long high,
			const char *what)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(arg, &end, 10);
	if (errno || end == arg || *end || n < low || n > high)
		argp_error(state, "%s must be a number from %ld to %ld, not '%s'", what, low, high,
			   arg);
	return (int) n;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	int level;

	switch (key) {
	case 't':
		arg_hat = hat_find_by_instance(arg, &arg_instance);
		if (!arg_hat)
			argp_error(state,
				   "'%s' is not an assignment type; try audio, avatar, messages or "
				   "entity",
				   arg);
		break;
	case 'a':
		arg_domain_host = arg;
		break;
	case OPT_SERVER_PORT:
		arg_domain_port = parse_number(state, arg, 1, 65535, "--server-port");
		break;
	case 'p':
		arg_port = parse_number(state, arg, 0, 65535, "-p");
		break;
	case OPT_POOL:
		arg_pool = arg;
		break;
	case OPT_DATA:
		arg_data_dir = arg;
		break;
	case 'n':
		arg_n = parse_number(state, arg, 1, 1000, "-n");
		break;
	case OPT_MIN:
		arg_min = parse_number(state, arg, 0, 1000, "--min");
		break;
	case OPT_MAX:
		arg_max = parse_number(state, arg, 0, 1000, "--max");
		break;
	case OPT_PORT_BASE:
		if (ports_shift((unsigned) parse_number(state, arg, 0, 17000, "--port-base")) < 0)
			argp_error(state, "--port-base %s moves a port past 65535", arg);
		break;
	case OPT_LOG_LEVEL:
		level = log_level_parse(arg);
		if (level < 0)
			argp_error(state, "'%s' is not a log level", arg);
		log_set_max_level(level);
		break;
	case OPT_PARENT_PID:
		arg_parent_pid = parse_number(state, arg, 1, INT32_MAX, "--parent-pid");
		break;
	case OPT_STATUS_FD:
		arg_status_fd = parse_number(state, arg, 3, 1 << 20, "--status-fd");
		break;
	case ARGP_KEY_ARG:
		argp_error(state, "unexpected argument '%s'", arg);
		break;
	case ARGP_KEY_END:
		if (arg_max > 0 && arg_max < MAX(arg_n, arg_min))
			argp_error(state, "--max is smaller than -n or --min");
		if (arg_n >= 0 && arg_min > arg_n)
			argp_error(state, "--min is larger than -n");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp argp = {
	.options = options,
	.parser = parse_option,
	.doc = "Runs a part of a virtual world: a mixer or server that the domain-server assigns."
	       "\vUnder systemd, assignment-client@audio.service and its siblings start this "
	       "program. "
	       "See assignment-client(8).",
};

const char *argp_program_version = "assignment-client " PACKAGE_VERSION;

/* The port of the environment (protocol 09 section 12) when the command line has none. */
static int domain_port(void)
{
	const char *e = getenv("HIFI_DOMAIN_SERVER_PORT");
	unsigned n;

	if (arg_domain_port != PORT_UNSET)
		return arg_domain_port;
	if (e && sscanf(e, "%u", &n) == 1 && n >= 1 && n <= 65535)
		return (int) n;
	return port_get(PORT_DOMAIN)->number;
}

static int resolve_domain(struct hifi_addr *ret)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICSERV};
	struct sockaddr_storage ss = {0};
	struct addrinfo *list, *best = NULL;
	char service[8];
	int r;

	(void) snprintf(service, sizeof(service), "%d", domain_port());
	r = getaddrinfo(arg_domain_host, service, &hints, &list);
	if (r != 0) {
		log_error("Cannot resolve the domain-server's host '%s': %s", arg_domain_host,
			  gai_strerror(r));
		return -EHOSTUNREACH;
	}
	/* IPv4 first: it is what the protocol's addresses are made of. */
	for (struct addrinfo *ai = list; ai; ai = ai->ai_next)
		if (!best || (ai->ai_family == AF_INET && best->ai_family != AF_INET))
			best = ai;
	memcpy(&ss, best->ai_addr, best->ai_addrlen);
	*ret = hifi_addr_from_sockaddr(&ss);
	freeaddrinfo(list);
	return 0;
}

/* The ports for our own socket, or those of a monitor's children: from the one asked for; else that
 * of the hat; else, when any hat may come, the hats' range. So nothing ever listens outside the
 * port table. */
static void choose_ports(bool is_monitor, uint16_t *ret_first, uint16_t *ret_last)
{
	if (arg_port != PORT_UNSET) {
		*ret_first = (uint16_t) arg_port;
		*ret_last = is_monitor ? (uint16_t) MIN(arg_port + 1000, UINT16_MAX) : 0;
	} else if (arg_hat && !is_monitor) {
		*ret_first = (uint16_t) (port_of_hat(arg_hat->hat)->number +
					 (arg_instance - 1) * HAT_INSTANCE_PORTS);
	} else {
		*ret_first = port_of_hat(HAT_AUDIO)->number;
		*ret_last = port_of_hat(HAT_COUNT - 1)->number;
	}
}

/* Whether the socket has one of the ports we would choose today. */
static bool is_our_port(const struct worker_options *options, int fd)
{
	struct sockaddr_storage ss = {0};
	socklen_t len = sizeof(ss);
	struct hifi_addr addr;

	if (getsockname(fd, (struct sockaddr *) &ss, &len) < 0)
		return false;
	addr = hifi_addr_from_sockaddr(&ss);
	return options->port == 0 || addr.port == options->port ||
	       (addr.port > options->port && addr.port <= options->port_last);
}

/* What the service manager or the monitor holds for us. "udp" is the socket that a predecessor
 * bound itself; that of a socket unit goes before it. */
static void take_fds(struct worker_options *options)
{
	char **names = NULL;
	int n = sd_listen_fds_with_names(true, &names);

	for (int i = 0; i < n; i++) {
		bool is_session = strcmp(names[i], "sessions") == 0,
		     is_left = strcmp(names[i], "udp") == 0;
		int *place = is_session ? &options->session_fd : &options->fd;
		int fd = SD_LISTEN_FDS_START + i;

		if (is_left && (*place >= 0 || !is_our_port(options, fd))) {
			(void) close(fd);
		} else {
			closep(place);
			*place = fd;
		}
		free(names[i]);
	}
	free(names);
}

/* What we are restarted with: nobody shall notice (assignment-client(8)). */
static int on_hand_over(sd_event_source *s, const struct signalfd_siginfo *si, void *userdata)
{
	worker_hand_over(userdata);
}

static int run_worker(sd_event *event)
{
	_cleanup_(worker_freep) struct worker *worker = NULL;
	struct worker_options worker_options = {
		.assignment_type = arg_hat ? (unsigned) arg_hat->hat : HAT_ANY,
		.pool = arg_pool,
		.fd = -1,
		.session_fd = -1,
		.data_dir = arg_data_dir,
		.status_fd = arg_status_fd,
	};
	int r;

	choose_ports(false, &worker_options.port, &worker_options.port_last);
	take_fds(&worker_options);
	r = resolve_domain(&worker_options.domain);
	if (r < 0)
		return r;
	r = worker_new(event, &worker_options, &worker);
	if (r < 0)
		return r;
	r = sd_event_add_signal(event, NULL, SIGUSR2 | SD_EVENT_SIGNAL_PROCMASK, on_hand_over,
				worker);
	if (r < 0)
		return log_error_errno(r, "Cannot watch a signal: %m");
	notify_ready("%s", worker_is_assigned(worker) ? "going on" : "waiting for an assignment");
	return sd_event_loop(event);
}

static int run_monitor(sd_event *event, char **argv)
{
	_cleanup_(monitor_freep) struct monitor *monitor = NULL;
	struct monitor_options monitor_options = {
		.n = (unsigned) MAX(arg_n >= 0 ? arg_n : arg_min, 1),
		.min = (unsigned) MAX(arg_min, 0),
		.max = (unsigned) MAX(arg_max, 0),
		.is_elastic = arg_min >= 0 || arg_max >= 0,
		.argv = argv,
	};
	int r;

	choose_ports(true, &monitor_options.port, &monitor_options.port_last);
	r = monitor_new(event, &monitor_options, &monitor);
	if (r < 0)
		return log_error_errno(r, "Cannot start the monitor: %m");
	notify_ready("starting assignment clients");
	return sd_event_loop(event);
}

static int run(char **argv)
{
	_cleanup_(sd_event_unrefp) sd_event *event = NULL;
	bool is_monitor = arg_status_fd < 0 && (arg_n >= 0 || arg_min >= 0 || arg_max >= 0);
	int r;

	if (arg_parent_pid > 0) {
		(void) prctl(PR_SET_PDEATHSIG, SIGTERM);
		if (getppid() != arg_parent_pid)
			return log_error_errno(ESRCH, "The parent process is not %d (any more).",
					       arg_parent_pid);
	}
	r = event_new(NULL, NULL, &event);
	if (r < 0)
		return log_error_errno(r, "Cannot make an event loop: %m");

	r = is_monitor ? run_monitor(event, argv) : run_worker(event);
	notify_stopping();
	return r;
}

int main(int argc, char **argv)
{
	int r;

	(void) argp_parse(&argp, argc, argv, 0, NULL, NULL);
	log_init("assignment-client", arg_hat ? arg_hat->name : NULL);
	r = run(argv);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
