/* The whole domain-server, spoken to by packets: protocol 02 sections 4 to 11, 15. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/qt-stream.h"
#include "domain-fixture.h"
#include "node/permissions.h"
#include "node/session-store.h"

#define SHORT_USEC (100 * USEC_PER_MSEC)

static struct domain d;

static int close_domain(void **state)
{
	domain_close(&d);
	return 0;
}

/* --- connecting --- */

static void test_mixer_gets_its_assignment_and_settings(void **state)
{
	static const uint8_t type = HAT_AUDIO;
	struct guest *mixer;
	json_t *settings;

	domain_open(&d, NULL);
	mixer = guest_new(&d, 'M', "I");
	guest_become_mixer(mixer);
	assert_int_equal(mixer->list.your_permissions, PERMISSIONS_ASSIGNED);
	assert_true(mixer->list.is_new_connection);
	assert_true(mixer->list.is_authenticated);
	assert_true(mixer->list.request_time == 12345);

	guest_send_reliable(mixer, PACKET_DOMAIN_SETTINGS_REQUEST, &type, 1);
	guest_wait(mixer, PACKET_DOMAIN_SETTINGS, 1);
	settings = json_loads(mixer->last_payload, 0, NULL);
	/* Native clients need the version, ours the promise to redial. */
	assert_true(json_number_value(json_object_get(settings, "version")) >= 2.5);
	assert_true(json_is_true(json_object_get(settings, "redial")));
	assert_non_null(json_object_get(settings, "audio_env"));
	assert_null(json_object_get(settings, "security"));
	json_decref(settings);
}

static void test_nobody_else_gets_a_taken_assignment(void **state)
{
	struct guest *first, *second;

	domain_open(&d, NULL);
	first = guest_new(&d, 'M', "I");
	second = guest_new(&d, 'M', "I");
	guest_become_mixer(first);
	second->connect_uuid = first->connect_uuid;
	guest_connect(second);
	second->connect_uuid = uuid_random();
	guest_connect(second);
	domain_run(&d, SHORT_USEC);
	assert_int_equal(second->counts[PACKET_DOMAIN_LIST], 0);
	assert_int_equal(second->counts[PACKET_DOMAIN_CONNECTION_DENIED], 0);
}

/* Architecture, section 9: no answer is larger than the request before the address is proven, and
 * nobody is told of somebody who may not exist. */
static void test_person_must_answer_from_its_address_first(void **state)
{
	struct guest *mixer, *person;

	domain_open(&d, NULL);
	mixer = guest_new(&d, 'M', "I");
	guest_become_mixer(mixer);
	person = guest_new(&d, 'I', "MWom");
	guest_connect(person);
	guest_wait(person, PACKET_DOMAIN_LIST, 1);
	assert_true(person->list.is_new_connection);
	assert_int_equal(person->last_list_len, DOMAIN_LIST_HEADER_LEN);
	domain_run(&d, SHORT_USEC);
	assert_int_equal(mixer->n_known, 0);

	guest_check_in(person);
	guest_wait(person, PACKET_DOMAIN_LIST, 2);
	assert_false(person->list.is_new_connection);
	assert_non_null(guest_knows(person, &mixer->list.your_id));
	guest_wait(mixer, PACKET_DOMAIN_SERVER_ADDED_NODE, 1);
	assert_non_null(guest_knows(mixer, &person->list.your_id));
}

static void test_pair_has_one_secret(void **state)
{
	const struct domain_node_record *there, *back;
	struct guest *mixer, *person, *other;

	domain_open(&d, NULL);
	mixer = guest_new(&d, 'M', "I");
	guest_become_mixer(mixer);
	person = guest_new(&d, 'I', "M");
	other = guest_new(&d, 'I', "MI");
	guest_enter(person);
	guest_enter(other);
	guest_wait(mixer, PACKET_DOMAIN_SERVER_ADDED_NODE, 2);

	there = guest_knows(person, &mixer->list.your_id);
	back = guest_knows(mixer, &person->list.your_id);
	assert_true(uuid_equal(&there->secret, &back->secret));
	assert_int_equal(back->local_id, person->list.your_local_id);
	assert_false(uuid_equal(&guest_knows(other, &mixer->list.your_id)->secret, &there->secret));
	/* People never learn of people, whatever they ask for. */
	assert_null(guest_knows(other, &person->list.your_id));
}

