/* Each record of a tick once, for whoever asks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "avatar/record-cache.h"
#include "base/worker-pool.h"
#include "vectors.h"

#define TICK    100
#define THREADS 4

static const struct uuid session = {{0x11}};

struct fixture {
	struct avatar_state avatar;
	struct record_cache cache;
	struct record_arena arenas[THREADS];
	const struct avatar_record *got[THREADS][RECORD_VARIANTS];
};

static void apply(struct avatar_state *avatar, const char *hex, uint32_t tick)
{
	size_t len;
	_cleanup_free_ uint8_t *bytes = hex_bytes(hex, &len);
	struct avatar_data data;

	assert_int_equal(avatar_data_decode(bytes, len, &data), 0);
	assert_int_equal(avatar_state_apply(avatar, &data, tick), 0);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	*state = f;
	apply(&f->avatar, A1, TICK - 40);
	apply(&f->avatar, "0200 0100 00002041 00000000 000020c1", TICK);
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	avatar_state_done(&f->avatar);
	for (unsigned i = 0; i < THREADS; i++)
		record_arena_done(&f->arenas[i]);
	free(f);
	return 0;
}

/* All there are: every detail and tier, everything or since a power of two ago. */
static unsigned make_variants(struct avatar_variant ret[static RECORD_VARIANTS])
{
	unsigned n = 0;

	for (unsigned kind = 0; kind < 2 + AVATAR_TIERS; kind++) {
		struct avatar_variant variant = {
			.detail = MIN(kind, (unsigned) AVATAR_DETAIL_CHANGED)};

		variant.tier = kind - variant.detail;
		ret[n++] = variant;
		for (uint32_t age = 1; age < AVATAR_KEY_TICKS; age *= 2) {
			variant.since = TICK - age;
			ret[n++] = variant;
		}
	}
	return n;
}

static const struct avatar_record *get(struct fixture *f, unsigned thread,
				       const struct avatar_variant *variant)
{
	return record_cache_get(&f->cache, &f->arenas[thread], &f->avatar, &session, variant, TICK);
}

static void assert_is_encoded(const struct fixture *f, const struct avatar_record *record,
			      const struct avatar_variant *variant)
{
	struct avatar_record expected;

	avatar_record_encode(&f->avatar, &session, variant, TICK, &expected);
	assert_int_equal(record->len, expected.len);
	assert_memory_equal(record->data, expected.data, expected.len);
}

static void test_each_variant_has_its_record(void **state)
{
	struct fixture *f = *state;
	struct avatar_variant variants[RECORD_VARIANTS];

	assert_int_equal(make_variants(variants), RECORD_VARIANTS);
	for (unsigned i = 0; i < RECORD_VARIANTS; i++)
		f->got[0][i] = get(f, 0, &variants[i]);
	for (unsigned i = 0; i < RECORD_VARIANTS; i++) {
		assert_is_encoded(f, f->got[0][i], &variants[i]);
		assert_ptr_equal(get(f, 1, &variants[i]), f->got[0][i]);
	}
}

/* The next tick makes them anew, where the last one's were. */
static void test_ticks(void **state)
{
	struct fixture *f = *state;
	const struct avatar_variant everything = {.detail = AVATAR_DETAIL_CHANGED};
	const struct avatar_record *first = get(f, 0, &everything), *second;

	for (unsigned i = 0; i < 3; i++) {
		record_cache_clear(&f->cache);
		record_arena_clear(&f->arenas[0]);
		apply(&f->avatar, i % 2 ? "0300 0100 00002041 00000000 000020c1" : A1,
		      TICK + 1000 * (i + 1));
		second = get(f, 0, &everything);
		assert_ptr_equal(second, first);
		assert_is_encoded(f, second, &everything);
	}
}

/* More than a chunk holds. */
static void test_many(void **state)
{
	struct fixture *f = *state;
	struct avatar_variant variants[RECORD_VARIANTS];
	unsigned n = make_variants(variants);

	for (unsigned round = 0; round < 100; round++) {
		record_cache_clear(&f->cache);
		for (unsigned i = 0; i < n; i++)
			f->got[0][i] = get(f, 0, &variants[i]);
	}
	for (unsigned i = 0; i < n; i++)
		assert_is_encoded(f, f->got[0][i], &variants[i]);
}

static void get_all(void *userdata, size_t thread)
{
	struct fixture *f = userdata;
	struct avatar_variant variants[RECORD_VARIANTS];
	unsigned n = make_variants(variants);

	for (unsigned i = 0; i < n; i++)
		f->got[thread][i] = get(f, (unsigned) thread, &variants[i]);
}

/* Whoever comes first, all get the same one. */
static void test_threads(void **state)
{
	struct fixture *f = *state;
	struct avatar_variant variants[RECORD_VARIANTS];
	_cleanup_(worker_pool_freep) struct worker_pool *pool = NULL;

	(void) make_variants(variants);
	assert_int_equal(worker_pool_new(THREADS, &pool), 0);
	for (unsigned round = 0; round < 100; round++) {
		record_cache_clear(&f->cache);
		for (unsigned t = 0; t < THREADS; t++)
			record_arena_clear(&f->arenas[t]);
		worker_pool_run(pool, THREADS, get_all, f);
		for (unsigned i = 0; i < RECORD_VARIANTS; i++) {
			assert_is_encoded(f, f->got[0][i], &variants[i]);
			for (unsigned t = 1; t < THREADS; t++)
				assert_ptr_equal(f->got[t][i], f->got[0][i]);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define t(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		t(test_each_variant_has_its_record),
		t(test_ticks),
		t(test_many),
		t(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
