/* Traits: protocol 04 section 8. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>

#include "avatar/traits.h"
#include "vectors.h"

#define URL_HEX "1100 68747470733a2f2f612e622f632e667374" /* https://a.b/c.fst */
#define SKELETON_HEX                                          \
	"4000 0000803f 0000803f 02 0900"                      \
	"0000 04 00 000000400000 bfffbfff3fff cc0c 0000 ffff" \
	"0400 05 01 0000002000f0 bfff9d5c3fff cc0c 0100 0000" \
	"48697073 5370696e65"
#define ENTITY_HEX "02" SESSION_A
#define GRAB_HEX   "03" SESSION_A

static const struct avatar_trait_rules free_rules = {.may_have_entities = true, .replacement = ""};

struct fixture {
	struct avatar_traits traits;
	struct avatar_trait_listener listener;
	struct uuid session;
	struct writer out;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	_cleanup_free_ uint8_t *session = hex_bytes(SESSION_1, NULL);

	memcpy(&f->session, session, sizeof(f->session));
	f->out = writer_growing(1 << 20);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	avatar_traits_done(&f->traits);
	avatar_trait_listener_reset(&f->listener);
	writer_done(&f->out);
	free(f);
	return 0;
}

static int apply_rules(struct fixture *f, const struct avatar_trait_rules *rules, uint32_t tick,
		       const char *hex, bool *ret_replaced)
{
	size_t len;
	_cleanup_free_ uint8_t *bytes = hex_bytes(hex, &len);

	return avatar_traits_apply(&f->traits, bytes, len, rules, tick, ret_replaced);
}

static int apply(struct fixture *f, uint32_t tick, const char *hex)
{
	bool replaced;

	return apply_rules(f, &free_rules, tick, hex, &replaced);
}

/* What the listener is sent at that tick; "" for nothing. */
static void assert_sent(struct fixture *f, int64_t message, uint32_t tick, const char *hex)
{
	f->out.len = 0;
	assert_int_equal(
		avatar_traits_write(&f->traits, &f->session, &f->listener, message, tick, &f->out),
		*hex != '\0');
	assert_bytes_hex(f->out.data, f->out.len, hex);
}

/* --- 8.1 and 8.2 vectors --- */

static void test_sdk_first_messages(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(apply(f, 1, "01000000 00" URL_HEX "01" SKELETON_HEX), 0);
	assert_int_equal(f->traits.n, 2);
	assert_int_equal(f->traits.version, 1);
	assert_int_equal(f->traits.bytes, 17 + 64);
	assert_int_equal(f->traits.values[0].len, 17);
	assert_memory_equal(f->traits.values[0].data, "https://a.b/c.fst", 17);

	/* without URL and skeleton it still sends both */
	assert_int_equal(apply(f, 2, "02000000 00 0000 01 0b00 00000000 00000000 00 0000"), 0);
	assert_int_equal(f->traits.n, 2);
	assert_int_equal(f->traits.bytes, 11);
}

/* The message of section 8.2, which the listener gets in this form when it knows the grab. */
static void test_bulk_vector(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(apply(f, 1, "01000000" GRAB_HEX "0000"), 0);
	assert_sent(f, 0x77, 1, SESSION_1 "03 01000000" SESSION_A "0000 ff");
	avatar_trait_listener_acknowledge(&f->listener, 0x77);
	f->traits.in_version = f->traits.version = 0;

	assert_int_equal(apply(f, 2, "01000000 00" URL_HEX "01" SKELETON_HEX), 0);
	assert_int_equal(apply(f, 2, "02000000" ENTITY_HEX "0300 0a0b0c"), 0);
	assert_int_equal(apply(f, 2, "03000000" GRAB_HEX "ffff"), 0);
	f->out.len = 0;
	write_u64le(&f->out, 1);
	assert_true(avatar_traits_write(&f->traits, &f->session, &f->listener, 1, 2, &f->out));
	assert_int_equal(f->out.len, 169);
	/* the deletion goes first, the rest is in the order of the document */
	assert_bytes_hex(f->out.data, f->out.len,
			 "0100000000000000" SESSION_1 "03 03000000" SESSION_A "ffff"
			 "02 02000000" SESSION_A "0300 0a0b0c"
			 "00 01000000" URL_HEX "01 01000000" SKELETON_HEX "ff");
}

