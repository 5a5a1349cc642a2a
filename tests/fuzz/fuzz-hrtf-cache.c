/* The cache of HRTF sets. The input patches a good one: 32 bits of place and 8 of value each, and
 * when its first byte is odd the checksum is made right again, so that what lies behind it is
 * reached. A second reading takes the input itself for a cache. */
#include <string.h>
#include <zlib.h>

#include "audio/hrtf.h"
#include "base/bytes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct hrtf_origin origin = {1, 2, 3};
static uint8_t *good;
static size_t good_len;

static void decode(const uint8_t *data, size_t size)
{
	struct hrtf *set = NULL;

	if (hrtf_cache_decode(data, size, &origin, &set) >= 0)
		hrtf_free(set);
}

static void make_good(void)
{
	_cleanup_(hrtf_freep) struct hrtf *set = NULL;

	if (hrtf_synthesise(&set) < 0)
		abort();
	good_len = (size_t) hrtf_cache_encode(set, &origin, &good);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t patched[2 << 20];
	struct reader rd = reader_over(data, size);
	bool mend = read_u8(&rd) & 1;
	struct writer wr;

	if (!good)
		make_good();
	decode(data, size);

	memcpy(patched, good, good_len);
	for (unsigned i = 0; i < 16 && reader_left(&rd) >= 5; i++) {
		size_t at = read_u32le(&rd) % good_len;

		patched[at] = read_u8(&rd);
	}
	if (mend) {
		wr = writer_over(patched + good_len - 4, 4);
		write_u32le(&wr, (uint32_t) crc32(0, patched, (uInt) (good_len - 4)));
	}
	decode(patched, good_len);
	return 0;
}
