/* Bounds-checked cursors over bytes from and to the wire.
 *
 * Both cursors are sticky: after the first overrun every read yields zero (or an empty span), every
 * write is dropped, and the failure stays until reader_finish()/writer_finish() reports it. So a
 * parser reads straight down and checks once. Nothing here allocates except writer_growing().
 *
 * Byte orders and primitive encodings: protocol 01 section 12. Thread: any, a cursor has no shared
 * state.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/macros.h"
#include "base/uuid.h"

/* --- reading --- */

struct reader {
	const uint8_t *data;
	size_t len;  /* bytes in data */
	size_t pos;  /* next byte to read */
	bool failed; /* an overrun or a refused value happened */
};

/* A borrowed view into a reader's data. data is NULL only when len is 0. */
struct span {
	const uint8_t *data;
	size_t len;
};

static inline struct reader reader_over(const void *data, size_t len)
{
	return (struct reader){.data = data, .len = data ? len : 0};
}

static inline struct span span_of(const void *data, size_t len)
{
	return (struct span){.data = data, .len = len};
}

static inline size_t reader_left(const struct reader *rd)
{
	return rd->failed ? 0 : rd->len - rd->pos;
}

/* Marks the input as malformed (a value out of range, an unknown tag). */
static inline void reader_fail(struct reader *rd)
{
	rd->failed = true;
}

/* The next len bytes, or NULL (and failed) when fewer are left. The pointer borrows from the input.
 */
const uint8_t *read_bytes(struct reader *rd, size_t len);
/* The same as a span; empty on failure. */
struct span read_span(struct reader *rd, size_t len);
/* All that is left. */
struct span read_rest(struct reader *rd);
void read_skip(struct reader *rd, size_t len);

uint8_t read_u8(struct reader *rd);
uint16_t read_u16le(struct reader *rd);
uint32_t read_u32le(struct reader *rd);
uint64_t read_u64le(struct reader *rd);
uint16_t read_u16be(struct reader *rd);
uint32_t read_u32be(struct reader *rd);
uint64_t read_u64be(struct reader *rd);
static inline int16_t read_i16le(struct reader *rd)
{
	return (int16_t) read_u16le(rd);
}
static inline int32_t read_i32le(struct reader *rd)
{
	return (int32_t) read_u32le(rd);
}
static inline int64_t read_i64le(struct reader *rd)
{
	return (int64_t) read_u64le(rd);
}
/* Raw floats may be NaN or infinite; the _finite forms fail the reader (and yield 0) on those. */
float read_f32le(struct reader *rd);
float read_f32le_finite(struct reader *rd);
double read_f64be(struct reader *rd);
double read_f64be_finite(struct reader *rd);
/* 16 bytes in RFC 4122 order, in every style of the protocol. */
struct uuid read_uuid(struct reader *rd);

/* 0 when everything was read and nothing failed; -EBADMSG after an overrun, a refused value, or
 * when bytes are left over. */
int reader_finish(const struct reader *rd);
/* The same, but left-over bytes are accepted. */
int reader_check(const struct reader *rd);

/* --- writing --- */

struct writer {
	uint8_t *data;
	size_t cap;
	size_t len;
	bool growing; /* data is on the heap and owned by the writer */
	bool failed;
};

/* Writes into the caller's buffer, never past cap. */
static inline struct writer writer_over(void *data, size_t cap)
{
	return (struct writer){.data = data, .cap = cap};
}

/* Grows on the heap as needed, up to limit bytes. Free with writer_done(). */
struct writer writer_growing(size_t limit_bytes);
void writer_done(struct writer *wr);
/* Hands the heap buffer to the caller (who frees it); the writer becomes empty. Only for growing
 * ones; *ret may be NULL when nothing was written. Returns the length or -ENOBUFS/-ENOMEM like
 * writer_finish(). */
ssize_t writer_take(struct writer *wr, uint8_t **ret);

/* Room for len bytes to be filled by the caller, or NULL (and failed). */
uint8_t *write_room(struct writer *wr, size_t len);
void write_bytes(struct writer *wr, const void *data, size_t len);
void write_zeros(struct writer *wr, size_t len);
void write_u8(struct writer *wr, uint8_t v);
void write_u16le(struct writer *wr, uint16_t v);
void write_u32le(struct writer *wr, uint32_t v);
void write_u64le(struct writer *wr, uint64_t v);
void write_u16be(struct writer *wr, uint16_t v);
void write_u32be(struct writer *wr, uint32_t v);
void write_u64be(struct writer *wr, uint64_t v);
void write_f32le(struct writer *wr, float v);
void write_f64be(struct writer *wr, double v);
void write_uuid(struct writer *wr, const struct uuid *v);

static inline size_t writer_left(const struct writer *wr)
{
	return wr->failed ? 0 : wr->cap - wr->len;
}

/* The number of bytes written, or -ENOBUFS when something did not fit (-ENOMEM out of memory). */
ssize_t writer_finish(const struct writer *wr);

/* --- strings on the wire, protocol 01 section 12.3 --- */

/* u32 LE byte length + UTF-8 (native writeString). The span borrows; more than max bytes fails the
 * reader. */
struct span read_string32(struct reader *rd, size_t max);
void write_string32(struct writer *wr, const void *data, size_t len);
/* u16 LE byte length + UTF-8. */
struct span read_string16(struct reader *rd, size_t max);
void write_string16(struct writer *wr, const void *data, size_t len);

/* The code point at the start of data. Returns the length of its well-formed sequence (1…4), or 0
 * for a malformed one, a NUL or no data. */
unsigned utf8_decode(const void *data, size_t left, uint32_t *ret);
/* True for well-formed UTF-8 without overlong forms, surrogates or NUL bytes. */
bool utf8_is_valid(const void *data, size_t len);
/* A NUL-terminated heap copy in which every malformed sequence, NUL and control character (but not
 * newline or tab) is replaced by U+FFFD: fit for logs, JSON and HTML escaping. NULL when out of
 * memory. */
char *utf8_sanitise(const void *data, size_t len);
