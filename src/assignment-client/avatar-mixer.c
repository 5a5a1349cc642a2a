/* avatar-mixer: brings everybody's avatar to everybody else (protocol 04). Who is told what is the
 * engine's business (avatar/crowd.h); here it meets nodes, packets and settings. */
#include "assignment-client/avatar-mixer.h"

#include <errno.h>

#include "assignment-client/hats.h"
#include "assignment-client/settings.h"
#include "base/clock.h"
#include "base/log.h"
#include "node/permissions.h"

#define OVERRIDE_SIZE_MAX 1440

#define BANDWIDTH_DEFAULT_MBPS    5.0
#define BANDWIDTH_MIN_MBPS        0.01
#define BANDWIDTH_MAX_MBPS        10000.0
#define BYTES_PER_SECOND_PER_MBPS 125000.0
#define URL_MAX                   (OVERRIDE_SIZE_MAX - 7)

/* --- sending --- */

static int send_message(void *peer, enum packet_type type, struct span message)
{
	struct avatar_client *client = peer;
	_cleanup_(shared_bytes_unrefp) struct shared_bytes *payload =
		shared_bytes_new(message.data, message.len);

	if (!payload)
		return -ENOMEM;
	return endpoint_send_node_message(client->mixer->context.endpoint, client->node, type,
					  payload);
}

static void send_data(void *peer, struct span payload)
{
	struct avatar_client *client = peer;

	(void) endpoint_send_node(client->mixer->context.endpoint, client->node,
				  PACKET_BULK_AVATAR_DATA, payload);
}

static int send_identities(void *peer, struct span message)
{
	return send_message(peer, PACKET_AVATAR_IDENTITY, message);
}

static int send_traits(void *peer, struct span message)
{
	return send_message(peer, PACKET_BULK_AVATAR_TRAITS, message);
}

static void kill_at(struct avatar_mixer *m, struct node *node, const struct uuid *session,
		    enum avatar_kill_reason reason)
{
	uint8_t kill[AVATAR_KILL_SIZE];

	avatar_kill_encode(session, reason, kill);
	(void) endpoint_send_node_reliable(m->context.endpoint, node, PACKET_KILL_AVATAR,
					   span_of(kill, sizeof(kill)));
}

static void send_kill(void *peer, const struct uuid *session, enum avatar_kill_reason reason)
{
	struct avatar_client *client = peer;

	kill_at(client->mixer, client->node, session, reason);
}

static const struct crowd_ops crowd_ops = {
	.send_data = send_data,
	.send_identities = send_identities,
	.send_traits = send_traits,
	.send_kill = send_kill,
};

/* Everybody is told that the avatar is gone, except (may be NULL) the one that is going. */
static void announce_departure(struct avatar_mixer *m, const struct uuid *session,
			       const struct node *except)
{
	node_list_for_each (m->context.nodes, node)
		if (node != except && node->data && node_is_active(node))
			kill_at(m, node, session, AVATAR_KILL_DISCONNECTED);
}

/* --- packets --- */

static int on_avatar_data(struct avatar_client *client, const struct received *rx)
{
	return crowd_receive_data(client->mixer->crowd, client->member, rx->payload);
}

static int on_identity(struct avatar_client *client, const struct received *rx)
{
	_cleanup_(avatar_identity_packet_done) struct avatar_identity_packet packet = {0};
	struct crowd *crowd = client->mixer->crowd;
	int r;

	r = avatar_identity_decode(rx->payload.data, rx->payload.len, &packet);
	if (r < 0)
		return r;
	return avatar_identity_apply(&client->member->identity, crowd_names(crowd), &packet,
				     crowd_tick(crowd));
}

