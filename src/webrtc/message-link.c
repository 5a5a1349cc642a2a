#include <errno.h>
#include <string.h>
#include <usrsctp.h>

#include "base/hashmap.h"
#include "webrtc/message-link.h"

#define STREAMS             16 /* 1,024 would cost ten times the memory (11 section 5) */
#define SCTP_HEADER_LEN     12
#define RECEIVE_BUFFER      (2 * MESSAGE_LINK_RECEIVE_MAX)
#define RTO_INITIAL_MSEC    500
#define RTO_MIN_MSEC        250 /* above the 200 ms that peers delay a lone acknowledgement */
#define RTO_MAX_MSEC        4000
#define RETRANSMISSIONS_MAX 10
#define INIT_ATTEMPTS_MAX   8
#define INITIAL_WINDOW_MTUS 10
#define MAX_BURST           8
#define SACK_DELAY_MSEC     20 /* not more than our own timer tick would make of it */

struct message_link {
	const struct message_link_ops *ops;
	void *userdata;
	struct socket *socket;
	uint32_t id;
	uint32_t send_buffer_bytes;
	size_t backlog;
	bool up;
	bool down;
	bool skipping; /* inside a message that came in pieces */
};

/* usrsctp calls back with the number that it was given as an address, never with our pointer: a
 * packet that it sends after message_link_free() finds nothing. */
static struct {
	unsigned refs;
	bool started;
	struct hashmap *links; /* by id */
} stack;

static void *address_of(uint32_t id)
{
	return (void *) (uintptr_t) id;
}

static struct message_link *find_link(const void *address)
{
	uint32_t id = (uint32_t) (uintptr_t) address;

	return stack.links ? hashmap_find(stack.links, &id) : NULL;
}

static int output_packet(void *address, void *packet, size_t len, uint8_t tos, uint8_t set_df)
{
	struct message_link *l = find_link(address);

	if (l)
		l->ops->output(l->userdata, packet, len);
	return 0;
}

static void configure_stack(void)
{
	(void) usrsctp_sysctl_set_sctp_ecn_enable(0);
	(void) usrsctp_sysctl_set_sctp_asconf_enable(0);
	(void) usrsctp_sysctl_set_sctp_auth_enable(0);
	(void) usrsctp_sysctl_set_sctp_nrsack_enable(0);
	(void) usrsctp_sysctl_set_sctp_pktdrop_enable(0);
	(void) usrsctp_sysctl_set_sctp_initial_cwnd(INITIAL_WINDOW_MTUS);
	(void) usrsctp_sysctl_set_sctp_max_burst_default(MAX_BURST);
	(void) usrsctp_sysctl_set_sctp_delayed_sack_time_default(SACK_DELAY_MSEC);
	/* Nothing may be answered for which there is no association. */
	(void) usrsctp_sysctl_set_sctp_blackhole(2);
}

int message_link_stack_ref(void)
{
	if (stack.refs > 0) {
		stack.refs++;
		return 0;
	}
	stack.links = hashmap_new(sizeof(uint32_t));
	if (!stack.links)
		return -ENOMEM;
	stack.refs = 1;
	if (!stack.started) {
		usrsctp_init_nothreads(0, output_packet, NULL);
		configure_stack();
		stack.started = true;
	}
	return 0;
}

void message_link_stack_unref(void)
{
	assert(stack.refs > 0);
	if (--stack.refs > 0)
		return;
	/* Refused while closed sockets wait for their timers; the next reference then goes on with
	 * it. */
	if (usrsctp_finish() == 0)
		stack.started = false;
	stack.links = hashmap_free(stack.links);
}

void message_link_stack_run(uint32_t elapsed_msec)
{
	usrsctp_handle_timers(elapsed_msec);
}

/* --- from usrsctp --- */

