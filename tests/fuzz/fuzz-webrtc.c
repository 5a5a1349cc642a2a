/* Datagrams of a client whose address ICE has validated, and of one that still has to: STUN, DTLS,
 * and what is neither. The input is a sequence of u16 LE length + datagram; the top bit of the
 * length says who sends. In what the stranger sends, a run of 'U' is where our ufrag goes, so that
 * requests get past the look-up. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "webrtc/ice-lite.h"
#include "webrtc/webrtc.h"

#define OFFER                                                                                   \
	"v=0\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=ice-ufrag:peer\r\n"       \
	"a=fingerprint:sha-256 00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:" \
	"00:00:00:00:00:00:00:00:00:00:00\r\na=mid:0\r\n"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ignore_send(void *userdata, const struct hifi_addr *to, const void *data, size_t len)
{
	if (len > WEBRTC_DATAGRAM_MAX)
		abort();
}

static void ignore_open(void *userdata, const struct hifi_addr *addr, const struct hifi_addr *udp)
{
}

static void ignore_closed(void *userdata, const struct hifi_addr *addr,
			  enum webrtc_close_reason reason)
{
}

static void ignore_datagram(void *userdata, const struct hifi_addr *addr, uint8_t *data, size_t len,
			    uint64_t now_usec)
{
}

static const struct webrtc_ops ops = {
	.send = ignore_send,
	.channel_open = ignore_open,
	.channel_closed = ignore_closed,
	.datagram = ignore_datagram,
};

static void require(bool condition)
{
	if (!condition)
		abort();
}

/* An association whose peer is at udp: with an authenticated check, as the client would send. */
static void make_association(struct webrtc *w, const struct hifi_addr *udp,
			     char ret_ufrag[static 16])
{
	struct hifi_addr label = hifi_addr_from_ipv4(SOCKET_TYPE_WEBRTC, 0xC0000201, 5);
	_cleanup_free_ char *answer = NULL;
	char pwd[32], username[32];
	uint8_t request[256];
	StunMessage message;
	StunAgent agent;
	uint64_t before;
	size_t len;

	require(webrtc_offer(w, &label, OFFER, 1, &answer) == 0);
	require(sscanf(strstr(answer, "a=ice-ufrag:"), "a=ice-ufrag:%12s", ret_ufrag) == 1);
	require(sscanf(strstr(answer, "a=ice-pwd:"), "a=ice-pwd:%24s", pwd) == 1);
	(void) snprintf(username, sizeof(username), "%s:peer", ret_ufrag);

	stun_agent_init(&agent, (uint16_t[]){0}, STUN_COMPATIBILITY_RFC5389,
			STUN_AGENT_USAGE_SHORT_TERM_CREDENTIALS | STUN_AGENT_USAGE_USE_FINGERPRINT);
	stun_agent_init_request(&agent, &message, request, sizeof(request), STUN_BINDING);
	stun_message_append_bytes(&message, STUN_ATTRIBUTE_USERNAME, username, strlen(username));
	stun_message_append64(&message, STUN_ATTRIBUTE_ICE_CONTROLLING, 1);
	len = stun_agent_finish_message(&agent, &message, (uint8_t *) pwd, strlen(pwd));
	before = webrtc_stats(w)->stun_requests;
	require(webrtc_input(w, udp, request, len, 1) == WEBRTC_CONSUMED);
	require(webrtc_stats(w)->stun_requests == before + 1);
}

static void fill_in_ufrag(uint8_t *data, size_t len, const char *ufrag)
{
	for (size_t i = 0; i + ICE_UFRAG_LEN <= len; i++)
		if (memcmp(data + i, "UUUUUUUUUUUU", ICE_UFRAG_LEN) == 0)
			memcpy(data + i, ufrag, ICE_UFRAG_LEN);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct webrtc *w;
	static const struct hifi_addr candidate = {.type = SOCKET_TYPE_UDP, .ip = {[15] = 1}};
	struct hifi_addr known = hifi_addr_from_ipv4(SOCKET_TYPE_UDP, 0xCB007101, 1);
	struct hifi_addr stranger = hifi_addr_from_ipv4(SOCKET_TYPE_UDP, 0xCB007102, 2);
	struct reader rd = reader_over(data, size);
	uint64_t now_usec = 1;
	char ufrag[16] = {0};

	/* Making the certificate anew for each input would be all that is measured. */
	if (!w)
		require(webrtc_new(&(struct webrtc_options){.port = 1}, &ops, NULL, &w) == 0);
	webrtc_set_candidates(w, &candidate, 1);
	make_association(w, &known, ufrag);

	while (reader_left(&rd) > 0) {
		uint16_t head = read_u16le(&rd);
		struct span s = read_span(&rd, head & 0x7fff);
		_cleanup_free_ uint8_t *copy = malloc(s.len + 1);

		if (!copy || reader_check(&rd) < 0)
			break;
		if (s.len > 0)
			memcpy(copy, s.data, s.len);
		if (head & 0x8000)
			fill_in_ufrag(copy, s.len, ufrag);
		now_usec += 20 * USEC_PER_MSEC;
		(void) webrtc_input(w, head & 0x8000 ? &stranger : &known, copy, s.len, now_usec);
		webrtc_run(w, now_usec);
	}
	return 0;
}
