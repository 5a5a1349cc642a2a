#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "../node/loop.h"
#include "domain-fixture.h"

/* --- the domain --- */

static int bound_socket(int kind, uint16_t *port)
{
	struct sockaddr_in in = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons(*port),
	};
	socklen_t len = sizeof(in);
	int fd = socket(AF_INET, kind | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *) &in, sizeof(in)), 0);
	if (kind == SOCK_STREAM)
		assert_int_equal(listen(fd, 16), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *) &in, &len), 0);
	*port = ntohs(in.sin_port);
	return fd;
}

/* --- its service manager --- */

static void listen_to_notifications(struct domain *d)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	socklen_t len = sizeof(sa_family_t);
	char name[sizeof(un.sun_path) + 1];

	d->session_fd = -1;
	d->notify_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* The kernel chooses an abstract name. */
	assert_int_equal(bind(d->notify_fd, (struct sockaddr *) &un, len), 0);
	len = sizeof(un);
	assert_int_equal(getsockname(d->notify_fd, (struct sockaddr *) &un, &len), 0);
	(void) snprintf(name, sizeof(name), "@%.*s",
			(int) (len - offsetof(struct sockaddr_un, sun_path) - 1), un.sun_path + 1);
	assert_int_equal(setenv("NOTIFY_SOCKET", name, true), 0);
}

/* Keeps the file descriptor that comes as "sessions". */
static void take_notifications(struct domain *d)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	char text[512];
	ssize_t n;

	do {
		struct iovec iov = {text, sizeof(text) - 1};
		struct msghdr m = {.msg_iov = &iov,
				   .msg_iovlen = 1,
				   .msg_control = &control,
				   .msg_controllen = sizeof(control)};
		struct cmsghdr *c;

		n = recvmsg(d->notify_fd, &m, MSG_CMSG_CLOEXEC);
		text[MAX(n, 0)] = '\0';
		c = n >= 0 ? CMSG_FIRSTHDR(&m) : NULL;
		if (!c)
			continue;
		assert_non_null(strstr(text, "FDSTORE=1"));
		assert_non_null(strstr(text, "FDNAME=sessions"));
		closep(&d->session_fd);
		memcpy(&d->session_fd, CMSG_DATA(c), sizeof(int));
	} while (n >= 0);
}

static void start_server(struct domain *d, int session_fd)
{
	uint16_t udp_port = d->addr.port;
	struct server_options options = {
		.config_path = d->config_path,
		.admin_path = d->admin_path,
		.udp_fd = bound_socket(SOCK_DGRAM, &udp_port),
		.signalling_fd = -1,
		.http_fd = -1,
		.https_fd = -1,
		.admin_fd = -1,
		.session_fd = session_fd,
	};

	d->signalling_port = d->http_port = 0;
	options.signalling_fd = bound_socket(SOCK_STREAM, &d->signalling_port);
	options.http_fd = bound_socket(SOCK_STREAM, &d->http_port);
	d->addr = hifi_addr_from_ipv4(SOCKET_TYPE_UDP, INADDR_LOOPBACK, udp_port);
	assert_int_equal(server_new(d->event, &options, &d->server), 0);
	take_notifications(d);
	assert_true(d->session_fd >= 0);
}

void domain_open(struct domain *d, const char *config)
{
	*d = (struct domain){.dir = "test-domain-XXXXXX"};
	assert_non_null(mkdtemp(d->dir));
	(void) snprintf(d->config_path, sizeof(d->config_path), "%s/domain.json", d->dir);
	(void) snprintf(d->admin_path, sizeof(d->admin_path), "%s/admin.sock", d->dir);
	if (config)
		assert_int_equal(file_replace(d->config_path, config, strlen(config), 0644), 0);
	assert_int_equal(sd_event_new(&d->event), 0);
	listen_to_notifications(d);
	start_server(d, -1);
}

void domain_restart(struct domain *d)
{
	d->server = server_free(d->server);
	start_server(d, -1);
}

void domain_succeed(struct domain *d)
{
	d->server = server_free(d->server);
	start_server(d, fcntl(d->session_fd, F_DUPFD_CLOEXEC, 3));
}

void domain_close(struct domain *d)
{
	for (unsigned i = 0; i < d->n_guests; i++) {
		struct guest *g = d->guests[i];

		endpoint_free(g->ep);
		node_list_free(g->nodes);
		domain_assignment_done(&g->offer);
		free(g->last_payload);
		free(g);
	}
	server_free(d->server);
	sd_event_unref(d->event);
	(void) close(d->notify_fd);
	closep(&d->session_fd);
	(void) unsetenv("NOTIFY_SOCKET");
	(void) unlink(d->config_path);
	(void) unlink(d->admin_path);
	(void) rmdir(d->dir);
}

