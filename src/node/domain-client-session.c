/* A session that outlives the process: what a successor has to know, and its taking over. */
#include <errno.h>

#include "base/clock.h"
#include "base/hats.h"
#include "base/log.h"
#include "node/domain-client-internal.h"
#include "node/session-records.h"

static void save_session(void *userdata, struct writer *wr)
{
	struct domain_client *dc = userdata;
	const struct shared_bytes *payload = dc->payload, *settings = dc->settings;
	const struct stored_client c = {
		.connect_uuid = dc->connect_uuid,
		.session = dc->session,
		.local_id = dc->local_id,
		.domain_local_id = dc->domain_local_id,
		.permissions = dc->permissions,
		.is_authenticated = dc->is_authenticated,
		.assignment_type = (uint8_t) dc->assignment_type,
		.domain = dc->domain,
		.port = endpoint_port(dc->ep),
		.payload = payload ? span_of(payload->data, payload->len) : span_of(NULL, 0),
		.settings = span_of(settings->data, settings->len),
	};

	stored_client_encode(wr, &c);
}

static void save_node(void *userdata, const struct node *node, struct writer *wr)
{
	struct domain_client *dc = userdata;

	dc->ops->save_node(dc->userdata, node, wr);
}

static int restore_node(void *userdata, struct node *node, struct reader *rd)
{
	struct domain_client *dc = userdata;

	dc->ops->node_added(dc->userdata, node);
	return dc->ops->restore_node(dc->userdata, node, rd);
}

const struct session_ops domain_client_session_ops = {
	.save_session = save_session,
	.save_node = save_node,
	.restore_node = restore_node,
};

/* Whether we are asked to be who the predecessor was. */
static bool is_ours(const struct domain_client *dc, const struct stored_client *c)
{
	unsigned wanted = dc->options.assignment_type;

	return (wanted == HAT_ANY || wanted == c->assignment_type) &&
	       c->port == endpoint_port(dc->ep) &&
	       hifi_addr_same_ip(&c->domain, &dc->options.domain);
}

static int take_over(struct domain_client *dc, const struct stored_client *c)
{
	int r;

	dc->interest = dc->ops->assigned(dc->userdata, c->assignment_type, c->payload);
	if (!dc->interest)
		return -EPERM;
	/* Not before there is something to end. */
	dc->state = DOMAIN_CLIENT_CONNECTING;
	dc->domain = c->domain;
	dc->domain_local_id = c->domain_local_id;
	dc->connect_uuid = c->connect_uuid;
	dc->session = c->session;
	dc->assignment_type = c->assignment_type;
	dc->node_type = hat_find(c->assignment_type)->node_type;
	dc->local_id = c->local_id;
	dc->is_authenticated = c->is_authenticated;
	dc->permissions = c->permissions;
	dc->payload = shared_bytes_new(c->payload.data, c->payload.len);
	endpoint_set_local_id(dc->ep, dc->local_id);
	endpoint_set_authenticated(dc->ep, dc->is_authenticated);
	endpoint_set_domain_server(dc->ep, &dc->domain, dc->domain_local_id);
	r = domain_client_apply_settings(dc, c->settings);
	if (r < 0)
		return r;

	dc->is_restored = true;
	domain_client_run_hat(dc);
	session_store_restore_nodes(dc->options.store, clock_now_usec());
	endpoint_restore_peers(dc->ep);
	return 0;
}

bool domain_client_restore(struct domain_client *dc)
{
	struct session_store *store = dc->options.store;
	struct stored_client c;
	struct span span;
	int r;

	if (!store || !session_store_find(store, &span))
		return false;
	r = stored_client_decode(span, &c);
	if (r >= 0 && !is_ours(dc, &c)) {
		log_notice("The predecessor's session was on another port, in another domain or "
			   "hat; starting "
			   "without it.");
		session_store_refuse(store);
		return false;
	}
	if (r >= 0)
		r = take_over(dc, &c);
	if (r < 0) {
		log_warning_errno(r, "The predecessor's session is not taken over: %m");
		session_store_refuse(store);
		domain_client_end(dc, "the session could not be taken over");
		return false;
	}
	return true;
}
