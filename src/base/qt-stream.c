#include "base/qt-stream.h"

#include <errno.h>

#include <zlib.h>

#include "base/utf16.h"

#define QT_NULL UINT32_MAX /* the length of a null string or byte array */

int read_qstring(struct reader *rd, size_t max_units, char **ret)
{
	uint32_t len = read_u32be(rd);
	struct span s;
	char *text;

	if (len == QT_NULL)
		len = 0;
	if (len % 2 != 0 || len / 2 > max_units)
		reader_fail(rd);
	s = read_span(rd, len);
	if (rd->failed)
		return -EBADMSG;

	text = utf16_to_utf8(s, UTF16_BE);
	if (!text)
		return -ENOMEM;
	*ret = text;
	return 0;
}

void write_qstring(struct writer *wr, const char *utf8)
{
	if (!utf8) {
		write_u32be(wr, QT_NULL);
		return;
	}
	write_u32be(wr, (uint32_t) (2 * utf16_length(utf8)));
	write_utf16(wr, utf8, UTF16_BE);
}

struct span read_qbytes(struct reader *rd, size_t max)
{
	uint32_t len = read_u32be(rd);

	if (len == QT_NULL)
		len = 0;
	if (len > max)
		reader_fail(rd);
	return read_span(rd, len);
}

void write_qbytes(struct writer *wr, const void *data, size_t len)
{
	if (len >= QT_NULL) {
		wr->failed = true;
		return;
	}
	write_u32be(wr, (uint32_t) len);
	write_bytes(wr, data, len);
}

void write_qbytes_null(struct writer *wr)
{
	write_u32be(wr, QT_NULL);
}

ssize_t qcompress_decode(const void *data, size_t len, void *ret, size_t cap)
{
	struct reader rd = reader_over(data, len);
	uint32_t raw_len = read_u32be(&rd);
	struct span stream = read_rest(&rd);
	uLongf out_len = raw_len;
	uLong in_len = stream.len;

	if (rd.failed)
		return -EBADMSG;
	if (raw_len > cap)
		return -ENOBUFS;
	/* Qt leaves the stream out when there is nothing to compress. */
	if (raw_len == 0 && stream.len == 0)
		return 0;

	switch (uncompress2(ret, &out_len, stream.data, &in_len)) {
	case Z_OK:
		return out_len == raw_len && in_len == stream.len ? (ssize_t) raw_len : -EBADMSG;
	case Z_MEM_ERROR:
		return -ENOMEM;
	default:
		return -EBADMSG;
	}
}

int qcompress_encode(const void *data, size_t len, int level, struct writer *wr)
{
	_cleanup_free_ uint8_t *stream = NULL;
	uLongf stream_len = compressBound(len);

	if (len > UINT32_MAX)
		return -ENOBUFS;
	write_u32be(wr, (uint32_t) len);
	if (len > 0) {
		stream = malloc(stream_len);
		if (!stream || compress2(stream, &stream_len, data, len, level) != Z_OK)
			return -ENOMEM;
		write_bytes(wr, stream, stream_len);
	}
	return wr->failed ? -ENOBUFS : 0;
}
