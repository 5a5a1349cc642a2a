#include "domain-server/gatekeeper.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "node/permissions.h"

#define KEY_MAX     256 /* bytes of a row's key */
#define SUBNETS_MAX 256
#define ROW_KEY     "permissions_id"

enum table {
	TABLE_STANDARD,
	TABLE_USER,
	TABLE_MAC,
	TABLE_FINGERPRINT,
	TABLE_IP,
	TABLE_COUNT,
};

static const char *const TABLE_NAMES[] = {
	[TABLE_STANDARD] = "standard_permissions",
	[TABLE_USER] = "permissions",
	[TABLE_MAC] = "mac_permissions",
	[TABLE_FINGERPRINT] = "machine_fingerprint_permissions",
	[TABLE_IP] = "ip_permissions",
};
static_assert(ELEMENTSOF(TABLE_NAMES) == TABLE_COUNT, "a name for each table");

struct subnet {
	struct hifi_addr addr;
	unsigned bits; /* of the 128 */
};

struct gatekeeper {
	json_t *tables[TABLE_COUNT]; /* object: normalised key → permissions */
	unsigned capacity;           /* 0: no limit */
	char *redirect;
	struct hifi_addr *own;
	size_t n_own;
	struct subnet *subnets;
	size_t n_subnets;
};

/* --- keys --- */

/* The form in which a row's key is compared: one spelling per user, address or UUID. False when the
 * text cannot be one. */
static bool normalise(enum table table, const char *text, char ret[static KEY_MAX])
{
	struct in6_addr ip6;
	struct in_addr ip4;
	struct uuid id;
	size_t len = strlen(text);

	if (len == 0 || len >= KEY_MAX)
		return false;
	switch (table) {
	case TABLE_FINGERPRINT:
		return uuid_parse(text, &id) >= 0 && uuid_format(&id, ret);
	case TABLE_IP:
		if (inet_pton(AF_INET, text, &ip4) == 1)
			return inet_ntop(AF_INET, &ip4, ret, KEY_MAX);
		return inet_pton(AF_INET6, text, &ip6) == 1 &&
		       inet_ntop(AF_INET6, &ip6, ret, KEY_MAX);
	default:
		/* ASCII only, like the directory's user names. */
		for (size_t i = 0; i <= len; i++)
			ret[i] = text[i] >= 'A' && text[i] <= 'Z' ? (char) (text[i] - 'A' + 'a')
								  : text[i];
		return true;
	}
}

/* --- making the rules --- */

static json_t *table_new(const json_t *security, enum table table)
{
	json_t *rules = json_object(), *rows = json_object_get(security, TABLE_NAMES[table]), *row;
	char key[KEY_MAX];
	size_t i;

	json_array_foreach (rows, i, row) {
		const char *text = json_string_value(json_object_get(row, ROW_KEY));

		if (!rules || !text || !normalise(table, text, key))
			continue;
		if (json_object_set_new(rules, key, json_integer(permissions_from_json(row))) < 0) {
			json_decref(rules);
			return NULL;
		}
	}
	return rules;
}

static int standard_defaults(json_t *rules)
{
	static const struct {
		const char *row;
		uint32_t permissions;
	} defaults[] = {
		{"anonymous", PERMISSIONS_VISITOR},
		{"logged-in", PERMISSIONS_VISITOR},
		{"friends", PERMISSIONS_VISITOR},
		{"localhost", PERMISSIONS_LOCALHOST},
	};

	for (size_t i = 0; i < ELEMENTSOF(defaults); i++)
		if (!json_object_get(rules, defaults[i].row) &&
		    json_object_set_new(rules, defaults[i].row,
					json_integer(defaults[i].permissions)) < 0)
			return -ENOMEM;
	return 0;
}

/* Numbers of this group may be stored as text (protocol 09 section 4). */
static unsigned number_of(const json_t *value)
{
	long long n = json_is_string(value) ? strtoll(json_string_value(value), NULL, 10)
					    : (long long) json_number_value(value);

	return (unsigned) CLAMP(n, 0LL, 1000000LL);
}

