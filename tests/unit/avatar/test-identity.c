/* AvatarIdentity: protocol 04 section 5. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>

#include "avatar/identity.h"
#include "vectors.h"

#define ZOE           "00000006 005a006f00eb"
#define ANONYMOUS_HEX "00000012 0061006e006f006e0079006d006f00750073"
#define PLACE_HEX     ZEROS_28 ZEROS_28 "0000000000000000 01" /* eight doubles, isSoft */

static int decode(const char *hex, struct avatar_identity_packet *ret)
{
	size_t len;
	_cleanup_free_ uint8_t *bytes = hex_bytes(hex, &len);

	return avatar_identity_decode(bytes, len, ret);
}

static void test_decode_sdk(void **state)
{
	_cleanup_(avatar_identity_packet_done) struct avatar_identity_packet p = {0}, q = {0};

	assert_int_equal(decode(SESSION_1 "00000001 00000000" ZOE "00000000 00000002", &p), 0);
	assert_int_equal(p.sequence, 1);
	assert_string_equal(p.display_name, "Zoë");
	assert_int_equal(p.flags, AVATAR_IDENTITY_LOOK_AT_SNAPPING);

	assert_int_equal(decode(SESSION_1 "00000007 00000000 ffffffff ffffffff 00000002", &q), 0);
	assert_int_equal(q.sequence, 7);
	assert_string_equal(q.display_name, "");
}

static void test_decode_attachments(void **state)
{
	_cleanup_(avatar_identity_packet_done) struct avatar_identity_packet p = {0};

	assert_int_equal(decode(SESSION_1 "00000001 00000002"
					  "00000003 612e62 00000004 00480069" PLACE_HEX
					  "ffffffff ffffffff" PLACE_HEX ZOE "00000000 00000001",
				&p),
			 0);
	assert_string_equal(p.display_name, "Zoë");
	assert_int_equal(p.flags, AVATAR_IDENTITY_REPLICATED);
}

static void test_decode_bad(void **state)
{
	static const char *const bad[] = {
		"",
		SESSION_1 "00000001 00000000" ZOE "00000000 000000",                 /* short */
		SESSION_1 "00000001 00000000" ZOE "00000000 00000002 00",            /* trailing */
		SESSION_1 "00000001 00000000 00000005 005a006f00 00000000 00000002", /* odd */
		SESSION_1 "00000001 00000041" ZOE "00000000 00000002", /* 65 attachments */
		SESSION_1 "00000001 00000001" ZOE "00000000 00000002", /* none there */
		SESSION_1 "00000001 00000000 7ffffffe 005a 00000000 00000002",
		SESSION_1 "00000001 00000000" ZOE "00002002 00000002", /* session name too long */
	};
	struct avatar_identity_packet p = {.sequence = 42};

	for (size_t i = 0; i < ELEMENTSOF(bad); i++)
		assert_int_equal(decode(bad[i], &p), -EBADMSG);
	assert_int_equal(p.sequence, 42);
}

/* verificationFailed would make native clients replace the model. */
static void test_flags_are_masked(void **state)
{
	_cleanup_(avatar_identity_packet_done) struct avatar_identity_packet p = {0};

	assert_int_equal(decode(SESSION_1 "00000001 00000000" ZOE "00000000 ffffffff", &p), 0);
	assert_int_equal(p.flags, 3);
}

/* 256 UTF-16 units are kept; a character outside the BMP is two of them. */
static void test_long_names_are_cut(void **state)
{
	_cleanup_(avatar_identity_packet_done) struct avatar_identity_packet p = {0};
	uint8_t packet[1024];
	struct writer wr = writer_over(packet, sizeof(packet));

	write_zeros(&wr, 24);
	write_u32be(&wr, 2 * 257);
	for (unsigned i = 0; i < 255; i++)
		write_u16be(&wr, 'a');
	write_u16be(&wr, 0xd83d); /* U+1F600 */
	write_u16be(&wr, 0xde00);
	write_u32be(&wr, 0);
	write_u32be(&wr, 2);
	assert_int_equal(avatar_identity_decode(packet, wr.len, &p), 0);
	assert_int_equal(strlen(p.display_name), 255);
}

/* --- state --- */

struct fixture {
	struct session_names *names;
	struct avatar_identity identity;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	*state = f;
	return session_names_new(&f->names);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	avatar_identity_done(&f->identity, f->names);
	session_names_free(f->names);
	free(f);
	return 0;
}

static int apply(struct fixture *f, uint32_t sequence, const char *name, uint32_t flags,
		 uint32_t tick)
{
	_cleanup_(avatar_identity_packet_done) struct avatar_identity_packet p = {
		.sequence = sequence, .flags = flags, .display_name = strdup(name)};

	return avatar_identity_apply(&f->identity, f->names, &p, tick);
}

