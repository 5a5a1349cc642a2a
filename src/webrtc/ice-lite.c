#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <stun/usages/ice.h>
#include <sys/random.h>

#include "webrtc/ice-lite.h"

#define STUN_HEADER_LEN   20
#define STUN_USERNAME_MAX 513 /* RFC 8489 section 14.3 */
#define UFRAG_NUMBER_LEN  8

/* What a check may carry that we must understand; everything else mandatory gets a 420. */
static const uint16_t known_attributes[] = {
	STUN_ATTRIBUTE_USERNAME,
	STUN_ATTRIBUTE_MESSAGE_INTEGRITY,
	STUN_ATTRIBUTE_PRIORITY,
	STUN_ATTRIBUTE_USE_CANDIDATE,
	STUN_ATTRIBUTE_ICE_CONTROLLED,
	STUN_ATTRIBUTE_ICE_CONTROLLING,
	0,
};

void ice_lite_init(struct ice_lite *ice)
{
	stun_agent_init(&ice->agent, known_attributes, STUN_COMPATIBILITY_RFC5389,
			STUN_AGENT_USAGE_SHORT_TERM_CREDENTIALS | STUN_AGENT_USAGE_USE_FINGERPRINT);
}

static int random_ice_chars(char *ret, size_t len)
{
	/* The ice-char of RFC 8839: 64 of them, so the remainder has no bias. */
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint8_t bytes[ICE_PWD_LEN];

	assert(len <= sizeof(bytes));
	if (getrandom(bytes, len, 0) != (ssize_t) len)
		return -EIO;
	for (size_t i = 0; i < len; i++)
		ret[i] = alphabet[bytes[i] % 64];
	ret[len] = '\0';
	return 0;
}

int ice_credentials_generate(uint32_t number, struct ice_credentials *ret)
{
	int r;

	(void) snprintf(ret->ufrag, sizeof(ret->ufrag), "%08x", number);
	r = random_ice_chars(ret->ufrag + UFRAG_NUMBER_LEN, ICE_UFRAG_LEN - UFRAG_NUMBER_LEN);
	if (r < 0)
		return r;
	return random_ice_chars(ret->pwd, ICE_PWD_LEN);
}

static struct span find_username(struct span request)
{
	struct reader rd = reader_over(request.data, request.len);

	read_skip(&rd, STUN_HEADER_LEN);
	while (reader_left(&rd) > 0) {
		uint16_t type = read_u16be(&rd);
		uint16_t len = read_u16be(&rd);
		struct span value = read_span(&rd, len);

		read_skip(&rd, -len & 3);
		if (type == STUN_ATTRIBUTE_USERNAME && reader_check(&rd) == 0)
			return value;
	}
	return (struct span){0};
}

bool ice_username_number(struct span request, uint32_t *ret)
{
	struct span username = find_username(request);
	uint32_t number = 0;

	if (username.len <= ICE_UFRAG_LEN || username.data[ICE_UFRAG_LEN] != ':')
		return false;
	for (size_t i = 0; i < UFRAG_NUMBER_LEN; i++) {
		uint8_t c = username.data[i];

		if (c >= '0' && c <= '9')
			number = number << 4 | (uint32_t) (c - '0');
		else if (c >= 'a' && c <= 'f')
			number = number << 4 | (uint32_t) (c - 'a' + 10);
		else
			return false;
	}
	*ret = number;
	return true;
}

struct expected {
	const struct ice_credentials *credentials;
	const char *peer_ufrag;
};

static bool find_password(StunAgent *agent, StunMessage *message, uint8_t *username,
			  uint16_t username_len, uint8_t **ret_password, size_t *ret_len,
			  void *userdata)
{
	const struct expected *expected = userdata;
	char wanted[STUN_USERNAME_MAX + 1];
	int n = snprintf(wanted, sizeof(wanted), "%s:%s", expected->credentials->ufrag,
			 expected->peer_ufrag);

	if (n != username_len || memcmp(username, wanted, username_len) != 0)
		return false;
	*ret_password = (uint8_t *) expected->credentials->pwd;
	*ret_len = ICE_PWD_LEN;
	return true;
}

/* The mapped address of the reply must have the family the peer used, so no ::ffff:0:0/96 here. */
static socklen_t to_plain_sockaddr(const struct hifi_addr *addr, struct sockaddr_storage *ret)
{
	*ret = (struct sockaddr_storage){0};
	if (hifi_addr_is_ipv4(addr)) {
		struct sockaddr_in sin = {
			.sin_family = AF_INET,
			.sin_port = htons(addr->port),
			.sin_addr.s_addr = htonl(hifi_addr_ipv4(addr)),
		};

		memcpy(ret, &sin, sizeof(sin));
		return sizeof(sin);
	}
	struct sockaddr_in6 sin6 = hifi_addr_to_sockaddr(addr);

	memcpy(ret, &sin6, sizeof(sin6));
	return sizeof(sin6);
}

static enum ice_outcome reply_to(struct ice_lite *ice, StunMessage *request,
				 const struct hifi_addr *from, struct ice_check *check)
{
	struct sockaddr_storage source;
	socklen_t source_len = to_plain_sockaddr(from, &source);
	bool controlling = false;
	StunMessage reply;

	/* With tie-breaker 0 a peer that also claims to be controlled is told to switch (487). */
	check->reply_len = sizeof(check->reply);
	switch (stun_usage_ice_conncheck_create_reply(
		&ice->agent, request, &reply, check->reply, &check->reply_len, &source, source_len,
		&controlling, 0, STUN_USAGE_ICE_COMPATIBILITY_RFC5245)) {
	case STUN_USAGE_ICE_RETURN_SUCCESS:
		check->nominated = stun_usage_ice_conncheck_use_candidate(request);
		return ICE_ACCEPTED;
	case STUN_USAGE_ICE_RETURN_ROLE_CONFLICT:
		return ICE_REFUSED;
	default:
		check->reply_len = 0;
		return ICE_MALFORMED;
	}
}

void ice_lite_check(struct ice_lite *ice, const struct ice_credentials *credentials,
		    const char *peer_ufrag, const struct hifi_addr *from, struct span request,
		    struct ice_check *ret)
{
	struct expected expected = {credentials, peer_ufrag};
	StunMessage message, reply;

	ret->nominated = false;
	ret->reply_len = 0;
	switch (stun_agent_validate(&ice->agent, &message, request.data, request.len, find_password,
				    &expected)) {
	case STUN_VALIDATION_SUCCESS:
		ret->outcome = reply_to(ice, &message, from, ret);
		break;
	case STUN_VALIDATION_UNKNOWN_REQUEST_ATTRIBUTE:
		ret->outcome = ICE_REFUSED;
		ret->reply_len = stun_agent_build_unknown_attributes_error(
			&ice->agent, &reply, ret->reply, sizeof(ret->reply), &message);
		break;
	case STUN_VALIDATION_UNAUTHORIZED:
	case STUN_VALIDATION_UNAUTHORIZED_BAD_REQUEST:
		ret->outcome = ICE_UNAUTHENTICATED;
		break;
	default:
		ret->outcome = ICE_MALFORMED;
		break;
	}
	/* Whoever got hold of credentials cannot make us amplify. */
	if (ret->outcome == ICE_REFUSED && ret->reply_len > request.len)
		ret->reply_len = 0;
}
