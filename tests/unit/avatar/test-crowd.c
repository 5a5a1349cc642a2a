/* Who is told what of whom: protocol 04 sections 6, 8.3, 9, 12.2, 12.5 and the hard rules of 15.2.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <stdio.h>

#include "avatar/client-packets.h"
#include "avatar/crowd.h"
#include "vectors.h"

#define PEERS 40

/* What one member was sent since it was cleared. */
struct peer {
	struct crowd_member *member;
	uint16_t sequence;
	unsigned n_datagrams, n_records;
	size_t len;
	uint8_t data[65536]; /* all datagrams */
	unsigned n_identities, n_traits;
	struct writer identities, traits; /* the last messages */
	unsigned n_kills;
	struct uuid killed;
	enum avatar_kill_reason reason;
	int result; /* of messages */
};

struct fixture {
	struct crowd *crowd;
	unsigned n;
	struct peer peers[PEERS];
};

/* --- operations --- */

static void count_records(struct peer *p, struct span payload)
{
	struct reader rd = reader_over(payload.data, payload.len);
	struct avatar_data data;
	struct uuid session;
	int r;

	assert_in_range(payload.len, 18, AVATAR_DATAGRAM_MAX);
	/* Whole records, and nothing behind the last. */
	while ((r = avatar_bulk_next(&rd, &session, &data)) > 0) {
		/* 15.2 rule 1 */
		assert_false(uuid_equal(&session, &p->member->session));
		p->n_records++;
	}
	assert_int_equal(r, 0);
}

static void send_data(void *peer, struct span payload)
{
	struct peer *p = peer;

	count_records(p, payload);
	assert_true(p->len + payload.len <= sizeof(p->data));
	memcpy(p->data + p->len, payload.data, payload.len);
	p->len += payload.len;
	p->n_datagrams++;
}

static int keep(struct peer *p, struct writer *wr, unsigned *count, struct span message)
{
	if (p->result < 0)
		return p->result;
	writer_done(wr);
	*wr = writer_growing(1 << 20);
	write_bytes(wr, message.data, message.len);
	++*count;
	return 0;
}

static int send_identities(void *peer, struct span message)
{
	struct peer *p = peer;

	return keep(p, &p->identities, &p->n_identities, message);
}

static int send_traits(void *peer, struct span message)
{
	struct peer *p = peer;

	return keep(p, &p->traits, &p->n_traits, message);
}

static void send_kill(void *peer, const struct uuid *session, enum avatar_kill_reason reason)
{
	struct peer *p = peer;

	p->n_kills++;
	p->killed = *session;
	p->reason = reason;
}

static const struct crowd_ops ops = {
	.send_data = send_data,
	.send_identities = send_identities,
	.send_traits = send_traits,
	.send_kill = send_kill,
};

/* --- fixture --- */

static int setup_threads(void **state, unsigned threads)
{
	struct fixture *f = calloc(1, sizeof(*f));

	*state = f;
	return crowd_new(&ops, threads, &f->crowd);
}

static int setup(void **state)
{
	return setup_threads(state, 1);
}

static void clear(struct fixture *f)
{
	for (unsigned i = 0; i < f->n; i++) {
		struct peer *p = &f->peers[i];

		p->n_datagrams = p->n_records = p->n_identities = p->n_traits = p->n_kills = 0;
		p->len = 0;
	}
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	crowd_free(f->crowd);
	for (unsigned i = 0; i < f->n; i++) {
		writer_done(&f->peers[i].identities);
		writer_done(&f->peers[i].traits);
	}
	free(f);
	return 0;
}

static struct uuid session_of(unsigned i)
{
	return (struct uuid){{0xaa, [15] = (uint8_t) (i + 1)}};
}

static struct peer *join_as(struct fixture *f, bool is_source)
{
	struct uuid session = session_of(f->n);
	struct peer *p = &f->peers[f->n++];

	assert_int_equal(crowd_join(f->crowd, &session, p, is_source, &p->member), 0);
	p->member->can_listen = true;
	return p;
}

static struct peer *join(struct fixture *f)
{
	return join_as(f, true);
}

static void say(struct fixture *f, struct peer *p, const char *sections)
{
	size_t len;
	_cleanup_free_ char *hex = NULL;
	_cleanup_free_ uint8_t *bytes = NULL;

	p->member->present = true;
	p->sequence++;
	assert_true(asprintf(&hex, "%02x%02x%s", p->sequence & 0xff, p->sequence >> 8, sections) >
		    0);
	bytes = hex_bytes(hex, &len);
	assert_int_equal(crowd_receive_data(f->crowd, p->member, span_of(bytes, len)), 0);
}

