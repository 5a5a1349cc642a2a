/* Datagrams: the vectors of protocol 01 sections 5 and 14.2-14.6 and the headers of 02 section 18.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "hex.h"
#include "net/packet.h"

#define SECRET "112233445566778899aabbccddeeff00"

static struct hmac_key secret_key(void)
{
	_cleanup_free_ uint8_t *bytes = hex_bytes(SECRET, NULL);
	struct hmac_key key;
	struct uuid secret;

	memcpy(secret.b, bytes, sizeof(secret.b));
	hmac_key_init(&key, &secret);
	return key;
}

/* --- section 5 --- */

static void test_sequence_order(void **state)
{
	static const struct {
		uint32_t a, b;
		bool less;
	} rows[] = {
		{0, 0x03fffffe, true}, {0, 0x03ffffff, false}, {0, 0x07ffffff, false},
		{1, 0x03ffffff, true}, {1, 0x04000000, false}, {0x07ffffff, 0, true},
		{5, 5, false},         {6, 5, false},          {0x07fffffe, 0x07ffffff, true},
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++)
		assert_int_equal(seq_less(rows[i].a, rows[i].b), rows[i].less);
}

static void test_sequence_arithmetic(void **state)
{
	assert_int_equal(seq_add(SEQ_MAX, 1), 0);
	assert_int_equal(seq_sub(0, 1), SEQ_MAX);
	assert_int_equal(seq_sub(2, SEQ_MAX), 3);
	assert_int_equal(seq_length(3, 3), 1);
	assert_int_equal(seq_length(3, 7), 5);
	assert_int_equal(seq_length(SEQ_MAX, 0), 2);
	assert_int_equal(seq_length(SEQ_MAX - 1, 1), 4);
}

/* --- section 14.2 --- */

static void check_control(const char *hex, enum control_type type, uint32_t seq)
{
	size_t len;
	_cleanup_free_ uint8_t *bytes = hex_bytes(hex, &len);
	struct control_packet control;
	uint8_t buf[CONTROL_MAX];

	assert_true(datagram_is_control(bytes));
	assert_int_equal(control_decode(bytes, len, &control), 0);
	assert_int_equal(control.type, type);
	assert_int_equal(control.seq, seq);
	assert_bytes_hex(buf, control_encode(&control, buf), hex);
}

static void test_control_packets(void **state)
{
	uint8_t padded[PACKET_MAX] = {0x00, 0x00, 0x03, 0x80};
	struct control_packet control;

	check_control("00000180 56341200", CONTROL_HANDSHAKE, 0x0123456);
	check_control("00000280 56341200", CONTROL_HANDSHAKE_ACK, 0x0123456);
	check_control("00000080 feffff07", CONTROL_ACK, 0x7fffffe);
	check_control("00000380", CONTROL_HANDSHAKE_REQUEST, 0);

	/* The SDK's handshake request. */
	assert_int_equal(control_decode(padded, sizeof(padded), &control), 0);
	assert_int_equal(control.type, CONTROL_HANDSHAKE_REQUEST);
}

static void test_malformed_control_packets(void **state)
{
	static const char *const packets[] = {
		"",
		"000003",
		"00000480",
		"00000080",
		"00000080 feffff",
		"00000180 00000008",
		"0000ff80 00000000",
		"00000000 00000000",
	};
	struct control_packet control;

	for (size_t i = 0; i < ELEMENTSOF(packets); i++) {
		size_t len;
		_cleanup_free_ uint8_t *bytes = hex_bytes(packets[i], &len);

		assert_int_equal(control_decode(bytes, len, &control), -EBADMSG);
	}
}

/* --- section 14.3 and 02 section 18 --- */

struct data_vector {
	const char *hex;
	struct udt_header udt;
	uint8_t type;
	uint16_t source;
	bool unsigned_hash; /* written with a zero hash */
	const char *payload;
};

