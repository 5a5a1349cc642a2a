/* hifictl: looks at and steers a running domain-server over its admin socket. See hifictl(1). */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/ports.h"
#include "ctl/admin-client.h"
#include "ctl/tables.h"
#include "node/domain-packets.h"

static const char *arg_socket;
static bool arg_json;
static bool arg_ban_ip;
static char **arg_words;
static int arg_n_words;

static const struct argp_option options[] = {
	{"socket", 's', "PATH", 0, "The domain-server's admin socket (/run/hifi/admin.sock)", 0},
	{"json", 'j', NULL, 0, "Print JSON instead of tables", 0},
	{"ip", 'i', NULL, 0, "kick: ban the address, too", 0},
	{0},
};

const char *argp_program_version = "hifictl " PACKAGE_VERSION;

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case 's':
		arg_socket = arg;
		break;
	case 'j':
		arg_json = true;
		break;
	case 'i':
		arg_ban_ip = true;
		break;
	case ARGP_KEY_ARGS:
		arg_words = state->argv + state->next;
		arg_n_words = state->argc - state->next;
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp argp = {
	.options = options,
	.parser = parse_option,
	.args_doc = "[COMMAND [ARGUMENT...]]",
	.doc = "Looks at and steers a running domain-server."
	       "\vCommands:\n"
	       "  status                  Who is here, and how the mixers fare (the default)\n"
	       "  nodes                   Every node, one a line\n"
	       "  ports                   Every port that is listened on\n"
	       "  panel                   Print a link that logs in to the control panel, once\n"
	       "  kick UUID|NAME          Throw somebody out and keep them out\n"
	       "  settings get [SETTING]  All settings, or one such as descriptors.world_name\n"
	       "  settings set SETTING VALUE\n"
	       "  loglevel [LEVEL]        Show or set: error, warning, notice, info, debug\n"
	       "  reload                  Read the configuration again\n"
	       "\nSee hifictl(1).",
};

/* --- asking --- */

static const char *socket_path(void)
{
	return arg_socket ? arg_socket : "/run/hifi/admin.sock";
}

/* Says why on stderr when it fails. */
static int call(const char *method, const char *target, json_t *body, json_t **ret)
{
	json_t *reply = NULL;
	int r = admin_call(socket_path(), method, target, body, &reply);

	json_decref(body);
	if (r >= 0) {
		*ret = reply;
		return 0;
	}
	if (r == -EREMOTEIO) {
		const char *error = json_string_value(json_object_get(reply, "error"));

		(void) fprintf(stderr, "hifictl: %s\n",
			       error ? error : "The domain-server refused.");
	} else if (r == -ENOENT || r == -ECONNREFUSED) {
		(void) fprintf(stderr,
			       "hifictl: no domain-server answers at %s. Is it running? "
			       "(systemctl status domain-server)\n",
			       socket_path());
	} else {
		(void) fprintf(stderr, "hifictl: %s: %s\n", socket_path(), strerror(-r));
	}
	json_decref(reply);
	return r;
}

