/* Who may log in to the panel: the owner of security.http_username and http_password, whose keys
 * are those of other domain-servers, and whoever is in security.panel_users. Passwords are hashed
 * beside the loop, because that takes long on purpose. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>

#include "base/background.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "domain-server/logins.h"
#include "domain-server/routes.h"

/* What a password of nobody is compared with, so that it takes as long. */
#define NOBODYS_HASH                        \
	"scrypt$15$8$1$"                    \
	"00000000000000000000000000000000$" \
	"0000000000000000000000000000000000000000000000000000000000000000"

static const char *const role_names[] = {"none", "viewer", "moderator", "owner", "operator"};

struct account {
	const char *hash; /* borrowed from the configuration */
	enum role role;
	bool is_first; /* of http_username */
};

static enum role role_parse(const char *text)
{
	for (enum role role = ROLE_VIEWER; text && role <= ROLE_OWNER; role++)
		if (strcmp(role_names[role], text) == 0)
			return role;
	return ROLE_NONE;
}

static const char *first_name(const struct server *s)
{
	const char *hash = config_get_string(s->config, "security.http_password");

	return hash[0] ? config_get_string(s->config, "security.http_username") : "";
}

static bool find(const struct server *s, const char *name, struct account *ret)
{
	const json_t *row =
		json_object_get(config_get_json(s->config, "security.panel_users"), name);

	if (name[0] && strcmp(name, first_name(s)) == 0)
		*ret = (struct account){
			.hash = config_get_string(s->config, "security.http_password"),
			.role = ROLE_OWNER,
			.is_first = true,
		};
	else if (row)
		*ret = (struct account){
			.hash = json_string_value(json_object_get(row, "password")),
			.role = role_parse(json_string_value(json_object_get(row, "role"))),
		};
	else
		return false;
	return ret->hash && ret->hash[0] && ret->role != ROLE_NONE;
}

/* --- whose request it is --- */

static enum role role_of_session(const struct server *s, const struct login_session *session)
{
	struct account account;

	if (!session->user[0])
		return ROLE_OWNER; /* came by a link */
	if (!find(s, session->user, &account) || strcmp(account.hash, session->password) != 0)
		return ROLE_NONE; /* removed, or another password since */
	return account.role;
}

/* A cookie comes along whoever makes the browser ask; the token only from our pages. */
static bool has_token(const struct http_request *request, const struct login_session *session)
{
	return request->method == HTTP_GET ||
	       (request->csrf_token && strlen(request->csrf_token) == LOGIN_TOKEN_SIZE - 1 &&
		CRYPTO_memcmp(request->csrf_token, session->csrf, LOGIN_TOKEN_SIZE - 1) == 0);
}

void accounts_identify(struct server *s, struct call *call)
{
	const struct http_request *request = call->request;
	const struct login_session *session =
		request->session ? logins_find(s->logins, request->session, clock_now_usec())
				 : NULL;

	call->role = request->is_admin   ? ROLE_OPERATOR
		     : request->is_local ? ROLE_VIEWER
					 : ROLE_NONE;
	if (request->is_admin || !session || !has_token(request, session) ||
	    role_of_session(s, session) == ROLE_NONE)
		return;
	call->role = role_of_session(s, session);
	call->session = session;
}

static json_t *session_json(const struct server *s, const struct login_session *session,
			    enum role role)
{
	json_t *json = json_pack("{s:s, s:b}", "role", role_names[role], "has_owner",
				 first_name(s)[0] != 0);

	if (json && session) {
		(void) json_object_set_new(json, "user", json_string(session->user));
		(void) json_object_set_new(json, "csrf_token", json_string(session->csrf));
	}
	return json;
}

void accounts_get_session(struct server *s, const struct call *call, struct http_reply *reply)
{
	reply_json(reply, session_json(s, call->session, call->role));
}

static void begin_session(struct server *s, const char *user, const char *hash,
			  const char *old_token, struct http_reply *reply)
{
	const struct login_session *session;
	uint64_t now = clock_now_usec();

	if (old_token)
		logins_end(s->logins, old_token);
	if (logins_begin(s->logins, user, hash, now, reply->session) < 0)
		return http_reply_error(reply, STATUS_INTERNAL, "No random numbers.");
	session = logins_find(s->logins, reply->session, now);
	reply_json(reply, session_json(s, session, role_of_session(s, session)));
}

/* --- storing --- */

