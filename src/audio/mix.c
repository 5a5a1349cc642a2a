#include "audio/mix.h"

#include <errno.h>
#include <string.h>

#include "audio/mix-internal.h"

/* Arrays grow by so many elements. */
#define GROWTH 64

static const struct acoustics empty_space = {.coefficient_usual = ACOUSTICS_COEFFICIENT_USUAL};

int mix_new(struct mix_ears *ears, struct mix **ret)
{
	struct mix *mix = calloc(1, sizeof(*mix));

	if (!mix) {
		mix_ears_free(ears);
		return -ENOMEM;
	}
	mix->space = &empty_space;
	mix->ears = ears;
	*ret = mix;
	return 0;
}

struct mix *mix_free(struct mix *mix)
{
	if (!mix)
		return NULL;

	for (size_t i = 0; i < mix->n_nodes; i++)
		if (mix->nodes[i])
			mix_node_remove(mix, mix->nodes[i]);
	free(mix->nodes);
	free(mix->sources);
	mix_ears_free(mix->ears);
	mix_ears_free(mix->old_ears);
	free(mix);
	return NULL;
}

void mix_set_exact(struct mix *mix, bool on)
{
	mix->exact = on;
}

void mix_set_acoustics(struct mix *mix, const struct acoustics *space)
{
	mix->space = space ? space : &empty_space;
}

/* Makes room in an array of n elements of the given size, for at least one more; new ones are
 * zero. */
static int grow(void *array, size_t *n, size_t size)
{
	void **p = array;
	char *bigger = reallocarray(*p, *n + GROWTH, size);

	if (!bigger)
		return -ENOMEM;
	memset(bigger + *n * size, 0, GROWTH * size);
	*p = bigger;
	*n += GROWTH;
	return 0;
}

/* --- opinions --- */

static struct mix_opinion *find_opinion(const struct mix_node *node, const struct uuid *id)
{
	for (size_t i = 0; i < node->n_opinions; i++)
		if (uuid_equal(&node->opinions[i].id, id))
			return &node->opinions[i];
	return NULL;
}

/* Carries what a thinks about b over to their relations. */
static void apply_opinion(struct mix_node *a, struct mix_node *b)
{
	static const struct mix_opinion none = {.gain = 1};
	const struct mix_opinion *opinion = find_opinion(a, &b->id);
	struct mix_relation *relation = &a->relations[b->slot];

	opinion = opinion ? opinion : &none;
	relation->ignores = opinion->ignored;
	relation->soloes = opinion->soloed;
	relation->gain = opinion->gain;
	b->relations[a->slot].ignored_by = opinion->ignored;
}

/* The opinion about an id, which need not be there yet; *ret is NULL for ids nobody has one
 * about. */
static int get_opinion(struct mix_node *node, const struct uuid *id, struct mix_opinion **ret)
{
	struct mix_opinion *opinions;

	*ret = NULL;
	if (uuid_is_null(id) || uuid_equal(id, &node->id))
		return 0;
	*ret = find_opinion(node, id);
	if (*ret)
		return 0;
	if (node->n_opinions == MIX_OPINIONS_MAX)
		return -ENOBUFS;

	opinions = reallocarray(node->opinions, node->n_opinions + 1, sizeof(*opinions));
	if (!opinions)
		return -ENOMEM;
	node->opinions = opinions;
	*ret = &opinions[node->n_opinions++];
	**ret = (struct mix_opinion){.id = *id, .gain = 1};
	return 0;
}

/* After a change: forgets an opinion that says nothing, and tells the relations. */
static void settle_opinion(struct mix *mix, struct mix_node *node, struct mix_opinion *opinion)
{
	struct mix_node *other = mix_node_find(mix, &opinion->id);

	if (!opinion->ignored && !opinion->soloed && opinion->gain == 1)
		*opinion = node->opinions[--node->n_opinions];
	node->n_soloed = 0;
	for (size_t i = 0; i < node->n_opinions; i++)
		node->n_soloed += node->opinions[i].soloed;
	if (other)
		apply_opinion(node, other);
}

int mix_node_set_ignored(struct mix *mix, struct mix_node *node, const struct uuid *other,
			 bool ignored)
{
	struct mix_opinion *opinion;
	int r = get_opinion(node, other, &opinion);

	if (r < 0 || !opinion)
		return r;
	opinion->ignored = ignored;
	settle_opinion(mix, node, opinion);
	return 0;
}

int mix_node_set_soloed(struct mix *mix, struct mix_node *node, const struct uuid *other,
			bool soloed)
{
	struct mix_opinion *opinion;
	int r = get_opinion(node, other, &opinion);

	if (r < 0 || !opinion)
		return r;
	opinion->soloed = soloed;
	settle_opinion(mix, node, opinion);
	return 0;
}