static void test_copies_of_a_request_make_one_node(void **state)
{
	struct guest *person;
	struct uuid first;

	domain_open(&d, NULL);
	person = guest_new(&d, 'I', "M");
	guest_connect(person);
	guest_wait(person, PACKET_DOMAIN_LIST, 1);
	first = person->list.your_id;
	for (int i = 0; i < 4; i++)
		guest_connect(person);
	guest_wait(person, PACKET_DOMAIN_LIST, 5);
	assert_true(uuid_equal(&first, &person->list.your_id));
	assert_true(person->list.is_new_connection);
}

static void test_late_copy_of_a_mixers_request_does_no_harm(void **state)
{
	struct guest *mixer, *person;

	domain_open(&d, NULL);
	mixer = guest_new(&d, 'M', "I");
	guest_become_mixer(mixer);
	guest_check_in(mixer);
	guest_wait(mixer, PACKET_DOMAIN_LIST, 2);
	person = guest_new(&d, 'I', "M");
	guest_enter(person);
	guest_connect(mixer);
	guest_check_in(mixer);
	guest_wait(mixer, PACKET_DOMAIN_LIST, 3);
	assert_int_equal(person->counts[PACKET_DOMAIN_SERVER_REMOVED_NODE], 0);
}

static void test_forged_request_throws_nobody_out(void **state)
{
	struct guest *mixer, *person;
	struct uuid id;

	domain_open(&d, NULL);
	mixer = guest_new(&d, 'M', "I");
	guest_become_mixer(mixer);
	person = guest_new(&d, 'I', "M");
	guest_enter(person);
	guest_wait(mixer, PACKET_DOMAIN_SERVER_ADDED_NODE, 1);
	id = person->list.your_id;

	/* From the same addresses, as somebody else. */
	person->fingerprint = uuid_random();
	guest_connect(person);
	mixer->type = 'I';
	mixer->connect_uuid = UUID_NULL;
	guest_connect(mixer);
	domain_run(&d, SHORT_USEC);
	assert_int_equal(mixer->counts[PACKET_DOMAIN_SERVER_REMOVED_NODE], 0);
	assert_non_null(guest_knows(mixer, &id));
	guest_check_in(person);
	guest_wait(person, PACKET_DOMAIN_LIST, 3);
}

static void test_other_protocol_is_refused(void **state)
{
	struct guest *person;
	uint8_t data[256] = {0};
	struct writer wr = writer_over(data, sizeof(data));
	struct domain_connect_request c = {
		.protocol_signature = span_of(data + 200, 16),
		.check_in =
			{
				.node_type = 'I',
				.public_addr = hifi_addr_from_ipv4(SOCKET_TYPE_UDP, 0, 1),
				.local_addr = hifi_addr_from_ipv4(SOCKET_TYPE_UDP, 0, 1),
			},
	};

	domain_open(&d, NULL);
	person = guest_new(&d, 'I', "M");
	domain_connect_request_encode(&wr, &c);
	guest_send(person, PACKET_DOMAIN_CONNECT_REQUEST, data, wr.len);
	guest_wait(person, PACKET_DOMAIN_CONNECTION_DENIED, 1);
	assert_int_equal(person->denied.reason, DENIED_PROTOCOL_MISMATCH);
	assert_non_null(strstr(person->denied_message, "version"));
}