static int subnet_parse(const char *text, struct subnet *ret)
{
	const char *slash = strchr(text, '/');
	char ip[KEY_MAX];
	struct in_addr ip4;
	struct in6_addr ip6;
	size_t len = slash ? (size_t) (slash - text) : strlen(text);
	unsigned long bits, most;
	char *end;

	if (len >= sizeof(ip))
		return -EINVAL;
	memcpy(ip, text, len);
	ip[len] = 0;

	*ret = (struct subnet){.addr.type = SOCKET_TYPE_UDP};
	if (inet_pton(AF_INET, ip, &ip4) == 1) {
		ret->addr = hifi_addr_from_ipv4(SOCKET_TYPE_UDP, ntohl(ip4.s_addr), 0);
		most = 32;
	} else if (inet_pton(AF_INET6, ip, &ip6) == 1) {
		memcpy(ret->addr.ip, &ip6, sizeof(ret->addr.ip));
		most = 128;
	} else
		return -EINVAL;

	bits = slash ? strtoul(slash + 1, &end, 10) : most;
	if (slash && (end == slash + 1 || *end || bits > most))
		return -EINVAL;
	ret->bits = (unsigned) (bits + 128 - most);
	return 0;
}

static int subnets_load(struct gatekeeper *g, const json_t *list)
{
	size_t n = MIN(json_array_size(list), (size_t) SUBNETS_MAX);

	if (n == 0)
		return 0;
	g->subnets = calloc(n, sizeof(*g->subnets));
	if (!g->subnets)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const char *text = json_string_value(json_array_get(list, i));

		if (text && subnet_parse(text, &g->subnets[g->n_subnets]) >= 0)
			g->n_subnets++;
	}
	return 0;
}

int gatekeeper_new(const json_t *security, const struct hifi_addr *own, size_t n_own,
		   struct gatekeeper **ret)
{
	_cleanup_(gatekeeper_freep) struct gatekeeper *g = calloc(1, sizeof(*g));
	const char *redirect;
	int r;

	if (!g)
		return -ENOMEM;
	for (enum table t = 0; t < TABLE_COUNT; t++) {
		g->tables[t] = table_new(security, t);
		if (!g->tables[t])
			return -ENOMEM;
	}
	r = standard_defaults(g->tables[TABLE_STANDARD]);
	if (r < 0)
		return r;

	g->capacity = number_of(json_object_get(security, "maximum_user_capacity"));
	redirect = json_string_value(
		json_object_get(security, "maximum_user_capacity_redirect_location"));
	g->redirect = strdup(redirect ? redirect : "");
	if (!g->redirect)
		return -ENOMEM;
	r = subnets_load(g, json_object_get(security, "ac_subnet_whitelist"));
	if (r < 0)
		return r;

	if (n_own > 0) {
		g->own = calloc(n_own, sizeof(*own));
		if (!g->own)
			return -ENOMEM;
		memcpy(g->own, own, n_own * sizeof(*own));
		g->n_own = n_own;
	}

	*ret = TAKE_PTR(g);
	return 0;
}

struct gatekeeper *gatekeeper_free(struct gatekeeper *g)
{
	if (!g)
		return NULL;
	for (enum table t = 0; t < TABLE_COUNT; t++)
		json_decref(g->tables[t]);
	free(g->redirect);
	free(g->own);
	free(g->subnets);
	free(g);
	return NULL;
}

/* --- deciding --- */

static bool row_find(const struct gatekeeper *g, enum table table, const char *text,
		     uint32_t *permissions)
{
	char key[KEY_MAX];
	const json_t *row;

	if (!text || !normalise(table, text, key))
		return false;
	row = json_object_get(g->tables[table], key);
	if (!row)
		return false;
	*permissions = (uint32_t) json_integer_value(row);
	return true;
}

static uint32_t standard_row(const struct gatekeeper *g, const char *name)
{
	uint32_t permissions = 0;

	(void) row_find(g, TABLE_STANDARD, name, &permissions);
	return permissions;
}

/* The first of MAC, fingerprint and IP that has a row. */
static bool machine_row_find(const struct gatekeeper *g, const struct gatekeeper_subject *s,
			     uint32_t *permissions)
{
	char ip[HIFI_ADDR_TEXT_MAX], id[UUID_TEXT_LEN + 1];

	return row_find(g, TABLE_MAC, s->hardware_address, permissions) ||
	       (!uuid_is_null(&s->machine_fingerprint) &&
		row_find(g, TABLE_FINGERPRINT, uuid_format(&s->machine_fingerprint, id),
			 permissions)) ||
	       (hifi_addr_is_set(&s->transport) &&
		row_find(g, TABLE_IP, hifi_addr_format_ip(&s->transport, ip), permissions));
}

bool gatekeeper_is_local(const struct gatekeeper *g, const struct hifi_addr *transport)
{
	if (!hifi_addr_is_set(transport))
		return false;
	if (hifi_addr_is_loopback(transport))
		return true;
	for (size_t i = 0; i < g->n_own; i++)
		if (hifi_addr_same_ip(&g->own[i], transport))
			return true;
	return false;
}