static const struct data_vector data_vectors[] = {
	{"56341240 13 16 0100 2f", {.reliable = true, .seq = 0x123456}, 19, 0, false, "0100 2f"},
	{"03000000 37 16 3412", {.seq = 3}, 55, 0x1234, false, ""},
	{"57341240 43 16 3412 112233445566778899aabbccddeeff00 03000000",
	 {.reliable = true, .seq = 0x123457},
	 67,
	 0x1234,
	 false,
	 "112233445566778899aabbccddeeff00 03000000"},
	{"ffffff47 49 16 3412 5c6b94693aab916b07885bc1b5823f09 01",
	 {.reliable = true, .seq = 0x7ffffff},
	 73,
	 0x1234,
	 false,
	 "01"},
	{"04000000 04 16 3412 88ebdc60229bab45c87bea8109adbfcd 02 0102030405060708 "
	 "1112131415161718",
	 {.seq = 4},
	 4,
	 0x1234,
	 false,
	 "02 0102030405060708 1112131415161718"},
	{"05000000 03 12 2222 00000000000000000000000000000000 02 0807060504030201 "
	 "0000000000000000",
	 {.seq = 5},
	 3,
	 0x2222,
	 true,
	 "02 0807060504030201 0000000000000000"},
	{"00010060 01000000 00000000 3a 16 3412 3cc298345d367649844300401f5b930d "
	 "636f6d2e6578616d706c652e63686174",
	 {.reliable = true,
	  .in_message = true,
	  .seq = 0x100,
	  .position = MESSAGE_ONLY,
	  .message = 1},
	 58,
	 0x1234,
	 false,
	 "636f6d2e6578616d706c652e63686174"},
	/* 02 section 18: headers only */
	{"01000000 1f 1b", {.seq = 1}, 31, 0, false, ""},
	{"02000000 0d 17 3412", {.seq = 2}, 13, 0x1234, false, ""},
	{"01000000 02 19", {.seq = 1}, 2, 0, false, ""},
	{"02000000 15 13", {.seq = 2}, 21, 0, false, ""},
	{"e8030040 38 16 a0a1a2a3a4a5a6a7a8a9aaabacadaeaf",
	 {.reliable = true, .seq = 0x3e8},
	 56,
	 0,
	 false,
	 "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf"},
	{"03000000 2e 16 0f0e0d0c0b0a09080706050403020100",
	 {.seq = 3},
	 46,
	 0,
	 false,
	 "0f0e0d0c0b0a09080706050403020100"},
	{"04000000 10 13 04", {.seq = 4}, 16, 0, false, "04"},
	{"e9030040 14 16 0100 2f", {.reliable = true, .seq = 0x3e9}, 20, 0, false, "0100 2f"},
};

static void assert_udt_equal(const struct udt_header *a, const struct udt_header *b)
{
	assert_int_equal(a->reliable, b->reliable);
	assert_int_equal(a->in_message, b->in_message);
	assert_int_equal(a->obfuscation, b->obfuscation);
	assert_int_equal(a->seq, b->seq);
	assert_int_equal(a->position, b->position);
	assert_int_equal(a->message, b->message);
	assert_int_equal(a->part, b->part);
}

static void test_decodes_data_packets(void **state)
{
	struct hmac_key key = secret_key();

	for (size_t i = 0; i < ELEMENTSOF(data_vectors); i++) {
		const struct data_vector *v = &data_vectors[i];
		size_t len;
		_cleanup_free_ uint8_t *bytes = hex_bytes(v->hex, &len);
		struct packet p;

		assert_false(datagram_is_control(bytes));
		assert_int_equal(packet_decode(bytes, len, false, &p), 0);
		assert_udt_equal(&p.udt, &v->udt);
		assert_int_equal(p.type, v->type);
		assert_int_equal(p.version, p.info->version[DIALECT_VIRCADIA]);
		assert_int_equal(p.source, v->source);
		assert_bytes_hex(p.payload.data, p.payload.len, v->payload);
		assert_int_equal(p.hash != NULL, packet_flags_verified(p.info->flags));
		if (p.hash)
			assert_int_equal(hmac_verify(&key, p.payload, p.hash), !v->unsigned_hash);
	}
}

static void test_encodes_data_packets(void **state)
{
	struct hmac_key key = secret_key();

	for (size_t i = 0; i < ELEMENTSOF(data_vectors); i++) {
		const struct data_vector *v = &data_vectors[i];
		size_t len;
		_cleanup_free_ uint8_t *payload = hex_bytes(v->payload, &len);
		struct packet_seal seal = {.type = v->type,
					   .dialect = DIALECT_VIRCADIA,
					   .source = v->source,
					   .key = v->unsigned_hash ? NULL : &key};
		struct span pieces[] = {{payload, len / 2}, {payload + len / 2, len - len / 2}};
		uint8_t datagram[PACKET_MAX];
		size_t n;

		n = udt_header_encode(&v->udt, datagram);
		n += packet_seal_encode(&seal, pieces, ELEMENTSOF(pieces), datagram + n);
		memcpy(datagram + n, payload, len);
		assert_bytes_hex(datagram, n + len, v->hex);
	}
}

static void test_hash_of_the_signed_ping(void **state)
{
	struct hmac_key key = secret_key();
	_cleanup_free_ uint8_t *payload = hex_bytes("02 0807060504030201 0000000000000000", NULL);
	struct span piece = {payload, 17};
	uint8_t hash[HMAC_LEN];

	hmac_compute(&key, &piece, 1, hash);
	assert_bytes_hex(hash, HMAC_LEN, "4a05e2507aa9edc9340f1724ce95fcaf");
}