#define HERE  "0100 00000000 00000000 00000000"
#define THERE "0100 00002041 00000000 00000000" /* ten metres away */

static void name(struct fixture *f, struct peer *p, uint32_t sequence, const char *text)
{
	struct avatar_identity_packet packet = {.sequence = sequence, .display_name = strdup(text)};

	assert_true(avatar_identity_apply(&p->member->identity, crowd_names(f->crowd), &packet,
					  crowd_tick(f->crowd)) == 0);
	avatar_identity_packet_done(&packet);
}

static void dress(struct fixture *f, struct peer *p, const char *hex)
{
	static const struct avatar_trait_rules rules = {.may_have_entities = true,
							.replacement = ""};
	size_t len;
	_cleanup_free_ uint8_t *bytes = hex_bytes(hex, &len);
	bool replaced;

	assert_int_equal(avatar_traits_apply(&p->member->traits, bytes, len, &rules,
					     crowd_tick(f->crowd), &replaced),
			 0);
}

/* A frame of which only what is sent in it counts. */
static void frame(struct fixture *f)
{
	clear(f);
	(void) crowd_frame(f->crowd);
}

static void assert_hears(const struct peer *p, const struct peer *of, const char *sections)
{
	size_t len;
	_cleanup_free_ uint8_t *expected = hex_bytes(sections, &len);

	assert_int_equal(p->n_records, 1);
	assert_int_equal(p->len, 16 + len);
	assert_memory_equal(p->data, &of->member->session, 16);
	assert_memory_equal(p->data + 16, expected, len);
}

static void assert_hears_nothing(const struct peer *p)
{
	assert_int_equal(p->n_datagrams + p->n_identities + p->n_traits + p->n_kills, 0);
}

static void assert_killed(const struct peer *p, const struct peer *whom,
			  enum avatar_kill_reason reason)
{
	assert_int_equal(p->n_kills, 1);
	assert_memory_equal(&p->killed, &whom->member->session, 16);
	assert_int_equal(p->reason, reason);
}

/* --- data --- */

static void test_each_update_once_to_everybody_else(void **state)
{
	struct fixture *f = *state;
	struct peer *a = join(f), *b = join(f), *silent = join(f);

	b->member->present = true;
	say(f, a, "2d30" A1_SECTIONS);
	frame(f);
	assert_hears(b, a, "2d30" A1_SECTIONS);
	assert_hears_nothing(a);
	/* 11: nothing for who never spoke */
	assert_hears_nothing(silent);

	frame(f);
	assert_hears_nothing(b);
	assert_int_equal(b->member->counts.starved, 1);

	/* only what changed */
	say(f, a, "2100 0000803f 00000040 000060c0 55");
	frame(f);
	assert_hears(b, a, "2130 0000803f 00000040 000060c0 55 03 00 00 6f12833a 03 02 06");
}

static void test_two_packets_in_a_frame_are_one_update(void **state)
{
	struct fixture *f = *state;
	struct peer *a = join(f), *b = join(f);

	b->member->present = true;
	say(f, a, HERE);
	say(f, a, THERE);
	frame(f);
	assert_hears(b, a, THERE);
}

static void test_newcomer_gets_everything(void **state)
{
	struct fixture *f = *state;
	struct peer *a = join(f), *late;

	say(f, a, "2d30" A1_SECTIONS);
	frame(f);
	frame(f);
	late = join(f);
	late->member->present = true;
	frame(f);
	assert_hears(late, a, "2d30" A1_SECTIONS);

	/* and once more when its link was broken */
	crowd_forget_told(f->crowd, late->member);
	frame(f);
	assert_hears(late, a, "2d30" A1_SECTIONS);
}

/* A listener that is not reachable for a while misses nothing. */
static void test_absent_listener_catches_up(void **state)
{
	struct fixture *f = *state;
	struct peer *a = join(f), *b = join(f);

	b->member->present = true;
	say(f, a, "0100 00000000 00000000 00000000");
	frame(f);
	b->member->can_listen = false;
	say(f, a, "2100 00000000 00000000 00000000 11");
	frame(f);
	assert_hears_nothing(b);
	say(f, a, "0900 00000000 00000000 00000000 cc0c");
	b->member->can_listen = true;
	frame(f);
	assert_hears(b, a, "2900 00000000 00000000 00000000 cc0c 11");
}

