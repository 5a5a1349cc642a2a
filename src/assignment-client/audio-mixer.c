/* audio-mixer: everybody's voice to everybody's ears (protocol 03). Who hears what is the engine's
 * business (audio/mix.h); here it meets nodes, packets and settings. */
#include "assignment-client/audio-mixer.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "assignment-client/hats.h"
#include "base/clock.h"
#include "base/log.h"
#include "node/permissions.h"

/* MIT KEMAR, of libmysofa. */
#define HRTF_FILE "/usr/share/libmysofa/default.sofa"
/* The share of one frame in the smoothed load, as upstream's. */
#define LOAD_FRAMES 112

/* --- clients --- */

struct inbound_stream *audio_client_microphone(const struct audio_client *client)
{
	return mix_stream_find(client->mix, &UUID_NULL);
}

static void on_frame(void *userdata);

/* Frames run while there is somebody. */
static int set_size(struct audio_mixer *m, size_t n)
{
	struct audio_client **slots;

	if (n == 0) {
		m->timer = event_timer_free(m->timer);
	} else if (n > m->n_clients) {
		slots = reallocarray(m->slots, n, sizeof(struct audio_client *));
		if (!slots)
			return -ENOMEM;
		m->slots = slots;
		if (m->n_clients == 0) {
			int r = event_timer_new(m->context.event, clock_now_usec(),
						AUDIO_FRAME_USEC, -10, on_frame, m, "audio frames",
						&m->timer);

			if (r < 0)
				return r;
			r = event_timer_feed_watchdog(m->timer);
			if (r < 0)
				return r;
		}
	}
	m->n_clients = n;
	return 0;
}

int audio_client_add(struct audio_mixer *m, const struct uuid *uuid, struct node *node,
		     struct audio_client **ret)
{
	_cleanup_free_ struct audio_client *client = calloc(1, sizeof(*client));
	int r;

	if (!client)
		return -ENOMEM;
	r = mix_node_add(m->mix, uuid, &client->mix);
	if (r < 0)
		return r;
	r = set_size(m, m->n_clients + 1);
	if (r < 0) {
		mix_node_remove(m->mix, client->mix);
		return r;
	}

	client->mixer = m;
	client->uuid = *uuid;
	client->node = node;
	client->phase = (unsigned) m->n_clients % AUDIO_FRAMES_PER_SECOND;
	list_append(&m->clients, &client->list);
	*ret = TAKE_PTR(client);
	return 0;
}

void audio_client_remove(struct audio_client *client)
{
	struct audio_mixer *m = client->mixer;

	mix_node_remove(m->mix, client->mix);
	codec_encoder_free(client->encoder);
	list_remove(&client->list);
	free(client);
	(void) set_size(m, m->n_clients - 1);
}

static const char *codec_name(const struct audio_client *client)
{
	return client->codec ? client->codec->name : "";
}

static void send_selected(struct audio_client *client)
{
	uint8_t data[4 + CODEC_NAME_MAX];
	struct writer wr = writer_over(data, sizeof(data));

	/* Replicas chose by themselves. */
	if (!client->node)
		return;
	audio_selected_encode(codec_name(client), &wr);
	(void) endpoint_send_node(client->mixer->context.endpoint, client->node,
				  PACKET_SELECTED_AUDIO_FORMAT, span_of(data, wr.len));
}

int audio_client_select_codec(struct audio_client *client, const struct codec_ops *codec)
{
	_cleanup_(codec_encoder_freep) struct codec_encoder *encoder = NULL;
	struct inbound_stream *microphone = audio_client_microphone(client);
	int r;

	if (codec && codec != &codec_pcm && client->node) {
		r = codec_encoder_new(codec, AUDIO_CHANNELS_MAX, &encoder);
		if (r < 0)
			return r;
	}
	if (microphone) {
		r = inbound_stream_set_codec(microphone, codec);
		if (r < 0)
			return r;
	}
	codec_encoder_free(client->encoder);
	client->encoder = TAKE_PTR(encoder);
	client->codec = codec;
	return 0;
}

/* --- sound --- */

