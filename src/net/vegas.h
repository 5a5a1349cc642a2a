/* The congestion window and round-trip estimate of one reliable connection: TCP Vegas with the
 * parameters of protocol 01 sections 7.1 and 7.2. Knows nothing of packets; times in microseconds.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Native peers go down to 2. There a lossy link keeps them: what was resent gives no sample to grow
 * by. This is what TCP begins with (RFC 6928); real congestion is answered by the timeouts'
 * backoff. */
#define VEGAS_WINDOW_MIN 10
#define VEGAS_WINDOW_MAX 25600

struct vegas {
	uint32_t window; /* packets */
	bool slow_start;
	bool skip_doubling; /* slow start doubles at every second adjustment */
	bool is_limited;    /* the window held something back since the last adjustment */
	uint64_t rtt_usec;  /* smoothed; 0 before a sample */
	uint64_t variance_usec;
	uint64_t base_rtt_usec;  /* least seen; USEC_INFINITY: none since slow start ended */
	uint64_t least_rtt_usec; /* least since the last adjustment */
	uint64_t first_rto_usec; /* retransmission timeout before a sample */
	uint64_t adjusted_usec;
	uint32_t n_samples;    /* since the last adjustment */
	uint32_t reno_samples; /* towards the next step of the Reno part */
	uint32_t n_duplicates;
	uint32_t n_acks_since_retransmit;
};

void vegas_init(struct vegas *v);
/* How long the handshake took, from its first packet: a first idea of the timeout, never of the
 * RTT. */
void vegas_set_handshake_time(struct vegas *v, uint64_t usec);
/* The window was full while data waited: it may grow. */
static inline void vegas_set_limited(struct vegas *v)
{
	v->is_limited = true;
}

/* For each ACK. sample_usec is 0 when it gave none (a repeat, or a packet among the acknowledged
 * ones was resent). */
void vegas_on_ack(struct vegas *v, bool is_duplicate, uint64_t sample_usec, uint64_t now_usec);
/* Asked after vegas_on_ack() when a next packet is outstanding, sent age_usec ago: is it to be
 * resent at once? */
bool vegas_wants_retransmit(struct vegas *v, bool is_duplicate, uint64_t age_usec);

/* RTT plus four variances (a quarter of the RTT at least), not clamped. */
uint64_t vegas_timeout_usec(const struct vegas *v);
