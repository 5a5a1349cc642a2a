/* What a node may do in a domain: a set of bits (protocol 02 section 9.1) that travels as a u32 in
 * domain lists and as one boolean column per right in the settings.
 *
 * X(CONSTANT, bit, settings column)
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#define PERMISSIONS(X)                                                   \
	X(CONNECT, 0, "id_can_connect")                                  \
	X(ADJUST_LOCKS, 1, "id_can_adjust_locks")                        \
	X(REZ, 2, "id_can_rez")                                          \
	X(REZ_TEMPORARY, 3, "id_can_rez_tmp")                            \
	X(WRITE_ASSETS, 4, "id_can_write_to_asset_server")               \
	X(CONNECT_PAST_CAPACITY, 5, "id_can_connect_past_max_capacity")  \
	X(KICK, 6, "id_can_kick")                                        \
	X(REPLACE_CONTENT, 7, "id_can_replace_content")                  \
	X(REZ_CERTIFIED, 8, "id_can_rez_certified")                      \
	X(REZ_TEMPORARY_CERTIFIED, 9, "id_can_rez_tmp_certified")        \
	X(PRIVATE_USER_DATA, 10, "id_can_get_and_set_private_user_data") \
	X(REZ_AVATAR_ENTITIES, 11, "id_can_rez_avatar_entities")         \
	X(VIEW_ASSET_URLS, 12, "id_can_view_asset_urls")

enum permission {
#define X(constant, bit, column) PERMISSION_##constant = 1 << bit,
	PERMISSIONS(X)
#undef X
};

/* Defaults of protocol 02 section 9.2: the rows anonymous, logged-in and friends, … */
#define PERMISSIONS_VISITOR                                                \
	((uint32_t) (PERMISSION_CONNECT | PERMISSION_REZ_AVATAR_ENTITIES | \
		     PERMISSION_REZ_TEMPORARY_CERTIFIED))
/* … and localhost: everything but the bit that only Overte knows. */
#define PERMISSIONS_LOCALHOST UINT32_C(0xfff)
/* What an assigned mixer gets, section 9.5. */
#define PERMISSIONS_ASSIGNED UINT32_C(0xf9f)

static inline bool permissions_has(uint32_t permissions, enum permission p)
{
	return permissions & p;
}

/* The bits whose column is true in a row of a permission table; other keys are ignored, and values
 * may be true, a non-zero number or "true", as the web pages of various versions stored them.
 * Anything that is not an object has no rights. */
uint32_t permissions_from_json(const json_t *row);
/* Sets every column of row, an object. 0 or -ENOMEM. */
int permissions_to_json(uint32_t permissions, json_t *row);
/* A new array of the rights' short names ("connect", "rez_tmp"), for status pages; NULL when out of
 * memory. */
json_t *permissions_names(uint32_t permissions);
