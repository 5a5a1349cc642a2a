#include "load/options.h"

#include <argp.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/ports.h"
#include "load/tones.h"

enum {
	OPT_SERVER_PORT = 256,
	OPT_PORT_BASE,
	OPT_ALLOW_REMOTE,
	OPT_DURATION,
	OPT_RAMP,
	OPT_CHURN,
	OPT_SEED,
	OPT_TALKERS,
	OPT_CODEC,
	OPT_TONE,
	OPT_MOVE,
	OPT_SPREAD,
	OPT_JOINTS,
	OPT_CHAT,
	OPT_CHANNEL,
	OPT_NO_AUDIO,
	OPT_NO_AVATAR,
	OPT_NO_MESSAGES,
	OPT_NO_ENTITIES,
	OPT_JSON,
	OPT_LOG_LEVEL,
	OPT_MAX_LOSS,
	OPT_MAX_P99_MS,
	OPT_MAX_CONNECT_MS,
	OPT_MAX_GAPS,
	OPT_MIN_HEARD,
	OPT_MIN_SEEN,
};

/* clang-format off */
static const struct argp_option argp_options[] = {
	{ NULL, 0, NULL, 0, "Which domain:", 1 },
	{ "address", 'a', "HOST", 0, "The domain-server's host (127.0.0.1)", 1 },
	{ "server-port", OPT_SERVER_PORT, "PORT", 0, "The domain-server's UDP port (40102)", 1 },
	{ "port-base", OPT_PORT_BASE, "N", 0, "The domain's ports are moved by N", 1 },
	{ "allow-remote", OPT_ALLOW_REMOTE, NULL, 0, "Allow a domain that is not on this machine", 1 },

	{ NULL, 0, NULL, 0, "How many, how long:", 2 },
	{ "clients", 'n', "CLIENTS", 0, "Simulated clients, 1 to 1000 (10)", 2 },
	{ "duration", OPT_DURATION, "SECONDS", 0, "Measure for so long once all have joined (30)", 2 },
	{ "ramp", OPT_RAMP, "RATE", 0, "Clients joining per second (20)", 2 },
	{ "churn", OPT_CHURN, "RATE", 0, "Clients leaving per second, to come back soon after (0)", 2 },
	{ "seed", OPT_SEED, "N", 0, "Seed of all that is random (1)", 2 },

	{ NULL, 0, NULL, 0, "What they do:", 3 },
	{ "talkers", OPT_TALKERS, "FRACTION", 0, "Share of the clients that talk, 0 to 1 (0.2)", 3 },
	{ "codec", OPT_CODEC, "CODEC", 0, "pcm, zlib, opus, or none to not negotiate (opus)", 3 },
	{ "tone", OPT_TONE, NULL, 0, "Each talker's voice is a tone of its own; check who hears whom", 3 },
	{ "move", OPT_MOVE, NULL, 0, "Avatars walk about", 3 },
	{ "spread", OPT_SPREAD, "METRES", 0, "Side of the square they stand in (20)", 3 },
	{ "joints", OPT_JOINTS, "N", 0, "Joints of each avatar, a third of them moving (60)", 3 },
	{ "chat", OPT_CHAT, "RATE", 0, "Chat messages per second and client (0.02)", 3 },
	{ "channel", OPT_CHANNEL, "NAME", 0, "Chat on this channel, with whoever else is there", 3 },
	{ "no-audio", OPT_NO_AUDIO, NULL, 0, "Leave the audio-mixer alone", 3 },
	{ "no-avatar", OPT_NO_AVATAR, NULL, 0, "Leave the avatar-mixer alone", 3 },
	{ "no-messages", OPT_NO_MESSAGES, NULL, 0, "Leave the messages-mixer alone", 3 },
	{ "no-entities", OPT_NO_ENTITIES, NULL, 0, "Leave the entity-server alone", 3 },

	{ NULL, 0, NULL, 0, "Checks, beside those that are always made:", 4 },
	{ "max-loss", OPT_MAX_LOSS, "PERCENT", 0, "Packets lost on the way from any mixer", 4 },
	{ "max-p99-ms", OPT_MAX_P99_MS, "MS", 0, "99th percentile of avatar and of chat latency", 4 },
	{ "max-connect-ms", OPT_MAX_CONNECT_MS, "MS", 0, "Slowest connection", 4 },
	{ "max-gaps", OPT_MAX_GAPS, "N", 0, "Audio gaps per listener and minute", 4 },
	{ "min-heard", OPT_MIN_HEARD, "FRACTION", 0, "Talkers heard by each listener on average (--tone)", 4 },
	{ "min-seen", OPT_MIN_SEEN, "FRACTION", 0, "Avatars seen by each client on average", 4 },

	{ NULL, 0, NULL, 0, "Output:", 5 },
	{ "json", OPT_JSON, NULL, 0, "Report as JSON", 5 },
	{ "log-level", OPT_LOG_LEVEL, "LEVEL", 0, "error, warning, notice, info or debug (info)", 5 },
	{ 0 },
};
/* clang-format on */

