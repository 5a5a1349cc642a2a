/* A client of the audio-mixer (protocol 03): sends a packet every 10 ms, and checks the stream of
 * mixes that comes back: codec, size, cadence, sequence, and with tones who is in it. */
#include <errno.h>
#include <string.h>

#include "load/client.h"

#define OFFER_INTERVAL_USEC  USEC_PER_SEC
#define LISTEN_INTERVAL_USEC (2 * USEC_PER_SEC)
/* A client that buffers three frames runs dry. */
#define AUDIO_GAP_USEC (40 * USEC_PER_MSEC)
/* What looking for one tone costs, about; all clients together may spend a tenth of a core on it.
 */
#define MEASURE_USEC  15
#define MEASURE_SHARE 10
/* A tone that is weaker than its source by more is not heard; an echo of one's own is louder than
 * that. */
#define HEARD_RATIO     (1 / 300.0)
#define HEARD_LEAST     2.0 /* in units of a sample */
#define OWN_VOICE_RATIO (1 / 10.0)

static bool is_raw(const char *codec)
{
	return codec[0] == 0 || strcmp(codec, "pcm") == 0;
}

/* --- sending --- */

static struct audio_pose pose(const struct client *c, uint64_t now_usec)
{
	struct vec3 at = walker_position(&c->walker, now_usec);

	return (struct audio_pose){
		.position = {at.x, at.y + 1.5f, at.z},
		.orientation = walker_orientation(&c->walker, now_usec),
		.box_corner = {at.x - 0.3f, at.y, at.z - 0.3f},
		.box_size = {0.6f, 1.8f, 0.6f},
	};
}

/* The answer is not reliable, so the question is asked until it is there. */
static void offer_codec(struct client *c, uint64_t now_usec)
{
	const char *codec = c->scene->options->codec;
	struct audio_formats formats = {.n = 1};
	uint8_t data[64];
	struct writer wr = writer_over(data, sizeof(data));

	if (!codec || c->audio.is_negotiated || now_usec < c->audio.next_offer_usec)
		return;
	c->audio.next_offer_usec = now_usec + OFFER_INTERVAL_USEC;
	(void) strncpy(formats.names[0], codec, CODEC_NAME_MAX);
	audio_formats_encode(&formats, &wr);
	(void) client_send(c, LOAD_MIXER_AUDIO, PACKET_NEGOTIATE_AUDIO_FORMAT, &wr);
}

static void send_voice(struct client *c, uint64_t frame, uint64_t now_usec)
{
	const struct voice *voice = cast_voice(&c->scene->cast, c->index);
	struct audio_microphone packet = {
		.sequence = c->audio.sequence++,
		.pose = pose(c, now_usec),
		/* Clients do not speak in chorus; tones may, and stay in phase. */
		.audio = voice_frame(voice, frame + 17 * c->index, is_raw(c->audio.codec)),
	};
	uint8_t data[PACKET_MAX];
	struct writer wr = writer_over(data, sizeof(data));

	memcpy(packet.codec, c->audio.codec, sizeof(packet.codec));
	audio_microphone_encode(&packet, &wr);
	(void) client_send(c, LOAD_MIXER_AUDIO, PACKET_MICROPHONE_AUDIO_NO_ECHO, &wr);
}

static void send_silence(struct client *c, uint64_t now_usec)
{
	struct audio_silent packet = {
		.sequence = c->audio.sequence++,
		.samples = AUDIO_FRAME_SAMPLES,
		.pose = pose(c, now_usec),
	};
	uint8_t data[128];
	struct writer wr = writer_over(data, sizeof(data));

	memcpy(packet.codec, c->audio.codec, sizeof(packet.codec));
	audio_silent_encode(&packet, &wr);
	(void) client_send(c, LOAD_MIXER_AUDIO, PACKET_SILENT_AUDIO_FRAME, &wr);
}