static int get_microphone(struct audio_client *client, struct inbound_stream **ret)
{
	struct audio_mixer *m = client->mixer;
	int r;

	*ret = audio_client_microphone(client);
	if (*ret)
		return 0;
	r = mix_stream_open(m->mix, client->mix, AUDIO_STREAM_MICROPHONE, &UUID_NULL,
			    &m->settings.jitter, ret);
	if (r < 0)
		return r;
	r = inbound_stream_set_codec(*ret, client->codec);
	if (r < 0)
		mix_stream_close(m->mix, client->mix, &UUID_NULL);
	return r;
}

/* A replica's codec was negotiated elsewhere: each of its packets says what it is in. */
static int follow_codec(struct audio_client *client, const char *name)
{
	const struct codec_ops *codec = codec_set_find(&client->mixer->codecs, name);

	if (!client->upstream || !codec || codec == client->codec)
		return 0;
	return audio_client_select_codec(client, codec);
}

int audio_client_receive_microphone(struct audio_client *client, struct span payload,
				    bool with_echo, uint64_t now_usec)
{
	struct audio_microphone packet;
	struct inbound_stream *stream;
	int r;

	r = audio_microphone_decode(payload, &packet);
	if (r < 0)
		return r;
	r = get_microphone(client, &stream);
	if (r >= 0)
		r = follow_codec(client, packet.codec);
	if (r < 0)
		return r;

	stream->pose = packet.pose;
	stream->loopback = with_echo;
	r = inbound_stream_receive(stream, packet.sequence, packet.codec, packet.stereo,
				   packet.audio, now_usec);
	if (r > 0)
		send_selected(client);
	return MIN(r, 0);
}

int audio_client_receive_silence(struct audio_client *client, struct span payload,
				 uint64_t now_usec)
{
	struct inbound_stream *stream;
	struct audio_silent packet;
	int r;

	r = audio_silent_decode(payload, &packet);
	if (r < 0)
		return r;
	r = get_microphone(client, &stream);
	if (r < 0)
		return r;

	stream->pose = packet.pose;
	inbound_stream_receive_silence(stream, packet.sequence, now_usec);
	client->mixer->counts.silent_packets++;
	return 0;
}

int audio_client_receive_injector(struct audio_client *client, struct span payload,
				  uint64_t now_usec)
{
	struct audio_mixer *m = client->mixer;
	struct inbound_stream *stream;
	struct audio_inject packet;
	int r;

	r = audio_inject_decode(payload, &packet);
	if (r < 0)
		return r;
	stream = mix_stream_find(client->mix, &packet.stream);
	if (!stream) {
		r = mix_stream_open(m->mix, client->mix, AUDIO_STREAM_INJECTOR, &packet.stream,
				    &m->settings.jitter, &stream);
		if (r < 0)
			return r;
	}

	stream->pose = packet.pose;
	stream->loopback = packet.loopback;
	stream->volume = packet.volume;
	r = inbound_stream_receive(stream, packet.sequence, "", packet.stereo, packet.pcm,
				   now_usec);
	return MIN(r, 0);
}

/* --- packets --- */

static void forward_replicated(struct audio_client *client, const struct received *rx)
{
	if (client->node->is_replicated)
		audio_replicas_forward(client->mixer, rx);
}

static int on_microphone(struct audio_client *client, const struct received *rx)
{
	forward_replicated(client, rx);
	return audio_client_receive_microphone(
		client, rx->payload, rx->type == PACKET_MICROPHONE_AUDIO_WITH_ECHO, rx->now_usec);
}

static int on_silence(struct audio_client *client, const struct received *rx)
{
	forward_replicated(client, rx);
	return audio_client_receive_silence(client, rx->payload, rx->now_usec);
}

static int on_inject(struct audio_client *client, const struct received *rx)
{
	forward_replicated(client, rx);
	return audio_client_receive_injector(client, rx->payload, rx->now_usec);
}

static int on_stop_injector(struct audio_client *client, const struct received *rx)
{
	struct uuid id;
	int r;

	r = audio_stop_injector_decode(rx->payload, &id);
	if (r < 0)
		return r;
	mix_stream_close(client->mixer->mix, client->mix, &id);
	return 0;
}

static int on_kill_avatar(struct audio_client *client, const struct received *rx)
{
	mix_stream_close(client->mixer->mix, client->mix, &UUID_NULL);
	return 0;
}

