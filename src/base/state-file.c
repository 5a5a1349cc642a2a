#include "base/state-file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/siphash.h"

/* The file: this head, the copies' heads of all tables, the copies. The heads are kept together
 * because reading a page of a memfd allocates it. */
#define MAGIC      UINT64_C(0x6574617473696668) /* "hifstate" */
#define HEAD_LEN   24
#define COPY_LEN   24
#define N_COPIES   2
#define PAGE_LEN   UINT64_C(4096)
#define WANT_SEALS (F_SEAL_SHRINK | F_SEAL_GROW)

struct slot {
	uint64_t number; /* of the copy that counts; 0: neither does */
	size_t len;      /* its length */
	uint8_t copy;    /* which one it is */
	bool taken;
};

struct table {
	uint64_t heads_at, copies_at;
	uint64_t copy_bytes;
	struct slot *slots;
	unsigned next; /* where to look for a free one first */
};

struct state_file {
	const struct state_layout *layout;
	struct table tables[STATE_TABLES_MAX];
	uint64_t size;
	uint8_t *map;
	int fd;
};

/* A copy's head. */
struct copy {
	uint64_t number; /* counts the writes to this slot; 0: never written */
	uint64_t len;
	uint64_t checksum;
};

static uint64_t page_align(uint64_t n)
{
	return (n + PAGE_LEN - 1) & ~(PAGE_LEN - 1);
}

/* --- the layout --- */

/* Copies that are pages long begin at a page, so that their memory can be given back. */
static void lay_out(struct state_file *f)
{
	uint64_t at = HEAD_LEN;

	for (unsigned i = 0; i < f->layout->n_tables; i++) {
		const struct state_table *want = &f->layout->tables[i];

		f->tables[i].heads_at = at;
		at += (uint64_t) want->n_slots * N_COPIES * COPY_LEN;
	}
	for (unsigned i = 0; i < f->layout->n_tables; i++) {
		const struct state_table *want = &f->layout->tables[i];
		struct table *t = &f->tables[i];

		t->copy_bytes = want->slot_bytes < PAGE_LEN ? (want->slot_bytes + 7) & ~UINT64_C(7)
							    : page_align(want->slot_bytes);
		t->copies_at = page_align(at);
		at = t->copies_at + want->n_slots * N_COPIES * t->copy_bytes;
	}
	f->size = page_align(at);
}

static uint64_t layout_hash(const struct state_layout *layout)
{
	static const uint8_t key[16] = {0};
	uint8_t data[STATE_NAME_MAX + 12 * STATE_TABLES_MAX];
	struct writer wr = writer_over(data, sizeof(data));

	write_bytes(&wr, layout->name, strlen(layout->name));
	for (unsigned i = 0; i < layout->n_tables; i++) {
		write_u32le(&wr, layout->tables[i].n_slots);
		write_u64le(&wr, layout->tables[i].slot_bytes);
	}
	assert(writer_finish(&wr) > 0);
	return siphash13(data, wr.len, key);
}

static void write_head(const struct state_file *f, uint8_t head[static HEAD_LEN])
{
	struct writer wr = writer_over(head, HEAD_LEN);

	write_u64le(&wr, MAGIC);
	write_u64le(&wr, f->size);
	write_u64le(&wr, layout_hash(f->layout));
}

/* --- copies --- */

static uint8_t *copy_head(const struct state_file *f, unsigned table, unsigned slot, unsigned copy)
{
	return f->map + f->tables[table].heads_at + (N_COPIES * (size_t) slot + copy) * COPY_LEN;
}

static uint8_t *copy_data(const struct state_file *f, unsigned table, unsigned slot, unsigned copy)
{
	const struct table *t = &f->tables[table];

	return f->map + t->copies_at + (N_COPIES * (size_t) slot + copy) * t->copy_bytes;
}

/* Over the place, too: a record that was moved is none. */
static uint64_t checksum(const uint8_t *data, const struct copy *head, unsigned table,
			 unsigned slot)
{
	uint8_t key[16];
	struct writer wr = writer_over(key, sizeof(key));

	write_u64le(&wr, head->number);
	write_u32le(&wr, slot);
	write_u32le(&wr, table);
	return siphash13(data, head->len, key);
}

static struct copy read_copy(const struct state_file *f, unsigned table, unsigned slot,
			     unsigned copy)
{
	struct reader rd = reader_over(copy_head(f, table, slot, copy), COPY_LEN);
	struct copy head = {
		.number = read_u64le(&rd),
		.len = read_u64le(&rd),
		.checksum = read_u64le(&rd),
	};

	if (head.len > f->layout->tables[table].slot_bytes ||
	    checksum(copy_data(f, table, slot, copy), &head, table, slot) != head.checksum)
		return (struct copy){0};
	return head;
}

static void write_copy(struct state_file *f, unsigned table, unsigned slot, unsigned copy,
		       struct copy head)
{
	struct writer wr = writer_over(copy_head(f, table, slot, copy), COPY_LEN);

	head.checksum = checksum(copy_data(f, table, slot, copy), &head, table, slot);
	write_u64le(&wr, head.number);
	write_u64le(&wr, head.len);
	write_u64le(&wr, head.checksum);
}

static struct slot read_slot(const struct state_file *f, unsigned table, unsigned slot)
{
	struct copy a = read_copy(f, table, slot, 0), b = read_copy(f, table, slot, 1);
	bool is_b = b.number > a.number;
	struct copy newest = is_b ? b : a;

