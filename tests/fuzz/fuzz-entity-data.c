/* EntityData as viewers read it; the input stands for the packet, or for its section unpacked. What
 * can be read can be made sane and into JSON. */
#include "entity/entity-data.h"
#include "entity/properties-json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(struct entity_data_reader *reader)
{
	struct entity_record record;

	while (entity_data_next(reader, &record) > 0) {
		struct writer wr = writer_growing(1 << 20);
		json_t *object = json_object();
		struct properties sane;

		properties_sanitise(&wr, &record.properties, &sane);
		assert(properties_to_json(&sane, object) == 0);
		json_decref(object);
		writer_done(&wr);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct entity_data_reader reader;

	if (entity_data_open(&reader, span_of(data, size)) >= 0)
		use(&reader);
	if (size < 6)
		return 0;
	reader.rd = reader_over(data, size);
	reader.n_records = data[0];
	use(&reader);
	return 0;
}