static void test_malformed_data_packets(void **state)
{
	static const char *const packets[] = {
		"",                                                   /* nothing */
		"000000",                                             /* no UDT word */
		"00000000",                                           /* no type */
		"00000000 03",                                        /* no version */
		"00000000 03 12 22",                                  /* half a source */
		"00000000 03 12 2222 000000000000000000000000000000", /* 15 bytes of hash */
		"00000000 6a 16 0000",                                /* type 106 */
		"00000020 01000000 00000000 13 16", /* unreliable part of a message */
		"00000060 01000000 000000",         /* half a message header */
		"00000080 00000000",                /* a control packet */
	};
	struct packet p;

	for (size_t i = 0; i < ELEMENTSOF(packets); i++) {
		size_t len;
		_cleanup_free_ uint8_t *bytes = hex_bytes(packets[i], &len);

		assert_int_equal(packet_decode(bytes, len, false, &p), -EBADMSG);
		assert_int_equal(packet_decode(bytes, len, true, &p), -EBADMSG);
	}
}

static void test_version_is_the_callers_business(void **state)
{
	_cleanup_free_ uint8_t *bytes = hex_bytes("01000000 02 63", NULL);
	struct packet p;

	assert_int_equal(packet_decode(bytes, 6, false, &p), 0);
	assert_int_equal(p.version, 0x63);
}

/* --- section 14.4 --- */

static void test_message_parts(void **state)
{
	static const struct {
		const char *header;
		enum message_position position;
		size_t len;
	} parts[] = {
		{"00020060 02000080 00000000 39 12 3412 78846bc9a38d41612a55578cf34f5ae0",
		 MESSAGE_FIRST, 1432},
		{"01020060 020000c0 01000000 39 12 3412 78846bc9a38d41612a55578cf34f5ae0",
		 MESSAGE_MIDDLE, 1432},
		{"02020060 02000040 02000000 39 12 3412 082a85aa62db0247768a9ecd2dfdc73c",
		 MESSAGE_LAST, 1136},
	};
	struct hmac_key key = secret_key();

	for (uint32_t i = 0; i < ELEMENTSOF(parts); i++) {
		struct udt_header udt = {.reliable = true,
					 .in_message = true,
					 .seq = 0x200 + i,
					 .position = parts[i].position,
					 .message = 2,
					 .part = i};
		struct packet_seal seal = {
			.type = PACKET_MESSAGES_DATA, .source = 0x1234, .key = &key};
		uint8_t datagram[PACKET_MAX];
		struct packet p;
		size_t n;

		memset(datagram, 0x41, sizeof(datagram));
		n = udt_header_encode(&udt, datagram);
		n += packet_seal_encode(&seal,
					&(struct span){datagram + PACKET_HEADER_MAX, parts[i].len},
					1, datagram + n);
		assert_bytes_hex(datagram, n, parts[i].header);

		assert_int_equal(packet_decode(datagram, n + parts[i].len, false, &p), 0);
		assert_udt_equal(&p.udt, &udt);
		assert_int_equal(p.payload.len, parts[i].len);
		assert_true(hmac_verify(&key, p.payload, p.hash));
	}
}

/* --- sections 14.5 and 14.6 --- */

static void test_obfuscation_levels(void **state)
{
	static const char *const levels[] = {
		"56341240 13160a002f616263646566676869",
		"56341248 677379734613000010001514011b",
		"56341250 727278615d080010050114061a00",
		"56341258 7d77676649140a110a040b010e1c",
	};

	for (unsigned level = 0; level < ELEMENTSOF(levels); level++) {
		size_t len;
		_cleanup_free_ uint8_t *ours = hex_bytes(levels[0], NULL),
				       *bytes = hex_bytes(levels[level], &len);
		struct packet p;

		packet_obfuscate(ours + 4, len - 4, level);
		assert_bytes_hex(ours + 4, len - 4, levels[level] + strlen("56341240"));

		assert_int_equal(packet_decode(bytes, len, false, &p), 0);
		assert_int_equal(p.udt.obfuscation, level);
		assert_int_equal(p.type, PACKET_DOMAIN_SERVER_PATH_QUERY);
		assert_int_equal(p.version, 22);
		assert_bytes_hex(p.payload.data, p.payload.len, "0a002f616263646566676869");
	}
}

static const char *const sdk_resends[] = {
	"172fe841131601002f", "172fe841131601002f", "172fe841131601002f", "172fe8496773727346",
	"172fe8510617001234", "172fe85968766d7452", "172fe85968766d7452", "172fe8491c131e073b",
	"172fe8517d776c6649", "172fe859131601002f", "172fe859131601002f", "172fe8496773727346",
};

