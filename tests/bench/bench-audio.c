/* What the audio engine costs: preparing and loading an HRTF set, one pair through each renderer,
 * one listener's frame in crowds of several sizes, the limiter, the codecs. Prints one line per
 * figure: name, value, unit. With a SOFA file as its argument it measures that set's preparation
 * too. All times are of this process's CPU, so that a busy machine tells less. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "audio/limiter.h"
#include "audio/mix.h"
#include "audio/spectral.h"
#include "base/clock.h"

static double best_usec(void (*f)(void *userdata), void *userdata, unsigned calls)
{
	double best = INFINITY;

	for (unsigned run = 0; run < 15; run++) {
		uint64_t start = clock_cpu_usec();

		for (unsigned i = 0; i < calls; i++)
			f(userdata);
		best = fmin(best, (double) (clock_cpu_usec() - start) / calls);
	}
	return best;
}

/* --- one pair --- */

struct pair_bench {
	struct renderer *renderer;
	float block[STREAM_BLOCK_SAMPLES];
	struct render_params from, to;
	float left[AUDIO_FRAME_SAMPLES], right[AUDIO_FRAME_SAMPLES];
	struct spectral *spectral;
	struct spectrum spectrum;
	struct spectral_sums sums;
};

static void pair_once(void *userdata)
{
	struct pair_bench *b = userdata;

	memset(b->left, 0, sizeof(b->left));
	memset(b->right, 0, sizeof(b->right));
	renderer_add_mono(b->renderer, b->block, &b->from, &b->to, b->left, b->right);
}

static void spectral_pair_once(void *userdata)
{
	struct pair_bench *b = userdata;

	spectral_add_mono(b->spectral, &b->spectrum, &b->from, &b->to, &b->sums);
}

static void transform_once(void *userdata)
{
	struct pair_bench *b = userdata;

	spectral_transform(b->spectral, b->block, &b->spectrum);
}

static void finish_once(void *userdata)
{
	struct pair_bench *b = userdata;

	spectral_finish(b->spectral, &b->sums, b->left, b->right);
}

static void bench_pair(struct pair_bench *b, const char *name)
{
	double exact = 1e3 * best_usec(pair_once, b, 1000);
	double fast = 1e3 * best_usec(spectral_pair_once, b, 1000);

	printf("pair %s, reference\t%.0f\tns\n", name, exact);
	printf("pair %s, spectral\t%.0f\tns\n", name, fast);
}

static int bench_pairs(struct renderer *renderer)
{
	static struct pair_bench b;
	const struct vec3 near = {1.2f, 0, -1}, close = {0.5f, 0, -0.3f}, far = {20, 1, -20};
	const struct vec3 far_on = {21, 1, -19};

	b.renderer = renderer;
	if (spectral_new(renderer, &b.spectral) < 0)
		return 1;
	for (unsigned i = 0; i < STREAM_BLOCK_SAMPLES; i++)
		b.block[i] = 0.1f * sinf((float) i * 0.1f);

	spectral_transform(b.spectral, b.block, &b.spectrum);

	b.from = b.to = renderer_place(&near, 0.5f);
	bench_pair(&b, "at rest, 1.6 m");
	b.from = b.to = renderer_place(&far, 0.1f);
	bench_pair(&b, "at rest, 28 m");
	b.to = renderer_place(&far_on, 0.1f);
	bench_pair(&b, "moving, 28 m");
	b.from = renderer_place(&near, 0.5f);
	b.to = renderer_place(&close, 0.5f);
	bench_pair(&b, "moving, near");

	printf("transform of a source\t%.2f\tus\n", best_usec(transform_once, &b, 1000));
	printf("finish a listener, fading\t%.2f\tus\n", best_usec(finish_once, &b, 1000));
	spectral_free(b.spectral);
	return 0;
}

/* --- a crowd --- */

#define CROWD_MAX 200

struct crowd {
	struct mix *mix;
	unsigned n, talkers;
	struct mix_node *nodes[CROWD_MAX];
	struct inbound_stream *streams[CROWD_MAX];
	uint16_t sequence;
	uint64_t now_usec;
	struct mix_counts counts;
};

static void crowd_receive(struct crowd *crowd)
{
	uint8_t pcm[AUDIO_FRAME_SAMPLES * 2];

	for (unsigned i = 0; i < crowd->n; i++) {
		for (unsigned k = 0; k < sizeof(pcm); k++)
			pcm[k] = (uint8_t) (k * (i + 1) * 31);
		if (i < crowd->talkers)
			(void) inbound_stream_receive(crowd->streams[i], crowd->sequence, "", false,
						      span_of(pcm, sizeof(pcm)), crowd->now_usec);
		else
			inbound_stream_receive_silence(crowd->streams[i], crowd->sequence,
						       crowd->now_usec);
	}
	crowd->sequence++;
}

static void crowd_once(void *userdata)
{
	int16_t out[AUDIO_FRAME_SAMPLES_MAX];
	struct crowd *crowd = userdata;

	crowd->now_usec += AUDIO_FRAME_USEC;
	crowd_receive(crowd);
	for (unsigned i = 0; i < crowd->n; i++)
		mix_pop(crowd->nodes[i], crowd->now_usec);
	mix_settle(crowd->mix);
	for (unsigned i = 0; i < crowd->n; i++)
		(void) mix_listen(crowd->mix, crowd->nodes[i], out, &crowd->counts);
}

