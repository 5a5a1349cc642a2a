/* The assignment queue: protocol 02 section 11.2. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "domain-server/assignments.h"

static struct assignments *configured(const char *json)
{
	json_t *config = json_loads(json, 0, NULL);
	struct assignments *a;

	assert_non_null(config);
	assert_int_equal(assignments_new(&a), 0);
	assert_int_equal(assignments_configure(a, config), 0);
	json_decref(config);
	return a;
}

static struct assignment *take_any(struct assignments *a, char node_type)
{
	struct assignment_offer offer;
	struct assignment *assignment;
	const char *version;

	assert_int_equal(
		assignments_offer(a, hat_find_by_node_type(node_type)->hat, "", "v1", &offer), 0);
	assert_int_equal(assignments_take(a, &offer.id, node_type, &assignment, &version), 0);
	assert_string_equal(version, "v1");
	return assignment;
}

static void test_default_set(void **state)
{
	_cleanup_(assignments_freep) struct assignments *a = configured("{}");
	struct assignment_offer offer;
	unsigned n = 0;

	for (unsigned type = 0; type < HAT_COUNT; type++) {
		int r = assignments_offer(a, type, "", "", &offer);

		assert_int_equal(r, hat_find(type)->is_default ? 0 : -ENOENT);
		n += r == 0;
	}
	assert_int_equal(assignments_queued(a), n);
}

static void test_offer_stays_until_taken(void **state)
{
	_cleanup_(assignments_freep) struct assignments *a = configured("{}");
	struct assignment_offer first, second, other;
	struct assignment *assignment;
	const char *version;

	assert_int_equal(assignments_offer(a, HAT_AUDIO, "", "one", &first), 0);
	assert_int_equal(assignments_offer(a, HAT_AUDIO, "", "two", &second), 0);
	assert_false(uuid_equal(&first.id, &second.id));
	assert_ptr_equal(first.assignment, second.assignment);
	assert_true(assignments_was_offered(a, &first.id));
	assert_false(assignments_was_offered(a, &first.assignment->id));
	assert_false(assignments_was_offered(a, &UUID_NULL));

	/* Of the wrong type, then twice. */
	assert_int_equal(assignments_take(a, &second.id, 'W', &assignment, &version), -ENOENT);
	assert_int_equal(assignments_take(a, &second.id, 'M', &assignment, &version), 0);
	assert_string_equal(version, "two");
	assert_true(assignment->is_taken);
	assert_int_equal(assignments_take(a, &first.id, 'M', &assignment, &version), -ENOENT);
	assert_int_equal(assignments_offer(a, HAT_AUDIO, "", "", &other), -ENOENT);
}

static void test_any_goes_round(void **state)
{
	_cleanup_(assignments_freep) struct assignments *a = configured("{}");
	unsigned seen[HAT_COUNT] = {0}, n = assignments_queued(a);
	struct assignment_offer offer;

	for (unsigned i = 0; i < 2 * n; i++) {
		assert_int_equal(assignments_offer(a, HAT_ANY, "", "", &offer), 0);
		seen[offer.assignment->type]++;
		/* Voices first. */
		if (i < 3)
			assert_int_not_equal(offer.assignment->type, HAT_ENTITY);
	}
	for (unsigned type = 0; type < HAT_COUNT; type++)
		assert_int_equal(seen[type], hat_find(type)->is_default ? 2 : 0);
}

