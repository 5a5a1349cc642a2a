/* Qt's binary JSON: what can be read can be written, and reads back as the same object. */
#include <stdlib.h>

#include "base/qt-stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct writer wr = writer_growing(16 * size + 64);
	json_t *object = NULL, *back = NULL;

	if (qbjs_decode(data, size, &object) < 0)
		return 0;
	if (qbjs_encode(object, &wr) < 0 || qbjs_decode(wr.data, wr.len, &back) < 0 ||
	    json_object_size(object) != json_object_size(back))
		abort();
	json_decref(object);
	json_decref(back);
	writer_done(&wr);
	return 0;
}
