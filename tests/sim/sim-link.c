#include "sim-link.h"

#include <stdlib.h>
#include <string.h>

#include "base/macros.h"

struct datagram {
	uint64_t due_usec;
	uint64_t order; /* among those due at the same time */
	struct sim_end *to;
	size_t len;
	uint8_t *data;
};

struct sim {
	uint64_t now_usec;
	uint64_t random;
	uint64_t n_sent;
	struct sim_end *ends[2];
	struct datagram *heap;
	size_t n_heap, heap_size;
};

struct sim *sim_new(uint64_t seed)
{
	struct sim *sim = calloc(1, sizeof(*sim));

	if (!sim)
		abort();
	sim->now_usec = USEC_PER_SEC;
	sim->random = seed;
	return sim;
}

struct sim *sim_free(struct sim *sim)
{
	for (size_t i = 0; i < sim->n_heap; i++)
		free(sim->heap[i].data);
	free(sim->heap);
	free(sim);
	return NULL;
}

void sim_connect(struct sim *sim, struct sim_end *a, struct sim_end *b)
{
	sim->ends[0] = a;
	sim->ends[1] = b;
	a->sim = b->sim = sim;
	a->other = b;
	b->other = a;
}

uint64_t sim_now_usec(const struct sim *sim)
{
	return sim->now_usec;
}

/* splitmix64 */
uint64_t sim_random(struct sim *sim, uint64_t n)
{
	uint64_t z = sim->random += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return (z ^ z >> 31) % n;
}

static bool chance(struct sim *sim, unsigned permille)
{
	return permille > 0 && sim_random(sim, 1000) < permille;
}

/* --- the heap of datagrams on their way --- */

static bool is_before(const struct datagram *a, const struct datagram *b)
{
	return a->due_usec < b->due_usec || (a->due_usec == b->due_usec && a->order < b->order);
}

static void push(struct sim *sim, const struct datagram *d)
{
	size_t i = sim->n_heap++;

	if (sim->n_heap > sim->heap_size) {
		sim->heap_size = MAX(2 * sim->heap_size, (size_t) 64);
		sim->heap = realloc(sim->heap, sim->heap_size * sizeof(*sim->heap));
		if (!sim->heap)
			abort();
	}
	for (; i > 0 && is_before(d, &sim->heap[(i - 1) / 2]); i = (i - 1) / 2)
		sim->heap[i] = sim->heap[(i - 1) / 2];
	sim->heap[i] = *d;
}

static struct datagram pop(struct sim *sim)
{
	struct datagram first = sim->heap[0], last = sim->heap[--sim->n_heap];
	size_t i = 0, child;

	while ((child = 2 * i + 1) < sim->n_heap) {
		if (child + 1 < sim->n_heap && is_before(&sim->heap[child + 1], &sim->heap[child]))
			child++;
		if (!is_before(&sim->heap[child], &last))
			break;
		sim->heap[i] = sim->heap[child];
		i = child;
	}
	sim->heap[i] = last;
	return first;
}

/* --- sending --- */

static size_t total_len(const struct iovec *iov, unsigned n_iov)
{
	size_t len = 0;

	for (unsigned i = 0; i < n_iov; i++)
		len += iov[i].iov_len;
	return len;
}

static void enqueue(struct sim_end *from, const struct iovec *iov, unsigned n_iov,
		    uint64_t due_usec)
{
	struct datagram d = {.due_usec = due_usec, .order = from->sim->n_sent++, .to = from->other};

	/* Exactly as long as it is, so that a sanitizer sees every overrun. */
	d.data = malloc(MAX(total_len(iov, n_iov), (size_t) 1));
	if (!d.data)
		abort();
	for (unsigned i = 0; i < n_iov; i++) {
		if (iov[i].iov_len > 0)
			memcpy(d.data + d.len, iov[i].iov_base, iov[i].iov_len);
		d.len += iov[i].iov_len;
	}
	push(from->sim, &d);
}

/* When a datagram of this length leaves the bottleneck; false when its queue is full. */
static bool pass_bottleneck(struct sim_end *from, size_t len, uint64_t *ret_usec)
{
	uint64_t now_usec = from->sim->now_usec, begin = MAX(now_usec, from->bottleneck_free_usec);

	*ret_usec = now_usec;
	if (from->link.rate == 0)
		return true;
	if (begin - now_usec > from->link.queue_usec)
		return false;
	from->bottleneck_free_usec = *ret_usec = begin + len * USEC_PER_SEC / from->link.rate;
	return true;
}

static uint64_t travel_usec(struct sim_end *from)
{
	const struct sim_link_options *l = &from->link;
	uint64_t usec = l->delay_usec;

	if (l->jitter_usec > 0)
		usec += sim_random(from->sim, l->jitter_usec);
	if (chance(from->sim, l->late_permille))
		usec += l->late_usec;
	return usec;
}

void sim_send(struct sim_end *from, const struct iovec *iov, unsigned n_iov, bool is_ordered)
{
	uint64_t out_usec;

	from->stats.sent++;
	if (is_ordered) {
		from->last_ordered_usec =
			MAX(from->last_ordered_usec, from->sim->now_usec + travel_usec(from));
		enqueue(from, iov, n_iov, from->last_ordered_usec);
		return;
	}
	if (chance(from->sim, from->link.loss_permille) ||
	    !pass_bottleneck(from, total_len(iov, n_iov), &out_usec)) {
		from->stats.lost++;
		return;
	}
	enqueue(from, iov, n_iov, out_usec + travel_usec(from));
	if (chance(from->sim, from->link.duplicate_permille))
		enqueue(from, iov, n_iov, out_usec + travel_usec(from));
}

/* --- time --- */

/* The next event, or NULL when only a datagram comes next. */
static struct sim_end *next_timer(const struct sim *sim, uint64_t *ret_usec)
{
	struct sim_end *first = NULL;

	*ret_usec = sim->n_heap > 0 ? sim->heap[0].due_usec : USEC_INFINITY;
	for (unsigned i = 0; i < 2; i++) {
		uint64_t usec = sim->ends[i]->ops->next_usec(sim->ends[i]);

		if (usec < *ret_usec) {
			*ret_usec = usec;
			first = sim->ends[i];
		}
	}
	return first;
}

/* False when nothing happens until then. */
static bool step(struct sim *sim, uint64_t until_usec)
{
	struct sim_end *timer;
	struct datagram d;
	uint64_t usec;

	timer = next_timer(sim, &usec);
	if (usec > until_usec)
		return false;
	sim->now_usec = MAX(sim->now_usec, usec);
	if (timer) {
		timer->ops->run(timer);
		return true;
	}

	d = pop(sim);
	d.to->ops->receive(d.to, d.data, d.len);
	free(d.data);
	return true;
}

bool sim_run_until(struct sim *sim, uint64_t until_usec, bool (*done)(void *userdata),
		   void *userdata)
{
	while (!done(userdata))
		if (!step(sim, until_usec)) {
			sim->now_usec = MAX(sim->now_usec, until_usec);
			return done(userdata);
		}
	return true;
}

static bool never(void *userdata)
{
	return false;
}

void sim_run(struct sim *sim, uint64_t until_usec)
{
	(void) sim_run_until(sim, until_usec, never, NULL);
}
