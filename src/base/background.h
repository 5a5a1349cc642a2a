/* Slow work beside the loop: one thread takes jobs in the order they came, and what follows is
 * called back in the loop. For work that would keep packets waiting, such as hashing a password. */
#pragma once

#include <systemd/sd-event.h>

#include "base/macros.h"

#define BACKGROUND_JOBS_MAX 16 /* that wait or are under way */

struct background;

/* The thread begins with the first job. 0 or -errno. */
int background_new(sd_event *event, struct background **ret);
/* Waits for the job under way; those that wait are not run. All are called back before it returns.
 */
struct background *background_free(struct background *b);
DEFINE_CLEANUP_FUNC(struct background *, background_free)

/* work runs in the thread and must touch nothing but userdata, nor log; then done in the loop.
 * -EBUSY when there are as many jobs as may be, or -errno; then neither is called. */
int background_run(struct background *b, void (*work)(void *userdata), void (*done)(void *userdata),
		   void *userdata);
