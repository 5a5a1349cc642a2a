/* Shared by the parts of the audio-mixer: packets and frames (audio-mixer.c), settings, statistics,
 * replicas of nodes of other domains, and the loading of HRTF sets. */
#pragma once

#include "assignment-client/hat.h"
#include "audio/frame-budget.h"
#include "audio/mix.h"
#include "base/event.h"
#include "base/list.h"
#include "base/recent-times.h"
#include "base/worker-pool.h"

#define AUDIO_FRAMES_PER_SECOND 100
/* The largest payload a packet to a client has: one frame of any codec, its sequence number and
 * name. */
#define AUDIO_PAYLOAD_MAX (2 + 4 + CODEC_NAME_MAX + CODEC_FRAME_BYTES_MAX)

/* --- settings --- */

struct audio_settings {
	struct jitter_config jitter;
	float noise_muting_threshold;
	unsigned threads;
	struct audio_formats codecs; /* in order of preference */
	struct acoustics space;      /* of the arrays below */
	struct acoustics_zone *zones;
	struct acoustics_coefficient *coefficients;
	struct acoustics_reverb *reverbs;
};

/* What makes no sense is left out with a warning. -ENOMEM. */
int audio_settings_read(const json_t *settings, struct audio_settings *ret);
void audio_settings_done(struct audio_settings *settings);

/* --- clients --- */

/* node->data of agents and entity script servers; a replica has no node. */
struct audio_client {
	struct audio_mixer *mixer;
	struct uuid uuid;
	struct node *node;
	struct mix_node *mix;
	struct list list;

	const struct codec_ops *codec; /* selected; NULL: none, raw PCM */
	struct codec_encoder *encoder; /* NULL for raw PCM */
	bool wants_everybody;          /* RequestsDomainListData */
	bool mute_once;                /* NodeMuteRequest */
	uint16_t sequence;             /* of the next packet to it */
	unsigned phase;                /* the frame of a second in which its slow packets go out */
	struct audio_reverb reverb;    /* as it was told */

	bool has_downstream;
	struct audio_stream_stats downstream; /* what it says of the mix it receives */
	uint64_t reported_bytes_out;

	/* Replicas. */
	struct node *upstream;
	uint64_t heard_usec;

	/* The frame: written by one thread of the pool, then read by the loop's. */
	bool listening;
	enum mix_result result;
	struct mix_counts counts;
	size_t payload_len;
	uint8_t payload[AUDIO_PAYLOAD_MAX];
};

/* --- the mixer --- */

/* What the time of a frame is reported of. */
enum audio_time {
	AUDIO_TIME_FRAME, /* all of it */
	AUDIO_TIME_PACKETS,
	AUDIO_TIME_MIX,
	AUDIO_TIMES,
};

/* Sums since the last report. */
struct audio_counts {
	unsigned frames, streams, listeners, silent_listeners, silent_packets;
	uint64_t times_usec[AUDIO_TIMES];
	struct mix_counts mix;
};

struct audio_mixer {
	struct hat_context context;
	struct audio_settings settings;
	struct codec_set codecs;
	struct mix *mix;
	struct worker_pool *pool;
	struct hrtf_loader *loader; /* NULL when nothing is being loaded */
	struct event_timer *timer;  /* NULL while there are no clients */
	uint64_t frame, frame_start_usec;
	bool *stopped; /* a frame that reads wants to know of the end; or NULL */

	struct list clients; /* replicas, too */
	size_t n_clients;
	struct audio_client *
		*slots; /* the clients by number, for the pool; filled anew each frame */

	double load; /* of a frame, smoothed */
	struct recent_times frame_times;
	uint64_t late_frames; /* done only when the next was due */
	struct frame_budget budget;
	struct audio_counts counts;
	uint64_t reported_usec;
	double trailing_usec[AUDIO_TIMES]; /* the same over some ten seconds */
};

int audio_client_add(struct audio_mixer *m, const struct uuid *uuid, struct node *node,
		     struct audio_client **ret);
void audio_client_remove(struct audio_client *client);
struct inbound_stream *audio_client_microphone(const struct audio_client *client);
/* Chooses the codec its microphone and its mix go through from now on. 0 or -errno. */
int audio_client_select_codec(struct audio_client *client, const struct codec_ops *codec);

/* What agents and replicas send alike. 0 or -errno as packet handlers return it. */
int audio_client_receive_microphone(struct audio_client *client, struct span payload,
				    bool with_echo, uint64_t now_usec);
int audio_client_receive_silence(struct audio_client *client, struct span payload,
				 uint64_t now_usec);
int audio_client_receive_injector(struct audio_client *client, struct span payload,
				  uint64_t now_usec);

/* --- replicas (protocol 03 section 3.10, "Replicated…") --- */

/* Handles a packet of an upstream mixer. */
int audio_replicas_receive(struct audio_mixer *m, const struct received *rx);
/* Forwards what a replicated node sent to the downstream mixers. */
void audio_replicas_forward(struct audio_mixer *m, const struct received *rx);
/* Removes the replicas of a node that goes, or (NULL) those nobody speaks for any more. */
void audio_replicas_expire(struct audio_mixer *m, const struct node *upstream, uint64_t now_usec);

/* --- HRTF sets --- */

struct hrtf_loader;

/* Makes ears of a SOFA file on a thread of its own, by way of a cache, and hands them over on the
 * loop's; NULL and why, when that failed. 0 or -errno. */
int hrtf_loader_new(sd_event *event, const char *path, const char *cache_path,
		    void (*loaded)(struct mix_ears *ears, int error, void *userdata), void *userdata,
		    struct hrtf_loader **ret);
/* Waits for the thread. May be called from loaded. */
struct hrtf_loader *hrtf_loader_free(struct hrtf_loader *loader);
DEFINE_CLEANUP_FUNC(struct hrtf_loader *, hrtf_loader_free)

/* --- reports --- */

json_t *audio_mixer_stats(void *hat);
void audio_mixer_status(void *hat, char *buf, size_t size);