static void test_capacity(void **state)
{
	struct guest *first, *second;

	domain_open(&d,
		    "{\"security\": {\"maximum_user_capacity\": \"1\", \"standard_permissions\": ["
		    "{\"permissions_id\": \"localhost\", \"id_can_connect\": true}]}}");
	first = guest_new(&d, 'I', "M");
	second = guest_new(&d, 'I', "M");
	guest_enter(first);
	guest_connect(second);
	guest_wait(second, PACKET_DOMAIN_CONNECTION_DENIED, 1);
	assert_int_equal(second->denied.reason, DENIED_TOO_MANY_USERS);

	guest_send(first, PACKET_DOMAIN_DISCONNECT_REQUEST, NULL, 0);
	domain_run(&d, SHORT_USEC);
	guest_connect(second);
	guest_wait(second, PACKET_DOMAIN_LIST, 1);
}

/* --- staying and leaving --- */

static void test_goodbye_is_told(void **state)
{
	struct guest *mixer, *person;

	domain_open(&d, NULL);
	mixer = guest_new(&d, 'M', "I");
	guest_become_mixer(mixer);
	person = guest_new(&d, 'I', "M");
	guest_enter(person);
	guest_wait(mixer, PACKET_DOMAIN_SERVER_ADDED_NODE, 1);
	guest_send(person, PACKET_DOMAIN_DISCONNECT_REQUEST, NULL, 0);
	guest_wait(mixer, PACKET_DOMAIN_SERVER_REMOVED_NODE, 1);
	assert_true(uuid_equal(&mixer->removed, &person->list.your_id));
	/* Its id means nothing any more. */
	guest_check_in(person);
	domain_run(&d, SHORT_USEC);
	assert_int_equal(person->counts[PACKET_DOMAIN_LIST], 2);
}

static void test_mixer_that_begins_anew_is_replaced_at_once(void **state)
{
	struct guest *mixer, *person;
	struct uuid old;

	domain_open(&d, NULL);
	mixer = guest_new(&d, 'M', "I");
	guest_become_mixer(mixer);
	old = mixer->list.your_id;
	person = guest_new(&d, 'I', "M");
	guest_enter(person);
	assert_non_null(guest_knows(person, &old));
	domain_run(&d, 600 * USEC_PER_MSEC);

	/* Killed, and started again on the same port. */
	guest_forget(mixer);
	guest_become_mixer(mixer);
	guest_wait(person, PACKET_DOMAIN_SERVER_REMOVED_NODE, 1);
	guest_wait(person, PACKET_DOMAIN_SERVER_ADDED_NODE, 1);
	assert_null(guest_knows(person, &old));
	assert_false(uuid_equal(&old, &mixer->list.your_id));
	assert_non_null(guest_knows(person, &mixer->list.your_id));
	assert_non_null(guest_knows(mixer, &person->list.your_id));
}

/* --- a successor --- */

