/* Qt strings, byte arrays and compressed blocks, one after the other: the first byte of each
 * step picks. */
#include <stdlib.h>

#include "base/qt-stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was read as text must be writable, and read back as the same text. */
static void check_text(const char *text)
{
	struct writer wr = writer_growing(1 << 20);
	_cleanup_free_ char *back = NULL;
	struct reader rd;

	write_qstring(&wr, text);
	rd = reader_over(wr.data, wr.len);
	if (read_qstring(&rd, wr.len, &back) < 0 || strcmp(text, back) != 0)
		abort();
	writer_done(&wr);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader rd = reader_over(data, size);
	uint8_t out[4096];
	struct span s;

	while (reader_left(&rd) > 0) {
		_cleanup_free_ char *text = NULL;

		switch (read_u8(&rd) % 3) {
		case 0:
			if (read_qstring(&rd, 4096, &text) == 0)
				check_text(text);
			break;
		case 1:
			(void) read_qbytes(&rd, 4096);
			break;
		default:
			s = read_qbytes(&rd, 4096);
			(void) qcompress_decode(s.data, s.len, out, sizeof(out));
		}
	}
	return 0;
}
