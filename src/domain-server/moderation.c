/* Throwing people out, and saying who they are: protocol 02 section 8. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "domain-server/server-internal.h"

/* What the flags of a kick come to for this target; false when they would lock this machine out. */
static bool find_ban(struct server *s, const struct resident *target, int flags,
		     const struct hifi_addr *transport, struct gatekeeper_ban *ret)
{
	bool has_flags = flags >= 0, is_local = gatekeeper_is_local(s->gatekeeper, transport);
	struct gatekeeper_ban ban = {0};

	if (target->username && (!has_flags || flags & BAN_USERNAME))
		ban.username = target->username;
	if ((has_flags && flags & BAN_FINGERPRINT) || !target->username ||
	    config_get_bool(s->config, "security.multi_kick_logged_in"))
		ban.machine_fingerprint = &target->machine_fingerprint;
	if (has_flags && flags & BAN_IP) {
		if (is_local)
			return false;
		ban.transport = transport;
	}
	/* A browser's fingerprint is a random number that it can throw away (02 section 8). */
	if (node_is_web(target->node) && hifi_addr_is_set(transport) && !is_local)
		ban.transport = transport;
	if (ban.machine_fingerprint && uuid_is_null(ban.machine_fingerprint))
		ban.machine_fingerprint = NULL;
	*ret = ban;
	return true;
}

static int add_ban(struct server *s, struct config *config, const void *userdata,
		   struct config_report *report)
{
	static const char *const tables[] = {
		"permissions",
		"machine_fingerprint_permissions",
		"ip_permissions",
	};
	json_t *security = json_deep_copy(json_object_get(config_json(config), "security"));
	int r;

	if (!security)
		security = json_object();
	r = security ? gatekeeper_ban(security, userdata) : -ENOMEM;
	for (size_t i = 0; i < ELEMENTSOF(tables) && r >= 0; i++) {
		const json_t *rows = json_object_get(security, tables[i]);
		char setting[64];

		(void) snprintf(setting, sizeof(setting), "security.%s", tables[i]);
		if (rows)
			r = config_set(config, setting, rows, report);
	}
	json_decref(security);
	return r;
}

static int store_ban(struct server *s, const struct gatekeeper_ban *ban)
{
	struct config_report report = {0};
	int r = settings_change(s, add_ban, ban, &report);

	config_report_log(&report);
	config_report_done(&report);
	return r;
}

int moderation_kick(struct server *s, struct resident *target, int flags)
{
	struct hifi_addr transport = endpoint_transport_addr(s->ep, &target->node->active);
	struct gatekeeper_ban ban;
	struct uuid id = target->node->uuid;
	struct node *node;
	int r;

	if (target->assignment || !find_ban(s, target, flags, &transport, &ban))
		return -EPERM;
	log_notice("Kicking %s", RESIDENT_TEXT(target));
	r = store_ban(s, &ban);
	/* Applying the settings removes whom they keep out; one who left no trace to ban goes, too.
	 */
	node = node_list_find(s->nodes, &id);
	if (node)
		resident_kill(resident_of(node), "kicked");
	return MIN(r, 0);
}

static int on_kick_request(void *userdata, const struct received *rx)
{
	struct server *s = userdata;
	struct domain_kick_request kick;
	struct node *target;
	int r;

	r = domain_kick_request_decode(rx->payload, &kick);
	if (r < 0)
		return r;
	target = node_list_find(s->nodes, &kick.node);
	if (!node_may(rx->node, PERMISSION_KICK) || !target || target == rx->node)
		return -EPERM;
	r = moderation_kick(s, resident_of(target), kick.has_flags ? (int) (kick.flags & 7) : -1);
	if (r < 0 && r != -EPERM)
		(void) log_error_errno(r, "Cannot store the ban of a kicked client: %m");
	return r;
}

static int on_username_request(void *userdata, const struct received *rx)
{
	struct server *s = userdata;
	uint8_t data[PACKET_MAX];
	struct writer wr = writer_over(data, sizeof(data));
	struct domain_username_reply reply = {0};
	const struct resident *about;
	struct node *node;
	int r;

	r = domain_uuid_decode(rx->payload, &reply.node);
	if (r < 0)
		return r;
	node = node_list_find(s->nodes, &reply.node);
	if (!node)
		return -ENOENT;

	about = resident_of(node);
	reply.is_admin = node_may(node, PERMISSION_KICK);
	if (node == rx->node || node_may(rx->node, PERMISSION_KICK)) {
		const char *name = about->username ? about->username : "";

		reply.username = span_of(name, strlen(name));
		reply.machine_fingerprint = about->machine_fingerprint;
	}
	domain_username_reply_encode(&wr, &reply);
	r = (int) writer_finish(&wr);
	return r < 0 ? r
		     : endpoint_send_node(s->ep, rx->node, PACKET_USERNAME_FROM_ID_REPLY,
					  span_of(data, wr.len));
}

void moderation_register(struct server *s)
{
	endpoint_handle(s->ep, PACKET_NODE_KICK_REQUEST, on_kick_request, s);
	endpoint_handle(s->ep, PACKET_USERNAME_FROM_ID_REQUEST, on_username_request, s);
}
