/* Qt's QDataStream encoding (Qt 5 default version: big-endian, floats widened to double),
 * protocol 01 section 12.2, and Qt's other containers that appear on the wire: qCompress
 * (section 12.2) and the binary JSON form "qbjs" (protocol 02 section 12). */
#pragma once

#include <jansson.h>

#include "base/bytes.h"

/* QString: u32 BE byte length (ffffffff = null), UTF-16BE. Returned as a NUL-terminated UTF-8
 * heap string in *ret ("" for null and empty), caller frees. More than max_units UTF-16 units,
 * an odd length or an overrun fails the reader. Lone surrogates and NULs become U+FFFD. Returns
 * 0, -EBADMSG, -ENOMEM; *ret is untouched on failure. */
int read_qstring(struct reader *rd, size_t max_units, char **ret);
/* NULL writes the null string. Malformed UTF-8 becomes U+FFFD. */
void write_qstring(struct writer *wr, const char *utf8);

/* QByteArray and writeBytes(): u32 BE length (ffffffff = null → empty span). The span borrows. */
struct span read_qbytes(struct reader *rd, size_t max);
void write_qbytes(struct writer *wr, const void *data, size_t len);
void write_qbytes_null(struct writer *wr);

/* qCompress: u32 BE raw length, then a zlib stream. Fills ret (max cap bytes); returns the raw
 * length or -EBADMSG (bad stream, or the stated length is not the real one) / -ENOBUFS (over
 * cap). */
ssize_t qcompress_decode(const void *data, size_t len, void *ret, size_t cap);
/* Appends to wr. level is zlib's (-1 default). Returns 0 or -ENOMEM/-ENOBUFS. */
int qcompress_encode(const void *data, size_t len, int level, struct writer *wr);

/* Qt binary JSON of an object → new reference in *ret. An empty input is an empty object. Depth,
 * counts and offsets are checked against the input. Returns 0, -EBADMSG, -ENOMEM. */
int qbjs_decode(const void *data, size_t len, json_t **ret);
/* The opposite; object must be a JSON object (an empty one appends nothing). Appends to wr.
 * Returns 0, -EINVAL (not an object, or nested too deeply), -ENOMEM, -ENOBUFS. */
int qbjs_encode(const json_t *object, struct writer *wr);
