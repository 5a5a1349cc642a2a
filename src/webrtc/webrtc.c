#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "webrtc/association.h"
#include "webrtc/datagram-kind.h"
#include "webrtc/webrtc.h"

#define ASSOCIATIONS_DEFAULT       4096
#define PENDING_DEFAULT            1024
#define PENDING_PER_IP_DEFAULT     256
#define SEND_BUFFER_DEFAULT        (128 * 1024)
#define UNRELIABLE_BACKLOG_DEFAULT (48 * 1024)
/* SCTP's timers are 250 ms and up, those for acknowledgements 20 ms; idle associations have none.
 */
#define TICK_USEC         (20 * USEC_PER_MSEC)
#define STUN_SILENCE_USEC (30 * USEC_PER_SEC)

const char *webrtc_close_reason_name(enum webrtc_close_reason reason)
{
	static const char *const names[WEBRTC_CLOSED_REASON_COUNT] = {
		[WEBRTC_CLOSED_LOCAL] = "local", [WEBRTC_CLOSED_REPLACED] = "replaced",
		[WEBRTC_CLOSED_PEER] = "peer",   [WEBRTC_CLOSED_TIMEOUT] = "timeout",
		[WEBRTC_CLOSED_ERROR] = "error",
	};

	assert(reason < WEBRTC_CLOSED_REASON_COUNT);
	return names[reason];
}

const char *webrtc_drop_name(enum webrtc_drop drop)
{
	static const char *const names[WEBRTC_DROP_COUNT] = {
#define X(constant, name) [WEBRTC_DROP_##constant] = name,
		WEBRTC_DROPS(X)
#undef X
	};

	assert(drop < WEBRTC_DROP_COUNT);
	return names[drop];
}

/* --- life --- */

static uint32_t or_default(uint32_t value, uint32_t otherwise)
{
	return value > 0 ? value : otherwise;
}

static void set_options(struct webrtc *w, const struct webrtc_options *options)
{
	struct webrtc_options *o = &w->options;

	*o = *options;
	o->max_associations = or_default(o->max_associations, ASSOCIATIONS_DEFAULT);
	o->max_pending = or_default(o->max_pending, PENDING_DEFAULT);
	o->max_pending_per_ip = or_default(o->max_pending_per_ip, PENDING_PER_IP_DEFAULT);
	o->send_buffer_bytes = or_default(o->send_buffer_bytes, SEND_BUFFER_DEFAULT);
	o->unreliable_backlog_bytes =
		or_default(o->unreliable_backlog_bytes, UNRELIABLE_BACKLOG_DEFAULT);
}

int webrtc_new(const struct webrtc_options *options, const struct webrtc_ops *ops, void *userdata,
	       struct webrtc **ret)
{
	_cleanup_free_ struct webrtc *w = calloc(1, sizeof(*w));
	_cleanup_(dtls_context_freep) struct dtls_context *dtls = NULL;
	_cleanup_(hashmap_freep) struct hashmap *index = hashmap_new(sizeof(struct hifi_addr));
	int r;

	if (!w || !index)
		return -ENOMEM;
	set_options(w, options);
	w->ops = ops;
	w->userdata = userdata;
	ice_lite_init(&w->ice);
	for (size_t i = 0; i < ASSOCIATION_STATE_COUNT; i++)
		list_init(&w->associations[i]);
	list_init(&w->writable);
	/* A random start keeps addresses of an earlier process from meaning something in this one.
	 */
	if (getrandom(&w->last_channel, sizeof(w->last_channel), 0) != sizeof(w->last_channel))
		return -EIO;
	r = dtls_context_new(&dtls);
	if (r < 0)
		return r;
	r = message_link_stack_ref();
	if (r < 0)
		return r;

	w->dtls = TAKE_PTR(dtls);
	w->index = TAKE_PTR(index);
	*ret = TAKE_PTR(w);
	return 0;
}

static void free_all(struct list *associations)
{
	struct association *a;

	list_for_each (a, associations, link)
		association_free(a);
}

struct webrtc *webrtc_free(struct webrtc *w)
{
	if (!w)
		return NULL;
	assert(w->depth == 0);
	for (size_t i = 0; i < ASSOCIATION_STATE_COUNT; i++)
		free_all(&w->associations[i]);
	message_link_stack_unref();
	dtls_context_free(w->dtls);
	hashmap_free(w->index);
	free(w);
	return NULL;
}