/* Nobody is told anything, because nothing has changed for anybody. */
static void test_successor_knows_all(void **state)
{
	struct guest *mixer, *person, *newcomer;
	struct domain_list_header mixers, persons;
	struct uuid secret;
	const char stats[] = "qbjs";

	domain_open(&d, NULL);
	mixer = guest_new(&d, 'M', "I");
	guest_become_mixer(mixer);
	guest_check_in(mixer);
	guest_wait(mixer, PACKET_DOMAIN_LIST, 2);
	person = guest_new(&d, 'I', "M");
	guest_enter(person);
	guest_wait(mixer, PACKET_DOMAIN_SERVER_ADDED_NODE, 1);
	/* Reliable traffic, so that there is something to go on with. */
	guest_send_reliable(mixer, PACKET_NODE_JSON_STATS, stats, sizeof(stats));
	domain_run(&d, SHORT_USEC);
	mixers = mixer->list;
	persons = person->list;
	secret = guest_knows(person, &mixers.your_id)->secret;
	mixer->n_known = person->n_known = 0;

	domain_succeed(&d);
	guest_check_in(mixer);
	guest_check_in(person);
	guest_wait(mixer, PACKET_DOMAIN_LIST, 3);
	guest_wait(person, PACKET_DOMAIN_LIST, 3);
	assert_true(uuid_equal(&mixer->list.domain_id, &mixers.domain_id));
	assert_int_equal(mixer->list.domain_local_id, mixers.domain_local_id);
	assert_true(uuid_equal(&mixer->list.your_id, &mixers.your_id));
	assert_int_equal(mixer->list.your_local_id, mixers.your_local_id);
	assert_int_equal(mixer->list.your_permissions, mixers.your_permissions);
	assert_false(mixer->list.is_new_connection);
	assert_true(uuid_equal(&person->list.your_id, &persons.your_id));
	assert_non_null(guest_knows(mixer, &persons.your_id));
	assert_true(uuid_equal(&guest_knows(person, &mixers.your_id)->secret, &secret));
	assert_int_equal(mixer->counts[PACKET_DOMAIN_SERVER_REMOVED_NODE], 0);
	assert_int_equal(person->counts[PACKET_DOMAIN_SERVER_REMOVED_NODE], 0);

	/* Its assignment is not on offer, and no number is given twice. */
	newcomer = guest_new(&d, 'M', "I");
	guest_ask_for_assignment(newcomer);
	domain_run(&d, SHORT_USEC);
	assert_int_equal(newcomer->counts[PACKET_CREATE_ASSIGNMENT], 0);
	newcomer = guest_new(&d, 'I', "M");
	guest_enter(newcomer);
	assert_int_not_equal(newcomer->list.your_local_id, mixers.your_local_id);
	assert_int_not_equal(newcomer->list.your_local_id, persons.your_local_id);
	assert_int_not_equal(newcomer->list.your_local_id, mixers.domain_local_id);
	assert_non_null(guest_knows(newcomer, &mixers.your_id));

	/* It is returned to the queue when its mixer goes. */
	guest_send(mixer, PACKET_DOMAIN_DISCONNECT_REQUEST, NULL, 0);
	guest_wait(person, PACKET_DOMAIN_SERVER_REMOVED_NODE, 1);
	guest_forget(mixer);
	guest_become_mixer(mixer);
}

/* What goes on between a mixer and the successor needs no handshake. */
static void test_successor_takes_reliable_packets_once(void **state)
{
	static const uint8_t type = HAT_AUDIO;
	struct guest *mixer;

	domain_open(&d, NULL);
	mixer = guest_new(&d, 'M', "I");
	guest_become_mixer(mixer);
	guest_send_reliable(mixer, PACKET_DOMAIN_SETTINGS_REQUEST, &type, 1);
	guest_wait(mixer, PACKET_DOMAIN_SETTINGS, 1);

	for (unsigned i = 0; i < 3; i++) {
		domain_succeed(&d);
		guest_send_reliable(mixer, PACKET_DOMAIN_SETTINGS_REQUEST, &type, 1);
		guest_wait(mixer, PACKET_DOMAIN_SETTINGS, 2 + i);
		domain_run(&d, SESSION_SETTLED_USEC);
	}
	assert_int_equal(mixer->counts[PACKET_DOMAIN_SETTINGS], 4);
}

static void test_who_was_not_proven_begins_anew(void **state)
{
	struct guest *person;

	domain_open(&d, NULL);
	person = guest_new(&d, 'I', "M");
	guest_connect(person);
	guest_wait(person, PACKET_DOMAIN_LIST, 1);
	domain_succeed(&d);
	guest_check_in(person);
	domain_run(&d, SHORT_USEC);
	assert_int_equal(person->counts[PACKET_DOMAIN_LIST], 1);
	guest_enter(person);
}

