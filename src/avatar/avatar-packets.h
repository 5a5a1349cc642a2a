/* The small packets around avatars (protocol 04 sections 6, 7 and 9). Pure; spans borrow. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/packed.h"

#define AVATAR_VIEWS_MAX 16
#define AVATAR_KILL_SIZE 17

/* --- KillAvatar --- */

enum avatar_kill_reason {
	AVATAR_KILL_NO_REASON = 0,
	AVATAR_KILL_DISCONNECTED = 1,
	AVATAR_KILL_IGNORED = 2,
	AVATAR_KILL_ENTERED_YOUR_BUBBLE = 3,
	AVATAR_KILL_ENTERED_THEIR_BUBBLE = 4,
};

/* Exactly these bytes: clients throw on any other length. */
void avatar_kill_encode(const struct uuid *session, enum avatar_kill_reason reason,
			uint8_t ret[static AVATAR_KILL_SIZE]);

/* --- AvatarQuery --- */

struct avatar_view {
	struct vec3 position, direction;
	float half_angle;        /* radians */
	float far_clip, keyhole; /* metres; whatever is nearer than the keyhole is in view */
};

struct avatar_query {
	unsigned n;
	struct avatar_view views[AVATAR_VIEWS_MAX];
};

/* -EBADMSG unless this is exactly as many views as it says, no more than AVATAR_VIEWS_MAX, with
 * finite numbers. */
int avatar_query_decode(const void *data, size_t len, struct avatar_query *ret);

/* --- NodeIgnoreRequest --- */

struct avatar_ignore_request {
	bool add;
	unsigned n;
	struct span uuids; /* n of them */
};

/* An incomplete last UUID is left out. -EBADMSG when there is not one. */
int avatar_ignore_decode(const void *data, size_t len, struct avatar_ignore_request *ret);
struct uuid avatar_ignore_get(const struct avatar_ignore_request *request, unsigned i);

/* --- the others --- */

/* RadiusIgnoreRequest and RequestsDomainListData: one flag, more bytes are accepted. */
int avatar_flag_decode(const void *data, size_t len, bool *ret);

struct avatar_sorting {
	float size, centre, age;
};
/* AdjustAvatarSorting. */
int avatar_sorting_decode(const void *data, size_t len, struct avatar_sorting *ret);

/* BulkAvatarTraitsAck: the message's number. */
int avatar_traits_ack_decode(const void *data, size_t len, int64_t *ret);