static int on_negotiate(struct audio_client *client, const struct received *rx)
{
	struct audio_mixer *m = client->mixer;
	struct audio_formats offered;
	int r;

	r = audio_formats_decode(rx->payload, &offered);
	if (r < 0)
		return r;
	r = audio_client_select_codec(client,
				      codec_negotiate(&m->codecs, &m->settings.codecs, &offered));
	if (r < 0)
		return r;
	send_selected(client);
	return 0;
}

static int on_node_ignore(struct audio_client *client, const struct received *rx)
{
	struct audio_ids ids;
	int r;

	r = audio_ids_decode(rx->payload, &ids);
	for (size_t i = 0; r >= 0 && i < ids.n; i++) {
		struct uuid id = audio_ids_get(&ids, i);

		r = mix_node_set_ignored(client->mixer->mix, client->mix, &id, ids.add);
	}
	return r;
}

static int on_solo(struct audio_client *client, const struct received *rx)
{
	struct audio_ids ids;
	int r;

	r = audio_ids_decode(rx->payload, &ids);
	for (size_t i = 0; r >= 0 && i < ids.n; i++) {
		struct uuid id = audio_ids_get(&ids, i);

		r = mix_node_set_soloed(client->mixer->mix, client->mix, &id, ids.add);
	}
	return r;
}

static int on_avatar_gain(struct audio_client *client, const struct received *rx)
{
	struct audio_avatar_gain packet;
	int r;

	r = audio_avatar_gain_decode(rx->payload, &packet);
	if (r < 0)
		return r;
	if (!uuid_is_null(&packet.avatar))
		return mix_node_set_gain(client->mixer->mix, client->mix, &packet.avatar,
					 packet.gain);
	mix_node_set_avatar_gain(client->mix, packet.gain);
	return 0;
}

static int on_injector_gain(struct audio_client *client, const struct received *rx)
{
	float gain;
	int r;

	r = audio_injector_gain_decode(rx->payload, &gain);
	if (r >= 0)
		mix_node_set_injector_gain(client->mix, gain);
	return r;
}

static int on_radius_ignore(struct audio_client *client, const struct received *rx)
{
	bool on;
	int r;

	r = audio_flag_decode(rx->payload, &on);
	if (r >= 0)
		mix_node_set_bubble(client->mix, on);
	return r;
}

static int on_requests_domain_list_data(struct audio_client *client, const struct received *rx)
{
	return audio_flag_decode(rx->payload, &client->wants_everybody);
}

static int on_node_mute(struct audio_client *client, const struct received *rx)
{
	struct audio_client *target;
	struct node *node;
	struct uuid id;
	int r;

	r = audio_node_mute_decode(rx->payload, &id);
	if (r < 0)
		return r;
	if (!node_may(client->node, PERMISSION_KICK))
		return -EPERM;
	node = node_list_find(client->mixer->context.nodes, &id);
	target = node ? node->data : NULL;
	if (target)
		target->mute_once = true;
	return 0;
}

static int on_mute_environment(struct audio_client *client, const struct received *rx)
{
	struct audio_mixer *m = client->mixer;
	struct audio_mute_environment packet;
	int r;

	r = audio_mute_environment_decode(rx->payload, &packet);
	if (r < 0)
		return r;
	if (!node_may(client->node, PERMISSION_KICK))
		return -EPERM;
	node_list_for_each (m->context.nodes, node)
		if (node != client->node && node->type == NODE_TYPE_AGENT && node_is_active(node))
			(void) endpoint_send_node(m->context.endpoint, node,
						  PACKET_MUTE_ENVIRONMENT, rx->payload);
	return 0;
}

static int on_stream_stats(struct audio_client *client, const struct received *rx)
{
	struct audio_stats_report report;
	int r;

	r = audio_stats_decode(rx->payload, &report);
	if (r < 0)
		return r;
	if (report.n != 1)
		return -EPROTO;
	client->downstream = report.streams[0];
	client->has_downstream = true;
	return 0;
}

