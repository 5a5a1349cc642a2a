/* Asks a running domain-server over its admin socket. */
#pragma once

#include <jansson.h>

/* One request; body may be NULL. *ret is a new reference to the reply's JSON, also when the server
 * refused
 * (-EREMOTEIO: *ret holds its {"error": …}). -ECONNREFUSED, -ENOENT etc. when there is no server,
 * -EBADMSG for a reply we do not understand; then *ret is untouched. */
int admin_call(const char *socket_path, const char *method, const char *target, const json_t *body,
	       json_t **ret);
