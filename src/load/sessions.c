#include "load/sessions.h"

#include <errno.h>

#include "base/macros.h"

#define REMEMBER_USEC (60 * USEC_PER_SEC)

int sessions_init(struct sessions *s)
{
	*s = (struct sessions){.by_id = hashmap_new(sizeof(struct uuid))};
	list_init(&s->all);
	return s->by_id ? 0 : -ENOMEM;
}

static void forget(struct sessions *s, struct session *session)
{
	(void) hashmap_remove(s->by_id, &session->id);
	list_remove(&session->list);
	free(session);
}

void sessions_done(struct sessions *s)
{
	struct session *session;

	if (!s->by_id)
		return;
	list_for_each (session, &s->all, list)
		forget(s, session);
	s->by_id = hashmap_free(s->by_id);
}

int sessions_join(struct sessions *s, const struct uuid *id, unsigned client, struct session **ret)
{
	struct session *session = sessions_find(s, id);
	int r;

	if (session && session->client == client) {
		session->left_usec = 0;
		*ret = session;
		return 0;
	}
	session = calloc(1, sizeof(*session));
	if (!session)
		return -ENOMEM;
	session->id = *id;
	session->client = client;
	r = hashmap_insert(s->by_id, id, session);
	if (r < 0) {
		free(session);
		return r;
	}
	session->serial = ++s->last_serial;
	list_append(&s->all, &session->list);
	*ret = session;
	return 0;
}

void sessions_leave(struct session *session, uint64_t now_usec)
{
	session->left_usec = now_usec;
}

struct session *sessions_find(const struct sessions *s, const struct uuid *id)
{
	return hashmap_find(s->by_id, id);
}

void sessions_sweep(struct sessions *s, uint64_t now_usec)
{
	struct session *session;

	list_for_each (session, &s->all, list)
		if (session->left_usec > 0 && now_usec > session->left_usec + REMEMBER_USEC)
			forget(s, session);
}

struct vec3 session_mark(struct session *session, struct vec3 position, uint64_t now_usec)
{
	unsigned i = session->next_mark++ % SESSION_MARKS;

	session->marks[i] = (struct session_mark){position.x, position.z, now_usec};
	position.y = (float) i / SESSION_MARKS;
	return position;
}

uint64_t session_mark_find(const struct session *session, const struct vec3 *position)
{
	double i = (double) position->y * SESSION_MARKS;
	const struct session_mark *mark;

	if (!(i >= 0 && i < SESSION_MARKS) || i != (unsigned) i)
		return 0;
	mark = &session->marks[(unsigned) i];
	/* The same bits, or it is not the same position. */
	if (memcmp(&mark->x, &position->x, sizeof(float)) != 0 ||
	    memcmp(&mark->z, &position->z, sizeof(float)) != 0)
		return 0;
	return mark->sent_usec;
}