static const struct handler {
	enum packet_type type;
	bool is_kept; /* a successor has to know what it says */
	int (*fn)(struct audio_client *client, const struct received *rx);
} handlers[] = {
	{PACKET_MICROPHONE_AUDIO_NO_ECHO, false, on_microphone},
	{PACKET_MICROPHONE_AUDIO_WITH_ECHO, false, on_microphone},
	{PACKET_SILENT_AUDIO_FRAME, false, on_silence},
	{PACKET_INJECT_AUDIO, false, on_inject},
	{PACKET_STOP_INJECTOR, false, on_stop_injector},
	{PACKET_KILL_AVATAR, false, on_kill_avatar},
	{PACKET_NEGOTIATE_AUDIO_FORMAT, true, on_negotiate},
	{PACKET_NODE_IGNORE_REQUEST, true, on_node_ignore},
	{PACKET_AUDIO_SOLO_REQUEST, true, on_solo},
	{PACKET_PER_AVATAR_GAIN_SET, true, on_avatar_gain},
	{PACKET_INJECTOR_GAIN_SET, true, on_injector_gain},
	{PACKET_RADIUS_IGNORE_REQUEST, true, on_radius_ignore},
	{PACKET_REQUESTS_DOMAIN_LIST_DATA, true, on_requests_domain_list_data},
	{PACKET_NODE_MUTE_REQUEST, false, on_node_mute},
	{PACKET_MUTE_ENVIRONMENT, false, on_mute_environment},
	{PACKET_AUDIO_STREAM_STATS, false, on_stream_stats},
};

static const enum packet_type replica_types[] = {
	PACKET_REPLICATED_MICROPHONE_AUDIO_NO_ECHO,
	PACKET_REPLICATED_MICROPHONE_AUDIO_WITH_ECHO,
	PACKET_REPLICATED_INJECT_AUDIO,
	PACKET_REPLICATED_SILENT_AUDIO_FRAME,
};

static int on_packet(void *userdata, const struct received *rx)
{
	struct audio_client *client = rx->node ? rx->node->data : NULL;
	unsigned i = 0;

	if (!client)
		return -EPERM;
	while (handlers[i].type != rx->type)
		i++;
	if (handlers[i].is_kept)
		hat_touch(&client->mixer->context, client->node);
	return handlers[i].fn(client, rx);
}

/* --- frames --- */

static void start_frame(struct audio_mixer *m)
{
	struct audio_client *client;
	size_t n = 0;

	list_for_each (client, &m->clients, list) {
		const struct node *node = client->node;

		client->listening = false;
		m->slots[n++] = client;
		if (node)
			mix_node_set_hears_ignorers(client->mix,
						    client->wants_everybody &&
							    node_may(node, PERMISSION_KICK));
	}
}

static void pop_client(void *userdata, size_t i)
{
	struct audio_mixer *m = userdata;

	mix_pop(m->slots[i]->mix, m->frame_start_usec);
}

static bool is_listening(const struct audio_client *client)
{
	return client->node && client->node->type == NODE_TYPE_AGENT &&
	       node_is_active(client->node) && mix_is_listener(client->mix);
}

/* The codec's bytes of a frame, or raw PCM. */
static ssize_t encode_frame(struct audio_client *client, const int16_t *pcm,
			    uint8_t ret[static CODEC_FRAME_BYTES_MAX])
{
	if (!client->encoder)
		return codec_pcm.encode(NULL, AUDIO_CHANNELS_MAX, pcm, ret, CODEC_FRAME_BYTES_MAX);
	codec_encoder_set_complexity(client->encoder,
				     frame_budget_complexity(&client->mixer->budget));
	return codec_encode(client->encoder, pcm, ret);
}

static void mix_client(void *userdata, size_t i)
{
	struct audio_mixer *m = userdata;
	struct audio_client *client = m->slots[i];
	struct audio_mixed packet = {.sequence = client->sequence};
	int16_t pcm[AUDIO_FRAME_SAMPLES_MAX];
	uint8_t audio[CODEC_FRAME_BYTES_MAX];
	struct writer wr = writer_over(client->payload, sizeof(client->payload));
	ssize_t n = 0;

	if (!is_listening(client))
		return;
	client->listening = true;
	client->counts = (struct mix_counts){0};
	client->result = mix_listen(m->mix, client->mix, pcm, &client->counts);
	if (client->result != MIX_SILENT)
		n = encode_frame(client, pcm, audio);
	/* A frame that no codec made bytes of is no frame. */
	if (n <= 0) {
		client->result = MIX_SILENT;
		audio_mixed_silent_encode(client->sequence, codec_name(client), &wr);
	} else {
		(void) stpcpy(packet.codec, codec_name(client));
		packet.audio = span_of(audio, (size_t) n);
		audio_mixed_encode(&packet, &wr);
	}
	client->payload_len = wr.len;
}

