/* Session display names (protocol 04 section 5.2): the name others see, made unique in the domain
 * by a suffix. Names are UTF-8. One thread. */
#pragma once

#include "base/macros.h"

struct session_names;

/* A name in use. */
struct session_name {
	char *text; /* base, or base_suffix when suffix is not 0 */
	char *base;
	unsigned suffix;
};

int session_names_new(struct session_names **ret);
/* All names must have been released. */
struct session_names *session_names_free(struct session_names *names);
DEFINE_CLEANUP_FUNC(struct session_names *, session_names_free);

/* Takes the smallest free suffix for what the display name boils down to, and releases old (may be
 * NULL), which counts as free already. The new name stays in use until it is released. 0; -ENOMEM,
 * and the old name stays. */
int session_names_take(struct session_names *names, const char *display_name,
		       const struct session_name *old, const struct session_name **ret);
/* The name that was taken before with this suffix; with another one when somebody has it. 0 or
 * -ENOMEM. */
int session_names_take_again(struct session_names *names, const char *display_name, unsigned suffix,
			     const struct session_name **ret);
/* NULL is fine. */
void session_names_release(struct session_names *names, const struct session_name *name);

/* The part of a display name that suffixes are counted for: its first line without outer white
 * space and without a suffix of its own; "anonymous" when nothing is left. On the heap, or NULL. */
char *session_name_base(const char *display_name);