void webrtc_set_candidates(struct webrtc *w, const struct hifi_addr *addrs, size_t n)
{
	w->n_candidates = MIN(n, (size_t) WEBRTC_CANDIDATES_MAX);
	if (w->n_candidates > 0)
		memcpy(w->candidates, addrs, w->n_candidates * sizeof(*addrs));
}

/* Every public function that can lead to callbacks is inside enter() and leave(). */
static void enter(struct webrtc *w, uint64_t now_usec)
{
	if (w->depth++ == 0)
		w->now_usec = now_usec;
}

static void leave(struct webrtc *w)
{
	struct association *a;

	if (w->depth > 1) {
		w->depth--;
		return;
	}
	while ((a = LIST_FIRST(&w->writable, struct association, writable))) {
		list_remove(&a->writable);
		if (w->ops->writable)
			w->ops->writable(w->userdata, &a->addr);
	}
	free_all(&w->associations[ASSOCIATION_DEAD]);
	w->depth--;
}

static unsigned live(const struct webrtc *w)
{
	return w->count[ASSOCIATION_PENDING] + w->count[ASSOCIATION_OPEN] +
	       w->count[ASSOCIATION_CLOSING];
}

/* --- finding --- */

/* addr is a bare label or a full address; CLOSING ones are not found. */
static struct association *find(const struct webrtc *w, const struct hifi_addr *addr)
{
	struct hifi_addr key = {.type = SOCKET_TYPE_WEBRTC, .channel = addr->channel};
	struct association *a;

	if (addr->type != SOCKET_TYPE_WEBRTC)
		return NULL;
	a = hashmap_find(w->index, addr->channel == 0 ? addr : &key);
	if (!a || a->state == ASSOCIATION_CLOSING ||
	    (addr->channel != 0 && !hifi_addr_equal(&a->addr, addr)))
		return NULL;
	return a;
}

static struct association *find_open(const struct webrtc *w, const struct hifi_addr *addr)
{
	struct association *a = find(w, addr);

	return a && a->state == ASSOCIATION_OPEN ? a : NULL;
}

bool webrtc_is_open(const struct webrtc *w, const struct hifi_addr *addr)
{
	return find_open(w, addr);
}

size_t webrtc_backlog(const struct webrtc *w, const struct hifi_addr *addr)
{
	const struct association *a = find_open(w, addr);

	return a ? message_link_backlog(a->sctp) : 0;
}

bool webrtc_find(const struct webrtc *w, const struct hifi_addr *label, struct hifi_addr *ret)
{
	struct hifi_addr bare = *label;
	struct association *a;

	bare.channel = 0;
	a = find_open(w, &bare);
	if (a)
		*ret = a->addr;
	return a;
}

bool webrtc_udp_addr(const struct webrtc *w, const struct hifi_addr *addr, struct hifi_addr *ret)
{
	struct association *a = find(w, addr);

	if (!a || !hifi_addr_is_set(&a->udp))
		return false;
	*ret = a->udp;
	return true;
}

const struct webrtc_stats *webrtc_stats(struct webrtc *w)
{
	w->stats.associations = live(w);
	w->stats.open_channels = w->count[ASSOCIATION_OPEN];
	return &w->stats;
}

/* --- offers --- */

static unsigned pending_of_ip(struct webrtc *w, const struct hifi_addr *ip)
{
	const struct association *a;
	unsigned n = 0;

	list_for_each (a, &w->associations[ASSOCIATION_PENDING], link)
		n += hifi_addr_same_ip(&a->addr, ip);
	return n;
}

static bool is_over_limit(struct webrtc *w, const struct hifi_addr *label)
{
	const struct association *old = hashmap_find(w->index, label);
	/* What is about to be replaced takes no room. */
	unsigned replaced = old != NULL,
		 replaced_pending = old && old->state == ASSOCIATION_PENDING;

	return live(w) - replaced >= w->options.max_associations ||
	       w->count[ASSOCIATION_PENDING] - replaced_pending >= w->options.max_pending ||
	       pending_of_ip(w, label) - replaced_pending >= w->options.max_pending_per_ip;
}

static int make_answer(struct webrtc *w, const struct association *a, char **ret)
{
	struct sdp_answer answer = {
		.offer = &a->offer,
		.session_id = a->addr.channel,
		.ufrag = a->ice.ufrag,
		.pwd = a->ice.pwd,
		.fingerprint = dtls_context_fingerprint(w->dtls),
		.candidates = w->candidates,
		.n_candidates = w->n_candidates,
		.port = w->options.port,
		.max_message_size = MESSAGE_LINK_RECEIVE_MAX,
	};

	return sdp_answer_format(&answer, ret);
}

