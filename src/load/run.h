/* A run: clients join one after the other, are measured together, and leave. */
#pragma once

#include <systemd/sd-event.h>

#include "load/report.h"

struct run;

/* options and event are borrowed. 0 or -errno. */
int run_new(sd_event *event, const struct load_options *options, const struct hifi_addr *domain,
	    struct run **ret);
struct run *run_free(struct run *run);
DEFINE_CLEANUP_FUNC(struct run *, run_free);

/* After the loop, which the run ends itself: everybody leaves, and *ret is what was measured so far
 * (it borrows from the run). */
void run_finish(struct run *run, struct report *ret);
