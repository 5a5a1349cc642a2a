/* A client of the avatar-mixer (protocol 04): sends what its avatar does at 50 Hz, and checks what
 * it is told of the others: nothing but what they sent, nobody who is gone, never itself. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "avatar/client-packets.h"
#include "base/qt-stream.h"
#include "load/client.h"
#include "load/skeleton.h"

#define SEND_EVERY_FRAMES 2
#define FULL_EVERY        50 /* packets; native clients send everything with 2 % of theirs */
#define QUERY_USEC        (3 * USEC_PER_SEC)
#define NAME_MAX_BYTES    32
#define URL_MAX_BYTES     64
/* Talking distance: these should move smoothly whatever the crowd. */
#define NEAR_M 3.0f
/* News of a departure may still be under way. */
#define GHOST_USEC (2 * USEC_PER_SEC)

#define CHANGED_SECTIONS                                                                          \
	(AVATAR_HAS_POSITION | AVATAR_HAS_ORIENTATION | AVATAR_HAS_LOUDNESS | AVATAR_HAS_JOINTS | \
	 AVATAR_HAS_DEFAULT_POSES)
#define FULL_SECTIONS \
	(CHANGED_SECTIONS | AVATAR_HAS_BOUNDING_BOX | AVATAR_HAS_SCALE | AVATAR_HAS_LOOK_AT)

static size_t display_name(unsigned client, char buf[static NAME_MAX_BYTES])
{
	return (size_t) snprintf(buf, NAME_MAX_BYTES, "Läufer %u", client);
}

static size_t model_url(unsigned client, char buf[static URL_MAX_BYTES])
{
	return (size_t) snprintf(buf, URL_MAX_BYTES, "https://load.invalid/avatar-%u.fst", client);
}

/* --- sending --- */

static void send_identity(struct client *c)
{
	char name[NAME_MAX_BYTES];
	uint8_t data[256];
	struct writer wr = writer_over(data, sizeof(data));

	(void) display_name(c->index, name);
	write_uuid(&wr, &c->session->id);
	write_u32be(&wr, 1); /* sequence */
	write_u32be(&wr, 0); /* attachments */
	write_qstring(&wr, name);
	write_qstring(&wr, NULL);
	write_u32be(&wr, 2); /* look-at snapping */
	(void) client_send_message(c, LOAD_MIXER_AVATAR, PACKET_AVATAR_IDENTITY, &wr);
}

static void write_trait(struct writer *wr, enum avatar_trait_type type, const void *value,
			size_t len)
{
	write_u8(wr, (uint8_t) type);
	write_u16le(wr, (uint16_t) len);
	write_bytes(wr, value, len);
}

static void send_traits(struct client *c)
{
	uint8_t data[16384], skeleton[8192];
	struct writer wr = writer_over(data, sizeof(data));
	struct writer value = writer_over(skeleton, sizeof(skeleton));
	char url[URL_MAX_BYTES];
	size_t len = model_url(c->index, url);

	skeleton_write(&value, c->scene->options->joints);
	write_u32le(&wr, 1); /* version */
	write_trait(&wr, AVATAR_TRAIT_SKELETON_URL, url, len);
	write_trait(&wr, AVATAR_TRAIT_SKELETON_DATA, skeleton, value.len);
	(void) client_send_message(c, LOAD_MIXER_AVATAR, PACKET_SET_AVATAR_TRAITS, &wr);
}

static void send_query(struct client *c, uint64_t now_usec)
{
	struct vec3 at = walker_position(&c->walker, now_usec);
	const struct vec3 direction = {.z = -1};
	uint8_t data[64];
	struct writer wr = writer_over(data, sizeof(data));

	c->avatar.next_query_usec = now_usec + QUERY_USEC;
	write_u8(&wr, 1);
	write_vec3(&wr, &at);
	write_vec3(&wr, &direction);
	write_u16le(&wr, packed_angle_encode(0.7018f));
	write_u16le(&wr, (uint16_t) packed_clip_encode(16384));
	write_f32le(&wr, 3);
	(void) client_send(c, LOAD_MIXER_AVATAR, PACKET_AVATAR_QUERY, &wr);
}

static void write_sections(struct client *c, struct writer *wr, uint16_t flags, uint64_t now_usec)
{
	static const struct vec3 half_size = {0.25f, 0.9f, 0.25f}, offset = {.y = 0.9f};
	struct vec3 position =
		session_mark(c->session, walker_position(&c->walker, now_usec), now_usec);
	struct quat orientation = walker_orientation(&c->walker, now_usec);
	bool is_full = flags == FULL_SECTIONS;
	uint8_t rotation[6];

	write_vec3(wr, &position);
	if (is_full) {
		write_vec3(wr, &half_size);
		write_vec3(wr, &offset);
	}
	packed_quat6_encode(&orientation, rotation);
	write_bytes(wr, rotation, sizeof(rotation));
	if (is_full) {
		write_u16le(wr, (uint16_t) packed_ratio_encode(1));
		write_vec3(wr, &position); /* looks at its feet */
	}
	write_u8(wr, packed_gain_encode(cast_talks(&c->scene->cast, c->index) ? 0.2f : 0));
	skeleton_write_pose(wr, c->scene->options->joints, is_full, c->index, now_usec);
}