int mix_node_set_gain(struct mix *mix, struct mix_node *node, const struct uuid *other, float gain)
{
	struct mix_opinion *opinion;
	int r = get_opinion(node, other, &opinion);

	if (r < 0 || !opinion)
		return r;
	opinion->gain = gain;
	settle_opinion(mix, node, opinion);
	return 0;
}

void mix_node_set_avatar_gain(struct mix_node *node, float gain)
{
	node->avatar_gain = gain;
}

void mix_node_set_injector_gain(struct mix_node *node, float gain)
{
	node->injector_gain = gain;
}

void mix_node_set_bubble(struct mix_node *node, bool on)
{
	node->bubble = on;
}

void mix_node_set_hears_ignorers(struct mix_node *node, bool on)
{
	node->hears_ignorers = on;
}

/* --- nodes --- */

static struct mix_node *node_free(struct mix_node *node)
{
	if (!node)
		return NULL;

	free(node->opinions);
	free(node->relations);
	free(node->pairs);
	free(node);
	return NULL;
}
DEFINE_CLEANUP_FUNC(struct mix_node *, node_free);

/* All nodes know all slots: their arrays of relations grow together. */
static int grow_nodes(struct mix *mix)
{
	for (size_t i = 0; i < mix->n_nodes; i++) {
		struct mix_node *node = mix->nodes[i];
		size_t n = mix->n_nodes;

		if (node && grow(&node->relations, &n, sizeof(*node->relations)) < 0)
			return -ENOMEM;
	}
	return grow(&mix->nodes, &mix->n_nodes, sizeof(struct mix_node *));
}

static int free_node_slot(struct mix *mix, unsigned *ret)
{
	size_t slot = 0;
	int r;

	while (slot < mix->n_nodes && mix->nodes[slot])
		slot++;
	if (slot == mix->n_nodes) {
		r = grow_nodes(mix);
		if (r < 0)
			return r;
	}
	*ret = (unsigned) slot;
	return 0;
}

int mix_node_add(struct mix *mix, const struct uuid *id, struct mix_node **ret)
{
	_cleanup_(node_freep) struct mix_node *node = NULL;
	unsigned slot;
	int r;

	if (mix_node_find(mix, id))
		return -EEXIST;
	r = free_node_slot(mix, &slot);
	if (r < 0)
		return r;

	node = calloc(1, sizeof(*node));
	if (!node)
		return -ENOMEM;
	node->relations = calloc(mix->n_nodes, sizeof(*node->relations));
	if (!node->relations)
		return -ENOMEM;
	node->mix = mix;
	node->id = *id;
	node->slot = slot;
	node->avatar_gain = node->injector_gain = 1;
	limiter_init(&node->limiter);

	mix->nodes[slot] = node;
	for (size_t i = 0; i < mix->n_nodes; i++) {
		struct mix_node *other = mix->nodes[i];

		if (!other || other == node)
			continue;
		apply_opinion(node, other);
		apply_opinion(other, node);
	}
	*ret = TAKE_PTR(node);
	return 0;
}

struct mix_node *mix_node_find(const struct mix *mix, const struct uuid *id)
{
	for (size_t i = 0; i < mix->n_nodes; i++)
		if (mix->nodes[i] && uuid_equal(&mix->nodes[i]->id, id))
			return mix->nodes[i];
	return NULL;
}

/* --- streams --- */

static struct mix_source *find_source(const struct mix_node *node, const struct uuid *id)
{
	for (size_t i = 0; i < node->n_sources; i++)
		if (uuid_equal(&node->sources[i]->stream->id, id))
			return node->sources[i];
	return NULL;
}

struct inbound_stream *mix_stream_find(const struct mix_node *node, const struct uuid *id)
{
	struct mix_source *source = find_source(node, id);

	return source ? source->stream : NULL;
}

static int free_source_slot(struct mix *mix, unsigned *ret)
{
	size_t slot = 0;
	int r;

	while (slot < mix->n_sources && mix->sources[slot])
		slot++;
	if (slot == mix->n_sources) {
		r = grow(&mix->sources, &mix->n_sources, sizeof(struct mix_source *));
		if (r < 0)
			return r;
	}
	*ret = (unsigned) slot;
	return 0;
}

int mix_stream_open(struct mix *mix, struct mix_node *node, enum audio_stream_type type,
		    const struct uuid *id, const struct jitter_config *config,
		    struct inbound_stream **ret)
{
	_cleanup_free_ struct mix_source *source = NULL;
	unsigned slot;
	int r;

