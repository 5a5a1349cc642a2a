/* Listening sockets for when the service manager gave us none. All non-blocking and close-on-exec.
 */
#pragma once

#include <stdint.h>

/* At an IPv4 or IPv6 address; NULL: every address, of both. The descriptor or -errno. */
int listen_socket_tcp(const char *address, uint16_t port);
/* At a path, replacing a stale socket there; mode 0660. */
int listen_socket_unix(const char *path);
/* 0 when it has none. */
uint16_t listen_socket_port(int fd);
