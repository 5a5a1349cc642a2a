/* Which models are allowed: protocol 04 section 8.5. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "avatar/model-whitelist.h"

static struct span text(const char *s)
{
	return span_of(s, strlen(s));
}

static void test_no_list_allows_everything(void **state)
{
	struct model_whitelist *list = NULL;

	assert_true(model_whitelist_allows(NULL, text("https://a.b/c.fst")));
	assert_int_equal(model_whitelist_parse("", &list), 0);
	assert_null(list);
	assert_int_equal(model_whitelist_parse(" , ,", &list), 0);
	assert_null(list);
}

static void test_entries(void **state)
{
	static const struct {
		const char *url;
		bool allowed;
	} cases[] = {
		{"https://models.example/people/ann.fst", true},
		{"http://MODELS.example:8080/People/bob.fst?v=2", true},
		{"https://ann:pw@models.example/people/", true},
		{"https://models.example/animals/cat.fst", false},
		{"https://models.example.evil/people/ann.fst", false},
		{"https://evil/models.example/people/ann.fst", false},
		{"https://models.example@evil/people/ann.fst", false},
		{"https://evil\\@models.example/people/ann.fst", false},
		{"https://evil?@models.example/people/", false},
		{"https://cdn.example/anything", true},
		{"https://cdn.example", true},
		{"https://[2001:db8::1]:80/x.fst", true},
		{"https://[2001:db8::2]:80/x.fst", false},
		{"", false},
		{"file:///C:/ann.fst", false},
	};
	_cleanup_(model_whitelist_freep) struct model_whitelist *list = NULL;

	assert_int_equal(
		model_whitelist_parse(
			"models.example/people/, https://CDN.example ,http://[2001:DB8::1]/",
			&list),
		0);
	for (size_t i = 0; i < ELEMENTSOF(cases); i++)
		assert_int_equal(model_whitelist_allows(list, text(cases[i].url)),
				 cases[i].allowed);
	assert_false(model_whitelist_allows(list, span_of(NULL, 0)));
}

static void test_local_urls(void **state)
{
	assert_true(model_url_is_local(text("file:///home/ann/me.fst")));
	assert_true(model_url_is_local(text("QRC:/meshes/default.fst")));
	assert_false(model_url_is_local(text("https://file:80/x")));
	assert_false(model_url_is_local(text("file")));
	assert_false(model_url_is_local(span_of(NULL, 0)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_list_allows_everything),
		cmocka_unit_test(test_entries),
		cmocka_unit_test(test_local_urls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