	assert((type == AUDIO_STREAM_MICROPHONE) == uuid_is_null(id));

	if (find_source(node, id))
		return -EEXIST;
	if (type == AUDIO_STREAM_INJECTOR &&
	    node->n_sources - (node->microphone != NULL) == MIX_INJECTORS_MAX)
		return -ENOBUFS;
	r = free_source_slot(mix, &slot);
	if (r < 0)
		return r;
	source = calloc(1, sizeof(*source));
	if (!source)
		return -ENOMEM;
	r = inbound_stream_new(type, id, config, &source->stream);
	if (r < 0)
		return r;

	source->node = node;
	source->slot = slot;
	source->generation = ++mix->generation;
	source->quiet = source->was_quiet = true;
	if (type == AUDIO_STREAM_MICROPHONE)
		node->microphone = source;
	*ret = source->stream;
	mix->sources[slot] = source;
	node->sources[node->n_sources++] = TAKE_PTR(source);
	return 0;
}

static void close_source(struct mix *mix, struct mix_source *source)
{
	struct mix_node *node = source->node;

	for (size_t i = 0; i < node->n_sources; i++)
		if (node->sources[i] == source)
			node->sources[i] = node->sources[--node->n_sources];
	if (node->microphone == source)
		node->microphone = NULL;
	mix->sources[source->slot] = NULL;
	inbound_stream_free(source->stream);
	free(source);
}

void mix_stream_close(struct mix *mix, struct mix_node *node, const struct uuid *id)
{
	struct mix_source *source = find_source(node, id);

	if (source)
		close_source(mix, source);
}

void mix_stream_foreach(const struct mix_node *node,
			void (*f)(struct inbound_stream *stream, void *userdata), void *userdata)
{
	for (size_t i = 0; i < node->n_sources; i++)
		f(node->sources[i]->stream, userdata);
}

void mix_node_remove(struct mix *mix, struct mix_node *node)
{
	while (node->n_sources > 0)
		close_source(mix, node->sources[0]);
	mix->nodes[node->slot] = NULL;
	node_free(node);
}

/* --- between popping and listening --- */

static void pop_source(const struct mix *mix, struct mix_source *source, uint64_t now_usec)
{
	const struct inbound_stream *stream = source->stream;

	inbound_stream_pop(source->stream, now_usec);
	/* Nobody hears a source for longer than one frame after it went quiet. */
	source->has_spectrum = !mix->exact && !stream->stereo &&
			       !(source->quiet && inbound_stream_is_quiet(stream));
	if (source->has_spectrum)
		spectral_transform(mix->ears->spectral, stream->block[0], &source->spectrum);
}

void mix_pop(struct mix_node *node, uint64_t now_usec)
{
	for (size_t i = 0; i < node->n_sources; i++)
		pop_source(node->mix, node->sources[i], now_usec);
}

static void settle_source(struct mix *mix, struct mix_source *source)
{
	source->was_quiet = source->quiet;
	source->quiet = inbound_stream_is_quiet(source->stream);
	source->zones = acoustics_zones_at(mix->space, &source->stream->pose.position);
}

static void settle_listener(struct mix *mix, struct mix_node *node)
{
	const struct audio_pose *pose = &node->microphone->stream->pose;

	node->zones = node->microphone->zones;
	/* A client without an avatar yet says its box is nothing: the last real one stays. */
	if (pose->box_size.x != 0 || pose->box_size.y != 0 || pose->box_size.z != 0) {
		node->box = ignore_box_of(pose);
		node->has_box = true;
	}
	/* Without memory for more pairs the sources in the newest slots are not heard. */
	while (node->n_pairs < mix->n_sources)
		if (grow(&node->pairs, &node->n_pairs, sizeof(*node->pairs)) < 0)
			return;
}

unsigned mix_settle(struct mix *mix)
{
	unsigned n = 0;

	mix_settle_ears(mix);
	for (size_t i = 0; i < mix->n_sources; i++) {
		struct mix_source *source = mix->sources[i];

		if (!source)
			continue;
		if (inbound_stream_is_stale(source->stream)) {
			close_source(mix, source);
			continue;
		}
		settle_source(mix, source);
		n++;
	}
	for (size_t i = 0; i < mix->n_nodes; i++)
		if (mix->nodes[i] && mix_is_listener(mix->nodes[i]))
			settle_listener(mix, mix->nodes[i]);
	return n;
}

bool mix_is_listener(const struct mix_node *node)
{
	return node->microphone;
}

struct audio_reverb mix_reverb(const struct mix *mix, const struct mix_node *node)
{
	return acoustics_reverb_at(mix->space, node->zones);
}
