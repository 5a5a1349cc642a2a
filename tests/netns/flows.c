/* Sends one UDP datagram from each of many consecutive IPv4 addresses: a flood from invented
 * sources for firewall.test.mjs. The addresses must be local (ip route add local RANGE dev lo).
 *
 *   flows ADDRESS PORT FIRST-SOURCE COUNT
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/macros.h"

static int send_from(int fd, const struct sockaddr_in *to, struct in_addr source)
{
	union {
		char bytes[CMSG_SPACE(sizeof(struct in_pktinfo))];
		struct cmsghdr align;
	} control = {0};
	char byte = 'x';
	struct iovec iov = {&byte, 1};
	struct msghdr message = {
		.msg_name = (void *) to,
		.msg_namelen = sizeof(*to),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	const struct in_pktinfo info = {.ipi_spec_dst = source};

	header->cmsg_level = IPPROTO_IP;
	header->cmsg_type = IP_PKTINFO;
	header->cmsg_len = CMSG_LEN(sizeof(info));
	memcpy(CMSG_DATA(header), &info, sizeof(info));
	return sendmsg(fd, &message, 0) < 0 ? -errno : 0;
}

int main(int argc, char **argv)
{
	struct sockaddr_in to = {.sin_family = AF_INET};
	_cleanup_close_ int fd = -1;
	struct in_addr source;
	long count;

	if (argc != 5 || inet_pton(AF_INET, argv[1], &to.sin_addr) != 1 ||
	    inet_pton(AF_INET, argv[3], &source) != 1) {
		(void) fprintf(stderr, "usage: flows ADDRESS PORT FIRST-SOURCE COUNT\n");
		return EXIT_FAILURE;
	}
	to.sin_port = htons((uint16_t) strtol(argv[2], NULL, 10));
	count = strtol(argv[4], NULL, 10);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	for (long i = 0; i < count; i++) {
		int r = send_from(fd, &to, source);

		if (r < 0) {
			(void) fprintf(stderr, "flows: %s\n", strerror(-r));
			return EXIT_FAILURE;
		}
		source.s_addr = htonl(ntohl(source.s_addr) + 1);
	}
	return EXIT_SUCCESS;
}
