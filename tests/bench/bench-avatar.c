/* What the avatar engine costs: crowds of several sizes in one room and spread at constant density,
 * a third of 60 joints moving, everybody updated in every tick. Sockets are left out. Prints one
 * line per figure: name, value, unit. */
#include <malloc.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "avatar/crowd.h"
#include "base/clock.h"
#include "base/macros.h"

#define JOINTS       60
#define WARM_TICKS   90
#define TICKS        90
#define ROOM_METRES  20.0f
#define METRES_PER   2.0f /* between neighbours of a spread crowd */
#define MBPS_DEFAULT 5.0
#define NEAR_METRES  25.0f

struct peer {
	struct crowd_member *member;
	struct vec3 position;
	uint16_t sequence;
	uint64_t datagrams, bytes;
};

struct bench {
	struct crowd *crowd;
	unsigned n;
	struct peer *peers;
	uint64_t *frame_usec;
	uint64_t receive_usec;
};

static void send_data(void *peer, struct span payload)
{
	struct peer *p = peer;

	p->datagrams++;
	p->bytes += payload.len + CROWD_DATAGRAM_OVERHEAD;
}

static int send_message(void *peer, struct span message)
{
	return 0;
}

static void send_kill(void *peer, const struct uuid *session, enum avatar_kill_reason reason)
{
}

static const struct crowd_ops ops = {
	.send_data = send_data,
	.send_identities = send_message,
	.send_traits = send_message,
	.send_kill = send_kill,
};

/* Of this process alone: the machine may have other things to do. */
static uint64_t cpu_usec(void)
{
	struct timespec ts = {0};

	(void) clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (uint64_t) ts.tv_sec * USEC_PER_SEC + (uint64_t) ts.tv_nsec / 1000;
}

static float random_metres(float size)
{
	return (float) (random() % 10000) / 10000 * size;
}

static size_t write_update(struct peer *p, uint32_t tick, uint8_t *packet, size_t size)
{
	uint8_t bits[AVATAR_JOINT_BITS_MAX] = {0};
	struct writer wr = writer_over(packet, size);

	write_u16le(&wr, ++p->sequence);
	write_u16le(&wr, AVATAR_HAS_POSITION | AVATAR_HAS_JOINTS);
	write_vec3(&wr, &p->position);
	write_u8(&wr, JOINTS);
	for (unsigned j = 0; j < JOINTS; j++)
		if (p->sequence == 1 || j % 3 == 0)
			avatar_bit_set(bits, j);
	write_bytes(&wr, bits, avatar_bits_size(JOINTS));
	for (unsigned j = 0; j < JOINTS; j++) {
		float half = sinf((float) tick * 0.07f + (float) j) / 2;
		uint8_t quat[6];

		if (!avatar_bit(bits, j))
			continue;
		packed_quat6_encode(&(struct quat){.y = sinf(half), .w = cosf(half)}, quat);
		write_bytes(&wr, quat, sizeof(quat));
	}
	memset(bits, 0, sizeof(bits));
	write_bytes(&wr, bits, avatar_bits_size(JOINTS));
	write_f32le(&wr, 1);
	return wr.len;
}

static void tick(struct bench *b, uint64_t *ret_frame_usec)
{
	uint8_t packets[1024];
	uint64_t start, receive = 0;

	for (unsigned i = 0; i < b->n; i++) {
		size_t len = write_update(&b->peers[i], crowd_tick(b->crowd) + i, packets,
					  sizeof(packets));

		start = cpu_usec();
		(void) crowd_receive_data(b->crowd, b->peers[i].member, span_of(packets, len));
		receive += cpu_usec() - start;
	}
	b->receive_usec += receive;
	start = cpu_usec();
	(void) crowd_frame(b->crowd);
	*ret_frame_usec = cpu_usec() - start;
}