static void handle_association_change(struct message_link *l,
				      const struct sctp_assoc_change *change)
{
	switch (change->sac_state) {
	case SCTP_COMM_UP:
		if (!l->up) {
			l->up = true;
			l->ops->up(l->userdata);
		}
		break;
	case SCTP_COMM_LOST:
	case SCTP_SHUTDOWN_COMP:
	case SCTP_CANT_STR_ASSOC:
		if (!l->down) {
			l->down = true;
			/* When the peer sent ABORT, the chunk is appended. */
			l->ops->down(l->userdata, change->sac_state != SCTP_SHUTDOWN_COMP &&
							  change->sac_length == sizeof(*change));
		}
		break;
	}
}

static void handle_stream_reset(struct message_link *l, const struct sctp_stream_reset_event *event)
{
	size_t n;

	if (event->strreset_length < sizeof(*event) ||
	    !(event->strreset_flags & SCTP_STREAM_RESET_INCOMING_SSN) ||
	    (event->strreset_flags & (SCTP_STREAM_RESET_DENIED | SCTP_STREAM_RESET_FAILED)))
		return;
	n = (event->strreset_length - sizeof(*event)) / sizeof(event->strreset_stream_list[0]);
	for (size_t i = 0; i < n; i++)
		l->ops->stream_reset(l->userdata, event->strreset_stream_list[i]);
}

static void handle_notification(struct message_link *l, const union sctp_notification *notification,
				size_t len)
{
	if (len < sizeof(notification->sn_header) || notification->sn_header.sn_length != len)
		return;
	switch (notification->sn_header.sn_type) {
	case SCTP_ASSOC_CHANGE:
		if (len >= sizeof(notification->sn_assoc_change))
			handle_association_change(l, &notification->sn_assoc_change);
		break;
	case SCTP_STREAM_RESET_EVENT:
		handle_stream_reset(l, &notification->sn_strreset_event);
		break;
	}
}

static void handle_data(struct message_link *l, const struct sctp_rcvinfo *info, uint8_t *data,
			size_t len, bool complete)
{
	/* What usrsctp cannot hold it hands over in pieces, the last of them marked. */
	if (l->skipping || !complete) {
		l->skipping = !complete;
		if (complete)
			l->ops->overlong(l->userdata);
		return;
	}
	l->ops->message(l->userdata, info->rcv_sid, ntohl(info->rcv_ppid), data, len);
}

static int receive(struct socket *socket, union sctp_sockstore address, void *data, size_t len,
		   struct sctp_rcvinfo info, int flags, void *ulp_info)
{
	struct message_link *l = find_link(ulp_info);

	if (l && data) {
		if (flags & MSG_NOTIFICATION)
			handle_notification(l, data, len);
		else
			handle_data(l, &info, data, len, flags & MSG_EOR);
	}
	free(data);
	return 1;
}

static int acknowledged(struct socket *socket, uint32_t free_bytes, void *ulp_info)
{
	struct message_link *l = find_link(ulp_info);

	if (!l)
		return 1;
	l->backlog = l->send_buffer_bytes > free_bytes ? l->send_buffer_bytes - free_bytes : 0;
	l->ops->room(l->userdata);
	return 1;
}

/* --- making and ending --- */

static int set_option(struct socket *socket, int option, const void *value, size_t len)
{
	return usrsctp_setsockopt(socket, IPPROTO_SCTP, option, value, (socklen_t) len) < 0 ? -errno
											    : 0;
}

static int subscribe(struct socket *socket)
{
	static const uint16_t types[] = {SCTP_ASSOC_CHANGE, SCTP_STREAM_RESET_EVENT};
	int r;

	for (size_t i = 0; i < ELEMENTSOF(types); i++) {
		struct sctp_event event = {
			.se_assoc_id = SCTP_FUTURE_ASSOC,
			.se_type = types[i],
			.se_on = 1,
		};

		r = set_option(socket, SCTP_EVENT, &event, sizeof(event));
		if (r < 0)
			return r;
	}
	return 0;
}