void domain_run(struct domain *d, uint64_t usec)
{
	run_for(d->event, usec);
}

/* --- what a guest hears --- */

static void learn(struct guest *g, const struct domain_node_record *record)
{
	for (size_t i = 0; i < g->n_known; i++)
		if (uuid_equal(&g->known[i].id, &record->id)) {
			g->known[i] = *record;
			return;
		}
	assert_true(g->n_known < RECORDS_MAX);
	g->known[g->n_known++] = *record;
}

static void unlearn(struct guest *g, const struct uuid *id)
{
	for (size_t i = 0; i < g->n_known; i++)
		if (uuid_equal(&g->known[i].id, id))
			g->known[i--] = g->known[--g->n_known];
}

static void hear_list(struct guest *g, struct span payload)
{
	struct domain_list list;

	assert_int_equal(domain_list_decode(payload, &list), 0);
	g->list = list.header;
	g->last_list_len = payload.len;
	for (size_t i = 0; i < list.n_nodes; i++)
		learn(g, &list.nodes[i]);
	endpoint_set_local_id(g->ep, list.header.your_local_id);
}

static void hear_denied(struct guest *g, struct span payload)
{
	assert_int_equal(domain_denied_decode(payload, &g->denied), 0);
	(void) snprintf(g->denied_message, sizeof(g->denied_message), "%.*s",
			(int) g->denied.message.len, (const char *) g->denied.message.data);
}

static void hear_offer(struct guest *g, struct span payload)
{
	domain_assignment_done(&g->offer);
	assert_int_equal(domain_create_assignment_decode(payload, &g->offer), 0);
}

static int on_packet(void *userdata, const struct received *rx)
{
	struct guest *g = userdata;
	struct domain_node_record record;

	switch (rx->type) {
	case PACKET_DOMAIN_LIST:
		hear_list(g, rx->payload);
		break;
	case PACKET_DOMAIN_SERVER_ADDED_NODE:
		assert_int_equal(domain_added_node_decode(rx->payload, &record), 0);
		learn(g, &record);
		break;
	case PACKET_DOMAIN_SERVER_REMOVED_NODE:
		assert_int_equal(domain_uuid_decode(rx->payload, &g->removed), 0);
		unlearn(g, &g->removed);
		break;
	case PACKET_DOMAIN_CONNECTION_DENIED:
		hear_denied(g, rx->payload);
		break;
	case PACKET_CREATE_ASSIGNMENT:
		hear_offer(g, rx->payload);
		break;
	default:
		free(g->last_payload);
		g->last_len = rx->payload.len;
		g->last_payload = calloc(1, rx->payload.len + 1);
		assert_non_null(g->last_payload);
		if (rx->payload.len > 0)
			memcpy(g->last_payload, rx->payload.data, rx->payload.len);
	}
	g->counts[rx->type]++;
	return 0;
}

/* --- what a guest does --- */

struct guest *guest_new(struct domain *d, char type, const char *interests)
{
	static const struct endpoint_ops no_ops = {0};
	const struct endpoint_options options = {.fd = -1, .loopback_only = true};
	struct guest *g = calloc(1, sizeof(*g));

	assert_non_null(g);
	assert_true(d->n_guests < GUESTS_MAX);
	d->guests[d->n_guests++] = g;
	g->domain = d;
	g->type = type;
	g->interests = interests;
	g->fingerprint = uuid_random();
	assert_int_equal(node_list_new(&g->nodes), 0);
	assert_int_equal(endpoint_new(d->event, &options, g->nodes, &no_ops, g, &g->ep), 0);
	endpoint_set_domain_server(g->ep, &d->addr, 0);
	for (unsigned t = 0; t < PACKET_TYPE_COUNT; t++)
		endpoint_handle(g->ep, (enum packet_type) t, on_packet, g);
	return g;
}

void guest_forget(struct guest *g)
{
	endpoint_set_domain_server(g->ep, NULL, 0);
	endpoint_set_domain_server(g->ep, &g->domain->addr, 0);
	endpoint_set_local_id(g->ep, 0);
	g->connect_uuid = UUID_NULL;
	g->n_known = 0;
}

static struct domain_check_in check_in_of(const struct guest *g)
{
	struct domain_check_in c = {
		.current_time = 12345,
		.node_type = g->type,
		.public_addr = hifi_addr_from_ipv4(SOCKET_TYPE_UDP, 0, endpoint_port(g->ep)),
		.local_addr =
			hifi_addr_from_ipv4(SOCKET_TYPE_UDP, INADDR_LOOPBACK, endpoint_port(g->ep)),
		.n_interests = (uint8_t) strlen(g->interests),
	};

