/* hifi-firewall: restricts the ports of a domain to whom they are meant for. See
 * hifi-firewall(8). */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/config.h"
#include "base/log.h"
#include "base/ports.h"
#include "firewall/advice.h"
#include "firewall/foreign.h"
#include "firewall/nftables.h"
#include "firewall/plan.h"
#include "firewall/profiles.h"
#include "firewall/ruleset.h"
#include "firewall/status.h"

/* No option moves it: whoever may start this program cannot make it read something else. */
#define CONFIG_FILE HIFI_SYSCONFDIR "/domain.json"

enum command {
	COMMAND_NONE = -1,
	COMMAND_START,
	COMMAND_STOP,
	COMMAND_STATUS,
	COMMAND_CHECK,
};

static const char *const command_names[] = {"start", "stop", "status", "check"};

enum print {
	PRINT_NONE = -1,
	PRINT_JSON,
	PRINT_NFT,
	PRINT_FIREWALLD,
	PRINT_UFW,
};

static const char *const print_names[] = {"json", "nft", "firewalld", "ufw"};

static enum command arg_command = COMMAND_NONE;
static enum print arg_print = PRINT_NONE;
static struct hat_set arg_hats;
static bool arg_has_hats;
static unsigned arg_port_base;
static bool arg_json;

enum {
	OPT_HATS = 256,
	OPT_PRINT,
	OPT_PORT_BASE,
	OPT_JSON,
	OPT_LOG_LEVEL,
};

static const struct argp_option options[] = {
	{"hats", OPT_HATS, "LIST", 0,
	 "The hats that run, separated by commas or spaces; \"default\": the default set", 0},
	{"json", OPT_JSON, NULL, 0, "status and check: JSON instead of text", 0},
	{"port-base", OPT_PORT_BASE, "N", 0,
	 "Move every port by N; such a domain has a table hifi-N", 0},
	{"print", OPT_PRINT, "FORMAT", 0,
	 "Change nothing; print what start would load (json), or the ports that everyone may reach "
	 "as rules (nft), service (firewalld) or application (ufw)",
	 1},
	{"log-level", OPT_LOG_LEVEL, "LEVEL", 0, "error, warning, notice, info or debug (info)", 2},
	{0},
};

static int index_of(const char *const *names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(names[i], name) == 0)
			return (int) i;
	return -1;
}

static void add_hats(struct argp_state *state, const char *list)
{
	_cleanup_free_ char *unknown = NULL;

	if (hat_set_add(&arg_hats, list, &unknown) < 0)
		argp_error(state, "'%s' is not a hat", unknown ? unknown : list);
	arg_has_hats = true;
}

