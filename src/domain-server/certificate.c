#include "domain-server/certificate.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/x509.h>

#include "base/clock.h"
#include "base/event.h"
#include "base/log.h"

#define CHECK_USEC  (5 * USEC_PER_SEC)
#define REMIND_USEC (24 * 3600 * USEC_PER_SEC)
#define SUBJECT_MAX 256
#define ERROR_MAX   512

#define MESSAGE_ID_EXPIRES  "0a9b51e2f6c54f0f9a1dc6f3b1d27b60"
#define MESSAGE_ID_UNUSABLE "5d1c2be7a3b94d6e8f07c4956e1a3d2f"

/* What tells one version of the two files from another. */
struct version {
	struct {
		dev_t dev;
		ino_t ino;
		off_t size;
		struct timespec mtime, ctime;
	} file[2];
};

struct certificate {
	char *path, *key_path; /* NULL: none */
	SSL_CTX *context;
	char subject[SUBJECT_MAX];
	char error[ERROR_MAX]; /* of the last try; empty: none */
	uint64_t expires_usec;
	uint64_t reminded_usec;

	struct version tried, seen;
	struct event_timer *check;
};

enum certificate_age certificate_age(uint64_t expires_usec, uint64_t now_usec)
{
	if (now_usec >= expires_usec)
		return CERTIFICATE_EXPIRED;
	return expires_usec - now_usec <= CERTIFICATE_WARN_USEC ? CERTIFICATE_EXPIRES_SOON
								: CERTIFICATE_VALID;
}

/* --- reading --- */

static struct version version_of(const struct certificate *c)
{
	const char *paths[2] = {c->path, c->key_path};
	struct version v;
	struct stat st;

	/* Compared as bytes. */
	memset(&v, 0, sizeof(v));
	for (size_t i = 0; i < ELEMENTSOF(paths); i++)
		if (stat(paths[i], &st) == 0) {
			v.file[i].dev = st.st_dev;
			v.file[i].ino = st.st_ino;
			v.file[i].size = st.st_size;
			v.file[i].mtime = st.st_mtim;
			v.file[i].ctime = st.st_ctim;
		}
	return v;
}

static int complain(struct certificate *c, const char *what, const char *path, const char *why)
{
	(void) snprintf(c->error, sizeof(c->error), "Cannot use the %s '%s': %s", what, path, why);
	(void) log_at(LOG_ERR, 0, &(struct log_fields){.message_id = MESSAGE_ID_UNUSABLE}, "%s",
		      c->error);
	ERR_clear_error();
	return -EBADMSG;
}

static const char *openssl_reason(void)
{
	const char *reason = ERR_reason_error_string(ERR_peek_error());

	return reason ? reason : "not a PEM file of this kind";
}

/* Nobody is there to type one. */
static int no_passphrase(char *buf, int size, int rwflag, void *userdata)
{
	return 0;
}

static SSL_CTX *make_context(void)
{
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());

	if (!context)
		return NULL;
	(void) SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
	(void) SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION);
	(void) SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE |
						 SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
						 SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_default_passwd_cb(context, no_passphrase);
	return context;
}

static int use_files(struct certificate *c, SSL_CTX *context)
{
	const char *path = c->path, *key_path = c->key_path;

	if (access(path, R_OK) < 0)
		return complain(c, "certificate", path, strerror(errno));
	if (access(key_path, R_OK) < 0)
		return complain(c, "key", key_path, strerror(errno));
	ERR_clear_error();
	if (SSL_CTX_use_certificate_chain_file(context, path) != 1)
		return complain(c, "certificate", path, openssl_reason());
	/* This compares it with the certificate, too. */
	if (SSL_CTX_use_PrivateKey_file(context, key_path, SSL_FILETYPE_PEM) != 1)
		return complain(c, "key", key_path, openssl_reason());
	return 0;
}

static int read_expiry(const X509 *x509, uint64_t *ret)
{
	struct tm tm;
	time_t seconds;

	if (!ASN1_TIME_to_tm(X509_get0_notAfter(x509), &tm))
		return -EBADMSG;
	seconds = timegm(&tm);
	*ret = seconds > 0 ? (uint64_t) seconds * USEC_PER_SEC : 1;
	return 0;
}

