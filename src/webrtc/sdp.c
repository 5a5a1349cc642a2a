#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "webrtc/sdp.h"

#define SCTP_PORT_DEFAULT 5000
/* RFC 8445 section 5.1.2.1: type preference 126 (host), component 1; the local preference counts
 * down. */
#define PRIORITY_FIRST UINT32_C(2130706431)
#define PRIORITY_STEP  256

static bool span_is(struct span s, const char *text)
{
	return s.len == strlen(text) && memcmp(s.data, text, s.len) == 0;
}

static bool span_is_nocase(struct span s, const char *text)
{
	return s.len == strlen(text) && strncasecmp((const char *) s.data, text, s.len) == 0;
}

/* What comes before the separator; rest becomes what comes after it (empty without one). */
static struct span take_until(struct span *rest, char separator)
{
	const uint8_t *end = rest->len > 0 ? memchr(rest->data, separator, rest->len) : NULL;
	struct span taken = *rest;

	if (!end) {
		*rest = (struct span){0};
		return taken;
	}
	taken.len = (size_t) (end - rest->data);
	*rest = span_of(end + 1, rest->len - taken.len - 1);
	return taken;
}

static struct span take_line(struct span *rest)
{
	struct span line = take_until(rest, '\n');

	if (line.len > 0 && line.data[line.len - 1] == '\r')
		line.len--;
	return line;
}

/* Characters that need no quoting in an answer: printable, no space. */
static int copy_token(struct span s, char *ret, size_t max)
{
	if (s.len == 0 || s.len > max)
		return -EBADMSG;
	for (size_t i = 0; i < s.len; i++)
		if (s.data[i] <= ' ' || s.data[i] > '~')
			return -EBADMSG;
	memcpy(ret, s.data, s.len);
	ret[s.len] = '\0';
	return 0;
}

static int parse_port(struct span s, uint16_t *ret)
{
	uint32_t port = 0;

	if (s.len == 0 || s.len > 5)
		return -EBADMSG;
	for (size_t i = 0; i < s.len; i++) {
		if (!isdigit(s.data[i]))
			return -EBADMSG;
		port = port * 10 + (s.data[i] - '0');
	}
	if (port == 0 || port > UINT16_MAX)
		return -EBADMSG;
	*ret = (uint16_t) port;
	return 0;
}

