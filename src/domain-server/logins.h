/* Who is logged in to the panel, and who tries too often. In memory only: who was logged in when
 * the process ended logs in again. What a user may do is not kept here but asked of the
 * configuration with each request, so a change there is in effect at once. Pure; times are
 * CLOCK_MONOTONIC in microseconds.
 *
 * Bounds: LOGIN_SESSIONS_MAX sessions, where a new one takes the place of the one that was used
 * longest ago; each ends LOGIN_IDLE_USEC after its last request, LOGIN_LIFE_USEC after its first.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/macros.h"
#include "domain-server/password.h"

#define LOGIN_SESSIONS_MAX 64
#define LOGIN_LINKS_MAX    8
#define LOGIN_SOURCES_MAX  256
#define LOGIN_IDLE_USEC    (2 * 3600 * USEC_PER_SEC)
#define LOGIN_LIFE_USEC    (24 * 3600 * USEC_PER_SEC)
#define LOGIN_LINK_USEC    (15 * 60 * USEC_PER_SEC)
#define LOGIN_FREE_TRIES   5 /* of one source, before it has to wait between them */
#define LOGIN_WAIT_SEC_MAX 300
#define LOGIN_FORGET_USEC  (3600 * USEC_PER_SEC)

#define LOGIN_SOURCE_MAX 80 /* bytes of its name, with the NUL */
#define LOGIN_USER_MAX   64 /* bytes of a name, with the NUL */
#define LOGIN_TOKEN_SIZE 65 /* 256 random bits in hexadecimal, and the NUL */

struct login_session {
	char user[LOGIN_USER_MAX];        /* "": came by a link */
	char password[PASSWORD_HASH_MAX]; /* the hash that let them in */
	char csrf[LOGIN_TOKEN_SIZE];      /* what its pages send along with changes */
	uint8_t id[32];                   /* hash of the secret; all zero: free */
	uint64_t began_usec, used_usec;
};

struct logins;

int logins_new(struct logins **ret);
struct logins *logins_free(struct logins *l);
DEFINE_CLEANUP_FUNC(struct logins *, logins_free)

/* A new session with a secret of its own in ret_token, so nobody can prepare one for somebody else.
 * 0 or -EIO. */
int logins_begin(struct logins *l, const char *user, const char *password_hash, uint64_t now_usec,
		 char ret_token[static LOGIN_TOKEN_SIZE]);
/* NULL when there is none (any more); borrowed until the next call. */
const struct login_session *logins_find(struct logins *l, const char *token, uint64_t now_usec);
void logins_end(struct logins *l, const char *token);

/* A secret that begins a session once; the oldest makes room. 0 or -EIO. */
int logins_link_new(struct logins *l, uint64_t now_usec, char ret_token[static LOGIN_TOKEN_SIZE]);
bool logins_link_take(struct logins *l, const char *token, uint64_t now_usec);

/* Seconds that source has to wait before it may try a password, or 0: then this is a try, and
 * counts as failed until logins_succeeded(). */
unsigned logins_try(struct logins *l, const char *source, uint64_t now_usec);
void logins_succeeded(struct logins *l, const char *source);
