/* Whole files: read with a limit, replaced so that a reader or a crash never meets half of one. */
#pragma once

#include <stddef.h>
#include <sys/types.h>

/* The content as a NUL-terminated heap buffer in *ret, its length without the NUL in *ret_len.
 * -EFBIG over max bytes, or -errno. */
int file_read(const char *path, size_t max, char **ret, size_t *ret_len);

/* Writes a temporary file beside path, syncs it and renames it over path; what a symbolic link
 * points at is replaced, not the link. An existing file keeps its mode, a new one gets mode.
 * On failure (-errno) the old file is as it was. */
int file_replace(const char *path, const void *data, size_t len, mode_t mode);
