/* What a successor has to know of a node: what it asked for about others and about all. */
#include <errno.h>

#include "audio/mix-internal.h"

enum {
	FLAG_IGNORED = 1,
	FLAG_SOLOED = 2,
};

void mix_node_save(const struct mix_node *node, struct writer *wr)
{
	write_f32le(wr, node->avatar_gain);
	write_f32le(wr, node->injector_gain);
	write_u8(wr, node->bubble);
	write_u32le(wr, (uint32_t) node->n_opinions);
	for (size_t i = 0; i < node->n_opinions; i++) {
		const struct mix_opinion *opinion = &node->opinions[i];

		write_uuid(wr, &opinion->id);
		write_f32le(wr, opinion->gain);
		write_u8(wr, (uint8_t) ((opinion->ignored ? FLAG_IGNORED : 0) |
					(opinion->soloed ? FLAG_SOLOED : 0)));
	}
}

static int restore_opinion(struct mix *mix, struct mix_node *node, struct reader *rd)
{
	struct uuid id = read_uuid(rd);
	float gain = read_f32le_finite(rd);
	uint8_t flags = read_u8(rd);
	int r;

	if (rd->failed)
		return -EBADMSG;
	r = mix_node_set_gain(mix, node, &id, gain);
	if (r >= 0)
		r = mix_node_set_ignored(mix, node, &id, flags & FLAG_IGNORED);
	if (r >= 0)
		r = mix_node_set_soloed(mix, node, &id, flags & FLAG_SOLOED);
	return r;
}

int mix_node_restore(struct mix *mix, struct mix_node *node, struct reader *rd)
{
	float avatar_gain = read_f32le_finite(rd), injector_gain = read_f32le_finite(rd);
	bool bubble = read_u8(rd);
	uint32_t n = read_u32le(rd);
	int r = 0;

	if (n > MIX_OPINIONS_MAX)
		return -EBADMSG;
	for (uint32_t i = 0; i < n && r >= 0; i++)
		r = restore_opinion(mix, node, rd);
	if (r >= 0)
		r = reader_check(rd);
	if (r < 0)
		return r;
	node->avatar_gain = avatar_gain;
	node->injector_gain = injector_gain;
	node->bubble = bubble;
	return 0;
}