static int bench_crowd(unsigned n, unsigned talkers, bool exact)
{
	static const struct jitter_config config = {.dynamic = true};
	struct crowd crowd = {.n = n, .talkers = talkers};
	struct mix_ears *ears;
	struct hrtf *set;
	double usec;

	if (hrtf_synthesise(&set) < 0 || mix_ears_new(set, &ears) < 0 ||
	    mix_new(ears, &crowd.mix) < 0)
		return 1;
	mix_set_exact(crowd.mix, exact);
	for (unsigned i = 0; i < n; i++) {
		struct uuid id = {.b = {1, (uint8_t) (i >> 8), (uint8_t) i}};

		if (mix_node_add(crowd.mix, &id, &crowd.nodes[i]) < 0 ||
		    mix_stream_open(crowd.mix, crowd.nodes[i], AUDIO_STREAM_MICROPHONE, &UUID_NULL,
				    &config, &crowd.streams[i]) < 0)
			return 1;
		crowd.streams[i]->pose.position =
			(struct vec3){(float) (i % 10) * 2, 0, (float) (i / 10) * 2};
	}
	usec = best_usec(crowd_once, &crowd, 3);
	printf("frame, %u of %u talking, %s\t%.0f\tus\n", talkers, n,
	       exact ? "reference" : "spectral", usec);
	printf("per listener, %u of %u talking, %s\t%.1f\tus\n", talkers, n,
	       exact ? "reference" : "spectral", usec / n);
	mix_free(crowd.mix);
	return 0;
}

/* --- per listener --- */

struct output_bench {
	struct limiter limiter;
	float left[AUDIO_FRAME_SAMPLES], right[AUDIO_FRAME_SAMPLES];
	int16_t pcm[AUDIO_FRAME_SAMPLES_MAX];
	struct codec_encoder *encoder;
};

static void limiter_once(void *userdata)
{
	struct output_bench *b = userdata;

	limiter_run(&b->limiter, b->left, b->right, b->pcm);
}

static void encode_once(void *userdata)
{
	uint8_t bytes[CODEC_FRAME_BYTES_MAX];
	struct output_bench *b = userdata;

	(void) codec_encode(b->encoder, b->pcm, bytes);
}

static void bench_output(float level, const char *name)
{
	static const struct codec_ops *const codecs[] = {&codec_pcm, &codec_zlib, &codec_opus};
	static struct output_bench b;

	limiter_init(&b.limiter);
	for (unsigned i = 0; i < AUDIO_FRAME_SAMPLES; i++) {
		b.left[i] = level * sinf((float) i * 0.1f);
		b.right[i] = level * sinf((float) i * 0.13f);
	}
	printf("limiter, %s\t%.2f\tus\n", name, best_usec(limiter_once, &b, 1000));
	if (level > 1)
		return;
	for (unsigned i = 0; i < ELEMENTSOF(codecs); i++) {
		if (codec_encoder_new(codecs[i], 2, &b.encoder) < 0)
			continue;
		printf("encode stereo, %s\t%.1f\tus\n", codecs[i]->name,
		       best_usec(encode_once, &b, 100));
		codec_encoder_free(b.encoder);
	}
}

static int bench_set(const char *path)
{
	uint64_t start = clock_cpu_usec();
	struct hrtf_origin origin = {0};
	uint8_t *cache;
	struct hrtf *set;
	ssize_t n;

	if (hrtf_prepare(path, &set) < 0)
		return 1;
	printf("prepare a set\t%.1f\tms\n", (double) (clock_cpu_usec() - start) / 1e3);
	n = hrtf_cache_encode(set, &origin, &cache);
	hrtf_free(set);
	if (n < 0)
		return 1;
	start = clock_cpu_usec();
	if (hrtf_cache_decode(cache, (size_t) n, &origin, &set) >= 0) {
		printf("load a prepared set\t%.1f\tms\n",
		       (double) (clock_cpu_usec() - start) / 1e3);
		hrtf_free(set);
	}
	free(cache);
	return 0;
}

int main(int argc, char **argv)
{
	_cleanup_(renderer_freep) struct renderer *renderer = NULL;
	uint64_t start = clock_cpu_usec();
	struct hrtf *set;

	if (hrtf_synthesise(&set) < 0 || renderer_new(set, &renderer) < 0)
		return 1;
	printf("synthesise a set\t%.1f\tms\n", (double) (clock_cpu_usec() - start) / 1e3);
	if (argc > 1 && bench_set(argv[1]) != 0)
		return 1;

	if (bench_pairs(renderer) != 0)
		return 1;
	bench_output(0.5f, "below the ceiling");
	bench_output(4, "limiting");
	return bench_crowd(10, 10, true) || bench_crowd(100, 10, true) ||
	       bench_crowd(10, 10, false) || bench_crowd(100, 0, false) ||
	       bench_crowd(100, 10, false) || bench_crowd(100, 100, false) ||
	       bench_crowd(200, 200, false);
}
