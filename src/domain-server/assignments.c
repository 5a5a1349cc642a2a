#include "domain-server/assignments.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Offers remembered: an assignment client answers one within milliseconds and asks anew every
 * second, so this is minutes for a handful of idle ones. */
#define OFFERS_MAX 256

struct offer {
	struct uuid id;
	struct uuid assignment;
	char version[ASSIGNMENT_VERSION_MAX];
};

struct assignments {
	struct list queue;
	struct list taken;
	struct offer offers[OFFERS_MAX]; /* a ring; the oldest is forgotten */
	unsigned next_offer;
};

int assignments_new(struct assignments **ret)
{
	struct assignments *a = calloc(1, sizeof(*a));

	if (!a)
		return -ENOMEM;
	list_init(&a->queue);
	list_init(&a->taken);
	*ret = a;
	return 0;
}

static struct assignment *assignment_free(struct assignment *assignment)
{
	if (!assignment)
		return NULL;
	list_remove(&assignment->link);
	free(assignment->pool);
	free(assignment->payload);
	free(assignment);
	return NULL;
}
DEFINE_CLEANUP_FUNC(struct assignment *, assignment_free);

static void list_of_assignments_free(struct list *list)
{
	struct assignment *assignment;

	list_for_each (assignment, list, link)
		(void) assignment_free(assignment);
}

struct assignments *assignments_free(struct assignments *a)
{
	if (!a)
		return NULL;
	list_of_assignments_free(&a->queue);
	list_of_assignments_free(&a->taken);
	free(a);
	return NULL;
}

/* People hear and see each other before they see things. */
static bool is_urgent(enum hat type)
{
	return type == HAT_AUDIO || type == HAT_AVATAR || type == HAT_MESSAGES;
}

static void enqueue(struct list *queue, struct assignment *assignment)
{
	if (is_urgent(assignment->type))
		list_prepend(queue, &assignment->link);
	else
		list_append(queue, &assignment->link);
}

/* --- the static set --- */

static int assignment_new(enum hat type, const char *pool, const char *payload, struct list *wanted)
{
	_cleanup_(assignment_freep) struct assignment *assignment = calloc(1, sizeof(*assignment));

	if (!assignment)
		return -ENOMEM;
	list_init(&assignment->link);
	assignment->id = uuid_random();
	assignment->type = type;
	assignment->is_static = true;
	assignment->pool = strdup(pool ? pool : "");
	assignment->payload = strdup(payload);
	if (!assignment->pool || !assignment->payload)
		return -ENOMEM;
	enqueue(wanted, assignment);
	(void) TAKE_PTR(assignment);
	return 0;
}

/* "--key value" words of an object, except its pool. Too long a text is cut at a word. */
static void payload_format(const json_t *object, char ret[static ASSIGNMENT_PAYLOAD_MAX + 1])
{
	const char *key;
	json_t *value;
	size_t len = 0;

	ret[0] = 0;
	json_object_foreach ((json_t *) object, key, value) {
		_cleanup_free_ char *number =
			json_is_string(value) ? NULL : json_dumps(value, JSON_ENCODE_ANY);
		const char *text = json_is_string(value) ? json_string_value(value) : number;
		char word[ASSIGNMENT_PAYLOAD_MAX + 1];
		int n;

		if (strcmp(key, "pool") == 0 || !text)
			continue;
		n = snprintf(word, sizeof(word), "%s%s%s %s", len > 0 ? " " : "",
			     strlen(key) == 1 ? "-" : "--", key, text);
		if (len + (size_t) n > ASSIGNMENT_PAYLOAD_MAX)
			continue;
		memcpy(ret + len, word, (size_t) n + 1);
		len += (size_t) n;
	}
}

static int want_hat(const struct hat_info *hat, const json_t *config, struct list *wanted)
{
	char key[32], payload[ASSIGNMENT_PAYLOAD_MAX + 1];
	json_t *list, *object;
	size_t i;
	int r;

	(void) snprintf(key, sizeof(key), "config-%u", (unsigned) hat->hat);
	list = json_object_get(config, key);
	if (!json_is_array(list))
		return hat->is_default ? assignment_new(hat->hat, NULL, "", wanted) : 0;

	json_array_foreach (list, i, object) {
		if (i >= ASSIGNMENTS_MAX)
			return -ENOBUFS;
		payload_format(object, payload);
		r = assignment_new(hat->hat, json_string_value(json_object_get(object, "pool")),
				   payload, wanted);
		if (r < 0)
			return r;
	}
	return 0;
}

