/* Entity queries: whatever is accepted can be written again. */
#include "entity/entity-query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct writer wr = writer_growing(1 << 20);
	struct entity_query query;

	if (entity_query_decode(span_of(data, size), &query) >= 0) {
		entity_query_encode(&wr, &query);
		assert(writer_finish(&wr) == (ssize_t) size);
	}
	writer_done(&wr);
	return 0;
}
