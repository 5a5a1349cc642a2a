/* Chat messages: whatever is accepted, repaired or not, is relayed in a form that needs no repair.
 */
#include "node/messages-data.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct writer wr = writer_growing(1 << 21);
	struct messages_data message, again;

	if (messages_data_decode(span_of(data, size), &message) >= 0) {
		messages_data_encode(&wr, &message, &message.sender);
		assert(writer_finish(&wr) == (ssize_t) size);
		assert(messages_data_decode(span_of(wr.data, wr.len), &again) == 0);
		assert(again.channel.len == message.channel.len &&
		       again.data.len == message.data.len);
	}
	writer_done(&wr);
	return 0;
}
