/* A port for TLS and plain text at once: what is accepted, carried, refused and given up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/x509.h>

#include "../node/loop.h"
#include "domain-server/listen-socket.h"
#include "domain-server/tls-listener.h"
#include "pki.h"

#define DAY        86400L
#define GIVE_UP    (30 * USEC_PER_SEC)
#define LARGE_SIZE 500000

struct state {
	sd_event *event;
	struct certificate *certificate;
	struct tls_listener *listener;
	struct sockaddr_storage addr;
	socklen_t addr_len;
	unsigned n_accepted;
	int accepted; /* the last */
	struct pki_folder files;
};

static struct state t;

struct client {
	SSL_CTX *context;
	SSL *ssl;
	int fd;
};

static void on_accept(void *userdata, int fd, const struct sockaddr *peer, socklen_t peer_len)
{
	assert_int_equal(peer->sa_family, AF_INET);
	closep(&t.accepted);
	t.accepted = fd;
	t.n_accepted++;
}

static void open_listener(bool takes_plain, bool has_certificate)
{
	struct tls_listener_options options = {
		.fd = listen_socket_tcp("127.0.0.1", 0),
		.certificate = t.certificate,
		.takes_plain = takes_plain,
		.accept = on_accept,
		.description = "test",
	};

	assert_true(options.fd >= 0);
	assert_int_equal(getsockname(options.fd, (struct sockaddr *) &t.addr, &t.addr_len), 0);
	if (has_certificate) {
		pki_write(t.files.path, t.files.key_path, "old.example", 90 * DAY);
		assert_int_equal(
			certificate_configure(t.certificate, t.files.path, t.files.key_path), 0);
	}
	assert_int_equal(tls_listener_new(t.event, &options, &t.listener), 0);
}

static int setup(void **state)
{
	t = (struct state){
		.addr_len = sizeof(t.addr),
		.accepted = -1,
	};
	pki_folder_make(&t.files);
	assert_int_equal(sd_event_new(&t.event), 0);
	assert_int_equal(certificate_new(t.event, &t.certificate), 0);
	return 0;
}

static int teardown(void **state)
{
	closep(&t.accepted);
	tls_listener_free(t.listener);
	certificate_free(t.certificate);
	sd_event_unref(t.event);
	pki_folder_remove(&t.files);
	return 0;
}

static json_int_t counted(const char *what)
{
	json_t *stats = tls_listener_stats(t.listener);
	json_int_t n = json_integer_value(json_object_get(stats, what));

	json_decref(stats);
	return n;
}

/* --- clients --- */

static int dial(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *) &t.addr, t.addr_len), 0);
	return fd;
}

/* Bytes until the peer closes or len are there; -1: neither came in time. */
static ssize_t get(int fd, void *data, size_t len)
{
	uint64_t deadline = clock_now_usec() + GIVE_UP;
	size_t have = 0;

	while (clock_now_usec() < deadline) {
		ssize_t n = recv(fd, (char *) data + have, len - have, MSG_DONTWAIT);

		if (n > 0)
			have += (size_t) n;
		if (n == 0 || have == len || (n < 0 && errno == ECONNRESET))
			return (ssize_t) have;
		if (n < 0)
			(void) sd_event_run(t.event, 5 * USEC_PER_MSEC);
	}
	return -1;
}

/* Lets the other side work until TLS has got something done or cannot go on. */
static bool goes_on(const struct client *c, int result)
{
	int error = SSL_get_error(c->ssl, result);

	(void) sd_event_run(t.event, 5 * USEC_PER_MSEC);
	return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
}

static void shake_hands(struct client *c)
{
	uint64_t deadline = clock_now_usec() + GIVE_UP;
	unsigned before = t.n_accepted;
	int r;

	c->context = SSL_CTX_new(TLS_client_method());
	c->ssl = SSL_new(c->context);
	c->fd = dial();
	assert_int_equal(SSL_set_fd(c->ssl, c->fd), 1);
	assert_int_equal(fcntl(c->fd, F_SETFL, O_NONBLOCK), 0);
	while ((r = SSL_connect(c->ssl)) != 1) {
		assert_true(goes_on(c, r));
		assert_true(clock_now_usec() < deadline);
	}
	assert_true(run_until(t.event, &t.n_accepted, before + 1));
}

