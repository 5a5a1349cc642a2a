#include "assignment-client/hats.h"

#include <stddef.h>

#include "base/macros.h"

static const struct hat_ops *const known[] = {
	&audio_mixer_ops,
	&avatar_mixer_ops,
	&messages_mixer_ops,
	&entity_server_ops,
};

const struct hat_ops *hat_ops_find(unsigned assignment_type)
{
	for (size_t i = 0; i < ELEMENTSOF(known); i++)
		if (known[i]->hat == assignment_type)
			return known[i];
	return NULL;
}
