#include "domain-server/web-files.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <openssl/evp.h>
#include <zlib.h>

#include "base/file.h"

#define FILES_MAX     64
#define FILE_SIZE_MAX (256 * 1024)

struct web_files {
	struct web_file files[FILES_MAX];
	size_t n;
};

static const char *type_of(const char *name)
{
	static const struct {
		const char *ending, *type;
	} types[] = {
		{".html", "text/html; charset=utf-8"},     {".css", "text/css; charset=utf-8"},
		{".js", "text/javascript; charset=utf-8"}, {".svg", "image/svg+xml"},
		{".txt", "text/plain; charset=utf-8"},
	};
	const char *dot = strrchr(name, '.');

	for (size_t i = 0; dot && dot != name && i < ELEMENTSOF(types); i++)
		if (strcmp(dot, types[i].ending) == 0)
			return types[i].type;
	return NULL;
}

static int make_etag(struct span content, char ret[static WEB_ETAG_MAX])
{
	uint8_t hash[EVP_MAX_MD_SIZE];
	size_t n = 0;

	if (!EVP_Digest(content.data, content.len, hash, NULL, EVP_sha256(), NULL))
		return -ENOMEM;
	n += (size_t) snprintf(ret, WEB_ETAG_MAX, "W/\"");
	for (size_t i = 0; i < 8; i++)
		n += (size_t) snprintf(ret + n, WEB_ETAG_MAX - n, "%02x", hash[i]);
	(void) snprintf(ret + n, WEB_ETAG_MAX - n, "\"");
	return 0;
}

static int compress_gzip(struct span plain, struct span *ret)
{
	z_stream z = {0};
	uint8_t *data;
	int r;

	/* 16 more than the largest window: with gzip's header. */
	if (deflateInit2(&z, Z_BEST_COMPRESSION, Z_DEFLATED, MAX_WBITS + 16, MAX_MEM_LEVEL,
			 Z_DEFAULT_STRATEGY) != Z_OK)
		return -ENOMEM;
	data = malloc(plain.len);
	if (!data) {
		(void) deflateEnd(&z);
		return -ENOMEM;
	}
	z.next_in = (Bytef *) plain.data;
	z.avail_in = (uInt) plain.len;
	z.next_out = data;
	z.avail_out = (uInt) plain.len;
	r = deflate(&z, Z_FINISH);
	if (r == Z_STREAM_END)
		*ret = span_of(data, z.total_out);
	else /* it would not be shorter */
		free(data);
	(void) deflateEnd(&z);
	return 0;
}

static void file_done(struct web_file *f)
{
	free(f->path);
	free((void *) f->plain.data);
	free((void *) f->gzip.data);
}

static int load(struct web_files *files, const char *dir, const char *name)
{
	_cleanup_free_ char *path = NULL;
	struct web_file *f = &files->files[files->n];
	const char *type = type_of(name);
	char *content;
	size_t len;
	int r;

	if (!type)
		return 0;
	if (files->n == FILES_MAX)
		return -E2BIG;
	if (asprintf(&path, "%s/%s", dir, name) < 0)
		return -ENOMEM;
	r = file_read(path, FILE_SIZE_MAX, &content, &len);
	if (r < 0)
		return r;
	*f = (struct web_file){.type = type, .plain = span_of(content, len)};
	files->n++;
	if (asprintf(&f->path, "/%s", name) < 0) {
		f->path = NULL;
		return -ENOMEM;
	}
	r = make_etag(f->plain, f->etag);
	return r < 0 || len == 0 ? r : compress_gzip(f->plain, &f->gzip);
}

int web_files_load(const char *dir, struct web_files **ret)
{
	_cleanup_(web_files_freep) struct web_files *files = calloc(1, sizeof(*files));
	const struct dirent *entry;
	DIR *d;
	int r = 0;

	if (!files)
		return -ENOMEM;
	d = opendir(dir);
	if (!d)
		return -errno;
	while (r >= 0 && (entry = readdir(d)))
		r = load(files, dir, entry->d_name);
	(void) closedir(d);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(files);
	return 0;
}

struct web_files *web_files_free(struct web_files *files)
{
	if (!files)
		return NULL;
	for (size_t i = 0; i < files->n; i++)
		file_done(&files->files[i]);
	free(files);
	return NULL;
}

const struct web_file *web_files_find(const struct web_files *files, const char *path)
{
	if (strcmp(path, "/") == 0)
		path = "/index.html";
	for (size_t i = 0; files && i < files->n; i++)
		if (strcmp(files->files[i].path, path) == 0)
			return &files->files[i];
	return NULL;
}

/* --- what a client wants: lists with commas between --- */

/* The next item without the blanks around it; empty at the end. */
static struct span next_item(const char **list)
{
	const char *begin = *list + strspn(*list, " \t,"), *end = begin + strcspn(begin, ",");

	*list = end;
	while (end > begin && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	return span_of(begin, (size_t) (end - begin));
}

/* "gzip", or with a weight other than zero (RFC 9110 section 12.5.3). */
bool web_accepts_gzip(const char *accept_encoding)
{
	struct span item;

	while (accept_encoding && (item = next_item(&accept_encoding)).len > 0) {
		const char *text = (const char *) item.data;
		size_t len = strcspn(text, "; \t,");
		const char *weight = memmem(text, item.len, "q=", 2);

		if (len == 4 && strncasecmp(text, "gzip", 4) == 0)
			return !weight || strtod(weight + 2, NULL) > 0;
	}
	return false;
}

/* Weak comparison (RFC 9110 section 8.8.3.2): with or without W/. */
static struct span opaque_part(struct span etag)
{
	return etag.len > 2 && memcmp(etag.data, "W/", 2) == 0
		       ? span_of(etag.data + 2, etag.len - 2)
		       : etag;
}

bool web_etag_matches(const char *if_none_match, const char *etag)
{
	struct span ours = opaque_part(span_of(etag, strlen(etag))), item;

	while (if_none_match && (item = next_item(&if_none_match)).len > 0) {
		struct span theirs = opaque_part(item);

		if (item.len == 1 && item.data[0] == '*')
			return true;
		if (theirs.len == ours.len && memcmp(theirs.data, ours.data, ours.len) == 0)
			return true;
	}
	return false;
}
