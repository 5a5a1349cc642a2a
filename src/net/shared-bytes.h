/* An immutable, reference-counted byte string: one payload queued to many receivers. One thread. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/macros.h"

struct shared_bytes {
	unsigned n_ref;
	size_t len;
	uint8_t data[];
};

/* A copy of data with one reference, or NULL when out of memory. */
struct shared_bytes *shared_bytes_new(const void *data, size_t len);
struct shared_bytes *shared_bytes_ref(struct shared_bytes *b);
struct shared_bytes *shared_bytes_unref(struct shared_bytes *b); /* returns NULL; NULL is fine */
DEFINE_CLEANUP_FUNC(struct shared_bytes *, shared_bytes_unref);