/* --- applying --- */

static void test_versions(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(apply(f, 1, "05000000 00 0100 61"), 0);
	/* older, and the same */
	assert_int_equal(apply(f, 2, "04000000 00 0100 62"), 0);
	assert_int_equal(apply(f, 2, "05000000 00 0100 62"), 0);
	assert_memory_equal(f->traits.values[0].data, "a", 1);
	assert_int_equal(f->traits.changed_tick, 1);
	/* twice in one message: the first counts */
	assert_int_equal(apply(f, 3, "06000000 00 0100 62 00 0100 63"), 0);
	assert_memory_equal(f->traits.values[0].data, "b", 1);
	assert_int_equal(f->traits.values[0].version, 6);

	assert_int_equal(apply(f, 4, "00000000 00 0100 64"), -EBADMSG);
	assert_int_equal(apply(f, 4, "ffffffff 00 0100 64"), -EBADMSG);
	assert_int_equal(apply(f, 4, "ffffff7f 00 0100 64"), -EBADMSG);
}

/* A client whose link broke counts from 1 again; listeners never see a version twice. */
static void test_client_begins_anew(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(apply(f, 1, "05000000 00 0100 61"), 0);
	assert_int_equal(apply(f, 2, "01000000 00 0100 61"), 0);
	assert_int_equal(f->traits.values[0].version, 5);
	assert_int_equal(f->traits.changed_tick, 1);
	assert_int_equal(apply(f, 3, "02000000 00 0100 62"), 0);
	assert_memory_equal(f->traits.values[0].data, "b", 1);
	assert_int_equal(f->traits.values[0].version, 7);
}

static void test_malformed_keeps_what_came_before(void **state)
{
	static const char *const bad[] = {
		"00",                                   /* no size */
		"00 0200 61",                           /* short value */
		"00 ffff",                              /* a simple trait cannot be deleted */
		"00 feff",                              /* size −2 */
		"ff",                                   /* the terminator has no place here */
		"04" SESSION_A "0100 61",               /* unknown type */
		"02 aabb",                              /* short instance */
		"02" SESSION_A "feff",                  /* size −2 */
		"01 0b00 00000000 00000000 01 0000",    /* a joint that is not there */
		"01 0c00 00000000 00000000 00 0000 00", /* one byte too many */
		"01 0a00 00000000 00000000 00 00",
	};

	for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
		struct fixture *f;
		char hex[256];

		assert_int_equal(setup((void **) &f), 0);
		(void) snprintf(hex, sizeof(hex), "01000000 03" SESSION_1 "0100 61 %s", bad[i]);
		assert_int_equal(apply(f, 1, hex), -EBADMSG);
		assert_int_equal(f->traits.n, 1);
		(void) teardown((void **) &f);
	}
}

/* Upstream misparses a deletion of what is not there. */
static void test_deleting_nothing(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(apply(f, 1, "01000000" ENTITY_HEX "ffff" GRAB_HEX "0100 61"), 0);
	assert_int_equal(f->traits.n, 1);
	assert_int_equal(f->traits.values[0].id.type, AVATAR_TRAIT_GRAB);
}

