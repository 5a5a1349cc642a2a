/* The reader driven by its own input: the first byte of each step picks the operation. */
#include "base/bytes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader rd = reader_over(data, size);
	struct span s;

	while (reader_left(&rd) > 0) {
		switch (read_u8(&rd) % 9) {
		case 0:
			(void) read_u64le(&rd);
			break;
		case 1:
			(void) read_u32be(&rd);
			break;
		case 2:
			(void) read_f32le_finite(&rd);
			break;
		case 3:
			(void) read_f64be_finite(&rd);
			break;
		case 4:
			s = read_string32(&rd, 4096);
			free(utf8_sanitise(s.data, s.len));
			break;
		case 5:
			s = read_string16(&rd, 4096);
			(void) utf8_is_valid(s.data, s.len);
			break;
		case 6:
			(void) read_uuid(&rd);
			break;
		case 7:
			s = read_span(&rd, read_u8(&rd));
			free(utf8_sanitise(s.data, s.len));
			break;
		default:
			read_skip(&rd, read_u16le(&rd));
		}
	}
	return reader_finish(&rd) > 0;
}
