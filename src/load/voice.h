/* What a talker says: a loop of frames, encoded once and sent by any number of clients. Read only
 * after it is made. */
#pragma once

#include "audio/codec.h"
#include "base/bytes.h"
#include "base/prng.h"

struct voice;

/* Something like speech, two seconds: voiced syllables with pauses. */
int voice_new_speech(const struct codec_ops *codec, struct prng *prng, struct voice **ret);
/* A sine (load/tones.h). */
int voice_new_tone(const struct codec_ops *codec, unsigned hz, double amplitude,
		   struct voice **ret);
struct voice *voice_free(struct voice *voice);
DEFINE_CLEANUP_FUNC(struct voice *, voice_free);

/* Frame i of the endless loop, mono: in the codec, or as raw samples. */
struct span voice_frame(const struct voice *voice, uint64_t i, bool raw);
