/* What one listener hears in one frame. */
#include <string.h>

#include "audio/geometry.h"
#include "audio/mix-internal.h"

#define DISTANCE_MIN 1e-6f

/* One listener's frame in the making. */
struct listening {
	const struct mix *mix;
	struct mix_node *listener;
	const struct audio_pose *pose;
	float ears[HRTF_EARS][AUDIO_FRAME_SAMPLES];
	struct spectral_sums sums;
	struct mix_counts *counts;
};

static bool should_skip(const struct mix_node *listener, const struct mix_source *source)
{
	const struct mix_relation *relation = &listener->relations[source->node->slot];

	if (source->node == listener)
		return !source->stream->loopback;
	if (relation->ignores || (relation->ignored_by && !listener->hears_ignorers))
		return true;
	if (listener->n_soloed > 0)
		return !relation->soloes;
	return (listener->bubble || source->node->bubble) && listener->has_box &&
	       source->node->has_box && ignore_box_touches(&listener->box, &source->node->box);
}

static float gain_of(const struct listening *l, const struct mix_source *source,
		     const struct vec3 *offset)
{
	const struct inbound_stream *stream = source->stream;
	float distance = MAX(vec3_length(offset), DISTANCE_MIN), gain;

	if (l->listener->n_soloed > 0) {
		gain = l->listener->avatar_gain;
	} else {
		gain = stream->type == AUDIO_STREAM_INJECTOR
			       ? stream->volume * l->listener->injector_gain
			       : gain_directivity(&stream->pose.orientation, offset) *
					 l->listener->avatar_gain;
		gain *= gain_distance(distance, acoustics_coefficient(l->mix->space, source->zones,
								      l->listener->zones));
		gain = MIN(gain, GAIN_MAX);
	}
	if (stream->type == AUDIO_STREAM_MICROPHONE)
		gain *= l->listener->relations[source->node->slot].gain;
	return gain;
}

/* How the source is to be heard in this frame. */
static struct render_params place(const struct listening *l, const struct mix_source *source)
{
	struct vec3 offset = vec3_sub(&source->stream->pose.position, &l->pose->position);
	float gain;

	if (source->node == l->listener)
		return (struct render_params){.gain = {1, 1}};

	gain = gain_of(l, source, &offset);
	if (source->stream->stereo)
		return (struct render_params){.gain = {gain, gain}};

	offset = quat_unrotate(&l->pose->orientation, &offset);
	/* One who is picked out of the crowd is heard as from nearby. */
	if (l->listener->n_soloed > 0)
		offset = vec3_scale(&offset, 1 / MAX(vec3_length(&offset), DISTANCE_MIN));
	return renderer_place(&offset, gain);
}

static struct render_params muted(struct render_params params)
{
	params.gain[HRTF_LEFT] = params.gain[HRTF_RIGHT] = 0;
	return params;
}

static void render_direct(struct listening *l, const struct mix_source *source,
			  const struct render_params *from, const struct render_params *to)
{
	const struct inbound_stream *stream = source->stream;

	for (unsigned ear = 0; ear < HRTF_EARS; ear++)
		renderer_add_direct(l->mix->ears->renderer,
				    stream->block[stream->stereo ? ear : 0], from->gain[ear],
				    to->gain[ear], l->ears[ear]);
	if (stream->stereo)
		l->counts->stereo_mixes++;
	else
		l->counts->echo_mixes++;
}

static void render_placed(struct listening *l, const struct mix_ears *ears,
			  const struct mix_source *source, const struct render_params *from,
			  const struct render_params *to)
{
	if (source->has_spectrum)
		spectral_add_mono(ears->spectral, &source->spectrum, from, to, &l->sums);
	else
		renderer_add_mono(ears->renderer, source->stream->block[0], from, to,
				  l->ears[HRTF_LEFT], l->ears[HRTF_RIGHT]);
}