static void send_noisy_mute(struct audio_client *client)
{
	const struct inbound_stream *microphone = audio_client_microphone(client);
	struct audio_mixer *m = client->mixer;

	if (!microphone || !client->node ||
	    (!client->mute_once && microphone->quietest <= m->settings.noise_muting_threshold))
		return;
	client->mute_once = false;
	(void) endpoint_send_node(m->context.endpoint, client->node, PACKET_NOISY_MUTE,
				  span_of(NULL, 0));
}

static void send_environment(struct audio_client *client)
{
	struct audio_mixer *m = client->mixer;
	struct audio_reverb reverb = mix_reverb(m->mix, client->mix), *told = &client->reverb;
	bool same = reverb.present == told->present && reverb.time_s == told->time_s &&
		    reverb.wet_percent == told->wet_percent;
	uint8_t data[9];
	struct writer wr = writer_over(data, sizeof(data));

	/* Said again once a second, since any of these packets may be lost. */
	if (same && m->frame % AUDIO_FRAMES_PER_SECOND != client->phase)
		return;
	client->reverb = reverb;
	audio_reverb_encode(&reverb, &wr);
	(void) endpoint_send_node(m->context.endpoint, client->node, PACKET_AUDIO_ENVIRONMENT,
				  span_of(data, wr.len));
}

struct stats_sending {
	struct audio_client *client;
	struct audio_stats_report report;
};

static void send_report(struct stats_sending *sending)
{
	uint8_t data[1464];
	struct writer wr = writer_over(data, sizeof(data));

	audio_stats_encode(&sending->report, &wr);
	(void) endpoint_send_node(sending->client->mixer->context.endpoint, sending->client->node,
				  PACKET_AUDIO_STREAM_STATS, span_of(data, wr.len));
	sending->report.start = false;
	sending->report.n = 0;
}

static void add_to_report(struct inbound_stream *stream, void *userdata)
{
	struct stats_sending *sending = userdata;

	if (sending->report.n == AUDIO_STATS_MAX)
		send_report(sending);
	inbound_stream_stats(stream, &sending->report.streams[sending->report.n++]);
}

static void send_stream_stats(struct audio_client *client)
{
	struct stats_sending sending = {.client = client, .report.start = true};

	if (client->mixer->frame % AUDIO_FRAMES_PER_SECOND != client->phase)
		return;
	mix_stream_foreach(client->mix, add_to_report, &sending);
	sending.report.end = true;
	send_report(&sending);
	/* The sequence number has moved on. */
	hat_touch(&client->mixer->context, client->node);
}

static void send_frame(struct audio_client *client)
{
	struct audio_mixer *m = client->mixer;

	send_noisy_mute(client);
	if (!client->listening)
		return;
	(void) endpoint_send_node(m->context.endpoint, client->node,
				  client->result == MIX_SILENT ? PACKET_SILENT_AUDIO_FRAME
							       : PACKET_MIXED_AUDIO,
				  span_of(client->payload, client->payload_len));
	client->sequence++;
	send_environment(client);
	send_stream_stats(client);

	m->counts.listeners++;
	m->counts.silent_listeners += client->result == MIX_SILENT;
	mix_counts_add(&m->counts.mix, &client->counts);
}

static void account_frame(struct audio_mixer *m, uint64_t usec, bool late)
{
	m->counts.frames++;
	m->counts.times_usec[AUDIO_TIME_FRAME] += usec;
	m->load += ((double) usec / AUDIO_FRAME_USEC - m->load) / LOAD_FRAMES;
	recent_times_add(&m->frame_times, usec);
	m->late_frames += late;
	frame_budget_add(&m->budget, usec);
}