/* The file as it is now decides, not as it was. */
static void test_successor_of_another_configuration(void **state)
{
	static const char config[] =
		"{\"config-0\": [], \"security\": {\"standard_permissions\": ["
		"{\"permissions_id\": \"localhost\", \"id_can_connect\": false}, "
		"{\"permissions_id\": \"anonymous\", \"id_can_connect\": false}]}}";
	struct guest *mixer, *person;

	domain_open(&d, NULL);
	mixer = guest_new(&d, 'M', "I");
	guest_become_mixer(mixer);
	person = guest_new(&d, 'I', "M");
	guest_enter(person);
	assert_int_equal(file_replace(d.config_path, config, strlen(config), 0644), 0);
	domain_succeed(&d);
	guest_wait(mixer, PACKET_DOMAIN_SERVER_REMOVED_NODE, 1);
	/* The mixer works on, but there will be no other. */
	guest_check_in(mixer);
	guest_wait(mixer, PACKET_DOMAIN_LIST, 2);
	guest_send(mixer, PACKET_DOMAIN_DISCONNECT_REQUEST, NULL, 0);
	guest_forget(mixer);
	guest_ask_for_assignment(mixer);
	domain_run(&d, SHORT_USEC);
	assert_int_equal(mixer->counts[PACKET_CREATE_ASSIGNMENT], 1);
}

/* --- small questions --- */

static void test_path_query(void **state)
{
	static const char query[] = "\x04\0/Bar";
	struct domain_path_response response;
	struct guest *person;

	domain_open(&d, "{\"paths\": {\"/bar\": {\"viewpoint\": \"/1,2,3/0,0,0,1\"}}}");
	person = guest_new(&d, 'I', "M");
	guest_enter(person);
	guest_send_reliable(person, PACKET_DOMAIN_SERVER_PATH_QUERY, query, sizeof(query) - 1);
	guest_wait(person, PACKET_DOMAIN_SERVER_PATH_RESPONSE, 1);
	assert_int_equal(domain_path_response_decode(
				 span_of(person->last_payload, person->last_len), &response),
			 0);
	assert_int_equal(response.path.len, 4);
	assert_memory_equal(response.path.data, "/Bar", 4);
	assert_memory_equal(response.viewpoint.data, "/1,2,3/0,0,0,1", response.viewpoint.len);

	/* "/" always leads somewhere; other unknown paths are not answered. */
	guest_send_reliable(person, PACKET_DOMAIN_SERVER_PATH_QUERY, "\x05\0/nope", 7);
	guest_send_reliable(person, PACKET_DOMAIN_SERVER_PATH_QUERY, "\x01\0/", 3);
	guest_wait(person, PACKET_DOMAIN_SERVER_PATH_RESPONSE, 2);
	assert_int_equal(domain_path_response_decode(
				 span_of(person->last_payload, person->last_len), &response),
			 0);
	assert_int_equal(response.path.len, 1);
	assert_memory_equal(response.viewpoint.data, "/0,0,0/0,0,0,1", response.viewpoint.len);
}

static void test_settings_are_not_for_everybody(void **state)
{
	static const uint8_t audio = HAT_AUDIO, agent = HAT_AGENT;
	struct guest *person;
	json_t *settings;

	domain_open(&d, NULL);
	person = guest_new(&d, 'I', "M");
	guest_enter(person);
	guest_send_reliable(person, PACKET_DOMAIN_SETTINGS_REQUEST, &audio, 1);
	guest_send_reliable(person, PACKET_DOMAIN_SETTINGS_REQUEST, &agent, 1);
	guest_wait(person, PACKET_DOMAIN_SETTINGS, 1);
	domain_run(&d, SHORT_USEC);
	assert_int_equal(person->counts[PACKET_DOMAIN_SETTINGS], 1);
	settings = json_loads(person->last_payload, 0, NULL);
	assert_null(json_object_get(settings, "audio_env"));
	assert_null(json_object_get(settings, "redial"));
	assert_non_null(json_object_get(settings, "avatars"));
	json_decref(settings);
}