/* What was lost comes again within AVATAR_KEY_TICKS. */
static void test_key_frames(void **state)
{
	struct fixture *f = *state;
	struct peer *a = join(f), *b = join(f);
	unsigned full = 0;

	b->member->present = true;
	say(f, a, "2d30" A1_SECTIONS);
	frame(f);
	for (unsigned i = 0; i < 2 * AVATAR_KEY_TICKS; i++) {
		say(f, a, THERE);
		frame(f);
		full += b->len > 60;
	}
	assert_int_equal(full, 2);
}

static void test_datagrams(void **state)
{
	struct fixture *f = *state;
	char sections[4096] = "0110 00000000 00000000 00000000 50 ffffffffffffffffffff";

	for (unsigned i = 0; i < 80; i++)
		strcat(sections, "bfffbfff3fff");
	strcat(sections, "00000000000000000000 0000803f");
	for (unsigned i = 0; i < PEERS; i++) {
		struct peer *p = join(f);

		p->member->budget_bytes = 100000;
		say(f, p, sections);
	}
	frame(f);
	for (unsigned i = 0; i < PEERS; i++) {
		assert_int_equal(f->peers[i].n_records, PEERS - 1);
		/* 556 bytes each: two in a datagram */
		assert_int_equal(f->peers[i].n_datagrams, 20);
		assert_int_equal(f->peers[i].member->counts.last_frame_records, PEERS - 1);
	}
}

static void test_packets_per_frame(void **state)
{
	struct fixture *f = *state;
	struct peer *a = join(f);
	static const uint8_t next[] = {0xff, 0, 0, 0};

	for (unsigned i = 0; i < CROWD_PACKETS_PER_FRAME_MAX; i++)
		say(f, a, HERE);
	assert_int_equal(crowd_receive_data(f->crowd, a->member, span_of(next, sizeof(next))),
			 -ENOBUFS);
	frame(f);
	assert_int_equal(crowd_receive_data(f->crowd, a->member, span_of(next, sizeof(next))), 0);
	assert_int_equal(crowd_receive_data(f->crowd, a->member, span_of(next, sizeof(next))),
			 -ESTALE);
	assert_int_equal(a->member->counts.out_of_order, 1);
	assert_int_equal(crowd_receive_data(f->crowd, a->member, span_of(next, 3)), -EBADMSG);
}

/* --- identities --- */

static void test_identity_once_per_change(void **state)
{
	struct fixture *f = *state;
	struct peer *a = join(f), *b = join(f), *script = join_as(f, false);
	uint8_t expected[256];
	struct writer wr = writer_over(expected, sizeof(expected));

	b->member->present = script->member->present = true;
	a->member->present = true;
	name(f, a, 1, "Ann");
	frame(f);
	assert_int_equal(b->n_identities, 0); /* no avatar yet */
	assert_int_equal(a->n_identities, 1); /* but a name, which it has to learn */
	avatar_identity_write(&wr, &a->member->session, &a->member->identity);
	assert_int_equal(a->identities.len, wr.len);
	assert_memory_equal(a->identities.data, expected, wr.len);
	say(f, a, HERE);
	frame(f);
	assert_int_equal(b->n_identities, 1);
	assert_int_equal(b->identities.len, wr.len);
	assert_memory_equal(b->identities.data, expected, wr.len);
	/* its own client had it one frame before */
	assert_int_equal(a->n_identities, 0);
	/* 5.3: not for entity script servers, which do get the data */
	assert_int_equal(script->n_identities, 0);
	assert_int_equal(script->n_records, 1);

	say(f, a, HERE);
	frame(f);
	assert_int_equal(b->n_identities, 0);
	name(f, a, 2, "Anne");
	frame(f);
	assert_int_equal(b->n_identities, 1);
	assert_int_equal(a->n_identities, 1);
}

/* Who changes names all the time does not fill the lines of others; the last name arrives. */
static void test_identity_flood(void **state)
{
	struct fixture *f = *state;
	struct peer *a = join(f), *b = join(f);
	unsigned told = 0, seconds = 10;
	uint32_t sequence = 0;
	uint8_t expected[256];
	struct writer wr = writer_over(expected, sizeof(expected));

	b->member->present = true;
	for (unsigned i = 0; i < seconds * AVATAR_TICKS_PER_SECOND; i++) {
		name(f, a, ++sequence, i % 2 ? "Ann" : "Bob");
		say(f, a, HERE);
		frame(f);
		told += b->n_identities;
	}
	assert_in_range(told, seconds, seconds + 6);

	name(f, a, ++sequence, "Zoë");
	for (unsigned i = 0; i < 2 * AVATAR_TICKS_PER_SECOND; i++)
		frame(f);
	avatar_identity_write(&wr, &a->member->session, &a->member->identity);
	assert_int_equal(b->identities.len, wr.len);
	assert_memory_equal(b->identities.data, expected, wr.len);
}