static void test_sdk_resends_are_repaired(void **state)
{
	for (size_t i = 0; i < ELEMENTSOF(sdk_resends); i++) {
		size_t len;
		_cleanup_free_ uint8_t *bytes = hex_bytes(sdk_resends[i], &len),
				       *plain = hex_bytes(sdk_resends[i], NULL);
		struct packet p;
		int r;

		assert_int_equal(packet_decode(bytes, len, true, &p), 0);
		assert_int_equal(p.udt.seq, 0x1e82f17);
		assert_int_equal(p.type, PACKET_DOMAIN_SERVER_PATH_QUERY);
		assert_int_equal(p.version, 22);
		assert_bytes_hex(p.payload.data, p.payload.len, "01002f");

		/* By the rules alone, 5 to 11 are unreadable. */
		r = packet_decode(plain, len, false, &p);
		assert_int_equal(r == 0 && p.type == 19 && p.version == 22, i < 4 || i == 11);
	}
}

/* Every type a web client sends reliably, in every mix of keys the SDK produces. Some mixes turn
 * one known type into another, which must not win. */
static void test_repair_finds_the_type_that_was_sent(void **state)
{
	static const uint8_t types[] = {
		PACKET_DOMAIN_SERVER_PATH_QUERY,
		PACKET_NODE_KICK_REQUEST,
		PACKET_NODE_MUTE_REQUEST,
		PACKET_NODE_IGNORE_REQUEST,
		PACKET_MESSAGES_DATA,
		PACKET_MESSAGES_SUBSCRIBE,
		PACKET_MESSAGES_UNSUBSCRIBE,
		PACKET_AVATAR_IDENTITY,
		PACKET_SET_AVATAR_TRAITS,
		PACKET_BULK_AVATAR_TRAITS_ACK,
		PACKET_INJECTOR_GAIN_SET,
		PACKET_PER_AVATAR_GAIN_SET,
		PACKET_NEGOTIATE_AUDIO_FORMAT,
		PACKET_ENTITY_SCRIPT_CALL_METHOD,
		PACKET_ENTITY_EDIT,
		PACKET_ASSET_MAPPING_OPERATION,
		PACKET_REQUESTS_DOMAIN_LIST_DATA,
	};

	for (size_t i = 0; i < ELEMENTSOF(types); i++) {
		for (unsigned mix = 0; mix < 8; mix++) {
			struct packet_seal seal = {.type = types[i], .source = 7};
			struct udt_header udt = {
				.reliable = true, .obfuscation = 1 + mix % 3, .seq = 9};
			uint8_t datagram[PACKET_HEADER_MAX];
			size_t n = udt_header_encode(&udt, datagram);
			struct packet p;

			n += packet_seal_encode(&seal, NULL, 0, datagram + n);
			for (unsigned level = 1; level <= 3; level++)
				if (mix & 1U << (level - 1))
					packet_obfuscate(datagram + 4, n - 4, level);
			assert_int_equal(packet_decode(datagram, n, true, &p), 0);
			assert_int_equal(p.type, types[i]);
			assert_int_equal(p.version,
					 packet_info_find(types[i])->version[DIALECT_VIRCADIA]);
		}
	}
}

static void test_nothing_else_is_repaired(void **state)
{
	static const char *const packets[] = {
		"172fe809 1c131e073b", /* unreliable */
		"172fe841 1c131e073b", /* level 0 */
	};

	for (size_t i = 0; i < ELEMENTSOF(packets); i++) {
		size_t len;
		_cleanup_free_ uint8_t *bytes = hex_bytes(packets[i], &len);
		struct packet p;
		int r = packet_decode(bytes, len, true, &p);

		assert_true(r == -EBADMSG || p.type != PACKET_DOMAIN_SERVER_PATH_QUERY);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sequence_order),
		cmocka_unit_test(test_sequence_arithmetic),
		cmocka_unit_test(test_control_packets),
		cmocka_unit_test(test_malformed_control_packets),
		cmocka_unit_test(test_decodes_data_packets),
		cmocka_unit_test(test_encodes_data_packets),
		cmocka_unit_test(test_hash_of_the_signed_ping),
		cmocka_unit_test(test_malformed_data_packets),
		cmocka_unit_test(test_version_is_the_callers_business),
		cmocka_unit_test(test_message_parts),
		cmocka_unit_test(test_obfuscation_levels),
		cmocka_unit_test(test_sdk_resends_are_repaired),
		cmocka_unit_test(test_repair_finds_the_type_that_was_sent),
		cmocka_unit_test(test_nothing_else_is_repaired),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
