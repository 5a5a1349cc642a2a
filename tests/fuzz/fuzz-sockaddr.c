/* Socket addresses as Qt writes them, one after the other; what was read is written and read again.
 */
#include "net/addr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_round_trip(const struct hifi_addr *a)
{
	uint8_t buf[64];
	struct writer wr = writer_over(buf, sizeof(buf));
	struct hifi_addr text, wire;
	struct reader rd;

	write_sockaddr(&wr, a);
	if (writer_finish(&wr) < 0)
		abort();
	rd = reader_over(buf, wr.len);
	wire = read_sockaddr(&rd, a->type, NULL);
	if (reader_finish(&rd) < 0)
		abort();
	/* :: is written as 0.0.0.0. */
	if (!hifi_addr_equal(&wire, a) && !(hifi_addr_is_any(&wire) && hifi_addr_is_any(a)))
		abort();
	if (hifi_addr_parse(HIFI_ADDR_TEXT(a), a->type, &text) < 0 || !hifi_addr_equal(&text, a))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader rd = reader_over(data, size);

	while (reader_left(&rd) > 0) {
		struct hifi_addr a = read_sockaddr(&rd, SOCKET_TYPE_UDP, NULL);

		if (rd.failed == hifi_addr_is_set(&a))
			abort();
		if (hifi_addr_is_set(&a))
			check_round_trip(&a);
	}
	return 0;
}