static void hang_up(struct client *c)
{
	(void) SSL_shutdown(c->ssl);
	SSL_free(c->ssl);
	SSL_CTX_free(c->context);
	closep(&c->fd);
}

static void client_get(const struct client *c, void *data, size_t len)
{
	uint64_t deadline = clock_now_usec() + GIVE_UP;
	size_t have = 0;

	while (have < len) {
		int n = SSL_read(c->ssl, (char *) data + have, (int) (len - have));

		if (n > 0)
			have += (size_t) n;
		else
			assert_true(goes_on(c, n));
		assert_true(clock_now_usec() < deadline);
	}
}

static void expect_echo(const struct client *c, int server)
{
	char text[6] = "";

	assert_int_equal(SSL_write(c->ssl, "hello", 5), 5);
	assert_int_equal(get(server, text, 5), 5);
	assert_string_equal(text, "hello");
	assert_int_equal(send(server, "there", 5, MSG_NOSIGNAL), 5);
	client_get(c, text, 5);
	assert_string_equal(text, "there");
}

static void expect_subject(const struct client *c, const char *name)
{
	X509 *x509 = SSL_get1_peer_certificate(c->ssl);
	char text[64];

	assert_non_null(x509);
	assert_true(X509_NAME_get_text_by_NID(X509_get_subject_name(x509), NID_commonName, text,
					      sizeof(text)) > 0);
	assert_string_equal(text, name);
	X509_free(x509);
}

/* --- tests --- */

static void test_plain_and_tls_on_one_port(void **state)
{
	struct client c;
	char text[3] = "";
	int fd;

	open_listener(true, true);
	fd = dial();
	assert_int_equal(send(fd, "GE", 2, 0), 2);
	assert_true(run_until(t.event, &t.n_accepted, 1));
	assert_int_equal(get(t.accepted, text, 2), 2);
	assert_string_equal(text, "GE");
	closep(&fd);

	shake_hands(&c);
	expect_echo(&c, t.accepted);
	hang_up(&c);
	assert_int_equal(get(t.accepted, text, 1), 0);
	assert_int_equal(counted("handshakes"), 1);
}

static void test_much_is_carried_whole(void **state)
{
	char *out = malloc(LARGE_SIZE), *in = malloc(LARGE_SIZE);
	size_t sent = 0, have = 0;
	struct client c;

	assert_non_null(out);
	assert_non_null(in);
	for (size_t i = 0; i < LARGE_SIZE; i++)
		out[i] = (char) (i * 31 >> 3);
	open_listener(false, true);
	shake_hands(&c);
	/* Nobody reads at first: it has to wait within bounds. */
	while (have < LARGE_SIZE) {
		ssize_t n = send(t.accepted, out + sent, LARGE_SIZE - sent,
				 MSG_NOSIGNAL | MSG_DONTWAIT);
		int got;

		sent += n > 0 ? (size_t) n : 0;
		if (n > 0)
			continue;
		(void) sd_event_run(t.event, USEC_PER_MSEC);
		got = SSL_read(c.ssl, in + have, LARGE_SIZE - (int) have);
		assert_true(got > 0 || goes_on(&c, got));
		have += got > 0 ? (size_t) got : 0;
	}
	assert_memory_equal(in, out, LARGE_SIZE);
	hang_up(&c);
	free(in);
	free(out);
}

static void test_server_hangs_up(void **state)
{
	uint64_t deadline = clock_now_usec() + GIVE_UP;
	struct client c;
	char text[4] = "";
	int n;

	open_listener(false, true);
	shake_hands(&c);
	assert_int_equal(send(t.accepted, "bye", 3, MSG_NOSIGNAL), 3);
	closep(&t.accepted);
	client_get(&c, text, 3);
	assert_string_equal(text, "bye");
	while ((n = SSL_read(c.ssl, text, 1)) <= 0 && goes_on(&c, n))
		assert_true(clock_now_usec() < deadline);
	assert_int_equal(SSL_get_error(c.ssl, n), SSL_ERROR_ZERO_RETURN);
	hang_up(&c);
}