/* Puts a under its label, in place of what was there. */
static int replace(struct webrtc *w, const struct hifi_addr *label, struct association *a)
{
	struct association *old = hashmap_find(w->index, label);

	if (old)
		association_end(old, WEBRTC_CLOSED_REPLACED);
	return hashmap_insert(w->index, label, a);
}

static int offer(struct webrtc *w, const struct hifi_addr *label, const char *text, char **ret)
{
	_cleanup_(association_freep) struct association *a = NULL;
	_cleanup_free_ char *answer = NULL;
	struct hifi_addr bare = *label;
	struct sdp_offer parsed;
	size_t len = strnlen(text, WEBRTC_OFFER_MAX + 1);
	int r;

	bare.channel = 0;
	if (len > WEBRTC_OFFER_MAX || sdp_offer_parse(span_of(text, len), &parsed) < 0) {
		webrtc_count_drop(w, WEBRTC_DROP_OFFER_MALFORMED);
		return -EBADMSG;
	}
	if (w->n_candidates == 0)
		return -EADDRNOTAVAIL;
	if (is_over_limit(w, &bare)) {
		webrtc_count_drop(w, WEBRTC_DROP_OFFER_LIMIT);
		return -ENOBUFS;
	}
	r = association_new(w, &bare, &parsed, &a);
	if (r < 0)
		return r;
	r = make_answer(w, a, &answer);
	if (r < 0)
		return r;
	r = replace(w, &bare, a);
	if (r < 0)
		return r;

	w->stats.offers++;
	(void) TAKE_PTR(a);
	*ret = TAKE_PTR(answer);
	return 0;
}

int webrtc_offer(struct webrtc *w, const struct hifi_addr *label, const char *offer_sdp,
		 uint64_t now_usec, char **ret_answer_sdp)
{
	int r;

	assert(label->type == SOCKET_TYPE_WEBRTC);
	enter(w, now_usec);
	if (live(w) == 0)
		w->tick_usec = w->now_usec;
	r = offer(w, label, offer_sdp, ret_answer_sdp);
	leave(w);
	return r;
}

/* --- datagrams --- */

static void handle_outcome(struct webrtc *w, struct association *a, const struct hifi_addr *from,
			   const struct ice_check *check)
{
	static const enum webrtc_drop drops[] = {
		[ICE_REFUSED] = WEBRTC_DROP_STUN_REFUSED,
		[ICE_MALFORMED] = WEBRTC_DROP_STUN_MALFORMED,
		[ICE_UNAUTHENTICATED] = WEBRTC_DROP_STUN_UNAUTHENTICATED,
	};

	if (check->outcome == ICE_ACCEPTED) {
		if (association_validated(a, from, check->nominated) < 0)
			return;
		w->stats.stun_requests++;
	} else {
		webrtc_count_drop(w, drops[check->outcome]);
	}
	if (check->reply_len > 0)
		webrtc_send_datagram(w, from, check->reply, check->reply_len);
}

static void handle_stun_request(struct webrtc *w, const struct hifi_addr *from, struct span request)
{
	struct hifi_addr key = {.type = SOCKET_TYPE_WEBRTC};
	struct association *a = NULL;
	struct ice_check check;

	if (ice_username_number(request, &key.channel) && key.channel != 0)
		a = hashmap_find(w->index, &key);
	if (!a) {
		webrtc_count_drop(w, WEBRTC_DROP_STUN_UNKNOWN_USER);
		return;
	}
	ice_lite_check(&w->ice, &a->ice, a->offer.ufrag, from, request, &check);
	handle_outcome(w, a, from, &check);
}

enum webrtc_verdict webrtc_input(struct webrtc *w, const struct hifi_addr *udp_from, uint8_t *data,
				 size_t len, uint64_t now_usec)
{
	struct span datagram = span_of(data, len);
	enum datagram_kind kind = datagram_kind(datagram);
	struct association *a = NULL;

	if (kind == DATAGRAM_STUN_RESPONSE)
		return WEBRTC_STUN_RESPONSE;
	if (kind == DATAGRAM_DTLS_OR_NATIVE || kind == DATAGRAM_RUNT) {
		a = hashmap_find(w->index, udp_from);
		if (!a)
			return WEBRTC_NATIVE;
	}

	enter(w, now_usec);
	w->stats.datagrams_in++;
	if (a)
		association_input(a, datagram);
	else if (kind == DATAGRAM_STUN_REQUEST)
		handle_stun_request(w, udp_from, datagram);
	/* An indication only keeps the NAT's mapping alive: nothing to do. */
	leave(w);
	return WEBRTC_CONSUMED;
}

