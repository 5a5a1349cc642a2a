/* The panel's files, read once at the start: every name that can be asked for is in this table, so
 * a request never reaches the file system. */
#pragma once

#include <stdbool.h>

#include "base/bytes.h"
#include "base/macros.h"

#define WEB_ETAG_MAX 24

struct web_file {
	char *path; /* "/name", as a request names it */
	const char *type;
	struct span plain, gzip; /* heap; gzip is empty where it saves nothing */
	char etag[WEB_ETAG_MAX]; /* of the content; the same for both forms, so a weak one */
};

struct web_files;

/* All files of dir whose ending tells a type; what else lies there is left out. "/" is index.html.
 * -ENOENT without the directory, -EFBIG or -E2BIG when they are larger or more than a panel's, or
 * another -errno. */
int web_files_load(const char *dir, struct web_files **ret);
struct web_files *web_files_free(struct web_files *files);
DEFINE_CLEANUP_FUNC(struct web_files *, web_files_free);

/* NULL when there is none. files may be NULL. */
const struct web_file *web_files_find(const struct web_files *files, const char *path);

/* What the headers Accept-Encoding and If-None-Match say; NULL: not sent. */
bool web_accepts_gzip(const char *accept_encoding);
bool web_etag_matches(const char *if_none_match, const char *etag);