static int configure_buffers(struct socket *socket, uint32_t send_buffer_bytes)
{
	struct linger linger = {.l_onoff = 1,
				.l_linger = 0}; /* closing sends ABORT, not SHUTDOWN */
	int send_bytes = (int) send_buffer_bytes, receive_bytes = RECEIVE_BUFFER;

	if (usrsctp_set_non_blocking(socket, 1) < 0 ||
	    usrsctp_setsockopt(socket, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)) < 0 ||
	    usrsctp_setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &send_bytes, sizeof(send_bytes)) <
		    0 ||
	    usrsctp_setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &receive_bytes,
			       sizeof(receive_bytes)) < 0)
		return -errno;
	return 0;
}

static int configure_protocol(struct socket *socket, size_t packet_max)
{
	const int on = 1;
	struct sctp_assoc_value reset = {.assoc_value = SCTP_ENABLE_RESET_STREAM_REQ};
	struct sctp_initmsg init = {
		.sinit_num_ostreams = STREAMS,
		.sinit_max_instreams = STREAMS,
		.sinit_max_attempts = INIT_ATTEMPTS_MAX,
		.sinit_max_init_timeo = RTO_MAX_MSEC,
	};
	struct sctp_rtoinfo rto = {
		.srto_initial = RTO_INITIAL_MSEC,
		.srto_min = RTO_MIN_MSEC,
		.srto_max = RTO_MAX_MSEC,
	};
	struct sctp_assocparams assoc = {.sasoc_asocmaxrxt = RETRANSMISSIONS_MAX};
	/* ICE says whether the peer lives: no heartbeats, and no timer for an idle association. */
	struct sctp_paddrparams path = {
		.spp_flags = SPP_PMTUD_DISABLE | SPP_HB_DISABLE,
		.spp_pathmtu = (uint32_t) packet_max - SCTP_HEADER_LEN,
		.spp_pathmaxrxt = RETRANSMISSIONS_MAX,
	};
	int r;

	r = set_option(socket, SCTP_NODELAY, &on, sizeof(on));
	if (r >= 0)
		r = set_option(socket, SCTP_ENABLE_STREAM_RESET, &reset, sizeof(reset));
	if (r >= 0)
		r = set_option(socket, SCTP_INITMSG, &init, sizeof(init));
	if (r >= 0)
		r = set_option(socket, SCTP_RTOINFO, &rto, sizeof(rto));
	if (r >= 0)
		r = set_option(socket, SCTP_ASSOCINFO, &assoc, sizeof(assoc));
	if (r >= 0)
		r = set_option(socket, SCTP_PEER_ADDR_PARAMS, &path, sizeof(path));
	return r;
}

static int bind_and_connect(struct message_link *l, uint16_t remote_port)
{
	struct sockaddr_conn local = {
		.sconn_family = AF_CONN,
		.sconn_port = htons(MESSAGE_LINK_PORT),
		.sconn_addr = address_of(l->id),
	};
	struct sockaddr_conn remote = local;

	remote.sconn_port = htons(remote_port);
	if (usrsctp_bind(l->socket, (struct sockaddr *) &local, sizeof(local)) < 0)
		return -errno;
	/* A socket that only listens could never send (11 section 5); when both sides connect, SCTP
	 * makes one association of it. */
	if (usrsctp_connect(l->socket, (struct sockaddr *) &remote, sizeof(remote)) < 0 &&
	    errno != EINPROGRESS)
		return -errno;
	return 0;
}

int message_link_new(const struct message_link_options *options, const struct message_link_ops *ops,
		     void *userdata, struct message_link **ret)
{
	_cleanup_(message_link_freep) struct message_link *l = calloc(1, sizeof(*l));
	int r;

	assert(options->id != 0);
	if (!l)
		return -ENOMEM;
	l->ops = ops;
	l->userdata = userdata;
	l->send_buffer_bytes = options->send_buffer_bytes;
	r = hashmap_insert(stack.links, &options->id, l);
	if (r < 0)
		return r;
	l->id = options->id;
	usrsctp_register_address(address_of(l->id));

	l->socket = usrsctp_socket(AF_CONN, SOCK_STREAM, IPPROTO_SCTP, receive, acknowledged, 0,
				   address_of(l->id));
	if (!l->socket)
		return -errno;
	r = subscribe(l->socket);
	if (r >= 0)
		r = configure_buffers(l->socket, l->send_buffer_bytes);
	if (r >= 0)
		r = configure_protocol(l->socket, options->packet_max);
	if (r >= 0)
		r = bind_and_connect(l, options->remote_port);
	if (r < 0)
		return r;

	*ret = TAKE_PTR(l);
	return 0;
}