static int on_traits(struct avatar_client *client, const struct received *rx)
{
	struct avatar_mixer *m = client->mixer;
	struct avatar_traits *traits = &client->member->traits;
	const struct avatar_trait_rules rules = {
		.may_have_entities = client->may_have_entities,
		.whitelist = m->whitelist,
		.replacement = m->replacement,
	};
	uint8_t override[OVERRIDE_SIZE_MAX];
	struct writer wr = writer_over(override, sizeof(override));
	bool replaced;
	int r;

	r = avatar_traits_apply(traits, rx->payload.data, rx->payload.len, &rules,
				crowd_tick(m->crowd), &replaced);
	if (replaced) {
		avatar_trait_override_write(&wr, traits->in_version,
					    span_of(m->replacement, strlen(m->replacement)));
		(void) endpoint_send_node_reliable(m->context.endpoint, client->node,
						   PACKET_SET_AVATAR_TRAITS,
						   span_of(override, wr.len));
	}
	return r;
}

static int on_traits_ack(struct avatar_client *client, const struct received *rx)
{
	int64_t message;
	int r;

	r = avatar_traits_ack_decode(rx->payload.data, rx->payload.len, &message);
	if (r < 0)
		return r;
	if (message <= 0 || message > client->member->traits_message)
		return -EPROTO;
	crowd_acknowledge_traits(client->mixer->crowd, client->member, message);
	return 0;
}

static int on_query(struct avatar_client *client, const struct received *rx)
{
	return avatar_query_decode(rx->payload.data, rx->payload.len, &client->member->query);
}

/* For everybody, so only from who may rule (protocol 04 section 9.4). */
static int on_sorting(struct avatar_client *client, const struct received *rx)
{
	struct avatar_sorting sorting;
	int r;

	r = avatar_sorting_decode(rx->payload.data, rx->payload.len, &sorting);
	if (r < 0)
		return r;
	if (!node_may(client->node, PERMISSION_KICK))
		return -EPERM;
	crowd_set_sorting(client->mixer->crowd, &sorting);
	return 0;
}

static int on_requests_domain_list_data(struct avatar_client *client, const struct received *rx)
{
	bool on;
	int r;

	r = avatar_flag_decode(rx->payload.data, rx->payload.len, &on);
	if (r < 0)
		return r;
	crowd_set_pal(client->mixer->crowd, client->member, on);
	return 0;
}

static int on_radius_ignore(struct avatar_client *client, const struct received *rx)
{
	return avatar_flag_decode(rx->payload.data, rx->payload.len, &client->member->bubble);
}

static int on_node_ignore(struct avatar_client *client, const struct received *rx)
{
	struct avatar_ignore_request request;
	int r;

	r = avatar_ignore_decode(rx->payload.data, rx->payload.len, &request);
	if (r < 0)
		return r;
	for (unsigned i = 0; i < request.n && r >= 0; i++) {
		struct uuid session = avatar_ignore_get(&request, i);

		r = crowd_ignore(client->mixer->crowd, client->member, &session, request.add);
	}
	return r;
}

/* What the packet says does not matter: its sender is no avatar any more, but may become one again.
 */
static int on_kill_avatar(struct avatar_client *client, const struct received *rx)
{
	announce_departure(client->mixer, &client->node->uuid, NULL);
	crowd_depart(client->mixer->crowd, client->member);
	return 0;
}

static const struct handler {
	enum packet_type type;
	const char *name; /* in the statistics; NULL: counted as avatar data */
	bool of_sources;  /* only from who has an avatar */
	bool is_kept;     /* a successor has to know what it says */
	int (*fn)(struct avatar_client *client, const struct received *rx);
} handlers[] = {
	{PACKET_AVATAR_DATA, NULL, true, false, on_avatar_data},
	{PACKET_SET_AVATAR_TRAITS, NULL, true, true, on_traits},
	{PACKET_BULK_AVATAR_TRAITS_ACK, NULL, false, false, on_traits_ack},
	{PACKET_AVATAR_IDENTITY, "handleAvatarIdentityPacket", true, true, on_identity},
	{PACKET_KILL_AVATAR, "handleKillAvatarPacket", true, true, on_kill_avatar},
	{PACKET_NODE_IGNORE_REQUEST, "handleNodeIgnoreRequestPacket", false, true, on_node_ignore},
	{PACKET_RADIUS_IGNORE_REQUEST, "handleRadiusIgnoreRequestPacket", false, true,
	 on_radius_ignore},
	{PACKET_REQUESTS_DOMAIN_LIST_DATA, "handleRequestsDomainListDataPacket", false, true,
	 on_requests_domain_list_data},
	{PACKET_AVATAR_QUERY, "handleAvatarQueryPacket", false, false, on_query},
	{PACKET_ADJUST_AVATAR_SORTING, "handleAdjustAvatarSorting", false, false, on_sorting},
};
static_assert(ELEMENTSOF(handlers) <= AVATAR_HANDLERS_MAX, "counted by index");

