/* The hats this program has, one file each (a hat's name is its file's). */
#pragma once

#include "assignment-client/hat.h"

extern const struct hat_ops avatar_mixer_ops;
extern const struct hat_ops audio_mixer_ops;
extern const struct hat_ops messages_mixer_ops;
extern const struct hat_ops entity_server_ops;