static void test_usernames_are_told_to_those_who_may_kick(void **state)
{
	struct domain_username_reply reply;
	struct guest *admin, *person;

	domain_open(&d, NULL);
	admin = guest_new(&d, 'I', "M");
	person = guest_new(&d, 'I', "M");
	guest_enter(admin);
	guest_enter(person);
	guest_send_reliable(admin, PACKET_USERNAME_FROM_ID_REQUEST, person->list.your_id.b, 16);
	guest_wait(admin, PACKET_USERNAME_FROM_ID_REPLY, 1);
	assert_int_equal(
		domain_username_reply_decode(span_of(admin->last_payload, admin->last_len), &reply),
		0);
	assert_true(uuid_equal(&reply.machine_fingerprint, &person->fingerprint));
	assert_true(reply.is_admin);
}

/* --- kicking --- */

static void kick(struct guest *admin, const struct guest *target, uint32_t flags)
{
	struct domain_kick_request k = {
		.node = target->list.your_id,
		.has_flags = true,
		.flags = flags,
	};
	uint8_t data[32];
	struct writer wr = writer_over(data, sizeof(data));

	domain_kick_request_encode(&wr, &k);
	guest_send_reliable(admin, PACKET_NODE_KICK_REQUEST, data, wr.len);
}

static void test_kick_survives_a_restart(void **state)
{
	struct guest *mixer, *admin, *person;
	json_t *file;

	domain_open(&d, "{\n\t\"descriptors\": { \"world_name\": \"kept\" },\n\t\"mine\": 1\n}");
	mixer = guest_new(&d, 'M', "I");
	guest_become_mixer(mixer);
	admin = guest_new(&d, 'I', "M");
	person = guest_new(&d, 'I', "M");
	guest_enter(admin);
	guest_enter(person);
	guest_wait(mixer, PACKET_DOMAIN_SERVER_ADDED_NODE, 2);

	kick(admin, person, BAN_USERNAME | BAN_FINGERPRINT);
	guest_wait(mixer, PACKET_DOMAIN_SERVER_REMOVED_NODE, 1);
	assert_true(uuid_equal(&mixer->removed, &person->list.your_id));
	guest_connect(person);
	guest_wait(person, PACKET_DOMAIN_CONNECTION_DENIED, 1);
	assert_int_equal(person->denied.reason, DENIED_NOT_AUTHORIZED_METAVERSE);

	domain_restart(&d);
	guest_forget(person);
	guest_connect(person);
	guest_wait(person, PACKET_DOMAIN_CONNECTION_DENIED, 2);
	/* Nothing else of the file was lost. */
	file = json_load_file(d.config_path, 0, NULL);
	assert_int_equal(json_integer_value(json_object_get(file, "mine")), 1);
	assert_string_equal(json_string_value(json_object_get(json_object_get(file, "descriptors"),
							      "world_name")),
			    "kept");
	json_decref(file);
}

static void test_only_some_may_kick(void **state)
{
	struct guest *mixer, *person, *other;

	domain_open(&d, "{\"security\": {\"standard_permissions\": [{\"permissions_id\": "
			"\"localhost\", \"id_can_connect\": true}]}}");
	mixer = guest_new(&d, 'M', "I");
	guest_become_mixer(mixer);
	person = guest_new(&d, 'I', "M");
	other = guest_new(&d, 'I', "M");
	guest_enter(person);
	guest_enter(other);
	kick(person, other, BAN_FINGERPRINT);
	domain_run(&d, SHORT_USEC);
	assert_int_equal(mixer->counts[PACKET_DOMAIN_SERVER_REMOVED_NODE], 0);
}