static int want_scripts(const json_t *config, struct list *wanted)
{
	json_t *scripts = json_object_get(json_object_get(config, "scripts"), "persistent_scripts");
	json_t *row;
	size_t i;
	int r;

	json_array_foreach (scripts, i, row) {
		const char *url = json_string_value(json_object_get(row, "url"));
		const char *pool = json_string_value(json_object_get(row, "pool"));
		const json_t *instances = json_object_get(row, "num_instances");
		double n = json_is_string(instances) ? strtod(json_string_value(instances), NULL)
			   : instances               ? json_number_value(instances)
						     : 1;

		if (!url || !url[0] || strlen(url) > ASSIGNMENT_PAYLOAD_MAX)
			continue;
		if (!(n <= ASSIGNMENTS_MAX))
			return -ENOBUFS;
		for (unsigned k = 0; k < n; k++) {
			r = assignment_new(HAT_AGENT, pool, url, wanted);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

static bool same_work(const struct assignment *a, const struct assignment *b)
{
	return a->type == b->type && strcmp(a->pool, b->pool) == 0 &&
	       strcmp(a->payload, b->payload) == 0;
}

/* Those that somebody works on already need not be queued. */
static void match_taken(struct list *taken, struct list *wanted)
{
	struct assignment *running, *want;

	list_for_each (running, taken, link) {
		running->is_static = false;
		list_for_each (want, wanted, link) {
			if (!same_work(running, want))
				continue;
			running->is_static = true;
			(void) assignment_free(want);
			break;
		}
	}
}

static unsigned list_size(const struct list *list)
{
	unsigned n = 0;

	for (const struct list *l = list->next; l != list; l = l->next)
		n++;
	return n;
}

static int want_all(const json_t *config, struct list *wanted)
{
	int r;

	for (unsigned type = 0; type < HAT_COUNT; type++) {
		if (type == HAT_AGENT) /* agents are scripts, below */
			continue;
		r = want_hat(hat_find(type), config, wanted);
		if (r < 0)
			return r;
	}
	r = want_scripts(config, wanted);
	if (r < 0)
		return r;
	return list_size(wanted) > ASSIGNMENTS_MAX ? -ENOBUFS : 0;
}

int assignments_configure(struct assignments *a, const json_t *config)
{
	struct assignment *assignment;
	struct list wanted;
	int r;

	list_init(&wanted);
	r = want_all(config, &wanted);
	if (r < 0) {
		list_of_assignments_free(&wanted);
		return r;
	}

	match_taken(&a->taken, &wanted);
	list_of_assignments_free(&a->queue);
	list_for_each (assignment, &wanted, link) {
		list_remove(&assignment->link);
		list_append(&a->queue, &assignment->link);
	}
	return 0;
}

/* --- offers --- */

static const struct offer *offer_find(const struct assignments *a, const struct uuid *id)
{
	if (uuid_is_null(id))
		return NULL;
	for (size_t i = 0; i < ELEMENTSOF(a->offers); i++)
		if (uuid_equal(&a->offers[i].id, id))
			return &a->offers[i];
	return NULL;
}

/* It is shown to people, who need no more than plain characters of it. */
static void copy_version(struct offer *offer, const char *version)
{
	(void) snprintf(offer->version, sizeof(offer->version), "%s", version);
	for (char *c = offer->version; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
}

int assignments_offer(struct assignments *a, unsigned type, const char *pool, const char *version,
		      struct assignment_offer *ret)
{
	struct assignment *assignment;

	list_for_each (assignment, &a->queue, link) {
		struct offer *offer = &a->offers[a->next_offer];

		if ((type != HAT_ANY && type != assignment->type) ||
		    strcmp(assignment->pool, pool) != 0)
			continue;

		list_remove(&assignment->link);
		list_append(&a->queue, &assignment->link);
		*offer = (struct offer){.id = uuid_random(), .assignment = assignment->id};
		copy_version(offer, version);
		a->next_offer = (a->next_offer + 1) % ELEMENTSOF(a->offers);
		*ret = (struct assignment_offer){.id = offer->id, .assignment = assignment};
		return 0;
	}
	return -ENOENT;
}

bool assignments_was_offered(const struct assignments *a, const struct uuid *offer)
{
	return offer_find(a, offer);
}

int assignments_take(struct assignments *a, const struct uuid *offer_id, char node_type,
		     struct assignment **ret, const char **ret_version)
{
	const struct hat_info *hat = hat_find_by_node_type(node_type);
	const struct offer *offer = offer_find(a, offer_id);
	struct assignment *assignment;

	if (!offer || !hat)
		return -ENOENT;
	list_for_each (assignment, &a->queue, link) {
		if (!uuid_equal(&assignment->id, &offer->assignment) ||
		    assignment->type != hat->hat)
			continue;
		list_remove(&assignment->link);
		list_append(&a->taken, &assignment->link);
		assignment->is_taken = true;
		*ret = assignment;
		*ret_version = offer->version;
		return 0;
	}
	return -ENOENT;
}

void assignments_release(struct assignments *a, struct assignment *assignment)
{
	if (!assignment->is_static) {
		(void) assignment_free(assignment);
		return;
	}
	list_remove(&assignment->link);
	assignment->id = uuid_random();
	assignment->is_taken = false;
	enqueue(&a->queue, assignment);
}

int assignments_restore(struct assignments *a, const struct uuid *id, enum hat type,
			const char *pool, const char *payload, struct assignment **ret)
{
	struct list one;
	int r;

	list_init(&one);
	r = assignment_new(type, pool, payload, &one);
	if (r < 0)
		return r;
	*ret = LIST_FIRST(&one, struct assignment, link);
	list_remove(&(*ret)->link);
	list_append(&a->taken, &(*ret)->link);
	(*ret)->id = *id;
	(*ret)->is_static = false;
	(*ret)->is_taken = true;
	return 0;
}

unsigned assignments_queued(const struct assignments *a)
{
	return list_size(&a->queue);
}

json_t *assignments_queue_to_json(const struct assignments *a)
{
	json_t *queue = json_object();
	struct assignment *assignment;

	list_for_each (assignment, (struct list *) &a->queue, link) {
		json_t *object = json_pack("{s:s}", "type", hat_find(assignment->type)->long_name);

		if (assignment->pool[0])
			(void) json_object_set_new(object, "pool", json_string(assignment->pool));
		if (json_object_set_new(queue, UUID_TEXT(&assignment->id), object) < 0) {
			json_decref(queue);
			return NULL;
		}
	}
	return queue;
}
