#include "avatar/session-names.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define ANONYMOUS "anonymous"

/* A plain array: names are taken a few times a minute, and even a thousand are searched in
 * microseconds. */
struct session_names {
	struct session_name **used;
	size_t n, allocated;
};

int session_names_new(struct session_names **ret)
{
	struct session_names *names = calloc(1, sizeof(*names));

	if (!names)
		return -ENOMEM;
	*ret = names;
	return 0;
}

struct session_names *session_names_free(struct session_names *names)
{
	if (!names)
		return NULL;
	assert(names->n == 0);
	free(names->used);
	free(names);
	return NULL;
}

/* --- text --- */

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static size_t trimmed_len(const char *text, size_t len)
{
	while (len > 0 && is_space(text[len - 1]))
		len--;
	return len;
}

/* len without a trailing "_123". */
static size_t unsuffixed_len(const char *text, size_t len)
{
	size_t i = len;

	while (i > 0 && text[i - 1] >= '0' && text[i - 1] <= '9')
		i--;
	return i < len && i > 0 && text[i - 1] == '_' ? i - 1 : len;
}

char *session_name_base(const char *display_name)
{
	size_t len;

	while (is_space(*display_name))
		display_name++;
	len = trimmed_len(display_name, strcspn(display_name, "\n"));
	len = trimmed_len(display_name, unsuffixed_len(display_name, len));
	return len > 0 ? strndup(display_name, len) : strdup(ANONYMOUS);
}

/* --- the set --- */

static struct session_name *name_free(struct session_name *name)
{
	if (!name)
		return NULL;
	free(name->text);
	free(name->base);
	free(name);
	return NULL;
}
DEFINE_CLEANUP_FUNC(struct session_name *, name_free);

static int name_new(const char *display_name, struct session_name **ret)
{
	_cleanup_(name_freep) struct session_name *name = calloc(1, sizeof(*name));

	if (!name)
		return -ENOMEM;
	name->base = session_name_base(display_name);
	if (!name->base)
		return -ENOMEM;
	*ret = TAKE_PTR(name);
	return 0;
}

static int set_text(struct session_name *name)
{
	int r = name->suffix ? asprintf(&name->text, "%s_%u", name->base, name->suffix)
			     : asprintf(&name->text, "%s", name->base);

	if (r < 0)
		name->text = NULL;
	return r < 0 ? -ENOMEM : 0;
}

static bool is_taken(const struct session_names *names, const struct session_name *name)
{
	for (size_t i = 0; i < names->n; i++)
		if (names->used[i]->suffix == name->suffix &&
		    strcmp(names->used[i]->base, name->base) == 0)
			return true;
	return false;
}

/* With n names in use one of the suffixes 0…n is free. */
static int set_free_suffix(const struct session_names *names, struct session_name *name,
			   const struct session_name *old)
{
	_cleanup_free_ bool *taken = calloc(names->n + 1, sizeof(*taken));

	if (!taken)
		return -ENOMEM;
	for (size_t i = 0; i < names->n; i++) {
		const struct session_name *used = names->used[i];

		if (used != old && used->suffix < names->n && strcmp(used->base, name->base) == 0)
			taken[used->suffix] = true;
	}
	name->suffix = 0;
	while (taken[name->suffix])
		name->suffix++;
	return 0;
}

static int reserve(struct session_names *names)
{
	size_t allocated = names->allocated ? 2 * names->allocated : 16;
	struct session_name **used;

	if (names->n < names->allocated)
		return 0;
	used = reallocarray(names->used, allocated, sizeof(*used));
	if (!used)
		return -ENOMEM;
	names->used = used;
	names->allocated = allocated;
	return 0;
}

static int add(struct session_names *names, struct session_name **name,
	       const struct session_name **ret)
{
	int r;

	r = set_text(*name);
	if (r < 0)
		return r;
	r = reserve(names);
	if (r < 0)
		return r;
	*ret = names->used[names->n++] = TAKE_PTR(*name);
	return 0;
}

int session_names_take(struct session_names *names, const char *display_name,
		       const struct session_name *old, const struct session_name **ret)
{
	_cleanup_(name_freep) struct session_name *name = NULL;
	int r;

	r = name_new(display_name, &name);
	if (r < 0)
		return r;
	r = set_free_suffix(names, name, old);
	if (r < 0)
		return r;
	r = add(names, &name, ret);
	if (r < 0)
		return r;
	session_names_release(names, old);
	return 0;
}

int session_names_take_again(struct session_names *names, const char *display_name, unsigned suffix,
			     const struct session_name **ret)
{
	_cleanup_(name_freep) struct session_name *name = NULL;
	int r;

	r = name_new(display_name, &name);
	if (r < 0)
		return r;
	name->suffix = suffix;
	if (is_taken(names, name)) {
		r = set_free_suffix(names, name, NULL);
		if (r < 0)
			return r;
	}
	return add(names, &name, ret);
}

void session_names_release(struct session_names *names, const struct session_name *name)
{
	for (size_t i = 0; name && i < names->n; i++) {
		if (names->used[i] != name)
			continue;
		(void) name_free(names->used[i]);
		names->used[i] = names->used[--names->n];
		return;
	}
}
