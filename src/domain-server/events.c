#include "domain-server/events.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/event.h"
#include "base/list.h"
#include "domain-server/merge-patch.h"

#define INTERVAL_USEC USEC_PER_SEC
#define BLOCK_SIZE    4096

/* An event as it goes over the wire, for all watchers who get it. */
struct frame {
	unsigned refs;
	size_t len;
	char text[];
};

struct events {
	json_t *(*document)(void *userdata);
	void *userdata;
	struct event_oneshot *timer;
	json_t *last;           /* what watchers know; NULL when there were none lately */
	struct frame *snapshot; /* of it, once somebody needed it */
	struct list watchers;
	unsigned n_watchers;
};

struct watcher {
	struct events *events; /* NULL: the end */
	struct MHD_Connection *connection;
	struct mhd_loop *loop; /* of the connection */
	struct list link;
	struct frame *frame; /* under way, or NULL */
	size_t sent;         /* of it */
	bool has_missed;     /* a patch: needs a snapshot */
	bool is_suspended;
};

/* --- frames --- */

static struct frame *frame_unref(struct frame *f)
{
	if (f && --f->refs == 0)
		free(f);
	return NULL;
}

static struct frame *frame_new(const char *name, const json_t *json)
{
	_cleanup_free_ char *text = json_dumps(json, JSON_COMPACT);
	struct frame *f;
	size_t size;

	if (!text)
		return NULL;
	size = strlen(name) + strlen(text) + sizeof("event: \ndata: \n\n");
	f = malloc(sizeof(*f) + size);
	if (!f)
		return NULL;
	f->refs = 1;
	f->len = (size_t) snprintf(f->text, size, "event: %s\ndata: %s\n\n", name, text);
	return f;
}

/* Borrowed; NULL when out of memory. */
static struct frame *snapshot(struct events *e)
{
	if (!e->snapshot && e->last)
		e->snapshot = frame_new("snapshot", e->last);
	return e->snapshot;
}

/* --- watchers --- */

static void give(struct watcher *w, struct frame *f)
{
	if (!f) {
		w->has_missed = true;
		return;
	}
	f->refs++;
	w->frame = f;
	w->sent = 0;
	w->has_missed = false;
}

static void resume(struct watcher *w)
{
	if (!w->is_suspended)
		return;
	w->is_suspended = false;
	MHD_resume_connection(w->connection);
	mhd_loop_wake(w->loop);
}

static ssize_t on_read(void *userdata, uint64_t position, char *ret, size_t max)
{
	struct watcher *w = userdata;
	size_t n;

	if (!w->events)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (!w->frame) {
		MHD_suspend_connection(w->connection);
		w->is_suspended = true;
		return 0;
	}
	n = MIN(max, w->frame->len - w->sent);
	memcpy(ret, w->frame->text + w->sent, n);
	w->sent += n;
	if (w->sent == w->frame->len)
		w->frame = frame_unref(w->frame);
	return (ssize_t) n;
}

static void on_gone(void *userdata)
{
	struct watcher *w = userdata;

	list_remove(&w->link);
	frame_unref(w->frame);
	if (w->events)
		w->events->n_watchers--;
	free(w);
}

static void forget(struct events *e)
{
	json_decref(e->last);
	e->last = NULL;
	e->snapshot = frame_unref(e->snapshot);
	event_oneshot_disarm(e->timer);
}

static void on_tick(void *userdata)
{
	struct events *e = userdata;
	json_t *now, *patch;
	struct frame *f;
	struct watcher *w;

	if (e->n_watchers == 0)
		return forget(e);
	now = e->document(e->userdata);
	patch = now ? merge_patch_between(e->last, now) : NULL;
	f = patch ? frame_new("patch", patch) : NULL;
	json_decref(patch);
	if (now) {
		json_decref(e->last);
		e->last = now;
		e->snapshot = frame_unref(e->snapshot);
	}
	list_for_each (w, &e->watchers, link) {
		if (w->frame)
			w->has_missed = true;
		else
			give(w, w->has_missed ? snapshot(e) : f);
		resume(w);
	}
	frame_unref(f);
	event_oneshot_arm(e->timer, clock_now_usec() + INTERVAL_USEC);
}

struct MHD_Response *events_watch(struct events *e, struct mhd_loop *loop,
				  struct MHD_Connection *connection)
{
	struct MHD_Response *response;
	struct watcher *w;

	if (e->n_watchers == EVENTS_WATCHERS_MAX)
		return NULL;
	if (!e->last) {
		e->last = e->document(e->userdata);
		event_oneshot_arm(e->timer, clock_now_usec() + INTERVAL_USEC);
	}
	w = calloc(1, sizeof(*w));
	if (!w)
		return NULL;
	w->connection = connection;
	w->loop = loop;
	response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_SIZE, on_read, w,
						     on_gone);
	if (!response) {
		free(w);
		return NULL;
	}
	w->events = e;
	give(w, snapshot(e));
	list_append(&e->watchers, &w->link);
	e->n_watchers++;
	(void) MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "text/event-stream");
	return response;
}

/* --- life --- */

int events_new(sd_event *event, json_t *(*document)(void *userdata), void *userdata,
	       struct events **ret)
{
	_cleanup_(events_freep) struct events *e = calloc(1, sizeof(*e));
	int r;

	if (!e)
		return -ENOMEM;
	e->document = document;
	e->userdata = userdata;
	list_init(&e->watchers);
	r = event_oneshot_new(event, 0, on_tick, e, "events", &e->timer);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(e);
	return 0;
}

struct events *events_free(struct events *e)
{
	struct watcher *w;

	if (!e)
		return NULL;
	list_for_each (w, &e->watchers, link) {
		list_remove(&w->link);
		w->events = NULL;
		resume(w);
	}
	forget(e);
	event_oneshot_free(e->timer);
	free(e);
	return NULL;
}
