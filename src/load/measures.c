#include "load/measures.h"

#include "base/macros.h"

enum load_mixer load_mixer_of(char node_type)
{
	switch (node_type) {
#define X(constant, type, ...) \
	case type:             \
		return LOAD_MIXER_##constant;
		LOAD_MIXERS(X)
#undef X
	default:
		return LOAD_MIXER_COUNT;
	}
}

const char *load_mixer_name(enum load_mixer mixer)
{
	static const char *const names[] = {
#define X(constant, type, name, option) [LOAD_MIXER_##constant] = name,
		LOAD_MIXERS(X)
#undef X
	};

	return names[mixer];
}

void node_traffic_add(struct node_traffic *sum, const struct node_traffic *t)
{
	sum->packets_in += t->packets_in;
	sum->bytes_in += t->bytes_in;
	sum->packets_out += t->packets_out;
	sum->bytes_out += t->bytes_out;
	sum->packets_lost += t->packets_lost;
}

void node_traffic_subtract(const struct node_traffic *a, const struct node_traffic *b,
			   struct node_traffic *ret)
{
	*ret = (struct node_traffic){
		.packets_in = a->packets_in - b->packets_in,
		.bytes_in = a->bytes_in - b->bytes_in,
		.packets_out = a->packets_out - b->packets_out,
		.bytes_out = a->bytes_out - b->bytes_out,
		/* What comes late takes a loss back. */
		.packets_lost = a->packets_lost - MIN(a->packets_lost, b->packets_lost),
	};
}