/* argp_error() does not return in a program; in tests it does, and 0 goes on to EINVAL. */
static bool parse_double(struct argp_state *state, const char *arg, double low, double high,
			 const char *what, double *ret)
{
	char *end;
	double value = strtod(arg, &end);

	if (end == arg || *end || !(value >= low && value <= high)) {
		argp_error(state, "%s must be a number from %g to %g, not '%s'", what, low, high,
			   arg);
		return false;
	}
	*ret = value;
	return true;
}

static bool parse_unsigned(struct argp_state *state, const char *arg, uint64_t low, uint64_t high,
			   const char *what, uint64_t *ret)
{
	unsigned long long value;
	char *end;

	errno = 0;
	value = strtoull(arg, &end, 10);
	if (errno || end == arg || *end || arg[0] == '-' || value < low || value > high) {
		argp_error(state, "%s must be a whole number from %llu to %llu, not '%s'", what,
			   (unsigned long long) low, (unsigned long long) high, arg);
		return false;
	}
	*ret = value;
	return true;
}

/* Options that are one number with a fraction. */
static const struct {
	int key;
	const char *what;
	double low, high;
	size_t offset;
} doubles[] = {
#define DOUBLE(key, what, low, high, member)                                \
	{                                                                   \
		key, what, low, high, offsetof(struct load_options, member) \
	}
	DOUBLE(OPT_DURATION, "--duration", 1, 1e6, duration_s),
	DOUBLE(OPT_RAMP, "--ramp", 0.1, 1000, ramp),
	DOUBLE(OPT_CHURN, "--churn", 0, 100, churn),
	DOUBLE(OPT_TALKERS, "--talkers", 0, 1, talkers),
	DOUBLE(OPT_SPREAD, "--spread", 0, 16000, spread_m),
	DOUBLE(OPT_CHAT, "--chat", 0, 50, chat),
	DOUBLE(OPT_MAX_LOSS, "--max-loss", 0, 100, max_loss_percent),
	DOUBLE(OPT_MAX_P99_MS, "--max-p99-ms", 0, 1e6, max_p99_ms),
	DOUBLE(OPT_MAX_CONNECT_MS, "--max-connect-ms", 0, 1e6, max_connect_ms),
	DOUBLE(OPT_MAX_GAPS, "--max-gaps", 0, 6000, max_gaps),
	DOUBLE(OPT_MIN_HEARD, "--min-heard", 0, 1, min_heard),
	DOUBLE(OPT_MIN_SEEN, "--min-seen", 0, 1, min_seen),
#undef DOUBLE
};

/* 0, EINVAL, or ARGP_ERR_UNKNOWN for another kind of option. */
static error_t parse_double_option(int key, char *arg, struct argp_state *state)
{
	struct load_options *o = state->input;

	for (size_t i = 0; i < ELEMENTSOF(doubles); i++)
		if (doubles[i].key == key)
			return parse_double(state, arg, doubles[i].low, doubles[i].high,
					    doubles[i].what,
					    (double *) ((char *) o + doubles[i].offset))
				       ? 0
				       : EINVAL;
	return ARGP_ERR_UNKNOWN;
}

static error_t parse_codec(struct argp_state *state, const char *arg)
{
	static const char *const names[] = {"opus", "zlib", "pcm"};
	struct load_options *o = state->input;

	o->codec = NULL;
	if (strcmp(arg, "none") == 0)
		return 0;
	for (size_t i = 0; i < ELEMENTSOF(names); i++)
		if (strcmp(arg, names[i]) == 0)
			o->codec = names[i];
	if (!o->codec) {
		argp_error(state, "--codec must be pcm, zlib, opus or none, not '%s'", arg);
		return EINVAL;
	}
	return 0;
}

static error_t parse_log_level(struct argp_state *state, const char *arg)
{
	int level = log_level_parse(arg);

	if (level < 0) {
		argp_error(state, "'%s' is not a log level", arg);
		return EINVAL;
	}
	log_set_max_level(level);
	return 0;
}

