/* Records that outlive the process: a memfd that the service manager or the monitor holds, too, and
 * hands to the successor.
 *
 * A record is written in place and never half: each has two copies, the older one is overwritten,
 * and the newest whose checksum is right counts. So whoever is killed, at whatever instruction,
 * leaves what it wrote before. The file is as large as all records together could become, but only
 * what is in use takes memory.
 *
 * What is found in a file that was handed in is as trustworthy as anything from outside: the
 * records are read through base/bytes. Thread: one at a time; one process at a time.
 */
#pragma once

#include "base/bytes.h"

#define STATE_TABLES_MAX 4
#define STATE_NAME_MAX   64

/* Records of one kind, in slots from 0 up. */
struct state_table {
	unsigned n_slots;
	size_t slot_bytes; /* the longest record */
};

struct state_layout {
	/* What the records mean and in which version: a file is only understood by programs that
	 * have the very same. */
	const char *name;
	unsigned n_tables;
	struct state_table tables[STATE_TABLES_MAX];
};

struct state_file;

/* A new one without records. layout is borrowed for the file's life. 0 or -errno. */
int state_file_new(const struct state_layout *layout, struct state_file **ret);
/* One that somebody else wrote. Owns fd from success on. -EBADMSG: not such a file, of another
 * layout or damaged; -errno. */
int state_file_open(int fd, const struct state_layout *layout, struct state_file **ret);
/* The records stay, wherever else the memfd is open. */
struct state_file *state_file_free(struct state_file *f);
DEFINE_CLEANUP_FUNC(struct state_file *, state_file_free);

int state_file_fd(const struct state_file *f);

/* A slot without a record, the caller's until state_file_erase(); -ENOBUFS. */
int state_file_take(struct state_file *f, unsigned table);
/* Where to write the slot's next record; it counts from state_file_commit() on. Only one is written
 * at a time. */
struct writer state_file_begin(struct state_file *f, unsigned table, unsigned slot);
/* 0; -ENOBUFS when it did not fit, and the record stays as it was. An empty record is none. */
int state_file_commit(struct state_file *f, unsigned table, unsigned slot, const struct writer *wr);
/* Takes the record away, and its memory. */
void state_file_erase(struct state_file *f, unsigned table, unsigned slot);
/* False when there is none. Valid until the slot's next state_file_begin(). */
bool state_file_read(const struct state_file *f, unsigned table, unsigned slot, struct span *ret);
