#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "offers.h"
#include "webrtc/sdp.h"

#define SHA256_ZEROS                                                                              \
	"00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:" \
	"00:00:00"
#define HEAD    "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
#define MEDIA   "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n"
#define UFRAG   "a=ice-ufrag:abcd\r\n"
#define PRINT   "a=fingerprint:sha-256 " SHA256_ZEROS "\r\n"
#define MID     "a=mid:data\r\n"
#define MINIMAL HEAD MEDIA UFRAG PRINT MID

static int parse(const char *text, struct sdp_offer *ret)
{
	return sdp_offer_parse(span_of(text, strlen(text)), ret);
}

static void test_real_offers(void **state)
{
	static const uint8_t node[] = {0x6C, 0x6A, 0xBD, 0xE9},
			     chromium[] = {0x10, 0x84, 0x41, 0xF0};
	struct sdp_offer offer;

	assert_int_equal(parse(OFFER_NODE, &offer), 0);
	assert_string_equal(offer.ufrag, "GHrl");
	assert_string_equal(offer.mid, "0");
	assert_string_equal(offer.transport, "UDP/DTLS/SCTP");
	assert_true(offer.bundled);
	assert_int_equal(offer.sctp_port, 5000);
	assert_int_equal(offer.n_fingerprints, 1);
	assert_int_equal(offer.fingerprints[0].hash, SDP_SHA256);
	assert_int_equal(offer.fingerprints[0].len, 32);
	assert_memory_equal(offer.fingerprints[0].digest, node, sizeof(node));
	assert_int_equal(offer.fingerprints[0].digest[31], 0xE4);

	assert_int_equal(parse(OFFER_CHROMIUM, &offer), 0);
	assert_string_equal(offer.ufrag, "Kupw");
	assert_memory_equal(offer.fingerprints[0].digest, chromium, sizeof(chromium));
}

static void test_accepted_variants(void **state)
{
	static const char *const texts[] = {
		MINIMAL,
		MINIMAL "a=setup:active\r\n",
		HEAD UFRAG PRINT MEDIA MID, /* at session level */
		HEAD "m=application 1 DTLS/SCTP webrtc-datachannel\r\n" UFRAG PRINT MID,
		MINIMAL "a=fingerprint:sha-1 00:00\r\n",
		MINIMAL "a=\r\na\r\n\r\nnonsense\r\n=\r\n",
		"v=0\n" MEDIA UFRAG PRINT "a=mid:data", /* LF only, no last line end */
		HEAD MEDIA UFRAG MID "a=fingerprint:SHA-256 " SHA256_ZEROS "\r\n",
	};
	struct sdp_offer offer;

	for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
		if (parse(texts[i], &offer) != 0)
			fail_msg("refused: %s", texts[i]);
		assert_string_equal(offer.mid, "data");
		assert_int_equal(offer.sctp_port, 5000);
	}
	assert_int_equal(parse(MINIMAL "a=sctp-port:65535\r\n", &offer), 0);
	assert_int_equal(offer.sctp_port, 65535);
	assert_false(offer.bundled);
}

static void test_refused_variants(void **state)
{
	static const char *const texts[] = {
		"",
		"v=1\r\n",
		HEAD MEDIA UFRAG PRINT,                               /* no mid */
		HEAD MEDIA UFRAG MID,                                 /* no fingerprint */
		HEAD MEDIA PRINT MID,                                 /* no ufrag */
		HEAD UFRAG PRINT MID,                                 /* no m-line */
		HEAD MEDIA UFRAG MID "a=fingerprint:sha-1 00:00\r\n", /* no hash we take */
		MINIMAL MEDIA,
		MINIMAL "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n",
		HEAD "m=application 9 UDP/DTLS/SCTP other\r\n" UFRAG PRINT MID,
		HEAD "m=application 9 RTP webrtc-datachannel\r\n" UFRAG PRINT MID,
		HEAD "m=application\r\n" UFRAG PRINT MID,
		MINIMAL "a=setup:passive\r\n", /* nobody would start */
		MINIMAL "a=sctp-port:0\r\n",
		MINIMAL "a=sctp-port:65536\r\n",
		MINIMAL "a=sctp-port:\r\n",
		MINIMAL "a=sctp-port:5x\r\n",
		MINIMAL "a=ice-ufrag:\r\n",
		MINIMAL "a=ice-ufrag:a b\r\n",
		MINIMAL "a=mid:a\x01z\r\n", /* would be repeated in the answer */
		MINIMAL "a=mid:a\xc3\xa4\r\n",
		HEAD MEDIA UFRAG MID "a=fingerprint:sha-256 00:11\r\n",
		HEAD MEDIA UFRAG MID "a=fingerprint:sha-256 G0" SHA256_ZEROS "\r\n",
		HEAD MEDIA UFRAG MID "a=fingerprint:sha-512 " SHA256_ZEROS "\r\n",
		MINIMAL PRINT PRINT PRINT PRINT, /* five */
	};
	struct sdp_offer offer;

	for (size_t i = 0; i < ELEMENTSOF(texts); i++)
		if (parse(texts[i], &offer) != -EBADMSG)
			fail_msg("accepted: %s", texts[i]);
}