	return (struct slot){newest.number, newest.len, is_b, newest.len > 0};
}

/* --- records --- */

int state_file_take(struct state_file *f, unsigned table)
{
	struct table *t = &f->tables[table];
	unsigned n = f->layout->tables[table].n_slots;

	for (unsigned i = 0; i < n; i++) {
		unsigned slot = (t->next + i) % n;

		if (t->slots[slot].taken)
			continue;
		t->slots[slot].taken = true;
		t->next = slot + 1;
		return (int) slot;
	}
	return -ENOBUFS;
}

struct writer state_file_begin(struct state_file *f, unsigned table, unsigned slot)
{
	unsigned older = !f->tables[table].slots[slot].copy;

	return writer_over(copy_data(f, table, slot, older), f->layout->tables[table].slot_bytes);
}

int state_file_commit(struct state_file *f, unsigned table, unsigned slot, const struct writer *wr)
{
	struct slot *s = &f->tables[table].slots[slot];
	ssize_t len = writer_finish(wr);

	if (len < 0)
		return (int) len;
	assert(s->taken && wr->data == copy_data(f, table, slot, !s->copy));
	*s = (struct slot){s->number + 1, (size_t) len, !s->copy, true};
	write_copy(f, table, slot, s->copy, (struct copy){s->number, s->len, 0});
	return 0;
}

void state_file_erase(struct state_file *f, unsigned table, unsigned slot)
{
	struct writer wr = state_file_begin(f, table, slot);
	struct table *t = &f->tables[table];

	(void) state_file_commit(f, table, slot, &wr);
	if (t->copy_bytes >= PAGE_LEN)
		(void) madvise(copy_data(f, table, slot, 0), N_COPIES * t->copy_bytes, MADV_REMOVE);
	t->slots[slot].taken = false;
}

bool state_file_read(const struct state_file *f, unsigned table, unsigned slot, struct span *ret)
{
	const struct slot *s = &f->tables[table].slots[slot];

	if (s->len == 0)
		return false;
	*ret = span_of(copy_data(f, table, slot, s->copy), s->len);
	return true;
}

/* --- life --- */

static int allocate(const struct state_layout *layout, struct state_file **ret)
{
	_cleanup_(state_file_freep) struct state_file *f = calloc(1, sizeof(*f));

	assert(layout->n_tables <= STATE_TABLES_MAX);
	if (!f)
		return -ENOMEM;
	f->fd = -1;
	f->layout = layout;
	lay_out(f);
	for (unsigned i = 0; i < layout->n_tables; i++) {
		struct table *t = &f->tables[i];

		t->slots = calloc(layout->tables[i].n_slots, sizeof(*t->slots));
		if (!t->slots)
			return -ENOMEM;
	}
	*ret = TAKE_PTR(f);
	return 0;
}

static int map(struct state_file *f, int fd)
{
	uint8_t *p = mmap(NULL, f->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED)
		return -errno;
	f->map = p;
	/* There are secrets in it. */
	(void) madvise(p, f->size, MADV_DONTDUMP);
	return 0;
}

int state_file_new(const struct state_layout *layout, struct state_file **ret)
{
	_cleanup_(state_file_freep) struct state_file *f = NULL;
	_cleanup_close_ int fd = -1;
	int r;

	r = allocate(layout, &f);
	if (r < 0)
		return r;
	fd = memfd_create(layout->name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0 || ftruncate(fd, (off_t) f->size) < 0 ||
	    fcntl(fd, F_ADD_SEALS, WANT_SEALS | F_SEAL_SEAL) < 0)
		return -errno;
	r = map(f, fd);
	if (r < 0)
		return r;
	write_head(f, f->map);
	f->fd = TAKE_FD(fd);
	*ret = TAKE_PTR(f);
	return 0;
}

/* Nobody can shorten it under us, and it is ours and as long as it must be. */
static int check(const struct state_file *f, int fd)
{
	uint8_t want[HEAD_LEN], have[HEAD_LEN];
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat st;

	if (seals < 0 || (seals & WANT_SEALS) != WANT_SEALS)
		return -EBADMSG;
	if (fstat(fd, &st) < 0)
		return -errno;
	write_head(f, want);
	if ((uint64_t) st.st_size != f->size || pread(fd, have, sizeof(have), 0) != sizeof(have) ||
	    memcmp(want, have, sizeof(want)) != 0)
		return -EBADMSG;
	return 0;
}

int state_file_open(int fd, const struct state_layout *layout, struct state_file **ret)
{
	_cleanup_(state_file_freep) struct state_file *f = NULL;
	int r;

	r = allocate(layout, &f);
	if (r < 0)
		return r;
	r = check(f, fd);
	if (r < 0)
		return r;
	r = map(f, fd);
	if (r < 0)
		return r;
	for (unsigned i = 0; i < layout->n_tables; i++)
		for (unsigned slot = 0; slot < layout->tables[i].n_slots; slot++)
			f->tables[i].slots[slot] = read_slot(f, i, slot);
	f->fd = fd;
	*ret = TAKE_PTR(f);
	return 0;
}

struct state_file *state_file_free(struct state_file *f)
{
	if (!f)
		return NULL;
	if (f->map)
		(void) munmap(f->map, f->size);
	closep(&f->fd);
	for (unsigned i = 0; i < STATE_TABLES_MAX; i++)
		free(f->tables[i].slots);
	free(f);
	return NULL;
}

int state_file_fd(const struct state_file *f)
{
	return f->fd;
}