static void set_port_base(struct argp_state *state, const char *arg)
{
	char *end;
	unsigned long n;

	errno = 0;
	n = strtoul(arg, &end, 10);
	if (errno || end == arg || *end || *arg == '-' || n > UINT16_MAX ||
	    ports_shift((unsigned) n) < 0)
		argp_error(state, "--port-base %s is not a number, or moves a port past 65535",
			   arg);
	arg_port_base = (unsigned) n;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	int level;

	switch (key) {
	case OPT_HATS:
		add_hats(state, arg);
		break;
	case OPT_PRINT:
		arg_print = (enum print) index_of(print_names, ELEMENTSOF(print_names), arg);
		if (arg_print == PRINT_NONE)
			argp_error(state, "--print takes json, nft, firewalld or ufw, not '%s'",
				   arg);
		break;
	case OPT_PORT_BASE:
		set_port_base(state, arg);
		break;
	case OPT_JSON:
		arg_json = true;
		break;
	case OPT_LOG_LEVEL:
		level = log_level_parse(arg);
		if (level < 0)
			argp_error(state, "'%s' is not a log level", arg);
		log_set_max_level(level);
		break;
	case ARGP_KEY_ARG:
		if (arg_command != COMMAND_NONE) {
			add_hats(state, arg);
			break;
		}
		arg_command =
			(enum command) index_of(command_names, ELEMENTSOF(command_names), arg);
		if (arg_command == COMMAND_NONE)
			argp_error(state, "'%s' is not a command", arg);
		break;
	case ARGP_KEY_END:
		if ((arg_command == COMMAND_NONE) == (arg_print == PRINT_NONE))
			argp_error(state, "start, stop, status, check or --print?");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp argp = {
	.options = options,
	.parser = parse_option,
	.args_doc = "start [HAT...]\nstop\nstatus\ncheck [HAT...]\n--print=FORMAT [HAT...]",
	.doc = "Restricts the ports of a domain to whom they are meant for."
	       "\vThe configuration is " CONFIG_FILE ". See hifi-firewall(8).",
};

const char *argp_program_version = "hifi-firewall " PACKAGE_VERSION;

/* --- what to work with --- */

static int load_config(struct plan *plan, const struct schema *schema)
{
	_cleanup_(config_freep) struct config *config = NULL;
	_cleanup_free_ char *error = NULL;
	struct config_report report = {0};
	int r;

	r = config_load(schema, CONFIG_FILE, &config, &report);
	config_report_log(&report);
	config_report_done(&report);
	if (r < 0)
		return r;
	r = plan_configure(plan, config, &error);
	if (r < 0)
		log_error("%s: %s.", CONFIG_FILE, error ? error : strerror(-r));
	return r;
}

/* The plan of the configuration. When that is of no use: the plan without one, and -errno. */
static int load_plan(struct plan *plan, const struct hat_set *hats)
{
	_cleanup_(schema_freep) struct schema *schema = NULL;
	_cleanup_free_ char *error = NULL;
	int r;

	plan_init(plan, hats, arg_port_base);
	r = schema_load(NULL, &schema, &error);
	if (r < 0)
		log_error("Cannot read the description of the settings: %s",
			  error ? error : strerror(-r));
	else
		r = load_config(plan, schema);
	if (r < 0)
		plan_init(plan, hats, arg_port_base);
	return r;
}

static int open_nftables(struct nftables **ret)
{
	int r = nftables_new(ret);

	if (r == -EPERM)
		log_error("Packet filters need CAP_NET_ADMIN: run this as root, or start "
			  "hifi-firewall.service.");
	else if (r == -EPROTONOSUPPORT)
		log_error(
			"This kernel has no nftables (CONFIG_NF_TABLES, or the module nf_tables): "
			"ports can be neither restricted nor counted.");
	else if (r < 0)
		(void) log_error_errno(r, "Cannot reach the kernel's packet filter: %m");
	return r;
}

static int complain(int r, const char *what, const char *error)
{
	log_error("%s: %s", what, error ? error : strerror(-r));
	return r;
}

static int list_ours(struct nftables *nft, json_t **ret)
{
	_cleanup_free_ char *error = NULL;
	int r = nftables_list_table(nft, RULESET_FAMILY, RULESET_TABLE(arg_port_base), ret, &error);

	return r < 0 ? complain(r, "Cannot list the table", error) : 0;
}

/* Takes commands. */
static int apply(struct nftables *nft, json_t *commands)
{
	_cleanup_free_ char *error = NULL;
	int r;

	if (!commands)
		return log_oom();
	r = nftables_run(nft, commands, &error);
	json_decref(commands);
	return r < 0 ? complain(r, "Cannot change the table; it is as it was", error) : 0;
}

/* --- commands --- */

/* What drops all the same, by a listing of the other tables in *ret_listing, which the result
 * borrows from. */
static int find_blockers(struct nftables *nft, const struct plan *plan,
			 struct blocker blockers[static FOREIGN_BLOCKERS_MAX], json_t **ret_listing)
{
	_cleanup_free_ char *error = NULL;
	int r = nftables_list_others(nft, ret_listing, &error);

	return r < 0 ? complain(r, "Cannot list the other tables", error)
		     : foreign_find_blockers(*ret_listing, plan, blockers);
}

static void warn_of_blockers(struct nftables *nft, const struct plan *plan)
{
	struct blocker blockers[FOREIGN_BLOCKERS_MAX];
	json_t *listing = NULL;
	int n = find_blockers(nft, plan, blockers, &listing);

	for (int i = 0; i < n; i++) {
		_cleanup_free_ char *problem = advice_problem(&blockers[i], plan);
		_cleanup_free_ char *commands = advice_commands(&blockers[i], plan);

		if (problem && commands)
			log_warning("%s To let it in:\n%s", problem, commands);
	}
	json_decref(listing);
}

static int stop(void)
{
	_cleanup_(nftables_freep) struct nftables *nft = NULL;
	int r = open_nftables(&nft);

	return r < 0 ? r : apply(nft, ruleset_stop(arg_port_base));
}

/* EX_CONFIG when the configuration is of no use. Rules that are loaded then stay; where there are
 * none, those of the defaults keep the panel to this host. */
static int start(void)
{
	_cleanup_(nftables_freep) struct nftables *nft = NULL;
	struct plan plan;
	json_t *loaded = NULL;
	int config_error = load_plan(&plan, &arg_hats), r;

	r = open_nftables(&nft);
	if (r < 0)
		return r;
	r = list_ours(nft, &loaded);
	if (r < 0)
		return r;
	if (config_error < 0 && loaded) {
		json_decref(loaded);
		log_error("The rules that are loaded stay as they are.");
		return EX_CONFIG;
	}
	if (config_error < 0)
		log_error("Loading the rules that hold without a configuration.");
	r = apply(nft, plan.enabled ? ruleset_start(&plan, loaded) : ruleset_stop(arg_port_base));
	json_decref(loaded);
	if (r < 0)
		return r;
	if (plan.enabled)
		warn_of_blockers(nft, &plan);
	else
		log_notice("firewall.enabled is false: no rules are loaded.");
	return config_error < 0 ? EX_CONFIG : 0;
}

static int print_json(json_t *json, size_t flags)
{
	int r = json ? json_dumpf(json, stdout, flags) : -1;

	json_decref(json);
	(void) putchar('\n');
	return r < 0 ? log_oom() : 0;
}

static int status(void)
{
	_cleanup_(nftables_freep) struct nftables *nft = NULL;
	json_t *listing = NULL, *ports;
	bool loaded;
	int r;

	r = open_nftables(&nft);
	if (r < 0)
		return r;
	r = list_ours(nft, &listing);
	if (r < 0)
		return r;
	loaded = listing != NULL;
	ports = status_json(listing);
	json_decref(listing);
	if (arg_json)
		return print_json(json_pack("{s:s, s:b, s:o}", "table",
					    RULESET_TABLE(arg_port_base), "loaded", loaded, "ports",
					    ports),
				  JSON_INDENT(2));
	if (loaded)
		status_print(ports, stdout);
	else
		(void) puts("No rules are loaded.");
	json_decref(ports);
	return 0;
}

static int print_blockers(const struct blocker *blockers, int n, const struct plan *plan)
{
	if (arg_json)
		return print_json(advice_json(blockers, (size_t) n, plan), JSON_INDENT(2));
	for (int i = 0; i < n; i++) {
		_cleanup_free_ char *problem = advice_problem(&blockers[i], plan);
		_cleanup_free_ char *commands = advice_commands(&blockers[i], plan);

		if (!problem || !commands)
			return log_oom();
		(void) printf("%s To let it in:\n%s", problem, commands);
	}
	if (n == 0)
		(void) puts("No other table drops what comes to the domain.");
	return 0;
}

/* 1 when something is in the way. */
static int check(void)
{
	_cleanup_(nftables_freep) struct nftables *nft = NULL;
	struct blocker blockers[FOREIGN_BLOCKERS_MAX];
	json_t *ours = NULL, *listing = NULL;
	struct plan plan;
	int r, n;

	r = open_nftables(&nft);
	if (r < 0)
		return r;
	r = list_ours(nft, &ours);
	if (r < 0)
		return r;
	if (ours && !arg_has_hats)
		status_hats(ours, &arg_hats);
	json_decref(ours);
	(void) load_plan(&plan, &arg_hats);
	n = find_blockers(nft, &plan, blockers, &listing);
	r = n < 0 ? n : print_blockers(blockers, n, &plan);
	json_decref(listing);
	return r < 0 ? r : n > 0;
}

/* The service and the application are the same for every configuration. */
static int print(void)
{
	struct plan plan;
	int r;

	if (arg_print == PRINT_FIREWALLD || arg_print == PRINT_UFW) {
		struct hat_set all;

		memset(&all, true, sizeof(all));
		plan_init(&plan, &all, arg_port_base);
		if (arg_print == PRINT_UFW)
			profile_print_ufw(&plan, stdout);
		else
			profile_print_firewalld(&plan, stdout);
		return 0;
	}
	r = load_plan(&plan, &arg_hats);
	if (r < 0)
		return EX_CONFIG;
	if (arg_print == PRINT_JSON)
		return print_json(ruleset_start(&plan, NULL), JSON_INDENT(2));
	profile_print_nft(&plan, stdout);
	return 0;
}

static int run(void)
{
	switch (arg_command) {
	case COMMAND_START:
		return start();
	case COMMAND_STOP:
		return stop();
	case COMMAND_STATUS:
		return status();
	case COMMAND_CHECK:
		return check();
	default:
		return print();
	}
}

int main(int argc, char **argv)
{
	char *unknown = NULL;
	int r;

	(void) argp_parse(&argp, argc, argv, 0, NULL, NULL);
	log_init("hifi-firewall", NULL);
	if (!arg_has_hats && hat_set_add(&arg_hats, "default", &unknown) < 0)
		return EXIT_FAILURE;
	r = run();
	return r < 0 ? EXIT_FAILURE : r;
}
