#include "firewall/nftables.h"

#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <nftables/libnftables.h>

#include "firewall/ruleset.h"

struct nftables {
	struct nft_ctx *ctx;
};

/* Asks for the generation of the ruleset, the smallest question there is. libnftables ends the
 * process when it gets no socket, and has one message for all other reasons. */
static int probe(void)
{
	const struct {
		struct nlmsghdr header;
		struct nfgenmsg body;
	} request = {
		.header =
			{
				.nlmsg_len = sizeof(request),
				.nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETGEN,
				.nlmsg_flags = NLM_F_REQUEST,
			},
		.body = {.nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0},
	};
	union {
		struct nlmsghdr header;
		char bytes[4096];
	} answer;
	_cleanup_close_ int fd = -1;
	ssize_t n;

	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
	if (fd < 0)
		return -errno;
	if (send(fd, &request, sizeof(request), 0) < 0)
		return -errno;
	n = recv(fd, &answer, sizeof(answer), 0);
	if (n < 0)
		return -errno;
	if ((size_t) n < sizeof(answer.header))
		return -EIO;
	if (answer.header.nlmsg_type != NLMSG_ERROR)
		return 0;
	if ((size_t) n < NLMSG_LENGTH(sizeof(struct nlmsgerr)))
		return -EIO;
	return ((const struct nlmsgerr *) NLMSG_DATA(&answer.header))->error;
}

int nftables_new(struct nftables **ret)
{
	_cleanup_(nftables_freep) struct nftables *nft = NULL;
	int r = probe();

	/* nfnetlink's word for a subsystem that it does not have, also after loading modules. */
	if (r == -EINVAL || r == -EOPNOTSUPP)
		return -EPROTONOSUPPORT;
	if (r < 0)
		return r;
	nft = calloc(1, sizeof(*nft));
	if (!nft)
		return -ENOMEM;
	nft->ctx = nft_ctx_new(NFT_CTX_DEFAULT);
	if (!nft->ctx || nft_ctx_buffer_output(nft->ctx) != 0 ||
	    nft_ctx_buffer_error(nft->ctx) != 0)
		return -ENOMEM;
	*ret = TAKE_PTR(nft);
	return 0;
}

struct nftables *nftables_free(struct nftables *nft)
{
	if (!nft)
		return NULL;
	if (nft->ctx)
		nft_ctx_free(nft->ctx);
	free(nft);
	return NULL;
}

int nftables_run(struct nftables *nft, const json_t *commands, char **ret_error)
{
	_cleanup_free_ char *text = json_dumps(commands, JSON_COMPACT);

	*ret_error = NULL;
	if (!text)
		return -ENOMEM;
	/* This flag makes the input JSON, too. */
	nft_ctx_output_set_flags(nft->ctx,
				 nft_ctx_output_get_flags(nft->ctx) | NFT_CTX_OUTPUT_JSON);
	if (nft_run_cmd_from_buffer(nft->ctx, text) == 0)
		return 0;
	*ret_error = strdup(nft_ctx_get_error_buffer(nft->ctx));
	if (*ret_error)
		(*ret_error)[strcspn(*ret_error, "\n")] = '\0';
	return -EBADMSG;
}

/* Takes what. */
static int list(struct nftables *nft, unsigned flags, json_t *what, json_t **ret, char **ret_error)
{
	json_t *commands = json_pack("{s:[{s:o}]}", "nftables", "list", what), *answer, *array;
	int r;

	*ret_error = NULL;
	if (!commands)
		return -ENOMEM;
	nft_ctx_output_set_flags(nft->ctx, flags);
	r = nftables_run(nft, commands, ret_error);
	json_decref(commands);
	if (r < 0)
		return r;
	answer = json_loads(nft_ctx_get_output_buffer(nft->ctx), 0, NULL);
	array = json_incref(json_object_get(answer, "nftables"));
	json_decref(answer);
	if (!json_is_array(array)) {
		json_decref(array);
		return -EBADMSG;
	}
	*ret = array;
	return 0;
}

/* In libnftables 1.0.6 this is the one listing that really leaves elements out: any other, that of
 * one table or of all counters too, reads them from the kernel first, which takes seconds when a
 * flood has filled our sets. */
static int list_terse(struct nftables *nft, json_t **ret, char **ret_error)
{
	return list(nft, NFT_CTX_OUTPUT_TERSE, json_pack("{s:n}", "ruleset"), ret, ret_error);
}

/* "table" or "family" of what an entry of a listing is about; "" where there is none. */
static const char *text_of(const json_t *entry, const char *member)
{
	const json_t *table = json_object_get(entry, "table");
	const json_t *object = json_object_iter_value(json_object_iter((json_t *) entry));
	const char *text = json_string_value(
		json_object_get(object, table && strcmp(member, "table") == 0 ? "name" : member));

	return text ? text : "";
}

int nftables_list_table(struct nftables *nft, const char *family, const char *table, json_t **ret,
			char **ret_error)
{
	json_t *all = NULL, *found = NULL, *entry;
	size_t i;
	int r = list_terse(nft, &all, ret_error);

	if (r < 0)
		return r;
	json_array_foreach (all, i, entry) {
		if (strcmp(text_of(entry, "table"), table) != 0 ||
		    strcmp(text_of(entry, "family"), family) != 0)
			continue;
		if (!found)
			found = json_array();
		if (json_array_append(found, entry) < 0)
			r = -ENOMEM;
	}
	json_decref(all);
	if (r < 0)
		json_decref(found);
	else
		*ret = found;
	return r;
}

/* One after the other, so that the elements of our own sets are not read. */
int nftables_list_others(struct nftables *nft, json_t **ret, char **ret_error)
{
	json_t *all = NULL, *others = json_array(), *entry;
	size_t i;
	int r = list_terse(nft, &all, ret_error);

	json_array_foreach (all, i, entry) {
		json_t *table = NULL;

		if (r < 0 || !json_object_get(entry, "table") ||
		    ruleset_owns(text_of(entry, "table")))
			continue;
		r = list(nft, 0,
			 json_pack("{s:{s:s, s:s}}", "table", "family", text_of(entry, "family"),
				   "name", text_of(entry, "table")),
			 &table, ret_error);
		if (r >= 0 && json_array_extend(others, table) < 0)
			r = -ENOMEM;
		json_decref(table);
	}
	json_decref(all);
	if (r < 0)
		json_decref(others);
	else
		*ret = others;
	return r;
}
