#include "base/json-position.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/macros.h"

static void add(struct json_path *path, const char *format, ...) _printf_(2, 3);

static void add(struct json_path *path, const char *format, ...)
{
	size_t room = sizeof(path->text) - path->len;
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(path->text + path->len, room, format, ap);
	va_end(ap);
	if (n > 0)
		path->len += MIN((size_t) n, room - 1);
}

static bool is_plain(const char *key)
{
	return *key && key[strspn(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				       "0123456789_-")] == 0;
}

size_t json_path_add_key(struct json_path *path, const char *key)
{
	size_t before = path->len;

	if (!is_plain(key))
		add(path, "[\"%s\"]", key);
	else
		add(path, "%s%s", path->len > 0 ? "." : "", key);
	/* Paths end up in logs. */
	for (size_t i = before; i < path->len; i++)
		if (iscntrl((unsigned char) path->text[i]))
			path->text[i] = '?';
	return before;
}

size_t json_path_add_index(struct json_path *path, size_t index)
{
	size_t before = path->len;

	add(path, "[%zu]", index);
	return before;
}

void json_path_cut(struct json_path *path, size_t len)
{
	path->len = len;
	path->text[len] = 0;
}

/* --- the text: jansson has accepted it, so this only skips --- */

struct cursor {
	const char *text;
	size_t len, pos;
	struct json_position at;
};

static char peek(const struct cursor *c)
{
	return c->pos < c->len ? c->text[c->pos] : 0;
}

static void step(struct cursor *c)
{
	char ch = peek(c);

	if (c->pos < c->len)
		c->pos++;
	if (ch == '\n')
		c->at = (struct json_position){c->at.line + 1, 1};
	else if ((ch & 0xc0) != 0x80) /* the later bytes of a character count nothing */
		c->at.column++;
}

static void skip_space(struct cursor *c)
{
	while (peek(c) && strchr(" \t\r\n", peek(c)))
		step(c);
}

/* Up to the next token. */
static void skip_token(struct cursor *c)
{
	skip_space(c);
	step(c);
	skip_space(c);
}

static void skip_string(struct cursor *c)
{
	step(c);
	while (peek(c) && peek(c) != '"') {
		if (peek(c) == '\\')
			step(c);
		step(c);
	}
	step(c);
}

/* Of numbers, true, false and null. */
static bool is_literal(char c)
{
	return isalnum((unsigned char) c) || c == '+' || c == '-' || c == '.';
}

static void skip_value(struct cursor *c)
{
	unsigned depth = 0;

	do {
		skip_space(c);
		if (peek(c) == 0)
			return;
		if (peek(c) == '"') {
			skip_string(c);
		} else if (is_literal(peek(c))) {
			while (is_literal(peek(c)))
				step(c);
		} else {
			depth += peek(c) == '{' || peek(c) == '[';
			depth -= peek(c) == '}' || peek(c) == ']';
			step(c);
		}
	} while (depth > 0);
}

/* --- the walk --- */

struct search {
	struct cursor cursor;
	struct json_path path; /* of the value in hand */
	const char *target;
};

static bool descend(struct search *s, const json_t *value, struct json_position *ret);

/* The cursor is at the value that s->path names; here is what to report for it. */
static bool visit(struct search *s, const json_t *value, struct json_position here,
		  struct json_position *ret)
{
	const char *rest = s->target + s->path.len;

	if (strncmp(s->target, s->path.text, s->path.len) != 0 ||
	    (*rest && *rest != '.' && *rest != '[')) {
		skip_value(&s->cursor);
		return false;
	}
	if (*rest == 0) {
		*ret = here;
		return true;
	}
	return descend(s, value, ret);
}

static bool descend(struct search *s, const json_t *value, struct json_position *ret)
{
	void *member = json_object_iter((json_t *) value);
	size_t n = json_object_size(value) + json_array_size(value);

	if (!json_is_object(value) && !json_is_array(value)) {
		skip_value(&s->cursor);
		return false;
	}
	skip_token(&s->cursor);
	for (size_t i = 0; i < n; i++) {
		struct json_position here = s->cursor.at;
		const json_t *item;
		size_t before;
		bool found;

		if (member) {
			skip_string(&s->cursor);
			skip_token(&s->cursor);
			before = json_path_add_key(&s->path, json_object_iter_key(member));
			item = json_object_iter_value(member);
			member = json_object_iter_next((json_t *) value, member);
		} else {
			before = json_path_add_index(&s->path, i);
			item = json_array_get(value, i);
		}
		found = visit(s, item, here, ret);
		if (found)
			return true;
		json_path_cut(&s->path, before);
		if (i + 1 < n)
			skip_token(&s->cursor);
	}
	skip_token(&s->cursor);
	return false;
}

bool json_position_find(const char *text, size_t len, const json_t *root, const char *path,
			struct json_position *ret)
{
	struct search s = {
		.cursor = {.text = text, .len = len, .at = {1, 1}},
		.target = path,
	};

	skip_space(&s.cursor);
	return descend(&s, root, ret);
}