static struct span gather(const struct iovec *iov, unsigned n_iov,
			  uint8_t buffer[WEBRTC_MESSAGE_MAX])
{
	size_t len = 0;

	if (n_iov == 1)
		return span_of(iov->iov_base, iov->iov_len);
	for (unsigned i = 0; i < n_iov; i++) {
		if (iov[i].iov_len > WEBRTC_MESSAGE_MAX - len)
			return span_of(buffer, WEBRTC_MESSAGE_MAX + 1);
		if (iov[i].iov_len > 0)
			memcpy(buffer + len, iov[i].iov_base, iov[i].iov_len);
		len += iov[i].iov_len;
	}
	return span_of(buffer, len);
}

static int send_message(struct webrtc *w, struct association *a, struct span message, bool reliable)
{
	int r;

	if (reliable) {
		r = message_link_send_reliable(a->sctp, a->stream, MESSAGE_PPID_BINARY, message);
		if (r < 0) {
			a->wants_room |= r == -EAGAIN;
			return r;
		}
	} else if (message_link_backlog(a->sctp) >= w->options.unreliable_backlog_bytes ||
		   message_link_send_unreliable(a->sctp, a->stream, MESSAGE_PPID_BINARY, message) <
			   0) {
		webrtc_count_drop(w, WEBRTC_DROP_SEND_UNRELIABLE);
		return 0;
	}
	w->stats.messages_out++;
	w->stats.bytes_out += message.len;
	return 0;
}

int webrtc_send(struct webrtc *w, const struct hifi_addr *addr, const struct iovec *iov,
		unsigned n_iov, bool reliable, uint64_t now_usec)
{
	uint8_t buffer[WEBRTC_MESSAGE_MAX];
	struct association *a = addr->channel != 0 ? find_open(w, addr) : NULL;
	struct span message;
	int r;

	if (!a)
		return -ENOTCONN;
	message = gather(iov, n_iov, buffer);
	if (message.len > WEBRTC_MESSAGE_MAX)
		return -EMSGSIZE;
	if (message.len == 0)
		return -EINVAL;
	enter(w, now_usec);
	r = send_message(w, a, message, reliable);
	leave(w);
	return r;
}

void webrtc_close(struct webrtc *w, const struct hifi_addr *addr, uint64_t now_usec)
{
	struct association *a = find(w, addr);

	if (!a)
		return;
	enter(w, now_usec);
	association_close(a, WEBRTC_CLOSED_LOCAL);
	leave(w);
}

/* --- time --- */

uint64_t webrtc_next_usec(const struct webrtc *w)
{
	return live(w) > 0 ? w->tick_usec + TICK_USEC : USEC_INFINITY;
}

static bool is_expired(const struct association *a)
{
	uint64_t deadline = a->state == ASSOCIATION_OPEN ? a->last_stun_usec + STUN_SILENCE_USEC
							 : a->deadline_usec;

	return deadline <= a->w->now_usec;
}

/* Every list is in the order of its deadlines. The first is looked up anew each time, because the
 * owner may close others meanwhile. */
static void end_expired(struct webrtc *w, enum association_state state)
{
	struct association *a;

	while ((a = LIST_FIRST(&w->associations[state], struct association, link)) && is_expired(a))
		association_end(a, WEBRTC_CLOSED_TIMEOUT);
}

static void tick(struct webrtc *w)
{
	uint64_t elapsed_msec = (w->now_usec - w->tick_usec) / USEC_PER_MSEC;
	struct association *a;

	message_link_stack_run((uint32_t) MIN(elapsed_msec, (uint64_t) UINT32_MAX));
	w->tick_usec += elapsed_msec * USEC_PER_MSEC;
	list_for_each (a, &w->associations[ASSOCIATION_PENDING], link)
		association_retransmit(a);
	end_expired(w, ASSOCIATION_PENDING);
	end_expired(w, ASSOCIATION_OPEN);
	end_expired(w, ASSOCIATION_CLOSING);
}

void webrtc_run(struct webrtc *w, uint64_t now_usec)
{
	assert(w->depth == 0);
	if (now_usec < webrtc_next_usec(w))
		return;
	enter(w, now_usec);
	tick(w);
	leave(w);
}