static void test_long_tokens(void **state)
{
	struct sdp_offer offer;
	char text[1024];

	(void) snprintf(text, sizeof(text), MINIMAL "a=ice-ufrag:%0*d\r\n", SDP_UFRAG_MAX, 0);
	assert_int_equal(parse(text, &offer), 0);
	(void) snprintf(text, sizeof(text), MINIMAL "a=ice-ufrag:%0*d\r\n", SDP_UFRAG_MAX + 1, 0);
	assert_int_equal(parse(text, &offer), -EBADMSG);
	(void) snprintf(text, sizeof(text), MINIMAL "a=mid:%0*d\r\n", SDP_MID_MAX, 0);
	assert_int_equal(parse(text, &offer), 0);
	(void) snprintf(text, sizeof(text), MINIMAL "a=mid:%0*d\r\n", SDP_MID_MAX + 1, 0);
	assert_int_equal(parse(text, &offer), -EBADMSG);
}

/* 02 section 14.6, with a second candidate and of the other family. */
static void test_answer(void **state)
{
	_cleanup_free_ char *text = NULL;
	struct hifi_addr candidates[2];
	struct sdp_offer offer;
	struct sdp_answer answer = {
		.offer = &offer,
		.session_id = 1234567890,
		.ufrag = "Fu8v",
		.pwd = "X9fgzWd58hgRw9pwa1ntoRsw",
		.fingerprint = "3B:55",
		.candidates = candidates,
		.n_candidates = 2,
		.port = 40102,
		.max_message_size = 262144,
	};

	assert_int_equal(parse(OFFER_NODE, &offer), 0);
	assert_int_equal(hifi_addr_parse("192.0.2.2:1", SOCKET_TYPE_UDP, &candidates[0]), 0);
	assert_int_equal(hifi_addr_parse("[2001:db8::2]:1", SOCKET_TYPE_UDP, &candidates[1]), 0);
	assert_int_equal(sdp_answer_format(&answer, &text), 0);
	assert_string_equal(text, "v=0\r\n"
				  "o=- 1234567890 2 IN IP4 127.0.0.1\r\n"
				  "s=-\r\n"
				  "t=0 0\r\n"
				  "a=ice-lite\r\n"
				  "a=group:BUNDLE 0\r\n"
				  "a=msid-semantic: WMS\r\n"
				  "m=application 40102 UDP/DTLS/SCTP webrtc-datachannel\r\n"
				  "c=IN IP4 192.0.2.2\r\n"
				  "a=candidate:1 1 udp 2130706431 192.0.2.2 40102 typ host\r\n"
				  "a=candidate:2 1 udp 2130706175 2001:db8::2 40102 typ host\r\n"
				  "a=ice-ufrag:Fu8v\r\n"
				  "a=ice-pwd:X9fgzWd58hgRw9pwa1ntoRsw\r\n"
				  "a=fingerprint:sha-256 3B:55\r\n"
				  "a=setup:passive\r\n"
				  "a=mid:0\r\n"
				  "a=sctp-port:5000\r\n"
				  "a=max-message-size:262144\r\n");
}

static void test_answer_follows_offer(void **state)
{
	_cleanup_free_ char *text = NULL;
	struct hifi_addr candidate;
	struct sdp_offer offer;
	struct sdp_answer answer = {
		.offer = &offer,
		.ufrag = "u",
		.pwd = "p",
		.fingerprint = "3B",
		.candidates = &candidate,
		.n_candidates = 1,
		.port = 1,
	};

	assert_int_equal(parse(HEAD
			       "m=application 1 DTLS/SCTP webrtc-datachannel\r\n" UFRAG PRINT MID,
			       &offer),
			 0);
	assert_int_equal(hifi_addr_parse("[2001:db8::2]:1", SOCKET_TYPE_UDP, &candidate), 0);
	assert_int_equal(sdp_answer_format(&answer, &text), 0);
	assert_null(strstr(text, "BUNDLE"));
	assert_non_null(strstr(text, "m=application 1 DTLS/SCTP webrtc-datachannel\r\n"));
	assert_non_null(strstr(text, "c=IN IP6 2001:db8::2\r\n"));
	assert_non_null(strstr(text, "a=mid:data\r\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_real_offers),
		cmocka_unit_test(test_accepted_variants),
		cmocka_unit_test(test_refused_variants),
		cmocka_unit_test(test_long_tokens),
		cmocka_unit_test(test_answer),
		cmocka_unit_test(test_answer_follows_offer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
