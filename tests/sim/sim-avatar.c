/* A crowd whose datagrams are lost by a seed: what each listener makes of what it gets, as clients
 * do, against what the mixer knows (protocol 04 sections 12.6, 15.2 and 17.3). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "avatar/client-packets.h"
#include "avatar/crowd.h"

#define MEMBERS      12
#define JOINTS       20
#define MOVING_TICKS 150
#define SETTLE_TICKS (AVATAR_TICKS_PER_SECOND * 3 / 2)
#define ROUNDING     0.1f /* degrees, of cosines near 1 */

struct picture {
	bool known;
	uint16_t n_records;
	uint32_t updated_tick;
	struct avatar_state state;
	char *name;
};

struct client {
	struct world *world;
	struct crowd_member *member;
	uint16_t sequence;
	struct quat joints[JOINTS];
	struct picture of[MEMBERS];
};

struct world {
	struct crowd *crowd;
	uint32_t random;
	unsigned loss_percent;
	struct client clients[MEMBERS];
};

static unsigned chance(struct world *w, unsigned n)
{
	w->random = w->random * 1664525 + 1013904223;
	return (unsigned) (((uint64_t) w->random * n) >> 32);
}

/* --- what clients get --- */

/* Fails for strangers, and for the client itself. */
static struct picture *picture_of(struct client *c, const struct uuid *session)
{
	unsigned i = session->b[15];

	assert_int_equal(session->b[0], 0xaa);
	assert_true(i < MEMBERS);
	assert_ptr_not_equal(&c->world->clients[i], c);
	assert_non_null(c->world->clients[i].member);
	return &c->of[i];
}

static void get_data(void *peer, struct span payload)
{
	struct client *c = peer;
	struct reader rd = reader_over(payload.data, payload.len);
	struct avatar_data data;
	struct uuid session;
	int r;

	if (chance(c->world, 100) < c->world->loss_percent)
		return;
	while ((r = avatar_bulk_next(&rd, &session, &data)) > 0) {
		struct picture *p = picture_of(c, &session);

		data.sequence = ++p->n_records;
		p->known = true;
		p->updated_tick = crowd_tick(c->world->crowd);
		assert_int_equal(avatar_state_apply(&p->state, &data, p->updated_tick), 0);
	}
	assert_int_equal(r, 0);
}

static int get_identities(void *peer, struct span message)
{
	struct client *c = peer;
	struct reader rd = reader_over(message.data, message.len);
	int r;

	for (;;) {
		_cleanup_(avatar_identity_record_done) struct avatar_identity_record record = {0};

		r = avatar_identity_next(&rd, &record);
		if (r <= 0)
			break;
		if (uuid_equal(&record.session, &c->member->session))
			continue;
		free(picture_of(c, &record.session)->name);
		picture_of(c, &record.session)->name = strdup(record.session_name);
	}
	assert_int_equal(r, 0);
	return 0;
}

static int get_traits(void *peer, struct span message)
{
	fail_msg("nobody has traits");
	return 0;
}

static void forget(struct picture *p)
{
	avatar_state_done(&p->state);
	free(p->name);
	*p = (struct picture){0};
}

static void get_kill(void *peer, const struct uuid *session, enum avatar_kill_reason reason)
{
	forget(picture_of(peer, session));
}

static const struct crowd_ops ops = {
	.send_data = get_data,
	.send_identities = get_identities,
	.send_traits = get_traits,
	.send_kill = get_kill,
};

/* --- what clients do --- */

/* Along the x axis, so that listeners and sources meet in every tier. */
static float place_of(unsigned i)
{
	static const float places[MEMBERS] = {0, 1, 2, 5, 9, 14, 18, 22, 35, 48, 120, 300};

	return places[i];
}

static void turn(struct world *w, struct quat *q)
{
	struct quat by = {.x = (float) chance(w, 200) / 1000 - 0.1f,
			  .y = (float) chance(w, 200) / 1000 - 0.1f,
			  .z = 0.01f,
			  .w = 1};
	struct quat r = {
		.x = q->w * by.x + q->x * by.w + q->y * by.z - q->z * by.y,
		.y = q->w * by.y - q->x * by.z + q->y * by.w + q->z * by.x,
		.z = q->w * by.z + q->x * by.y - q->y * by.x + q->z * by.w,
		.w = q->w * by.w - q->x * by.x - q->y * by.y - q->z * by.z,
	};
	float length = sqrtf(r.x * r.x + r.y * r.y + r.z * r.z + r.w * r.w);

	*q = (struct quat){r.x / length, r.y / length, r.z / length, r.w / length};
}