/* A certificate that has expired or is not valid yet is used: some clients can be told to go on. */
static int load(struct certificate *c)
{
	SSL_CTX *context = make_context();
	const X509 *x509;
	uint64_t expires = 0;
	int r;

	c->tried = c->seen = version_of(c);
	c->error[0] = 0;
	if (!context)
		return log_oom();
	r = use_files(c, context);
	x509 = r < 0 ? NULL : SSL_CTX_get0_certificate(context);
	if (x509 && read_expiry(x509, &expires) < 0)
		r = complain(c, "certificate", c->path, "its end is not a time");
	if (r < 0) {
		SSL_CTX_free(context);
		if (c->context)
			log_error("The certificate that is in use stays: %s", c->subject);
		return r;
	}
	(void) X509_NAME_oneline(X509_get_subject_name(x509), c->subject, sizeof(c->subject));
	SSL_CTX_free(c->context);
	c->context = context;
	c->expires_usec = expires;
	c->reminded_usec = 0;
	return 0;
}

/* --- watching --- */

static void remind(struct certificate *c)
{
	static const struct log_fields fields = {.message_id = MESSAGE_ID_EXPIRES};
	uint64_t now = clock_now_usec(), wall = clock_wall_usec();
	enum certificate_age age = certificate_age(c->expires_usec, wall);

	if (age == CERTIFICATE_VALID || (c->reminded_usec && now < c->reminded_usec + REMIND_USEC))
		return;
	c->reminded_usec = now;
	if (age == CERTIFICATE_EXPIRED)
		(void) log_at(LOG_ERR, 0, &fields,
			      "The certificate %s has expired: browsers refuse wss and https",
			      c->path);
	else
		(void) log_at(LOG_WARNING, 0, &fields,
			      "The certificate %s expires in %llu days: renew it", c->path,
			      (unsigned long long) ((c->expires_usec - wall) /
						    (24 * 3600 * USEC_PER_SEC)));
}

void certificate_check(struct certificate *c)
{
	struct version v;

	if (!c->path)
		return;
	v = version_of(c);
	/* Certificate and key are two files: once both have been still for a while. */
	if (memcmp(&v, &c->seen, sizeof(v)) != 0)
		c->seen = v;
	else if (memcmp(&v, &c->tried, sizeof(v)) != 0 && load(c) >= 0)
		log_notice("The certificate %s was renewed: %s", c->path, c->subject);
	if (c->context)
		remind(c);
}

static void on_check(void *userdata)
{
	certificate_check(userdata);
}

static void forget(struct certificate *c)
{
	SSL_CTX_free(c->context);
	c->context = NULL;
	free(c->path);
	free(c->key_path);
	c->path = c->key_path = NULL;
	c->error[0] = 0;
}

int certificate_configure(struct certificate *c, const char *path, const char *key_path)
{
	char *new_path, *new_key_path;
	int r;

	if (!path[0] && !key_path[0]) {
		forget(c);
		return 0;
	}
	new_path = strdup(path);
	new_key_path = strdup(key_path);
	if (!new_path || !new_key_path) {
		free(new_path);
		free(new_key_path);
		return log_oom();
	}
	free(c->path);
	free(c->key_path);
	c->path = new_path;
	c->key_path = new_key_path;
	r = load(c);
	if (c->context)
		remind(c);
	return r;
}

/* --- life --- */

int certificate_new(sd_event *event, struct certificate **ret)
{
	_cleanup_(certificate_freep) struct certificate *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return -ENOMEM;
	r = event_timer_new(event, clock_now_usec() + CHECK_USEC, CHECK_USEC, 0, on_check, c,
			    "certificate", &c->check);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(c);
	return 0;
}

struct certificate *certificate_free(struct certificate *c)
{
	if (!c)
		return NULL;
	event_timer_free(c->check);
	forget(c);
	free(c);
	return NULL;
}

SSL_CTX *certificate_context(const struct certificate *c)
{
	return c->context;
}

static const char *age_name(enum certificate_age age)
{
	static const char *const names[] = {
		[CERTIFICATE_VALID] = "valid",
		[CERTIFICATE_EXPIRES_SOON] = "expires soon",
		[CERTIFICATE_EXPIRED] = "expired",
	};

	return names[age];
}

static json_t *context_to_json(const struct certificate *c)
{
	time_t seconds = (time_t) (c->expires_usec / USEC_PER_SEC);
	uint64_t now = clock_wall_usec();
	char text[32] = "";
	struct tm tm;

	if (gmtime_r(&seconds, &tm))
		(void) strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	return json_pack("{s:s, s:s, s:s, s:s, s:I}", "file", c->path, "state",
			 age_name(certificate_age(c->expires_usec, now)), "subject", c->subject,
			 "expires", text, "seconds_left",
			 (json_int_t) seconds - (json_int_t) (now / USEC_PER_SEC));
}

json_t *certificate_status(const struct certificate *c)
{
	json_t *object;

	if (!c->path)
		return json_null();
	object = c->context ? context_to_json(c)
			    : json_pack("{s:s, s:s}", "file", c->path, "state", "none in use");
	if (c->error[0])
		(void) json_object_set_new(object, "error", json_string(c->error));
	return object;
}
