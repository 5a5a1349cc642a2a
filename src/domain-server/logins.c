#include "domain-server/logins.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

struct link {
	uint8_t id[32]; /* all zero: free */
	uint64_t made_usec;
};

struct source {
	char name[LOGIN_SOURCE_MAX];
	unsigned tries;
	uint64_t last_usec;
};

struct logins {
	uint8_t key[32]; /* hashed with every secret: so ids tell nothing, and neither do timings */
	struct login_session sessions[LOGIN_SESSIONS_MAX];
	struct link links[LOGIN_LINKS_MAX];
	struct source sources[LOGIN_SOURCES_MAX];
};

static const uint8_t NO_ID[32];

/* --- secrets --- */

static int token_new(char ret[static LOGIN_TOKEN_SIZE])
{
	uint8_t bits[(LOGIN_TOKEN_SIZE - 1) / 2];

	if (getrandom(bits, sizeof(bits), 0) != sizeof(bits))
		return -EIO;
	for (size_t i = 0; i < sizeof(bits); i++)
		(void) snprintf(ret + 2 * i, 3, "%02x", bits[i]);
	return 0;
}

static bool make_id(const struct logins *l, const char *secret, uint8_t ret[static 32])
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	bool ok = md && EVP_DigestInit_ex(md, EVP_sha256(), NULL) == 1 &&
		  EVP_DigestUpdate(md, l->key, sizeof(l->key)) == 1 &&
		  EVP_DigestUpdate(md, secret, strlen(secret)) == 1 &&
		  EVP_DigestFinal_ex(md, ret, NULL) == 1;

	EVP_MD_CTX_free(md);
	return ok;
}

/* --- sessions --- */

static void end(struct login_session *s)
{
	OPENSSL_cleanse(s, sizeof(*s));
}

static bool is_over(const struct login_session *s, uint64_t now_usec)
{
	return now_usec - s->used_usec >= LOGIN_IDLE_USEC ||
	       now_usec - s->began_usec >= LOGIN_LIFE_USEC;
}

static struct login_session *find(struct logins *l, const uint8_t id[static 32])
{
	for (size_t i = 0; i < LOGIN_SESSIONS_MAX; i++)
		if (memcmp(l->sessions[i].id, id, sizeof(NO_ID)) == 0)
			return &l->sessions[i];
	return NULL;
}

static struct login_session *make_room(struct logins *l)
{
	struct login_session *oldest = find(l, NO_ID);

	if (oldest)
		return oldest;
	oldest = &l->sessions[0];
	for (size_t i = 1; i < LOGIN_SESSIONS_MAX; i++)
		if (l->sessions[i].used_usec < oldest->used_usec)
			oldest = &l->sessions[i];
	end(oldest);
	return oldest;
}

int logins_begin(struct logins *l, const char *user, const char *password_hash, uint64_t now_usec,
		 char ret_token[static LOGIN_TOKEN_SIZE])
{
	struct login_session s = {.began_usec = now_usec, .used_usec = now_usec};

	if (token_new(ret_token) < 0 || token_new(s.csrf) < 0 || !make_id(l, ret_token, s.id))
		return -EIO;
	(void) snprintf(s.user, sizeof(s.user), "%s", user);
	(void) snprintf(s.password, sizeof(s.password), "%s", password_hash);
	*make_room(l) = s;
	return 0;
}

const struct login_session *logins_find(struct logins *l, const char *token, uint64_t now_usec)
{
	struct login_session *s;
	uint8_t id[32];

	s = make_id(l, token, id) ? find(l, id) : NULL;
	if (!s)
		return NULL;
	if (is_over(s, now_usec)) {
		end(s);
		return NULL;
	}
	s->used_usec = now_usec;
	return s;
}

void logins_end(struct logins *l, const char *token)
{
	struct login_session *s;
	uint8_t id[32];

	s = make_id(l, token, id) ? find(l, id) : NULL;
	if (s)
		end(s);
}

/* --- links --- */

int logins_link_new(struct logins *l, uint64_t now_usec, char ret_token[static LOGIN_TOKEN_SIZE])
{
	struct link *oldest = &l->links[0];

	for (size_t i = 1; i < LOGIN_LINKS_MAX; i++)
		if (l->links[i].made_usec < oldest->made_usec)
			oldest = &l->links[i];
	if (token_new(ret_token) < 0 || !make_id(l, ret_token, oldest->id))
		return -EIO;
	oldest->made_usec = now_usec;
	return 0;
}

bool logins_link_take(struct logins *l, const char *token, uint64_t now_usec)
{
	uint8_t id[32];

	if (!make_id(l, token, id))
		return false;
	for (size_t i = 0; i < LOGIN_LINKS_MAX; i++) {
		struct link *link = &l->links[i];
		bool is_late = now_usec - link->made_usec >= LOGIN_LINK_USEC;

		if (memcmp(link->id, id, sizeof(id)) != 0)
			continue;
		*link = (struct link){0};
		return !is_late;
	}
	return false;
}

/* --- tries --- */

/* The entry of source; a new one takes the place of what was heard longest ago. */
static struct source *find_source(struct logins *l, const char *name, uint64_t now_usec)
{
	struct source *oldest = &l->sources[0];

	for (size_t i = 0; i < LOGIN_SOURCES_MAX; i++) {
		struct source *s = &l->sources[i];

		if (s->tries > 0 && strcmp(s->name, name) == 0) {
			if (now_usec - s->last_usec >= LOGIN_FORGET_USEC)
				s->tries = 0;
			return s;
		}
		if (s->last_usec < oldest->last_usec)
			oldest = s;
	}
	*oldest = (struct source){0};
	(void) snprintf(oldest->name, sizeof(oldest->name), "%s", name);
	return oldest;
}

unsigned logins_try(struct logins *l, const char *name, uint64_t now_usec)
{
	struct source *s = find_source(l, name, now_usec);
	unsigned over = s->tries < LOGIN_FREE_TRIES ? 0 : s->tries - LOGIN_FREE_TRIES + 1;
	uint64_t wait_sec = over == 0 ? 0 : over < 9 ? 1U << over : LOGIN_WAIT_SEC_MAX;
	uint64_t passed_sec = (now_usec - s->last_usec) / USEC_PER_SEC;

	if (passed_sec < wait_sec)
		return (unsigned) (wait_sec - passed_sec);
	s->tries++;
	s->last_usec = now_usec;
	return 0;
}

void logins_succeeded(struct logins *l, const char *name)
{
	for (size_t i = 0; i < LOGIN_SOURCES_MAX; i++)
		if (strcmp(l->sources[i].name, name) == 0)
			l->sources[i] = (struct source){0};
}

/* --- life --- */

int logins_new(struct logins **ret)
{
	struct logins *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	if (getrandom(l->key, sizeof(l->key), 0) != sizeof(l->key)) {
		free(l);
		return -EIO;
	}
	*ret = l;
	return 0;
}

struct logins *logins_free(struct logins *l)
{
	if (!l)
		return NULL;
	OPENSSL_cleanse(l, sizeof(*l));
	free(l);
	return NULL;
}