static void test_instance_limits(void **state)
{
	struct fixture *f = *state;
	uint8_t message[4 + 50 * 40 + 10 * 20];
	struct writer wr = writer_over(message, sizeof(message));
	unsigned grabs = 0, entities = 0;
	bool replaced;

	write_u32le(&wr, 1);
	for (unsigned i = 0; i < 50; i++) {
		write_u8(&wr, AVATAR_TRAIT_ENTITY);
		write_uuid(&wr, &(struct uuid){{(uint8_t) i}});
		write_u16le(&wr, 1);
		write_u8(&wr, 0x61);
	}
	for (unsigned i = 0; i < 10; i++) {
		write_u8(&wr, AVATAR_TRAIT_GRAB);
		write_uuid(&wr, &(struct uuid){{(uint8_t) i}});
		write_u16le(&wr, 0);
	}
	assert_int_equal(
		avatar_traits_apply(&f->traits, message, wr.len, &free_rules, 1, &replaced), 0);
	for (unsigned i = 0; i < f->traits.n; i++) {
		grabs += f->traits.values[i].id.type == AVATAR_TRAIT_GRAB;
		entities += f->traits.values[i].id.type == AVATAR_TRAIT_ENTITY;
	}
	assert_int_equal(entities, AVATAR_TRAIT_ENTITIES_MAX);
	assert_int_equal(grabs, AVATAR_TRAIT_GRABS_MAX);
}

static void test_byte_limit(void **state)
{
	struct fixture *f = *state;
	size_t size = 4 + 20 * (19 + 32767);
	_cleanup_free_ uint8_t *message = malloc(size);
	struct writer wr = writer_over(message, size);
	bool replaced;

	write_u32le(&wr, 1);
	for (unsigned i = 0; i < 20; i++) {
		write_u8(&wr, AVATAR_TRAIT_ENTITY);
		write_uuid(&wr, &(struct uuid){{(uint8_t) i}});
		write_u16le(&wr, 32767);
		write_zeros(&wr, 32767);
	}
	assert_int_equal(
		avatar_traits_apply(&f->traits, message, wr.len, &free_rules, 1, &replaced), 0);
	assert_int_equal(f->traits.n, 16);
	assert_int_equal(f->traits.bytes, 16 * 32767);

	/* a replacement counts instead of what it replaces */
	assert_int_equal(apply(f, 2, "02000000 02 00000000000000000000000000000000 0100 61"), 0);
	assert_int_equal(f->traits.bytes, 15 * 32767 + 1);
}

static void test_entity_permission(void **state)
{
	static const struct avatar_trait_rules no_entities = {.replacement = ""};
	struct fixture *f = *state;
	bool replaced;

	assert_int_equal(apply_rules(f, &no_entities, 1,
				     "01000000" ENTITY_HEX "0100 61" GRAB_HEX "0100 62", &replaced),
			 0);
	assert_int_equal(f->traits.n, 1);
	assert_int_equal(f->traits.values[0].id.type, AVATAR_TRAIT_GRAB);

	/* what was there before goes when it is sent again without permission */
	assert_int_equal(apply(f, 2, "02000000" ENTITY_HEX "0100 61"), 0);
	assert_sent(f, 1, 2,
		    SESSION_1 "03 01000000" SESSION_A "0100 62"
			      "02 02000000" SESSION_A "0100 61 ff");
	avatar_trait_listener_acknowledge(&f->listener, 1);
	assert_int_equal(
		apply_rules(f, &no_entities, 3, "03000000" ENTITY_HEX "0100 63", &replaced), 0);
	assert_sent(f, 2, 3, SESSION_1 "02 03000000" SESSION_A "ffff ff");
}

static void test_permission_lost(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(
		apply(f, 1, "01000000 00 0100 61 02" SESSION_1 "0100 62 02" SESSION_A "0100 63"),
		0);
	assert_sent(f, 1, 1,
		    SESSION_1 "00 01000000 0100 61 02 01000000" SESSION_1 "0100 62"
			      "02 01000000" SESSION_A "0100 63 ff");
	avatar_trait_listener_acknowledge(&f->listener, 1);
	avatar_traits_drop_entities(&f->traits, 2);
	assert_int_equal(f->traits.n, 1);
	/* newer than what the listener has */
	assert_sent(f, 2, 2,
		    SESSION_1 "02 02000000" SESSION_1 "ffff 02 02000000" SESSION_A "ffff ff");
}