static void test_configured_lists(void **state)
{
	_cleanup_(assignments_freep) struct assignments *a =
		configured("{\"config-0\": [], \"config-1\": [{\"pool\": \"big\", \"x\": 1, "
			   "\"threads\": \"4\"}, {}],"
			   " \"config-2\": [{}, {}],"
			   " \"scripts\": {\"persistent_scripts\": ["
			   "   {\"url\": \"http://example.org/a.js\", \"num_instances\": \"2\", "
			   "\"pool\": \"\"},"
			   "   {\"url\": \"\", \"num_instances\": 5}]}}");
	struct assignment_offer offer;
	unsigned agents = 0;

	assert_int_equal(assignments_offer(a, HAT_AUDIO, "", "", &offer), -ENOENT);
	assert_int_equal(assignments_offer(a, HAT_AVATAR, "big", "", &offer), 0);
	assert_string_equal(offer.assignment->payload, "-x 1 --threads 4");
	assert_int_equal(assignments_offer(a, HAT_AVATAR, "", "", &offer), 0);
	assert_string_equal(offer.assignment->payload, "");
	assert_int_equal(assignments_offer(a, HAT_AVATAR, "small", "", &offer), -ENOENT);

	while (assignments_offer(a, HAT_AGENT, "", "", &offer) == 0) {
		struct assignment *assignment;
		const char *version;

		assert_string_equal(offer.assignment->payload, "http://example.org/a.js");
		assert_int_equal(assignments_take(a, &offer.id, 'I', &assignment, &version), 0);
		agents++;
	}
	assert_int_equal(agents, 2);
}

static void test_dead_node_puts_it_back_under_a_fresh_id(void **state)
{
	_cleanup_(assignments_freep) struct assignments *a = configured("{}");
	struct assignment_offer stale, offer;
	struct assignment *assignment;
	const char *version;
	struct uuid old;

	assert_int_equal(assignments_offer(a, HAT_AUDIO, "", "", &stale), 0);
	assignment = take_any(a, 'M');
	old = assignment->id;
	assignments_release(a, assignment);

	assert_int_equal(assignments_take(a, &stale.id, 'M', &assignment, &version), -ENOENT);
	assert_int_equal(assignments_offer(a, HAT_ANY, "", "", &offer), 0);
	assert_int_equal(offer.assignment->type, HAT_AUDIO);
	assert_false(uuid_equal(&offer.assignment->id, &old));
}

static void test_reconfigure_keeps_what_runs(void **state)
{
	_cleanup_(assignments_freep) struct assignments *a = configured("{}");
	struct assignment *audio = take_any(a, 'M'), *avatar = take_any(a, 'W');
	json_t *config = json_loads("{\"config-1\": []}", 0, NULL);
	struct assignment_offer offer;

	assert_int_equal(assignments_configure(a, config), 0);
	json_decref(config);
	assert_true(audio->is_static);
	assert_false(avatar->is_static);
	assert_int_equal(assignments_offer(a, HAT_AUDIO, "", "", &offer), -ENOENT);

	assignments_release(a, avatar);
	assert_int_equal(assignments_offer(a, HAT_AVATAR, "", "", &offer), -ENOENT);
	assignments_release(a, audio);
	assert_int_equal(assignments_offer(a, HAT_AUDIO, "", "", &offer), 0);
}

static void test_too_many(void **state)
{
	_cleanup_(assignments_freep) struct assignments *a = configured("{}");
	unsigned before = assignments_queued(a);
	json_t *config = json_loads("{\"scripts\": {\"persistent_scripts\": "
				    "[{\"url\": \"x\", \"num_instances\": 1e9}]}}",
				    0, NULL);

	assert_int_equal(assignments_configure(a, config), -ENOBUFS);
	json_decref(config);
	assert_int_equal(assignments_queued(a), before);
}

static void test_queue_to_json(void **state)
{
	_cleanup_(assignments_freep) struct assignments *a =
		configured("{\"config-0\": [{\"pool\": \"p\"}], \"config-1\": [], \"config-4\": "
			   "[], \"config-6\": []}");
	json_t *queue = assignments_queue_to_json(a), *row;
	const char *key;

	assert_int_equal(json_object_size(queue), 1);
	json_object_foreach (queue, key, row) {
		assert_string_equal(json_string_value(json_object_get(row, "type")), "audio-mixer");
		assert_string_equal(json_string_value(json_object_get(row, "pool")), "p");
	}
	json_decref(queue);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_default_set),
		cmocka_unit_test(test_offer_stays_until_taken),
		cmocka_unit_test(test_any_goes_round),
		cmocka_unit_test(test_configured_lists),
		cmocka_unit_test(test_dead_node_puts_it_back_under_a_fresh_id),
		cmocka_unit_test(test_reconfigure_keeps_what_runs),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_queue_to_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