const char *avatar_mixer_handler_name(unsigned i)
{
	return i < ELEMENTSOF(handlers) ? handlers[i].name : NULL;
}

static int on_packet(void *userdata, const struct received *rx)
{
	struct avatar_client *client = rx->node ? rx->node->data : NULL;
	struct avatar_mixer *m = userdata;
	uint64_t start = clock_now_usec();
	unsigned i = 0;
	int r;

	while (handlers[i].type != rx->type)
		i++;
	if (!client || (handlers[i].of_sources && !client->member->is_source))
		return -EPERM;

	if (!client->member->present || handlers[i].is_kept)
		hat_touch(&m->context, client->node);
	client->member->present = true;
	r = handlers[i].fn(client, rx);
	m->counts.handler_usec[i] += clock_now_usec() - start;
	return r;
}

/* --- frames --- */

/* What does not arrive is not followed by more. */
static unsigned budget_of(struct avatar_mixer *m, struct avatar_client *client)
{
	size_t backlog = endpoint_queued_bytes(m->context.endpoint, client->node) +
			 endpoint_channel_backlog(m->context.endpoint, client->node);

	return backpressure_budget(&client->pressure,
				   throttle_budget(&m->throttle, m->budget_bytes), backlog);
}

static void prepare_clients(struct avatar_mixer *m)
{
	struct crowd_member *member;

	crowd_for_each(member, m->crowd)
	{
		struct avatar_client *client = member->peer;
		bool may_have_entities = node_may(client->node, PERMISSION_REZ_AVATAR_ENTITIES);

		member->can_listen = node_is_active(client->node);
		member->can_kick = node_may(client->node, PERMISSION_KICK);
		member->budget_bytes = budget_of(m, client);
		if (client->may_have_entities && !may_have_entities)
			avatar_traits_drop_entities(&member->traits, crowd_tick(m->crowd));
		client->may_have_entities = may_have_entities;
	}
}

static void on_frame(void *userdata)
{
	struct avatar_mixer *m = userdata;
	uint64_t start = clock_now_usec(), took;

	prepare_clients(m);
	m->counts.served += crowd_frame(m->crowd);
	endpoint_flush(m->context.endpoint);

	took = clock_now_usec() - start;
	m->counts.frames++;
	m->counts.frame_usec += took;
	recent_times_add(&m->frame_times, took);
	throttle_update(&m->throttle, (double) took / AVATAR_FRAME_USEC);
}

/* --- nodes --- */

static void on_node_added(void *hat, struct node *node)
{
	struct avatar_mixer *m = hat;
	struct avatar_client *client;
	int r = 0;

	if (node->type != NODE_TYPE_AGENT && node->type != hat_find(HAT_ENTITY_SCRIPT)->node_type)
		return;
	client = calloc(1, sizeof(*client));
	if (!client)
		return; /* its packets are refused until it comes again */
	client->mixer = m;
	client->node = node;
	client->may_have_entities = node_may(node, PERMISSION_REZ_AVATAR_ENTITIES);
	if (m->n_clients == 0)
		r = event_timer_new(m->context.event, clock_now_usec(), AVATAR_FRAME_USEC, 0,
				    on_frame, m, "avatar frames", &m->timer);
	if (r >= 0 && m->n_clients == 0)
		r = event_timer_feed_watchdog(m->timer);
	if (r >= 0)
		r = crowd_join(m->crowd, &node->uuid, client, node->type == NODE_TYPE_AGENT,
			       &client->member);
	if (r < 0) {
		log_warning_errno(r, "Node %s will see no avatars and have none: %m",
				  UUID_TEXT(&node->uuid));
		if (m->n_clients == 0)
			m->timer = event_timer_free(m->timer);
		free(client);
		return;
	}
	m->n_clients++;
	node->data = client;
}

