/* One avatar as the mixer knows it: the merged outcome of all AvatarData packets so far (protocol
 * 04 section 3.5), with the tick at which each part last changed. What a listener needs is then
 * "all that changed since tick T", the same bytes for every listener with the same T.
 *
 * A tick is the broadcast frame's number, from 1 up; 0 means never. Pure: the owner counts ticks.
 */
#pragma once

#include "avatar/avatar-data.h"

#define AVATAR_TICKS_PER_SECOND 45

/* After this silence any sequence number is accepted: the client began anew. */
#define AVATAR_SEQUENCE_RESET_TICKS (2 * AVATAR_TICKS_PER_SECOND)
/* Nobody acknowledges BulkAvatarData; what was lost is repaired by sending everything this often.
 */
#define AVATAR_KEY_TICKS 50

/* By distance: how far a joint has to turn before a listener hears of it (protocol 04
 * section 12.6). The nearest hear of every turn. */
#define AVATAR_TIERS 6
/* A joint that was still for so long is shown as it is to everybody, however little it turned last,
 * and again after these: each may be lost. */
#define AVATAR_SETTLE_TICKS   8
#define AVATAR_SETTLE_2_TICKS 24
#define AVATAR_SETTLE_3_TICKS 48

enum avatar_state_layout {
#define X(constant, flag, size, ...) \
	AVATAR_OFFSET_##constant, AVATAR_END_##constant = AVATAR_OFFSET_##constant + (size) -1,
	AVATAR_SECTIONS(X)
#undef X
		AVATAR_SECTIONS_SIZE,
};

struct avatar_section_state {
	uint16_t len; /* 0: not known, or no longer valid */
	uint32_t changed_tick;
};

/* What a tier but the nearest was last shown of a joint that moves. */
struct avatar_joint_shown {
	uint8_t rotation[AVATAR_JOINT_VALUE_SIZE];
	struct quat turn; /* the same */
	uint32_t tick;
};

struct avatar_joint {
	uint8_t rotation[AVATAR_JOINT_VALUE_SIZE]; /* as on the wire */
	struct vec3 translation;
	bool rotation_known, translation_known;
	bool rotation_default, translation_default;
	uint32_t rotation_tick, translation_tick;
	struct avatar_joint_shown shown[AVATAR_TIERS - 1];
};

struct avatar_state {
	uint32_t updated_tick; /* of the newest packet; 0: nothing was received yet */
	uint32_t key_tick;     /* listeners last served before this get everything */
	uint8_t key_phase;     /* the owner's: below AVATAR_KEY_TICKS, so that not all do at once */
	uint16_t sequence;
	struct avatar_section_state sections[AVATAR_SECTION_COUNT];
	uint8_t bytes[AVATAR_SECTIONS_SIZE];

	bool has_joints; /* a joint section was received, if only to say "none" */
	uint8_t joint_count;
	uint8_t joints_allocated;
	struct avatar_joint *joints;
};

void avatar_state_done(struct avatar_state *state);

/* Merges a packet; data is not kept. 0; -ESTALE when its sequence number is not newer than the last
 * one; -ENOMEM (nothing was merged). */
int avatar_state_apply(struct avatar_state *state, const struct avatar_data *data, uint32_t tick);

/* What to encode in tick for a listener that was last sent this avatar at sent_tick: changes since
 * the tick returned, which may be somewhat earlier so that more listeners share a record; 0 stands
 * for everything. */
uint32_t avatar_state_since(const struct avatar_state *state, uint32_t sent_tick, uint32_t tick);

/* The tier of a listener so far away, in square metres. */
unsigned avatar_tier(float distance_squared);
/* A joint's rotation as a tier is to see it in tick, and whether that is other than it was at
 * since. */
const uint8_t *avatar_joint_rotation(const struct avatar_joint *joint, unsigned tier,
				     uint32_t tick);
bool avatar_joint_turned(const struct avatar_joint *joint, unsigned tier, uint32_t since,
			 uint32_t tick);
bool avatar_joint_moved(const struct avatar_joint *joint, uint32_t since, uint32_t tick);

/* The stored bytes; empty when the section is not known. */
struct span avatar_state_section(const struct avatar_state *state, enum avatar_section section);

/* The origin until a position was received. */
struct vec3 avatar_state_position(const struct avatar_state *state);
/* False when the client never sent one. */
bool avatar_state_bounding_box(const struct avatar_state *state, struct vec3 *ret_dimensions,
			       struct vec3 *ret_offset);
