/* The domain's TLS certificate: read from two PEM files, read again when they change, and
 * complained about while it runs out. Connections that were made with an older one keep it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>
#include <openssl/ssl.h>
#include <systemd/sd-event.h>

#include "base/macros.h"

struct certificate;

#define CERTIFICATE_WARN_USEC (14 * 24 * 3600 * USEC_PER_SEC)

enum certificate_age {
	CERTIFICATE_VALID,
	CERTIFICATE_EXPIRES_SOON, /* within CERTIFICATE_WARN_USEC */
	CERTIFICATE_EXPIRED,
};

/* Both by the wall clock. Pure. */
enum certificate_age certificate_age(uint64_t expires_usec, uint64_t now_usec);

/* Without files at first. 0 or -errno. */
int certificate_new(sd_event *event, struct certificate **ret);
struct certificate *certificate_free(struct certificate *c);
DEFINE_CLEANUP_FUNC(struct certificate *, certificate_free);

/* Reads these files now, and again whenever they change; empty paths: no certificate any more. Logs
 * what is wrong, and then keeps what was there. 0 or -errno. */
int certificate_configure(struct certificate *c, const char *path, const char *key_path);

/* What is done every few seconds: files that differ from those in use and from what the last check
 * saw wait for another check, since both are seldom written at once. */
void certificate_check(struct certificate *c);

/* For new connections, borrowed until the loop's next turn; NULL when there is none. */
SSL_CTX *certificate_context(const struct certificate *c);
/* {"file": …, "state": …, "subject": …, "expires": …, "seconds_left": …, "error": …}, or null when
 * no files are configured. New reference. */
json_t *certificate_status(const struct certificate *c);