static void test_identity_that_was_not_sent_comes_again(void **state)
{
	struct fixture *f = *state;
	struct peer *a = join(f), *b = join(f);

	b->member->present = true;
	name(f, a, 1, "Ann");
	say(f, a, HERE);
	b->result = -ENOBUFS;
	frame(f);
	assert_int_equal(b->n_identities, 0);
	b->result = 0;
	frame(f);
	assert_int_equal(b->n_identities, 1);
	frame(f);
	assert_int_equal(b->n_identities, 0);
}

/* --- traits --- */

static void test_traits_and_acknowledgements(void **state)
{
	struct fixture *f = *state;
	struct peer *a = join(f), *b = join(f);

	b->member->present = true;
	say(f, a, HERE);
	dress(f, a, "01000000 00 0100 61");
	frame(f);
	assert_int_equal(b->n_traits, 1);
	assert_bytes_hex(
		b->traits.data, b->traits.len,
		"0100000000000000 aa000000000000000000000000000001 00 01000000 0100 61 ff");

	dress(f, a, "02000000 00 0100 62");
	frame(f);
	assert_int_equal(b->n_traits, 0);
	crowd_acknowledge_traits(f->crowd, b->member, 1);
	frame(f);
	assert_int_equal(b->n_traits, 1);
	assert_bytes_hex(
		b->traits.data, b->traits.len,
		"0200000000000000 aa000000000000000000000000000001 00 02000000 0100 62 ff");
	frame(f);
	assert_int_equal(b->n_traits, 0);
}

static void test_traits_that_were_not_sent_come_again(void **state)
{
	struct fixture *f = *state;
	struct peer *a = join(f), *b = join(f);

	b->member->present = true;
	say(f, a, HERE);
	dress(f, a, "01000000 00 0100 61");
	b->result = -ENOBUFS;
	frame(f);
	b->result = 0;
	frame(f);
	assert_bytes_hex(
		b->traits.data, b->traits.len,
		"0200000000000000 aa000000000000000000000000000001 00 01000000 0100 61 ff");
}

/* The traits of a crowd reach a newcomer in several messages, each avatar's once, within half of
 * its budget; the other half is for data. */
static void test_flood_is_spread_over_frames(void **state)
{
	enum { TRAIT = 6000, SOURCES = 20, BLOCK = 16 + 1 + 4 + 2 + TRAIT + 1 };
	struct fixture *f = *state;
	struct peer *late;
	static char hex[2 * TRAIT + 64];
	unsigned frames = 0;
	size_t bytes = 0;

	(void) snprintf(hex, sizeof(hex), "01000000 00 %02x%02x ", TRAIT & 0xff, TRAIT >> 8);
	for (unsigned i = 0; i < TRAIT; i++)
		strcat(hex, "61");
	for (unsigned i = 0; i < SOURCES; i++) {
		struct peer *p = join(f);

		say(f, p, HERE);
		dress(f, p, hex);
	}
	late = join(f);
	late->member->present = true;
	for (; bytes < SOURCES * BLOCK && frames < 100; frames++) {
		for (unsigned i = 0; i < SOURCES; i++)
			say(f, &f->peers[i], HERE);
		frame(f);
		assert_int_equal(late->n_records, SOURCES);
		if (late->n_traits > 0)
			bytes += late->traits.len - 8;
		assert_true(bytes <= (frames + 1) * CROWD_BUDGET_DEFAULT / 2 + BLOCK);
	}
	assert_int_equal(bytes, SOURCES * BLOCK);
	assert_true(frames <= SOURCES * BLOCK / (CROWD_BUDGET_DEFAULT / 2) + 2);
}

/* --- the budget --- */

#define JOINTS 80

/* An avatar with many joints on the x axis; all of them turn at each step. */
static void move(struct fixture *f, struct peer *p, float x, unsigned step)
{
	uint8_t packet[2048] = {0};
	struct writer wr = writer_over(packet, sizeof(packet));

	p->member->present = true;
	p->sequence++;
	write_u16le(&wr, p->sequence);
	write_u16le(&wr, AVATAR_HAS_POSITION | AVATAR_HAS_JOINTS);
	write_vec3(&wr, &(struct vec3){.x = x});
	write_u8(&wr, JOINTS);
	for (unsigned i = 0; i < JOINTS / 8; i++)
		write_u8(&wr, 0xff);
	for (unsigned i = 0; i < JOINTS; i++) {
		struct quat turned = {.x = sinf((float) (step + i) * 0.1f),
				      .w = cosf((float) (step + i) * 0.1f)};
		uint8_t quat[6];

		packed_quat6_encode(&turned, quat);
		write_bytes(&wr, quat, sizeof(quat));
	}
	for (unsigned i = 0; i < JOINTS / 8; i++)
		write_u8(&wr, 0);
	write_f32le(&wr, 1);
	assert_int_equal(crowd_receive_data(f->crowd, p->member, span_of(packet, wr.len)), 0);
}