	memcpy(c.interests, g->interests, c.n_interests);
	return c;
}

void guest_send(struct guest *g, enum packet_type type, const void *data, size_t len)
{
	assert_int_equal(endpoint_send(g->ep, &g->domain->addr, type, span_of(data, len)), 0);
}

void guest_send_reliable(struct guest *g, enum packet_type type, const void *data, size_t len)
{
	assert_int_equal(endpoint_send_reliable(g->ep, &g->domain->addr, type, span_of(data, len)),
			 0);
}

void guest_connect(struct guest *g)
{
	uint8_t data[1400], signature[16];
	struct writer wr = writer_over(data, sizeof(data));
	struct domain_connect_request c = {
		.connect_uuid = g->connect_uuid,
		.protocol_signature = span_of(signature, sizeof(signature)),
		.machine_fingerprint = g->fingerprint,
		.check_in = check_in_of(g),
	};

	packet_signature(DIALECT_VIRCADIA, signature);
	domain_connect_request_encode(&wr, &c);
	guest_send(g, PACKET_DOMAIN_CONNECT_REQUEST, data, wr.len);
}

void guest_check_in(struct guest *g)
{
	struct domain_check_in c = check_in_of(g);
	uint8_t data[512];
	struct writer wr = writer_over(data, sizeof(data));

	domain_list_request_encode(&wr, &c);
	guest_send(g, PACKET_DOMAIN_LIST_REQUEST, data, wr.len);
}

void guest_wait(struct guest *g, enum packet_type type, unsigned count)
{
	if (!run_until(g->domain->event, &g->counts[type], count))
		fail_msg("%s: %u came, %u were awaited", packet_type_name(type), g->counts[type],
			 count);
}

const struct domain_node_record *guest_knows(const struct guest *g, const struct uuid *id)
{
	for (size_t i = 0; i < g->n_known; i++)
		if (uuid_equal(&g->known[i].id, id))
			return &g->known[i];
	return NULL;
}

void guest_ask_for_assignment(struct guest *g)
{
	struct domain_assignment request = {
		.type = (uint8_t) hat_find_by_node_type(g->type)->hat,
		.version = (char *) "test",
	};
	uint8_t data[256];
	struct writer wr = writer_over(data, sizeof(data));

	domain_request_assignment_encode(&wr, &request);
	guest_send(g, PACKET_REQUEST_ASSIGNMENT, data, wr.len);
}

void guest_become_mixer(struct guest *g)
{
	unsigned offers = g->counts[PACKET_CREATE_ASSIGNMENT],
		 lists = g->counts[PACKET_DOMAIN_LIST];

	guest_ask_for_assignment(g);
	guest_wait(g, PACKET_CREATE_ASSIGNMENT, offers + 1);
	g->connect_uuid = g->offer.id;
	guest_connect(g);
	guest_wait(g, PACKET_DOMAIN_LIST, lists + 1);
}

void guest_enter(struct guest *g)
{
	unsigned lists = g->counts[PACKET_DOMAIN_LIST];

	guest_connect(g);
	guest_wait(g, PACKET_DOMAIN_LIST, lists + 1);
	guest_check_in(g);
	guest_wait(g, PACKET_DOMAIN_LIST, lists + 2);
}

/* --- streams --- */

static int open_stream(struct domain *d, bool over_admin_socket)
{
	struct sockaddr_in in = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons(d->http_port),
	};
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd = socket(over_admin_socket ? AF_UNIX : AF_INET,
			SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int r;

	(void) snprintf(un.sun_path, sizeof(un.sun_path), "%s", d->admin_path);
	assert_true(fd >= 0);
	r = over_admin_socket ? connect(fd, (struct sockaddr *) &un, sizeof(un))
			      : connect(fd, (struct sockaddr *) &in, sizeof(in));
	assert_true(r == 0 || errno == EINPROGRESS);
	return fd;
}

char *domain_http(struct domain *d, bool over_admin_socket, const char *request)
{
	_cleanup_close_ int fd = open_stream(d, over_admin_socket);
	uint64_t deadline = clock_now_usec() + 30 * USEC_PER_SEC;
	struct writer wr = writer_growing(1 << 20);
	char data[4096];
	ssize_t n = -1;

	run_for(d->event, 10 * USEC_PER_MSEC);
	assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
	while (n != 0 && clock_now_usec() < deadline) {
		(void) sd_event_run(d->event, 5 * USEC_PER_MSEC);
		n = recv(fd, data, sizeof(data), 0);
		if (n > 0)
			write_bytes(&wr, data, (size_t) n);
	}
	assert_int_equal(n, 0);
	write_u8(&wr, 0);
	assert_true(writer_finish(&wr) > 0);
	return (char *) wr.data;
}
