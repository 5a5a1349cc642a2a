/* The command line of hifi-load. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define LOAD_CLIENTS_MAX 1000
/* What fits an AvatarData packet with all other sections. */
#define LOAD_JOINTS_MAX 200

/* Nothing in it is owned: strings are those of argv. */
#define LOAD_CHANNEL_MAX 63

struct load_options {
	const char *host;
	uint16_t port;
	bool allow_remote;

	unsigned clients;
	double duration_s;
	double ramp;  /* clients per second */
	double churn; /* departures per second, all clients together */
	uint64_t seed;

	bool audio, avatar, messages, entities;
	double talkers;    /* share of the clients */
	const char *codec; /* what clients offer; NULL: they do not negotiate */
	bool tone;
	bool move;
	double spread_m;
	unsigned joints;
	double chat;         /* messages per second and client */
	const char *channel; /* to chat on; NULL: one of the run's own */

	bool json;

	/* NAN: no such check. */
	double max_loss_percent;
	double max_p99_ms;
	double max_connect_ms;
	double max_gaps;
	double min_heard, min_seen;
};

/* Parses argv. flags are argp's: 0 for a program (errors and --help end it), ARGP_NO_EXIT |
 * ARGP_NO_ERRS for tests. 0 or -EINVAL. */
int load_options_parse(int argc, char **argv, unsigned flags, struct load_options *ret);

/* How many of the clients talk. */
unsigned load_options_talkers(const struct load_options *options);
