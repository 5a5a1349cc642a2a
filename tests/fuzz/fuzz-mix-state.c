/* What a predecessor left of a node: understood, it is saved as the same again. */
#include "audio/mix.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct mix *mix;

static struct mix_node *add(void)
{
	static const struct uuid id = {{1}};
	struct mix_node *node;

	if (mix_node_add(mix, &id, &node) < 0)
		abort();
	return node;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct writer once = writer_growing(1 << 20), twice = writer_growing(1 << 20);
	struct reader rd = reader_over(data, size);
	struct mix_node *node;
	struct mix_ears *ears;
	struct hrtf *set;

	if (!mix && (hrtf_synthesise(&set) < 0 || mix_ears_new(set, &ears) < 0 ||
		     mix_new(ears, &mix) < 0))
		abort();
	node = add();
	if (mix_node_restore(mix, node, &rd) >= 0) {
		mix_node_save(node, &once);
		mix_node_remove(mix, node);
		node = add();
		rd = reader_over(once.data, once.len);
		if (mix_node_restore(mix, node, &rd) < 0 || reader_finish(&rd) < 0)
			abort();
		mix_node_save(node, &twice);
		if (once.len != twice.len)
			abort();
	}
	mix_node_remove(mix, node);
	writer_done(&once);
	writer_done(&twice);
	return 0;
}