static void test_this_machine_is_not_locked_out(void **state)
{
	struct guest *mixer, *admin, *person;

	domain_open(&d, NULL);
	mixer = guest_new(&d, 'M', "I");
	guest_become_mixer(mixer);
	admin = guest_new(&d, 'I', "M");
	person = guest_new(&d, 'I', "M");
	guest_enter(admin);
	guest_enter(person);
	kick(admin, person, BAN_FINGERPRINT | BAN_IP);
	kick(admin, admin, BAN_FINGERPRINT);
	domain_run(&d, SHORT_USEC);
	assert_int_equal(mixer->counts[PACKET_DOMAIN_SERVER_REMOVED_NODE], 0);
	assert_int_equal(access(d.config_path, F_OK), -1);
}

/* --- status --- */

static void test_status_tells_of_people_and_mixers(void **state)
{
	static const char request[] =
		"GET /status.json HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
	json_t *stats = json_pack("{s:f}", "cpu_percent", 12.5);
	_cleanup_free_ char *reply = NULL;
	struct writer wr = writer_growing(4096);
	struct guest *mixer, *person;
	json_t *status, *row;

	domain_open(&d, NULL);
	mixer = guest_new(&d, 'M', "I");
	guest_become_mixer(mixer);
	person = guest_new(&d, 'I', "M");
	guest_enter(person);
	assert_int_equal(qbjs_encode(stats, &wr), 0);
	assert_int_equal(endpoint_send_message(mixer->ep, &d.addr, PACKET_NODE_JSON_STATS,
					       span_of(wr.data, wr.len)),
			 0);
	writer_done(&wr);
	json_decref(stats);
	domain_run(&d, SHORT_USEC);

	reply = domain_http(&d, false, request);
	assert_memory_equal(reply, "HTTP/1.1 200", 12);
	status = json_loads(strstr(reply, "\r\n\r\n") + 4, 0, NULL);
	assert_int_equal(json_array_size(json_object_get(status, "people")), 1);
	row = json_array_get(json_object_get(status, "people"), 0);
	assert_string_equal(json_string_value(json_object_get(row, "transport")), "native");
	assert_string_equal(json_string_value(json_object_get(row, "uuid")),
			    UUID_TEXT(&person->list.your_id));
	row = json_array_get(json_object_get(status, "mixers"), 0);
	assert_string_equal(json_string_value(json_object_get(row, "hat")), "audio");
	assert_true(json_number_value(
			    json_object_get(json_object_get(row, "load"), "cpu_percent")) == 12.5);
	assert_true(json_array_size(json_object_get(status, "ports")) > 5);
	json_decref(status);
}

static unsigned http_status(bool over_admin_socket, const char *request)
{
	_cleanup_free_ char *reply = domain_http(&d, over_admin_socket, request);
	unsigned status = 0;

	assert_int_equal(sscanf(reply, "HTTP/1.1 %u", &status), 1);
	return status;
}

#define REQUEST(line, headers, body) line " HTTP/1.1\r\nConnection: close\r\n" headers "\r\n" body

