#include "avatar/identity.h"

#include <errno.h>

#include "base/qt-stream.h"
#include "base/utf16.h"

#define SEQUENCE_MASK      0x07ffffff
#define SEQUENCE_THRESHOLD 0x03ffffff
#define KEPT_FLAGS         (AVATAR_IDENTITY_REPLICATED | AVATAR_IDENTITY_LOOK_AT_SNAPPING)

/* translation, rotation and scale are doubles; then "is soft" */
#define ATTACHMENT_PLACE_SIZE (8 * sizeof(double) + 1)

/* --- the packet --- */

void avatar_identity_packet_done(struct avatar_identity_packet *packet)
{
	free(packet->display_name);
	*packet = (struct avatar_identity_packet){0};
}

static void skip_attachments(struct reader *rd)
{
	uint32_t count = read_u32be(rd);

	if (count > AVATAR_ATTACHMENTS_MAX)
		reader_fail(rd);
	for (uint32_t i = 0; i < count && !rd->failed; i++) {
		(void) read_qbytes(rd, AVATAR_ATTACHMENT_MAX);
		(void) read_qbytes(rd, AVATAR_ATTACHMENT_MAX);
		read_skip(rd, ATTACHMENT_PLACE_SIZE);
	}
}

static void cut_name(char *name)
{
	const char *p = name, *next = name;
	size_t units = 0;

	while (*p) {
		units += utf8_next(&next) > 0xffff ? 2 : 1;
		if (units > AVATAR_NAME_MAX)
			break;
		p = next;
	}
	name[p - name] = '\0';
}

int avatar_identity_decode(const void *data, size_t len, struct avatar_identity_packet *ret)
{
	_cleanup_(avatar_identity_packet_done) struct avatar_identity_packet packet = {0};
	struct reader rd = reader_over(data, len);
	int r;

	(void) read_uuid(&rd);
	packet.sequence = read_u32be(&rd) & SEQUENCE_MASK;
	skip_attachments(&rd);
	r = read_qstring(&rd, AVATAR_NAME_SENT_MAX, &packet.display_name);
	if (r < 0)
		return r;
	(void) read_qbytes(&rd, 2 * AVATAR_NAME_SENT_MAX); /* session display name */
	packet.flags = read_u32be(&rd) & KEPT_FLAGS;
	r = reader_finish(&rd);
	if (r < 0)
		return r;

	cut_name(packet.display_name);
	*ret = packet;
	packet.display_name = NULL;
	return 0;
}

/* --- the state --- */

static bool sequence_newer(uint32_t a, uint32_t b)
{
	uint32_t distance = a > b ? a - b : b - a;

	return distance < SEQUENCE_THRESHOLD ? a > b : b > a;
}

void avatar_identity_done(struct avatar_identity *identity, struct session_names *names)
{
	session_names_release(names, identity->name);
	free(identity->display_name);
	*identity = (struct avatar_identity){0};
}

int avatar_identity_apply(struct avatar_identity *identity, struct session_names *names,
			  struct avatar_identity_packet *packet, uint32_t tick)
{
	bool renamed, changed;
	int r;

	if (identity->known && !sequence_newer(packet->sequence, identity->in_sequence))
		return -ESTALE;
	renamed = !identity->known || strcmp(identity->display_name, packet->display_name) != 0;
	changed = renamed || identity->flags != packet->flags;

	if (renamed) {
		r = session_names_take(names, packet->display_name, identity->name,
				       &identity->name);
		if (r < 0)
			return r;
		free(identity->display_name);
		identity->display_name = TAKE_PTR(packet->display_name);
	}
	identity->flags = packet->flags;
	identity->in_sequence = packet->sequence;

	/* The client believes only what is newer than its own counter, which may have overtaken
	 * what we sent last while that was on its way. */
	if (!changed && sequence_newer(identity->out_sequence, identity->in_sequence))
		return 0;
	if (!identity->known || sequence_newer(identity->in_sequence, identity->out_sequence))
		identity->out_sequence = identity->in_sequence;
	identity->out_sequence = (identity->out_sequence + 1) & SEQUENCE_MASK;
	identity->known = true;
	identity->echo_tick = tick;
	if (changed)
		identity->changed_tick = tick;
	return 0;
}

void avatar_identity_write(struct writer *wr, const struct uuid *session,
			   const struct avatar_identity *identity)
{
	const char *name = identity->display_name;

	write_uuid(wr, session);
	write_u32be(wr, identity->out_sequence);
	write_u32be(wr, 0); /* attachments: clients throw when there are any */
	write_qstring(wr, *name ? name : NULL);
	write_qstring(wr, identity->name->text);
	write_u32be(wr, identity->flags);
}

void avatar_identity_save(const struct avatar_identity *identity, struct writer *wr)
{
	write_u8(wr, identity->known);
	if (!identity->known)
		return;
	write_u32le(wr, identity->in_sequence);
	write_u32le(wr, identity->out_sequence);
	write_u32le(wr, identity->flags);
	write_string16(wr, identity->display_name, strlen(identity->display_name));
	write_u32le(wr, identity->name->suffix);
}

int avatar_identity_restore(struct avatar_identity *identity, struct session_names *names,
			    struct reader *rd, uint32_t tick)
{
	struct avatar_identity new = {.known = read_u8(rd), .changed_tick = tick};
	_cleanup_free_ char *name = NULL;
	struct span text;
	uint32_t suffix;
	int r;

	if (!new.known)
		return reader_check(rd);
	new.in_sequence = read_u32le(rd) & SEQUENCE_MASK;
	new.out_sequence = read_u32le(rd) & SEQUENCE_MASK;
	new.flags = read_u32le(rd) & KEPT_FLAGS;
	text = read_string16(rd, 4 * AVATAR_NAME_MAX);
	suffix = read_u32le(rd);
	if (rd->failed || !utf8_is_valid(text.data, text.len))
		return -EBADMSG;

	name = strndup(text.len > 0 ? (const char *) text.data : "", text.len);
	if (!name)
		return -ENOMEM;
	r = session_names_take_again(names, name, suffix, &new.name);
	if (r < 0)
		return r;
	new.display_name = TAKE_PTR(name);
	*identity = new;
	return 0;
}
