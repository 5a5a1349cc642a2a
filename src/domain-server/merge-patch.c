#include "domain-server/merge-patch.h"

json_t *merge_patch_between(const json_t *before, const json_t *after)
{
	json_t *patch = json_object(), *value;
	const char *key;
	int r = patch ? 0 : -1;

	json_object_foreach ((json_t *) after, key, value) {
		json_t *old = json_object_get(before, key);

		if (json_equal(old, value))
			continue;
		if (json_is_object(old) && json_is_object(value))
			r |= json_object_set_new(patch, key, merge_patch_between(old, value));
		else
			r |= json_object_set(patch, key, value);
	}
	json_object_foreach ((json_t *) before, key, value)
		if (!json_object_get(after, key))
			r |= json_object_set_new(patch, key, json_null());
	if (r < 0) {
		json_decref(patch);
		return NULL;
	}
	return patch;
}