static void test_only_the_admin_socket_changes_things(void **state)
{
	struct guest *mixer;

	domain_open(&d, NULL);
	mixer = guest_new(&d, 'M', "I");
	guest_become_mixer(mixer);

	assert_int_equal(http_status(false, REQUEST("DELETE /nodes/", "Host: localhost\r\n", "")),
			 401);
	assert_int_equal(http_status(false, REQUEST("GET /settings.json", "Host: [::1]:1\r\n", "")),
			 401);
	/* A page under a name that points here. */
	assert_int_equal(
		http_status(false, REQUEST("GET /nodes.json", "Host: evil.example\r\n", "")), 403);
	assert_int_equal(http_status(false, REQUEST("GET /id", "Host: 127.0.0.1:40100\r\n", "")),
			 200);
	assert_int_equal(http_status(false, REQUEST("GET /idle", "Host: localhost\r\n", "")), 404);
	assert_int_equal(http_status(false, REQUEST("PATCH /id", "Host: localhost\r\n", "")), 400);
	assert_int_equal(http_status(false, REQUEST("GET /", "Host: localhost\r\n", "")), 200);
	assert_int_equal(http_status(false, REQUEST("POST /", "Host: localhost\r\n", "")), 404);
	/* A link to the panel may be anywhere; what it tells is for its own pages only. */
	assert_int_equal(http_status(false, REQUEST("GET /",
						    "Host: localhost\r\n"
						    "Sec-Fetch-Site: cross-site\r\n",
						    "")),
			 200);
	assert_int_equal(http_status(false, REQUEST("GET /status.json",
						    "Host: localhost\r\n"
						    "Sec-Fetch-Site: cross-site\r\n",
						    "")),
			 403);

	assert_int_equal(
		http_status(true, REQUEST("POST /settings.json", "Host: x\r\nContent-Length: 9\r\n",
					  "{\"no\": 1}")),
		400);
	assert_int_equal(http_status(true, REQUEST("POST /settings.json",
						   "Host: x\r\nContent-Length: 1\r\n", "{")),
			 400);
	assert_int_equal(access(d.config_path, F_OK), -1);
	assert_int_equal(http_status(true, REQUEST("DELETE /nodes", "Host: x\r\n", "")), 200);
	guest_check_in(mixer);
	domain_run(&d, SHORT_USEC);
	assert_int_equal(mixer->counts[PACKET_DOMAIN_LIST], 1);
}

static void test_change_keeps_what_was_written_by_hand(void **state)
{
	static const char by_hand[] = "{\"descriptors\": {\"description\": \"by hand\"}}";
	static const char broken[] = "{\"descriptors\": ";
	static const char request[] =
		REQUEST("PUT /setting", "Host: x\r\nContent-Length: 56\r\n",
			"{\"setting\": \"descriptors.world_name\", \"text\": \"a place\"}");
	json_t *file;

	domain_open(&d, NULL);
	assert_int_equal(file_replace(d.config_path, by_hand, strlen(by_hand), 0644), 0);
	assert_int_equal(http_status(true, request), 200);
	file = json_load_file(d.config_path, 0, NULL);
	assert_string_equal(json_string_value(json_object_get(json_object_get(file, "descriptors"),
							      "description")),
			    "by hand");
	assert_string_equal(json_string_value(json_object_get(json_object_get(file, "descriptors"),
							      "world_name")),
			    "a place");
	json_decref(file);

	assert_int_equal(file_replace(d.config_path, broken, strlen(broken), 0644), 0);
	assert_int_equal(http_status(true, request), 400);
	assert_int_equal(server_reload(d.server), -EINVAL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, close_domain)
	const struct CMUnitTest tests[] = {
		TEST(test_mixer_gets_its_assignment_and_settings),
		TEST(test_nobody_else_gets_a_taken_assignment),
		TEST(test_person_must_answer_from_its_address_first),
		TEST(test_pair_has_one_secret),
		TEST(test_copies_of_a_request_make_one_node),
		TEST(test_late_copy_of_a_mixers_request_does_no_harm),
		TEST(test_forged_request_throws_nobody_out),
		TEST(test_other_protocol_is_refused),
		TEST(test_capacity),
		TEST(test_goodbye_is_told),
		TEST(test_mixer_that_begins_anew_is_replaced_at_once),
		TEST(test_successor_knows_all),
		TEST(test_successor_takes_reliable_packets_once),
		TEST(test_who_was_not_proven_begins_anew),
		TEST(test_successor_of_another_configuration),
		TEST(test_path_query),
		TEST(test_settings_are_not_for_everybody),
		TEST(test_usernames_are_told_to_those_who_may_kick),
		TEST(test_kick_survives_a_restart),
		TEST(test_only_some_may_kick),
		TEST(test_this_machine_is_not_locked_out),
		TEST(test_status_tells_of_people_and_mixers),
		TEST(test_only_the_admin_socket_changes_things),
		TEST(test_change_keeps_what_was_written_by_hand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