/* What only makes sense, or not, together. */
static error_t check_together(struct argp_state *state)
{
	const struct load_options *o = state->input;
	const char *problem = NULL;

	if (!o->audio && !o->avatar && !o->messages && !o->entities)
		problem = "with all four parts left out there is nothing to do";
	else if (o->tone && !o->audio)
		problem = "--tone needs audio";
	else if (o->tone && load_options_talkers(o) > TONES_MAX)
		problem =
			"--tone cannot tell so many talkers apart; use fewer clients or --talkers";
	else if (!isnan(o->min_heard) && !o->tone)
		problem = "--min-heard needs --tone";
	else if (!isnan(o->min_seen) && !o->avatar)
		problem = "--min-seen needs avatars";
	if (!problem)
		return 0;
	argp_error(state, "%s", problem);
	return EINVAL;
}

static error_t parse_number_option(int key, char *arg, struct argp_state *state)
{
	struct load_options *o = state->input;
	uint64_t n = 0;

	switch (key) {
	case 'n':
		if (!parse_unsigned(state, arg, 1, LOAD_CLIENTS_MAX, "--clients", &n))
			return EINVAL;
		o->clients = (unsigned) n;
		return 0;
	case OPT_SERVER_PORT:
		if (!parse_unsigned(state, arg, 1, UINT16_MAX, "--server-port", &n))
			return EINVAL;
		o->port = (uint16_t) n;
		return 0;
	case OPT_PORT_BASE:
		if (!parse_unsigned(state, arg, 0, UINT16_MAX, "--port-base", &n))
			return EINVAL;
		if (ports_shift((unsigned) n) < 0) {
			argp_error(state, "--port-base %s moves a port past 65535", arg);
			return EINVAL;
		}
		return 0;
	case OPT_SEED:
		return parse_unsigned(state, arg, 0, UINT64_MAX, "--seed", &o->seed) ? 0 : EINVAL;
	case OPT_JOINTS:
		if (!parse_unsigned(state, arg, 0, LOAD_JOINTS_MAX, "--joints", &n))
			return EINVAL;
		o->joints = (unsigned) n;
		return 0;
	default:
		return parse_double_option(key, arg, state);
	}
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct load_options *o = state->input;

	switch (key) {
	case 'a':
		o->host = arg;
		return 0;
	case OPT_ALLOW_REMOTE:
		o->allow_remote = true;
		return 0;
	case OPT_CODEC:
		return parse_codec(state, arg);
	case OPT_CHANNEL:
		if (strlen(arg) == 0 || strlen(arg) > LOAD_CHANNEL_MAX) {
			argp_error(state, "--channel must have 1 to %d bytes", LOAD_CHANNEL_MAX);
			return EINVAL;
		}
		o->channel = arg;
		return 0;
	case OPT_TONE:
		o->tone = true;
		return 0;
	case OPT_MOVE:
		o->move = true;
		return 0;
	case OPT_NO_AUDIO:
		o->audio = false;
		return 0;
	case OPT_NO_AVATAR:
		o->avatar = false;
		return 0;
	case OPT_NO_MESSAGES:
		o->messages = false;
		return 0;
	case OPT_NO_ENTITIES:
		o->entities = false;
		return 0;
	case OPT_JSON:
		o->json = true;
		return 0;
	case OPT_LOG_LEVEL:
		return parse_log_level(state, arg);
	case ARGP_KEY_ARG:
		argp_error(state, "unexpected argument '%s'", arg);
		return EINVAL;
	case ARGP_KEY_END:
		return check_together(state);
	default:
		return parse_number_option(key, arg, state);
	}
}

static const struct argp argp = {
	.options = argp_options,
	.parser = parse_option,
	.doc = "Simulates native clients of a domain over UDP: they connect, talk, move, chat, and "
	       "check what "
	       "comes back."
	       "\vEnds with 0 when all checks passed, 1 when one failed, 2 when the run could not "
	       "be made, 64 "
	       "for a wrong command line. See hifi-load(1).",
};

int load_options_parse(int argc, char **argv, unsigned flags, struct load_options *ret)
{
	struct load_options o = {
		.host = "127.0.0.1",
		.clients = 10,
		.duration_s = 30,
		.ramp = 20,
		.seed = 1,
		.audio = true,
		.avatar = true,
		.messages = true,
		.entities = true,
		.talkers = 0.2,
		.codec = "opus",
		.spread_m = 20,
		.joints = 60,
		.chat = 0.02,
		.max_loss_percent = NAN,
		.max_p99_ms = NAN,
		.max_connect_ms = NAN,
		.max_gaps = NAN,
		.min_heard = NAN,
		.min_seen = NAN,
	};
	error_t error;

	error = argp_parse(&argp, argc, argv, flags, NULL, &o);
	if (error != 0)
		return -EINVAL;
	if (o.port == 0)
		o.port = port_get(PORT_DOMAIN)->number;
	*ret = o;
	return 0;
}

unsigned load_options_talkers(const struct load_options *options)
{
	return (unsigned) lround(options->clients * options->talkers);
}
