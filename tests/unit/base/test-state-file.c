/* Records that survive their writer, whenever it dies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/state-file.h"

enum { SMALL, LARGE };

static const struct state_layout layout = {
	.name = "test/1",
	.n_tables = 2,
	.tables = {[SMALL] = {.n_slots = 3, .slot_bytes = 20},
		   [LARGE] = {.n_slots = 100, .slot_bytes = 100000}},
};

static struct state_file *new_file(void)
{
	struct state_file *f;

	assert_int_equal(state_file_new(&layout, &f), 0);
	return f;
}

/* As the successor gets it: another descriptor of the same memfd. */
static struct state_file *successor(const struct state_file *f)
{
	struct state_file *next;
	int fd = dup(state_file_fd(f));

	assert_true(fd >= 0);
	assert_int_equal(state_file_open(fd, &layout, &next), 0);
	return next;
}

static void put(struct state_file *f, unsigned table, unsigned slot, const char *text)
{
	struct writer wr = state_file_begin(f, table, slot);

	write_bytes(&wr, text, strlen(text));
	assert_int_equal(state_file_commit(f, table, slot, &wr), 0);
}

static void assert_record(const struct state_file *f, unsigned table, unsigned slot,
			  const char *text)
{
	struct span span;

	assert_true(state_file_read(f, table, slot, &span));
	assert_int_equal(span.len, strlen(text));
	assert_memory_equal(span.data, text, span.len);
}

static void assert_none(const struct state_file *f, unsigned table, unsigned slot)
{
	struct span span;

	assert_false(state_file_read(f, table, slot, &span));
}

static void test_records_reach_the_successor(void **state)
{
	struct state_file *f = new_file(), *next;

	assert_int_equal(state_file_take(f, SMALL), 0);
	assert_int_equal(state_file_take(f, SMALL), 1);
	assert_int_equal(state_file_take(f, LARGE), 0);
	put(f, SMALL, 0, "one");
	put(f, SMALL, 0, "uno");
	put(f, SMALL, 0, "eins");
	put(f, LARGE, 0, "another");
	assert_record(f, SMALL, 0, "eins");
	assert_none(f, SMALL, 1);

	next = successor(f);
	f = state_file_free(f);
	assert_record(next, SMALL, 0, "eins");
	assert_record(next, LARGE, 0, "another");
	assert_none(next, SMALL, 1);
	/* What was taken but never written is free, and what has a record is not. */
	assert_int_equal(state_file_take(next, SMALL), 1);
	assert_int_equal(state_file_take(next, SMALL), 2);
	assert_int_equal(state_file_take(next, SMALL), -ENOBUFS);
	put(next, SMALL, 0, "ett");
	assert_record(next, SMALL, 0, "ett");
	state_file_free(next);
}

static void test_erased(void **state)
{
	struct state_file *f = new_file(), *next;

	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(state_file_take(f, SMALL), i);
		put(f, SMALL, i, "a");
		put(f, SMALL, i, "b");
	}
	state_file_erase(f, SMALL, 1);
	next = successor(f);
	assert_record(next, SMALL, 0, "b");
	assert_none(next, SMALL, 1);
	assert_record(next, SMALL, 2, "b");
	assert_int_equal(state_file_take(next, SMALL), 1);
	state_file_free(next);
	state_file_free(f);
}

static void test_too_long_leaves_the_old(void **state)
{
	struct state_file *f = new_file(), *next;
	struct writer wr;

	assert_int_equal(state_file_take(f, SMALL), 0);
	put(f, SMALL, 0, "12345678901234567890");
	wr = state_file_begin(f, SMALL, 0);
	write_zeros(&wr, 21);
	assert_int_equal(state_file_commit(f, SMALL, 0, &wr), -ENOBUFS);
	next = successor(f);
	assert_record(next, SMALL, 0, "12345678901234567890");
	state_file_free(next);
	state_file_free(f);
}

static size_t memory_of(const struct state_file *f)
{
	struct stat st;

	assert_int_equal(fstat(state_file_fd(f), &st), 0);
	return (size_t) st.st_blocks * 512;
}

/* 20 MB large, but only what is used takes memory, reading it through takes none, and what was
 * erased gives it back. */
