#include "base/clock.h"

#include <stdbool.h>
#include <time.h>

#include "base/macros.h"

static bool simulated;
static uint64_t simulated_usec;

static uint64_t read_clock(clockid_t id)
{
	struct timespec ts;

	(void) clock_gettime(id, &ts);
	return (uint64_t) ts.tv_sec * USEC_PER_SEC + (uint64_t) ts.tv_nsec / 1000;
}

uint64_t clock_now_usec(void)
{
	return simulated ? simulated_usec : read_clock(CLOCK_MONOTONIC);
}

uint64_t clock_wall_usec(void)
{
	return read_clock(CLOCK_REALTIME);
}

uint64_t clock_cpu_usec(void)
{
	return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

void clock_simulate(uint64_t now_usec)
{
	simulated = true;
	simulated_usec = now_usec;
}