struct heard {
	unsigned records, poses;
};

/* Lets all but the first move for some frames and counts what the first hears of each. */
static void hear(struct fixture *f, unsigned frames, struct heard *ret)
{
	struct peer *listener = &f->peers[0];

	memset(ret, 0, f->n * sizeof(*ret));
	for (unsigned t = 0; t < frames; t++) {
		struct reader rd;
		struct uuid session;
		struct avatar_data data;

		for (unsigned i = 1; i < f->n; i++)
			move(f, &f->peers[i], (float) i, t);
		frame(f);
		assert_true(listener->len + listener->n_datagrams * CROWD_DATAGRAM_OVERHEAD <=
			    listener->member->budget_bytes + CROWD_DATAGRAM_OVERHEAD);
		rd = reader_over(listener->data, listener->len);
		while (avatar_bulk_next(&rd, &session, &data) > 0) {
			struct heard *of = &ret[session.b[15] - 1];

			of->records++;
			of->poses += data.joint_count > 0;
		}
	}
}

/* 12.4, and nobody is missing: the nearest keep their rate and their joints, everybody is heard of
 * at 10 Hz, and joints come by turns. */
static void test_budget_for_a_few(void **state)
{
	struct fixture *f = *state;
	struct heard heard[PEERS];
	struct crowd_member *listener;

	for (unsigned i = 0; i < 25; i++)
		join(f);
	listener = f->peers[0].member;
	listener->present = true;
	listener->budget_bytes = 4000;
	hear(f, 1, heard);
	for (unsigned i = 1; i < f->n; i++)
		assert_int_equal(heard[i].records, 1);
	hear(f, 90, heard);
	for (unsigned i = 1; i < f->n; i++) {
		if (i < 4)
			assert_int_equal(heard[i].poses, 90);
		assert_true(heard[i].records >= 20);
		assert_true(heard[i].poses >= 2);
	}
	assert_true(listener->counts.reduced > 0);
	assert_true(listener->counts.skipped > 0);

	/* and with enough for all, all is sent */
	listener->budget_bytes = 25000;
	hear(f, 1, heard);
	listener->counts = (struct crowd_counts){0};
	hear(f, 10, heard);
	for (unsigned i = 1; i < f->n; i++)
		assert_int_equal(heard[i].poses, 10);
	assert_int_equal(listener->counts.reduced + listener->counts.skipped, 0);
}

/* Who was left out while it moved is shown as it came to rest. */
static void test_rest_is_caught_up(void **state)
{
	struct fixture *f = *state;
	struct heard heard[PEERS];
	struct peer *listener;

	for (unsigned i = 0; i < 25; i++)
		join(f);
	listener = &f->peers[0];
	listener->member->present = true;
	listener->member->budget_bytes = 2000;
	hear(f, 20, heard);
	for (unsigned t = 0; t < 15; t++)
		frame(f);
	assert_int_equal(listener->n_records, 0);
	for (unsigned i = 1; i < f->n; i++)
		assert_true(listener->member->pairs[i].pose_tick >=
			    f->peers[i].member->state.updated_tick);
}

/* A budget that no record fits into is saved up for. */
static void test_tiny_budget(void **state)
{
	struct fixture *f = *state;
	struct crowd_member *listener;
	unsigned bytes = 0;

	for (unsigned i = 0; i < 3; i++)
		join(f);
	listener = f->peers[0].member;
	listener->present = true;
	listener->budget_bytes = 60;
	for (unsigned t = 0; t < 100; t++) {
		move(f, &f->peers[1], 1, t);
		move(f, &f->peers[2], 2, t);
		frame(f);
		bytes += (unsigned) f->peers[0].len +
			 f->peers[0].n_datagrams * CROWD_DATAGRAM_OVERHEAD;
	}
	assert_in_range(bytes, 100 * 60 - 60, 100 * 60 + 700);
	assert_true(listener->pairs[1].sent_tick > 50 && listener->pairs[2].sent_tick > 50);
}