static void test_memory_in_use(void **state)
{
	struct state_file *f = new_file(), *next;
	_cleanup_free_ char *text = calloc(1, 100001);
	size_t before, with;

	memset(text, 'x', 100000);
	before = memory_of(f);
	assert_int_equal(state_file_take(f, LARGE), 0);
	put(f, LARGE, 0, text);
	put(f, LARGE, 0, text);
	with = memory_of(f);
	assert_true(with >= before + 200000);
	next = successor(f);
	assert_record(next, LARGE, 0, text);
	assert_true(memory_of(f) <= with + 4 * 4096);
	state_file_free(next);
	state_file_erase(f, LARGE, 0);
	assert_true(memory_of(f) <= before + 4 * 4096);
	next = successor(f);
	assert_none(next, LARGE, 0);
	state_file_free(next);
	state_file_free(f);
}

/* --- damage --- */

/* A new record is there whole or not at all, wherever in the file its writing ends: what the
 * writing would change is copied up to each byte in turn. */
static void test_torn_at_every_byte(void **state)
{
	struct state_file *f = new_file(), *next;
	size_t size = (size_t) lseek(state_file_fd(f), 0, SEEK_END), n = 0;
	_cleanup_free_ uint8_t *before = NULL, *after = NULL;
	uint8_t *map;
	struct span span;

	assert_int_equal(state_file_take(f, SMALL), 0);
	put(f, SMALL, 0, "old old old");
	put(f, SMALL, 0, "the present one");
	size = MIN(size, (size_t) 3 * 4096); /* the heads and the small table */
	before = malloc(size);
	after = malloc(size);
	map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, state_file_fd(f), 0);
	assert_true(before && after && map != MAP_FAILED);
	memcpy(before, map, size);
	put(f, SMALL, 0, "the next one");
	memcpy(after, map, size);

	/* Data before head, as written; and the other way, as no compiler forbids. */
	for (unsigned backwards = 0; backwards < 2; backwards++) {
		memcpy(map, before, size);
		for (size_t i = 0; i < size; i++) {
			size_t at = backwards ? size - 1 - i : i;

			if (map[at] == after[at])
				continue;
			map[at] = after[at];
			n++;
			next = successor(f);
			assert_true(state_file_read(next, SMALL, 0, &span));
			if (memcmp(map, after, size) == 0)
				assert_record(next, SMALL, 0, "the next one");
			else
				assert_record(next, SMALL, 0, "the present one");
			state_file_free(next);
		}
	}
	assert_true(n > 20);
	assert_int_equal(munmap(map, size), 0);
	state_file_free(f);
}

/* Any flipped bit in any place costs at most the newest copy. */
static void test_flipped_bits(void **state)
{
	struct state_file *f = new_file();
	unsigned n_old = 0, n_none = 0;
	const size_t size = 4096;
	uint8_t *map;

	assert_int_equal(state_file_take(f, SMALL), 0);
	put(f, SMALL, 0, "older");
	put(f, SMALL, 0, "newer");
	map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, state_file_fd(f), 0);
	assert_true(map != MAP_FAILED);
	for (size_t bit = 0; bit < 8 * size; bit++) {
		struct state_file *next;
		struct span span;
		int fd = dup(state_file_fd(f));

		map[bit / 8] ^= (uint8_t) (1 << bit % 8);
		if (state_file_open(fd, &layout, &next) < 0) {
			assert_true(bit < 8 * 24);
			assert_int_equal(close(fd), 0);
		} else {
			if (!state_file_read(next, SMALL, 0, &span))
				n_none++;
			else if (span.len != 5 || memcmp(span.data, "newer", 5) != 0)
				n_old++;
			if (state_file_read(next, SMALL, 0, &span) &&
			    memcmp(span.data, "newer", 5) != 0)
				assert_record(next, SMALL, 0, "older");
			state_file_free(next);
		}
		map[bit / 8] ^= (uint8_t) (1 << bit % 8);
	}
	assert_int_equal(n_none, 0);
	assert_true(n_old >= 8 * 16);
	assert_int_equal(munmap(map, size), 0);
	state_file_free(f);
}

