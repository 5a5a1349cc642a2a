#include "avatar/model-whitelist.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

struct place {
	struct span host, path;
};

struct model_whitelist {
	char *text; /* what the entries point into */
	size_t n;
	struct place entries[];
};

/* Up to the first of the characters in stop; moves url behind it. */
static struct span take_until(struct span *url, const char *stop)
{
	struct span taken = {.data = url->data};

	while (taken.len < url->len && !strchr(stop, url->data[taken.len]))
		taken.len++;
	url->data += taken.len;
	url->len -= taken.len;
	return taken;
}

static struct span after(struct span s, size_t n)
{
	return span_of(s.data + n, s.len - n);
}

/* [scheme://][user@]host[:port][/path][?…][#…]; an IPv6 host keeps its brackets. */
static struct place place_of(struct span url)
{
	struct place place = {0};
	const uint8_t *mark, *at;
	struct span authority;

	if (url.len == 0)
		return place;
	mark = memmem(url.data, url.len, "://", 3);
	if (mark)
		url = after(url, (size_t) (mark - url.data) + 3);
	authority = take_until(&url, "/\\?#"); /* browsers take \ for / */
	at = authority.len > 0 ? memrchr(authority.data, '@', authority.len) : NULL;
	if (at)
		authority = after(authority, (size_t) (at - authority.data) + 1);

	if (authority.len > 0 && authority.data[0] == '[')
		place.host = take_until(&authority, "]");
	else
		place.host = take_until(&authority, ":");
	place.path = take_until(&url, "?#");
	return place;
}

static bool has_prefix(struct span s, struct span prefix)
{
	return s.len >= prefix.len &&
	       (prefix.len == 0 ||
		strncasecmp((const char *) s.data, (const char *) prefix.data, prefix.len) == 0);
}

int model_whitelist_parse(const char *text, struct model_whitelist **ret)
{
	_cleanup_(model_whitelist_freep) struct model_whitelist *whitelist = NULL;
	char *entry, *rest;
	size_t most = 1;

	for (const char *p = text; *p; p++)
		most += *p == ',';
	whitelist = calloc(1, sizeof(*whitelist) + most * sizeof(whitelist->entries[0]));
	if (!whitelist)
		return -ENOMEM;
	rest = whitelist->text = strdup(text);
	if (!rest)
		return -ENOMEM;

	while ((entry = strsep(&rest, ","))) {
		size_t len;

		entry += strspn(entry, " \t\r\n");
		len = strcspn(entry, " \t\r\n");
		if (len > 0)
			whitelist->entries[whitelist->n++] = place_of(span_of(entry, len));
	}
	*ret = whitelist->n > 0 ? TAKE_PTR(whitelist) : NULL;
	return 0;
}

struct model_whitelist *model_whitelist_free(struct model_whitelist *whitelist)
{
	if (!whitelist)
		return NULL;
	free(whitelist->text);
	free(whitelist);
	return NULL;
}

bool model_whitelist_allows(const struct model_whitelist *whitelist, struct span url)
{
	struct place place = place_of(url);

	if (!whitelist)
		return true;
	for (size_t i = 0; i < whitelist->n; i++) {
		const struct place *entry = &whitelist->entries[i];

		if (place.host.len == entry->host.len && has_prefix(place.host, entry->host) &&
		    has_prefix(place.path, entry->path))
			return true;
	}
	return false;
}

bool model_url_is_local(struct span url)
{
	return has_prefix(url, span_of("file:", 5)) || has_prefix(url, span_of("qrc:", 4));
}