static int by_value(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* The lowest rates any listener has of those near it, and of all. */
static void print_rates(const struct bench *b, const uint32_t *sent, const char *name)
{
	double nearest = INFINITY;

	for (unsigned l = 0; l < b->n; l++)
		for (unsigned s = 0; s < b->n; s++) {
			struct vec3 *p = &b->peers[l].position, *q = &b->peers[s].position;

			if (l != s && hypotf(p->x - q->x, p->z - q->z) < NEAR_METRES)
				nearest = fmin(nearest, sent[l * b->n + s]);
		}
	printf("%s: lowest rate within %.0f m\t%.1f\tHz\n", name, (double) NEAR_METRES,
	       nearest * AVATAR_TICKS_PER_SECOND / TICKS);
}

static void print_figures(struct bench *b, const char *name, size_t memory)
{
	uint64_t sum = 0, bytes = 0, datagrams = 0;

	for (unsigned t = 0; t < TICKS; t++)
		sum += b->frame_usec[t];
	for (unsigned i = 0; i < b->n; i++) {
		bytes += b->peers[i].bytes;
		datagrams += b->peers[i].datagrams;
	}
	qsort(b->frame_usec, TICKS, sizeof(*b->frame_usec), by_value);
	printf("%s: frame\t%.0f\tus\n", name, (double) sum / TICKS);
	printf("%s: longest frame\t%.0f\tus\n", name, (double) b->frame_usec[TICKS - 1]);
	printf("%s: frame per listener\t%.2f\tus\n", name, (double) sum / TICKS / b->n);
	printf("%s: receiving per packet\t%.2f\tus\n", name,
	       (double) b->receive_usec / TICKS / b->n);
	printf("%s: one core used\t%.3f\t\n", name,
	       (double) (sum + b->receive_usec) / TICKS * AVATAR_TICKS_PER_SECOND / 1e6);
	printf("%s: to each listener\t%.2f\tMbit/s\n", name,
	       (double) bytes / b->n / TICKS * AVATAR_TICKS_PER_SECOND * 8 / 1e6);
	printf("%s: datagrams\t%.0f\t1/s\n", name,
	       (double) datagrams / TICKS * AVATAR_TICKS_PER_SECOND);
	printf("%s: memory\t%.1f\tMB\n", name, (double) memory / 1e6);
}

static void measure(struct bench *b, const char *name, size_t memory_before)
{
	_cleanup_free_ uint32_t *sent = calloc((size_t) b->n * b->n, sizeof(*sent));
	uint64_t ignored;

	for (unsigned t = 0; t < WARM_TICKS; t++)
		tick(b, &ignored);
	b->receive_usec = 0;
	for (unsigned i = 0; i < b->n; i++)
		b->peers[i].datagrams = b->peers[i].bytes = 0;
	for (unsigned t = 0; t < TICKS; t++) {
		uint32_t now = crowd_tick(b->crowd);

		tick(b, &b->frame_usec[t]);
		for (unsigned l = 0; l < b->n && sent; l++)
			for (unsigned s = 0; s < b->n; s++)
				sent[l * b->n + s] +=
					b->peers[l]
						.member->pairs[b->peers[s].member->index]
						.sent_tick == now;
	}
	print_figures(b, name,
		      mallinfo2().uordblks + mallinfo2().hblkhd - memory_before -
			      (size_t) b->n * b->n * sizeof(*sent));
	if (sent)
		print_rates(b, sent, name);
}

static int bench_crowd(unsigned n, bool spread, double mbps)
{
	float size = spread ? METRES_PER * sqrtf((float) n) : ROOM_METRES;
	struct mallinfo2 before = mallinfo2();
	struct bench b = {.n = n};
	uint64_t frame_usec[TICKS];
	char name[64];

	b.frame_usec = frame_usec;
	b.peers = calloc(n, sizeof(*b.peers));
	if (!b.peers || crowd_new(&ops, 1, &b.crowd) < 0)
		return 1;
	for (unsigned i = 0; i < n; i++) {
		struct uuid session = {{1, (uint8_t) (i >> 8), (uint8_t) i}};
		struct peer *p = &b.peers[i];

		if (crowd_join(b.crowd, &session, p, true, &p->member) < 0)
			return 1;
		p->position = (struct vec3){random_metres(size), 0, random_metres(size)};
		p->member->can_listen = p->member->present = true;
		p->member->budget_bytes = (unsigned) (mbps * 125000 / AVATAR_TICKS_PER_SECOND);
		p->member->query.n = 1;
		p->member->query.views[0] = (struct avatar_view){
			.position = p->position,
			.direction = {sinf((float) i), 0, cosf((float) i)},
			.half_angle = 0.7f,
			.far_clip = 16384,
			.keyhole = 3,
		};
	}
	(void) snprintf(name, sizeof(name), "%u %s, %g Mbit/s", n, spread ? "spread" : "in a room",
			mbps);
	measure(&b, name, before.uordblks + before.hblkhd);
	crowd_free(b.crowd);
	free(b.peers);
	return 0;
}

int main(void)
{
	int failed = 0;

	srandom(1);
	failed |= bench_crowd(10, false, MBPS_DEFAULT);
	failed |= bench_crowd(25, false, MBPS_DEFAULT);
	failed |= bench_crowd(60, false, MBPS_DEFAULT);
	failed |= bench_crowd(200, false, MBPS_DEFAULT);
	failed |= bench_crowd(356, false, 2);
	failed |= bench_crowd(500, false, 2);
	for (unsigned n = 125; n <= 1000; n *= 2)
		failed |= bench_crowd(n, true, MBPS_DEFAULT);
	return failed;
}