struct account_change {
	const char *name, *hash; /* hash NULL: as it is */
	enum role role;          /* ROLE_NONE: removed */
};

static int set_text(struct config *config, const char *setting, const char *text,
		    struct config_report *report)
{
	json_t *value = json_string(text);
	int r = config_set(config, setting, value, report);

	json_decref(value);
	return r;
}

static int set_row(struct config *config, const struct account_change *change,
		   struct config_report *report)
{
	json_t *rows = json_deep_copy(config_get_json(config, "security.panel_users"));
	json_t *row = json_incref(json_object_get(rows, change->name));
	int r;

	if (change->role == ROLE_NONE) {
		(void) json_object_del(rows, change->name);
	} else {
		if (!row)
			row = json_object();
		(void) json_object_set_new(row, "role", json_string(role_names[change->role]));
		if (change->hash)
			(void) json_object_set_new(row, "password", json_string(change->hash));
		(void) json_object_set(rows, change->name, row);
	}
	r = config_set(config, "security.panel_users", rows, report);
	json_decref(row);
	json_decref(rows);
	return r;
}

static int set_account(struct server *s, struct config *config, const void *userdata,
		       struct config_report *report)
{
	const struct account_change *change = userdata;
	bool has_first = first_name(s)[0] != 0;
	int r;

	if (has_first ? strcmp(change->name, first_name(s)) != 0 : change->role != ROLE_OWNER)
		return set_row(config, change, report);
	r = set_text(config, "security.http_username", change->name, report);
	if (r >= 0 && change->hash)
		r = set_text(config, "security.http_password", change->hash, report);
	return r;
}

static int store(struct server *s, const struct account_change *change, struct http_reply *reply)
{
	struct config_report report = {0};
	int r = settings_change(s, set_account, change, &report);

	reply_stored(reply, r, &report);
	return r;
}

/* --- passwords, beside the loop --- */

struct password_job {
	struct server *server;
	struct http_deferred *deferred;
	char user[LOGIN_USER_MAX], password[PASSWORD_MAX + 1];
	char hash[PASSWORD_HASH_MAX];     /* to be compared with; "" when a new one is made */
	char new_hash[PASSWORD_HASH_MAX]; /* made, if any */
	char peer[LOGIN_SOURCE_MAX], account[LOGIN_SOURCE_MAX]; /* for the throttle */
	char caller[CALLER_TEXT_MAX];
	char session[LOGIN_TOKEN_SIZE]; /* the cookie that came with the request, or "" */
	bool fits;
	bool is_own;    /* the password of who asks */
	enum role role; /* for a new one */
};

static struct password_job *job_new(struct server *s, const struct call *call, const char *user,
				    const char *password)
{
	struct password_job *job = calloc(1, sizeof(*job));

	if (!job)
		return NULL;
	job->server = s;
	(void) snprintf(job->user, sizeof(job->user), "%s", user);
	(void) snprintf(job->password, sizeof(job->password), "%s", password);
	(void) snprintf(job->session, sizeof(job->session), "%s",
			call->request->session ? call->request->session : "");
	(void) caller_format(call, job->caller);
	return job;
}

static void job_free(struct password_job *job)
{
	OPENSSL_cleanse(job, sizeof(*job));
	free(job);
}

static void work(void *userdata)
{
	struct password_job *job = userdata;

	if (job->hash[0]) {
		job->fits = password_fits(job->password, job->hash);
		if (!job->fits || password_hash_is_current(job->hash))
			return;
	}
	if (password_hash(job->password, job->new_hash) < 0)
		job->new_hash[0] = 0;
}

static void start(struct password_job *job, const struct call *call, void (*done)(void *userdata),
		  struct http_reply *reply)
{
	if (!job)
		return http_reply_error(reply, STATUS_INTERNAL, "Out of memory.");
	job->deferred = (struct http_deferred *) call->request->deferred;
	if (background_run(job->server->background, work, done, job) < 0) {
		job_free(job);
		http_reply_error(reply, STATUS_UNAVAILABLE, "Too many log in at once.");
		reply->retry_after_sec = 1;
		return;
	}
	(void) http_defer(call->request);
}

/* --- logging in and out --- */