static void send_data(struct client *c, uint64_t now_usec)
{
	uint16_t flags = c->avatar.n_sent++ % FULL_EVERY == 0 ? FULL_SECTIONS : CHANGED_SECTIONS;
	uint8_t data[PACKET_MAX];
	struct writer wr = writer_over(data, sizeof(data));

	write_u16le(&wr, ++c->avatar.sequence);
	write_u16le(&wr, flags);
	write_sections(c, &wr, flags, now_usec);
	(void) client_send(c, LOAD_MIXER_AVATAR, PACKET_AVATAR_DATA, &wr);
}

static void avatar_frame(struct client *c, uint64_t frame, uint64_t now_usec)
{
	if (now_usec >= c->avatar.next_query_usec)
		send_query(c, now_usec);
	if ((frame + c->index / 10) % SEND_EVERY_FRAMES == 0)
		send_data(c, now_usec);
	if (c->scene->is_measuring)
		c->scene->measures.traffic.pair_frames += c->scene->n_avatars - 1;
}

/* --- receiving --- */

/* What the client has of the avatar with this session id; NULL when it is nobody of ours, or a
 * fault. */
static struct sighting *sight(struct client *c, const struct uuid *id, uint64_t now_usec,
			      const struct session **ret)
{
	const struct session *session = sessions_find(&c->scene->sessions, id);
	struct sighting *s;

	if (!session) {
		c->scene->measures.traffic.others_records += c->scene->is_measuring;
		return NULL;
	}
	if (session->left_usec > 0) {
		if (now_usec > session->left_usec + GHOST_USEC)
			measures_fault(&c->scene->measures, FAULT_GHOST);
		return NULL;
	}
	s = &c->avatar.sightings[session->client];
	if (s->serial != session->serial) {
		s->serial = session->serial;
		s->update_usec = 0;
	}
	*ret = session;
	return s;
}

static bool is_own(const struct client *c, const struct uuid *id)
{
	return c->session && uuid_equal(&c->session->id, id);
}

static bool is_near(const struct client *c, const struct vec3 *position, uint64_t now_usec)
{
	struct vec3 at = walker_position(&c->walker, now_usec);

	return hypotf(position->x - at.x, position->z - at.z) < NEAR_M;
}

static void count_interval(const struct client *c, const struct vec3 *position, uint64_t interval,
			   uint64_t now_usec)
{
	struct traffic_measures *t = &c->scene->measures.traffic;

	histogram_add(&t->move_interval, interval);
	if (is_near(c, position, now_usec))
		histogram_add(&t->near_interval, interval);
}

static void take_position(struct client *c, const struct session *session, struct sighting *s,
			  struct span section, uint64_t now_usec)
{
	struct measures *m = &c->scene->measures;
	struct reader rd = reader_over(section.data, section.len);
	struct vec3 position = read_vec3(&rd);
	uint64_t sent = session_mark_find(session, &position);

	if (sent == 0) {
		measures_fault(m, FAULT_ALTERED_MOVE);
		return;
	}
	if (c->scene->is_measuring) {
		m->traffic.avatar_updates++;
		histogram_add(&m->traffic.move_latency, now_usec - sent);
		if (s->update_usec > 0)
			count_interval(c, &position, now_usec - s->update_usec, now_usec);
	}
	s->update_usec = now_usec;
	s->has_data = true;
}

static int on_bulk(struct client *c, const struct received *rx)
{
	struct reader rd = reader_over(rx->payload.data, rx->payload.len);
	const struct session *session;
	struct avatar_data data;
	struct sighting *s;
	struct uuid id;
	int r;

	while ((r = avatar_bulk_next(&rd, &id, &data)) > 0) {
		if (is_own(c, &id)) {
			measures_fault(&c->scene->measures, FAULT_OWN_AVATAR);
			continue;
		}
		s = sight(c, &id, rx->now_usec, &session);
		if (s && data.flags & AVATAR_HAS_POSITION)
			take_position(c, session, s, data.sections[AVATAR_SECTION_POSITION],
				      rx->now_usec);
	}
	return r;
}

static void take_identity(struct client *c, const struct avatar_identity_record *record,
			  uint64_t now_usec)
{
	const struct session *session;
	char name[NAME_MAX_BYTES];
	struct sighting *s;

	s = sight(c, &record->session, now_usec, &session);
	if (!s)
		return;
	(void) display_name(session->client, name);
	/* Session names begin with the display name; a suffix keeps them apart. */
	if (strcmp(record->display_name, name) != 0 ||
	    strncmp(record->session_name, name, strlen(name)) != 0)
		measures_fault(&c->scene->measures, FAULT_ALTERED_IDENTITY);
	s->has_identity = true;
}

static int on_identity(struct client *c, const struct received *rx)
{
	struct reader rd = reader_over(rx->payload.data, rx->payload.len);
	struct avatar_identity_record record;
	int r;

	while ((r = avatar_identity_next(&rd, &record)) > 0) {
		take_identity(c, &record, rx->now_usec);
		avatar_identity_record_done(&record);
	}
	return r;
}