static void say(struct client *c, unsigned i)
{
	uint8_t packet[1024] = {0};
	struct writer wr = writer_over(packet, sizeof(packet));

	write_u16le(&wr, ++c->sequence);
	write_u16le(&wr, AVATAR_HAS_POSITION | AVATAR_HAS_JOINTS);
	write_vec3(&wr, &(struct vec3){.x = place_of(i)});
	write_u8(&wr, JOINTS);
	write_bytes(&wr, "\xff\xff\x0f", 3);
	for (unsigned j = 0; j < JOINTS; j++) {
		uint8_t quat[6];

		packed_quat6_encode(&c->joints[j], quat);
		write_bytes(&wr, quat, sizeof(quat));
	}
	write_bytes(&wr, "\0\0\0", 3);
	write_f32le(&wr, 1);
	c->member->present = true;
	assert_int_equal(crowd_receive_data(c->world->crowd, c->member, span_of(packet, wr.len)),
			 0);
}

static void run(struct world *w, unsigned ticks, bool moving, void (*check)(struct world *))
{
	for (unsigned t = 0; t < ticks; t++) {
		for (unsigned i = 0; i < MEMBERS; i++) {
			struct client *c = &w->clients[i];

			for (unsigned j = 0; j < JOINTS && moving; j += 1 + chance(w, 3))
				turn(w, &c->joints[j]);
			if (c->member)
				say(c, i);
		}
		(void) crowd_frame(w->crowd);
		if (check)
			check(w);
	}
}

static void join(struct world *w, unsigned i, unsigned budget_bytes)
{
	struct client *c = &w->clients[i];
	struct uuid session = {{0xaa, [15] = (uint8_t) i}};
	char name[] = {(char) ('A' + i), 0};
	struct avatar_identity_packet identity = {.sequence = 1, .display_name = strdup(name)};

	c->world = w;
	assert_int_equal(crowd_join(w->crowd, &session, c, true, &c->member), 0);
	c->member->can_listen = true;
	c->member->budget_bytes = budget_bytes;
	for (unsigned j = 0; j < JOINTS; j++)
		c->joints[j] = (struct quat){.w = 1};
	assert_int_equal(avatar_identity_apply(&c->member->identity, crowd_names(w->crowd),
					       &identity, crowd_tick(w->crowd)),
			 0);
	avatar_identity_packet_done(&identity);
}

static void leave(struct world *w, unsigned i)
{
	struct uuid session = w->clients[i].member->session;

	/* As the mixer does; kills are reliable. */
	for (unsigned l = 0; l < MEMBERS; l++)
		if (l != i)
			get_kill(&w->clients[l], &session, AVATAR_KILL_DISCONNECTED);
	crowd_leave(w->crowd, w->clients[i].member);
	w->clients[i].member = NULL;
	for (unsigned s = 0; s < MEMBERS; s++)
		forget(&w->clients[i].of[s]);
}

/* --- what they then know --- */

static float degrees_between(const uint8_t *a, const uint8_t *b)
{
	struct quat p = packed_quat6_decode(a), q = packed_quat6_decode(b);
	float dot;

	if (memcmp(a, b, AVATAR_JOINT_VALUE_SIZE) == 0)
		return 0;
	dot = fabsf(p.x * q.x + p.y * q.y + p.z * q.z + p.w * q.w);

	return 2 * acosf(fminf(dot, 1)) * 180 / (float) M_PI;
}

static float worst_joint(const struct picture *p, const struct avatar_state *state)
{
	float worst = 0;

	assert_int_equal(p->state.joint_count, state->joint_count);
	for (unsigned j = 0; j < state->joint_count; j++) {
		assert_false(p->state.joints[j].rotation_default);
		worst = fmaxf(worst, degrees_between(p->state.joints[j].rotation,
						     state->joints[j].rotation));
	}
	return worst;
}

