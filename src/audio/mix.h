/* Who hears what: nodes with their streams, what they asked for about each other, and one mixed
 * frame per listener (03 sections 3.10 and 7).
 *
 * Threads: mix_pop() and mix_listen() may run for different nodes at the same time; everything
 * else, mix_settle() included, is for one thread while nobody else is inside. */
#pragma once

#include "audio/acoustics.h"
#include "audio/inbound-stream.h"
#include "audio/renderer.h"

/* Streams of one node beside its microphone. */
#define MIX_INJECTORS_MAX 100
/* Other nodes about which one node may have an opinion, connected or not. */
#define MIX_OPINIONS_MAX 4096

struct mix;
struct mix_node;
/* What placed sources are rendered with, made of one HRTF set. */
struct mix_ears;

enum mix_result {
	MIX_AUDIO,  /* there is something to hear */
	MIX_FLUSH,  /* silence after audio: one frame of zeros, so that a codec can end its tail */
	MIX_SILENT, /* still silence */
};

enum mix_list {
	MIX_LIST_SKIPPED,
	MIX_LIST_INACTIVE,
	MIX_LIST_ACTIVE,
	MIX_LISTS,
};

/* Sums over listener frames, for the statistics of 03 section 12. */
struct mix_counts {
	unsigned hrtf_renders, hrtf_resets, stereo_mixes, echo_mixes;
	unsigned listed[MIX_LISTS];
	unsigned moved[MIX_LISTS][MIX_LISTS]; /* from, to */
};

/* Takes the set over, on failure too. Some milliseconds of work, for any thread. -ENOMEM. */
int mix_ears_new(struct hrtf *set, struct mix_ears **ret);
struct mix_ears *mix_ears_free(struct mix_ears *ears);
DEFINE_CLEANUP_FUNC(struct mix_ears *, mix_ears_free);

/* Takes the ears over, on failure too. -ENOMEM. */
int mix_new(struct mix_ears *ears, struct mix **ret);
/* Frees the nodes too. */
struct mix *mix_free(struct mix *mix);
DEFINE_CLEANUP_FUNC(struct mix *, mix_free);
/* Takes others over. The next frame fades from the old ones to them. */
void mix_set_ears(struct mix *mix, struct mix_ears *ears);
/* Renders in the time domain, straight from the definition, instead of in the frequency domain:
 * the same sound at many times the cost. */
void mix_set_exact(struct mix *mix, bool on);
/* Borrowed until another is set. */
void mix_set_acoustics(struct mix *mix, const struct acoustics *space);

/* --- nodes --- */

/* What others asked for about this id before it came applies at once. -EEXIST, -ENOMEM. */
int mix_node_add(struct mix *mix, const struct uuid *id, struct mix_node **ret);
/* Frees it and its streams; what others asked for about it is remembered. */
void mix_node_remove(struct mix *mix, struct mix_node *node);
struct mix_node *mix_node_find(const struct mix *mix, const struct uuid *id);

/* What a node asks for about another, there or not. Nil and its own id change nothing. -ENOBUFS
 * when it has opinions about too many, -ENOMEM. */
int mix_node_set_ignored(struct mix *mix, struct mix_node *node, const struct uuid *other,
			 bool ignored);
int mix_node_set_soloed(struct mix *mix, struct mix_node *node, const struct uuid *other,
			bool soloed);
/* The gain of another's microphone; 1 by default. */
int mix_node_set_gain(struct mix *mix, struct mix_node *node, const struct uuid *other, float gain);
/* What it asks for about all. */
void mix_node_set_avatar_gain(struct mix_node *node, float gain);
void mix_node_set_injector_gain(struct mix_node *node, float gain);
void mix_node_set_bubble(struct mix_node *node, bool on);
/* Hears even those who ignore it: an administrator with the list of everybody open. */
void mix_node_set_hears_ignorers(struct mix_node *node, bool on);

/* All of this for a successor, and its reading of it, for a node that was just added. -EBADMSG,
 * -ENOBUFS, -ENOMEM. */
void mix_node_save(const struct mix_node *node, struct writer *wr);
int mix_node_restore(struct mix *mix, struct mix_node *node, struct reader *rd);

/* --- streams --- */

/* A stream of this node; the nil id is the microphone's. The stream stays the mix's. */
struct inbound_stream *mix_stream_find(const struct mix_node *node, const struct uuid *id);
/* Opens one; microphones have the nil id. -EEXIST, -ENOBUFS when there are too many, -ENOMEM. */
int mix_stream_open(struct mix *mix, struct mix_node *node, enum audio_stream_type type,
		    const struct uuid *id, const struct jitter_config *config,
		    struct inbound_stream **ret);
void mix_stream_close(struct mix *mix, struct mix_node *node, const struct uuid *id);
/* Calls f for each stream of the node. */
void mix_stream_foreach(const struct mix_node *node,
			void (*f)(struct inbound_stream *stream, void *userdata), void *userdata);

/* --- one frame: all nodes pop, one thread settles, all listeners listen --- */

void mix_pop(struct mix_node *node, uint64_t now_usec);
/* Drops injectors nobody feeds any more, and works out what all listeners need. Returns the number
 * of streams. */
unsigned mix_settle(struct mix *mix);
/* Only nodes with a microphone stream, heard or not, have a place to listen from. */
bool mix_is_listener(const struct mix_node *node);
/* The listener's frame, interleaved; zeros unless it says MIX_AUDIO. Adds to *counts. */
enum mix_result mix_listen(struct mix *mix, struct mix_node *node,
			   int16_t ret[static AUDIO_FRAME_SAMPLES_MAX], struct mix_counts *counts);
void mix_counts_add(struct mix_counts *sum, const struct mix_counts *counts);
/* The reverb the listener is in, as of mix_settle(). */
struct audio_reverb mix_reverb(const struct mix *mix, const struct mix_node *node);
