/* Every decoder of node/domain-packets: the first byte picks it, the rest is the payload. */
#include "node/domain-packets.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void connect_request(struct span payload)
{
	struct domain_connect_request c;

	if (domain_connect_request_decode(payload, &c) >= 0)
		domain_connect_request_done(&c);
}

static void list_request(struct span payload)
{
	struct domain_check_in c;

	if (domain_list_request_decode(payload, &c) >= 0)
		domain_check_in_done(&c);
}

static void ignore(void *userdata, struct span payload)
{
}

static void list(struct span payload)
{
	struct domain_list l;

	if (domain_list_decode(payload, &l) >= 0)
		domain_list_encode(&l.header, l.nodes, l.n_nodes, DOMAIN_LISTENER_WEB, ignore,
				   NULL);
}

static void added_node(struct span payload)
{
	struct domain_node_record n;

	(void) domain_added_node_decode(payload, &n);
}

static void denied(struct span payload)
{
	struct domain_denied d;

	(void) domain_denied_decode(payload, &d);
}

static void paths(struct span payload)
{
	struct domain_path_response p;
	struct span path;

	(void) domain_path_query_decode(payload, &path);
	(void) domain_path_response_decode(payload, &p);
}

static void request_assignment(struct span payload)
{
	struct domain_assignment a;

	if (domain_request_assignment_decode(payload, &a) >= 0)
		domain_assignment_done(&a);
}

static void create_assignment(struct span payload)
{
	struct domain_assignment a;

	if (domain_create_assignment_decode(payload, &a) >= 0)
		domain_assignment_done(&a);
}

static void small(struct span payload)
{
	struct domain_client_status status;
	struct domain_kick_request kick;
	struct domain_username_reply username;
	struct domain_ping ping;
	struct domain_ping_reply reply;
	struct uuid id;
	uint8_t type;

	(void) domain_uuid_decode(payload, &id);
	(void) domain_client_status_decode(payload, &status);
	(void) domain_settings_request_decode(payload, &type);
	(void) domain_kick_request_decode(payload, &kick);
	(void) domain_username_reply_decode(payload, &username);
	(void) domain_ping_decode(payload, &ping);
	(void) domain_ping_reply_decode(payload, true, &reply);
}

static void signaling(struct span payload)
{
	struct span json;

	(void) domain_signaling_decode(payload, &json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const decoders[])(struct span payload) = {
		connect_request,    list_request,      list,  added_node, denied, paths,
		request_assignment, create_assignment, small, signaling,
	};

	if (size < 1)
		return 0;
	decoders[data[0] % ELEMENTSOF(decoders)](span_of(data + 1, size - 1));
	return 0;
}