/* False when that ended the frames: the last client left, or the assignment is over and m gone. */
static bool receive_within_frame(struct audio_mixer *m)
{
	bool stopped = false;

	m->stopped = &stopped;
	endpoint_receive(m->context.endpoint);
	if (stopped)
		return false;
	m->stopped = NULL;
	return m->timer;
}

static void on_frame(void *userdata)
{
	struct audio_mixer *m = userdata;
	uint64_t start = clock_now_usec(), popped, mixed, done;
	struct audio_client *client;

	/* A late frame comes before the socket's turn, and others after it at once: without what
	 * waits there they would find every stream dry. */
	if (!receive_within_frame(m))
		return;
	/* Not before the packets that were just put into the streams. */
	m->frame_start_usec = clock_now_usec();
	start_frame(m);
	worker_pool_run(m->pool, m->n_clients, pop_client, m);
	popped = clock_now_usec();

	m->counts.streams += mix_settle(m->mix);
	worker_pool_run(m->pool, m->n_clients, mix_client, m);
	mixed = clock_now_usec();

	list_for_each (client, &m->clients, list)
		send_frame(client);
	endpoint_flush(m->context.endpoint);
	done = clock_now_usec();

	m->counts.times_usec[AUDIO_TIME_PACKETS] += popped - start;
	m->counts.times_usec[AUDIO_TIME_MIX] += mixed - popped;
	account_frame(m, done - start, done > event_timer_next_usec(m->timer));
	if (m->frame++ % AUDIO_FRAMES_PER_SECOND == 0)
		audio_replicas_expire(m, NULL, start);
}

/* --- nodes --- */

static void on_node_added(void *hat, struct node *node)
{
	struct audio_mixer *m = hat;
	struct audio_client *client, *replica;
	int r;

	if (node->type != NODE_TYPE_AGENT && node->type != hat_find(HAT_ENTITY_SCRIPT)->node_type)
		return;
	/* Who is here speaks for himself. */
	list_for_each (replica, &m->clients, list)
		if (replica->upstream && uuid_equal(&replica->uuid, &node->uuid))
			audio_client_remove(replica);
	r = audio_client_add(m, &node->uuid, node, &client);
	if (r < 0) {
		(void) log_warning_errno(r, "Node %s will not hear nor be heard: %m",
					 UUID_TEXT(&node->uuid));
		return;
	}
	node->data = client;
}

static void on_node_killed(void *hat, struct node *node)
{
	struct audio_mixer *m = hat;

	if (node->type == NODE_TYPE_UPSTREAM_AUDIO)
		audio_replicas_expire(m, node, 0);
	if (node->data)
		audio_client_remove(node->data);
	node->data = NULL;
}

/* --- for a successor --- */

static void save_node(void *hat, const struct node *node, struct writer *wr)
{
	const struct audio_client *client = node->data;
	const char *codec;

	if (!client)
		return;
	codec = codec_name(client);
	write_string16(wr, codec, strlen(codec));
	write_u8(wr, client->wants_everybody);
	write_u16le(wr, client->sequence);
	write_u64le(wr, clock_now_usec());
	mix_node_save(client->mix, wr);
}

/* What the number would be had nobody died: a listener takes a small gap for loss, but waits for
 * seconds until a number that went back has caught up. */
static uint16_t sequence_by_now(uint16_t then, uint64_t then_usec)
{
	uint64_t now = clock_now_usec();

	return (uint16_t) (then + (now - MIN(then_usec, now)) / AUDIO_FRAME_USEC + 1);
}

static int restore_node(void *hat, struct node *node, struct reader *rd)
{
	struct audio_client *client = node->data;
	struct audio_mixer *m = hat;
	char name[CODEC_NAME_MAX + 1] = "";
	struct span codec;
	uint16_t sequence;
	int r;

	if (!client)
		return 0;
	codec = read_string16(rd, CODEC_NAME_MAX);
	client->wants_everybody = read_u8(rd);
	sequence = read_u16le(rd);
	client->sequence = sequence_by_now(sequence, read_u64le(rd));
	r = mix_node_restore(m->mix, client->mix, rd);
	if (r >= 0)
		r = reader_finish(rd);
	if (r < 0)
		return r;
	if (codec.len == 0)
		return 0;
	memcpy(name, codec.data, codec.len);
	return audio_client_select_codec(client, codec_set_find(&m->codecs, name));
}