uint32_t gatekeeper_permissions(const struct gatekeeper *g, const struct gatekeeper_subject *s)
{
	bool is_known = s->username && s->username[0];
	uint32_t permissions = 0, replacement;

	if (gatekeeper_is_local(g, &s->transport))
		permissions |= standard_row(g, "localhost");
	if (!is_known)
		permissions |= standard_row(g, "anonymous");
	if (is_known && row_find(g, TABLE_USER, s->username, &replacement))
		return replacement;
	if (machine_row_find(g, s, &replacement))
		return replacement;
	if (is_known)
		permissions |= standard_row(g, "logged-in");
	if (is_known && s->is_friend)
		permissions |= standard_row(g, "friends");
	return permissions;
}

int gatekeeper_admit(const struct gatekeeper *g, const struct gatekeeper_subject *s,
		     unsigned n_agents, struct gatekeeper_verdict *ret)
{
	struct gatekeeper_verdict v = {.permissions = gatekeeper_permissions(g, s)};
	int r = 0;

	if (!permissions_has(v.permissions, PERMISSION_CONNECT)) {
		v.reason = DENIED_NOT_AUTHORIZED_METAVERSE;
		v.message = "You lack the required permissions to connect to this domain.";
		v.extra = "";
		r = -EPERM;
	} else if (g->capacity > 0 && n_agents >= g->capacity &&
		   !permissions_has(v.permissions, PERMISSION_CONNECT_PAST_CAPACITY)) {
		v.reason = DENIED_TOO_MANY_USERS;
		v.message = "Too many connected users.";
		v.extra = g->redirect;
		r = -EPERM;
	}
	*ret = v;
	return r;
}

static bool subnet_has(const struct subnet *subnet, const struct hifi_addr *a)
{
	unsigned whole = subnet->bits / 8, rest = subnet->bits % 8;

	if (memcmp(subnet->addr.ip, a->ip, whole) != 0)
		return false;
	return rest == 0 || (subnet->addr.ip[whole] ^ a->ip[whole]) >> (8 - rest) == 0;
}

bool gatekeeper_allows_assignment(const struct gatekeeper *g, const struct hifi_addr *transport)
{
	if (hifi_addr_is_loopback(transport))
		return true;
	for (size_t i = 0; i < g->n_subnets; i++)
		if (subnet_has(&g->subnets[i], transport))
			return true;
	return false;
}

/* --- bans --- */

static json_t *row_find_json(json_t *rows, enum table table, const char *key)
{
	char other[KEY_MAX];
	json_t *row;
	size_t i;

	json_array_foreach (rows, i, row) {
		const char *text = json_string_value(json_object_get(row, ROW_KEY));

		if (text && normalise(table, text, other) && strcmp(key, other) == 0)
			return row;
	}
	return NULL;
}

static int row_new(json_t *rows, const char *key)
{
	json_t *row = json_object();

	if (!row || json_object_set_new(row, ROW_KEY, json_string(key)) < 0 ||
	    permissions_to_json(0, row) < 0) {
		json_decref(row);
		return -ENOMEM;
	}
	return json_array_append_new(rows, row) < 0 ? -ENOMEM : 1;
}

static int row_ban(json_t *security, enum table table, const char *text)
{
	json_t *rows = json_object_get(security, TABLE_NAMES[table]), *row;
	char key[KEY_MAX];

	if (!normalise(table, text, key))
		return 0;
	if (!json_is_array(rows)) {
		rows = json_array();
		if (json_object_set_new(security, TABLE_NAMES[table], rows) < 0)
			return -ENOMEM;
	}
	row = row_find_json(rows, table, key);
	if (!row)
		return row_new(rows, key);
	if (!permissions_has(permissions_from_json(row), PERMISSION_CONNECT))
		return 0;
	return json_object_set_new(row, "id_can_connect", json_false()) < 0 ? -ENOMEM : 1;
}

int gatekeeper_ban(json_t *security, const struct gatekeeper_ban *ban)
{
	char ip[HIFI_ADDR_TEXT_MAX], id[UUID_TEXT_LEN + 1];
	int r, changed = 0;

	if (ban->username) {
		r = row_ban(security, TABLE_USER, ban->username);
		if (r < 0)
			return r;
		changed |= r;
	}
	if (ban->machine_fingerprint) {
		r = row_ban(security, TABLE_FINGERPRINT, uuid_format(ban->machine_fingerprint, id));
		if (r < 0)
			return r;
		changed |= r;
	}
	if (ban->transport) {
		r = row_ban(security, TABLE_IP, hifi_addr_format_ip(ban->transport, ip));
		if (r < 0)
			return r;
		changed |= r;
	}
	return changed;
}
