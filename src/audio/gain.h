/* How loud a source is to a listener, and who is too close to be heard (03 sections 3.10 and 8). */
#pragma once

#include <stdbool.h>

#include "audio/audio-packets.h"

/* No source is amplified more, all factors together. */
#define GAIN_MAX 16.0f

/* The factor of distance (metres) under an attenuation coefficient: from 0 to 1 the loss per
 * doubling, none at 2 m; below 0 linear to silence at that distance; from 1 on silence. */
float gain_distance(float distance, float coefficient);
/* An avatar is loudest to whom it faces: 1 there, 0.6 at its side, 0.2 behind it. source is its
 * orientation, offset the vector from the listener to it. */
float gain_directivity(const struct quat *source, const struct vec3 *offset);

/* --- the space bubble --- */

struct ignore_box {
	struct vec3 corner, size;
};

/* The ignore box of an avatar. A box that does not contain its avatar (the Web SDK sends a constant
 * one at the origin) is centred on it. */
struct ignore_box ignore_box_of(const struct audio_pose *pose);
bool ignore_box_touches(const struct ignore_box *a, const struct ignore_box *b);