struct message_link *message_link_free(struct message_link *l)
{
	if (!l)
		return NULL;
	if (l->socket)
		usrsctp_close(l->socket); /* the ABORT still goes out through our callback */
	if (l->id != 0) {
		(void) hashmap_remove(stack.links, &l->id);
		usrsctp_deregister_address(address_of(l->id));
	}
	free(l);
	return NULL;
}

/* --- data --- */

void message_link_input(struct message_link *l, struct span packet)
{
	usrsctp_conninput(address_of(l->id), packet.data, packet.len, 0);
}

static int send_message(struct message_link *l, struct sctp_sendv_spa *spa, uint16_t stream,
			uint32_t ppid, struct span message)
{
	ssize_t n;

	spa->sendv_flags |= SCTP_SEND_SNDINFO_VALID;
	spa->sendv_sndinfo.snd_sid = stream;
	spa->sendv_sndinfo.snd_ppid = htonl(ppid);
	n = usrsctp_sendv(l->socket, message.data, message.len, NULL, 0, spa, sizeof(*spa),
			  SCTP_SENDV_SPA, 0);
	if (n < 0)
		return errno == EWOULDBLOCK ? -EAGAIN : -errno;
	l->backlog += message.len;
	return 0;
}

int message_link_send_reliable(struct message_link *l, uint16_t stream, uint32_t ppid,
			       struct span message)
{
	struct sctp_sendv_spa spa = {0};

	return send_message(l, &spa, stream, ppid, message);
}

int message_link_send_unreliable(struct message_link *l, uint16_t stream, uint32_t ppid,
				 struct span message)
{
	struct sctp_sendv_spa spa = {
		.sendv_flags = SCTP_SEND_PRINFO_VALID,
		.sendv_sndinfo.snd_flags = SCTP_UNORDERED,
		.sendv_prinfo.pr_policy = SCTP_PR_SCTP_RTX,
		.sendv_prinfo.pr_value = 0,
	};

	return send_message(l, &spa, stream, ppid, message);
}

static int set_send_buffer(struct message_link *l, uint32_t bytes)
{
	int value = (int) bytes;

	return usrsctp_setsockopt(l->socket, SOL_SOCKET, SO_SNDBUF, &value, sizeof(value)) < 0
		       ? -errno
		       : 0;
}

int message_link_send_large(struct message_link *l, uint16_t stream, uint32_t ppid,
			    struct span message)
{
	bool enlarge = message.len > l->send_buffer_bytes && l->backlog < l->send_buffer_bytes;
	int r;

	if (enlarge && set_send_buffer(l, l->send_buffer_bytes + (uint32_t) message.len) < 0)
		return -EMSGSIZE;
	r = message_link_send_reliable(l, stream, ppid, message);
	if (enlarge)
		(void) set_send_buffer(l, l->send_buffer_bytes);
	return r;
}

size_t message_link_backlog(const struct message_link *l)
{
	return l->backlog;
}

int message_link_reset(struct message_link *l, uint16_t stream)
{
	_Alignas(struct sctp_reset_streams)
		uint8_t buffer[sizeof(struct sctp_reset_streams) + sizeof(uint16_t)] = {0};
	struct sctp_reset_streams *request = (struct sctp_reset_streams *) buffer;

	request->srs_flags = SCTP_STREAM_RESET_OUTGOING;
	request->srs_number_streams = 1;
	request->srs_stream_list[0] = stream;
	return set_option(l->socket, SCTP_RESET_STREAMS, buffer, sizeof(buffer));
}