static void print_json(const json_t *json)
{
	(void) json_dumpf(json, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
	(void) putchar('\n');
}

/* --- commands --- */

static int show(void (*print)(FILE *f, const json_t *status), const char *member)
{
	json_t *status;
	int r = call("GET", "/status.json", NULL, &status);

	if (r < 0)
		return r;
	if (arg_json)
		print_json(member ? json_object_get(status, member) : status);
	else
		print(stdout, member ? json_object_get(status, member) : status);
	json_decref(status);
	return 0;
}

static int command_status(char **words)
{
	return show(tables_print_status, NULL);
}

static int command_nodes(char **words)
{
	json_t *nodes;
	int r;

	if (!arg_json)
		return show(tables_print_nodes, NULL);
	r = call("GET", "/nodes.json", NULL, &nodes);
	if (r < 0)
		return r;
	print_json(nodes);
	json_decref(nodes);
	return 0;
}

/* The table is compiled in; a running domain-server may have moved it (--port-base). */
static int command_ports(char **words)
{
	json_t *status = NULL, *ports;
	int r = admin_call(socket_path(), "GET", "/status.json", NULL, &status);

	ports = r >= 0 ? json_incref(json_object_get(status, "ports")) : ports_json();
	if (arg_json)
		print_json(ports);
	else
		tables_print_ports(stdout, ports);
	json_decref(ports);
	json_decref(status);
	return 0;
}

/* The UUID of the one person with that UUID or name, in *ret. */
static int find_person(const json_t *people, const char *who, const char **ret)
{
	const char *found = NULL;
	unsigned n = 0;

	for (size_t i = 0; i < json_array_size(people); i++) {
		const json_t *person = json_array_get(people, i);
		const char *uuid = json_string_value(json_object_get(person, "uuid"));
		const char *name = json_string_value(json_object_get(person, "name"));

		if (uuid && strcmp(uuid, who) == 0) {
			*ret = uuid;
			return 0;
		}
		if (name && strcmp(name, who) == 0) {
			found = uuid;
			n++;
		}
	}
	if (n != 1) {
		(void) fprintf(
			stderr,
			n == 0 ? "hifictl: nobody here has the UUID or name '%s'\n"
			       : "hifictl: several people here call themselves '%s'; say which by "
				 "UUID (hifictl nodes)\n",
			who);
		return -ENOENT;
	}
	*ret = found;
	return 0;
}

static int command_kick(char **words)
{
	json_t *status, *reply;
	const char *uuid;
	int r = call("GET", "/status.json", NULL, &status);

	if (r < 0)
		return r;
	r = find_person(json_object_get(status, "people"), words[0], &uuid);
	if (r >= 0)
		r = call("POST", "/kick",
			 json_pack("{s:s, s:i}", "uuid", uuid, "flags",
				   BAN_USERNAME | BAN_FINGERPRINT | (arg_ban_ip ? BAN_IP : 0)),
			 &reply);
	json_decref(status);
	if (r < 0)
		return r;
	json_decref(reply);
	(void) puts(
		"Kicked and banned. Their entries are in security.machine_fingerprint_permissions "
		"and its neighbours.");
	return 0;
}

/* "group.name" or "name" in the tree of values; NULL when there is none. */
static json_t *find_setting(const json_t *values, const char *setting)
{
	const char *dot = strchr(setting, '.');
	char group[128];

	if (!dot || (size_t) (dot - setting) >= sizeof(group))
		return json_object_get(values, setting);
	memcpy(group, setting, (size_t) (dot - setting));
	group[dot - setting] = 0;
	return json_object_get(json_object_get(values, group), dot + 1);
}

static int settings_get(const char *setting)
{
	json_t *reply, *values, *value;
	int r = call("GET", "/settings.json", NULL, &reply);

	if (r < 0)
		return r;
	values = json_object_get(reply, "values");
	value = setting ? find_setting(values, setting) : values;
	if (!value)
		(void) fprintf(stderr, "hifictl: there is no setting '%s'\n", setting);
	else if (setting || arg_json)
		print_json(value);
	else
		tables_print_settings(stdout, values);
	r = value ? 0 : -ENOENT;
	json_decref(reply);
	return r;
}

static int settings_set(const char *setting, const char *text)
{
	json_t *reply;
	int r = call("PUT", "/setting", json_pack("{s:s, s:s}", "setting", setting, "text", text),
		     &reply);

	if (r < 0)
		return r;
	json_decref(reply);
	(void) puts("Stored.");
	return 0;
}

static int command_settings(char **words)
{
	if (strcmp(words[0], "get") == 0 && (!words[1] || !words[2]))
		return settings_get(words[1]);
	if (strcmp(words[0], "set") == 0 && words[1] && words[2])
		return settings_set(words[1], words[2]);
	(void) fputs("hifictl: settings get [SETTING], or settings set SETTING VALUE\n", stderr);
	return -EINVAL;
}

static int command_loglevel(char **words)
{
	json_t *reply;
	int r = words[0] ? call("PUT", "/loglevel", json_pack("{s:s}", "level", words[0]), &reply)
			 : call("GET", "/loglevel", NULL, &reply);

	if (r < 0)
		return r;
	if (!words[0])
		(void) puts(json_string_value(json_object_get(reply, "level")));
	json_decref(reply);
	return 0;
}

static int command_reload(char **words)
{
	json_t *reply;
	int r = call("POST", "/reload", NULL, &reply);

	if (r < 0)
		return r;
	json_decref(reply);
	(void) puts("Configuration read again.");
	return 0;
}

static int command_panel(char **words)
{
	json_t *reply;
	int r = call("POST", "/api/v1/link", NULL, &reply);

	if (r < 0)
		return r;
	if (arg_json) {
		print_json(reply);
	} else {
		(void) puts(json_string_value(json_object_get(reply, "url")));
		(void) fprintf(stderr,
			       "Open it with a browser of this machine within %d minutes; it works "
			       "once. From elsewhere: ssh -L 40100:localhost:40100 HOST\n",
			       (int) json_integer_value(json_object_get(reply, "expires_in_sec")) /
				       60);
	}
	json_decref(reply);
	return 0;
}

static const struct command {
	const char *name;
	int least, most;         /* words after the name */
	int (*fn)(char **words); /* NULL-terminated */
} commands[] = {
	{"status", 0, 0, command_status},     {"nodes", 0, 0, command_nodes},
	{"ports", 0, 0, command_ports},       {"kick", 1, 1, command_kick},
	{"settings", 1, 3, command_settings}, {"loglevel", 0, 1, command_loglevel},
	{"reload", 0, 0, command_reload},     {"panel", 0, 0, command_panel},
};

int main(int argc, char **argv)
{
	const char *name;

	(void) argp_parse(&argp, argc, argv, 0, NULL, NULL);
	if (arg_n_words == 0)
		return command_status(NULL) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
	name = arg_words[0];
	for (size_t i = 0; i < ELEMENTSOF(commands); i++) {
		const struct command *c = &commands[i];

		if (strcmp(c->name, name) != 0)
			continue;
		if (arg_n_words - 1 < c->least || arg_n_words - 1 > c->most) {
			(void) fprintf(stderr,
				       "hifictl: %s takes other arguments; see hifictl --help\n",
				       name);
			return EXIT_FAILURE;
		}
		return c->fn(arg_words + 1) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
	}
	(void) fprintf(stderr, "hifictl: there is no command '%s'; see hifictl --help\n", name);
	return EXIT_FAILURE;
}
