/* A prepared set in a file: little-endian header, taps as f32, CRC-32 of all before it. Read as
 * what it is, bytes from outside. */
#include <errno.h>
#include <math.h>
#include <sys/stat.h>
#include <zlib.h>

#include "audio/hrtf-internal.h"
#include "base/bytes.h"
#include "base/file.h"

#define CACHE_MAGIC UINT32_C(0x46545248) /* "HRTF" */
/* Counts up whenever preparation changes its result. */
#define CACHE_VERSION 2
/* No tap of a levelled response comes near this (+24 dB in one sample). */
#define TAP_MAX 16.0f

#define CACHE_TAPS (HRTF_DIRECTIONS * HRTF_EARS * HRTF_TAPS)
#define CACHE_LEN  (4 + 4 + 4 + 8 + 8 + 4 + 4 * CACHE_TAPS + 4)

static void write_header(struct writer *wr, const struct hrtf_origin *origin)
{
	write_u32le(wr, CACHE_MAGIC);
	write_u32le(wr, CACHE_VERSION);
	write_u32le(wr, CACHE_TAPS);
	write_u64le(wr, origin->size_bytes);
	write_u64le(wr, (uint64_t) origin->mtime_sec);
	write_u32le(wr, origin->mtime_nsec);
}

ssize_t hrtf_cache_encode(const struct hrtf *set, const struct hrtf_origin *origin, uint8_t **ret)
{
	uint8_t *data = malloc(CACHE_LEN);
	struct writer wr = writer_over(data, CACHE_LEN);

	if (!data)
		return -ENOMEM;

	write_header(&wr, origin);
	for (unsigned d = 0; d < HRTF_DIRECTIONS; d++)
		for (unsigned ear = 0; ear < HRTF_EARS; ear++)
			for (unsigned k = 0; k < HRTF_TAPS; k++)
				write_f32le(&wr, set->taps[d][ear][k]);
	write_u32le(&wr, (uint32_t) crc32(0, data, (uInt) wr.len));
	assert(writer_finish(&wr) == CACHE_LEN);

	*ret = data;
	return CACHE_LEN;
}

static bool checksum_matches(struct span cache)
{
	struct reader rd = reader_over(cache.data, cache.len);
	struct span body = read_span(&rd, CACHE_LEN - 4);

	return read_u32le(&rd) == crc32(0, body.data, (uInt) body.len);
}

static bool read_origin_matches(struct reader *rd, const struct hrtf_origin *origin)
{
	return read_u64le(rd) == origin->size_bytes &&
	       read_u64le(rd) == (uint64_t) origin->mtime_sec &&
	       read_u32le(rd) == origin->mtime_nsec;
}

static int read_taps(struct reader *rd, struct hrtf *set)
{
	for (unsigned d = 0; d < HRTF_DIRECTIONS; d++)
		for (unsigned ear = 0; ear < HRTF_EARS; ear++)
			for (unsigned k = 0; k < HRTF_TAPS; k++) {
				float tap = read_f32le_finite(rd);

				if (fabsf(tap) > TAP_MAX)
					return -EBADMSG;
				set->taps[d][ear][k] = tap;
			}
	return reader_check(rd);
}

int hrtf_cache_decode(const void *data, size_t len, const struct hrtf_origin *origin,
		      struct hrtf **ret)
{
	_cleanup_(hrtf_freep) struct hrtf *set = NULL;
	struct reader rd = reader_over(data, len);
	int r;

	if (read_u32le(&rd) != CACHE_MAGIC)
		return -EBADMSG;
	if (read_u32le(&rd) != CACHE_VERSION || read_u32le(&rd) != CACHE_TAPS ||
	    !read_origin_matches(&rd, origin))
		return reader_check(&rd) < 0 ? -EBADMSG : -ESTALE;
	if (len != CACHE_LEN || !checksum_matches(span_of(data, len)))
		return -EBADMSG;

	set = hrtf_new();
	if (!set)
		return -ENOMEM;
	r = read_taps(&rd, set);
	if (r < 0)
		return r;

	*ret = TAKE_PTR(set);
	return 0;
}

/* --- files --- */

static int read_origin(const char *path, struct hrtf_origin *ret)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return -errno;
	*ret = (struct hrtf_origin){
		.size_bytes = (uint64_t) st.st_size,
		.mtime_sec = st.st_mtim.tv_sec,
		.mtime_nsec = (uint32_t) st.st_mtim.tv_nsec,
	};
	return 0;
}

static int write_cache(const char *path, const struct hrtf *set, const struct hrtf_origin *origin)
{
	_cleanup_free_ uint8_t *data = NULL;
	ssize_t len = hrtf_cache_encode(set, origin, &data);

	return len < 0 ? (int) len : file_replace(path, data, (size_t) len, 0644);
}

int hrtf_load_cached(const char *path, const char *cache_path, struct hrtf **ret)
{
	_cleanup_free_ char *data = NULL;
	struct hrtf_origin origin;
	size_t len;
	int r;

	r = read_origin(path, &origin);
	if (r < 0)
		return r;
	r = file_read(cache_path, CACHE_LEN, &data, &len);
	if (r < 0)
		return r;
	return hrtf_cache_decode(data, len, &origin, ret);
}

int hrtf_load(const char *path, const char *cache_path, struct hrtf **ret)
{
	struct hrtf_origin origin;
	int r;

	if (hrtf_load_cached(path, cache_path, ret) >= 0)
		return 0;
	/* Before the preparation: a file that changes during it makes the cache stale, not
	 * wrong. */
	r = read_origin(path, &origin);
	if (r < 0)
		return r;
	r = hrtf_prepare(path, ret);
	if (r < 0)
		return r;
	/* Without a cache the next start is slow again, and nothing worse. */
	(void) write_cache(cache_path, *ret, &origin);
	return 0;
}