/* 9.4: what comes first is an admin's choice. */
static void test_sorting(void **state)
{
	static const struct avatar_sorting by_centre = {.size = 0, .centre = 1, .age = 1};
	struct fixture *f = *state;
	struct heard heard[PEERS];
	struct crowd_member *listener;

	for (unsigned i = 0; i < 25; i++)
		join(f);
	listener = f->peers[0].member;
	listener->present = true;
	listener->budget_bytes = 3000;
	/* looks at those far away on the x axis, from a place where near ones are at the margin */
	listener->query.n = 1;
	listener->query.views[0] = (struct avatar_view){
		.position = {0, 2, 0}, .direction = {1, 0, 0}, .half_angle = 1.5f, .far_clip = 100};
	hear(f, 10, heard);
	hear(f, 45, heard);
	assert_int_equal(heard[2].poses, 45);
	assert_true(heard[24].poses < 45);
	crowd_set_sorting(f->crowd, &by_centre);
	hear(f, 45, heard);
	assert_true(heard[2].poses < 45);
	assert_int_equal(heard[24].poses, 45);
}

/* --- ignoring --- */

static void test_ignore(void **state)
{
	struct fixture *f = *state;
	struct peer *a = join(f), *b = join(f), *c = join(f);

	say(f, a, HERE);
	say(f, b, THERE);
	c->member->present = true;
	name(f, b, 1, "Bob");
	dress(f, b, "01000000 00 0100 61");
	frame(f);
	assert_int_equal(a->n_records, 1);
	crowd_acknowledge_traits(f->crowd, a->member, 1);

	clear(f);
	assert_int_equal(crowd_ignore(f->crowd, a->member, &b->member->session, true), 0);
	assert_killed(b, a, AVATAR_KILL_DISCONNECTED);
	assert_int_equal(a->n_kills, 0);
	/* again: nothing happens */
	assert_int_equal(crowd_ignore(f->crowd, a->member, &b->member->session, true), 0);
	assert_int_equal(b->n_kills, 1);

	/* both ways, and nobody else */
	say(f, a, HERE);
	say(f, b, THERE);
	frame(f);
	assert_hears_nothing(a);
	assert_hears_nothing(b);
	assert_int_equal(c->n_records, 2);

	assert_int_equal(crowd_ignore(f->crowd, a->member, &b->member->session, false), 0);
	frame(f);
	assert_hears(a, b, THERE);
	assert_int_equal(a->n_identities, 1);
	assert_int_equal(a->n_traits, 1);
	assert_hears(b, a, HERE);
}

static void test_ignoring_who_is_not_there_yet(void **state)
{
	struct fixture *f = *state;
	struct peer *a = join(f), *b;
	struct uuid session = session_of(1);

	say(f, a, HERE);
	assert_int_equal(crowd_ignore(f->crowd, a->member, &session, true), 0);
	b = join(f);
	say(f, b, HERE);
	frame(f);
	assert_hears_nothing(a);
	assert_hears_nothing(b);

	/* it leaves and somebody else gets its place */
	crowd_leave(f->crowd, b->member);
	b = join(f);
	say(f, b, HERE);
	frame(f);
	assert_int_equal(a->n_records, 1);
}

static void test_whom_nobody_ignores(void **state)
{
	struct fixture *f = *state;
	struct peer *a = join(f);
	struct uuid session = {{0xbb}};

	assert_int_equal(crowd_ignore(f->crowd, a->member, &UUID_NULL, true), -EPERM);
	assert_int_equal(crowd_ignore(f->crowd, a->member, &a->member->session, true), -EPERM);
	assert_int_equal(crowd_ignore(f->crowd, a->member, &session, false), 0);
	for (unsigned i = 0; i < CROWD_IGNORED_MAX; i++) {
		session.b[14] = (uint8_t) (i >> 8);
		session.b[15] = (uint8_t) i;
		assert_int_equal(crowd_ignore(f->crowd, a->member, &session, true), 0);
	}
	session.b[1] = 1;
	assert_int_equal(crowd_ignore(f->crowd, a->member, &session, true), -ENOBUFS);
}

/* --- the bubble --- */

static void test_own_bubble(void **state)
{
	struct fixture *f = *state;
	struct peer *a = join(f), *b = join(f);

	say(f, a, HERE);
	say(f, b, HERE);
	a->member->bubble = true;
	frame(f);
	assert_killed(a, b, AVATAR_KILL_ENTERED_YOUR_BUBBLE);
	assert_int_equal(a->n_records, 0);
	assert_killed(b, a, AVATAR_KILL_ENTERED_THEIR_BUBBLE);
	assert_int_equal(b->n_records, 0);

	/* once; and no record after a kill (15.2 rule 6) */
	say(f, b, HERE);
	frame(f);
	assert_hears_nothing(a);
	assert_hears_nothing(b);

	/* it goes away: everything again */
	say(f, b, THERE);
	frame(f);
	assert_hears(a, b, THERE);
	assert_hears(b, a, HERE);

	/* and comes back */
	say(f, b, HERE);
	frame(f);
	assert_killed(a, b, AVATAR_KILL_ENTERED_YOUR_BUBBLE);
}

