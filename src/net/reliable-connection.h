/* Reliability with one peer (protocol 01 sections 5 to 7): handshake, acknowledgements, congestion
 * window (TCP Vegas), retransmission, in both directions. Pure: it never reads a clock or a socket;
 * the owner feeds packets and time in, and sends what the send callback is given. Every input sends
 * at once what it made possible; after each the owner asks reliable_connection_next_usec() when to
 * run. One thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "net/packet.h"
#include "net/shared-bytes.h"

struct reliable_connection;

struct reliable_connection_ops {
	/* Sends one datagram given in pieces. control: an ACK or handshake packet. Must not call
	 * back into the connection. Negative = the carrier refused it (it is then resent later). */
	int (*send)(void *userdata, const struct iovec *iov, unsigned n_iov, bool control);
	/* The peer began anew: messages it left half sent will never be completed. */
	void (*receive_reset)(void *userdata);
	/* Optional. The receiving half is not what it was, and the peer will be told so when this
	 * returns: reliable_connection_save() now, and a successor takes every packet once. */
	void (*receive_changed)(void *userdata);
};

struct reliable_connection_options {
	/* The carrier itself delivers in order and without loss (a WebRTC peer, 01 section 13.1):
	 * resending is a last resort, and a stuck receiver is revived with a new initial sequence
	 * number: what was not acknowledged then may arrive twice. */
	bool carrier_is_reliable;
	/* Most bytes queued or unacknowledged, bookkeeping included; beyond it sends fail with
	 * -ENOBUFS. A message counts until its last part is acknowledged. */
	size_t queue_limit_bytes;
};

struct reliable_connection_stats {
	uint64_t sent, resent, acked; /* data packets */
	uint64_t received, duplicates;
	uint64_t no_handshake;  /* data before a handshake */
	uint64_t beyond_window; /* data further ahead than any sender may go */
	uint64_t new_isns;      /* a stuck receiver was given a new ISN */
	uint64_t refused;       /* sends over queue_limit_bytes */
	uint32_t window;        /* packets */
	uint32_t in_flight;     /* packets */
	uint64_t rtt_usec;      /* smoothed; 0 before a sample */
	size_t queued_bytes;    /* against queue_limit_bytes */
};

/* isn: the initial sequence number, uniformly random. */
int reliable_connection_new(const struct reliable_connection_options *options,
			    const struct reliable_connection_ops *ops, void *userdata, uint32_t isn,
			    struct reliable_connection **ret);
struct reliable_connection *reliable_connection_free(struct reliable_connection *c);
DEFINE_CLEANUP_FUNC(struct reliable_connection *, reliable_connection_free);

/* --- sending --- */

/* Queues one reliable packet; seal, its key and payload are copied. 0, -ENOBUFS, -ENOMEM, -EMSGSIZE
 * when it does not fit one datagram. */
int reliable_connection_send(struct reliable_connection *c, const struct packet_seal *seal,
			     struct span payload, uint64_t now_usec);
/* Queues an ordered message of any length; holds a reference to payload until acknowledged. 0,
 * -ENOBUFS, -ENOMEM. */
int reliable_connection_send_message(struct reliable_connection *c, const struct packet_seal *seal,
				     struct shared_bytes *payload, uint64_t now_usec);

/* --- receiving --- */

void reliable_connection_receive_control(struct reliable_connection *c,
					 const struct control_packet *control, uint64_t now_usec);
/* For a verified reliable data packet: acknowledges, and returns true when it is new and must be
 * passed on. */
bool reliable_connection_receive_data(struct reliable_connection *c, uint32_t seq,
				      uint64_t now_usec);

/* --- surviving the process --- */

#define RELIABLE_STATE_LEN 40

/* Appends RELIABLE_STATE_LEN bytes from which a successor's connection goes on receiving without a
 * handshake; only between the first receive_changed() and the end. */
void reliable_connection_save(const struct reliable_connection *c, struct writer *wr);
/* For a connection that has received nothing yet. 0, -EBADMSG, -ENOMEM. */
int reliable_connection_restore(struct reliable_connection *c, struct reader *rd);

/* --- time --- */

/* When reliable_connection_run() wants to be called next; USEC_INFINITY: not before new input. */
uint64_t reliable_connection_next_usec(const struct reliable_connection *c);
/* Does what is due: handshakes, retransmissions, and sending what the window allows. */
void reliable_connection_run(struct reliable_connection *c, uint64_t now_usec);

/* True when nothing is queued and everything sent was acknowledged. */
bool reliable_connection_is_idle(const struct reliable_connection *c);
void reliable_connection_get_stats(const struct reliable_connection *c,
				   struct reliable_connection_stats *ret);
