#include <stdlib.h>
#include <string.h>

#include "webrtc/sdp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct hifi_addr candidate = {.type = SOCKET_TYPE_UDP, .ip = {[15] = 1}};
	_cleanup_free_ char *text = NULL;
	struct sdp_offer offer;
	struct sdp_answer answer = {
		.offer = &offer,
		.ufrag = "ufrag",
		.pwd = "pwd",
		.fingerprint = "00",
		.candidates = &candidate,
		.n_candidates = 1,
	};
	size_t lines = 0;

	if (sdp_offer_parse(span_of(data, size), &offer) < 0)
		return 0;
	/* Whatever is taken from an offer must not break the lines of the answer. */
	if (sdp_answer_format(&answer, &text) < 0)
		return 0;
	for (const char *c = text; *c; c++)
		lines += *c == '\n';
	if (lines != (offer.bundled ? 17 : 16))
		abort();
	return 0;
}