/* --- life --- */

static void on_ears_loaded(struct mix_ears *ears, int error, void *userdata)
{
	struct audio_mixer *m = userdata;

	if (ears)
		mix_set_ears(m->mix, ears);
	else
		(void) log_warning_errno(error, "Cannot use %s, heads are spheres for now: %m",
					 HRTF_FILE);
	m->loader = hrtf_loader_free(m->loader);
}

/* Begins to load the measured set; without a place to keep it prepared, heads stay spheres. */
static int load_ears(struct audio_mixer *m)
{
	_cleanup_free_ char *cache_path = NULL;

	if (!m->context.data_dir)
		return 0;
	(void) mkdir(m->context.data_dir, 0755);
	if (asprintf(&cache_path, "%s/hrtf.cache", m->context.data_dir) < 0) {
		cache_path = NULL;
		return -ENOMEM;
	}
	return hrtf_loader_new(m->context.event, HRTF_FILE, cache_path, on_ears_loaded, m,
			       &m->loader);
}

/* With ears that need no file: those who come first hear with them. */
static int make_mix(struct audio_mixer *m)
{
	struct mix_ears *ears;
	struct hrtf *sphere;
	int r = hrtf_synthesise(&sphere);

	if (r >= 0)
		r = mix_ears_new(sphere, &ears);
	return r < 0 ? r : mix_new(ears, &m->mix);
}

static void audio_mixer_stop(void *hat)
{
	struct audio_mixer *m = hat;
	struct audio_client *client;

	for (size_t i = 0; i < ELEMENTSOF(handlers); i++)
		endpoint_handle(m->context.endpoint, handlers[i].type, NULL, NULL);
	for (size_t i = 0; i < ELEMENTSOF(replica_types); i++)
		endpoint_handle(m->context.endpoint, replica_types[i], NULL, NULL);
	list_for_each (client, &m->clients, list)
		audio_client_remove(client);
	hrtf_loader_free(m->loader);
	mix_free(m->mix);
	worker_pool_free(m->pool);
	audio_settings_done(&m->settings);
	free(m->slots);
	if (m->stopped)
		*m->stopped = true;
	free(m);
}

static int on_replicated(void *userdata, const struct received *rx)
{
	return audio_replicas_receive(userdata, rx);
}

static int set_up(struct audio_mixer *m, const json_t *settings)
{
	const char *engine;
	int r;

	m->codecs = codec_set_builtin();
	r = audio_settings_read(settings, &m->settings);
	if (r < 0)
		return r;
	r = worker_pool_new(m->settings.threads, &m->pool);
	if (r < 0)
		return r;
	r = make_mix(m);
	if (r < 0)
		return r;
	engine = secure_getenv("HIFI_AUDIO_ENGINE");
	mix_set_exact(m->mix, engine && strcmp(engine, "reference") == 0);
	mix_set_acoustics(m->mix, &m->settings.space);
	return load_ears(m);
}

static int audio_mixer_start(const struct hat_context *context, const json_t *settings, void **ret)
{
	struct audio_mixer *m = calloc(1, sizeof(*m));
	int r;

	if (!m)
		return -ENOMEM;
	m->context = *context;
	m->reported_usec = clock_now_usec();
	list_init(&m->clients);
	r = set_up(m, settings);
	if (r < 0) {
		audio_mixer_stop(m);
		return r;
	}

	for (size_t i = 0; i < ELEMENTSOF(handlers); i++)
		endpoint_handle(context->endpoint, handlers[i].type, on_packet, m);
	for (size_t i = 0; i < ELEMENTSOF(replica_types); i++)
		endpoint_handle(context->endpoint, replica_types[i], on_replicated, m);
	*ret = m;
	return 0;
}

const struct hat_ops audio_mixer_ops = {
	.hat = HAT_AUDIO,
	.interest = "ISBa",
	.start = audio_mixer_start,
	.stop = audio_mixer_stop,
	.node_added = on_node_added,
	.node_killed = on_node_killed,
	.save_node = save_node,
	.restore_node = restore_node,
	.stats = audio_mixer_stats,
	.status = audio_mixer_status,
};
