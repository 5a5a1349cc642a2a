#include "base/hats.h"

#include <stdio.h>
#include <string.h>

#include "base/macros.h"

static const struct hat_info hats[] = {
#define X(constant, number, type, short_name, full_name, is_solo, offset, in_default) \
	{                                                                             \
		.hat = HAT_##constant,                                                \
		.node_type = type,                                                    \
		.name = short_name,                                                   \
		.long_name = full_name,                                               \
		.solo = is_solo,                                                      \
		.port = HATS_PORT_BASE + (offset),                                    \
		.is_default = in_default,                                             \
	},
	HATS(X)
#undef X
};

static_assert(ELEMENTSOF(hats) == HAT_COUNT, "hats are numbered without gaps");

const struct hat_info *hat_find(unsigned number)
{
	return number < HAT_COUNT ? &hats[number] : NULL;
}

const struct hat_info *hat_find_by_node_type(char node_type)
{
	for (size_t i = 0; i < ELEMENTSOF(hats); i++)
		if (hats[i].node_type == node_type)
			return &hats[i];
	return NULL;
}

const struct hat_info *hat_find_by_name(const char *text)
{
	for (size_t i = 0; i < ELEMENTSOF(hats); i++) {
		char number[16];

		(void) snprintf(number, sizeof(number), "%zu", i);
		if (strcmp(text, hats[i].name) == 0 || strcmp(text, hats[i].long_name) == 0 ||
		    strcmp(text, number) == 0)
			return &hats[i];
	}
	return NULL;
}

const struct hat_info *hat_find_by_instance(const char *text, unsigned *ret_number)
{
	const struct hat_info *hat = hat_find_by_name(text);
	_cleanup_free_ char *name = NULL;
	size_t len = strlen(text);

	*ret_number = 1;
	if (hat)
		return hat;
	/* One digit: avatar-2. */
	if (len < 3 || text[len - 2] != '-' || text[len - 1] < '2' ||
	    text[len - 1] > '0' + HAT_INSTANCES_MAX)
		return NULL;
	name = strndup(text, len - 2);
	*ret_number = (unsigned) (text[len - 1] - '0');
	return name ? hat_find_by_name(name) : NULL;
}

const char *node_type_name(char node_type)
{
	const struct hat_info *hat = hat_find_by_node_type(node_type);

	if (hat)
		return hat->long_name;

	switch (node_type) {
	case NODE_TYPE_DOMAIN_SERVER:
		return "domain-server";
	case NODE_TYPE_UNASSIGNED:
		return "unassigned";
	case NODE_TYPE_UPSTREAM_AUDIO:
		return "upstream-audio-mixer";
	case NODE_TYPE_UPSTREAM_AVATAR:
		return "upstream-avatar-mixer";
	case NODE_TYPE_DOWNSTREAM_AUDIO:
		return "downstream-audio-mixer";
	case NODE_TYPE_DOWNSTREAM_AVATAR:
		return "downstream-avatar-mixer";
	default:
		return "unknown";
	}
}

bool node_type_is_solo(char node_type)
{
	const struct hat_info *hat = hat_find_by_node_type(node_type);

	return hat && hat->solo;
}
