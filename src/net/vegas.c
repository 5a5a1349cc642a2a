#include "net/vegas.h"

#include "base/macros.h"

#define ALPHA_SEGMENTS        4
#define BETA_SEGMENTS         6
#define GAMMA_SEGMENTS        1
#define VEGAS_SAMPLES_MIN     3 /* with fewer in a period, the Reno step */
#define SAMPLE_MAX_USEC       (10 * USEC_PER_SEC)
#define FIRST_RTO_MIN_USEC    (10 * USEC_PER_MSEC)
#define FIRST_RTO_MAX_USEC    USEC_PER_SEC
#define RETRANSMIT_DUPLICATES 3
#define RETRANSMIT_ACKS       3

void vegas_init(struct vegas *v)
{
	*v = (struct vegas){
		.window = VEGAS_WINDOW_MIN,
		.slow_start = true,
		.base_rtt_usec = USEC_INFINITY,
		.least_rtt_usec = USEC_INFINITY,
		.first_rto_usec = FIRST_RTO_MIN_USEC,
		.n_acks_since_retransmit = RETRANSMIT_ACKS,
	};
}

/* A first timeout below the round trip would have every first packet resent, and a resent packet
 * gives no sample: on a slow link the timeout would stay wrong for ever. */
void vegas_set_handshake_time(struct vegas *v, uint64_t usec)
{
	v->first_rto_usec = CLAMP(3 * usec, FIRST_RTO_MIN_USEC, FIRST_RTO_MAX_USEC);
}

static void add_sample(struct vegas *v, uint64_t sample_usec)
{
	uint64_t sample = MIN(sample_usec, SAMPLE_MAX_USEC);

	if (v->rtt_usec == 0) {
		v->rtt_usec = sample;
		v->variance_usec = sample / 2;
	} else {
		uint64_t deviation =
			sample > v->rtt_usec ? sample - v->rtt_usec : v->rtt_usec - sample;

		v->rtt_usec = (7 * v->rtt_usec + sample) / 8;
		v->variance_usec = (3 * v->variance_usec + deviation) / 4;
	}
	v->rtt_usec = MAX(v->rtt_usec, (uint64_t) 1);
	v->base_rtt_usec = MIN(v->base_rtt_usec, sample);
	v->least_rtt_usec = MIN(v->least_rtt_usec, sample);
	v->n_samples++;
}

/* One packet per window of samples; in slow start one per sample. */
static void reno_step(struct vegas *v)
{
	if (v->slow_start) {
		v->window += v->n_samples;
		return;
	}
	v->reno_samples += v->n_samples;
	if (v->reno_samples >= v->window) {
		v->reno_samples = 0;
		v->window++;
	}
}

/* backlog: how many of the window's packets queue up on the way, by the growth of the RTT. */
static void vegas_step(struct vegas *v)
{
	uint64_t backlog = v->window * (v->least_rtt_usec - v->base_rtt_usec) / v->base_rtt_usec;

	if (v->slow_start && backlog > GAMMA_SEGMENTS) {
		uint64_t fitting = v->window * v->base_rtt_usec / v->least_rtt_usec;

		v->slow_start = false;
		v->window = (uint32_t) MIN((uint64_t) v->window, fitting + 1);
		v->base_rtt_usec = USEC_INFINITY;
	} else if (v->slow_start) {
		if (v->is_limited && !v->skip_doubling)
			v->window *= 2;
		v->skip_doubling = !v->skip_doubling;
	} else if (backlog > BETA_SEGMENTS) {
		v->window--;
	} else if (backlog < ALPHA_SEGMENTS && v->is_limited) {
		v->window++;
	}
}

/* A window that nothing pushes against does not grow: a sender that mostly idles would otherwise
 * collect one of thousands of packets and then send them in one burst. */
static void adjust(struct vegas *v, uint64_t now_usec)
{
	if (v->n_samples >= VEGAS_SAMPLES_MIN)
		vegas_step(v);
	else if (v->is_limited)
		reno_step(v);

	v->window = CLAMP(v->window, (uint32_t) VEGAS_WINDOW_MIN, (uint32_t) VEGAS_WINDOW_MAX);
	v->adjusted_usec = now_usec;
	v->least_rtt_usec = USEC_INFINITY;
	v->n_samples = 0;
	v->is_limited = false;
}

void vegas_on_ack(struct vegas *v, bool is_duplicate, uint64_t sample_usec, uint64_t now_usec)
{
	if (sample_usec > 0)
		add_sample(v, sample_usec);
	v->n_duplicates = is_duplicate ? v->n_duplicates + 1 : 0;
	v->n_acks_since_retransmit++;
	if (v->rtt_usec > 0 && now_usec - v->adjusted_usec >= v->rtt_usec)
		adjust(v, now_usec);
}

/* The third repeat says little about a packet that was resent just now: what it answers left
 * before. */
bool vegas_wants_retransmit(struct vegas *v, bool is_duplicate, uint64_t age_usec)
{
	bool is_old = age_usec >= vegas_timeout_usec(v);
	bool is_third = is_duplicate && v->n_duplicates == RETRANSMIT_DUPLICATES &&
			age_usec >= v->rtt_usec / 2;

	if (!is_duplicate && v->n_acks_since_retransmit >= RETRANSMIT_ACKS)
		return false;
	if (!is_old && !is_third)
		return false;

	v->slow_start = false;
	v->n_acks_since_retransmit = 0;
	return true;
}

/* On a link without jitter the variance goes to nothing, and every packet whose ACK is due looks
 * lost. */
uint64_t vegas_timeout_usec(const struct vegas *v)
{
	if (v->rtt_usec == 0)
		return v->first_rto_usec;
	return v->rtt_usec + MAX(4 * v->variance_usec, v->rtt_usec / 4);
}