/* The client just learned of us, be it anew: it remembers nobody. */
static void on_node_activated(void *hat, struct node *node)
{
	struct avatar_mixer *m = hat;
	struct avatar_client *client = node->data;

	if (client)
		crowd_forget_told(m->crowd, client->member);
}

static void on_node_killed(void *hat, struct node *node)
{
	struct avatar_mixer *m = hat;
	struct avatar_client *client = node->data;

	if (!client)
		return;
	if (client->member->is_source)
		announce_departure(m, &node->uuid, node);
	crowd_leave(m->crowd, client->member);
	free(client);
	node->data = NULL;
	if (--m->n_clients == 0)
		m->timer = event_timer_free(m->timer);
}

/* --- for a successor --- */

static void save_node(void *hat, const struct node *node, struct writer *wr)
{
	struct avatar_client *client = node->data;

	if (client)
		crowd_member_save(client->member, wr);
}

static int restore_node(void *hat, struct node *node, struct reader *rd)
{
	struct avatar_mixer *m = hat;
	struct avatar_client *client = node->data;

	return client ? crowd_member_restore(m->crowd, client->member, rd) : 0;
}

/* --- life --- */

static void avatar_mixer_stop(void *hat)
{
	struct avatar_mixer *m = hat;

	for (size_t i = 0; i < ELEMENTSOF(handlers); i++)
		endpoint_handle(m->context.endpoint, handlers[i].type, NULL, NULL);
	event_timer_free(m->timer);
	crowd_free(m->crowd);
	model_whitelist_free(m->whitelist);
	free(m->replacement);
	free(m);
}

/* Later versions of upstream look for these keys in the mixer's own group, where nothing is
 * (protocol 04 section 13); settings written for them are honoured. */
static const char *avatars_string(const json_t *settings, const char *key)
{
	return settings_string(settings, "avatars", key,
			       settings_string(settings, "avatar_mixer", key, ""));
}

static int read_settings(struct avatar_mixer *m, const json_t *settings)
{
	const char *replacement = avatars_string(settings, "replacement_avatar");
	double mbps = settings_double(settings, "avatar_mixer", "max_node_send_bandwidth",
				      BANDWIDTH_DEFAULT_MBPS);

	m->budget_bytes = (unsigned) (CLAMP(mbps, BANDWIDTH_MIN_MBPS, BANDWIDTH_MAX_MBPS) *
				      BYTES_PER_SECOND_PER_MBPS / AVATAR_TICKS_PER_SECOND);

	if (strlen(replacement) > URL_MAX) {
		log_warning(
			"Setting avatars.replacement_avatar is longer than %u bytes; the default "
			"avatar is used instead.",
			URL_MAX);
		replacement = "";
	}
	m->replacement = strdup(replacement);
	if (!m->replacement)
		return -ENOMEM;
	return model_whitelist_parse(avatars_string(settings, "avatar_whitelist"), &m->whitelist);
}

static int avatar_mixer_start(const struct hat_context *context, const json_t *settings, void **ret)
{
	struct avatar_mixer *m = calloc(1, sizeof(*m));
	int r;

	if (!m)
		return -ENOMEM;
	m->context = *context;
	m->reported_usec = clock_now_usec();
	m->threads = settings_threads(settings, "avatar_mixer");
	r = crowd_new(&crowd_ops, m->threads, &m->crowd);
	if (r >= 0)
		r = read_settings(m, settings);
	if (r < 0) {
		avatar_mixer_stop(m);
		return r;
	}

	for (size_t i = 0; i < ELEMENTSOF(handlers); i++)
		endpoint_handle(context->endpoint, handlers[i].type, on_packet, m);
	*ret = m;
	return 0;
}

const struct hat_ops avatar_mixer_ops = {
	.hat = HAT_AVATAR,
	.interest = "IS",
	.start = avatar_mixer_start,
	.stop = avatar_mixer_stop,
	.node_added = on_node_added,
	.node_activated = on_node_activated,
	.node_killed = on_node_killed,
	.save_node = save_node,
	.restore_node = restore_node,
	.stats = avatar_mixer_stats,
	.status = avatar_mixer_status,
};
