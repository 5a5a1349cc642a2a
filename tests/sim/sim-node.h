/* Our own stack at an end of the simulated link: reliable connection and message assembler, with
 * every packet signed and verified. */
#pragma once

#include "net/message-assembler.h"
#include "net/reliable-connection.h"
#include "sim-link.h"
#include "sim-stream.h"

struct sim_node {
	struct sim_end end; /* first */
	bool to_web_client; /* ordered carrier, obfuscation repair */
	struct reliable_connection *connection;
	struct message_assembler *assembler;
	struct message_budget budget;
	struct hmac_key key;
	struct sim_stream out;
	struct sim_sink *in; /* account of the other end's stream */
	uint32_t n_unverified, n_resets;
};

struct sim_node *sim_node_new(uint32_t isn, bool to_web_client);
struct sim_node *sim_node_free(struct sim_node *n);
/* As after a crash: all transport state is lost, the stream goes on. */
void sim_node_restart(struct sim_node *n, uint32_t isn);
struct reliable_connection_stats sim_node_stats(const struct sim_node *n);