static void login(struct password_job *job, struct http_reply *reply)
{
	struct server *s = job->server;
	struct account account;

	if (!job->fits || !find(s, job->user, &account) || strcmp(account.hash, job->hash) != 0) {
		log_warning("Panel: a log-in of %s failed", job->caller);
		return http_reply_error(reply, STATUS_UNAUTHORIZED, "Wrong name or password.");
	}
	logins_succeeded(s->logins, job->peer);
	logins_succeeded(s->logins, job->account);
	if (job->new_hash[0]) {
		struct account_change change = {job->user, job->new_hash, account.role};
		struct http_reply ignored = {0};

		if (store(s, &change, &ignored) < 0)
			job->new_hash[0] = 0;
		json_decref(ignored.json);
	}
	begin_session(s, job->user, job->new_hash[0] ? job->new_hash : job->hash, job->session,
		      reply);
	log_notice("Panel: %s logged in as %s", job->caller, role_names[account.role]);
}

static void on_login(void *userdata)
{
	struct password_job *job = userdata;
	struct http_reply reply = {0};

	login(job, &reply);
	http_deferred_reply(job->deferred, &reply);
	job_free(job);
}

static void login_by_link(struct server *s, const struct call *call, const char *link,
			  struct http_reply *reply)
{
	if (!logins_link_take(s->logins, link, clock_now_usec()))
		return http_reply_error(reply, STATUS_UNAUTHORIZED,
					"The link was used, or is too old. Make another one with "
					"“hifictl panel”.");
	begin_session(s, "", "", call->request->session, reply);
	log_notice("Panel: logged in by a link, from %s", call->request->peer);
}

void accounts_login(struct server *s, const struct call *call, struct http_reply *reply)
{
	const json_t *json = call->request->json;
	const char *link = json_string_value(json_object_get(json, "link"));
	const char *user = json_string_value(json_object_get(json, "user"));
	const char *password = json_string_value(json_object_get(json, "password"));
	struct account account = {.hash = NOBODYS_HASH};
	_cleanup_free_ char *text = NULL;
	struct password_job *job;
	uint64_t now = clock_now_usec();
	unsigned wait;

	if (link)
		return login_by_link(s, call, link, reply);
	if (!user || !password || strlen(user) >= LOGIN_USER_MAX || strlen(password) > PASSWORD_MAX)
		return http_reply_error(reply, STATUS_BAD_REQUEST, "user and password are needed.");
	job = job_new(s, call, user, password);
	if (!job)
		return http_reply_error(reply, STATUS_INTERNAL, "Out of memory.");
	(void) snprintf(job->peer, sizeof(job->peer), "%s", call->request->peer);
	(void) snprintf(job->account, sizeof(job->account), "account %s", user);
	wait = logins_try(s->logins, job->peer, now);
	if (wait == 0)
		wait = logins_try(s->logins, job->account, now);
	if (wait > 0) {
		job_free(job);
		http_reply_error(reply, STATUS_TOO_MANY_REQUESTS,
				 "Too many failed; try again in %u s.", wait);
		reply->retry_after_sec = wait;
		return;
	}
	if (!find(s, user, &account))
		account.hash = NOBODYS_HASH;
	(void) snprintf(job->hash, sizeof(job->hash), "%s", account.hash);
	text = utf8_sanitise(user, strlen(user));
	(void) snprintf(job->caller, sizeof(job->caller), "%.80s (%s)", text ? text : "",
			job->peer);
	start(job, call, on_login, reply);
}

void accounts_logout(struct server *s, const struct call *call, struct http_reply *reply)
{
	if (!call->session)
		return http_reply_error(reply, STATUS_UNAUTHORIZED, "Nobody is logged in.");
	logins_end(s->logins, call->request->session);
	reply_success(reply);
	reply->ends_session = true;
}

/* The way in from this machine: the address that the HTTP port has. */
void accounts_new_link(struct server *s, const struct call *call, struct http_reply *reply)
{
	const char *address = config_get_string(s->config, "http.address");
	bool is_any = strcmp(address, "0.0.0.0") == 0 || strcmp(address, "::") == 0;
	bool is_v6 = !is_any && strchr(address, ':');
	char token[LOGIN_TOKEN_SIZE], url[160];

	if (logins_link_new(s->logins, clock_now_usec(), token) < 0)
		return http_reply_error(reply, STATUS_INTERNAL, "No random numbers.");
	(void) snprintf(url, sizeof(url), "http://%s%s%s:%u/#link=%s", is_v6 ? "[" : "",
			is_any ? "127.0.0.1" : address, is_v6 ? "]" : "", s->http_port, token);
	reply_json(reply, json_pack("{s:s, s:i}", "url", url, "expires_in_sec",
				    (int) (LOGIN_LINK_USEC / USEC_PER_SEC)));
}

