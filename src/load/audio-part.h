/* What a client knows of its audio. */
#pragma once

#include "audio/audio-packets.h"
#include "load/ear.h"

struct client_audio {
	char codec[CODEC_NAME_MAX + 1]; /* that the mixer selected; "" before */
	bool is_negotiated;
	uint64_t next_offer_usec;
	uint16_t sequence;
	struct sequence_stats received;
	uint64_t last_packet_usec; /* 0: none yet */
	struct ear ear;
	uint64_t next_listen_usec;
	uint8_t *heard; /* a bit for each talker, kept over sessions */
};

/* Talkers that were heard so far. */
unsigned client_audio_heard(const struct client_audio *audio, unsigned n_talkers);
