#include <stdlib.h>

#include "webrtc/dcep.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dcep_open open;

	if (dcep_open_decode(span_of(data, size), &open) == 0 &&
	    open.label.len + open.protocol.len + 12 != size)
		abort();
	return 0;
}