/* --- accounts --- */

static bool name_is_valid(const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len >= LOGIN_USER_MAX || !utf8_is_valid((const uint8_t *) name, len))
		return false;
	for (const char *c = name; *c; c++)
		if ((unsigned char) *c < ' ' || *c == 0x7f || *c == ':' || *c == '/')
			return false;
	return true;
}

static int add_account(json_t *list, const char *name, const char *role, bool is_first)
{
	return json_array_append_new(list, json_pack("{s:s, s:s, s:b}", "name", name, "role", role,
						     "is_first", is_first));
}

void accounts_list(struct server *s, const struct call *call, struct http_reply *reply)
{
	json_t *rows = (json_t *) config_get_json(s->config, "security.panel_users"), *row;
	json_t *list = json_array();
	const char *name;

	if (first_name(s)[0])
		(void) add_account(list, first_name(s), role_names[ROLE_OWNER], true);
	json_object_foreach (rows, name, row)
		(void) add_account(list, name, json_string_value(json_object_get(row, "role")),
				   false);
	reply_json(reply, json_pack("{s:o}", "users", list));
}

static void put(struct password_job *job, struct http_reply *reply)
{
	struct server *s = job->server;
	struct account_change change = {job->user, job->new_hash, job->role};

	if (!job->new_hash[0])
		return http_reply_error(reply, STATUS_INTERNAL, "Cannot hash the password.");
	if (store(s, &change, reply) < 0)
		return;
	log_notice("Panel: %s set the password of %s, %s", job->caller, job->user,
		   role_names[job->role]);
	if (!job->is_own)
		return;
	json_decref(reply->json);
	reply->json = NULL;
	begin_session(s, job->user, job->new_hash, job->session, reply);
}

static void on_put(void *userdata)
{
	struct password_job *job = userdata;
	struct http_reply reply = {0};

	put(job, &reply);
	http_deferred_reply(job->deferred, &reply);
	job_free(job);
}

void accounts_put(struct server *s, const struct call *call, struct http_reply *reply)
{
	const json_t *json = call->request->json;
	const char *name = call->rest;
	const json_t *wanted = json_object_get(json, "role");
	const char *password = json_string_value(json_object_get(json, "password"));
	struct account account = {0};
	struct password_job *job;
	bool is_known;
	enum role role;

	if (!name_is_valid(name))
		return http_reply_error(reply, STATUS_BAD_REQUEST,
					"A name has 1 to %d bytes, none of which is “:” or “/”.",
					LOGIN_USER_MAX - 1);
	is_known = find(s, name, &account);
	role = wanted ? role_parse(json_string_value(wanted)) : account.role;
	if (role == ROLE_NONE)
		return http_reply_error(reply, STATUS_BAD_REQUEST,
					"A role is one of viewer, moderator, owner.");
	if (account.is_first && role != ROLE_OWNER)
		return http_reply_error(reply, STATUS_CONFLICT, "The first owner stays owner.");
	if (!first_name(s)[0] && role != ROLE_OWNER)
		return http_reply_error(reply, STATUS_CONFLICT,
					"The first account is the owner's.");
	if (!password && !is_known)
		return http_reply_error(reply, STATUS_BAD_REQUEST, "A password is needed.");
	if (!password) {
		struct account_change change = {name, NULL, role};

		(void) store(s, &change, reply);
		return;
	}
	if (strlen(password) < PASSWORD_MIN || strlen(password) > PASSWORD_MAX)
		return http_reply_error(reply, STATUS_BAD_REQUEST,
					"A password has %d to %d characters.", PASSWORD_MIN,
					PASSWORD_MAX);
	job = job_new(s, call, name, password);
	if (job) {
		job->role = role;
		job->is_own = call->session &&
			      (!call->session->user[0] || strcmp(call->session->user, name) == 0);
	}
	start(job, call, on_put, reply);
}

void accounts_delete(struct server *s, const struct call *call, struct http_reply *reply)
{
	struct account_change change = {.name = call->rest};
	struct account account;

	if (!find(s, call->rest, &account))
		return http_reply_error(reply, STATUS_NOT_FOUND, "There is no such account.");
	if (account.is_first)
		return http_reply_error(reply, STATUS_CONFLICT, "The first owner stays.");
	(void) store(s, &change, reply);
}
