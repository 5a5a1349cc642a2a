/* Time. Everything that lives in simulation takes "now" as an argument or from here; nothing else
 * in the tree calls clock_gettime(). Unit: microseconds. */
#pragma once

#include <stdint.h>

/* CLOCK_MONOTONIC, or the simulated time once clock_simulate() was called. */
uint64_t clock_now_usec(void);
/* Microseconds since 1970, for the wire and for people; never for intervals. */
uint64_t clock_wall_usec(void);
/* CPU time of this process, for load figures. */
uint64_t clock_cpu_usec(void);
/* Tests only: from now on clock_now_usec() yields this value. */
void clock_simulate(uint64_t now_usec);
