/* The server's end of data channels by itself, for tests with real WebRTC clients: signalling is
 *one JSON object per line on stdin and stdout instead of a WebSocket.
 *
 *	channel-server [LOSS]      LOSS: percentage of UDP datagrams thrown away, each way
 *
 * In: what a domain-server relays to a node, {"to":"m","from":"192.0.2.1:5","data":{…}}, and
 *commands:
 * {"send":N} (N numbered messages, ordered and reliable, to every open channel), {"close":true},
 * {"report":true}. Out: answers, {"event":"open"|"closed","reason":…}, {"event":"report",…}.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "net/udp-socket.h"
#include "webrtc/signalling.h"
#include "webrtc/webrtc.h"

#define RECEIVE_BATCHES 8
#define CHANNELS_MAX    64
#define NODE_TYPE       'm'

struct channel {
	struct hifi_addr addr; /* unset: free */
	uint32_t to_send;      /* messages still to go */
	uint32_t next;         /* number of the next one out */
	uint32_t received;     /* numbered messages in */
	bool disordered;       /* one of them was not the successor of the one before */
};

struct server {
	struct udp_socket *socket;
	struct webrtc *webrtc;
	unsigned loss_percent;
	uint32_t random; /* xorshift state: the same losses in each run */
	struct channel channels[CHANNELS_MAX];
};

static bool is_lost(struct server *s)
{
	s->random ^= s->random << 13;
	s->random ^= s->random >> 17;
	s->random ^= s->random << 5;
	return s->random % 100 < s->loss_percent;
}

static void say(json_t *object)
{
	if (object) {
		(void) json_dumpf(object, stdout, JSON_COMPACT);
		(void) fputc('\n', stdout);
		(void) fflush(stdout);
	}
	json_decref(object);
}

static struct channel *find_channel(struct server *s, const struct hifi_addr *addr)
{
	for (size_t i = 0; i < CHANNELS_MAX; i++)
		if (hifi_addr_equal(&s->channels[i].addr, addr))
			return &s->channels[i];
	return NULL;
}

static void send_more(struct server *s, struct channel *c)
{
	while (c->to_send > 0) {
		uint8_t bytes[sizeof(uint32_t)];
		struct writer wr = writer_over(bytes, sizeof(bytes));
		struct iovec iov = {bytes, sizeof(bytes)};

		write_u32le(&wr, c->next);
		if (webrtc_send(s->webrtc, &c->addr, &iov, 1, true, clock_now_usec()) < 0)
			return;
		c->next++;
		c->to_send--;
	}
}

static void on_send(void *userdata, const struct hifi_addr *to, const void *data, size_t len)
{
	struct server *s = userdata;
	struct iovec iov = {(void *) data, len};

	if (!is_lost(s))
		(void) udp_socket_send(s->socket, to, &iov, 1);
}

static void on_channel_open(void *userdata, const struct hifi_addr *addr,
			    const struct hifi_addr *udp)
{
	static const struct hifi_addr unset;
	struct channel *c = find_channel(userdata, &unset);

	if (!c)
		return;
	*c = (struct channel){.addr = *addr};
	say(json_pack("{s:s, s:s, s:s}", "event", "open", "peer", HIFI_ADDR_TEXT(addr), "udp",
		      HIFI_ADDR_TEXT(udp)));
}

static void on_channel_closed(void *userdata, const struct hifi_addr *addr,
			      enum webrtc_close_reason reason)
{
	struct channel *c = find_channel(userdata, addr);

	if (c)
		*c = (struct channel){0};
	say(json_pack("{s:s, s:s}", "event", "closed", "reason", webrtc_close_reason_name(reason)));
}

static void on_datagram(void *userdata, const struct hifi_addr *addr, uint8_t *data, size_t len,
			uint64_t now_usec)
{
	struct channel *c = find_channel(userdata, addr);
	struct reader rd = reader_over(data, len);

	if (!c)
		return;
	c->disordered |= read_u32le(&rd) != c->received || reader_finish(&rd) < 0;
	c->received++;
}

static void on_writable(void *userdata, const struct hifi_addr *addr)
{
	struct channel *c = find_channel(userdata, addr);

	if (c)
		send_more(userdata, c);
}

static const struct webrtc_ops ops = {
	.send = on_send,
	.channel_open = on_channel_open,
	.channel_closed = on_channel_closed,
	.datagram = on_datagram,
	.writable = on_writable,
};

static void on_udp(void *userdata, const struct hifi_addr *from, uint8_t *data, size_t len,
		   uint64_t now_usec)
{
	struct server *s = userdata;

	if (!is_lost(s) && webrtc_input(s->webrtc, from, data, len, now_usec) == WEBRTC_NATIVE)
		say(json_pack("{s:s, s:i}", "event", "native", "len", (int) len));
}

