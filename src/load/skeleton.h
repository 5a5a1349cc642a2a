/* The skeleton of a simulated avatar: its trait, and poses in which every third joint moves. Pure.
 */
#pragma once

#include <stdint.h>

#include "base/bytes.h"

/* The value of the SkeletonData trait (protocol 04 section 8.4). */
void skeleton_write(struct writer *wr, unsigned joints);

/* The joint and default-pose sections of AvatarData (section 3.4) at that time: those that move, or
 * all. offset tells avatars apart. */
void skeleton_write_pose(struct writer *wr, unsigned joints, bool all, unsigned offset,
			 uint64_t now_usec);