static void render(struct listening *l, const struct mix_source *source,
		   const struct render_params *from, const struct render_params *to)
{
	const struct mix *mix = l->mix;
	struct render_params nothing_before = muted(*to), nothing_after = muted(*from);

	if (source->node == l->listener || source->stream->stereo) {
		render_direct(l, source, from, to);
		return;
	}
	l->counts->hrtf_renders++;
	if (!mix->fading) {
		render_placed(l, mix->ears, source, from, to);
		return;
	}
	render_placed(l, mix->old_ears, source, from, &nothing_after);
	render_placed(l, mix->ears, source, &nothing_before, to);
}

/* Renders a source that is heard now or was until now. */
static void hear(struct listening *l, const struct mix_source *source, struct mix_pair *pair,
		 bool was_heard, enum mix_list list)
{
	struct render_params to, from;

	to = list == MIX_LIST_SKIPPED ? muted(pair->last) : place(l, source);
	if (was_heard) {
		from = pair->last;
	} else {
		/* What starts now starts at its place; what is heard from its middle on fades
		 * in. */
		from = source->was_quiet ? to : muted(to);
		l->counts->hrtf_resets++;
	}
	render(l, source, &from, &to);
	pair->last = to;
}

static void visit(struct listening *l, const struct mix_source *source, struct mix_pair *pair)
{
	bool known = pair->generation == source->generation;
	enum mix_list list = should_skip(l->listener, source) ? MIX_LIST_SKIPPED
			     : source->quiet                  ? MIX_LIST_INACTIVE
							      : MIX_LIST_ACTIVE;
	bool was_heard = known && pair->list == MIX_LIST_ACTIVE;

	if (was_heard || list == MIX_LIST_ACTIVE)
		hear(l, source, pair, was_heard, list);

	l->counts->listed[list]++;
	if (known && pair->list != list)
		l->counts->moved[pair->list][list]++;
	pair->generation = source->generation;
	pair->list = list;
}

static bool is_silent(const float *ear)
{
	uint32_t bits = 0;

	/* All bits but the sign: −0 is silence too. */
	for (unsigned i = 0; i < AUDIO_FRAME_SAMPLES; i++) {
		uint32_t sample;

		memcpy(&sample, &ear[i], sizeof(sample));
		bits |= sample << 1;
	}
	return bits == 0;
}

enum mix_result mix_listen(struct mix *mix, struct mix_node *node,
			   int16_t ret[static AUDIO_FRAME_SAMPLES_MAX], struct mix_counts *counts)
{
	struct listening l = {.mix = mix, .listener = node, .counts = counts};

	assert(mix_is_listener(node));

	l.pose = &node->microphone->stream->pose;
	for (size_t i = 0; i < MIN(mix->n_sources, node->n_pairs); i++)
		if (mix->sources[i])
			visit(&l, mix->sources[i], &node->pairs[i]);
	spectral_finish(mix->ears->spectral, &l.sums, l.ears[HRTF_LEFT], l.ears[HRTF_RIGHT]);

	if (!is_silent(l.ears[HRTF_LEFT]) || !is_silent(l.ears[HRTF_RIGHT])) {
		limiter_run(&node->limiter, l.ears[HRTF_LEFT], l.ears[HRTF_RIGHT], ret);
		node->flush = true;
		return MIX_AUDIO;
	}

	memset(ret, 0, AUDIO_FRAME_BYTES_MAX);
	if (!node->flush)
		return MIX_SILENT;
	/* The filters' tails ended a frame ago: nothing audible is left in the delay. */
	limiter_init(&node->limiter);
	node->flush = false;
	return MIX_FLUSH;
}

void mix_counts_add(struct mix_counts *sum, const struct mix_counts *counts)
{
	sum->hrtf_renders += counts->hrtf_renders;
	sum->hrtf_resets += counts->hrtf_resets;
	sum->stereo_mixes += counts->stereo_mixes;
	sum->echo_mixes += counts->echo_mixes;
	for (unsigned i = 0; i < MIX_LISTS; i++) {
		sum->listed[i] += counts->listed[i];
		for (unsigned k = 0; k < MIX_LISTS; k++)
			sum->moved[i][k] += counts->moved[i][k];
	}
}
