/* What one viewer was sent of a world, what it still has to be sent, and in which order (protocol
 * 06c section 7). The work follows what changed and what came into view, not the size of the world.
 * Pure. */
#pragma once

#include "entity/entity-data.h"
#include "entity/entity-query.h"

struct viewer;

struct viewer *viewer_new(void); /* NULL when out of memory */
struct viewer *viewer_free(struct viewer *viewer);
DEFINE_CLEANUP_FUNC(struct viewer *, viewer_free)

/* Nothing is sent before the first query. Another connection id, and the viewer has nothing. 0 or
 * -ENOMEM. */
int viewer_ask(struct viewer *viewer, const struct world *world, const struct entity_query *query);
bool viewer_has_asked(const struct viewer *viewer);
/* The last query, without its filter. */
const struct entity_query *viewer_query(const struct viewer *viewer);

/* Something in view is not sent yet. */
bool viewer_is_waiting(const struct viewer *viewer);
/* The next EntityData packet: its length; 0 when there is nothing to be sent; -ENOMEM. */
ssize_t viewer_next(struct viewer *viewer, const struct world *world, bool may_see_private,
		    uint64_t wall_usec, uint8_t ret[static ENTITY_DATA_MAX]);
/* The number that the next packet will have. */
uint16_t viewer_sequence(const struct viewer *viewer);