static void test_tls_without_a_certificate(void **state)
{
	uint8_t alert[16];
	int fd;

	open_listener(true, false);
	fd = dial();
	assert_int_equal(send(fd, "\x16\x03\x01", 3, 0), 3);
	assert_int_equal(get(fd, alert, sizeof(alert)), 7);
	assert_memory_equal(alert, "\x15\x03\x01\x00\x02\x02\x28", 7);
	assert_int_equal(counted("refused"), 1);
	closep(&fd);
}

static void test_plain_text_for_tls(void **state)
{
	char answer[512] = "";
	int fd;

	open_listener(false, true);
	fd = dial();
	assert_int_equal(send(fd, "GET / HTTP/1.1\r\n\r\n", 18, 0), 18);
	assert_true(get(fd, answer, sizeof(answer) - 1) > 0);
	assert_memory_equal(answer, "HTTP/1.1 400", 12);
	assert_non_null(strstr(answer, "https://"));
	assert_int_equal(t.n_accepted, 0);
	closep(&fd);
}

static void test_broken_handshake(void **state)
{
	uint8_t rest[64];
	int fd;

	open_listener(true, true);
	fd = dial();
	assert_int_equal(send(fd, "\x16garbage garbage garbage", 24, 0), 24);
	assert_true(get(fd, rest, sizeof(rest)) >= 0);
	assert_int_equal(counted("failed"), 1);
	assert_int_equal(t.n_accepted, 0);
	closep(&fd);
}

static void test_one_source_may_not_take_all(void **state)
{
	int fds[TLS_ARRIVALS_PER_SOURCE_MAX], extra;
	char byte;

	open_listener(true, true);
	for (size_t i = 0; i < ELEMENTSOF(fds); i++)
		fds[i] = dial();
	extra = dial();
	assert_int_equal(get(extra, &byte, 1), 0);
	assert_int_equal(counted("refused"), 1);
	closep(&extra);

	closep(&fds[0]);
	run_for(t.event, 50 * USEC_PER_MSEC);
	extra = dial();
	assert_int_equal(send(extra, "G", 1, 0), 1);
	assert_true(run_until(t.event, &t.n_accepted, 1));
	closep(&extra);
	for (size_t i = 1; i < ELEMENTSOF(fds); i++)
		closep(&fds[i]);
}

/* Those who begin and never go on are given up; those whose handshake is done are not. */
static void test_slow_ones_are_given_up(void **state)
{
	struct client c;
	int silent, slow;
	char byte;

	open_listener(true, true);
	shake_hands(&c);
	silent = dial();
	slow = dial();
	assert_int_equal(send(slow, "\x16\x03", 2, 0), 2);
	assert_int_equal(get(silent, &byte, 1), 0);
	assert_int_equal(get(slow, &byte, 1), 0);
	assert_int_equal(counted("failed"), 2);
	expect_echo(&c, t.accepted);
	closep(&silent);
	closep(&slow);
	hang_up(&c);
}

static void test_renewal_while_a_connection_lives(void **state)
{
	struct client older, newer;
	int older_fd;

	open_listener(true, true);
	shake_hands(&older);
	older_fd = TAKE_FD(t.accepted);
	expect_subject(&older, "old.example");
	pki_write(t.files.path, t.files.key_path, "new.example", 90 * DAY);
	certificate_check(t.certificate);
	certificate_check(t.certificate);

	shake_hands(&newer);
	expect_subject(&newer, "new.example");
	expect_echo(&newer, t.accepted);
	expect_echo(&older, older_fd);
	hang_up(&older);
	hang_up(&newer);
	closep(&older_fd);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_plain_and_tls_on_one_port),
		TEST(test_much_is_carried_whole),
		TEST(test_server_hangs_up),
		TEST(test_tls_without_a_certificate),
		TEST(test_plain_text_for_tls),
		TEST(test_broken_handshake),
		TEST(test_one_source_may_not_take_all),
		TEST(test_slow_ones_are_given_up),
		TEST(test_renewal_while_a_connection_lives),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