static bool trait_is_as_sent(const struct client *c, const struct session *session,
			     const struct avatar_bulk_trait *t)
{
	char url[URL_MAX_BYTES];
	uint8_t skeleton[8192];
	struct writer wr = writer_over(skeleton, sizeof(skeleton));
	struct span sent;

	switch (t->trait.id.type) {
	case AVATAR_TRAIT_SKELETON_URL:
		sent = span_of(url, model_url(session->client, url));
		break;
	case AVATAR_TRAIT_SKELETON_DATA:
		skeleton_write(&wr, c->scene->options->joints);
		sent = span_of(skeleton, wr.len);
		break;
	default:
		return false;
	}
	return t->version >= 1 && sent.len == t->trait.value.len &&
	       memcmp(sent.data, t->trait.value.data, sent.len) == 0;
}

static void take_trait(struct client *c, const struct avatar_bulk_trait *trait, uint64_t now_usec)
{
	const struct session *session;
	struct sighting *s;

	if (is_own(c, &trait->session)) {
		measures_fault(&c->scene->measures, FAULT_OWN_AVATAR);
		return;
	}
	s = sight(c, &trait->session, now_usec, &session);
	if (!s)
		return;
	if (!trait_is_as_sent(c, session, trait))
		measures_fault(&c->scene->measures, FAULT_ALTERED_TRAITS);
	s->has_traits = true;
}

static int on_traits(struct client *c, const struct received *rx)
{
	struct reader rd = reader_over(rx->payload.data, rx->payload.len);
	struct avatar_bulk_trait trait = {0};
	int64_t message = avatar_bulk_traits_begin(&rd);
	uint8_t data[8];
	struct writer wr = writer_over(data, sizeof(data));
	int r;

	while ((r = avatar_bulk_trait_next(&rd, &trait)) > 0)
		take_trait(c, &trait, rx->now_usec);
	if (r < 0)
		return r;
	write_u64le(&wr, (uint64_t) message);
	(void) client_send_reliable(c, LOAD_MIXER_AVATAR, PACKET_BULK_AVATAR_TRAITS_ACK, &wr);
	return 0;
}

static int on_kill(struct client *c, const struct received *rx)
{
	const struct session *session;
	enum avatar_kill_reason reason;
	struct uuid id;
	int r;

	r = avatar_kill_decode(rx->payload, &id, &reason);
	if (r < 0)
		return r;
	session = sessions_find(&c->scene->sessions, &id);
	if (session && c->avatar.sightings[session->client].serial == session->serial)
		c->avatar.sightings[session->client].serial = 0;
	return 0;
}

/* The domain replaces models that it does not allow. */
static int on_override(struct client *c, const struct received *rx)
{
	return 0;
}

/* --- what it has seen --- */

unsigned client_avatar_seen(const struct client *c)
{
	unsigned n = 0;

	for (unsigned i = 0; i < c->scene->options->clients; i++) {
		const struct sighting *s = &c->avatar.sightings[i];

		n += i != c->index && s->has_data && s->has_identity && s->has_traits;
	}
	return n;
}

unsigned client_avatar_ghosts(const struct client *c, uint64_t from_usec, uint64_t to_usec)
{
	const struct session *session;
	unsigned n = 0;

	if (!c->mixers[LOAD_MIXER_AVATAR])
		return 0;
	list_for_each (session, &c->scene->sessions.all, list)
		if (session->left_usec > from_usec && session->left_usec <= to_usec)
			n += c->avatar.sightings[session->client].serial == session->serial;
	return n;
}

/* --- life --- */

static int avatar_init(struct client *c)
{
	c->avatar.sightings = calloc(c->scene->options->clients, sizeof(struct sighting));
	return c->avatar.sightings ? 0 : -ENOMEM;
}

static void avatar_start(struct client *c, uint64_t now_usec)
{
	for (unsigned i = 0; i < c->scene->options->clients; i++)
		c->avatar.sightings[i].serial = 0;
	c->avatar.sequence = 0;
	c->avatar.n_sent = 0;
	c->scene->n_avatars++;

	send_identity(c);
	send_traits(c);
	send_query(c, now_usec);
	send_data(c, now_usec);
}

static void avatar_stop(struct client *c)
{
	c->scene->n_avatars--;
}

static void avatar_done(struct client *c)
{
	free(c->avatar.sightings);
	c->avatar.sightings = NULL;
}

static const struct part_handler handlers[] = {
	{PACKET_BULK_AVATAR_DATA, on_bulk},      {PACKET_AVATAR_IDENTITY, on_identity},
	{PACKET_BULK_AVATAR_TRAITS, on_traits},  {PACKET_KILL_AVATAR, on_kill},
	{PACKET_SET_AVATAR_TRAITS, on_override},
};

const struct part avatar_part = {
	.mixer = LOAD_MIXER_AVATAR,
	.handlers = handlers,
	.n_handlers = ELEMENTSOF(handlers),
	.init = avatar_init,
	.done = avatar_done,
	.start = avatar_start,
	.stop = avatar_stop,
	.frame = avatar_frame,
};
