/* SetAvatarTraits messages, one after the other, and what a listener that acknowledges some is
 * sent. */
#include "avatar/traits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The input is a row of messages: u16 length, u8 what else happens, bytes. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(model_whitelist_freep) struct model_whitelist *whitelist = NULL;
	_cleanup_(writer_done) struct writer wr = writer_growing(1 << 20);
	struct avatar_trait_listener listener = {0};
	struct avatar_traits traits = {0};
	struct reader rd = reader_over(data, size);

	if (model_whitelist_parse("a.b/c", &whitelist) < 0)
		return 0;
	for (uint32_t tick = 1; reader_left(&rd) > 0; tick++) {
		size_t len = read_u16le(&rd);
		uint8_t what = read_u8(&rd);
		struct span message = read_span(&rd, MIN(len, reader_left(&rd)));
		struct avatar_trait_rules rules = {.may_have_entities = what & 1,
						   .whitelist = what & 2 ? whitelist : NULL,
						   .replacement = "https://a.b/c"};
		bool replaced;

		(void) avatar_traits_apply(&traits, message.data, message.len, &rules, tick,
					   &replaced);
		if (what & 4)
			avatar_traits_drop_entities(&traits, tick);
		wr.len = 0;
		(void) avatar_traits_write(&traits, &UUID_NULL, &listener, tick, tick, &wr);
		if (what & 8)
			avatar_trait_listener_acknowledge(&listener, tick);
		else if (what & 16)
			avatar_trait_listener_lost(&listener, tick);
		else if (what & 32)
			avatar_trait_listener_reset(&listener);
	}
	avatar_trait_listener_reset(&listener);
	avatar_traits_done(&traits);
	return 0;
}
