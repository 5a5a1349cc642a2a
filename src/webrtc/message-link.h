/* One SCTP association over packets that the caller carries, on usrsctp without its threads
 * (protocol 02 section 16 step 4, 11 section 5).
 *
 * usrsctp is one per process: message_link_stack_ref() starts it, and its timers run only inside
 * message_link_stack_run(). Everything belongs to one thread. Callbacks come from within
 * message_link_input(), _send(), _reset(), _free() and message_link_stack_run(); a link may not be
 * freed from its own callbacks.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/macros.h"

struct message_link;

/* RFC 8831 section 8. */
enum message_ppid {
	MESSAGE_PPID_DCEP = 50,
	MESSAGE_PPID_STRING = 51,
	MESSAGE_PPID_BINARY = 53,
	MESSAGE_PPID_STRING_EMPTY = 56,
	MESSAGE_PPID_BINARY_EMPTY = 57,
};

struct message_link_ops {
	/* One SCTP packet to the peer, at most packet_max bytes. */
	void (*output)(void *userdata, const void *packet, size_t len);
	void (*up)(void *userdata);
	/* Final: ABORT, SHUTDOWN or given up (timed_out). */
	void (*down)(void *userdata, bool timed_out);
	/* A whole message; data is writable, valid during the call only. */
	void (*message)(void *userdata, uint16_t stream, uint32_t ppid, uint8_t *data, size_t len);
	/* A message longer than can be taken was thrown away. */
	void (*overlong)(void *userdata);
	/* The peer reset its outgoing half of the stream. */
	void (*stream_reset)(void *userdata, uint16_t stream);
	/* Some of the send buffer became free. */
	void (*room)(void *userdata);
};

struct message_link_options {
	uint32_t id;          /* not 0, unique in the process while the link lives */
	uint16_t remote_port; /* the local one is always MESSAGE_LINK_PORT */
	size_t packet_max;    /* largest SCTP packet to make */
	uint32_t send_buffer_bytes;
};

#define MESSAGE_LINK_PORT 5000
/* Longest message that is taken from the peer, and what our SDP announces. */
#define MESSAGE_LINK_RECEIVE_MAX 65536

/* Reference to the process's stack. _unref stops it when the last one goes. 0 or -ENOMEM. */
int message_link_stack_ref(void);
void message_link_stack_unref(void);
/* Lets elapsed_msec pass for all timers. */
void message_link_stack_run(uint32_t elapsed_msec);

/* Starts connecting at once, and takes the peer's attempt just as well. ops is borrowed. -EEXIST
 * when the id is taken, -ENOMEM, -errno. */
int message_link_new(const struct message_link_options *options, const struct message_link_ops *ops,
		     void *userdata, struct message_link **ret);
/* Sends ABORT if there is an association. NULL is fine. */
struct message_link *message_link_free(struct message_link *l);
DEFINE_CLEANUP_FUNC(struct message_link *, message_link_free);

void message_link_input(struct message_link *l, struct span packet);

/* Ordered and retransmitted until it arrives; -EAGAIN when the send buffer is full, -EMSGSIZE,
 * -EINVAL for an empty message, -errno. */
int message_link_send_reliable(struct message_link *l, uint16_t stream, uint32_t ppid,
			       struct span message);
/* Unordered, sent once. */
int message_link_send_unreliable(struct message_link *l, uint16_t stream, uint32_t ppid,
				 struct span message);
/* As _send_reliable, also when the message is longer than the whole send buffer, if that is empty
 * enough. */
int message_link_send_large(struct message_link *l, uint16_t stream, uint32_t ppid,
			    struct span message);
/* What waits in the send buffer, sent or not, as of the last acknowledgement; never too low. */
size_t message_link_backlog(const struct message_link *l);
/* Ends our outgoing half of the stream once all before has been sent. 0 or -errno. */
int message_link_reset(struct message_link *l, uint16_t stream);