static int hex_digit(uint8_t c)
{
	if (isdigit(c))
		return c - '0';
	c = (uint8_t) toupper(c);
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* "AB:CD:…", exactly len bytes. */
static int parse_digest(struct span s, size_t len, uint8_t *ret)
{
	if (s.len != len * 3 - 1)
		return -EBADMSG;
	for (size_t i = 0; i < len; i++) {
		int high = hex_digit(s.data[i * 3]), low = hex_digit(s.data[i * 3 + 1]);

		if (high < 0 || low < 0 || (i + 1 < len && s.data[i * 3 + 2] != ':'))
			return -EBADMSG;
		ret[i] = (uint8_t) (high << 4 | low);
	}
	return 0;
}

static int parse_fingerprint(struct span value, struct sdp_offer *offer)
{
	static const struct {
		const char *name;
		enum sdp_hash hash;
		size_t len;
	} hashes[] = {
		{"sha-256", SDP_SHA256, 32},
		{"sha-384", SDP_SHA384, 48},
		{"sha-512", SDP_SHA512, 64},
	};
	struct span name = take_until(&value, ' ');

	for (size_t i = 0; i < ELEMENTSOF(hashes); i++) {
		struct sdp_fingerprint *f = &offer->fingerprints[offer->n_fingerprints];

		if (!span_is_nocase(name, hashes[i].name))
			continue;
		if (offer->n_fingerprints == SDP_FINGERPRINTS_MAX)
			return -EBADMSG;
		f->hash = hashes[i].hash;
		f->len = hashes[i].len;
		offer->n_fingerprints++;
		return parse_digest(value, f->len, f->digest);
	}
	return 0; /* a hash we do not take: another line may have one */
}

static int parse_attribute(struct span value, struct sdp_offer *offer)
{
	struct span name = take_until(&value, ':');

	if (span_is(name, "ice-ufrag"))
		return copy_token(value, offer->ufrag, SDP_UFRAG_MAX);
	if (span_is(name, "mid"))
		return copy_token(value, offer->mid, SDP_MID_MAX);
	if (span_is(name, "fingerprint"))
		return parse_fingerprint(value, offer);
	if (span_is(name, "sctp-port"))
		return parse_port(value, &offer->sctp_port);
	/* We are always the DTLS server, so the peer must be able to be the client. */
	if (span_is(name, "setup"))
		return span_is(value, "actpass") || span_is(value, "active") ? 0 : -EBADMSG;
	if (span_is(name, "group"))
		offer->bundled |= span_is(take_until(&value, ' '), "BUNDLE");
	return 0;
}

static int parse_media(struct span value, struct sdp_offer *offer)
{
	static const char *const transports[] = {"UDP/DTLS/SCTP", "TCP/DTLS/SCTP", "DTLS/SCTP"};
	struct span media = take_until(&value, ' ');
	struct span transport;

	if (offer->transport) /* a second m-line */
		return -EBADMSG;
	(void) take_until(&value, ' '); /* the port says nothing with ICE */
	transport = take_until(&value, ' ');
	if (!span_is(media, "application") || !span_is(value, "webrtc-datachannel"))
		return -EBADMSG;
	for (size_t i = 0; i < ELEMENTSOF(transports); i++)
		if (span_is(transport, transports[i]))
			offer->transport = transports[i];
	return offer->transport ? 0 : -EBADMSG;
}

int sdp_offer_parse(struct span text, struct sdp_offer *ret)
{
	struct sdp_offer offer = {.sctp_port = SCTP_PORT_DEFAULT};
	int r = 0;

	if (!span_is(take_line(&text), "v=0"))
		return -EBADMSG;
	while (text.len > 0) {
		struct span value = take_line(&text);
		struct span type = take_until(&value, '=');

		if (span_is(type, "m"))
			r = parse_media(value, &offer);
		else if (span_is(type, "a"))
			r = parse_attribute(value, &offer);
		if (r < 0)
			return r;
	}
	if (!offer.transport || !offer.ufrag[0] || !offer.mid[0] || offer.n_fingerprints == 0)
		return -EBADMSG;

	*ret = offer;
	return 0;
}

static const char *family_of(const struct hifi_addr *addr)
{
	return hifi_addr_is_ipv4(addr) ? "IP4" : "IP6";
}

static void write_answer(FILE *f, const struct sdp_answer *answer)
{
	const struct sdp_offer *offer = answer->offer;
	const struct hifi_addr *first = &answer->candidates[0];
	char ip[HIFI_ADDR_TEXT_MAX];

	fprintf(f, "v=0\r\no=- %" PRIu64 " 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=ice-lite\r\n",
		answer->session_id);
	if (offer->bundled)
		fprintf(f, "a=group:BUNDLE %s\r\n", offer->mid);
	fprintf(f, "a=msid-semantic: WMS\r\nm=application %u %s webrtc-datachannel\r\n",
		answer->port, offer->transport);
	fprintf(f, "c=IN %s %s\r\n", family_of(first), hifi_addr_format_ip(first, ip));
	for (size_t i = 0; i < answer->n_candidates; i++)
		fprintf(f, "a=candidate:%zu 1 udp %" PRIu32 " %s %u typ host\r\n", i + 1,
			(uint32_t) (PRIORITY_FIRST - i * PRIORITY_STEP),
			hifi_addr_format_ip(&answer->candidates[i], ip), answer->port);
	fprintf(f, "a=ice-ufrag:%s\r\na=ice-pwd:%s\r\na=fingerprint:sha-256 %s\r\n", answer->ufrag,
		answer->pwd, answer->fingerprint);
	fprintf(f,
		"a=setup:passive\r\na=mid:%s\r\na=sctp-port:5000\r\na=max-message-size:%" PRIu32
		"\r\n",
		offer->mid, answer->max_message_size);
}

int sdp_answer_format(const struct sdp_answer *answer, char **ret)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	int failed;

	assert(answer->n_candidates > 0);
	if (!f)
		return -ENOMEM;
	write_answer(f, answer);
	failed = ferror(f);
	if (fclose(f) != 0 || failed)
		return -ENOMEM;

	*ret = TAKE_PTR(text);
	return 0;
}
