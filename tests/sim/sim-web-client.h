/* A model of the Web SDK's transport with the faults that a server has to live with (protocol 01
 * sections 7.4, 7.6 and 13): a receiver whose loss list never forgets, a sender with a window of 16
 * packets and a timeout of ten seconds that obfuscates resends in place, one over the other. It
 * signs but never verifies. */
#pragma once

#include "net/hmac.h"
#include "net/message-assembler.h"
#include "sim-link.h"
#include "sim-stream.h"

struct sim_web_client;

struct sim_web_client *sim_web_client_new(uint32_t isn);
struct sim_web_client *sim_web_client_free(struct sim_web_client *w);
struct sim_end *sim_web_client_end(struct sim_web_client *w);
struct sim_stream *sim_web_client_stream(struct sim_web_client *w);
void sim_web_client_set_sink(struct sim_web_client *w, struct sim_sink *in);
/* While deaf it drops data unacknowledged, as it does with packets of a node it does not know yet.
 */
void sim_web_client_set_deaf(struct sim_web_client *w, bool deaf);
bool sim_web_client_is_idle(const struct sim_web_client *w);
/* How often a handshake with a new ISN cleared its state. */
uint32_t sim_web_client_resets(const struct sim_web_client *w);
/* Datagrams that would have made it throw. */
uint32_t sim_web_client_errors(const struct sim_web_client *w);

/* The k-th resend of a datagram (k = 1, 2, …) as the SDK does it: in place, over what earlier
 * resends left. */
void sim_web_client_obfuscate(uint8_t *datagram, size_t len, unsigned k);