static void assert_pictures(struct world *w, float degrees)
{
	for (unsigned l = 0; l < MEMBERS; l++)
		for (unsigned s = 0; s < MEMBERS; s++) {
			const struct picture *p = &w->clients[l].of[s];
			const struct crowd_member *source = w->clients[s].member;
			struct vec3 there;

			if (l == s || !source || !w->clients[l].member) {
				assert_false(p->known);
				continue;
			}
			assert_true(p->known);
			assert_string_equal(p->name, source->identity.name->text);
			there = avatar_state_position(&p->state);
			assert_true(there.x == place_of(s));
			assert_true(worst_joint(p, &source->state) <= degrees);
		}
}

/* Against everything of everybody: nothing is farther off than the tier's threshold while it moves,
 * when nothing is lost. */
static void check_thresholds(struct world *w)
{
	static const float degrees[AVATAR_TIERS] = {0, 2, 4, 6, 15, 179};

	for (unsigned l = 0; l < MEMBERS; l++)
		for (unsigned s = 0; s < MEMBERS; s++) {
			float distance = place_of(l) - place_of(s);
			float allowed = degrees[avatar_tier(distance * distance)] + ROUNDING;

			if (l == s)
				continue;
			assert_true(worst_joint(&w->clients[l].of[s],
						&w->clients[s].member->state) <= allowed);
		}
}

/* --- the tests --- */

static void open_world(struct world *w, unsigned seed, unsigned loss_percent, unsigned budget_bytes)
{
	*w = (struct world){.random = seed, .loss_percent = loss_percent};
	assert_int_equal(crowd_new(&ops, 1, &w->crowd), 0);
	for (unsigned i = 0; i < MEMBERS; i++)
		join(w, i, budget_bytes);
}

static void close_world(struct world *w)
{
	for (unsigned l = 0; l < MEMBERS; l++)
		for (unsigned s = 0; s < MEMBERS; s++)
			forget(&w->clients[l].of[s]);
	crowd_free(w->crowd);
}

static void test_thresholds(void **state)
{
	static struct world w;

	open_world(&w, 1, 0, 100000);
	run(&w, MOVING_TICKS, true, check_thresholds);
	run(&w, AVATAR_SETTLE_TICKS, false, check_thresholds);
	assert_pictures(&w, 0);
	close_world(&w);
}

static void test_convergence(void **state)
{
	static const unsigned losses[] = {0, 1, 5, 20};
	static struct world w;

	for (size_t i = 0; i < ELEMENTSOF(losses); i++)
		for (unsigned seed = 1; seed <= 10; seed++) {
			open_world(&w, seed, losses[i], CROWD_BUDGET_DEFAULT);
			run(&w, MOVING_TICKS, true, NULL);
			run(&w, SETTLE_TICKS, false, NULL);
			assert_pictures(&w, 2);
			close_world(&w);
		}
}

/* 500 kbit/s: too little for the joints of all while they move. */
static void test_convergence_over_budget(void **state)
{
	static struct world w;

	for (unsigned seed = 1; seed <= 10; seed++) {
		open_world(&w, seed, 5, 1388);
		run(&w, MOVING_TICKS, true, NULL);
		assert_true(w.clients[0].member->counts.reduced > 0);
		run(&w, SETTLE_TICKS, false, NULL);
		assert_pictures(&w, 2);
		close_world(&w);
	}
}

static void test_churn(void **state)
{
	static struct world w;

	open_world(&w, 7, 5, CROWD_BUDGET_DEFAULT);
	for (unsigned round = 0; round < 40; round++) {
		unsigned i = chance(&w, MEMBERS);

		if (w.clients[i].member)
			leave(&w, i);
		else
			join(&w, i, CROWD_BUDGET_DEFAULT);
		run(&w, 7, true, NULL);
	}
	run(&w, SETTLE_TICKS, false, NULL);
	assert_pictures(&w, 2);
	close_world(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_thresholds),
		cmocka_unit_test(test_convergence),
		cmocka_unit_test(test_convergence_over_budget),
		cmocka_unit_test(test_churn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