static void report(struct server *s, const struct channel *c)
{
	const struct webrtc_stats *stats = webrtc_stats(s->webrtc);
	json_t *drops = json_object();

	for (int i = 0; i < WEBRTC_DROP_COUNT; i++)
		if (stats->dropped[i] > 0)
			(void) json_object_set_new(drops, webrtc_drop_name(i),
						   json_integer((json_int_t) stats->dropped[i]));
	say(json_pack("{s:s, s:I, s:b, s:I, s:o}", "event", "report", "received",
		      (json_int_t) c->received, "ordered", !c->disordered, "left",
		      (json_int_t) c->to_send, "drops", drops));
}

static void handle_command(struct server *s, const json_t *line)
{
	json_int_t count = json_integer_value(json_object_get(line, "send"));

	for (size_t i = 0; i < CHANNELS_MAX; i++) {
		struct channel *c = &s->channels[i];

		if (!hifi_addr_is_set(&c->addr))
			continue;
		if (json_object_get(line, "report"))
			report(s, c);
		c->to_send += (uint32_t) count;
		send_more(s, c);
		if (json_object_get(line, "close"))
			webrtc_close(s->webrtc, &c->addr, clock_now_usec());
	}
}

static int handle_signalling(struct server *s, const struct signalling *message)
{
	_cleanup_free_ char *sdp = NULL, *answer = NULL;
	int r;

	if (message->kind != SIGNALLING_OFFER)
		return 0;
	r = webrtc_offer(s->webrtc, &message->label, message->text, clock_now_usec(), &sdp);
	if (r < 0)
		return r;
	r = signalling_format_answer(NODE_TYPE, &message->label, sdp, &answer);
	if (r < 0)
		return r;
	(void) puts(answer);
	return fflush(stdout) == 0 ? 0 : -errno;
}

static void handle_line(struct server *s, const char *text, size_t len)
{
	_cleanup_(signalling_freep) struct signalling *message = NULL;
	json_t *line;

	if (signalling_decode(text, len, SIGNALLING_TO_NODE, &message) >= 0) {
		if (handle_signalling(s, message) < 0)
			say(json_pack("{s:s}", "event", "refused"));
		return;
	}
	line = json_loadb(text, len, 0, NULL);
	if (json_is_object(line))
		handle_command(s, line);
	json_decref(line);
}

/* Lines are short and come whole, so reading one blocks nobody for long. False at the end of stdin.
 */
static bool handle_stdin(struct server *s)
{
	static char *line;
	static size_t size;
	ssize_t len = getline(&line, &size, stdin);

	if (len > 0)
		handle_line(s, line, (size_t) len);
	return len > 0;
}

static int run(struct server *s)
{
	struct pollfd fds[] = {
		{.fd = STDIN_FILENO, .events = POLLIN},
		{.fd = udp_socket_fd(s->socket), .events = POLLIN},
	};

	(void) setvbuf(stdin, NULL, _IONBF, 0);
	for (;;) {
		uint64_t now = clock_now_usec(), next = webrtc_next_usec(s->webrtc);
		uint64_t wait_msec = next > now ? (next - now + 999) / 1000 : 0;

		udp_socket_flush(s->socket);
		if (poll(fds, ELEMENTSOF(fds), (int) MIN(wait_msec, UINT64_C(1000))) < 0)
			return -errno;
		if (fds[1].revents)
			(void) udp_socket_receive(s->socket, RECEIVE_BATCHES, on_udp, s);
		if (fds[0].revents && !handle_stdin(s))
			return 0;
		webrtc_run(s->webrtc, clock_now_usec());
	}
}

int main(int argc, char **argv)
{
	struct server s = {.random = 2463534242};
	struct webrtc_options options = {0};
	struct hifi_addr addrs[WEBRTC_CANDIDATES_MAX];
	int r;

	s.loss_percent = argc > 1 ? (unsigned) atoi(argv[1]) : 0;
	r = udp_socket_new(0, false, &s.socket);
	if (r < 0)
		return EXIT_FAILURE;
	options.port = udp_socket_port(s.socket);
	r = webrtc_new(&options, &ops, &s, &s.webrtc);
	if (r < 0)
		return EXIT_FAILURE;
	r = webrtc_local_addresses(true, addrs, ELEMENTSOF(addrs));
	if (r > 0)
		webrtc_set_candidates(s.webrtc, addrs, (size_t) r);

	r = run(&s);
	s.webrtc = webrtc_free(s.webrtc);
	udp_socket_free(s.socket);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
