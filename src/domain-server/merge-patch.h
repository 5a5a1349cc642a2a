/* The difference between two JSON documents as a JSON Merge Patch (RFC 7396). Pure. */
#pragma once

#include <jansson.h>

/* What makes after of before, both objects without nulls: {} when they are equal. New reference,
 * which shares values with after; NULL when out of memory. */
json_t *merge_patch_between(const json_t *before, const json_t *after);
