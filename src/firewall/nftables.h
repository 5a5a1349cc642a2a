/* The kernel's packet filter through libnftables, JSON in and out. */
#pragma once

#include <jansson.h>

#include "base/macros.h"

struct nftables;

/* 0; -EPERM without CAP_NET_ADMIN; -EPROTONOSUPPORT when the kernel has no nftables; -errno. */
int nftables_new(struct nftables **ret);
struct nftables *nftables_free(struct nftables *nft);
DEFINE_CLEANUP_FUNC(struct nftables *, nftables_free)

/* Runs { "nftables": [ command … ] } as one transaction: all of it or nothing. 0, -ENOMEM, or
 * -EBADMSG with what libnftables said in *ret_error (heap, may be NULL). */
int nftables_run(struct nftables *nft, const json_t *commands, char **ret_error);

/* What is in a table, without the elements of its sets; NULL in *ret when there is no such table.
 * And what is in all tables that are not ours, with elements. A new reference to an array; errors
 * as above. */
int nftables_list_table(struct nftables *nft, const char *family, const char *table, json_t **ret,
			char **ret_error);
int nftables_list_others(struct nftables *nft, json_t **ret, char **ret_error);
