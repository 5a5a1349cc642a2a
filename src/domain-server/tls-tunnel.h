/* A TLS connection whose plain side is a socket: what speaks HTTP need not know of TLS. */
#pragma once

#include <stdint.h>

#include <openssl/ssl.h>
#include <systemd/sd-event.h>

#include "base/list.h"

struct tls_tunnel;

/* Carries bytes between ssl, whose handshake is done, and plain_fd until either ends; then frees
 * itself. Stands in all for that time. Takes ssl, the socket below it and plain_fd, also on
 * failure. 0 or -errno. */
int tls_tunnel_new(sd_event *event, struct list *all, SSL *ssl, int plain_fd);
/* Ends those whose peer does not take the last bytes it is owed. */
void tls_tunnels_expire(struct list *all, uint64_t now_usec);
void tls_tunnels_free(struct list *all);
