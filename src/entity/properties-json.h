/* Properties as files, scripts and upstream's tools have them (protocol 06b section 5). */
#pragma once

#include <jansson.h>

#include "entity/properties.h"

/* Adds the values to object. 0 or -ENOMEM. */
int properties_to_json(const struct properties *properties, json_t *object);

/* The properties of type that are in object and make sense there; anything else is left out. Values
 * go to wr, see properties.h. 0, -ENOBUFS, -ENOMEM. */
int properties_from_json(struct writer *wr, const json_t *object, const struct entity_type *type,
			 struct properties *ret);
