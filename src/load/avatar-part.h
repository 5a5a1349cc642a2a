/* What a client knows of the avatars. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* What this client has of another client's avatar. */
struct sighting {
	uint32_t serial;      /* of the session it belongs to; 0: nothing, or it was killed */
	uint64_t update_usec; /* last position */
	bool has_data, has_identity, has_traits; /* kept over sessions */
};

struct client_avatar {
	uint16_t sequence;
	uint32_t n_sent;
	uint64_t next_query_usec;
	struct sighting *sightings; /* of each client */
};

struct client;

/* Other clients of which everything was seen so far. */
unsigned client_avatar_seen(const struct client *c);
/* Avatars that it still has though their clients left in that time, after from and not after to. */
unsigned client_avatar_ghosts(const struct client *c, uint64_t from_usec, uint64_t to_usec);