static void audio_frame(struct client *c, uint64_t frame, uint64_t now_usec)
{
	offer_codec(c, now_usec);
	if (cast_talks(&c->scene->cast, c->index))
		send_voice(c, frame, now_usec);
	else
		send_silence(c, now_usec);
	if (c->scene->is_measuring)
		c->scene->measures.traffic.listener_frames++;
}

/* --- listening --- */

static uint64_t listen_interval(const struct scene *scene)
{
	uint64_t work = scene->options->tone ? (uint64_t) scene->options->clients *
						       scene->cast.n_talkers * MEASURE_USEC
					     : 0;

	return MAX(LISTEN_INTERVAL_USEC, work * MEASURE_SHARE);
}

static void find_tones(struct client *c)
{
	const struct cast *cast = &c->scene->cast;
	double least = MAX(HEARD_LEAST, cast->tone_amplitude * HEARD_RATIO);
	float window[2 * TONES_WINDOW_SAMPLES];

	ear_prepare(&c->audio.ear, window);
	for (unsigned i = 0; c->scene->options->tone && i < cast->n_talkers; i++)
		if (i == c->index) {
			if (tones_is_heard(window, i, cast->n_talkers,
					   cast->tone_amplitude * OWN_VOICE_RATIO))
				measures_fault(&c->scene->measures, FAULT_OWN_VOICE);
		} else if (tones_is_heard(window, i, cast->n_talkers, least)) {
			c->audio.heard[i / 8] |= (uint8_t) (1 << (i % 8));
		}
}

static void listen_to(struct client *c, const struct audio_mixed *mix, uint64_t now_usec)
{
	struct client_audio *audio = &c->audio;
	struct codec_set codecs;
	int r;

	if (!ear_is_open(&audio->ear)) {
		if (now_usec < audio->next_listen_usec)
			return;
		audio->next_listen_usec = now_usec + listen_interval(c->scene);
		codecs = codec_set_builtin();
		if (ear_open(&audio->ear, codec_set_find(&codecs, mix->codec)) < 0)
			return;
	}
	r = ear_listen(&audio->ear, mix->sequence, mix->audio);
	if (r < 0)
		measures_fault(&c->scene->measures, FAULT_AUDIO_FRAME);
	else if (r > 0)
		find_tones(c);
}

unsigned client_audio_heard(const struct client_audio *audio, unsigned n_talkers)
{
	unsigned n = 0;

	for (unsigned i = 0; i < (n_talkers + 7) / 8; i++)
		n += (unsigned) __builtin_popcount(audio->heard[i]);
	return n;
}

/* --- receiving --- */

static void note_arrival(struct client *c, uint16_t sequence, uint64_t now_usec)
{
	struct traffic_measures *m = &c->scene->measures.traffic;
	uint64_t last = c->audio.last_packet_usec, interval;
	enum sequence_arrival arrival;
	unsigned skipped;

	arrival = sequence_stats_receive(&c->audio.received, sequence, &skipped);
	c->audio.last_packet_usec = now_usec;
	if (!c->scene->is_measuring)
		return;

	if (arrival == SEQUENCE_EARLY)
		m->audio_lost += skipped;
	else if (arrival == SEQUENCE_RECOVERED && m->audio_lost > 0)
		m->audio_lost--;
	if (last == 0)
		return;
	interval = now_usec - last;
	histogram_add(&m->audio_jitter,
		      interval > FRAME_USEC ? interval - FRAME_USEC : FRAME_USEC - interval);
	m->audio_gaps += interval > AUDIO_GAP_USEC;
}

static void check_codec(struct client *c, const char *codec)
{
	const char *offered = c->scene->options->codec;

	/* Raw at any time: what was under way when the codec changed. */
	if (!is_raw(codec) && (!offered || strcmp(codec, offered) != 0))
		measures_fault(&c->scene->measures, FAULT_AUDIO_CODEC);
}