/* Who has no avatar has no bubble, and is in nobody's. */
static void test_bubbles_are_for_avatars(void **state)
{
	struct fixture *f = *state;
	struct peer *a = join(f), *script = join_as(f, false);

	say(f, a, HERE);
	a->member->bubble = true;
	script->member->present = script->member->bubble = true;
	frame(f);
	assert_hears(script, a, HERE);
}

/* --- the list of people --- */

static void test_pal_shows_the_ignored(void **state)
{
	struct fixture *f = *state;
	struct peer *a = join(f), *b = join(f);

	say(f, a, HERE);
	say(f, b, "2d30" A1_SECTIONS);
	assert_int_equal(crowd_ignore(f->crowd, a->member, &b->member->session, true), 0);
	frame(f);
	assert_hears_nothing(a);

	crowd_set_pal(f->crowd, a->member, true);
	frame(f);
	assert_hears(a, b, "2100 0000803f 00000040 000060c0 ab");
	/* the ignored one learns nothing by it */
	assert_hears_nothing(b);

	clear(f);
	crowd_set_pal(f->crowd, a->member, false);
	assert_killed(a, b, AVATAR_KILL_IGNORED);
	say(f, b, HERE);
	frame(f);
	assert_hears_nothing(a);
}

static void test_pal_of_an_admin(void **state)
{
	struct fixture *f = *state;
	struct peer *admin = join(f), *b = join(f);

	say(f, admin, HERE);
	say(f, b, THERE);
	assert_int_equal(crowd_ignore(f->crowd, b->member, &admin->member->session, true), 0);
	crowd_set_pal(f->crowd, admin->member, true);
	frame(f);
	assert_hears_nothing(admin);
	admin->member->can_kick = true;
	frame(f);
	assert_hears(admin, b, THERE);
	assert_hears_nothing(b);

	clear(f);
	crowd_set_pal(f->crowd, admin->member, false);
	assert_killed(admin, b, AVATAR_KILL_IGNORED);
}

static void test_pal_and_bubble(void **state)
{
	struct fixture *f = *state;
	struct peer *admin = join(f), *b = join(f);

	say(f, admin, HERE);
	say(f, b, HERE);
	admin->member->can_kick = true;
	admin->member->bubble = true;
	crowd_set_pal(f->crowd, admin->member, true);
	frame(f);
	assert_int_equal(admin->n_kills, 1);
	assert_int_equal(admin->n_records, 1);

	/* closing it makes b enter again */
	crowd_set_pal(f->crowd, admin->member, false);
	say(f, b, HERE);
	frame(f);
	assert_killed(admin, b, AVATAR_KILL_ENTERED_YOUR_BUBBLE);
	assert_int_equal(admin->n_records, 0);

	/* what was sent for the list does not count when it is seen in full again */
	crowd_set_pal(f->crowd, admin->member, true);
	say(f, b, "2100 00000000 00000000 00000000 22");
	frame(f);
	say(f, b, THERE);
	frame(f);
	assert_hears(admin, b, "2100 00002041 00000000 00000000 22");
}

/* --- going --- */

static void test_depart_and_start_over(void **state)
{
	struct fixture *f = *state;
	struct peer *a = join(f), *b = join(f);

	say(f, a, "2d30" A1_SECTIONS);
	b->member->present = true;
	name(f, a, 1, "Ann");
	frame(f);
	crowd_depart(f->crowd, a->member);
	assert_false(a->member->present);
	frame(f);
	assert_hears_nothing(b);
	assert_hears_nothing(a);

	name(f, b, 1, "Ann");
	assert_string_equal(b->member->identity.name->text, "Ann");
	name(f, a, 1, "Ann");
	assert_string_equal(a->member->identity.name->text, "Ann_1");
	say(f, a, HERE);
	frame(f);
	assert_hears(b, a, HERE);
	assert_int_equal(b->n_identities, 1);
}

static void test_departed_still_ignores(void **state)
{
	struct fixture *f = *state;
	struct peer *a = join(f), *b = join(f);

	say(f, a, HERE);
	say(f, b, HERE);
	assert_int_equal(crowd_ignore(f->crowd, a->member, &b->member->session, true), 0);
	crowd_depart(f->crowd, a->member);
	say(f, a, HERE);
	frame(f);
	assert_hears_nothing(a);
	assert_hears_nothing(b);
}

