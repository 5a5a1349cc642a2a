/* A file of our layout whose heads and records are the input: whatever it holds, it opens, no
 * record is longer than its slot, and it can be used on. */
#include <sys/mman.h>

#include "base/state-file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct state_layout layout = {
	.name = "fuzz/1",
	.n_tables = 2,
	.tables = {{.n_slots = 2, .slot_bytes = 24}, {.n_slots = 2, .slot_bytes = 5000}},
};

/* Behind the file's own head. */
#define HEAD_LEN 24

static void use(struct state_file *f, unsigned table, unsigned slot)
{
	unsigned long sum = 0;
	struct writer wr;
	struct span span;

	if (state_file_read(f, table, slot, &span)) {
		for (size_t i = 0; i < span.len; i++)
			sum += span.data[i];
		if (span.len > layout.tables[table].slot_bytes || sum > 255 * span.len)
			abort();
	} else if (state_file_take(f, table) < 0) {
		abort();
	}
	wr = state_file_begin(f, table, slot);
	write_u32le(&wr, 7);
	if (state_file_commit(f, table, slot, &wr) < 0 || !state_file_read(f, table, slot, &span) ||
	    span.len != 4 || span.data[0] != 7)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct state_file *f, *next;
	int fd;

	if (state_file_new(&layout, &f) < 0)
		abort();
	fd = dup(state_file_fd(f));
	size = MIN(size, (size_t) lseek(fd, 0, SEEK_END) - HEAD_LEN);
	if (fd < 0 || pwrite(fd, data, size, HEAD_LEN) != (ssize_t) size ||
	    state_file_open(fd, &layout, &next) < 0)
		abort();
	for (unsigned table = 0; table < layout.n_tables; table++)
		for (unsigned slot = 0; slot < layout.tables[table].n_slots; slot++)
			use(next, table, slot);
	state_file_free(next);
	state_file_free(f);
	return 0;
}
