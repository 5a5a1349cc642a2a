/* Where in a text a JSON value stands. jansson says so only for syntax errors, so this walks the
 * text beside the tree that jansson made of it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

/* The way to a value: group.key, list[3], table["key with spaces"].column. Longer ones are cut
 * off. */
struct json_path {
	size_t len;
	char text[256];
};

/* Both return what json_path_cut() takes to go back. */
size_t json_path_add_key(struct json_path *path, const char *key);
size_t json_path_add_index(struct json_path *path, size_t index);
void json_path_cut(struct json_path *path, size_t len);

struct json_position {
	unsigned line, column; /* from 1; columns count characters */
};

/* Of the key of an object's member, or of an array's element. text is what root was parsed from,
 * with JSON_REJECT_DUPLICATES. False when the path leads nowhere. */
bool json_position_find(const char *text, size_t len, const json_t *root, const char *path,
			struct json_position *ret);