static void test_slots_grow_and_are_used_again(void **state)
{
	struct fixture *f = *state;
	struct uuid taken = session_of(3);
	struct crowd_member *member;

	for (unsigned i = 0; i < PEERS; i++)
		say(f, join(f), HERE);
	frame(f);
	for (unsigned i = 0; i < PEERS; i++)
		assert_int_equal(f->peers[i].n_records, PEERS - 1);

	assert_int_equal(crowd_join(f->crowd, &taken, NULL, true, &member), -EEXIST);
	crowd_leave(f->crowd, f->peers[3].member);
	assert_int_equal(crowd_join(f->crowd, &taken, &f->peers[3], true, &f->peers[3].member), 0);
	f->peers[3].member->can_listen = true;
	f->peers[3].sequence = 0;
	say(f, &f->peers[3], THERE);
	frame(f);
	assert_hears(&f->peers[0], &f->peers[3], THERE);
	assert_int_equal(f->peers[3].n_records, PEERS - 1);
}

/* --- threads --- */

/* One frame in the life of a crowd in which everything happens; the same for the same i. */
static void live(struct fixture *f, unsigned i)
{
	char text[64];

	for (unsigned n = 0; n < f->n; n++) {
		struct peer *p = &f->peers[n];

		if ((i + n) % 3 == 0)
			say(f, p, n % 2 ? "2d30" A1_SECTIONS : HERE);
		if ((i + n) % 7 == 0)
			say(f, p, "2100 0000803f 00000040 000060c0 55");
		p->member->bubble = n == 5 && i % 20 < 10;
	}
	(void) snprintf(text, sizeof(text), "Name %u", i);
	name(f, &f->peers[i % f->n], i + 1, text);
	if (i == 2)
		dress(f, &f->peers[2], "01000000 00 0100 61");
	frame(f);
}

static void assert_sent_the_same(const struct peer *a, const struct peer *b)
{
	assert_int_equal(a->n_datagrams, b->n_datagrams);
	assert_int_equal(a->len, b->len);
	assert_memory_equal(a->data, b->data, a->len);
	assert_int_equal(a->n_kills, b->n_kills);
	assert_int_equal(a->n_traits, b->n_traits);
	assert_int_equal(a->traits.len, b->traits.len);
	assert_int_equal(a->n_identities, b->n_identities);
	assert_int_equal(a->identities.len, b->identities.len);
	if (a->identities.len > 0)
		assert_memory_equal(a->identities.data, b->identities.data, a->identities.len);
}

static void test_threads_change_nothing(void **state)
{
	struct fixture *one = *state, *four;
	uint64_t sent = 0;
	unsigned kills = 0;

	assert_int_equal(setup_threads((void **) &four, 4), 0);
	for (unsigned n = 0; n < PEERS; n++) {
		join(one)->member->budget_bytes = 1500;
		join(four)->member->budget_bytes = 1500;
	}
	for (unsigned i = 0; i < 200; i++) {
		live(one, i);
		live(four, i);
		for (unsigned n = 0; n < PEERS; n++) {
			assert_sent_the_same(&one->peers[n], &four->peers[n]);
			sent += four->peers[n].len;
			kills += four->peers[n].n_kills;
		}
	}
	assert_true(sent > 0 && kills > 0);
	teardown((void **) &four);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define t(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		t(test_each_update_once_to_everybody_else),
		t(test_two_packets_in_a_frame_are_one_update),
		t(test_newcomer_gets_everything),
		t(test_absent_listener_catches_up),
		t(test_key_frames),
		t(test_datagrams),
		t(test_packets_per_frame),
		t(test_identity_once_per_change),
		t(test_identity_flood),
		t(test_identity_that_was_not_sent_comes_again),
		t(test_traits_and_acknowledgements),
		t(test_traits_that_were_not_sent_come_again),
		t(test_flood_is_spread_over_frames),
		t(test_budget_for_a_few),
		t(test_rest_is_caught_up),
		t(test_tiny_budget),
		t(test_sorting),
		t(test_ignore),
		t(test_ignoring_who_is_not_there_yet),
		t(test_whom_nobody_ignores),
		t(test_own_bubble),
		t(test_bubbles_are_for_avatars),
		t(test_pal_shows_the_ignored),
		t(test_pal_of_an_admin),
		t(test_pal_and_bubble),
		t(test_depart_and_start_over),
		t(test_departed_still_ignores),
		t(test_slots_grow_and_are_used_again),
		t(test_threads_change_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