static void assert_written(const struct avatar_identity *identity, const char *session,
			   const char *hex)
{
	_cleanup_free_ uint8_t *uuid = hex_bytes(session, NULL);
	uint8_t out[256];
	struct writer wr = writer_over(out, sizeof(out));
	struct uuid id;

	memcpy(&id, uuid, sizeof(id));
	avatar_identity_write(&wr, &id, identity);
	assert_true(writer_finish(&wr) > 0);
	assert_bytes_hex(out, wr.len, hex);
}

/* The two mixer-style records of section 5. */
static void test_write(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(apply(f, 0, "Zoë", 2, 3), 0);
	assert_int_equal(f->identity.changed_tick, 3);
	assert_written(&f->identity, SESSION_1, SESSION_1 "00000001 00000000" ZOE ZOE "00000002");

	assert_int_equal(apply(f, 4, "", 2, 4), 0);
	assert_written(&f->identity, SESSION_A,
		       SESSION_A "00000005 00000000 ffffffff" ANONYMOUS_HEX "00000002");
}

static void test_names_are_made_unique(void **state)
{
	struct fixture *f = *state;
	struct avatar_identity other = {0};
	struct avatar_identity_packet p = {.sequence = 1, .display_name = strdup("Zoë")};

	assert_int_equal(avatar_identity_apply(&other, f->names, &p, 1), 0);
	avatar_identity_packet_done(&p);
	assert_int_equal(apply(f, 1, "Zoë", 0, 1), 0);
	assert_string_equal(other.name->text, "Zoë");
	assert_string_equal(f->identity.name->text, "Zoë_1");
	avatar_identity_done(&other, f->names);
	assert_int_equal(apply(f, 5, "Zoë ", 0, 2), 0);
	assert_string_equal(f->identity.name->text, "Zoë");
}

static void test_sequence_rule(void **state)
{
	struct fixture *f = *state;
	struct avatar_identity *i = &f->identity;

	/* the first is accepted whatever it is */
	assert_int_equal(apply(f, 0x07ffffff, "A", 0, 1), 0);
	assert_int_equal(i->out_sequence, 0);
	assert_int_equal(apply(f, 0x07ffffff, "B", 0, 2), -ESTALE);
	assert_int_equal(apply(f, 0x07fffffe, "B", 0, 2), -ESTALE);
	assert_string_equal(i->display_name, "A");

	/* out runs ahead of in, and in is compared with in only */
	assert_int_equal(apply(f, 0, "B", 0, 2), 0);
	assert_int_equal(i->out_sequence, 1);
	assert_int_equal(apply(f, 1, "C", 0, 3), 0);
	assert_int_equal(i->out_sequence, 2);
	assert_int_equal(apply(f, 100, "D", 0, 4), 0);
	assert_int_equal(i->out_sequence, 101);
	assert_int_equal(i->changed_tick, 4);
}

/* Half-way round the circle of 27 bits the order turns (5.1). */
static void test_sequence_wrap(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(apply(f, 0, "A", 0, 1), 0);
	assert_int_equal(apply(f, 0x03fffffe, "B", 0, 1), 0);
	assert_int_equal(apply(f, 0x07fffffd, "C", 0, 1), -ESTALE);
	assert_int_equal(apply(f, 0x07fffffc, "C", 0, 1), 0);
}

/* The SDK sends its identity twice at first, the second with the next number: ours must top that,
 * or the client would take its session display name for old. */
static void test_echo_when_the_client_overtakes(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(apply(f, 1, "A", 0, 1), 0);
	assert_int_equal(f->identity.out_sequence, 2);
	assert_int_equal(apply(f, 2, "A", 0, 2), 0);
	assert_int_equal(f->identity.out_sequence, 3);
	assert_int_equal(f->identity.echo_tick, 2);
	assert_int_equal(f->identity.changed_tick, 1);
	/* ahead of the client: nothing to say */
	f->identity.out_sequence = 10;
	assert_int_equal(apply(f, 4, "A", 0, 3), 0);
	assert_int_equal(f->identity.out_sequence, 10);
	assert_int_equal(f->identity.echo_tick, 2);
}

static void test_flags_are_a_change(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(apply(f, 1, "A", 0, 1), 0);
	assert_int_equal(apply(f, 2, "A", 2, 2), 0);
	assert_int_equal(f->identity.changed_tick, 2);
	assert_int_equal(f->identity.flags, 2);
	assert_string_equal(f->identity.name->text, "A");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decode_sdk),
		cmocka_unit_test(test_decode_attachments),
		cmocka_unit_test(test_decode_bad),
		cmocka_unit_test(test_flags_are_masked),
		cmocka_unit_test(test_long_names_are_cut),
		cmocka_unit_test_setup_teardown(test_write, setup, teardown),
		cmocka_unit_test_setup_teardown(test_names_are_made_unique, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sequence_rule, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sequence_wrap, setup, teardown),
		cmocka_unit_test_setup_teardown(test_echo_when_the_client_overtakes, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_flags_are_a_change, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
