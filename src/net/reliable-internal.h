/* Inside of struct reliable_connection: two independent halves over one send callback. */
#pragma once

#include "net/outgoing.h"
#include "net/reliable-connection.h"
#include "net/vegas.h"

enum sender_state {
	SENDER_CLOSED, /* nothing was ever sent, or the peer lost its state */
	SENDER_HANDSHAKING,
	SENDER_OPEN,
};

/* One packet in flight. */
struct sent_packet {
	struct outgoing *outgoing;
	uint64_t sent_usec; /* the last time */
	uint32_t part;
	uint32_t n_sent; /* how often; 0: the carrier has refused it so far */
};

struct reliable_sender {
	enum sender_state state;
	uint32_t isn;
	uint32_t last_ack; /* all up to here arrived; in flight are the n_in_flight after it */
	uint32_t n_in_flight;
	uint32_t message;         /* the last number given away */
	struct sent_packet *ring; /* in flight, by number modulo ring_size (a power of two) */
	uint32_t ring_size;

	/* What is to be sent again is always the tail of what is in flight, because new packets
	 * wait while there is any, and perhaps the first packet. */
	uint32_t n_resend;
	uint32_t resend_credit; /* how many of them at once; ACKs raise it */
	bool resend_first;

	uint32_t n_timeouts;   /* since the last progress */
	uint32_t n_duplicates; /* repeated ACKs, since the last progress or timeout */
	uint32_t n_old_acks;   /* ACKs of less than that, likewise */
	uint64_t timer_usec;   /* what the timeouts count from: the last progress, resend or first
				  packet */
	uint64_t blocked_until_usec;           /* the carrier refused; 0: it did not */
	uint64_t opening_usec, handshake_usec; /* first and last handshake packet */

	size_t held_bytes; /* queued and in flight */
	struct outgoing_queue queue;
	struct vegas vegas;
};

/* Packets beyond the first missing one that we remember. More than any sender's window. */
#define RECEIVE_WINDOW 32768
static_assert(RECEIVE_WINDOW >= VEGAS_WINDOW_MAX, "a full window of a native peer fits");

struct reliable_receiver {
	bool has_handshake;
	uint32_t isn;
	uint32_t next;     /* the first number that is missing */
	uint32_t n_beyond; /* received after it */
	uint64_t *
		beyond; /* which, one bit each by number modulo RECEIVE_WINDOW; NULL until needed */
};

struct reliable_connection {
	struct reliable_connection_options options;
	struct reliable_connection_ops ops;
	void *userdata;
	struct reliable_connection_stats stats;
	struct reliable_sender sender;
	struct reliable_receiver receiver;
};

void reliable_send_control(struct reliable_connection *c, enum control_type type, uint32_t seq);

void reliable_sender_init(struct reliable_sender *s, uint32_t isn);
void reliable_sender_done(struct reliable_connection *c);
int reliable_sender_add(struct reliable_connection *c, const struct packet_seal *seal,
			struct shared_bytes *payload, bool in_message, uint64_t now_usec);
void reliable_sender_on_ack(struct reliable_connection *c, uint32_t seq, uint64_t now_usec);
void reliable_sender_on_handshake_ack(struct reliable_connection *c, uint32_t seq,
				      uint64_t now_usec);
void reliable_sender_on_handshake_request(struct reliable_connection *c);
void reliable_sender_run(struct reliable_connection *c, uint64_t now_usec);
uint64_t reliable_sender_next_usec(const struct reliable_connection *c);

void reliable_receiver_done(struct reliable_receiver *r);
void reliable_receiver_on_handshake(struct reliable_connection *c, uint32_t isn);
bool reliable_receiver_on_data(struct reliable_connection *c, uint32_t seq);
/* Notes a packet beyond the first missing one. 1; 0: was known already; -ENOMEM. */
int reliable_receiver_remember(struct reliable_receiver *r, uint32_t seq);
