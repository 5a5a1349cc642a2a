/* EntityData (41): entities on their way to a viewer (protocol 06a section 4). One packet is one
 * compressed section of one list of records, which is all the Web SDK reads. Pure. */
#pragma once

#include "entity/world.h"

#define ENTITY_DATA_MAX 1440 /* payload of a signed packet */
/* Bytes before compression. What cannot be compressed grows by 11, and still fits. */
#define ENTITY_SECTION_MAX 1412

/* A packet in the making. */
struct entity_data {
	uint8_t bytes[ENTITY_SECTION_MAX];
	struct writer wr;
	unsigned n_records;
};

void entity_data_begin(struct entity_data *data);

/* Appends what fits of the properties in *left and takes them out of it; a value that is larger
 * than a packet is taken out, too, and never sent. hide_private: privateUserData looks empty. True
 * when *left is empty afterwards. */
bool entity_data_add(struct entity_data *data, const struct entity *entity, bool hide_private,
		     struct property_set *left);

/* The payload. Its length, or -ENOMEM. */
ssize_t entity_data_finish(const struct entity_data *data, uint16_t sequence, uint64_t sent_usec,
			   uint8_t ret[static ENTITY_DATA_MAX]);

/* --- reading, as viewers do --- */

struct entity_record {
	struct uuid id;
	struct entity_times times;
	struct properties properties;
};

struct entity_data_reader {
	uint8_t bytes[64 * 1024]; /* the section, unpacked */
	struct reader rd;
	unsigned n_records; /* still to be read */
	uint16_t sequence;
	uint64_t sent_usec;
};

/* -EBADMSG. Large: not for the stack of a thread. */
int entity_data_open(struct entity_data_reader *reader, struct span payload);
/* 1 and a record, 0 at the end, -EBADMSG. Borrows from reader. */
int entity_data_next(struct entity_data_reader *reader, struct entity_record *ret);
