/* Two ends, simulated time, and a link between them that loses, delays, reorders and duplicates by
 * a seed: the same seed gives the same run. Nothing here reads a clock. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

/* One direction. Reordering comes from jitter and from the share of datagrams that is held back. */
struct sim_link_options {
	unsigned loss_permille;
	unsigned duplicate_permille;
	unsigned late_permille; /* delayed by late_usec more than the others */
	uint64_t late_usec;
	uint64_t delay_usec;
	uint64_t jitter_usec; /* up to so much is added, uniformly */
	uint64_t rate;        /* bytes per second through a bottleneck; 0: unlimited */
	uint64_t queue_usec;  /* what would wait longer for the bottleneck is lost */
};

struct sim_link_stats {
	uint64_t sent, lost;
};

struct sim_end;

struct sim_end_ops {
	/* data is writable and valid during the call. */
	void (*receive)(struct sim_end *end, uint8_t *data, size_t len);
	uint64_t (*next_usec)(const struct sim_end *end);
	void (*run)(struct sim_end *end);
};

struct sim;

/* Embedded in whatever sits at an end. */
struct sim_end {
	const struct sim_end_ops *ops;
	struct sim *sim;
	struct sim_link_options link; /* towards the other end */
	struct sim_link_stats stats;
	uint64_t last_ordered_usec;
	uint64_t bottleneck_free_usec;
	struct sim_end *other;
};

struct sim *sim_new(uint64_t seed);
struct sim *sim_free(struct sim *sim);
void sim_connect(struct sim *sim, struct sim_end *a, struct sim_end *b);
uint64_t sim_now_usec(const struct sim *sim);
/* A random number below n. */
uint64_t sim_random(struct sim *sim, uint64_t n);

/* Sends to the other end. With is_ordered the datagram is never lost and never overtakes another
 * ordered one (a reliable, ordered SCTP message). */
void sim_send(struct sim_end *from, const struct iovec *iov, unsigned n_iov, bool is_ordered);

/* Lets simulated time pass until until_usec. */
void sim_run(struct sim *sim, uint64_t until_usec);
/* The same until done(userdata), asked after every event; false when time ran out first. */
bool sim_run_until(struct sim *sim, uint64_t until_usec, bool (*done)(void *userdata),
		   void *userdata);
