#include "net/shared-bytes.h"

#include <string.h>

struct shared_bytes *shared_bytes_new(const void *data, size_t len)
{
	struct shared_bytes *b;

	if (len > SIZE_MAX - sizeof(*b))
		return NULL;
	b = malloc(sizeof(*b) + len);
	if (!b)
		return NULL;

	b->n_ref = 1;
	b->len = len;
	if (len > 0)
		memcpy(b->data, data, len);
	return b;
}

struct shared_bytes *shared_bytes_ref(struct shared_bytes *b)
{
	assert(b->n_ref > 0);
	b->n_ref++;
	return b;
}

struct shared_bytes *shared_bytes_unref(struct shared_bytes *b)
{
	if (b) {
		assert(b->n_ref > 0);
		if (--b->n_ref == 0)
			free(b);
	}
	return NULL;
}
