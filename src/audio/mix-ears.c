/* What a set of HRTFs becomes before sound goes through it, and the change from one to another. */
#include <errno.h>

#include "audio/mix-internal.h"

int mix_ears_new(struct hrtf *set, struct mix_ears **ret)
{
	_cleanup_(mix_ears_freep) struct mix_ears *ears = calloc(1, sizeof(*ears));
	int r;

	r = ears ? renderer_new(set, &ears->renderer) : -ENOMEM;
	if (r < 0) {
		hrtf_free(set);
		return r;
	}
	r = spectral_new(ears->renderer, &ears->spectral);
	if (r < 0)
		return r;

	*ret = TAKE_PTR(ears);
	return 0;
}

struct mix_ears *mix_ears_free(struct mix_ears *ears)
{
	if (!ears)
		return NULL;

	spectral_free(ears->spectral);
	renderer_free(ears->renderer);
	free(ears);
	return NULL;
}

void mix_set_ears(struct mix *mix, struct mix_ears *ears)
{
	/* Those that were set since the last frame nobody has heard with. */
	if (mix->old_ears && !mix->fading) {
		mix_ears_free(mix->ears);
	} else {
		mix_ears_free(mix->old_ears);
		mix->old_ears = mix->ears;
	}
	mix->ears = ears;
	mix->fading = false;
}

void mix_settle_ears(struct mix *mix)
{
	if (mix->fading)
		mix->old_ears = mix_ears_free(mix->old_ears);
	mix->fading = mix->old_ears;
}
