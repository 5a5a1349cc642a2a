#include "load/scene.h"

bool scene_uses(const struct scene *scene, enum load_mixer mixer)
{
	switch (mixer) {
#define X(constant, type, name, option) \
	case LOAD_MIXER_##constant:     \
		return scene->options->option;
		LOAD_MIXERS(X)
#undef X
	default:
		return false;
	}
}

static void fill_interest(struct scene *scene)
{
	static const char types[LOAD_MIXER_COUNT] = {
#define X(constant, type, ...) type,
		LOAD_MIXERS(X)
#undef X
	};
	size_t n = 0;

	for (unsigned i = 0; i < LOAD_MIXER_COUNT; i++)
		if (scene_uses(scene, i))
			scene->interest[n++] = types[i];
}

int scene_init(struct scene *scene, const struct load_options *options,
	       const struct hifi_addr *domain)
{
	struct uuid id = uuid_random();
	int r;

	*scene = (struct scene){.options = options, .domain = *domain};
	memcpy(&scene->run_id, id.b, sizeof(scene->run_id));
	fill_interest(scene);
	r = cast_init(&scene->cast, options);
	if (r < 0)
		return r;
	r = sessions_init(&scene->sessions);
	if (r < 0)
		return r;
	return chat_log_init(&scene->chat, options->clients);
}

void scene_done(struct scene *scene)
{
	chat_log_done(&scene->chat);
	sessions_done(&scene->sessions);
	cast_done(&scene->cast);
}