/* The writer counts upwards in records that are one number repeated; it tells when it is at it. */
static _Noreturn void write_until_killed(struct state_file *f, int told)
{
	(void) prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (uint32_t n = 1;; n++) {
		struct writer wr = state_file_begin(f, LARGE, 0);

		for (unsigned i = 0; i < 1000; i++)
			write_u32le(&wr, n);
		if (state_file_commit(f, LARGE, 0, &wr) < 0 || (n == 10 && write(told, "", 1) != 1))
			_exit(1);
	}
}

static uint32_t assert_whole(const struct state_file *f)
{
	struct span span;
	struct reader rd;
	uint32_t n;

	assert_true(state_file_read(f, LARGE, 0, &span));
	assert_int_equal(span.len, 4000);
	rd = reader_over(span.data, span.len);
	n = read_u32le(&rd);
	for (unsigned i = 1; i < 1000; i++)
		assert_int_equal(read_u32le(&rd), n);
	return n;
}

static void test_killed_while_writing(void **state)
{
	uint32_t last = 0;
	struct state_file *f = new_file(), *next;

	assert_int_equal(state_file_take(f, LARGE), 0);
	for (unsigned i = 0; i < 50; i++) {
		int fds[2];
		siginfo_t info;
		char byte;
		pid_t pid;

		assert_int_equal(pipe(fds), 0);
		pid = fork();
		if (pid == 0)
			write_until_killed(f, fds[1]);
		assert_true(pid > 0);
		(void) close(fds[1]);
		assert_int_equal(read(fds[0], &byte, 1), 1);
		assert_int_equal(usleep(37 * i), 0);
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitid(P_PID, (id_t) pid, &info, WEXITED), 0);
		assert_int_equal(info.si_code, CLD_KILLED);
		(void) close(fds[0]);

		next = successor(f);
		state_file_free(f);
		f = next;
		last = MAX(last, assert_whole(f));
	}
	assert_true(last >= 10);
	state_file_free(f);
}

/* --- foreign files --- */

static void assert_refused(int fd, const struct state_layout *l)
{
	struct state_file *f;

	assert_int_equal(state_file_open(fd, l, &f), -EBADMSG);
	assert_int_equal(close(fd), 0);
}

static int copy_of(const struct state_file *f, size_t len, unsigned seals)
{
	int fd = memfd_create("copy", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	uint8_t head[24];

	assert_int_equal(pread(state_file_fd(f), head, sizeof(head), 0), sizeof(head));
	assert_int_equal(pwrite(fd, head, sizeof(head), 0), sizeof(head));
	assert_int_equal(ftruncate(fd, (off_t) len), 0);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
	return fd;
}

static void test_foreign_files_are_refused(void **state)
{
	struct state_file *f = new_file(), *next;
	size_t size = (size_t) lseek(state_file_fd(f), 0, SEEK_END);
	struct state_layout other = layout;
	int fd = copy_of(f, size, F_SEAL_SHRINK | F_SEAL_GROW);

	/* The copy is one of ours as far as anybody can see. */
	assert_int_equal(state_file_open(fd, &layout, &next), 0);
	state_file_free(next);
	assert_refused(copy_of(f, size, 0), &layout);
	assert_refused(copy_of(f, size, F_SEAL_SHRINK), &layout);
	assert_refused(copy_of(f, size - 4096, F_SEAL_SHRINK | F_SEAL_GROW), &layout);
	assert_refused(copy_of(f, size + 4096, F_SEAL_SHRINK | F_SEAL_GROW), &layout);
	assert_refused(open("/dev/null", O_RDWR | O_CLOEXEC), &layout);

	other.name = "test/2";
	assert_refused(dup(state_file_fd(f)), &other);
	other = layout;
	other.tables[SMALL].n_slots++;
	assert_refused(dup(state_file_fd(f)), &other);
	state_file_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_records_reach_the_successor),
		cmocka_unit_test(test_erased),
		cmocka_unit_test(test_too_long_leaves_the_old),
		cmocka_unit_test(test_memory_in_use),
		cmocka_unit_test(test_torn_at_every_byte),
		cmocka_unit_test(test_flipped_bits),
		cmocka_unit_test(test_killed_while_writing),
		cmocka_unit_test(test_foreign_files_are_refused),
	};

	return cmocka_run_group_tests_name("state-file", tests, NULL, NULL);
}
