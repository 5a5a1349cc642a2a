/* Files of entities, and what viewers are sent of them. */
#include "entity/viewer.h"
#include "entity/world-file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct entity_query everything = {.connection_id = 1};
	static struct entity_data_reader reader;
	uint8_t payload[ENTITY_DATA_MAX];
	struct world_file_report report;
	struct entity_record record;
	struct viewer *viewer = viewer_new();
	struct world *world;
	ssize_t len;
	int r;

	if (!viewer || world_new(&world) < 0)
		abort();
	(void) world_file_parse(span_of(data, size), world, 1, &report);
	r = viewer_ask(viewer, world, &everything);
	assert(r == 0);
	while ((len = viewer_next(viewer, world, true, 0, payload)) > 0) {
		r = entity_data_open(&reader, span_of(payload, (size_t) len));
		assert(r == 0);
		while ((r = entity_data_next(&reader, &record)) > 0)
			assert(world_find(world, &record.id));
		assert(r == 0);
	}
	viewer_free(viewer);
	world_free(world);
	return 0;
}