static int on_mix(struct client *c, const struct received *rx)
{
	struct audio_mixed mix;
	int r;

	r = audio_mixed_decode(rx->payload, &mix);
	if (r < 0)
		return r;
	note_arrival(c, mix.sequence, rx->now_usec);
	c->scene->measures.traffic.mixes += c->scene->is_measuring;
	check_codec(c, mix.codec);
	if (is_raw(mix.codec) ? mix.audio.len != AUDIO_FRAME_BYTES_MAX : mix.audio.len == 0)
		measures_fault(&c->scene->measures, FAULT_AUDIO_FRAME);
	else
		listen_to(c, &mix, rx->now_usec);
	return 0;
}

static int on_silent_mix(struct client *c, const struct received *rx)
{
	struct audio_mixed mix;
	int r;

	r = audio_mixed_silent_decode(rx->payload, &mix);
	if (r < 0)
		return r;
	note_arrival(c, mix.sequence, rx->now_usec);
	c->scene->measures.traffic.silent_frames += c->scene->is_measuring;
	check_codec(c, mix.codec);
	return 0;
}

static int on_selected(struct client *c, const struct received *rx)
{
	const char *offered = c->scene->options->codec;
	char codec[CODEC_NAME_MAX + 1];
	int r;

	r = audio_selected_decode(rx->payload, codec);
	if (r < 0)
		return r;
	if (!is_raw(codec) && (!offered || strcmp(codec, offered) != 0)) {
		measures_fault(&c->scene->measures, FAULT_AUDIO_CODEC);
		return 0;
	}
	if (offered && strcmp(codec, offered) != 0)
		c->scene->measures.run.codecs_refused++;
	memcpy(c->audio.codec, codec, sizeof(codec));
	c->audio.is_negotiated = true;
	return 0;
}

static int on_stats(struct client *c, const struct received *rx)
{
	struct audio_stats_report report;

	return audio_stats_decode(rx->payload, &report);
}

static int on_environment(struct client *c, const struct received *rx)
{
	struct audio_reverb reverb;

	return audio_reverb_decode(rx->payload, &reverb);
}

static int on_mute_environment(struct client *c, const struct received *rx)
{
	struct audio_mute_environment mute;

	return audio_mute_environment_decode(rx->payload, &mute);
}

static int on_noisy_mute(struct client *c, const struct received *rx)
{
	return rx->payload.len == 0 ? 0 : -EBADMSG;
}

/* --- life --- */

static int audio_init(struct client *c)
{
	c->audio.heard = calloc(c->scene->cast.n_talkers / 8 + 1, 1);
	return c->audio.heard ? 0 : -ENOMEM;
}

static void audio_start(struct client *c, uint64_t now_usec)
{
	struct client_audio *audio = &c->audio;
	uint8_t *heard = audio->heard;

	/* The mixer begins anew, so we do. */
	ear_done(&audio->ear);
	*audio = (struct client_audio){.heard = heard};
	/* Not all in the same moment. */
	audio->next_listen_usec =
		now_usec + (uint64_t) (prng_unit(&c->prng) * (double) listen_interval(c->scene));
	offer_codec(c, now_usec);
}

static void audio_stop(struct client *c)
{
	ear_done(&c->audio.ear);
}

static void audio_done(struct client *c)
{
	ear_done(&c->audio.ear);
	free(c->audio.heard);
	c->audio.heard = NULL;
}

static const struct part_handler handlers[] = {
	{PACKET_MIXED_AUDIO, on_mix},
	{PACKET_SILENT_AUDIO_FRAME, on_silent_mix},
	{PACKET_SELECTED_AUDIO_FORMAT, on_selected},
	{PACKET_AUDIO_STREAM_STATS, on_stats},
	{PACKET_AUDIO_ENVIRONMENT, on_environment},
	{PACKET_MUTE_ENVIRONMENT, on_mute_environment},
	{PACKET_NOISY_MUTE, on_noisy_mute},
};

const struct part audio_part = {
	.mixer = LOAD_MIXER_AUDIO,
	.handlers = handlers,
	.n_handlers = ELEMENTSOF(handlers),
	.init = audio_init,
	.done = audio_done,
	.start = audio_start,
	.stop = audio_stop,
	.frame = audio_frame,
};
