/* The packets between nodes and their domain-server, and the pings between nodes: payloads to
 * structs and back (protocol 02; encodings 01 section 12). Pure; both directions of each, because
 * mixers, test clients and the domain-server share them.
 *
 * Decoders take the payload after the NL header and leave *ret alone on failure: -EBADMSG, or
 * -ENOMEM. Spans borrow from the payload. Encoders append to a writer, whose writer_finish() tells
 * whether it all fitted.
 *
 * The null address: native peers write `ff` for "unknown" and read it as "the domain-server's own
 * address"; web clients cannot read it (01 section 12.2). In these structs it is 0.0.0.0, and what
 * is written for it depends on who reads.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/hats.h"
#include "base/macros.h"
#include "base/uuid.h"
#include "net/addr.h"
#include "net/packet.h"

#define DOMAIN_INTEREST_MAX           32 /* node types in an interest list */
#define DOMAIN_TEXT_MAX               730 /* UTF-16 units of any one text: what a datagram can hold */
#define DOMAIN_SIGNALING_MAX          (64 * 1024)
#define DOMAIN_ASSIGNMENT_PAYLOAD_MAX 1024
#define DOMAIN_LIST_PAYLOAD_MAX       (PACKET_MAX - PACKET_UDT_LEN - 2)
#define DOMAIN_LIST_HEADER_LEN        66
#define DOMAIN_RECORD_MIN             48 /* both addresses null */
#define DOMAIN_RECORD_MAX             88 /* both addresses IPv6 */
#define DOMAIN_LIST_RECORDS_MAX \
	((DOMAIN_LIST_PAYLOAD_MAX - DOMAIN_LIST_HEADER_LEN) / DOMAIN_RECORD_MIN)

enum domain_listener {
	DOMAIN_LISTENER_NATIVE, /* 0.0.0.0 is written as `ff`; IPv6 as it is */
	DOMAIN_LISTENER_WEB,    /* always `00` and four bytes */
};

/* --- checking in --- */

enum connect_reason {
	CONNECT_REASON_CONNECT = 0,
	CONNECT_REASON_SILENT_DOMAIN = 1,
	CONNECT_REASON_AWAKE = 2,
};

/* DomainListRequest (13), and the middle of a connect request. */
struct domain_check_in {
	uint64_t current_time; /* the sender's clock in units of its own: only echoed */
	char node_type;
	struct hifi_addr public_addr, local_addr;
	uint8_t n_interests;
	char interests[DOMAIN_INTEREST_MAX]; /* node types */
	char *place_name;                    /* never NULL after decoding */
};

/* DomainConnectRequest (31 and 1). */
struct domain_connect_request {
	struct uuid connect_uuid;
	struct span protocol_signature;
	char *hardware_address;
	struct uuid machine_fingerprint;
	struct span system_info; /* qCompress of JSON, or empty */
	uint32_t connect_reason; /* enum connect_reason or anything */
	uint64_t previous_uptime_usec;
	struct domain_check_in check_in;
	char *username;
	struct span username_signature;
	char *domain_username;
	char *domain_tokens;
};

void domain_check_in_done(struct domain_check_in *c);
int domain_list_request_decode(struct span payload, struct domain_check_in *ret);
void domain_list_request_encode(struct writer *wr, const struct domain_check_in *c);

void domain_connect_request_done(struct domain_connect_request *r);
int domain_connect_request_decode(struct span payload, struct domain_connect_request *ret);
/* The optional domain login is written only when domain_username is set and not empty. */
void domain_connect_request_encode(struct writer *wr, const struct domain_connect_request *r);

/* --- lists of nodes --- */

struct domain_node_record {
	char type;
	struct uuid id;
	struct hifi_addr public_addr, local_addr;
	uint32_t permissions;
	bool is_replicated;
	uint16_t local_id;
	struct uuid secret; /* of the reader and this node */
};

/* Everything of a DomainList (2) but the nodes. */
struct domain_list_header {
	struct uuid domain_id;
	uint16_t domain_local_id;
	struct uuid your_id;
	uint16_t your_local_id;
	uint32_t your_permissions;
	bool is_authenticated; /* use hashes */
	uint64_t request_time; /* echo of the check-in's current_time */
	uint64_t sent_usec;    /* wall clock */
	uint64_t processing_usec;
	bool is_new_connection;
};

struct domain_list {
	struct domain_list_header header;
	size_t n_nodes;
	struct domain_node_record nodes[DOMAIN_LIST_RECORDS_MAX];
};

typedef void (*domain_list_emit_fn)(void *userdata, struct span payload);

/* Calls emit once per packet needed, at least once: each repeats the header, no record is cut. */
void domain_list_encode(const struct domain_list_header *header,
			const struct domain_node_record *nodes, size_t n_nodes,
			enum domain_listener listener, domain_list_emit_fn emit, void *userdata);
/* One packet of a list. */
int domain_list_decode(struct span payload, struct domain_list *ret);

/* DomainServerAddedNode (21) is exactly one record. */
void domain_node_record_encode(struct writer *wr, const struct domain_node_record *n,
			       enum domain_listener listener);
int domain_added_node_decode(struct span payload, struct domain_node_record *ret);

