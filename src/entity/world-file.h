/* models.json.gz: a world as upstream's tools and archives have it (protocol 06c section 9.1),
 * packed or plain. Pure. */
#pragma once

#include "entity/world.h"

#define WORLD_FILE_PACKED_MAX (256 * 1024 * 1024)
#define WORLD_FILE_MAX        (1024 * 1024 * 1024)
/* The version that needs no conversion. */
#define WORLD_FILE_VERSION 133

struct world_file_report {
	int version;
	unsigned n_loaded;
	unsigned n_unknown;   /* of a type that we do not know */
	unsigned n_elsewhere; /* avatar and local entities, which no server keeps */
	unsigned n_refused;   /* no object, an id that was there before, no room */
	char error[256];      /* of JSON: what and where; empty for other failures */
};

/* Adds the file's entities to world. now_usec (since 1970) is when those without a time were made.
 * -EBADMSG when this is no such file (the report says why, if it is about JSON), -EFBIG, -ENOMEM.
 */
int world_file_parse(struct span file, struct world *world, uint64_t now_usec,
		     struct world_file_report *ret);
