/* hifi-load: simulated clients of a domain, for tests of it under load and for sizing a machine.
 * See hifi-load(1). */
#include <argp.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

#include "base/event.h"
#include "base/log.h"
#include "load/run.h"

/* The exit status, beside 0 and argp's 64. */
#define EXIT_CHECK_FAILED 1
#define EXIT_NO_RUN       2

const char *argp_program_version = "hifi-load " PACKAGE_VERSION;

static int resolve(const struct load_options *options, struct hifi_addr *ret)
{
	const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_DGRAM};
	struct sockaddr_storage ss = {0};
	struct addrinfo *list;
	int r;

	r = getaddrinfo(options->host, NULL, &hints, &list);
	if (r != 0) {
		log_error("Cannot resolve '%s': %s", options->host, gai_strerror(r));
		return -EHOSTUNREACH;
	}
	memcpy(&ss, list->ai_addr, list->ai_addrlen);
	freeaddrinfo(list);
	*ret = hifi_addr_from_sockaddr(&ss);
	ret->port = options->port;
	return 0;
}

/* Hundreds of clients are a flood to whoever does not expect them. */
static int check_allowed(const struct load_options *options, const struct hifi_addr *domain)
{
	if (hifi_addr_is_loopback(domain) || options->allow_remote)
		return 0;
	log_error("%s is not on this machine; --allow-remote if that domain is yours to load.",
		  HIFI_ADDR_TEXT(domain));
	return -EPERM;
}

static int print_report(const struct report *report)
{
	json_t *json;

	if (!report->options->json) {
		report_print(report, stdout);
	} else {
		json = report_json(report);
		if (!json)
			return log_oom();
		(void) json_dumpf(json, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
		(void) putchar('\n');
		json_decref(json);
	}
	return fflush(stdout) == 0 ? 0 : log_error_errno(errno, "Cannot write the report: %m");
}

/* 1 when all checks passed, 0 when not, or -errno. */
static int run(const struct load_options *options)
{
	_cleanup_(sd_event_unrefp) sd_event *event = NULL;
	_cleanup_(run_freep) struct run *run = NULL;
	struct hifi_addr domain;
	struct report report;
	int r;

	r = resolve(options, &domain);
	if (r < 0)
		return r;
	r = check_allowed(options, &domain);
	if (r < 0)
		return r;
	r = event_new(NULL, NULL, &event);
	if (r < 0)
		return log_error_errno(r, "Cannot make an event loop: %m");
	r = run_new(event, options, &domain, &run);
	if (r < 0)
		return log_error_errno(r, "Cannot start: %m");
	r = sd_event_loop(event);
	if (r < 0)
		return r;

	run_finish(run, &report);
	r = print_report(&report);
	return r < 0 ? r : report_is_ok(&report);
}

int main(int argc, char **argv)
{
	struct load_options options;
	int r;

	log_init("hifi-load", NULL);
	if (load_options_parse(argc, argv, 0, &options) < 0)
		return EXIT_NO_RUN;
	r = run(&options);
	return r < 0 ? EXIT_NO_RUN : r > 0 ? EXIT_SUCCESS : EXIT_CHECK_FAILED;
}