/* A payload that is one UUID: DomainServerRemovedNode (56), DomainServerConnectionToken (46),
 * NodeMuteRequest (68), UsernameFromIDRequest (70). Written with write_uuid(). */
int domain_uuid_decode(struct span payload, struct uuid *ret);

/* --- denial --- */

enum denied_reason {
	DENIED_UNKNOWN = 0,
	DENIED_PROTOCOL_MISMATCH = 1,
	DENIED_LOGIN_METAVERSE = 2,
	DENIED_NOT_AUTHORIZED_METAVERSE = 3,
	DENIED_TOO_MANY_USERS = 4,
	DENIED_TIMED_OUT = 5,
	DENIED_LOGIN_DOMAIN = 6,
	DENIED_NOT_AUTHORIZED_DOMAIN = 7,
};

/* DomainConnectionDenied (16). */
struct domain_denied {
	uint8_t reason; /* enum denied_reason or anything */
	struct span message;
	struct span extra;
};

int domain_denied_decode(struct span payload, struct domain_denied *ret);
void domain_denied_encode(struct writer *wr, const struct domain_denied *d);

/* --- paths --- */

/* DomainServerPathQuery (19). The stated length is not trusted: the SDK counts UTF-16 units in it,
 * so the path is the rest of the payload (01 section 13.9). */
int domain_path_query_decode(struct span payload, struct span *ret);
void domain_path_query_encode(struct writer *wr, struct span path);

/* DomainServerPathResponse (20). */
struct domain_path_response {
	struct span path, viewpoint;
};

int domain_path_response_decode(struct span payload, struct domain_path_response *ret);
void domain_path_response_encode(struct writer *wr, const struct domain_path_response *p);

/* --- assignments --- */

/* RequestAssignment (14) and CreateAssignment (15); version and wallet belong to the request only.
 */
struct domain_assignment {
	uint8_t type; /* enum hat, HAT_ANY in a request */
	struct uuid id;
	char *pool; /* never NULL after decoding */
	struct span payload;
	char *version; /* never NULL after decoding a request */
};

void domain_assignment_done(struct domain_assignment *a);
int domain_request_assignment_decode(struct span payload, struct domain_assignment *ret);
void domain_request_assignment_encode(struct writer *wr, const struct domain_assignment *a);
int domain_create_assignment_decode(struct span payload, struct domain_assignment *ret);
void domain_create_assignment_encode(struct writer *wr, const struct domain_assignment *a);

/* AssignmentClientStatus (27): a child to its monitor. StopNode (35) is empty. */
struct domain_client_status {
	struct uuid id;
	uint8_t type; /* HAT_ANY: idle */
};

int domain_client_status_decode(struct span payload, struct domain_client_status *ret);
void domain_client_status_encode(struct writer *wr, const struct domain_client_status *s);

/* DomainSettingsRequest (47): one byte, the assignment type; written with write_u8(). */
int domain_settings_request_decode(struct span payload, uint8_t *ret_type);

/* --- moderation --- */

enum ban_flags {
	BAN_USERNAME = 1,
	BAN_FINGERPRINT = 2,
	BAN_IP = 4,
};

/* NodeKickRequest (67). */
struct domain_kick_request {
	struct uuid node;
	bool has_flags; /* native counts them only when the payload is exactly 20 bytes */
	uint32_t flags; /* enum ban_flags */
};

int domain_kick_request_decode(struct span payload, struct domain_kick_request *ret);
void domain_kick_request_encode(struct writer *wr, const struct domain_kick_request *k);

/* UsernameFromIDReply (71). */
struct domain_username_reply {
	struct uuid node;
	struct span username;
	struct uuid machine_fingerprint;
	bool is_admin;
};

int domain_username_reply_decode(struct span payload, struct domain_username_reply *ret);
void domain_username_reply_encode(struct writer *wr, const struct domain_username_reply *u);

/* --- pings and signalling --- */

enum ping_type {
	PING_AGNOSTIC = 0,
	PING_LOCAL = 1,
	PING_PUBLIC = 2,
	PING_SYMMETRIC = 3,
};

/* Ping (3). */
struct domain_ping {
	uint8_t type; /* enum ping_type or anything: it is echoed */
	uint64_t time_usec;
	int64_t connection_id;
};

int domain_ping_decode(struct span payload, struct domain_ping *ret);
void domain_ping_encode(struct writer *wr, const struct domain_ping *p);

/* PingReply (4). The web SDK writes the two times big-endian (01 section 13.4). */
struct domain_ping_reply {
	uint8_t type;
	uint64_t ping_time_usec; /* what the ping said */
	uint64_t reply_time;     /* the replier's clock in units of its own */
};

int domain_ping_reply_decode(struct span payload, bool from_web, struct domain_ping_reply *ret);
void domain_ping_reply_encode(struct writer *wr, const struct domain_ping_reply *p);

/* WebRTCSignaling (105): the JSON text, at most DOMAIN_SIGNALING_MAX bytes, well-formed UTF-8. */
int domain_signaling_decode(struct span payload, struct span *ret_json);
void domain_signaling_encode(struct writer *wr, struct span json);