static void test_whitelist(void **state)
{
	_cleanup_(model_whitelist_freep) struct model_whitelist *list = NULL;
	struct fixture *f = *state;
	struct avatar_trait_rules rules = {.replacement = "https://a.b/x"};
	uint8_t out[64];
	struct writer wr = writer_over(out, sizeof(out));
	bool replaced;

	assert_int_equal(model_whitelist_parse("https://ok.example/", &list), 0);
	rules.whitelist = list;
	assert_int_equal(apply_rules(f, &rules, 1, "03000000 00" URL_HEX, &replaced), 0);
	assert_true(replaced);
	assert_int_equal(f->traits.values[0].len, 13);
	assert_memory_equal(f->traits.values[0].data, rules.replacement, 13);

	avatar_trait_override_write(&wr, f->traits.in_version,
				    span_of(rules.replacement, strlen(rules.replacement)));
	assert_bytes_hex(out, wr.len, "00 03000000 0d00 68747470733a2f2f612e622f78");

	/* the client adopts it: nothing to replace */
	assert_int_equal(
		apply_rules(f, &rules, 2, "04000000 00 0d00 68747470733a2f2f612e622f78", &replaced),
		0);
	assert_false(replaced);
	/* https://ok.example/y */
	assert_int_equal(apply_rules(f, &rules, 3,
				     "05000000 00 1400 68747470733a2f2f6f6b2e6578616d706c652f79",
				     &replaced),
			 0);
	assert_false(replaced);
	assert_int_equal(f->traits.values[0].len, 20);
	/* the default model is a model like any other */
	assert_int_equal(apply_rules(f, &rules, 4, "06000000 00 0000", &replaced), 0);
	assert_true(replaced);
}

/* file: and qrc: mean nothing to others */
static void test_local_model(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(apply(f, 1, "01000000 00 0900 66696c653a2f2f2f78"), 0);
	assert_int_equal(f->traits.n, 1);
	assert_int_equal(f->traits.values[0].len, 0);
	assert_sent(f, 1, 1, SESSION_1 "00 01000000 0000 ff");
}

/* --- 8.3: flow --- */

static void test_one_update_in_flight(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(apply(f, 1, "01000000 00 0100 61 01 0b00 00000000 00000000 00 0000"), 0);
	assert_sent(f, 1, 1,
		    SESSION_1 "00 01000000 0100 61 01 01000000 0b00 00000000 00000000 00 0000 ff");
	assert_sent(f, 2, 2, "");

	/* the URL changes twice before the acknowledgement comes */
	assert_int_equal(apply(f, 2, "02000000 00 0100 62"), 0);
	assert_sent(f, 2, 2, "");
	assert_int_equal(apply(f, 3, "03000000 00 0100 63"), 0);
	assert_sent(f, 2, 3, "");
	avatar_trait_listener_acknowledge(&f->listener, 7); /* unknown */
	assert_sent(f, 2, 3, "");
	avatar_trait_listener_acknowledge(&f->listener, 1);
	assert_sent(f, 2, 4, SESSION_1 "00 03000000 0100 63 ff");

	/* and nothing is sent twice */
	avatar_trait_listener_acknowledge(&f->listener, 2);
	assert_sent(f, 3, 5, "");
}

static void test_instance_life(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(apply(f, 1, "01000000" GRAB_HEX "0100 61"), 0);
	assert_sent(f, 1, 1, SESSION_1 "03 01000000" SESSION_A "0100 61 ff");

	/* deleted before the acknowledgement: waits */
	assert_int_equal(apply(f, 2, "02000000" GRAB_HEX "ffff"), 0);
	assert_sent(f, 2, 2, "");
	avatar_trait_listener_acknowledge(&f->listener, 1);
	assert_sent(f, 2, 3, SESSION_1 "03 02000000" SESSION_A "ffff ff");

	/* there again before the deletion is acknowledged: waits too */
	assert_int_equal(apply(f, 4, "03000000" GRAB_HEX "0100 62"), 0);
	assert_sent(f, 3, 4, "");
	avatar_trait_listener_acknowledge(&f->listener, 2);
	assert_int_equal(f->listener.n, 0);
	assert_sent(f, 3, 5, SESSION_1 "03 03000000" SESSION_A "0100 62 ff");
}

/* Made and gone between two frames: the listener never hears of it. */
static void test_deleted_before_sent(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(apply(f, 1, "01000000" GRAB_HEX "0100 61"), 0);
	assert_int_equal(apply(f, 1, "02000000" GRAB_HEX "ffff"), 0);
	assert_sent(f, 1, 1, "");
}

static void test_reset_sends_all_again(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(apply(f, 1, "01000000 00 0100 61"), 0);
	assert_sent(f, 1, 1, SESSION_1 "00 01000000 0100 61 ff");
	avatar_trait_listener_reset(&f->listener);
	assert_sent(f, 2, 2, SESSION_1 "00 01000000 0100 61 ff");
	/* an acknowledgement from before the reset */
	avatar_trait_listener_acknowledge(&f->listener, 1);
	assert_int_equal(apply(f, 3, "02000000 00 0100 62"), 0);
	assert_sent(f, 3, 3, "");
}

static void test_lost_message(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(apply(f, 1, "01000000 00 0100 61" GRAB_HEX "0100 62"), 0);
	assert_sent(f, 1, 1, SESSION_1 "00 01000000 0100 61 03 01000000" SESSION_A "0100 62 ff");
	avatar_trait_listener_lost(&f->listener, 1);
	assert_sent(f, 2, 2, SESSION_1 "00 01000000 0100 61 03 01000000" SESSION_A "0100 62 ff");
	avatar_trait_listener_acknowledge(&f->listener, 2);

	assert_int_equal(apply(f, 3, "02000000" GRAB_HEX "ffff"), 0);
	assert_sent(f, 3, 3, SESSION_1 "03 02000000" SESSION_A "ffff ff");
	avatar_trait_listener_lost(&f->listener, 3);
	assert_sent(f, 4, 4, SESSION_1 "03 02000000" SESSION_A "ffff ff");
}

/* A listener that never acknowledges cannot make us remember without end. */
static void test_listener_memory_is_bounded(void **state)
{
	struct fixture *f = *state;

	for (uint32_t i = 1; i < 500; i++) {
		uint8_t message[64];
		struct writer wr = writer_over(message, sizeof(message));
		bool replaced;

		write_u32le(&wr, i);
		write_u8(&wr, AVATAR_TRAIT_GRAB);
		write_uuid(&wr, &(struct uuid){{(uint8_t) i, (uint8_t) (i >> 8)}});
		write_u16le(&wr, 0);
		if (i > 1) {
			write_u8(&wr, AVATAR_TRAIT_GRAB);
			write_uuid(&wr,
				   &(struct uuid){{(uint8_t) (i - 1), (uint8_t) ((i - 1) >> 8)}});
			write_u16le(&wr, 0xffff);
		}
		assert_int_equal(
			avatar_traits_apply(&f->traits, message, wr.len, &free_rules, i, &replaced),
			0);
		f->out.len = 0;
		(void) avatar_traits_write(&f->traits, &f->session, &f->listener, i, i, &f->out);
		assert_true(f->traits.n <= 2);
		assert_true(f->listener.n <= AVATAR_TRAIT_SENT_MAX + 28);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define t(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		t(test_sdk_first_messages),
		t(test_bulk_vector),
		t(test_versions),
		t(test_client_begins_anew),
		cmocka_unit_test(test_malformed_keeps_what_came_before),
		t(test_deleting_nothing),
		t(test_instance_limits),
		t(test_byte_limit),
		t(test_entity_permission),
		t(test_permission_lost),
		t(test_whitelist),
		t(test_local_model),
		t(test_one_update_in_flight),
		t(test_instance_life),
		t(test_deleted_before_sent),
		t(test_reset_sends_all_again),
		t(test_lost_message),
		t(test_listener_memory_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
